#include "api/serve/forecast.h"

#include <algorithm>
#include <atomic>

#include "activities/notify/forecast.h"
#include "api/serve/channels.h"
#include "storage/library/telling.h"

namespace callimport::api {
namespace {

constexpr int kImportsMax = 10'000;

/// A library that is gone with its end. What a death leaves is in the way of nobody: the next of its name removes it.
class Scratch {
 public:
  explicit Scratch(House& house) : disk_(*house.disk) {
    static std::atomic<unsigned> number = 0;
    path_ = house.folder.path + "/forecast-" + std::to_string(++number) + ".db";
    remove();
  }
  ~Scratch() {
    library.reset();
    remove();
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  Result<> open(Random& random) {
    TRY(library, storage::Library::open(disk_, random, path_));
    return {};
  }

  std::unique_ptr<storage::Library> library;

 private:
  void remove() {
    for (const char* ending : {"", "-wal", "-journal"}) (void)disk_.remove(path_ + ending);  // most are not there
  }

  Disk& disk_;
  std::string path_;
};

}  // namespace

Result<::callimport::v1::ForecastMessagesResponse> forecast_week(House& house, const std::string& rules) {
  activities::Roster roster = house.deliverer->roster();
  if (!rules.empty()) {
    TRY(const auto config, parse_config(rules, "rules"));
    roster = roster_of(config);
  }
  activities::ForecastOrder order;
  order.until_ms = to_unix_ms(house.loop.now());
  order.from_ms = order.until_ms - activities::kWeekMs;
  TRY(order.records, house.library->notifications("", activities::kForecastRecordsMax));
  const bool full = order.records.size() == static_cast<std::size_t>(activities::kForecastRecordsMax);
  const bool cut = full && order.records.back().at_ms > order.from_ms;
  if (cut) order.from_ms = order.records.back().at_ms;
  std::erase_if(order.records, [&](const auto& record) { return record.at_ms < order.from_ms; });
  std::reverse(order.records.begin(), order.records.end());
  TRY(order.imports, house.library->imports(kImportsMax));
  TRY_VOID(house.library->look_at_telling([&](storage::TellingReads& telling) -> Result<> {
    TRY(order.mutes, telling.mutes().list("", storage::kMutesPerPersonMax));
    return {};
  }));
  order.views = [&house](const storage::Notification& record) { return house.deliverer->views(record); };
  Scratch scratch(house);
  OsRandom random;
  TRY_VOID(scratch.open(random));
  TRY(const auto counted, activities::forecast(*scratch.library, roster, order));
  ::callimport::v1::ForecastMessagesResponse reply;
  reply.set_from_ms(order.from_ms);
  reply.set_until_ms(order.until_ms);
  reply.set_records(std::ssize(order.records));
  reply.set_cut(cut);
  for (const auto& one : counted) {
    auto& count = *reply.add_counts();
    count.set_channel(one.channel);
    count.set_recipient(one.recipient);
    count.set_name(one.name);
    count.set_customer(one.customer);
    count.set_messages(one.messages);
    count.set_act(one.act);
    count.set_records(one.records);
  }
  return reply;
}

}  // namespace callimport::api
