#include "storage/library/person_keys.h"

#include <algorithm>
#include <array>

namespace callimport::storage {

namespace {

constexpr std::size_t kEmailBytesMax = 254;  // RFC 5321, 4.5.3.1.3
constexpr std::size_t kDigitsMin = 7, kDigitsMax = 15;

bool is_blank(char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

bool starts_with_word(std::string_view text, std::string_view word) {
  return text.size() >= word.size() && lowered(text.substr(0, word.size())) == word;
}

/// Letters, digits, hyphens and what is beyond ASCII, in labels parted by dots, two of them at least.
bool is_domain(std::string_view text) {
  if (text.size() > 253 || text.find('.') == std::string_view::npos) return false;
  std::size_t label = 0;
  for (const char c : text) {
    if (c == '.') {
      if (label == 0) return false;
      label = 0;
      continue;
    }
    const bool good =
        (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || static_cast<unsigned char>(c) >= 0x80;
    if (!good) return false;
    ++label;
  }
  return label > 0;
}

constexpr std::array<std::string_view, 46> kPublicMail = {
    "126.com",      "163.com",        "aol.com",     "bluewin.ch",     "btinternet.com", "comcast.net",
    "fastmail.com", "free.fr",        "freenet.de",  "gmail.com",      "gmx.at",         "gmx.ch",
    "gmx.com",      "gmx.de",         "gmx.net",     "googlemail.com", "hey.com",        "hotmail.co.uk",
    "hotmail.com",  "hotmail.de",     "hotmail.fr",  "icloud.com",     "laposte.net",    "libero.it",
    "live.com",     "mac.com",        "mail.com",    "mail.ru",        "me.com",         "msn.com",
    "naver.com",    "orange.fr",      "outlook.com", "pm.me",          "proton.me",      "protonmail.com",
    "qq.com",       "rediffmail.com", "t-online.de", "verizon.net",    "web.de",         "yahoo.co.jp",
    "yahoo.co.uk",  "yahoo.com",      "yandex.ru",   "zoho.com"};

}  // namespace

std::string normalised_email(std::string_view text) {
  text = trimmed(text);
  if (const auto open = text.rfind('<'); open != std::string_view::npos && text.ends_with('>')) {
    text = trimmed(text.substr(open + 1, text.size() - open - 2));
  }
  if (starts_with_word(text, "mailto:")) text.remove_prefix(7);
  std::string email = lowered(text);
  const auto at = email.find('@');
  if (email.size() > kEmailBytesMax || at == std::string::npos || at == 0 ||
      email.find('@', at + 1) != std::string::npos) {
    return {};
  }
  if (std::any_of(email.begin(), email.end(), is_blank) || !is_domain(std::string_view(email).substr(at + 1)))
    return {};
  return email;
}

std::string domain_of(std::string_view text) {
  if (const auto email = normalised_email(text); !email.empty()) return email.substr(email.find('@') + 1);
  text = trimmed(text);
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (starts_with_word(text, scheme)) text.remove_prefix(scheme.size());
  }
  if (starts_with_word(text, "www.")) text.remove_prefix(4);
  std::string domain = lowered(text.substr(0, text.find_first_of("/?#:")));
  if (domain.starts_with('@')) domain.erase(0, 1);
  if (domain.ends_with('.')) domain.pop_back();
  return is_domain(domain) ? domain : std::string();
}

std::string normalised_phone(std::string_view text) {
  text = trimmed(text);
  if (starts_with_word(text, "tel:")) text.remove_prefix(4);
  for (const std::string_view extension : {";ext=", "ext", "x"}) {
    const auto at = lowered(text).find(extension);
    if (at == std::string::npos) continue;
    const auto rest = trimmed(text.substr(at + extension.size()));
    if (rest.find_first_not_of("0123456789. ") != std::string_view::npos) return {};
    text = trimmed(text.substr(0, at));
  }
  std::string digits;
  bool international = text.starts_with('+');
  if (international) text.remove_prefix(1);
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!digits.empty() && text.substr(at).starts_with("(0)")) {
      at += 2;
      continue;
    }
    const char c = text[at];
    if (c >= '0' && c <= '9') {
      digits += c;
    } else if (std::string_view(" \t.-/()").find(c) == std::string_view::npos) {
      return {};
    }
  }
  if (!international && digits.starts_with("00")) {
    international = true;
    digits.erase(0, 2);
  }
  const bool good =
      international && digits.size() >= kDigitsMin && digits.size() <= kDigitsMax && digits.front() != '0';
  return good ? "+" + digits : std::string();
}

bool is_public_mail_domain(std::string_view domain) {
  static_assert(std::is_sorted(kPublicMail.begin(), kPublicMail.end()));
  return std::binary_search(kPublicMail.begin(), kPublicMail.end(), domain);
}

}  // namespace callimport::storage
