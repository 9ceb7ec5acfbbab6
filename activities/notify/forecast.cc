#include "activities/notify/forecast.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "activities/notify/delays.h"
#include "activities/notify/router.h"
#include "activities/notify/rules.h"
#include "activities/notify/sending.h"
#include "activities/notify/turn.h"
#include "storage/library/telling.h"

namespace callimport::activities {
namespace {

using storage::LibraryTx;
using storage::Notification;

constexpr int kTurnsMax = 100'000;  ///< of the clock, for a week: more is a rule that never rests
constexpr int kReadyAtOnce = 256;

/// Records that rules make of others, or of the clock. Delays are not among them: the finish they speak of was reckoned
/// by the import.
bool is_of_rules(const std::string& event) {
  static constexpr std::array<std::string_view, 10> kOwn = {
      "platform.outage", "platform.recovered", "import.flapping",  "escalation.reminder", "messages.held",
      "channel.down",    "channel.restored",   "webhook.disabled", "digest.daily",        "digest.weekly"};
  return event == "message.test" || std::find(kOwn.begin(), kOwn.end(), event) != kOwn.end();
}

class Replay {
 public:
  Replay(LibraryTx& tx, const Roster& roster, const ForecastOrder& order)
      : tx_(tx), roster_(roster), order_(order), now_ms_(order.from_ms) {}

  Result<> run() {
    for (const auto& import : order_.imports) TRY_VOID(tx_.put_import(import));
    for (const auto& mute : order_.mutes) TRY_VOID(tx_.telling().mutes().put(mute));
    TRY_VOID(plan_digests(tx_, roster_, order_.from_ms));
    for (const Notification& record : order_.records) {
      if (is_of_rules(record.event) || record.at_ms < order_.from_ms || record.at_ms > order_.until_ms) continue;
      // What was recorded at one moment was routed together, before anything of it went.
      if (record.at_ms != taken_ms_) TRY_VOID(pass(record.at_ms));
      taken_ms_ = record.at_ms;
      TRY_VOID(take(record));
    }
    return pass(order_.until_ms);
  }

  std::vector<Foretold> counted() const {
    std::vector<Foretold> all;
    for (const auto& [name, one] : counts_) all.push_back(one);
    return all;
  }

 private:
  storage::TellingReads& reads() { return tx_.telling().reads(); }

  Result<> take(const Notification& record) {
    // An import that has all its calls with the first of them: its row here has no counters of that time.
    const bool whole =
        record.event == "import.first_ready" && read_facts(record.facts).value("pending", std::int64_t{1}) == 0;
    const Result<> set = whole ? tx_.set_cursor(record.import, "", true) : Result<>();
    if (!set && set.error().code != Code::kNotFound) return set;
    TRY_VOID(tx_.notify(record));
    TRY_VOID(route_new());
    // Delays are records already.
    return tx_.telling().agenda().drop(kDelay, record.import);
  }

  Result<> route_new() {
    while (true) {
      TRY(const auto found, reads().unrouted(kRoutedAtOnce));
      if (found.empty()) return {};
      std::vector<Routing> portion;
      for (const auto& record : found) {
        portion.push_back({record, order_.views(record)});
        for (const auto& view : portion.back().channels) channels_.insert(view.name);
      }
      TRY_VOID(route(tx_, roster_, portion, now_ms_));
    }
  }

  /// The clock goes on to `until_ms`; what is due on the way happens.
  Result<> pass(std::int64_t until_ms) {
    for (int turns = 0; turns < kTurnsMax; ++turns) {
      TRY_VOID(send_due());
      TRY(const auto message, reads().next_due_ms(now_ms_));
      TRY(const auto turn, reads().agenda().next_ms());
      auto next = message;
      if (turn) next = std::min(next.value_or(*turn), *turn);
      if (!next || *next > until_ms) {
        now_ms_ = std::max(now_ms_, until_ms);
        return {};
      }
      now_ms_ = std::max(now_ms_, *next);
      if (!turn || *turn > now_ms_) continue;
      TRY_VOID(take_turns(tx_, roster_, there_now(), now_ms_));
      TRY_VOID(route_new());
    }
    return fail(Code::kCorrupt, "the rules do not come to rest");
  }

  /// Imports as they were, as far as their rows say: begun, and closed since.
  std::vector<storage::ImportRow> there_now() const {
    std::vector<storage::ImportRow> there;
    for (auto import : order_.imports) {
      if (import.created_ms > now_ms_) continue;
      if (import.closed_ms && *import.closed_ms > now_ms_) {
        import.closed_ms.reset();
        import.first.condition = import.bulk.condition = "running";
      }
      there.push_back(std::move(import));
    }
    return there;
  }

  Result<> send_due() {
    for (const auto& channel : channels_) {
      while (true) {
        TRY(const auto ready, reads().ready(channel, now_ms_, kReadyAtOnce));
        if (ready.empty()) break;
        for (const auto& row : ready) TRY_VOID(send(row.id));
      }
    }
    return {};
  }

  Result<> send(const std::string& message) {
    TRY(const auto parcel, prepare(tx_, roster_, message, now_ms_));
    if (!parcel) return {};  // left to the digest
    const auto& row = parcel->row;
    TRY_VOID(tx_.telling().end(row.id, "sent", now_ms_, "", "forecast", ""));
    if (parcel->message.form == Form::kEditRoot) return {};
    Foretold& one = counts_[{row.channel, row.recipient}];
    one.channel = row.channel;
    one.recipient = row.recipient;
    one.name = row.name;
    one.customer = row.customer;
    ++one.messages;
    one.act += weight_of(row.weight) == Weight::kAct ? 1 : 0;
    one.records += std::ssize(parcel->message.news);
    return {};
  }

  LibraryTx& tx_;
  const Roster& roster_;
  const ForecastOrder& order_;
  std::int64_t now_ms_;
  std::int64_t taken_ms_ = -1;  ///< when the last record was made
  std::set<std::string> channels_;
  std::map<std::pair<std::string, std::string>, Foretold> counts_;
};

}  // namespace

Result<std::vector<Foretold>> forecast(storage::Library& scratch, const Roster& roster, const ForecastOrder& order) {
  std::vector<Foretold> counted;
  TRY_VOID(scratch.change([&](LibraryTx& tx) -> Result<> {
    Replay replay(tx, roster, order);
    TRY_VOID(replay.run());
    counted = replay.counted();
    return {};
  }));
  return counted;
}

}  // namespace callimport::activities
