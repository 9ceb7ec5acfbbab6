#include "activities/notify/samples.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "activities/notify/events.h"
#include "activities/notify/templates.h"

namespace callimport::activities {
namespace {

using nlohmann::json;

constexpr std::int64_t kMinute = 60'000, kHour = 60 * kMinute, kDay = 24 * kHour;
constexpr std::int64_t kNow = 1'795'525'320'000;  ///< Tuesday, 24 Nov 2026, 14:02 in Madrid
constexpr std::int64_t kStarted = kNow - 3 * kHour;
constexpr const char* kAccessLink = "https://calls.example.test/access/9f2c7a";
constexpr const char* kDailyLimit = "Grain's daily limit is reached";
constexpr const char* kTooLarge = "recordings over 2 GB are refused by the library";

json gap(const char* words, int calls) { return {{"words", words}, {"calls", calls}}; }

json entry(const char* customer, const char* words, int done, int found) {
  return {{"customer", customer}, {"platform", "grain"}, {"words", words}, {"done", done}, {"found", found}};
}

json ending_gaps() { return {gap("deleted at the platform after it was counted", 11), gap("damaged recordings", 4)}; }

json many_gaps() {
  return {gap("private, so the access in use may not see them", 96), gap("no recording was made", 61),
          gap("deleted at the platform after it was counted", 29),   gap("damaged recordings", 14),
          gap("the download link ran out again and again", 8),       gap("larger than what is taken over", 4)};
}

json outage_list() {
  json list = json::array();
  for (const char* customer : {"Northwind", "Contoso", "Fabrikam"})
    list.push_back(entry(customer, "waits", 3'120, 4'212));
  return list;
}

json daily() {
  json running = entry("Contoso", "fetching recordings", 812, 1'400),
       waits = entry("Tailspin", "closed window", 20, 300);
  running["finish_ms"] = kNow + 3 * kHour;
  waits["until_ms"] = kNow + 8 * kHour;
  return {{"count", 4},
          {"needs", {entry("Northwind", "access ended", 3'120, 4'212)}},
          {"finished", {entry("Fabrikam", "done, grade Good", 980, 984)}},
          {"running", {running}},
          {"waiting", {waits}}};
}

struct Sample {
  std::string_view event;
  json facts;
};

/// The way of an import, and its waits.
std::vector<Sample> samples_of_ways() {
  return {
      {"import.started",
       {{"calls", 4'200},
        {"oldest", "1 Jan 2023"},
        {"least_s", 6 * 3'600},
        {"most_s", 8 * 3'600},
        {"first_lane", 100},
        {"first_by_ms", kNow + 78 * kMinute},
        {"owner", "Ana Ruiz"}}},
      {"import.access_checked", {{"owner", "Ana Ruiz"}}},
      {"import.counted",
       {{"hours", 1'930},
        {"size_bytes", 410'000'000'000},
        {"no_way", 37},
        {"least_s", 23'400},
        {"most_s", 27'600},
        {"finish_ms", kNow + 7 * kHour},
        {"gaps", {gap("no recording was made", 29), gap("private", 8)}}}},
      {"import.ordered", {{"first_lane", 100}, {"first_by_ms", kNow + 40 * kMinute}}},
      {"import.first_ready", {{"calls", 100}, {"finish_ms", kNow + 6 * kHour}}},
      {"import.half_way", {{"finish_ms", kNow + 3 * kHour + 8 * kMinute}}},
      {"import.completed",
       {{"grade", "Good"},
        {"took_s", 25'500},
        {"least_s", 23'400},
        {"most_s", 27'600},
        {"whole", 4'175},
        {"gaps", ending_gaps()}}},
      {"import.gaps_decision", {{"calls", 212}, {"whole", 4'212}, {"share", 5}, {"gaps", many_gaps()}}},
      {"import.failed", {{"what", "the account has no plan with an API"}, {"cause", "access.plan_without_api"}}},
      {"import.waiting_shortly", {{"limit", "300 requests a minute"}, {"until_ms", kNow + 4 * kMinute}}},
      {"import.waiting",
       {{"what", kDailyLimit},
        {"limit", "10,000 requests a day"},
        {"until_ms", kNow + 12 * kHour - 2 * kMinute},
        {"finish_ms", kNow + 14 * kHour + 8 * kMinute},
        {"days_in_a_row", 3}}},
      {"import.outage", {{"since_ms", kNow - 22 * kMinute}, {"until_ms", kNow + 8 * kMinute}}},
      {"import.goes_on", {{"waited_s", 43'080}, {"finish_ms", kNow + 2 * kHour}}},
      {"import.flapping", {{"times", 6}, {"since_ms", kNow - kHour}}},
      {"import.delayed",
       {{"finish_ms", kNow + 14 * kHour + 8 * kMinute},
        {"planned_ms", kNow + 3 * kHour + 8 * kMinute},
        {"because", "Grain answers slowly"},
        {"refused", 3}}},
      {"import.on_time_again", {{"finish_ms", kNow + 3 * kHour}}},
      {"platform.outage",
       {{"platform", "grain"}, {"since_ms", kNow - 22 * kMinute}, {"count", 3}, {"hit", outage_list()}}},
      {"platform.recovered", {{"platform", "grain"}, {"waited_s", 2'820}, {"count", 3}, {"hit", outage_list()}}},
  };
}

/// What wants a person, problems, and what people do.
std::vector<Sample> samples_of_people() {
  return {
      {"access.needed",
       {{"revoked", true},
        {"at_ms", kNow},
        {"what", "Grain no longer accepts the token"},
        {"cause", "access.revoked"},
        {"access_link", kAccessLink},
        {"link_until_ms", kNow + 7 * kDay},
        {"credential", "cred_7kq2"},
        {"who", "customer's admin"},
        {"owner", "Ana Ruiz"}}},
      {"access.restored", {{"waited_s", 9'300}}},
      {"access.ends_soon", {{"ends_ms", kNow + 3 * kDay}, {"finish_ms", kNow + 4 * kDay}, {"credential", "cred_7kq2"}}},
      {"import.needs_attention",
       {{"who", "support"},
        {"what", "Grain answers in a form that was not expected"},
        {"cause", "platform.changed_answer"}}},
      {"import.no_progress", {{"waited_s", 300}}},
      {"import.attention_ended", {{"waited_s", 1'500}, {"finish_ms", kNow + 3 * kHour}}},
      {"store.nearly_full", {{"used", 95}}},
      {"problem.new", {{"what", kTooLarge}, {"cause", "media.too_large"}, {"calls", 14}}},
      {"problem.solved", {{"what", kTooLarge}, {"calls", 14}, {"whole", 14}}},
      {"problem.back", {{"what", kTooLarge}, {"cause", "media.too_large"}, {"calls", 3}}},
      {"import.paused", {{"who", "Ana Ruiz"}, {"why", "customer demo"}, {"in_progress", 3}}},
      {"import.resumed", {{"who", "Ana Ruiz"}, {"why", "the demo is over"}, {"finish_ms", kNow + 4 * kHour}}},
      {"import.cancelled", {{"who", "Bo Lind"}, {"why", "wrong workspace"}}},
      {"import.undone", {{"who", "Bo Lind"}, {"why", "wrong workspace"}, {"removed", 3'940}, {"whole", 4'212}}},
      {"import.retried", {{"who", "Ana Ruiz"}, {"calls", 15}}},
      {"import.approved", {{"who", "Cy Osei"}, {"why", "the customer deleted them"}}},
      {"import.window_changed", {{"who", "Ana Ruiz"}, {"window", "weekdays 20:00-06:00"}}},
      {"simulation.finished", {{"grade", "Good"}}},
      {"escalation.reminder",
       {{"waited_s", 24 * 3'600}, {"what", "access to Grain ended"}, {"access_link", kAccessLink}}},
      {"messages.held", {{"times", 20}}},
      {"channel.down",
       {{"channel", "slack"}, {"since_ms", kNow - 10 * kMinute}, {"reason", "the token was revoked"}, {"calls", 41}}},
      {"channel.restored", {{"channel", "slack"}, {"waited_s", 5'400}}},
      {"webhook.disabled", {{"webhook", "whk_3f9a"}, {"why", "it answered 410 Gone"}}},
      {"digest.daily", daily()},
      {"digest.weekly", {{"added", 3'120}, {"registered", 3'940}, {"found", 4'212}, {"finish_ms", kNow + 2 * kDay}}},
      {"message.test", {{"channel", "mail"}}},
  };
}

json facts_of(std::string_view event) {
  for (const auto& samples : {samples_of_ways(), samples_of_people()}) {
    for (const Sample& sample : samples) {
      if (sample.event == event) return sample.facts;
    }
  }
  return json::object();
}

bool is_any(std::string_view event, std::initializer_list<std::string_view> of) {
  return std::find(of.begin(), of.end(), event) != of.end();
}

/// Where the import stands when the event happens.
storage::ImportRow row_at(std::string_view event) {
  storage::ImportRow row;
  row.id = "imp_4821kq7zt3mw9xb2";
  row.platform = "grain";
  row.workspace = "northwind";
  row.title = "Northwind";
  row.created_ms = kStarted;
  row.first = row.bulk = {"fetch", "running", "", "", "", std::nullopt};
  row.counters = {.found = 4'212, .registered = 3'900, .duplicate = 40, .skipped = 37, .failed = 15, .pending = 220};
  if (is_any(event, {"import.started", "import.access_checked"})) {
    row.counters = {};
    row.first.stage = row.bulk.stage = event == "import.started" ? "authenticate" : "enumerate";
  } else if (is_any(event, {"import.counted", "import.ordered"})) {
    row.counters = {.found = 4'212, .registered = 0, .duplicate = 0, .skipped = 37, .failed = 0, .pending = 4'175};
    row.first.stage = row.bulk.stage = "prioritize";
  } else if (event == "import.first_ready") {
    row.counters = {.found = 4'212, .registered = 100, .duplicate = 0, .skipped = 37, .failed = 0, .pending = 4'075};
  } else if (event == "import.half_way") {
    row.counters = {.found = 4'212, .registered = 2'106, .duplicate = 0, .skipped = 37, .failed = 4, .pending = 2'065};
  } else if (is_any(event, {"import.completed", "import.registered", "simulation.finished"})) {
    row.counters = {.found = 4'212, .registered = 4'160, .duplicate = 0, .skipped = 37, .failed = 15, .pending = 0};
    row.first.stage = row.bulk.stage = "notify";
  } else if (is_any(event, {"import.gaps_decision", "import.approved"})) {
    row.counters = {.found = 4'212, .registered = 4'000, .duplicate = 0, .skipped = 0, .failed = 212, .pending = 0};
    row.first.stage = row.bulk.stage = "notify";
  } else if (event == "import.failed") {
    row.counters = {};
    row.first.stage = row.bulk.stage = "enumerate";
  }
  if (is_any(event, {"import.waiting", "import.waiting_shortly", "import.outage"})) row.bulk.condition = "waiting";
  if (is_any(event, {"access.needed", "import.needs_attention", "import.no_progress", "import.gaps_decision"}))
    row.bulk.condition = "needs_attention";
  if (event == "import.paused") row.bulk.condition = "paused";
  if (event == "import.completed") row.bulk.condition = "completed_with_gaps";
  if (event == "import.failed") row.bulk.condition = "failed";
  if (event == "import.cancelled") row.bulk.condition = "cancelled";
  if (event == "import.undone") row.bulk.condition = "undone";
  if (is_any(event, {"import.completed", "import.failed", "import.cancelled", "import.undone"})) row.closed_ms = kNow;
  return row;
}

}  // namespace

Message sample_message(std::string_view event, Audience audience) {
  Message message;
  message.id = "msg_sample";
  if (of_an_import(event)) message.import_row = row_at(event);
  message.import = message.import_row.id;
  message.thread = message.import.empty() ? std::string(event) : message.import;
  if (audience == Audience::kInternal) {
    message.to = {"ana", "Ana Ruiz", "ana@example.test", "Europe/Madrid", false};
  } else {
    message.to = {"dana", "Dana Webb", "dana@northwind.example", "Europe/Madrid", true};
  }
  const EventRow* row = find_event(event);
  storage::Notification news;
  news.id = "ntf_sample";
  news.import = message.import;
  news.at_ms = kNow;
  news.event = std::string(event);
  news.facts = facts_of(event).dump();
  news.weight = std::string(to_string(row == nullptr ? Weight::kRoutine : row->weight));
  if (event == "import.registered") {  // merged with what came just before it
    storage::Notification before = news;
    before.event = "import.fetched";
    before.at_ms -= 6 * kMinute;
    message.news.push_back(std::move(before));
  }
  message.news.push_back(std::move(news));
  return message;
}

Surroundings sample_surroundings(std::string_view event, Audience audience) {
  Surroundings around;
  around.reply_to = "Ana Ruiz";
  around.unsubscribe = "https://calls.example.test/unsubscribe/sample";
  if (audience == Audience::kCustomer) {
    around.why = "You get this because you are Northwind's contact for this import.";
    around.quieter = "Answer this mail to have fewer or none of them.";
    return around;
  }
  if (of_an_import(event)) around.link = "https://calls.example.test/imports/imp_4821kq7zt3mw9xb2";
  around.why = of_an_import(event) ? "You get this because you own the import."
                                   : "You get this because the configuration names you for it.";
  around.others = "Bo Lind, Cy Osei";
  around.quieter = "Which rule applied, and how to get fewer: callimport notifications why ntf_sample";
  return around;
}

}  // namespace callimport::activities
