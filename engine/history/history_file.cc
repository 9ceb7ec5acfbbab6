#include "engine/history/history_file.h"

#include <google/protobuf/util/json_util.h>
#include <temporal/api/history/v1/message.pb.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "engine/history/gzip.h"
#include "engine/history/json_shape.h"
#include "storage/model/ensure.h"

namespace callimport::engine {
namespace {

using Json = nlohmann::json;
using temporal::api::history::v1::History;
using temporal::api::history::v1::HistoryEvent;
using Histories = std::vector<History>;

tl::unexpected<Error> not_a_history(const std::string& why) {
  return fail(Code::kInvalid, "not a workflow history: " + why);
}

Result<> read_event(Json& json, std::size_t index, History& into) {
  const std::string where = "event number " + std::to_string(index + 1);
  if (!json.is_object()) return not_a_history(where + " is no JSON object");
  make_plain(json, *HistoryEvent::descriptor());
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  auto* event = into.add_events();
  const auto status = google::protobuf::util::JsonStringToMessage(json.dump(), event, options);
  if (!status.ok()) return not_a_history(where + ": " + std::string(status.message()));
  if (event->event_id() < 1) return not_a_history(where + " has no eventId");
  return {};
}

/// Reverse reads come newest first. Events of one id stay as they came.
void put_in_order(History& history) {
  std::vector<std::pair<std::int64_t, int>> order;  // event id, where it stands
  for (int i = 0; i < history.events_size(); ++i) order.emplace_back(history.events(i).event_id(), i);
  std::sort(order.begin(), order.end());
  History ordered;
  for (const auto& [id, place] : order) ordered.add_events()->Swap(history.mutable_events(place));
  history.mutable_events()->Swap(ordered.mutable_events());
}

Result<> read_events(Json& events, Histories& into) {
  if (!events.is_array()) return not_a_history("\"events\" is no list");
  if (events.empty()) return not_a_history("it holds no events");
  auto& history = into.emplace_back();
  for (std::size_t i = 0; i < events.size(); ++i) {
    TRY_VOID(read_event(events[i], i, history));
    events[i] = nullptr;  // its memory is not needed any more
  }
  put_in_order(history);
  return {};
}

Result<> read_object(Json& object, Histories& into) {
  if (object.contains("events")) return read_events(object["events"], into);
  if (object.contains("history") && object["history"].is_object() && object["history"].contains("events")) {
    return read_events(object["history"]["events"], into);
  }
  return not_a_history("a JSON object with neither \"events\" nor \"history\"");
}

Result<> read_array(Json& array, Histories& into) {
  if (array.empty()) return not_a_history("an empty JSON list");
  if (!array[0].is_object()) return not_a_history("a JSON list of something else");
  if (array[0].contains("eventId") || array[0].contains("event_id")) return read_events(array, into);
  for (auto& element : array) {
    if (!element.is_object()) return not_a_history("a JSON list of something else");
    TRY_VOID(read_object(element, into));
  }
  return {};
}

Result<Histories> read_json(std::string_view text) {
  TRY_VOID(check_json_bounds(text));
  Json json;
  try {
    json = Json::parse(text);
  } catch (const Json::exception& error) {
    return not_a_history(error.what());
  }
  Histories histories;
  if (json.is_object()) {
    TRY_VOID(read_object(json, histories));
  } else {
    TRY_VOID(read_array(json, histories));
  }
  return histories;
}

bool parse_binary(std::string_view bytes, History& history) {
  if (!history.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return false;
  return history.events_size() > 0 && history.events(0).event_id() >= 1;
}

/// What can be read must be writable: a time out of range passes protobuf's binary parser, but has no JSON form.
Result<Histories> read_binary(std::string_view bytes) {
  History history;
  if (!parse_binary(bytes, history)) return not_a_history("neither JSON nor a binary History message");
  for (const auto& event : history.events()) {
    std::string unused;
    const auto status = google::protobuf::util::MessageToJsonString(event, &unused);
    if (!status.ok()) {
      return not_a_history("event " + std::to_string(event.event_id()) + ": " + std::string(status.message()));
    }
  }
  put_in_order(history);
  Histories histories;
  histories.push_back(std::move(history));
  return histories;
}

}  // namespace

Result<Histories> read_histories(std::string_view bytes) {
  if (bytes.size() > kHistoryFileBytesMax) {
    return not_a_history("more than " + std::to_string(kHistoryFileBytesMax) + " bytes");
  }
  std::string unpacked;
  if (is_gzip(bytes)) {
    TRY(unpacked, gunzip(bytes, kHistoryFileBytesMax));
    bytes = unpacked;
  }
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (bytes.starts_with(kByteOrderMark)) bytes.remove_prefix(kByteOrderMark.size());
  const auto first = bytes.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return not_a_history("an empty file");
  const bool json = bytes[first] == '{' || bytes[first] == '[';
  // A binary History begins with its tag, 0x0a, which is a line feed too; the length after it may look like a bracket.
  History probe;
  if (!json || (bytes[0] == '\n' && parse_binary(bytes, probe))) return read_binary(bytes);
  return read_json(bytes);
}

std::string write_json(const History& history) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  std::string text;
  // Only a text that is not UTF-8 or a time out of range has no JSON form; readers and the engine let neither in.
  ENSURE(google::protobuf::util::MessageToJsonString(history, &text, options).ok());
  return text;
}

std::string write_binary(const History& history) { return history.SerializeAsString(); }

}  // namespace callimport::engine
