#include "activities/notify/mail.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace callimport::activities {
namespace {

constexpr std::size_t kLineCharactersMax = 72;  ///< below RFC 5322's 78
constexpr std::size_t kWordBytesMax = 42;       ///< of an encoded word before base64: 75 characters after (RFC 2047, 2)
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

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

/// A header's value from any text: control characters become spaces, what is no ASCII becomes encoded words (RFC 2047).
std::string header_text(std::string_view text) {
  std::string clean(text);
  for (char& c : clean) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  if (is_plain(clean)) return clean;
  std::string out;
  for (std::size_t at = 0; at < clean.size();) {
    std::size_t end = std::min(at + kWordBytesMax, clean.size());
    while (end < clean.size() && end > at + 1 && (static_cast<unsigned char>(clean[end]) & 0xc0) == 0x80) --end;
    if (!out.empty()) out += "\r\n ";
    out += "=?UTF-8?B?" + base64(std::string_view(clean).substr(at, end - at)) + "?=";
    at = end;
  }
  return out;
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
  const std::string bare = bare_address(address);
  const auto times = [&address](char c) { return std::count(address.begin(), address.end(), c); };
  if (times('@') != 1 || times('<') != times('>') || times('<') > 1) return false;
  return bare.find_first_of(" <>,;\"") == std::string::npos && bare.find('@') != std::string::npos && is_plain(address);
}

/// An id as the left side of `<...@callimport>`.
std::string id_text(std::string_view id) {
  std::string out;
  for (const char c : id) {
    const bool fine =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
    out += fine ? c : '-';
  }
  return out;
}

}  // namespace

std::string bare_address(const std::string& address) {
  const std::size_t open = address.find('<'), close = address.find('>');
  if (open == std::string::npos || close == std::string::npos || close < open) return address;
  return address.substr(open + 1, close - open - 1);
}

Result<std::string> write_mail(const MailMessage& message, Timestamp now) {
  if (message.to.empty()) return fail(Code::kInvalid, "a mail without a receiver");
  if (!is_address(message.from)) return fail(Code::kInvalid, "the sender's address is not one");
  std::string to;
  for (const std::string& address : message.to) {
    if (!is_address(address)) return fail(Code::kInvalid, "a receiver's address is not one");
    to += (to.empty() ? "" : ", ") + address;
  }
  const auto seconds = std::chrono::time_point_cast<std::chrono::seconds>(now);
  std::string out;
  const auto header = [&out](std::string_view name, std::string_view value) {
    out += fmt::format("{}: {}\r\n", name, value);
  };
  header("From", message.from);
  header("To", to);
  header("Subject", header_text(message.subject));
  header("Date",
         fmt::format("{:%a, %d %b %Y %H:%M:%S} +0000", fmt::gmtime(std::chrono::system_clock::to_time_t(seconds))));
  header("Message-ID", "<" + id_text(message.id) + "@callimport>");
  header("References", "<" + id_text(message.thread) + "@callimport>");
  header("In-Reply-To", "<" + id_text(message.thread) + "@callimport>");
  header("List-Id", "<" + id_text(message.thread) + ".callimport>");
  header("Auto-Submitted", "auto-generated");
  header("MIME-Version", "1.0");
  header("Content-Type", "text/plain; charset=utf-8");
  header("Content-Transfer-Encoding", "quoted-printable");
  return out + "\r\n" + quoted_printable(message.text);
}

}  // namespace callimport::activities
