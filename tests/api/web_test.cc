// HTTP in: what is asked as bytes on a socket, and what is answered (ux 2.6, 2.7).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/ssl.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "api/http/pages.h"
#include "api/http/problem.h"
#include "api/http/server.h"
#include "storage/runtime/loop.h"
#include "storage/runtime/os_random.h"
#include "tests/api/certificates.h"
#include "tests/api/raw_http.h"

namespace callimport::api {
namespace {

using namespace tests;
using testing::HasSubstr;
using testing::Not;

/// A server on a loop of its own, which it stops at the end.
class Served {
 public:
  explicit Served(WebServerOptions options = {}, std::string key = {}) : router(random_, std::move(key)) {
    PageParts parts;
    parts.version = "1.2.3";
    parts.look = [this](const OnDependencies& done) { done(dependencies); };
    parts.metrics = [](const std::function<void(std::string)>& done) { done("up 1\n"); };
    add_pages(router, parts);
    router.add("POST", "/echo", WebAccess::kAnybody, [](const WebRequest& request, const Respond& respond) {
      respond(text_reply(200, request.body + "|" + form_value(request.body, "a") + "|" + request.query("b")));
    });
    router.add("GET", "/later", WebAccess::kAnybody, [this](const WebRequest&, Respond respond) {
      kept.push_back(std::move(respond));
      asked.store(static_cast<int>(kept.size()));
      asked.notify_all();
    });
    router.add("GET", "/twice", WebAccess::kAnybody, [](const WebRequest&, const Respond& respond) {
      respond(text_reply(200, "first\n"));
      respond(text_reply(200, "second\n"));
    });
    options.refused = &refused_reply;
    auto listening = WebServer::listen(
        loop_.io(), [this](WebRequest request, Respond respond) { router.handle(std::move(request), respond); },
        std::move(options));
    EXPECT_TRUE(listening) << listening.error().message;
    server = std::move(*listening);
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~Served() {
    loop_.post([this] {
      server.reset();
      loop_.stop();
    });
    thread_.join();
  }
  std::uint16_t port() const { return server->port(); }
  void post(Task task) { loop_.post(std::move(task)); }

  std::vector<Dependency> dependencies;  ///< before the first request
  std::vector<Respond> kept;             ///< of /later; the loop's
  std::atomic<int> asked{0};

 private:
  OsRandom random_;
  AsioLoop loop_;

 public:
  WebRouter router;
  std::unique_ptr<WebServer> server;

 private:
  std::thread thread_;
};

struct AskRow {
  const char* name;
  std::string request;
  int status;
  std::vector<std::string> said;
};
void PrintTo(const AskRow& row, std::ostream* out) { *out << row.name; }
class Asked : public testing::TestWithParam<AskRow> {};

TEST_P(Asked, IsAnswered) {
  const auto& row = GetParam();
  WebServerOptions options;
  options.limits.head_bytes = 2'000;
  options.limits.body_bytes = 100;
  const Served served(options, "the-key");
  const auto answer = http_exchange(served.port(), row.request);
  EXPECT_EQ(row.status, http_status(answer)) << answer;
  for (const auto& words : row.said) EXPECT_THAT(answer, HasSubstr(words));
  if (row.status < 400) return;
  const auto problem = nlohmann::json::parse(http_body(answer), nullptr, false);
  ASSERT_TRUE(problem.is_object()) << answer;
  EXPECT_EQ(row.status, problem.value("status", 0));
  EXPECT_THAT(answer, HasSubstr("application/problem+json"));
  for (const char* member : {"type", "title", "detail", "instance", "code", "request_id", "next_action"})
    EXPECT_TRUE(problem.contains(member)) << member;
}

INSTANTIATE_TEST_SUITE_P(
    Table, Asked,
    testing::Values(
        AskRow{"Lives", "GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n", 200, {"ok\n", "x-request-id: req_"}},
        AskRow{"OldClients", "GET /livez HTTP/1.0\r\n\r\n", 200, {"ok\n"}},
        AskRow{"HeadHasNoBody", "HEAD /livez HTTP/1.1\r\nConnection: close\r\n\r\n", 200, {"Content-Length: 3\r\n"}},
        AskRow{"TheCallersRequestId",
               "GET /livez HTTP/1.1\r\nConnection: close\r\nX-Request-Id: mine-1\r\n\r\n",
               200,
               {"x-request-id: mine-1"}},
        AskRow{"AnIdThatIsNone",
               "GET /livez HTTP/1.1\r\nConnection: close\r\nX-Request-Id: a b\"<\r\n\r\n",
               200,
               {"x-request-id: req_"}},
        AskRow{"NoSuchPage",
               "GET /nothing?x=1 HTTP/1.1\r\nConnection: close\r\n\r\n",
               404,
               {"\"instance\":\"/nothing\"", "http.not_found"}},
        AskRow{"AnotherMethod", "PUT /echo HTTP/1.1\r\nConnection: close\r\n\r\n", 405, {"allow: POST"}},
        AskRow{"NoKey", "GET /metrics HTTP/1.1\r\nConnection: close\r\n\r\n", 401, {"www-authenticate: Bearer"}},
        AskRow{"AnotherKey",
               "GET /metrics HTTP/1.1\r\nAuthorization: Bearer the-kez\r\nConnection: close\r\n\r\n",
               401,
               {"http.key_missing"}},
        AskRow{"TheKey",
               "GET /metrics HTTP/1.1\r\nAuthorization: Bearer the-key\r\nConnection: close\r\n\r\n",
               200,
               {"text/plain; version=0.0.4", "up 1\n"}},
        AskRow{"Version",
               "GET /version HTTP/1.1\r\nAuthorization: Bearer the-key\r\nConnection: close\r\n\r\n",
               200,
               {"\"version\":\"1.2.3\""}},
        AskRow{"BodyAtTheLimit",
               "POST /echo?b=%41 HTTP/1.1\r\nConnection: close\r\nContent-Length: 100\r\n\r\na=x+y&" +
                   std::string(94, 'z'),
               200,
               {"|x y|A"}},
        AskRow{"BodyBeyondIt",
               "POST /echo HTTP/1.1\r\nContent-Length: 101\r\n\r\n" + std::string(101, 'z'),
               413,
               {"http.too_large"}},
        AskRow{"HeadersBeyondTheLimit",
               "GET /livez HTTP/1.1\r\nX-Long: " + std::string(3'000, 'x') + "\r\n\r\n",
               431,
               {"http.headers_too_large"}},
        AskRow{"NoHttp", "\x16\x03\x01 hello there\r\n\r\n", 400, {"http.bad_request"}},
        AskRow{"TwoLengths",
               "POST /echo HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
               400,
               {"http.bad_request"}},
        AskRow{"AnsweredTwice", "GET /twice HTTP/1.1\r\nConnection: close\r\n\r\n", 200, {"first\n"}},
        AskRow{"AnErrorHasAPage",
               "GET /errors/http.too_large HTTP/1.1\r\nConnection: close\r\n\r\n",
               200,
               {"http.too_large (413)", "What to do: send less."}}),
    [](const auto& test) { return test.param.name; });

TEST(WebServer, HeadSendsNoByteOfTheBody) {
  const Served served;
  const auto answer = http_exchange(served.port(), "HEAD /livez HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_EQ("", http_body(answer));
}

TEST(WebServer, OneConnectionCarriesManyRequests) {
  const Served served;
  RawHttp line(served.port());
  for (int i = 0; i < 3; ++i) {
    line.send("GET /livez HTTP/1.1\r\nHost: here\r\n\r\n");
    EXPECT_EQ(200, http_status(line.until("ok\n"))) << i;
  }
}

TEST(WebServer, ClientsThatNeverFinishAskingAreLetGo) {
  WebServerOptions options;
  options.limits.request = std::chrono::milliseconds{50};
  const Served served(options);
  RawHttp silent(served.port()), slow(served.port());
  slow.send("GET /livez HTTP/1.1\r\nHos");
  EXPECT_EQ("", silent.rest());
  EXPECT_EQ("", slow.rest());
  EXPECT_EQ(200, http_status(http_get(served.port(), "/livez")));
}

TEST(WebServer, ConnectionsBeyondTheLimitAreClosed) {
  WebServerOptions options;
  options.limits.connections = 2;
  const Served served(options);
  RawHttp first(served.port()), second(served.port());
  for (auto* line : {&first, &second}) {  // answered: they are taken
    line->send("GET /livez HTTP/1.1\r\nHost: here\r\n\r\n");
    EXPECT_EQ(200, http_status(line->until("ok\n")));
  }
  EXPECT_EQ("", http_get(served.port(), "/livez"));
}

TEST(WebServer, LateAnswersAndThoseToNobodyDoNoHarm) {
  auto served = std::make_unique<Served>();
  RawHttp stays(served->port());
  {
    RawHttp goes(served->port());
    goes.send("GET /later HTTP/1.1\r\nHost: here\r\n\r\n");
    served->asked.wait(0);
  }
  stays.send("GET /later HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
  served->asked.wait(1);
  served->post([&served] {
    for (auto& respond : served->kept) respond(text_reply(200, "late\n"));
  });
  EXPECT_EQ("late\n", http_body(stays.rest()));
  RawHttp left(served->port());
  left.send("GET /later HTTP/1.1\r\nHost: here\r\n\r\n");
  served->asked.wait(2);
  served.reset();  // with a request under way
  EXPECT_EQ("", left.rest());
}

TEST(WebServer, SpeaksTls) {
  const auto made = make_certificate("127.0.0.1");
  WebServerOptions options;
  options.tls_cert = made.certificate;
  options.tls_key = made.key;
  const Served served(options);
  namespace asio = boost::asio;
  asio::io_context io;
  asio::ssl::context context(asio::ssl::context::tls_client);
  asio::ssl::stream<asio::ip::tcp::socket> stream(io, context);
  stream.next_layer().connect({asio::ip::make_address("127.0.0.1"), served.port()});
  stream.handshake(asio::ssl::stream_base::client);
  asio::write(stream, asio::buffer(std::string_view("GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n")));
  std::string got;
  boost::system::error_code error;
  asio::read(stream, asio::dynamic_buffer(got), error);
  EXPECT_EQ(200, http_status(got)) << got;
  EXPECT_EQ("", http_get(served.port(), "/livez")) << "without TLS there is no answer";
}

/// ux 2.6: one platform that is down is an import's matter.
TEST(WebServer, ReadinessIsOfTheServerNotOfPlatforms) {
  Served served;
  served.dependencies = {{"library", true, true, ""}, {"platform:grain", false, false, "3 imports wait"}};
  EXPECT_EQ(200, http_status(http_get(served.port(), "/readyz")));
  const auto verbose = http_body(http_get(served.port(), "/readyz?verbose"));
  EXPECT_EQ("[+]library ok\n[!]platform:grain degraded: 3 imports wait\nreadyz check passed\n", verbose);
  served.dependencies[0] = {"library", false, true, "disk full"};
  const auto answer = http_get(served.port(), "/readyz?verbose=1");
  EXPECT_EQ(503, http_status(answer));
  EXPECT_THAT(http_body(answer), HasSubstr("[-]library failed: disk full"));
  EXPECT_THAT(http_body(http_get(served.port(), "/readyz")), Not(HasSubstr("disk"))) << "only who asks is told";
}

TEST(WebServer, EveryProblemHasARowInTheErrorsPage) {
  std::ifstream in(std::string(CALLIMPORT_SOURCE_DIR) + "/docs/errors.md");
  const std::string page((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  for (const auto& kind : problem_kinds()) EXPECT_THAT(page, HasSubstr("### " + std::string(kind.code) + "\n"));
}

}  // namespace
}  // namespace callimport::api
