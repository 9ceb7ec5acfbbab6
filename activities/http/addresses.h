#pragma once
// Which addresses of the internet a request may go to, when its URL came from outside: not those of this machine, of
// the networks behind it, of a cloud's metadata, or of nobody. Pure.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/model/result.h"

struct sockaddr;

namespace callimport::activities {

/// IPv6 in network order; IPv4 as ::ffff:a.b.c.d, so that one written in the other's form is the same address.
using Address = std::array<std::uint8_t, 16>;

struct Network {
  Address address{};
  int bits = 128;  ///< of an IPv4 network 96 more than it is written with
  friend bool operator==(const Network&, const Network&) = default;
};

/// "10.1.0.0/16", "fd00::/8", or one address alone.  @error kInvalid  anything else: shows it.
Result<Network> parse_network(std::string_view text);
/// Of "192.0.2.1" or "2001:db8::1", with or without brackets; nothing for a name.
std::optional<Address> parse_address(std::string_view text);
/// Nothing for what is neither IPv4 nor IPv6.
std::optional<Address> address_of(const sockaddr& from);
bool within(const Address& address, const Network& network);

/// What makes an address one that nobody outside can mean: "loopback", "private", "link-local", "cloud metadata" ...
/// Empty: it is public. An IPv4 address inside an IPv6 one (mapped, translated, 6to4) is judged as itself.
std::string_view not_public(const Address& address);

/// Public addresses, and those of the networks that were allowed aloud.
struct AddressGuard {
  std::vector<Network> allowed;
  /// Why a request must not go there; empty: it may.
  std::string_view refuses(const Address& address) const;
};

}  // namespace callimport::activities
