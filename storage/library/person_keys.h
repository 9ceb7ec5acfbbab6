#pragma once
// What people and companies are recognised by, in the one form that is compared. Pure: no database.
#include <string>
#include <string_view>
#include <vector>

namespace callimport::storage {

/// Small letters, without blanks around it, a name in angle brackets or "mailto:"; empty when it is no address: exactly
/// one @ with something on both sides, a dot in the domain, no blanks. What stands after a + stays: it may be a person
/// of its own.
std::string normalised_email(std::string_view text);
/// Of an address as above: what stands after the @. Of a domain or link ("https://www.acme.com/x"): acme.com. Empty
/// when it is neither.
std::string domain_of(std::string_view text);
/// E.164: + and 7 to 15 digits. Blanks, dots, hyphens, slashes and brackets are left out, 00 in front is +, (0) after a
/// country code goes. A number without a country code is none: which country would be a guess. Letters make it none,
/// but for "tel:" in front and an extension ("x12", "ext. 12", ";ext=12") after it.
std::string normalised_phone(std::string_view text);
/// Domains of mail providers that anybody has an address of: nobody's company.
bool is_public_mail_domain(std::string_view domain);

}  // namespace callimport::storage
