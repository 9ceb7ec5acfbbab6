// N-10: days of a hundred imports on the virtual clock, messages counted for each person and channel; a day without
// channels; and deaths at every moment.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "activities/notify/deliverer.h"
#include "activities/notify/digests.h"
#include "activities/notify/local_time.h"
#include "activities/notify/restraint.h"
#include "activities/notify/turn.h"
#include "simulations/world/seeded_random.h"
#include "simulations/world/sim_disk.h"
#include "simulations/world/sim_loop.h"
#include "storage/library/telling.h"

namespace callimport::activities {
namespace {

using storage::Library;

struct Arrival {
  std::int64_t at_ms = 0;
  std::string id, channel, to, thread;
  Form form = Form::kReply;
  std::vector<std::string> records, events;
  Weight weight = Weight::kRoutine;
};

/// What is outside: it outlives every restart, and knows a message that comes twice by its id.
struct Outside {
  std::vector<Arrival> arrivals;
  std::set<std::string> seen;
  std::uint64_t repeats = 0;
  bool down = false;
};

/// Of a record that a test made, in their order; 0: one of the rules' own.
int number_of(const std::string& record) {
  const std::string digits = record.substr(4);
  const bool all = std::all_of(digits.begin(), digits.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
  return all && digits.size() < 9 ? std::stoi(digits) : 0;
}
int number_of(const Arrival& arrival) {
  int most = 0;
  for (const auto& record : arrival.records) most = std::max(most, number_of(record));
  return most;
}

class SimChannel final : public Channel {
 public:
  SimChannel(std::string name, Manner manner, Clock& clock, Outside& outside)
      : name_(std::move(name)), manner_(manner), clock_(clock), outside_(outside) {}
  std::string_view name() const override { return name_; }
  Manner manner() const override { return manner_; }
  std::vector<Recipient> own(const storage::Notification&) const override {
    if (manner_.people) return {};
    return {{"#imports", "imports", "", "UTC"}};
  }
  engine::Awaitable<tl::expected<Sent, Refused>> send(Message message) override {
    // A moment on the way, in which the process may die.
    auto pause = engine::sleep_for(clock_, std::chrono::milliseconds{50});
    co_await std::move(pause);
    Refused down;
    down.reason = "no route to host";
    down.everyone = true;
    if (outside_.down) co_return tl::unexpected(down);
    take(message);
    auto answering = engine::sleep_for(clock_, std::chrono::milliseconds{50});
    co_await std::move(answering);
    co_return Sent{"ref-" + message.id, "text"};
  }

 private:
  void take(const Message& message) {
    if (!outside_.seen.insert(message.id).second) {
      ++outside_.repeats;
      return;
    }
    Arrival made{to_unix_ms(clock_.now()), message.id, name_, message.to.id, message.thread, message.form, {}, {}, {}};
    for (const auto& one : message.news) {
      made.records.push_back(one.id);
      made.events.push_back(one.event);
      made.weight = std::max(made.weight, weight_of(one.weight));
    }
    outside_.arrivals.push_back(std::move(made));
  }

  std::string name_;
  Manner manner_;
  Clock& clock_;
  Outside& outside_;
};

Person person(const std::string& id, const std::string& zone) {
  Person made;
  made.id = made.name = id;
  made.zone = zone;
  made.known_as = {"os:" + id};
  made.addresses = {{"mail", id + "@example.test"}};
  return made;
}

/// Ana and Ben own the imports, Cleo approves, Dora watches all and sleeps from ten to seven.
Roster everybody() {
  Roster roster;
  roster.people = {person("ana", "Europe/Madrid"), person("ben", "America/New_York"), person("cleo", "UTC"),
                   person("dora", "UTC")};
  roster.people[3].quiet = {22 * 60, 7 * 60};
  roster.people[3].watches_all = true;
  roster.approvers = {"cleo"};
  roster.on_call = {"ben"};
  roster.ops = {"cleo"};
  return roster;
}

class TellingDay : public testing::Test {
 protected:
  void SetUp() override {
    disk_.emplace();
    ASSERT_TRUE(disk_->make_dirs("/data").has_value());
    open();
  }
  void TearDown() override { close(); }

  void open() {
    auto opened = Library::open(*disk_, random_, "/data/library.db");
    ASSERT_TRUE(opened.has_value());
    library_ = std::move(*opened);
    Manner mail, slack;
    mail.people = true;
    mail.at_once = 4;
    slack.roots = true;
    slack.gap = 1s;
    std::vector<std::unique_ptr<Channel>> channels;
    channels.push_back(std::make_unique<SimChannel>("mail", mail, loop_, outside_));
    channels.push_back(std::make_unique<SimChannel>("slack", slack, loop_, outside_));
    deliverer_ = std::make_unique<Deliverer>(*library_, loop_, loop_, loop_, everybody(), std::move(channels));
    deliverer_->start();
  }
  void close() {
    if (deliverer_) deliverer_->stop();
    loop_.drop_all();
    deliverer_.reset();
    library_.reset();
  }
  /// The process dies and starts again; what was written stays.
  void restart() {
    close();
    disk_->kill();
    open();
  }

  static std::string import_id(int i) { return "imp_" + std::to_string(100 + i); }
  static const char* owner(int i) { return i % 3 == 0 ? "ben" : "ana"; }

  void add_import(int i) {
    storage::ImportRow row;
    row.id = import_id(i);
    row.platform = i % 2 == 0 ? "grain" : "gong";
    row.workspace = "customer" + std::to_string(i);
    row.input =
        nlohmann::json{{"started_by", std::string("os:") + owner(i)}, {"predicted", {{"duration_to_ms", 8 * kHourMs}}}}
            .dump();
    row.created_ms = to_unix_ms(loop_.now());
    row.first.stage = row.bulk.stage = "fetch";
    row.first.condition = row.bulk.condition = "running";
    ASSERT_TRUE(library_->change([&](storage::LibraryTx& tx) { return tx.put_import(row); }).has_value());
  }
  storage::Notification record(int i, const std::string& event, const nlohmann::json& facts) {
    auto made = say(event, import_id(i), to_unix_ms(loop_.now()), "[Calls] " + import_id(i), event, "next", facts);
    made.id = "ntf_" + std::to_string(++records_);
    return made;
  }
  void tell(int i, const std::string& event, const nlohmann::json& facts = nlohmann::json::object()) {
    const auto news = record(i, event, facts);
    ASSERT_TRUE(library_->change([&](storage::LibraryTx& tx) { return tx.notify(news); }).has_value());
    deliverer_->wake();
  }
  /// The same of a hundred imports, in one transaction.
  void tell_all(const std::string& event) {
    const auto told = library_->change([&](storage::LibraryTx& tx) -> Result<> {
      for (int i = 0; i < 100; ++i) TRY_VOID(tx.notify(record(i, event, nlohmann::json::object())));
      return {};
    });
    ASSERT_TRUE(told.has_value());
    deliverer_->wake();
  }
  /// Messages that should have gone.
  std::vector<storage::MessageRow> overdue() {
    auto rows = look<std::vector<storage::MessageRow>>(
        [](auto& t) { return t.messages({.state = "queued", .limit = 10'000}); });
    std::erase_if(rows, [&](const storage::MessageRow& row) { return row.due_ms > to_unix_ms(loop_.now()); });
    return rows;
  }
  /// The happy path of one import, spread over `hours`; what lies within an outage waits for its end.
  void plan(int i, int begin_minute, int hours) {
    const std::pair<const char*, int> steps[] = {{"import.started", 0},
                                                 {"import.access_checked", 1},
                                                 {"import.counted", 7},
                                                 {"import.ordered", 8},
                                                 {"import.first_ready", 30},
                                                 {"import.fetched", 60 * hours - 25},
                                                 {"import.registered", 60 * hours - 11},
                                                 {"import.completed", 60 * hours}};
    for (const auto& [event, minute] : steps) at(begin_minute + minute, [this, i, what = event] { tell(i, what); });
  }
  void at(int minute, std::function<void()> work) {
    loop_.at(simulations::kSimulationStart + std::chrono::minutes{minute}, std::move(work));
  }

  template <class T, class Read>
  T look(Read read) {
    T found{};
    const auto done = library_->look_at_telling([&](storage::TellingReads& telling) -> Result<> {
      TRY(found, read(telling));
      return {};
    });
    EXPECT_TRUE(done.has_value());
    return found;
  }
  std::size_t count(const std::function<bool(const Arrival&)>& which) const {
    return static_cast<std::size_t>(std::count_if(outside_.arrivals.begin(), outside_.arrivals.end(), which));
  }
  void expect_rate(const std::string& channel, std::int64_t gap_ms) const {
    std::int64_t last = 0;
    for (const auto& one : outside_.arrivals) {
      if (one.channel != channel) continue;
      EXPECT_GE(one.at_ms - last, gap_ms) << one.id;
      last = one.at_ms;
    }
  }
  /// N-07, over every hour that begins with a message.
  void expect_guarded(const std::string& who) const {
    std::vector<std::int64_t> times;
    for (const auto& one : outside_.arrivals) {
      const bool instead = one.events.back().starts_with("digest.") || one.events.back().starts_with("platform.") ||
                           one.events.back() == "messages.held";
      if (one.to == who && one.weight != Weight::kAct && !instead) times.push_back(one.at_ms);
    }
    for (std::size_t i = 0; i < times.size(); ++i) {
      const auto end = std::upper_bound(times.begin(), times.end(), times[i] + kHourMs - 1'000);
      EXPECT_LE(end - times.begin() - static_cast<std::ptrdiff_t>(i), kHourlyMax) << who << " from " << times[i];
    }
  }

  simulations::SimLoop loop_;
  std::optional<simulations::SimDisk> disk_;
  simulations::SeededRandom random_{1};
  Outside outside_;
  std::unique_ptr<Library> library_;
  std::unique_ptr<Deliverer> deliverer_;
  int records_ = 0;
};

TEST_F(TellingDay, N10AHundredImportsWithOutagesStayWithinTheCounts) {
  for (int i = 0; i < 100; ++i) {
    add_import(i);
    plan(i, 7 * i, 10);
  }
  // Every platform is away once; imports meet it one after another and go on together.
  for (const int begin : {500, 700}) {
    for (int i = begin == 500 ? 0 : 1; i < 80; i += 2) {
      at(begin + i / 40, [this, i] { tell(i, "import.outage", {{"platform", i % 2 == 0 ? "Grain" : "Gong"}}); });
      at(begin + 45, [this, i] { tell(i, "import.goes_on"); });
    }
  }
  // One goes in and out of its quota, three lose their access.
  for (int turn = 0; turn < 6; ++turn) {
    at(300 + 20 * turn, [this, turn] {
      tell(7, "import.waiting", {{"cause", "platform.daily_quota"}, {"until_ms", 0}, {"turn", turn}});
    });
    at(310 + 20 * turn, [this] { tell(7, "import.goes_on"); });
  }
  for (const int i : {10, 20, 30}) {
    at(520 + i, [this, i] { tell(i, "access.needed", {{"cause", "access.expired"}}); });
    at(580 + i, [this, i] { tell(i, "access.restored"); });
  }
  loop_.run_for(30h);

  EXPECT_TRUE(look<std::vector<storage::Notification>>([](auto& t) { return t.unrouted(10); }).empty());
  const auto events_to = [&](const std::string& who, const std::string& event) {
    return count([&](const Arrival& one) {
      return one.channel == "mail" && one.to == who && std::count(one.events.begin(), one.events.end(), event) > 0;
    });
  };
  for (const char* who : {"ana", "ben", "cleo"}) {
    EXPECT_LE(events_to(who, "platform.outage"), 2u) << "N-04: one a platform, for " << who;
    EXPECT_EQ(events_to(who, "import.outage"), 0u) << "N-04";
    EXPECT_EQ(events_to(who, "platform.outage"), events_to(who, "platform.recovered"));
  }
  EXPECT_EQ(events_to("ana", "platform.outage"), 2u);
  EXPECT_EQ(events_to("ana", "import.waiting"), 1u) << "N-03";
  EXPECT_EQ(events_to("ana", "import.flapping"), 1u) << "N-03";
  for (const char* who : {"ana", "ben", "cleo", "dora"}) {
    expect_guarded(who);
    std::map<std::string, std::size_t> by_import;
    for (const auto& one : outside_.arrivals) {
      if (one.to == who && one.thread != import_id(7)) ++by_import[one.thread];
    }
    for (const auto& [thread, messages] : by_import) {
      if (thread.starts_with("imp_") && thread.find('/') == std::string::npos)
        EXPECT_LE(messages, 5u) << "N-02: " << who << " " << thread;
    }
  }
  const QuietHours night = everybody().people[3].quiet;
  for (const auto& one : outside_.arrivals) {
    if (one.to == "dora" && one.weight != Weight::kAct)
      EXPECT_FALSE(quiet_until(night, "UTC", one.at_ms).has_value()) << "N-05: " << one.events.back();
  }
  expect_rate("slack", 1'000);
  std::map<std::string, std::map<Form, int>> slack;
  for (const auto& one : outside_.arrivals) {
    if (one.channel == "slack") ++slack[one.thread][one.form];
  }
  for (int i = 80; i < 100; ++i) {  // those that met nothing
    EXPECT_EQ(slack[import_id(i)][Form::kRoot], 1) << import_id(i);
    EXPECT_EQ(slack[import_id(i)][Form::kBroadcast], 1) << import_id(i);
    EXPECT_LE(slack[import_id(i)][Form::kReply], 8) << import_id(i);
  }
  EXPECT_GE(events_to("ana", "digest.daily"), 1u);
}

TEST_F(TellingDay, AfterADayWithoutChannelsWhatGoesOutIsMergedInOrderAndAtItsRate) {
  for (int i = 0; i < 100; ++i) add_import(i);
  tell_all("import.started");
  loop_.run_for(2h);
  const std::size_t before = outside_.arrivals.size();
  outside_.down = true;
  for (int step = 0; step < 100; ++step) {
    at(130 + 13 * step, [this, step] { tell_all(step % 2 == 0 ? "import.paused" : "import.resumed"); });
  }
  loop_.run_for(23h);
  EXPECT_EQ(records_, 10'100);
  EXPECT_EQ(outside_.arrivals.size(), before);
  outside_.down = false;
  loop_.run_for(6h);
  EXPECT_TRUE(overdue().empty());
  // Two replies an import on Slack (the one that was being tried, and all the rest) and its root.
  EXPECT_LE(count([this](const Arrival& one) {
              return one.channel == "slack" && one.at_ms > to_unix_ms(loop_.now()) - 6 * kHourMs && number_of(one) > 0;
            }),
            300u);
  expect_rate("slack", 1'000);
  for (const char* who : {"ana", "ben", "dora"}) expect_guarded(who);
  // In order: within a thread for one recipient, no record comes after a newer one.
  std::map<std::pair<std::string, std::string>, int> last;
  for (const auto& one : outside_.arrivals) {
    if (one.form == Form::kEditRoot) continue;
    for (const auto& record : one.records) {
      const int number = number_of(record);
      if (number == 0) continue;
      int& newest = last[{one.channel + ">" + one.to, one.thread}];
      EXPECT_GT(number, newest) << one.channel << " " << one.to << " " << one.thread;
      newest = number;
    }
  }
  // Nothing is lost: every record is in a message to Slack.
  std::set<std::string> told;
  for (const auto& one : outside_.arrivals) {
    if (one.channel != "slack") continue;
    std::copy_if(one.records.begin(), one.records.end(), std::inserter(told, told.end()),
                 [](const std::string& record) { return number_of(record) > 0; });
  }
  EXPECT_EQ(told.size(), 10'100u);
}

/// Dies after each of the first steps of a busy minute, once; then lives on.
TEST_F(TellingDay, ADeathAtAnyMomentNeitherLosesNorDoubles) {
  std::size_t whole = 0;
  for (std::uint64_t after = 1; after < 400; after += 3) {
    close();
    disk_.emplace();
    ASSERT_TRUE(disk_->make_dirs("/data").has_value());
    outside_ = Outside();
    records_ = 0;
    open();
    for (int i = 0; i < 3; ++i) add_import(i);
    for (int i = 0; i < 3; ++i) tell(i, "import.started");
    tell(0, "access.needed", {{"cause", "access.expired"}});
    tell(1, "import.failed");
    for (std::uint64_t step = 0; step < after; ++step) {
      if (!loop_.step()) break;
    }
    restart();
    loop_.run_for(2min);
    std::map<std::string, int> times;
    for (const auto& one : outside_.arrivals) {
      if (one.form == Form::kEditRoot) continue;
      for (const auto& record : one.records) ++times[one.channel + ">" + one.to + " " + record];
    }
    for (const auto& [what, often] : times) EXPECT_EQ(often, 1) << what << " died after " << after;
    if (whole == 0) whole = times.size();
    EXPECT_EQ(times.size(), whole) << "died after " << after;
    EXPECT_TRUE(overdue().empty()) << "died after " << after;
  }
  EXPECT_GT(whole, 10u);
}

}  // namespace
}  // namespace callimport::activities
