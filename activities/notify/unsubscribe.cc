#include "activities/notify/unsubscribe.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <span>

#include "activities/notify/events.h"
#include "activities/notify/muting.h"
#include "storage/model/ensure.h"

namespace callimport::activities {
namespace {

using nlohmann::json;
using Mac = std::array<unsigned char, crypto_auth_BYTES>;
constexpr std::int64_t kDayMs = 24 * 60 * 60 * 1'000;
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

std::string about_text(const Unsubscribe& what) {
  if (!what.import.empty()) return "this import";
  const EventRow* event = find_event(what.event);
  if (event == nullptr) return "your imports";
  return fmt::format("news of this kind: {}", event->words);
}

/// As RFC 8058 has it: a form, or the same in parts.
bool is_one_click(std::string_view body) {
  constexpr std::string_view kPair = "List-Unsubscribe=One-Click";
  for (std::size_t from = 0; from <= body.size();) {
    const std::size_t end = std::min(body.find('&', from), body.size());
    if (body.substr(from, end - from) == kPair) return true;
    from = end + 1;
  }
  const std::size_t name = body.find("name=\"List-Unsubscribe\"");
  if (name == std::string_view::npos) return false;
  constexpr std::string_view kEmptyLine = "\r\n\r\n", kValue = "One-Click\r\n";
  const std::size_t head = body.find(kEmptyLine, name);
  return head != std::string_view::npos && body.substr(head + kEmptyLine.size()).starts_with(kValue);
}

}  // namespace

std::string make_unsubscribe(const storage::Secret& key, const Unsubscribe& what) {
  const json claim = {
      {"v", 1}, {"person", what.person}, {"import", what.import}, {"event", what.event}, {"until_ms", what.until_ms}};
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
  return Unsubscribe{claim.value("person", ""), claim.value("import", ""), claim.value("event", ""),
                     claim.value("until_ms", std::int64_t{0})};
}

std::optional<Unsubscribe> unsubscribe_of(const Message& message) {
  if (message.news.empty() || message.to.id.empty()) return std::nullopt;
  const storage::Notification& newest = message.news.back();
  if (!may_be_muted(newest.event)) return std::nullopt;
  Unsubscribe what{message.to.id, message.import, message.import.empty() ? newest.event : std::string()};
  what.until_ms = newest.at_ms + kUnsubscribeDays * kDayMs;
  return what;
}

UnsubscribeReply answer_unsubscribe(const storage::Secret& key, const UnsubscribeAsk& ask) {
  const bool looks = ask.method == "GET" || ask.method == "HEAD";
  if (!looks && ask.method != "POST")
    return {405, page("Not possible", "This address takes GET and POST only.", ""), std::nullopt};
  const auto what = read_unsubscribe(key, ask.token);
  if (!what) {
    return {404,
            page("This link does not work",
                 "It is not one of ours, or was cut off on its way. Open it from the mail "
                 "again, or answer that mail.",
                 ""),
            std::nullopt};
  }
  if (what->until_ms != 0 && ask.now_ms > what->until_ms) {
    return {410,
            page("This link is too old", "Open the one in a newer mail, or answer that mail. Nothing has changed.", ""),
            std::nullopt};
  }
  const std::string about = about_text(*what);
  if (looks) {
    return {200,
            page("No more mails?", fmt::format("You will get no more mails about {}. Nothing has changed yet.", about),
                 "<form method=\"post\"><input type=\"hidden\" name=\"List-Unsubscribe\" value=\"One-Click\">"
                 "<button style=\"font:inherit;padding:.6em 1.2em\">No more mails</button></form>\n"),
            std::nullopt};
  }
  if (!is_one_click(ask.body)) {
    return {400, page("Not understood", "Open the link and press the button. Nothing has changed.", ""), std::nullopt};
  }
  return {
      200,
      page("Done", fmt::format("You get no more mails about {}. Answer an older one to have them again.", about), ""),
      *what};
}

UnsubscribeReply unsubscribe_failed() {
  return {503, page("Not done yet", "The server cannot write it down now. Try again in a while.", ""), std::nullopt};
}

}  // namespace callimport::activities
