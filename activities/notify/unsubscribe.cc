#include "activities/notify/unsubscribe.h"

#include <fmt/format.h>
#include <sodium.h>

#include <array>
#include <nlohmann/json.hpp>
#include <span>

#include "activities/notify/words.h"
#include "storage/model/ensure.h"

namespace callimport::activities {
namespace {

using nlohmann::json;
using Mac = std::array<unsigned char, crypto_auth_BYTES>;
constexpr int kAlphabet = sodium_base64_VARIANT_URLSAFE_NO_PADDING;

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string to_base64(std::span<const unsigned char> bytes) {
  std::string text(sodium_base64_encoded_len(bytes.size(), kAlphabet), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), kAlphabet);
  text.pop_back();  // libsodium's terminator
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string bytes(text.size(), '\0');
  std::size_t size = 0;
  const char* end = nullptr;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(), text.size(), nullptr,
                        &size, &end, kAlphabet) != 0 ||
      end != text.data() + text.size())
    return std::nullopt;
  bytes.resize(size);
  return bytes;
}

Mac sign(const storage::Secret& key, std::string_view body) {
  ENSURE(key.reveal().size() == crypto_auth_KEYBYTES);
  Mac mac{};
  crypto_auth(mac.data(), bytes_of(body), body.size(), bytes_of(key.reveal()));
  return mac;
}

/// One page for each answer. `extra` is HTML of ours.
std::string page(std::string_view title, std::string_view text, std::string_view extra) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
      "<meta name=\"color-scheme\" content=\"light dark\"><meta name=\"referrer\" content=\"no-referrer\">"
      "<title>{0}</title></head>\n<body style=\"font-family:system-ui,sans-serif;max-width:36em;margin:3em auto;"
      "padding:0 1em;line-height:1.5\">\n<h1 style=\"font-size:1.4em\">{0}</h1>\n<p>{1}</p>\n{2}</body></html>\n",
      title, text, extra);
}

}  // namespace

std::string make_unsubscribe(const storage::Secret& key, const Unsubscribe& what) {
  const json claim = {{"v", 1}, {"person", what.person}, {"import", what.import}};
  const std::string text = claim.dump(-1, ' ', true, json::error_handler_t::replace);
  const std::string body = to_base64({bytes_of(text), text.size()});
  return body + "." + to_base64(sign(key, body));
}

Result<Unsubscribe> read_unsubscribe(const storage::Secret& key, std::string_view token) {
  const auto refused = [] {
    return fail(Code::kInvalid, "the link is not one of ours, or was cut off on its way: open it from the mail again");
  };
  const std::size_t dot = token.find('.');
  if (token.size() > kUnsubscribeTokenMax || dot == std::string_view::npos) return refused();
  const std::string_view body = token.substr(0, dot);
  const auto mac = from_base64(token.substr(dot + 1));
  const Mac right = sign(key, body);
  if (!mac || mac->size() != right.size() || sodium_memcmp(mac->data(), right.data(), right.size()) != 0)
    return refused();
  const auto text = from_base64(body);
  const json claim = text ? json::parse(*text, nullptr, false) : json();
  if (!claim.is_object() || claim.value("v", 0) != 1) return refused();
  return Unsubscribe{claim.value("person", ""), claim.value("import", "")};
}

UnsubscribeReply answer_unsubscribe(const storage::Secret& key, std::string_view method, std::string_view token) {
  const bool asks = method == "GET" || method == "HEAD";
  if (!asks && method != "POST")
    return {405, page("Not possible", "This address takes GET and POST only.", ""), std::nullopt};
  const auto what = read_unsubscribe(key, token);
  if (!what) {
    return {404,
            page("This link does not work",
                 "It is not one of ours, or was cut off on its way. Open it from the mail "
                 "again, or answer that mail.",
                 ""),
            std::nullopt};
  }
  const std::string about = what->import.empty() ? "your imports" : "this import";
  if (asks) {
    return {200,
            page("No more mails?", fmt::format("You will get no more mails about {}. Nothing has changed yet.", about),
                 "<form method=\"post\"><input type=\"hidden\" name=\"List-Unsubscribe\" value=\"One-Click\">"
                 "<button style=\"font:inherit;padding:.6em 1.2em\">No more mails</button></form>\n"),
            std::nullopt};
  }
  return {
      200,
      page("Done", fmt::format("You get no more mails about {}. Answer an older one to have them again.", about), ""),
      *what};
}

}  // namespace callimport::activities
