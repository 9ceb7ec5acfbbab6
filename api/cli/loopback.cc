#include "api/cli/loopback.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "api/cli/client.h"

namespace callimport::api {
namespace {

constexpr auto kInterruptLook = std::chrono::milliseconds{100};
constexpr const char* kEndOfHead = "\r\n\r\n";

int hex_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_of(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_of(text[i + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

/// "/path?query" of "GET /path?query HTTP/1.1"; empty: another method, or no such line.
std::string target_of(const std::string& head) {
  constexpr std::string_view kGet = "GET ";
  if (!head.starts_with(kGet)) return {};
  const auto end = head.find_first_of(" \r", kGet.size());
  return head.substr(kGet.size(), end == std::string::npos ? 0 : end - kGet.size());
}

std::string reply_of(const Loopback::Page& page) {
  const std::string body = fmt::format(
      "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{0}</title><h1>{0}</h1><p>{1}</p></html>\n",
      page.title, page.text);
  return fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\n"
      "Referrer-Policy: no-referrer\r\nContent-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
      "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n{}",
      page.status, page.status == 200 ? "OK" : "Refused", body.size(), body);
}

void send_all(int fd, const std::string& text) {
  for (std::size_t sent = 0; sent < text.size();) {
    const auto more = ::send(fd, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (more <= 0 && errno != EINTR) return;
    sent += static_cast<std::size_t>(std::max<ssize_t>(more, 0));
  }
}

}  // namespace

QueryFields read_query(std::string_view text) {
  QueryFields fields;
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const auto pair = text.substr(0, end);
    const auto equals = std::min(pair.find('='), pair.size());
    fields.emplace(decoded(pair.substr(0, equals)), decoded(pair.substr(std::min(equals + 1, pair.size()))));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return fields;
}

Result<Loopback> Loopback::open() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  if (fd < 0 || ::bind(fd, any, size) != 0 || ::listen(fd, static_cast<int>(kConnectionsMax)) != 0 ||
      ::getsockname(fd, any, &size) != 0) {
    const std::string why = std::strerror(errno);
    if (fd >= 0) ::close(fd);
    return fail(Code::kUnavailable, "no port of this machine can be listened on: " + why);
  }
  return Loopback(fd, ntohs(address.sin_port));
}

Loopback::~Loopback() {
  close_all();
  if (listener_ >= 0) ::close(listener_);
}

void Loopback::close_all() {
  for (const auto& one : connections_) ::close(one.fd);
  connections_.clear();
}

/// The oldest makes room for a new one.
void Loopback::accept_one() {
  const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd < 0) return;
  if (connections_.size() == kConnectionsMax) {
    ::close(connections_.front().fd);
    connections_.erase(connections_.begin());
  }
  connections_.push_back({fd, {}});
}

bool Loopback::read_some(Connection& connection) {
  char buffer[4096];
  const auto got = ::recv(connection.fd, buffer, sizeof buffer, MSG_DONTWAIT);
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return false;
  if (got > 0) connection.head.append(buffer, static_cast<std::size_t>(got));
  return got <= 0 || connection.head.size() > kHeadBytesMax || connection.head.find(kEndOfHead) != std::string::npos;
}

bool Loopback::serve(const std::string& path, std::chrono::steady_clock::time_point until,
                     const std::function<Page(const QueryFields&)>& answer) {
  while (!interrupted()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    std::vector<pollfd> looked = {{listener_, POLLIN, 0}};
    for (const auto& one : connections_) looked.push_back({one.fd, POLLIN, 0});
    if (::poll(looked.data(), looked.size(), static_cast<int>(std::min(left, kInterruptLook).count())) <= 0) continue;
    for (std::size_t i = looked.size() - 1; i > 0; --i) {
      auto& connection = connections_[i - 1];
      if (looked[i].revents == 0 || !read_some(connection)) continue;
      const auto target = target_of(connection.head);
      const auto mark = std::min(target.find('?'), target.size());
      Page page{404, "Not here", "This page is for a sign-in that is under way.", false};
      if (target.substr(0, mark) == path)
        page = answer(read_query(std::string_view(target).substr(std::min(mark + 1, target.size()))));
      send_all(connection.fd, reply_of(page));
      ::close(connection.fd);
      connections_.erase(connections_.begin() + static_cast<std::ptrdiff_t>(i - 1));
      if (page.last) return true;
    }
    if ((looked[0].revents & POLLIN) != 0) accept_one();
  }
  return false;
}

}  // namespace callimport::api
