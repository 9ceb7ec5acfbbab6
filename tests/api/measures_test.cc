// What a scrape says of imports, messages and tasks (ux 2.4), and what it reads for that: no more than what changed.
#include "api/serve/measures.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "activities/notify/told_counts.h"
#include "engine/worker/task_waits.h"
#include "tests/storage/library_fixture.h"

namespace callimport::api {
namespace {

using storage::Lane;
using storage::LaneRow;
using storage::LibraryTx;
using testing::HasSubstr;
using testing::Not;

LaneRow lane(const std::string& stage, const std::string& condition, const std::string& reason = {}) {
  LaneRow row;
  row.stage = stage;
  row.condition = condition;
  row.reason = reason;
  return row;
}

class MeasuresTest : public storage::LibraryTest {
 protected:
  void SetUp() override {
    LibraryTest::SetUp();
    auto vault = storage::Vault::open(disk_, random_, "data/vault.db", "data/vault.key");
    ASSERT_OK(vault);
    vault_ = *std::move(vault);
  }
  MeasureLook look(std::int64_t now_ms) {
    auto found = look_for_measures(*library_, *vault_, measures_.place(), now_ms);
    EXPECT_TRUE(found) << found.error().message;
    return found ? *std::move(found) : MeasureLook();
  }
  std::size_t scrape(std::int64_t now_ms) {
    const auto found = look(now_ms);
    measures_.take(found);
    return found.imports.size();
  }
  void put(const std::string& id, std::int64_t created_ms, const std::string& input = "{}") {
    auto row = storage::import_row(id, "workspace of " + id);
    row.created_ms = created_ms;
    row.input = input;
    ASSERT_OK(library_->change([&](LibraryTx& tx) { return tx.put_import(row); }));
  }
  void set(const std::string& id, const LaneRow& row, std::int64_t at_ms) {
    ASSERT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
      TRY_VOID(tx.set_lane(id, Lane::kFirst, row, at_ms));
      return tx.set_lane(id, Lane::kBulk, row, at_ms);
    }));
  }
  void close(const std::string& id, const std::string& condition, std::int64_t at_ms) {
    set(id, lane("notify", condition), at_ms);
    ASSERT_OK(library_->change([&](LibraryTx& tx) { return tx.close_import(id, at_ms, "{}"); }));
  }

  std::unique_ptr<storage::Vault> vault_;
  Measures measures_{"1.2.3", "0123456789ab"};
};

TEST_F(MeasuresTest, AScrapeReadsOnlyWhatChanged) {
  ASSERT_OK(library_->change([](LibraryTx& tx) -> Result<> {
    for (int i = 0; i < 500; ++i) TRY_VOID(tx.put_import(storage::import_row("imp_a" + std::to_string(i))));
    return {};
  }));
  EXPECT_EQ(501u, scrape(10'000));
  EXPECT_EQ(0u, scrape(20'000));
  set("imp_a7", lane("enumerate", "waiting", "platform.outage"), 25'000);
  EXPECT_EQ(1u, scrape(30'000));
  put("imp_b", 35'000);
  close("imp_a8", "cancelled", 36'000);
  EXPECT_EQ(2u, scrape(40'000));
  EXPECT_EQ(0u, scrape(50'000));
  EXPECT_THAT(measures_.text(), HasSubstr(R"(callimport_imports_active{platform="grain",state="running"} 500)"));
  EXPECT_THAT(measures_.text(), HasSubstr(R"(callimport_imports_active{platform="grain",state="waiting"} 1)"));
}

TEST_F(MeasuresTest, CredentialsAreReadOnceAMinute) {
  EXPECT_TRUE(look(10'000).credentials);
  scrape(10'000);
  EXPECT_FALSE(look(10'000 + kCredentialsHoldMs - 1).credentials);
  EXPECT_TRUE(look(10'000 + kCredentialsHoldMs).credentials);
}

TEST_F(MeasuresTest, WaitsGoOnWithoutAChangeAndEndOnce) {
  scrape(10'000);
  set(storage::kImport, lane("fetch", "waiting", "platform.daily_quota"), 12'000);
  scrape(15'000);
  EXPECT_THAT(measures_.text(), HasSubstr(R"({platform="grain",reason="platform.daily_quota"} 6)")) << "two lanes";
  EXPECT_EQ(0u, scrape(20'000));
  EXPECT_THAT(measures_.text(), HasSubstr(R"({platform="grain",reason="platform.daily_quota"} 16)"));
  close(storage::kImport, "completed", 21'000);
  scrape(30'000);
  scrape(40'000);
  EXPECT_THAT(measures_.text(), HasSubstr(R"({platform="grain",reason="platform.daily_quota"} 18)"));
  EXPECT_THAT(measures_.text(),
              HasSubstr(R"(callimport_imports_finished_total{platform="grain",result="completed"} 1)"));
}

TEST_F(MeasuresTest, WhatEndedBeforeTheFirstScrapeIsOfAnotherTime) {
  close(storage::kImport, "failed", 5'000);
  scrape(10'000);
  EXPECT_THAT(measures_.text(), Not(HasSubstr("callimport_imports_finished_total{")));
  put("imp_brief", 11'000);  // begins and ends between two scrapes
  close("imp_brief", "failed", 12'000);
  scrape(20'000);
  scrape(30'000);
  EXPECT_THAT(measures_.text(), HasSubstr(R"(callimport_imports_finished_total{platform="grain",result="failed"} 1)"));
}

struct EtaRow {
  const char* name;
  std::int64_t took_ms;
  const char* condition;
  const char* direction;  ///< empty: not counted
  const char* sum;
};
void PrintTo(const EtaRow& row, std::ostream* out) { *out << row.name; }
class Etas : public MeasuresTest, public testing::WithParamInterface<EtaRow> {};

/// Foretold: 60 to 80 s.
TEST_P(Etas, AreHeldAgainstTheLength) {
  const auto& row = GetParam();
  scrape(10'000);
  put("imp_e", 20'000, R"({"predicted":{"calls":9,"duration_from_ms":60000,"duration_to_ms":80000,"cause":""}})");
  scrape(21'000);
  close("imp_e", row.condition, 20'000 + row.took_ms);
  scrape(500'000);
  const std::string text = measures_.text();
  if (*row.direction == 0) {
    EXPECT_THAT(text, Not(HasSubstr("callimport_eta_error_ratio_count")));
    return;
  }
  const std::string labels = std::string("{direction=\"") + row.direction + "\",platform=\"grain\"} ";
  EXPECT_THAT(text, HasSubstr("callimport_eta_error_ratio_count" + labels + "1\n"));
  EXPECT_THAT(text, HasSubstr("callimport_eta_error_ratio_sum" + labels + row.sum + "\n"));
}
INSTANTIATE_TEST_SUITE_P(Table, Etas,
                         testing::Values(EtaRow{"Within", 70'000, "completed", "kept", "0"},
                                         EtaRow{"AtTheLatest", 80'000, "completed", "kept", "0"},
                                         EtaRow{"HalfAsLongAgain", 120'000, "completed_with_gaps", "late", "0.5"},
                                         EtaRow{"Sooner", 45'000, "completed", "early", "0.25"},
                                         EtaRow{"AFailureHasNoLength", 120'000, "failed", "", ""},
                                         EtaRow{"NorHasACancel", 120'000, "cancelled", "", ""}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_F(MeasuresTest, AnImportTakenUpAgainHasNoLength) {
  scrape(10'000);
  put("imp_e", 20'000, R"({"predicted":{"calls":9,"duration_from_ms":60000,"duration_to_ms":80000,"cause":""}})");
  close("imp_e", "completed", 90'000);
  scrape(100'000);
  ASSERT_OK(library_->change([](LibraryTx& tx) { return tx.reopen_import("imp_e"); }));
  set("imp_e", lane("fetch", "running"), 110'000);
  scrape(120'000);
  close("imp_e", "completed", 900'000);
  scrape(910'000);
  EXPECT_THAT(measures_.text(),
              HasSubstr("callimport_eta_error_ratio_count{direction=\"kept\",platform=\"grain\"} 1\n"));
  EXPECT_THAT(measures_.text(), Not(HasSubstr("direction=\"late\"")));
  EXPECT_THAT(measures_.text(),
              HasSubstr(R"(callimport_imports_finished_total{platform="grain",result="completed"} 2)"));
}

TEST_F(MeasuresTest, WhatWasToldIsCountedByChannelAndKind) {
  activities::count_told({"mail", "measures.a", "act", "sent", 1'500});
  activities::count_told({"mail", "measures.a", "act", "sent", -5});
  activities::count_told({"mail", "measures.a", "act", "put_off", 400});
  const std::string text = measures_.text();
  const std::string of = "callimport_notifications_total{channel=\"mail\",kind=\"measures.a\",result=";
  EXPECT_THAT(text, HasSubstr(of + "\"sent\"} 2\n"));
  EXPECT_THAT(text, HasSubstr(of + "\"put_off\"} 1\n"));
  const std::string delay = "callimport_notification_delay_seconds_";
  EXPECT_THAT(text, HasSubstr(delay + "count{channel=\"mail\",weight=\"act\"} 2\n"));
  EXPECT_THAT(text, HasSubstr(delay + "bucket{channel=\"mail\",weight=\"act\",le=\"1\"} 1\n"));
  EXPECT_THAT(text, HasSubstr(delay + "bucket{channel=\"mail\",weight=\"act\",le=\"2\"} 2\n"));
}

TEST_F(MeasuresTest, KindsAreLimited) {
  for (std::size_t i = 0; i <= activities::kToldKindsMax; ++i)
    activities::count_told({"log", "kind" + std::to_string(i), "routine", "put_off", 0});
  const auto counts = activities::told_counts();
  EXPECT_GE(counts.by_result.at({"log", "other", "put_off"}), 1u);
  EXPECT_FALSE(counts.by_result.contains({"log", "kind" + std::to_string(activities::kToldKindsMax), "put_off"}));
}

TEST_F(MeasuresTest, TasksThatWaited) {
  using namespace std::chrono_literals;
  engine::worker::count_task_wait("activity", "imports", 200ms);
  engine::worker::count_task_wait("activity", "imports", -1s);
  const std::string text = measures_.text(), name = "callimport_task_schedule_to_start_seconds_";
  EXPECT_THAT(text, HasSubstr(name + "count{kind=\"activity\",queue=\"imports\"} 2\n"));
  EXPECT_THAT(text, HasSubstr(name + "sum{kind=\"activity\",queue=\"imports\"} 0.2"));
}

TEST_F(MeasuresTest, EveryFamilyIsNamedBeforeAnythingHappened) {
  for (const char* name :
       {"imports_active gauge", "imports_finished_total counter", "calls_total counter",
        "stage_duration_seconds histogram", "platform_requests_total counter", "platform_wait_seconds_total counter",
        "platform_quota_remaining_ratio gauge", "media_fetched_bytes_total counter", "credentials_expiring gauge",
        "notifications_total counter", "notification_delay_seconds histogram", "eta_error_ratio histogram",
        "task_schedule_to_start_seconds histogram", "store_commit_seconds histogram", "build_info gauge"})
    EXPECT_THAT(measures_.text(), HasSubstr("# TYPE callimport_" + std::string(name) + "\n"));
  EXPECT_THAT(measures_.text(), HasSubstr(R"(callimport_build_info{commit="0123456789ab",version="1.2.3"} 1)"));
}

}  // namespace
}  // namespace callimport::api
