#include "tests/activities/own_network.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace callimport::tests {
namespace {

std::string last_error(const std::string& what) { return what + ": " + std::strerror(errno); }

/// Closes with its scope.
class Socket {
 public:
  Socket(int family, int type, int protocol) : fd_(::socket(family, type | SOCK_CLOEXEC, protocol)) {}
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

std::string write_to(const std::string& path, const std::string& text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return last_error(path);
  const bool whole = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const std::string trouble = whole ? "" : last_error(path);
  ::close(fd);
  return trouble;
}

std::string begin_loopback() {
  const Socket socket(AF_INET, SOCK_DGRAM, 0);
  ifreq request{};
  std::strncpy(request.ifr_name, "lo", IFNAMSIZ - 1);
  request.ifr_flags = IFF_UP | IFF_RUNNING | IFF_LOOPBACK;
  return ::ioctl(socket.fd(), SIOCSIFFLAGS, &request) == 0 ? "" : last_error("the loopback does not come up");
}

std::string add_address(const std::string& address) {
  struct {
    nlmsghdr head;
    ifaddrmsg about;
    rtattr local_head;
    in_addr local;
  } request{};
  static_assert(sizeof request == NLMSG_LENGTH(sizeof(ifaddrmsg)) + RTA_LENGTH(sizeof(in_addr)));
  request.head.nlmsg_len = sizeof request;
  request.head.nlmsg_type = RTM_NEWADDR;
  request.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE;
  request.about.ifa_family = AF_INET;
  request.about.ifa_prefixlen = 32;
  request.about.ifa_index = ::if_nametoindex("lo");
  request.local_head.rta_type = IFA_LOCAL;
  request.local_head.rta_len = RTA_LENGTH(sizeof(in_addr));
  if (::inet_pton(AF_INET, address.c_str(), &request.local) != 1) return address + " is no IPv4 address";
  const Socket socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  if (::sendto(socket.fd(), &request, sizeof request, 0, reinterpret_cast<sockaddr*>(&kernel), sizeof kernel) < 0)
    return last_error("netlink");
  std::array<char, 4'096> answer{};
  const ssize_t got = ::recv(socket.fd(), answer.data(), answer.size(), 0);
  nlmsghdr head{};
  nlmsgerr error{};
  if (got < static_cast<ssize_t>(NLMSG_LENGTH(sizeof error))) return "netlink did not say whether it took " + address;
  std::memcpy(&head, answer.data(), sizeof head);
  std::memcpy(&error, answer.data() + NLMSG_HDRLEN, sizeof error);
  errno = -error.error;
  return head.nlmsg_type == NLMSG_ERROR && error.error == 0 ? "" : last_error("the loopback does not take " + address);
}

/// In this process the file at `path` reads as `text`.
std::string lay_over(const std::string& path, const std::filesystem::path& folder, const std::string& text) {
  const auto own = folder / std::filesystem::path(path).filename();
  std::ofstream(own) << text;
  return ::mount(own.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) == 0 ? ""
                                                                            : last_error("cannot lay over " + path);
}

std::string become_root_in_own_spaces() {
  const auto user = std::to_string(::getuid()), group = std::to_string(::getgid());
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) != 0) return last_error("no namespaces of our own");
  (void)write_to("/proc/self/setgroups", "deny");  // kernels before 3.19 have no such file
  auto trouble = write_to("/proc/self/uid_map", "0 " + user + " 1\n");
  if (trouble.empty()) trouble = write_to("/proc/self/gid_map", "0 " + group + " 1\n");
  if (trouble.empty() && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    trouble = last_error("mounts of our own");
  return trouble;
}

}  // namespace

std::string enter_own_network(const std::vector<std::string>& addresses, const std::filesystem::path& folder) {
  auto trouble = become_root_in_own_spaces();
  if (trouble.empty()) trouble = begin_loopback();
  for (const auto& address : addresses) {
    if (trouble.empty()) trouble = add_address(address);
  }
  if (trouble.empty())
    trouble = lay_over("/etc/resolv.conf", folder, "nameserver 127.0.0.1\noptions timeout:10 attempts:2\n");
  if (trouble.empty()) trouble = lay_over("/etc/nsswitch.conf", folder, "hosts: files dns\n");
  return trouble;
}

}  // namespace callimport::tests
