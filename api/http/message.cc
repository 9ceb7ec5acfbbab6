#include "api/http/message.h"

namespace callimport::api {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string_view WebRequest::path() const { return std::string_view(target).substr(0, target.find('?')); }

std::string WebRequest::query(std::string_view name) const {
  const auto mark = target.find('?');
  return mark == std::string::npos ? std::string() : form_value(std::string_view(target).substr(mark + 1), name);
}

std::string_view WebRequest::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

std::string url_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::string form_value(std::string_view form, std::string_view name) {
  while (!form.empty()) {
    const auto end = form.find('&');
    const std::string_view pair = form.substr(0, end);
    const auto sign = pair.find('=');
    if (url_decoded(pair.substr(0, sign)) == name) {
      return sign == std::string_view::npos ? std::string() : url_decoded(pair.substr(sign + 1));
    }
    form = end == std::string_view::npos ? std::string_view() : form.substr(end + 1);
  }
  return {};
}

WebReply text_reply(int status, std::string text, std::string_view type) {
  return {.status = status, .headers = {{"content-type", std::string(type)}}, .body = std::move(text)};
}

}  // namespace callimport::api
