// libcurl on the loop against real sockets on loopback: a sandbox server for well-behaved answers, a raw one for the
// rest.
#include "activities/http/curl_http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <functional>
#include <span>
#include <string>
#include <thread>

#include "activities/transcribe/transcriber.h"
#include "simulations/sandboxes/server.h"
#include "simulations/sandboxes/transcriber.h"
#include "simulations/world/seeded_random.h"
#include "simulations/world/sim_disk.h"
#include "storage/runtime/loop.h"
#include "storage/runtime/threads.h"
#include "tests/activities/waiting.h"

namespace callimport::activities {
namespace {
using simulations::SandboxReply;
using simulations::SandboxRequest;
using simulations::SandboxServer;
namespace asio = boost::asio;
using asio::ip::tcp;

/// Answers as the test says.
class Script final : public simulations::Sandbox {
 public:
  explicit Script(std::function<SandboxReply(const SandboxRequest&)> answer) : answer_(std::move(answer)) {}
  SandboxReply handle(const SandboxRequest& request, Timestamp) override { return answer_(request); }

 private:
  std::function<SandboxReply(const SandboxRequest&)> answer_;
};

/// Takes one connection, says `text`, and holds the line until it goes; with `closes` it hangs up instead.
class RawServer {
 public:
  RawServer(std::string text, bool closes) : acceptor_(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
    acceptor_.async_accept([this, text = std::move(text), closes](boost::system::error_code error, tcp::socket socket) {
      if (error) return;
      socket_.emplace(std::move(socket));
      text_ = text;
      asio::async_write(*socket_, asio::buffer(text_), [this, closes](boost::system::error_code, std::size_t) {
        if (closes) socket_.reset();
      });
    });
    thread_ = std::thread([this] {
      auto work = asio::make_work_guard(io_);
      io_.run();
    });
  }
  ~RawServer() {
    io_.stop();
    thread_.join();
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) + "/"; }

 private:
  asio::io_context io_;
  tcp::acceptor acceptor_;
  std::optional<tcp::socket> socket_;
  std::string text_;
  std::thread thread_;
};

class CurlHttpTest : public testing::Test {
 protected:
  void serve(std::function<SandboxReply(const SandboxRequest&)> answer) {
    script_ = std::make_unique<Script>(std::move(answer));
    auto server = SandboxServer::listen(*script_, {});
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
    server_->start();
  }
  HttpRequest request(const std::string& path = "/") const {
    HttpRequest made;
    made.url = "http://127.0.0.1:" + std::to_string(server_->port()) + path;
    made.timeout = 10s;
    return made;
  }
  Result<HttpReply> send(HttpRequest asked) { return run_on(loop_, http_.send(std::move(asked))); }
  static HttpRequest request_to(std::string url) {
    HttpRequest made;
    made.url = std::move(url);
    made.timeout = 10s;
    return made;
  }

  std::unique_ptr<Script> script_;
  std::unique_ptr<SandboxServer> server_;
  AsioLoop loop_;
  CurlHttp http_{loop_.io(), loop_, CurlOptions{"1.2", 64, 128}};
};

TEST_F(CurlHttpTest, SendsABodyPieceByPiece) {
  std::string seen;
  serve([&](const SandboxRequest& asked) {
    seen = asked.body;
    return SandboxReply{};
  });
  constexpr std::uint64_t kBytes = 700'001;
  std::size_t largest = 0;
  HttpRequest asked = request("/upload");
  asked.method = "POST";
  asked.body_source = BodySource{kBytes, [&](std::uint64_t offset, std::span<std::byte> into) -> Result<std::size_t> {
                                   largest = std::max(largest, into.size());
                                   for (std::size_t i = 0; i < into.size(); ++i)
                                     into[i] = static_cast<std::byte>('a' + (offset + i) % 23);
                                   return into.size();
                                 }};
  const auto reply = send(asked);
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(200, reply->status);
  ASSERT_EQ(kBytes, seen.size());
  for (std::size_t i = 0; i < seen.size(); ++i) ASSERT_EQ(seen[i], static_cast<char>('a' + i % 23)) << i;
  EXPECT_LE(largest, 1u << 20) << "held in pieces";
}

TEST_F(CurlHttpTest, ABodyThatCannotBeReadStopsTheRequest) {
  serve([](const SandboxRequest&) { return SandboxReply{}; });
  HttpRequest asked = request("/upload");
  asked.method = "POST";
  asked.body_source = BodySource{10, [](std::uint64_t, std::span<std::byte>) -> Result<std::size_t> {
                                   return fail(Code::kUnavailable, "the disk is gone");
                                 }};
  const auto reply = send(asked);
  ASSERT_FALSE(reply);
  EXPECT_EQ("the disk is gone", reply.error().message);
}

/// The transcriber's request over a real socket, with a file of the disk.
TEST_F(CurlHttpTest, ARecordingGoesToATranscriber) {
  simulations::TranscriberSandbox transcriber({});
  auto server = SandboxServer::listen(transcriber, {});
  ASSERT_TRUE(server) << server.error().message;
  (*server)->start();
  simulations::SimDisk disk;
  simulations::SeededRandom random(1);
  ASSERT_TRUE(disk.make_dirs("data").has_value());
  std::string content(300'000, '\0');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 31 % 251);
  {
    auto file = disk.open("data/call.mp4", OpenMode::kCreate).value();
    ASSERT_TRUE(file->write(0, std::as_bytes(std::span(content))).has_value());
  }
  TranscriberOptions options;
  options.url = "http://127.0.0.1:" + std::to_string((*server)->port()) + std::string(simulations::kTranscriptionsPath);
  options.model = "whisper-1";
  ThreadPool pool(1);
  Transcriber asked(options, http_, disk, loop_, pool, loop_, random);
  storage::MediaFacts media;
  media.bytes = static_cast<std::int64_t>(content.size());
  media.container = "mov,mp4";
  const auto made = run_on(loop_, asked.transcribe("data/call.mp4", media, [] { return false; }));
  ASSERT_TRUE(made) << made.error().message;
  ASSERT_EQ(2u, made->size());
  EXPECT_EQ(simulations::heard_in(content), made->back().text);
}

TEST_F(CurlHttpTest, SendsAndReceivesWhole) {
  SandboxRequest seen;
  serve([&](const SandboxRequest& asked) {
    seen = asked;
    SandboxReply reply;
    reply.status = 404;
    reply.headers = {{"X-RateLimit-Limit", "300"}};
    reply.body = std::string(200'000, 'b');
    return reply;
  });
  HttpRequest asked = request("/a/b?c=d");
  asked.method = "POST";
  asked.headers = {{"Authorization", "Bearer t"}, {"Content-Type", "application/json"}};
  asked.body = std::string(100'000, 'r');
  const auto reply = send(asked);
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(404, reply->status);
  EXPECT_EQ("300", reply->header("x-ratelimit-limit"));
  EXPECT_EQ(std::string(200'000, 'b'), reply->body);
  EXPECT_EQ("POST", seen.method);
  EXPECT_EQ("/a/b?c=d", seen.target);
  EXPECT_EQ(asked.body, seen.body);
  EXPECT_EQ("Bearer t", simulations::find_header(seen.headers, "authorization"));
  EXPECT_EQ("callimport/1.2", simulations::find_header(seen.headers, "user-agent"));
}

TEST_F(CurlHttpTest, FollowsNoRedirect) {
  int asked = 0;
  serve([&](const SandboxRequest&) {
    ++asked;
    SandboxReply reply;
    reply.status = 302;
    reply.headers = {{"location", "/elsewhere"}};
    return reply;
  });
  const auto reply = send(request());
  EXPECT_EQ(302, reply->status);
  EXPECT_EQ("/elsewhere", reply->header("location"));
  EXPECT_EQ(1, asked);
}

TEST_F(CurlHttpTest, StreamsResumesAfterACutLineAndLeavesErrorsWhole) {
  std::string content;
  while (content.size() < 3'000'000) content += std::to_string(content.size()) + ",";
  serve([&](const SandboxRequest& asked) {
    SandboxReply reply;
    const std::string range(simulations::find_header(asked.headers, "range"));
    if (asked.target == "/gone") {
      reply.status = 403;
      reply.body = "<Error/>";
    } else if (range.empty()) {
      reply.body = content;
      reply.cut_after = 1'234'567;
    } else {
      reply.status = 206;
      reply.body = content.substr(std::stoul(range.substr(6)));
    }
    return reply;
  });
  std::string got;
  HttpRequest asked = request();
  asked.on_body = [&](std::string_view piece) -> Result<> {
    got += piece;
    return {};
  };
  const auto cut = send(asked);
  ASSERT_FALSE(cut);
  EXPECT_EQ(Code::kUnavailable, cut.error().code);
  EXPECT_EQ(1'234'567u, got.size());
  asked.headers = {{"Range", "bytes=" + std::to_string(got.size()) + "-"}};
  const auto rest = send(asked);
  ASSERT_TRUE(rest) << rest.error().message;
  EXPECT_EQ(206, rest->status);
  EXPECT_TRUE(content == got);
  EXPECT_EQ("", rest->body);
  HttpRequest gone = request("/gone");
  gone.on_body = asked.on_body;
  EXPECT_EQ("<Error/>", send(gone)->body);
  EXPECT_TRUE(content == got);
}

TEST_F(CurlHttpTest, StopsAtAnErrorOfItsReader) {
  serve([](const SandboxRequest&) {
    SandboxReply reply;
    reply.body = std::string(1'000'000, 'x');
    return reply;
  });
  HttpRequest asked = request();
  asked.on_body = [](std::string_view) -> Result<> { return fail(Code::kUnavailable, "disk is full"); };
  EXPECT_EQ("disk is full", send(asked).error().message);
}

TEST_F(CurlHttpTest, TakesABodyAtItsLimitAndRefusesOneByteMore) {
  serve([](const SandboxRequest& asked) {
    SandboxReply reply;
    reply.body = std::string(asked.target == "/more" ? 1001 : 1000, 'x');
    return reply;
  });
  HttpRequest asked = request("/fits");
  asked.body_bytes_max = 1000;
  EXPECT_TRUE(send(asked));
  asked = request("/more");
  asked.body_bytes_max = 1000;
  EXPECT_EQ(Code::kInvalid, send(asked).error().code);
}

TEST_F(CurlHttpTest, CutsABodyThatNobodyWantsToReadToItsEnd) {
  // Ten gigabytes are promised; what is there of them already is more than anybody waits for.
  const RawServer server("HTTP/1.1 202 Accepted\r\nContent-Length: 10000000000\r\n\r\n" + std::string(1'000'000, 'x'), false);
  HttpRequest asked = request_to(server.url());
  asked.body_bytes_max = 1'000;
  asked.beyond_max = HttpRequest::Beyond::kIsCut;
  const auto reply = send(asked);
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(202, reply->status);
  EXPECT_EQ(std::string(1'000, 'x'), reply->body);
}

/// Each is this machine, written or resolved in another way: also a name that was somebody else's when it was looked up
/// first, since it is the connection that is guarded (ux 2.8).
struct InsideRow {
  const char* name;
  const char* host;
};
void PrintTo(const InsideRow& row, std::ostream* out) { *out << row.name; }
class CurlGuarded : public CurlHttpTest, public testing::WithParamInterface<InsideRow> {};
TEST_P(CurlGuarded, OpensNoConnectionToThisMachineUnlessItMay) {
  int asked = 0;
  serve([&](const SandboxRequest&) {
    ++asked;
    return SandboxReply{};
  });
  const auto to = request_to("http://" + std::string(GetParam().host) + ":" + std::to_string(server_->port()) + "/");
  CurlOptions options;
  options.guard = AddressGuard{};
  {
    CurlHttp guarded(loop_.io(), loop_, options);
    const auto refused = run_on(loop_, guarded.send(to));
    ASSERT_FALSE(refused);
    EXPECT_EQ(Code::kUnavailable, refused.error().code);
    EXPECT_EQ("not asked: the address is internal (loopback)", refused.error().message);
    EXPECT_EQ(0, asked);
  }
  options.guard->allowed = {parse_network("127.0.0.0/8").value()};
  CurlHttp allowed(loop_.io(), loop_, options);
  const auto reply = run_on(loop_, allowed.send(to));
  EXPECT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(1, asked);
}
INSTANTIATE_TEST_SUITE_P(Table, CurlGuarded,
                         testing::Values(InsideRow{"Plain", "127.0.0.1"}, InsideRow{"Name", "localhost"},
                                         InsideRow{"OneNumber", "2130706433"}, InsideRow{"Hex", "0x7f.1"},
                                         InsideRow{"Mapped", "[::ffff:127.0.0.1]"}),
                         [](const auto& test) { return test.param.name; });

TEST_F(CurlHttpTest, TellsWhatIsNoRequest) {
  for (const char* url :
       {"ftp://127.0.0.1/", "file:///etc/passwd", "http://", "not a url", "http://127.0.0.1:1/a\nb"}) {
    EXPECT_EQ(Code::kInvalid, send(request_to(url)).error().code) << url;
  }
  HttpRequest broken = request_to("http://127.0.0.1:1/");
  broken.headers = {{"Authorization", "Bearer grain_pat_x\r\nX-Other: y"}};
  const auto refused = send(broken);
  EXPECT_EQ(Code::kInvalid, refused.error().code);
  EXPECT_THAT(refused.error().message, testing::Not(testing::HasSubstr("grain_pat")));
  broken.headers = {};
  broken.method = "GET / HTTP/1.1\r\n";
  EXPECT_EQ(Code::kInvalid, send(broken).error().code);
}

TEST_F(CurlHttpTest, NobodyListens) {
  std::uint16_t port = 0;
  {
    asio::io_context io;
    tcp::acceptor acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    port = acceptor.local_endpoint().port();
  }
  const auto refused = send(request_to("http://127.0.0.1:" + std::to_string(port) + "/secret-path"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(Code::kUnavailable, refused.error().code);
  EXPECT_THAT(refused.error().message, testing::Not(testing::HasSubstr("secret-path")));
}

TEST_F(CurlHttpTest, ARefusedAnswerIsUnavailableAndTheNextConnectionWorks) {
  bool refuse = true;
  serve([&](const SandboxRequest&) {
    SandboxReply reply;
    reply.refused = refuse;
    return reply;
  });
  EXPECT_EQ(Code::kUnavailable, send(request()).error().code);
  refuse = false;
  EXPECT_TRUE(send(request()));
}

struct RawAnswer {
  const char* name;
  std::string text;
  bool closes;
  bool streams;
  const char* says;
};
void PrintTo(const RawAnswer& row, std::ostream* out) { *out << row.name; }
class CurlRaw : public testing::TestWithParam<RawAnswer> {};
TEST_P(CurlRaw, IsUnavailableInTime) {
  AsioLoop loop;
  CurlHttp http(loop.io(), loop);
  const RawServer server(GetParam().text, GetParam().closes);
  HttpRequest asked;
  asked.url = server.url();
  asked.timeout = std::chrono::milliseconds{80};
  std::string got;
  if (GetParam().streams)
    asked.on_body = [&](std::string_view piece) -> Result<> {
      got += piece;
      return {};
    };
  const auto begin = std::chrono::steady_clock::now();
  const auto reply = run_on(loop, http.send(asked));
  ASSERT_FALSE(reply);
  EXPECT_EQ(Code::kUnavailable, reply.error().code);
  EXPECT_THAT(reply.error().message, testing::HasSubstr(GetParam().says));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{5});
}
INSTANTIATE_TEST_SUITE_P(
    Table, CurlRaw,
    testing::Values(
        RawAnswer{"Silence", "", false, false, "no answer"},
        RawAnswer{"SilenceWhileStreaming", "", false, true, "nothing came"},
        RawAnswer{"StallInTheBody", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", false, true, "nothing came"},
        RawAnswer{"SlowWhole", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", false, false, "cut off"},
        RawAnswer{"HangsUp", "", true, false, "no answer"},
        RawAnswer{"HalfABody", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", true, false, "cut off"},
        RawAnswer{"NotHttp", "SSH-2.0-OpenSSH\r\n\r\n", true, false, "no answer"}),
    [](const auto& test) { return test.param.name; });

TEST_F(CurlHttpTest, RefusesEndlessHeaders) {
  std::string text = "HTTP/1.1 200 OK\r\n";
  while (text.size() < 2 * kHeaderBytesMax) text += "X-Filler: " + std::string(1000, 'x') + "\r\n";
  const RawServer server(text, false);
  const auto reply = send(request_to(server.url()));
  ASSERT_FALSE(reply);
}

TEST_F(CurlHttpTest, CarriesHundredsAtOnce) {
  serve([](const SandboxRequest& asked) {
    SandboxReply reply;
    reply.body = asked.target;
    reply.delay = std::chrono::milliseconds{std::stoi(asked.target.substr(1)) % 7};
    return reply;
  });
  constexpr int kRequests = 500;
  int good = 0, done = 0;
  for (int i = 0; i < kRequests; ++i) {
    const std::string path = "/" + std::to_string(i);
    engine::spawn(loop_, http_.send(request(path)), [&, path](Result<HttpReply> reply) {
      if (reply && reply->body == path) ++good;
      if (++done == kRequests) loop_.stop();
    });
  }
  loop_.run();
  EXPECT_EQ(kRequests, good);
}

TEST(CurlHttpEnd, CancelsWhatIsUnderWay) {
  const RawServer server("", false);
  AsioLoop loop;
  auto http = std::make_unique<CurlHttp>(loop.io(), loop);
  int cancelled = 0;
  for (int i = 0; i < 3; ++i) {
    HttpRequest asked;
    asked.url = server.url();
    engine::spawn(loop, http->send(std::move(asked)), [&](Result<HttpReply> reply) {
      ASSERT_FALSE(reply);
      EXPECT_EQ(Code::kCancelled, reply.error().code);
      if (++cancelled == 3) loop.stop();
    });
  }
  loop.at(loop.now() + 10ms, [&] { http.reset(); });
  loop.run();
  EXPECT_EQ(3, cancelled);
}

TEST(CurlHttpEnd, MayGoInsideAnAnswerOfItsOwn) {
  Script script([](const SandboxRequest&) { return SandboxReply{}; });
  auto server = SandboxServer::listen(script, {});
  ASSERT_TRUE(server);
  (*server)->start();
  AsioLoop loop;
  auto http = std::make_unique<CurlHttp>(loop.io(), loop);
  int answered = 0;
  for (int i = 0; i < 5; ++i) {
    HttpRequest asked;
    asked.url = "http://127.0.0.1:" + std::to_string((*server)->port()) + "/";
    engine::spawn(loop, http->send(std::move(asked)), [&](Result<HttpReply>) {
      http.reset();
      if (++answered == 5) loop.stop();
    });
  }
  loop.run();
  EXPECT_EQ(5, answered);
}

TEST(SandboxServerTest, NamesAnAddressThatIsTaken) {
  Script script([](const SandboxRequest&) { return SandboxReply{}; });
  auto first = SandboxServer::listen(script, {});
  ASSERT_TRUE(first);
  simulations::ServerOptions same;
  same.port = (*first)->port();
  const auto second = SandboxServer::listen(script, same);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, testing::HasSubstr(std::to_string(same.port)));
  simulations::ServerOptions nowhere;
  nowhere.log_path = "/no/such/folder/requests.jsonl";
  EXPECT_THAT(SandboxServer::listen(script, nowhere).error().message, testing::HasSubstr("requests.jsonl"));
}

}  // namespace
}  // namespace callimport::activities
