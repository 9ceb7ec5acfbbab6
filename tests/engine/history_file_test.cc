// Exported histories: every real one reads, what is none gives a clear error, nothing crashes the readers.
#include "engine/history/history_file.h"

#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>
#include <temporal/api/history/v1/message.pb.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "engine/history/gzip.h"
#include "engine/history/json_shape.h"

namespace callimport::engine {
namespace {

namespace enums = ::temporal::api::enums::v1;
using temporal::api::history::v1::History;

std::filesystem::path real_histories() {
  return std::filesystem::path(CALLIMPORT_SOURCE_DIR) / "../shared/temporal/histories";
}

std::string slurp(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string gzip(const std::string& bytes) {
  z_stream stream{};
  EXPECT_EQ(Z_OK, deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY));
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(Z_STREAM_END, deflate(&stream, Z_FINISH));
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

constexpr std::string_view kEvents = R"([{"eventId":"1","eventType":"EVENT_TYPE_WORKFLOW_EXECUTION_STARTED"},
  {"eventId":"2","eventType":"WorkflowTaskScheduled"}])";

TEST(HistoryFile, EveryRealFileReadsAndRoundTrips) {
  if (!std::filesystem::is_directory(real_histories())) GTEST_SKIP() << "no folder " << real_histories();
  std::map<std::string, int> kinds;
  int files = 0, histories = 0, events = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(real_histories())) {
    const std::string name = entry.path().filename();
    const bool history = name.ends_with(".json") || name.ends_with(".gz") || name.ends_with(".bin");
    if (!entry.is_regular_file() || !history || name == "known.json" || name == "index.json") continue;
    SCOPED_TRACE(entry.path());
    const auto read = read_histories(slurp(entry.path()));
    ASSERT_TRUE(read.has_value()) << read.error().message;
    ++files;
    for (const auto& one : *read) {
      ++histories;
      events += one.events_size();
      for (int i = 0; i < one.events_size(); ++i) EXPECT_EQ(i + 1, one.events(i).event_id());
      EXPECT_EQ(enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, one.events(0).event_type());
      const auto from_binary = read_histories(write_binary(one));
      ASSERT_TRUE(from_binary.has_value()) << from_binary.error().message;
      const auto again = read_histories(write_json(from_binary->front()));
      ASSERT_TRUE(again.has_value()) << again.error().message;
      EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(one, again->front()));
    }
  }
  RecordProperty("files", files);
  EXPECT_EQ(279, files);
  EXPECT_EQ(279, histories);
  EXPECT_EQ(7072, events);
}

struct Shape {
  const char* name;
  std::string text;
};
void PrintTo(const Shape& shape, std::ostream* out) { *out << shape.name; }
class HistoryShape : public testing::TestWithParam<Shape> {};

TEST_P(HistoryShape, ReadsPlainAndGzipped) {
  for (const std::string& bytes : {GetParam().text, gzip(GetParam().text)}) {
    const auto read = read_histories(bytes);
    ASSERT_TRUE(read.has_value()) << read.error().message;
    ASSERT_EQ(1u, read->size());
    ASSERT_EQ(2, read->front().events_size());
    EXPECT_EQ(1, read->front().events(0).event_id());
    EXPECT_EQ(enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, read->front().events(0).event_type());
    EXPECT_EQ(enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, read->front().events(1).event_type());
  }
}

std::string binary_of_kEvents() { return write_binary(read_histories(kEvents)->front()); }

INSTANTIATE_TEST_SUITE_P(
    Shapes, HistoryShape,
    testing::Values(Shape{"EventList", std::string(kEvents)},
                    Shape{"History", R"({"events":)" + std::string(kEvents) + "}"},
                    Shape{"Response", R"({"history":{"events":)" + std::string(kEvents) + R"(},"nextPageToken":null})"},
                    Shape{"ListOfHistories", R"([{"events":)" + std::string(kEvents) + "}]"},
                    Shape{"ByteOrderMark", "\xef\xbb\xbf" + std::string(kEvents)},
                    Shape{"LineFeedFirst", "\n" + std::string(kEvents)},
                    Shape{"Descending", R"([{"eventId":"2","eventType":"WorkflowTaskScheduled"},
                              {"eventId":"1","eventType":"WorkflowExecutionStarted"}])"},
                    Shape{"Binary", binary_of_kEvents()},
                    Shape{"UnknownFields",
                          R"([{"eventId":"1","eventType":"WorkflowExecutionStarted","fromTheFuture":{"a":[1]}},
                                 {"eventId":"2","eventType":5}])"}),
    [](const auto& test) { return test.param.name; });

TEST(HistoryFile, EventsOfOneIdStayAsTheyCame) {
  History history;
  for (int i = 0; i < 100; ++i) {
    history.add_events()->set_event_id(i < 50 ? 2 : 1);
    history.mutable_events(i)->set_task_id(i);
  }
  const auto read = read_histories(write_binary(history));
  ASSERT_TRUE(read.has_value()) << read.error().message;
  for (int i = 0; i < 100; ++i) EXPECT_EQ(read->front().events(i).task_id(), i < 50 ? i + 50 : i - 50);
}

TEST(HistoryFile, KeepsUnknownEventTypesAsUnspecified) {
  const auto read = read_histories(R"([{"eventId":"1","eventType":"Unknown","workerMayIgnore":true}])");
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(enums::EVENT_TYPE_UNSPECIFIED, read->front().events(0).event_type());
  EXPECT_TRUE(read->front().events(0).worker_may_ignore());
}

TEST(HistoryFile, ReadsShortEnumsDeepInside) {
  const auto read = read_histories(R"([{"eventId":"1","eventType":"WorkflowTaskTimedOut",
      "workflowTaskTimedOutEventAttributes":{"timeoutType":"StartToClose"}}])");
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(enums::TIMEOUT_TYPE_START_TO_CLOSE,
            read->front().events(0).workflow_task_timed_out_event_attributes().timeout_type());
}

TEST(HistoryFile, ReadsPayloadsInTheClisShorthand) {
  const auto read = read_histories(R"([{"eventId":"1","eventType":"EVENT_TYPE_WORKFLOW_EXECUTION_STARTED",
      "workflowExecutionStartedEventAttributes":{"input":[{"a":1},"x"]}}])");
  ASSERT_TRUE(read.has_value()) << read.error().message;
  const auto& input = read->front().events(0).workflow_execution_started_event_attributes().input();
  ASSERT_EQ(2, input.payloads_size());
  EXPECT_EQ(R"({"a":1})", input.payloads(0).data());
  EXPECT_EQ("json/plain", input.payloads(1).metadata().at("encoding"));
  EXPECT_EQ(R"("x")", input.payloads(1).data());
}

TEST(HistoryFile, ReadsPayloadsDecodedByTheWebUi) {
  const auto read = read_histories(R"([{"eventId":"1","eventType":"EVENT_TYPE_WORKFLOW_EXECUTION_STARTED",
      "workflowExecutionStartedEventAttributes":{"input":{"payloads":[
          {"metadata":{"encoding":"anNvbi9wbGFpbg==","encodingDecoded":"json/plain"},"data":{"a":"b-c"}}]}}}])");
  ASSERT_TRUE(read.has_value()) << read.error().message;
  const auto& payload = read->front().events(0).workflow_execution_started_event_attributes().input().payloads(0);
  EXPECT_EQ(R"({"a":"b-c"})", payload.data());
  EXPECT_EQ(1u, payload.metadata().size());
}

TEST(HistoryFile, TellsABinaryHistoryFromTextWhateverItsFirstLengthByte) {
  for (int length = 2; length < 300; ++length) {  // 91 and 123 are the brackets
    History history;
    auto* event = history.add_events();
    event->set_event_id(1);
    event->set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED);
    while (event->ByteSizeLong() < static_cast<std::size_t>(length)) {
      event->mutable_workflow_execution_started_event_attributes()->mutable_identity()->push_back('x');
    }
    const auto read = read_histories(write_binary(history));
    ASSERT_TRUE(read.has_value()) << length << ": " << read.error().message;
    EXPECT_EQ(1, read->front().events_size());
  }
}

struct Hostile {
  const char* name;
  std::string bytes;
  const char* says;
};
void PrintTo(const Hostile& row, std::ostream* out) { *out << row.name; }
class HostileHistory : public testing::TestWithParam<Hostile> {};

TEST_P(HostileHistory, IsRefusedWithAReason) {
  const auto read = read_histories(GetParam().bytes);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(Code::kInvalid, read.error().code);
  EXPECT_NE(std::string::npos, read.error().message.find(GetParam().says)) << read.error().message;
}

std::string repeat(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}
History ancient() {
  History history;
  history.add_events()->set_event_id(1);
  history.mutable_events(0)->mutable_event_time()->set_seconds(-900'000'000'000);
  return history;
}

INSTANTIATE_TEST_SUITE_P(
    Table, HostileHistory,
    testing::Values(
        Hostile{"Empty", "", "an empty file"}, Hostile{"Blank", " \n\t ", "an empty file"},
        Hostile{"DeepLists", repeat("[", 10'000), "nested deeper"},
        Hostile{"DeepObjects", repeat("{\"a\":", 10'000), "nested deeper"},
        Hostile{"DeepFailure",
                R"([{"eventId":"1","workflowExecutionFailedEventAttributes":{"failure":)" + repeat(R"({"cause":)", 98) +
                    "{}" + repeat("}", 98) + "}}]",
                "nested deeper"},
        Hostile{"NotUtf8", "[{\"eventId\":\"1\",\"eventType\":\"\xff\"}]", "not UTF-8 at byte 29"},
        Hostile{"OverlongUtf8", "[\"\xc0\xaf\"]", "not UTF-8 at byte 2"},
        Hostile{"NotUtf8AfterABackslash", "[\"\\\xff\"]", "not UTF-8 at byte 3"},
        Hostile{"LoneSurrogate", R"([{"eventId":"1","eventType":"\ud800"}])", "surrogate"},
        Hostile{"HalfAnObject", R"({"events":[{"eventId":"1")", "not a workflow history"},
        Hostile{"OtherJson", R"({"calls":[]})", "neither \"events\" nor \"history\""},
        Hostile{"RawHistoryOnly", R"({"history":null,"rawHistory":[]})", "neither \"events\" nor \"history\""},
        Hostile{"Numbers", "[1,2]", "a JSON list of something else"},
        Hostile{"NoEvents", R"({"events":[]})", "no events"}, Hostile{"EventsNoList", R"({"events":{}})", "no list"},
        Hostile{"NoId", R"({"events":[{"eventType":"WorkflowExecutionStarted"}]})", "event number 1 has no eventId"},
        Hostile{"WrongType", R"([{"eventId":"1"},{"eventId":"two"}])", "event number 2"},
        Hostile{"TimeBeyondTime", write_binary(ancient()), "event 1"},
        Hostile{"Text", "hello", "neither JSON nor a binary"},
        Hostile{"Zeros", std::string(1000, '\0'), "neither JSON"},
        Hostile{"CutGzip", gzip(std::string(kEvents)).substr(0, 60), "cut off"},
        Hostile{"DamagedGzip",
                [] {
                  auto bytes = gzip(std::string(kEvents));
                  bytes[20] ^= 0x55;
                  return bytes;
                }(),
                "gzip"},
        Hostile{"GzipBomb", gzip(std::string(kHistoryFileBytesMax + 1, ' ')), "unpacks to more than"},
        Hostile{"TooLarge", std::string(kHistoryFileBytesMax + 1, ' '), "more than 67108864 bytes"},
        Hostile{"TooManyValues", "[" + repeat("0,", kJsonTokensMax) + "0]", "more than 10,000,000"}),
    [](const auto& test) { return test.param.name; });

TEST(HistoryFile, LongEnumNames) {
  EXPECT_EQ("EVENT_TYPE_START_TO_CLOSE", long_enum_name("EVENT_TYPE_", "StartToClose"));
  EXPECT_EQ("X_HTTP_SERVER", long_enum_name("X_", "HTTPServer"));
  EXPECT_EQ("X_", long_enum_name("X_", ""));
}

TEST(HistoryFile, EveryPrefixAndEveryFlippedByteOfAFileIsReadOrRefused) {
  const std::string json = R"({"events":)" + std::string(kEvents) + "}", binary = binary_of_kEvents();
  int refused = 0;
  for (const std::string& whole : {json, binary, gzip(json)}) {
    for (std::size_t i = 0; i < whole.size(); ++i) {
      std::string flipped = whole;
      flipped[i] = static_cast<char>(flipped[i] ^ 0x81);
      refused += read_histories(flipped).has_value() ? 0 : 1;
      refused += read_histories(whole.substr(0, i)).has_value() ? 0 : 1;
    }
  }
  EXPECT_GT(refused, 300);
}

}  // namespace
}  // namespace callimport::engine
