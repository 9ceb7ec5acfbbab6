#include "activities/notify/mail.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "activities/notify/words.h"

namespace callimport::activities {
namespace {

constexpr std::size_t kLineCharactersMax = 72;  ///< below RFC 5322's 78
constexpr std::size_t kWordBytesMax = 42;       ///< of an encoded word before base64: 75 characters after (RFC 2047, 2)
constexpr std::size_t kPlainMax = 60;           ///< longer header texts are encoded, which folds them
constexpr std::size_t kHeaderBytesMax = 300;    ///< of a name or a subject; the rest is cut
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

std::string base64(std::string_view bytes) {
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::array<unsigned, 3> three{};
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    for (std::size_t i = 0; i < count; ++i) three.at(i) = static_cast<unsigned char>(bytes[at + i]);
    const unsigned word = three[0] << 16 | three[1] << 8 | three[2];
    for (std::size_t i = 0; i < 4; ++i) out += i <= count ? kBase64[word >> (18 - 6 * i) & 63] : '=';
  }
  return out;
}

/// Any text as one line that fits a header.
std::string header_line(std::string_view text) {
  std::string clean = one_line(text);
  if (clean.size() <= kHeaderBytesMax) return clean;
  std::size_t end = kHeaderBytesMax;
  while (end > 0 && continues(clean[end])) --end;
  return clean.substr(0, end);
}

/// Encoded words (RFC 2047), folded between them.
std::string encoded_words(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = std::min(at + kWordBytesMax, text.size());
    while (end < text.size() && end > at + 1 && continues(text[end])) --end;
    if (!out.empty()) out += "\r\n ";
    out += "=?UTF-8?B?" + base64(text.substr(at, end - at)) + "?=";
    at = end;
  }
  return out;
}

std::string header_text(std::string_view text) {
  const std::string clean = header_line(text);
  const bool looks_encoded = clean.find("=?") != std::string::npos;
  return is_plain(clean) && clean.size() <= kPlainMax && !looks_encoded ? clean : encoded_words(clean);
}

/// A name before an address: quoted, or encoded where it must be.
std::string phrase(std::string_view name) {
  const std::string clean = header_line(name);
  if (!is_plain(clean) || clean.size() > kPlainMax || clean.find("=?") != std::string::npos)
    return encoded_words(clean);
  std::string out = "\"";
  for (const char c : clean) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string party_text(const MailParty& party) {
  if (header_line(party.name).empty()) return party.address;
  return phrase(party.name) + " <" + party.address + ">";
}

/// RFC 2045, 6.7.
std::string quoted_printable(std::string_view text) {
  std::string out, line;
  const auto finish = [&](std::string_view end) {
    out += line;
    out += end;
    line.clear();
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\n') {
      finish("\r\n");
      continue;
    }
    const bool ends_line = at + 1 == text.size() || text[at + 1] == '\n';
    const bool plain = (c > 0x20 && c < 0x7f && c != '=') || (c == ' ' && !ends_line);
    std::string piece(1, c);
    if (!plain) piece = fmt::format("={:02X}", static_cast<unsigned char>(c));
    if (line.size() + piece.size() > kLineCharactersMax) finish("=\r\n");
    line += piece;
  }
  finish("\r\n");
  return out;
}

bool is_address(const std::string& address) {
  const std::size_t at = address.find('@');
  return at != std::string::npos && at > 0 && at + 1 < address.size() && address.size() <= 254 &&
         std::count(address.begin(), address.end(), '@') == 1 && is_plain(address) &&
         address.find_first_of(" <>,;:\\\"()[]") == std::string::npos;
}

/// An id as one side of an address.
std::string id_text(std::string_view id) {
  std::string out;
  for (const char c : id) {
    const bool fine =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
    out += fine ? c : '-';
  }
  return out.empty() ? "none" : out;
}

std::string domain_of(const std::string& address) { return id_text(address.substr(address.find('@') + 1)); }

/// `<` id `>` from what `message_id` gave once: nothing else may be in it.
std::string reference(std::string_view id) {
  const std::size_t at = id.find('@');
  if (at == std::string_view::npos) return "<" + id_text(id) + "@callimport>";
  return "<" + id_text(id.substr(0, at)) + "@" + id_text(id.substr(at + 1)) + ">";
}

std::string part(std::string_view boundary, std::string_view type, std::string_view body) {
  return fmt::format("--{}\r\nContent-Type: {}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{}",
                     boundary, type, quoted_printable(body));
}

}  // namespace

MailParty parse_party(const std::string& text) {
  const std::size_t open = text.rfind('<'), close = text.rfind('>');
  if (open == std::string::npos || close == std::string::npos || close < open) return {"", one_line(text)};
  std::string name = one_line(text.substr(0, open));
  if (name.size() > 1 && name.starts_with('"') && name.ends_with('"')) name = name.substr(1, name.size() - 2);
  return {std::move(name), text.substr(open + 1, close - open - 1)};
}

std::string message_id(const MailMessage& message) {
  return id_text(message.id) + "@" + domain_of(message.from.address);
}

Result<std::string> write_mail(const MailMessage& message, Timestamp now) {
  if (!is_address(message.from.address)) return fail(Code::kInvalid, "the sender's address is not one");
  if (!is_address(message.to.address)) return fail(Code::kInvalid, "the receiver's address is not one");
  const auto seconds = std::chrono::time_point_cast<std::chrono::seconds>(now);
  std::string out;
  const auto header = [&out](std::string_view name, std::string_view value) {
    out += fmt::format("{}: {}\r\n", name, value);
  };
  header("From", party_text(message.from));
  header("To", party_text(message.to));
  if (is_address(message.reply_to.address)) header("Reply-To", party_text(message.reply_to));
  header("Subject", header_text(message.subject));
  header("Date",
         fmt::format("{:%a, %d %b %Y %H:%M:%S} +0000", fmt::gmtime(std::chrono::system_clock::to_time_t(seconds))));
  header("Message-ID", "<" + message_id(message) + ">");
  if (!message.answers.empty()) {
    header("In-Reply-To", reference(message.answers));
    header("References", reference(message.answers));
  }
  if (!message.list.empty()) {
    const std::string list = "<" + id_text(message.list) + ".imports." + domain_of(message.from.address) + ">";
    header("List-Id", message.list_name.empty() ? list : phrase(message.list_name) + " " + list);
  }
  if (message.unsubscribe.starts_with("https://") && is_plain(message.unsubscribe) &&
      message.unsubscribe.find_first_of(" <>") == std::string::npos) {
    header("List-Unsubscribe", "<" + message.unsubscribe + ">");
    header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click");
  }
  header("Auto-Submitted", "auto-generated");
  header("MIME-Version", "1.0");
  // No line of quoted-printable text holds "=_", so that no text can end a part.
  const std::string boundary = "=_" + id_text(message.id).substr(0, 60);
  header("Content-Type", fmt::format("multipart/alternative;\r\n boundary=\"{}\"", boundary));
  return out + "\r\n" + part(boundary, "text/plain", message.text) + part(boundary, "text/html", message.html) + "--" +
         boundary + "--\r\n";
}

}  // namespace callimport::activities
