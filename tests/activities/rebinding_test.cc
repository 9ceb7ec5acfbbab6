// A webhook's name that is somebody's address at the first look and ours at the second (ux 2.8): with a name server
// that changes its mind, the machine's own resolver and real sockets, in a network of the test's own.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "activities/http/curl_http.h"
#include "activities/webhooks/sender.h"
#include "activities/webhooks/url.h"
#include "simulations/sandboxes/server.h"
#include "storage/library/webhooks.h"
#include "storage/runtime/loop.h"
#include "storage/runtime/threads.h"
#include "tests/activities/own_network.h"
#include "tests/activities/waiting.h"
#include "tests/storage/library_fixture.h"
#include "tests/storage/scratch_folder.h"

namespace callimport::activities {
namespace {

constexpr const char* kOutside = "93.184.216.34";  // public, and in this network the target
constexpr const char* kName = "hook.rebinding.example";
using Addresses = std::vector<std::string>;

/// Answers on 127.0.0.1:53: each question for an IPv4 address by the next of what it was told, the last one for ever.
class NameServer {
 public:
  NameServer() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_in here = address();
    good_ = ::bind(fd_, reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0;
    if (good_) thread_ = std::thread([this] { serve(); });
  }
  ~NameServer() {
    stopping_ = true;
    const sockaddr_in here = address();
    ::sendto(fd_, "", 0, 0, reinterpret_cast<const sockaddr*>(&here), sizeof here);  // wakes it
    if (thread_.joinable()) thread_.join();
    ::close(fd_);
  }
  NameServer(const NameServer&) = delete;
  NameServer& operator=(const NameServer&) = delete;
  bool good() const { return good_; }
  void say(std::vector<Addresses> answers) {
    const std::lock_guard lock(mutex_);
    answers_ = std::move(answers);
    asked_ = 0;
  }
  std::size_t asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  static constexpr std::size_t kHead = 12, kTypeAndClass = 4;

  static sockaddr_in address() {
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_port = htons(53);
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return here;
  }
  void serve() {
    std::array<char, 1'500> datagram{};
    while (!stopping_) {
      sockaddr_in from{};
      socklen_t size = sizeof from;
      const ssize_t got =
          ::recvfrom(fd_, datagram.data(), datagram.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (got <= 0) continue;
      const std::string reply = answer({datagram.data(), static_cast<std::size_t>(got)});
      if (!reply.empty()) ::sendto(fd_, reply.data(), reply.size(), 0, reinterpret_cast<const sockaddr*>(&from), size);
    }
  }
  /// RFC 1035: the question again, and records that point to its name.
  std::string answer(const std::string& question) {
    const auto end = question.find('\0', kHead);
    if (end == std::string::npos || question.size() < end + 1 + kTypeAndClass) return {};
    const bool for_ipv4 = question[end + 1] == 0 && question[end + 2] == 1;
    const Addresses addresses = for_ipv4 ? next() : Addresses();
    std::string reply = question.substr(0, 2);
    reply += std::string("\x81\x80\0\x01\0", 5) + static_cast<char>(addresses.size()) + std::string(4, '\0');
    reply += question.substr(kHead, end + 1 + kTypeAndClass - kHead);
    for (const auto& one : addresses) {
      in_addr raw{};
      ::inet_pton(AF_INET, one.c_str(), &raw);
      reply += std::string("\xc0\x0c\0\x01\0\x01\0\0\0\0\0\x04", 12);  // this name, A, IN, for no time, four bytes
      reply.append(reinterpret_cast<const char*>(&raw), sizeof raw);
    }
    return reply;
  }
  Addresses next() {
    const std::lock_guard lock(mutex_);
    if (answers_.empty()) return {};
    return answers_[std::min(asked_++, answers_.size() - 1)];
  }

  int fd_;
  bool good_ = false;
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;
  std::vector<Addresses> answers_;  // guarded by mutex_
  std::size_t asked_ = 0;           // guarded by mutex_
  std::thread thread_;
};

class Target final : public simulations::Sandbox {
 public:
  simulations::SandboxReply handle(const simulations::SandboxRequest&, Timestamp) override {
    ++came;
    return {};
  }
  std::atomic<int> came = 0;
};

class Rebinding : public storage::LibraryTest {
 protected:
  static void SetUpTestSuite() {
    folder_.emplace();
    trouble_ = tests::enter_own_network({kOutside}, folder_->path());
  }
  static void TearDownTestSuite() { folder_.reset(); }

  void SetUp() override {
    if (!trouble_.empty()) GTEST_SKIP() << "this machine gives a test no network of its own: " << trouble_;
    LibraryTest::SetUp();
    names_.emplace();
    ASSERT_TRUE(names_->good());
  }
  /// Listens, and answers a URL of the name with its port.
  std::string listen(const std::string& host) {
    simulations::ServerOptions options;
    options.host = host;
    auto server = simulations::SandboxServer::listen(target_, options);
    EXPECT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
    server_->start();
    return "http://" + std::string(kName) + ":" + std::to_string(server_->port()) + "/in";
  }
  /// As after a restart, or once what was looked up is too old.
  std::unique_ptr<CurlHttp> client() {
    CurlOptions options;
    options.guard = AddressGuard{};
    return std::make_unique<CurlHttp>(loop_.io(), loop_, options);
  }
  Result<HttpReply> ask(const std::string& url) {
    HttpRequest request;
    request.url = url;
    request.timeout = 10s;
    const auto http = client();
    return run_on(loop_, http->send(std::move(request)));
  }

  static std::optional<ScratchFolder> folder_;
  static std::string trouble_;
  std::optional<NameServer> names_;
  Target target_;
  std::unique_ptr<simulations::SandboxServer> server_;
  AsioLoop loop_;
};
std::optional<ScratchFolder> Rebinding::folder_;
std::string Rebinding::trouble_;

constexpr const char* kRefused = "not asked: the address is internal (loopback)";

TEST_F(Rebinding, ANameThatTurnsInwardsIsNotFollowed) {
  names_->say({{kOutside}, {"127.0.0.1"}});
  const auto url = listen("0.0.0.0");
  EXPECT_TRUE(check_webhook_url("https://" + std::string(kName) + "/in", AddressGuard{}));
  const auto first = ask(url);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(200, first->status);
  EXPECT_EQ(1, target_.came);
  const auto second = ask(url);
  ASSERT_FALSE(second);
  EXPECT_EQ(kRefused, second.error().message);
  EXPECT_EQ(1, target_.came);
  EXPECT_EQ(2u, names_->asked());
}

TEST_F(Rebinding, NorIsOneThatIsBothAtOnce) {
  names_->say({{kOutside, "127.0.0.1"}, {"127.0.0.1", kOutside}});
  const auto url = listen("127.0.0.1");  // nobody listens outside: whoever follows every address comes here
  for (int look = 0; look < 2; ++look) {
    const auto reply = ask(url);
    ASSERT_FALSE(reply);
    EXPECT_EQ(kRefused, reply.error().message);
  }
  EXPECT_EQ(0, target_.came);
}

TEST_F(Rebinding, TheEndpointsLogSaysWhy) {
  names_->say({{kOutside}, {"127.0.0.1"}});
  const auto url = listen("0.0.0.0");
  auto vault = std::move(*storage::Vault::open(disk_, random_, "data/vault.db", "data/vault.key"));
  storage::Webhook endpoint;
  endpoint.id = "whk_1";
  endpoint.url = url;
  endpoint.secret =
      vault->add("webhook", "", "webhook", storage::Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), 0).value().str();
  ASSERT_OK(library_->change([&](storage::LibraryTx& tx) -> Result<> {
    TRY_VOID(tx.webhooks().add(endpoint));
    TRY(const auto row, find_webhook(tx.webhooks(), "whk_1"));
    storage::WebhookMessage message;
    message.webhook = row->number;
    message.id = "ntf_1";
    message.type = "import.waiting";
    message.body = "{}";
    return tx.webhooks().put(message);
  }));
  ThreadPool pool(2);
  for (const char* expected : {"", kRefused}) {
    const auto http = client();
    WebhookSender sender({*library_, *vault, *http, loop_, pool, loop_, random_, {"lib1", "callimport://lib1"}});
    std::string error = "nothing came";
    sender.send_now("whk_1", "ntf_1", [&](Result<storage::WebhookAttempt> made) {
      error = made ? made->error : made.error().message;
      loop_.stop();
    });
    loop_.run();
    EXPECT_EQ(expected, error);
  }
  EXPECT_EQ(1, target_.came);
}

}  // namespace
}  // namespace callimport::activities
