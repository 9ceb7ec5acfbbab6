// What people did: written once, in order, and refused when somebody else was faster (ux X-17, ID-19).
#include "tests/storage/library_fixture.h"

namespace callimport::storage {
namespace {

using Actions = LibraryTest;

ActionRow action(const std::string& verb, const std::string& who, const std::string& request) {
  return {.at_ms = 5,
          .import = kImport,
          .verb = verb,
          .who = who,
          .origin = "the terminal",
          .why = "a demo",
          .before = R"({"condition":"running"})",
          .after = "{}",
          .request_id = request};
}

Result<std::int64_t> record(Library& library, const ActionRow& row, std::int64_t seen) {
  std::int64_t number = 0;
  TRY_VOID(library.change([&](LibraryTx& tx) -> Result<> {
    TRY(number, tx.add_action(row, seen));
    return {};
  }));
  return number;
}

TEST_F(Actions, AreKeptNewestFirstAcrossAReopening) {
  const auto first = record(*library_, action("pause", "os:anna", "r1"), 0).value();
  const auto second = record(*library_, action("resume", "os:ben", "r2"), first).value();
  EXPECT_GT(second, first);
  reopen();
  const auto all = library_->actions(kImport, 0, 10).value();
  ASSERT_EQ(2u, all.size());
  EXPECT_EQ("resume", all[0].verb);
  EXPECT_EQ("os:ben", all[0].who);
  EXPECT_EQ("the terminal", all[1].origin);
  EXPECT_EQ("a demo", all[1].why);
  EXPECT_EQ(R"({"condition":"running"})", all[1].before);
  EXPECT_EQ(5, all[1].at_ms);
  EXPECT_EQ(1u, library_->actions("", second, 10)->size()) << "a page goes on before the number given";
  EXPECT_EQ(0u, library_->actions("imp_other", 0, 10)->size());
}

TEST_F(Actions, OfOneRequestAreOne) {
  const auto first = record(*library_, action("pause", "os:anna", "r1"), 0);
  EXPECT_EQ(first.value(), record(*library_, action("pause", "os:anna", "r1"), 0).value());
  EXPECT_EQ(1u, library_->actions(kImport, 0, 10)->size());
  const auto other = record(*library_, action("cancel", "os:anna", "r1"), 0);
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(Code::kInvalid, other.error().code);
}

TEST_F(Actions, OfTwoAtOnceTheSecondSeesWhatTheFirstDid) {
  const auto seen = record(*library_, action("start", "os:anna", "r1"), 0).value();
  ASSERT_OK(record(*library_, action("pause", "os:anna", "r2"), seen));
  const auto late = record(*library_, action("resume", "os:ben", "r3"), seen);
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(Code::kConflict, late.error().code);
  EXPECT_TRUE(late.error().message.starts_with("import.changed: ")) << late.error().message;
  EXPECT_NE(std::string::npos, late.error().message.find("os:anna did pause (a demo)")) << late.error().message;
  EXPECT_EQ(2u, library_->actions(kImport, 0, 10)->size()) << "what was refused is not an action";
}

TEST_F(Actions, TellWhatCameOfThem) {
  const auto number = record(*library_, action("pause", "os:anna", "r1"), 0).value();
  ASSERT_OK(library_->change([&](LibraryTx& tx) { return tx.set_outcome(number, "the import had ended"); }));
  EXPECT_EQ("the import had ended", library_->actions(kImport, 0, 1)->front().outcome);
}

TEST_F(Actions, ConsentIsGivenOnceForACustomersWorkspace) {
  const ConsentRow anna{.platform = "grain", .workspace = "acme", .customer = "Acme", .who = "os:anna", .at_ms = 7};
  EXPECT_FALSE(library_->consented(anna).value());
  for (int again = 0; again < 2; ++again) {
    ASSERT_OK(library_->change([&](LibraryTx& tx) { return tx.consent(anna); }));
  }
  EXPECT_TRUE(library_->consented(anna).value());
  ConsentRow other = anna;
  other.workspace = "other";
  EXPECT_FALSE(library_->consented(other).value());
  other = anna;
  other.customer = "";
  EXPECT_TRUE(library_->consented(other).value()) << "of any customer of the workspace";
  other.customer = "Other";
  EXPECT_FALSE(library_->consented(other).value());
}

}  // namespace
}  // namespace callimport::storage
