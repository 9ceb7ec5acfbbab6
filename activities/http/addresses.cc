#include "activities/http/addresses.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace callimport::activities {
namespace {

constexpr std::size_t kV4At = 12;  ///< where the four bytes of an IPv4 address lie
constexpr int kV4Bits = 96;

struct Reserved {
  std::string_view network, what;
};
/// The registries' special-purpose addresses (RFC 6890 and what came after), and what clouds answer metadata at.
constexpr std::array kReserved = {
    Reserved{"127.0.0.0/8", "loopback"},
    Reserved{"::1/128", "loopback"},
    Reserved{"169.254.169.254/32", "cloud metadata"},
    Reserved{"168.63.129.16/32", "cloud metadata"},
    Reserved{"100.100.100.200/32", "cloud metadata"},
    Reserved{"192.0.0.192/32", "cloud metadata"},
    Reserved{"fd00:ec2::254/128", "cloud metadata"},
    Reserved{"10.0.0.0/8", "private"},
    Reserved{"172.16.0.0/12", "private"},
    Reserved{"192.168.0.0/16", "private"},
    Reserved{"fc00::/7", "private"},
    Reserved{"64:ff9b:1::/48", "private"},
    Reserved{"169.254.0.0/16", "link-local"},
    Reserved{"fe80::/10", "link-local"},
    Reserved{"100.64.0.0/10", "shared by a provider"},
    Reserved{"0.0.0.0/8", "unspecified"},
    Reserved{"::/128", "unspecified"},
    Reserved{"224.0.0.0/4", "multicast"},
    Reserved{"ff00::/8", "multicast"},
    Reserved{"192.0.0.0/24", "reserved"},
    Reserved{"192.0.2.0/24", "for examples"},
    Reserved{"192.88.99.0/24", "reserved"},
    Reserved{"198.18.0.0/15", "for benchmarks"},
    Reserved{"198.51.100.0/24", "for examples"},
    Reserved{"203.0.113.0/24", "for examples"},
    Reserved{"240.0.0.0/4", "reserved"},
    Reserved{"2001::/23", "reserved"},
    Reserved{"2001:db8::/32", "for examples"},
    Reserved{"3fff::/20", "for examples"},
};

struct ReservedNetwork {
  Network network;
  std::string_view what;
};
const std::vector<ReservedNetwork>& reserved() {
  static const auto all = [] {
    std::vector<ReservedNetwork> made;
    for (const auto& one : kReserved) made.push_back({parse_network(one.network).value(), one.what});
    return made;
  }();
  return all;
}

bool is_v4(const Address& address) {
  static const Network mapped = parse_network("::ffff:0.0.0.0/96").value();
  return within(address, mapped);
}

Address v4_at(const Address& from, std::size_t offset) {
  Address made{};
  made[10] = made[11] = 0xff;
  std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(offset), 4, made.begin() + kV4At);
  return made;
}

/// The IPv4 address that packets to this one end at.
std::optional<Address> inside_of(const Address& address) {
  static const Network translated = parse_network("64:ff9b::/96").value();
  static const Network compatible = parse_network("::/96").value();
  static const Network six_to_four = parse_network("2002::/16").value();
  if (within(address, translated) || within(address, compatible)) return v4_at(address, kV4At);
  if (within(address, six_to_four)) return v4_at(address, 2);
  return std::nullopt;
}

}  // namespace

std::optional<Address> parse_address(std::string_view text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
  const std::string whole(text);
  in6_addr v6{};
  if (::inet_pton(AF_INET6, whole.c_str(), &v6) == 1) {
    Address made{};
    std::memcpy(made.data(), &v6, made.size());
    return made;
  }
  in_addr v4{};
  if (::inet_pton(AF_INET, whole.c_str(), &v4) != 1) return std::nullopt;
  Address bytes{};
  std::memcpy(bytes.data(), &v4, sizeof v4);
  return v4_at(bytes, 0);
}

Result<Network> parse_network(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  const auto bad = [&] {
    return fail(Code::kInvalid, "\"" + std::string(text) + "\" is not a network like 10.1.0.0/16 or fd00::/8");
  };
  if (!address) return bad();
  Network network{*address, 128};
  if (slash == std::string_view::npos) return network;
  const auto count = text.substr(slash + 1);
  const int base = text.substr(0, slash).find(':') == std::string_view::npos ? kV4Bits : 0;
  int bits = 0;
  const auto read = std::from_chars(count.data(), count.data() + count.size(), bits);
  if (read.ec != std::errc{} || read.ptr != count.data() + count.size() || bits < 0 || base + bits > 128) return bad();
  network.bits = base + bits;
  return network;
}

std::optional<Address> address_of(const sockaddr& from) {
  if (from.sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &from, sizeof v4);
    Address bytes{};
    std::memcpy(bytes.data(), &v4.sin_addr, sizeof v4.sin_addr);
    return v4_at(bytes, 0);
  }
  if (from.sa_family != AF_INET6) return std::nullopt;
  sockaddr_in6 v6{};
  std::memcpy(&v6, &from, sizeof v6);
  Address made{};
  std::memcpy(made.data(), &v6.sin6_addr, made.size());
  return made;
}

bool within(const Address& address, const Network& network) {
  const auto whole = static_cast<std::size_t>(network.bits / 8);
  if (!std::equal(address.begin(), address.begin() + static_cast<std::ptrdiff_t>(whole), network.address.begin()))
    return false;
  const int rest = network.bits % 8;
  if (rest == 0) return true;
  const unsigned mask = 0xffu << (8 - rest) & 0xffu;
  return (address[whole] & mask) == (network.address[whole] & mask);
}

std::string_view not_public(const Address& address) {
  for (const auto& [network, what] : reserved()) {
    if (within(address, network)) return what;
  }
  if (is_v4(address)) return {};
  if (const auto inside = inside_of(address)) return not_public(*inside);
  static const Network global = parse_network("2000::/3").value();
  return within(address, global) ? std::string_view{} : "reserved";
}

std::string_view AddressGuard::refuses(const Address& address) const {
  const auto what = not_public(address);
  if (what.empty()) return {};
  const bool meant = std::any_of(allowed.begin(), allowed.end(), [&](const auto& one) { return within(address, one); });
  return meant ? std::string_view{} : what;
}

}  // namespace callimport::activities
