// The real binary among strangers: ten thousand connections, readers that never read, connections that say half a thing
// and stop, a thousand polls taken back. Client and server are processes of their own. An import is under way in the
// first round and ends whole; the server's memory is the same in each later round.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <temporal/api/workflowservice/v1/request_response.pb.h>
#include <unistd.h>

#include <cstdlib>
#include <set>
#include <utility>
#include <vector>

#include "tests/spine/bare_http2.h"
#include "tests/spine/house.h"

namespace callimport::tests {
namespace {

namespace service = ::temporal::api::workflowservice::v1;
inline constexpr std::size_t kMiB = 1u << 20;
inline constexpr std::uint32_t kUsualWindow = 65'535;
const std::string kWorkflowService = "/temporal.api.workflowservice.v1.WorkflowService/";

class Strangers : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(house_.serve());
    v1::GetServerInfoResponse info;
    ASSERT_TRUE(house_.ask("GetServerInfo", v1::GetServerInfoRequest{}, info).ok());
    const std::string& address = info.grpc_address();
    port_ = std::stoi(address.substr(address.rfind(':') + 1));
    client_ = api::Client::create(api::Connection{.address = address});
    ASSERT_EQ(house_.start().code, 0);
  }
  template <class Request, class Response>
  engine::PortStatus ask(const std::string& method, const Request& request, Response& response) {
    return client_->call(kWorkflowService + method, request, response, std::chrono::seconds{60});
  }
  bool serves() {
    service::GetSystemInfoResponse response;
    return ask("GetSystemInfo", service::GetSystemInfoRequest(), response).ok();
  }
  BareHttp2 stranger(std::uint32_t window) {
    BareHttp2 connection(port_);
    connection.send(greeting(window));
    return connection;
  }
  /// Resident memory of the server now.
  std::size_t server_bytes() {
    unsigned long all = 0, resident = 0;
    const auto text = read_file(fmt::format("/proc/{}/statm", house_.server().pid()));
    EXPECT_EQ(std::sscanf(text.c_str(), "%lu %lu", &all, &resident), 2) << text;
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  }
  /// In the midst of a round. The first is the import's: it ends as if nobody else were there.
  void look() {
    if (std::exchange(first_round_, false)) {
      EXPECT_TRUE(house_.follow());
      house_.expect_whole();
    } else {
      rounds_.push_back(server_bytes());
    }
  }
  void expect_no_growth(std::size_t bytes_max) {
    std::string figures;
    for (const auto bytes : rounds_) figures += fmt::format("{} ", bytes / kMiB);
    RecordProperty("server_mib_by_round", figures);
    ASSERT_GE(rounds_.size(), 2u);
    EXPECT_LE(rounds_.back(), rounds_.front() + bytes_max) << "MiB by round: " << figures;
  }

  bool first_round_ = true;
  std::vector<std::size_t> rounds_;
  House house_{150, 77};
  int port_ = 0;
  std::unique_ptr<api::Client> client_;
};

/// Reads until the stream ended, or was reset. False: the connection did first.
bool read_end_of(BareHttp2& connection, std::uint32_t stream) {
  constexpr unsigned char kEndStream = 1;
  for (Frame frame; connection.receive(frame);) {
    if (frame.stream != stream) continue;
    if (frame.type == Frame::kReset) return false;
    if (frame.type == Frame::kHeaders && (frame.flags & kEndStream) != 0) return true;
  }
  return false;
}

inline constexpr std::size_t kConnections = 10'000, kConnectionsAtOnce = 250;

TEST_F(Strangers, TenThousandConnectionsAreServedAtOnce) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  if (limit.rlim_max < kConnections + 500) {
    const auto lack = fmt::format("skipped: needs {} descriptors a process (ulimit -Hn)", kConnections + 500);
    if (std::getenv("CI") != nullptr) GTEST_FAIL() << lack;
    GTEST_SKIP() << lack;
  }
  limit.rlim_cur = limit.rlim_max;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  const std::size_t before = server_bytes();
  for (int round = 0; round < 3; ++round) {
    std::vector<BareHttp2> connections;
    std::size_t answered = 0;
    while (connections.size() < kConnections) {  // all stay open; a handshake must not wait for thousands of others
      const std::size_t first = connections.size();
      std::vector<std::uint32_t> calls;
      while (calls.size() < kConnectionsAtOnce) {
        connections.push_back(stranger(kUsualWindow));
        calls.push_back(connections.back().call(kWorkflowService + "GetSystemInfo", ""));
      }
      for (std::size_t i = 0; i < calls.size(); ++i) answered += read_end_of(connections[first + i], calls[i]) ? 1 : 0;
    }
    EXPECT_EQ(answered, kConnections);
    EXPECT_TRUE(serves());
    look();
    for (auto& connection : connections) EXPECT_TRUE(connection.hang_up());
  }
  RecordProperty("bytes_a_connection", fmt::format("{}", (rounds_.back() - before) / kConnections));
  EXPECT_LT((rounds_.back() - before) / kConnections, 64u << 10);
  expect_no_growth(48 * kMiB);
}

/// A workflow whose history is one reply of `mib` MiB and more.
void start_big_workflow(api::Client& client, const std::string& id, int mib) {
  service::StartWorkflowExecutionRequest start;
  start.set_namespace_("default");
  start.set_workflow_id(id);
  start.mutable_workflow_type()->set_name("T");
  start.mutable_task_queue()->set_name("nobody");
  start.set_request_id("start");
  service::StartWorkflowExecutionResponse started;
  ASSERT_TRUE(client.call(kWorkflowService + "StartWorkflowExecution", start, started, std::chrono::seconds{30}).ok());
  for (int i = 0; i < mib; ++i) {
    service::SignalWorkflowExecutionRequest signal;
    signal.set_namespace_("default");
    signal.mutable_workflow_execution()->set_workflow_id(id);
    signal.set_signal_name("big");
    signal.mutable_input()->add_payloads()->set_data(std::string(kMiB, 'x'));
    service::SignalWorkflowExecutionResponse signalled;
    ASSERT_TRUE(
        client.call(kWorkflowService + "SignalWorkflowExecution", signal, signalled, std::chrono::seconds{30}).ok());
  }
}

TEST_F(Strangers, ReadersThatNeverReadCostMemoryUpToABound) {
  constexpr int kHistoryMib = 5, kCalls = 60, kRounds = 6;  // 300 MiB a round, 1.8 GiB in all
  constexpr std::size_t kGrowthMax = 600 * kMiB;            // 160 MiB may wait; the heap around them is as much again
  start_big_workflow(*client_, "big", kHistoryMib);
  service::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_("default");
  request.mutable_execution()->set_workflow_id("big");
  const std::size_t before = server_bytes();
  for (int round = 0; round < kRounds; ++round) {
    BareHttp2 greedy = stranger(0);
    std::set<std::uint32_t> unanswered;
    for (int i = 0; i < kCalls; ++i)
      unanswered.insert(greedy.call(kWorkflowService + "GetWorkflowExecutionHistory", request.SerializeAsString()));
    int refused = 0;
    for (Frame frame; !unanswered.empty() && greedy.receive(frame);) {
      if (frame.type != Frame::kHeaders || unanswered.erase(frame.stream) == 0) continue;
      refused += (frame.flags & 1) != 0 ? 1 : 0;  // nothing but trailers: no reply waits
    }
    EXPECT_TRUE(unanswered.empty()) << unanswered.size() << " calls without a word";
    EXPECT_GT(refused, 0);
    EXPECT_LT(refused, kCalls) << "what readers of former rounds left unread still counts";
    look();
    const std::size_t now = server_bytes();
    EXPECT_LT(now, before + kGrowthMax) << now / kMiB << " MiB";
    service::GetWorkflowExecutionHistoryResponse reply;
    EXPECT_TRUE(ask("GetWorkflowExecutionHistory", request, reply).ok()) << "who reads is served meanwhile";
    EXPECT_EQ(reply.history().events_size(), 2 + kHistoryMib);
  }
}

struct Half {
  const char* name;
  std::string bytes;
  bool ended;  ///< by the server, soon: no greeting came, or nonsense
};
std::vector<Half> halves() {
  const std::string greeted = greeting(kUsualWindow);
  const Frame headers = call_headers(1, kWorkflowService + "GetSystemInfo");
  const std::string message = to_bytes(call_message(1, std::string(1000, 'x')));
  const std::string call = greeted + to_bytes(headers);
  return {{"nothing", "", true},
          {"half a preface", "PRI * HT", true},
          {"a preface without settings", greeted.substr(0, 24), true},
          {"HTTP/1.1", "POST / HTTP/1.1\r\nHost: localhost\r\n\r\n", true},
          {"TLS", std::string("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", 11), true},
          {"a ping of three bytes", greeted + to_bytes({Frame::kPing, 0, 0, "abc"}), true},
          {"settings that are none", greeted + to_bytes({Frame::kSettings, kAck, 0, "abcdef"}), true},
          {"a frame of 16 MiB", greeted + std::string("\xff\xff\xff\0\0\0\0\0\1", 9), true},
          {"broken headers", greeted + to_bytes({Frame::kHeaders, 4, 1, std::string(30, '\xff')}), true},
          {"a greeting", greeted, false},
          {"data of no stream", greeted + to_bytes({Frame::kData, 0, 0, "x"}), false},
          {"half a frame's head", greeted + to_bytes(headers).substr(0, 5), false},
          {"half a headers frame", greeted + to_bytes(headers).substr(0, 30), false},
          {"a call without a message", call, false},
          {"half a message", call + message.substr(0, 500), false}};
}

TEST_F(Strangers, WhoSaysHalfAThingAndStopsHoldsNobodyUp) {
  constexpr int kEach = 40, kRounds = 3;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<std::pair<Half, BareHttp2>> connections;
    for (const Half& half : halves()) {
      for (int i = 0; i < kEach; ++i) {
        connections.emplace_back(half, BareHttp2(port_));
        connections.back().second.send(half.bytes);
      }
      EXPECT_TRUE(serves()) << half.name;
    }
    for (auto& [half, connection] : connections) {
      if (!half.ended) continue;
      Frame frame;
      while (connection.receive(frame)) {
      }
      EXPECT_TRUE(connection.ended()) << half.name;
    }
    look();
    EXPECT_TRUE(serves());
  }
  expect_no_growth(48 * kMiB);
}

TEST_F(Strangers, AThousandPollsTakenBackTakeNoTask) {
  constexpr int kPolls = 1'000, kRounds = 6;
  service::PollWorkflowTaskQueueRequest poll;
  poll.set_namespace_("default");
  poll.mutable_task_queue()->set_name("nobody");
  for (int round = 0; round < kRounds; ++round) {
    BareHttp2 connection = stranger(kUsualWindow);
    std::vector<std::uint32_t> streams;
    for (int i = 0; i < kPolls; ++i)
      streams.push_back(connection.call(kWorkflowService + "PollWorkflowTaskQueue", poll.SerializeAsString()));
    EXPECT_TRUE(connection.settle());
    constexpr std::string_view kCancel("\0\0\0\x08", 4);
    for (const auto stream : streams) connection.send({Frame::kReset, 0, stream, std::string(kCancel)});
    EXPECT_TRUE(connection.settle());
    EXPECT_TRUE(serves());
    look();
  }
  start_big_workflow(*client_, "waits", 1);
  service::PollWorkflowTaskQueueResponse task;
  EXPECT_TRUE(ask("PollWorkflowTaskQueue", poll, task).ok());
  EXPECT_EQ(task.workflow_execution().workflow_id(), "waits") << "a task went to a poll that was taken back";
  expect_no_growth(48 * kMiB);
}

}  // namespace
}  // namespace callimport::tests
