// A large manifest in small memory. CI takes 50,000 rows; CALLIMPORT_MANIFEST_ROWS=1000000 takes as many as the design
// names.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "storage/runtime/posix_disk.h"
#include "tests/storage/library_fixture.h"
#include "tests/storage/scratch_folder.h"

namespace callimport::storage {
namespace {

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kMemoryIsOurs = false;  // the sanitizer's own memory is counted too
#else
constexpr bool kMemoryIsOurs = true;
#endif

std::int64_t row_count() {
  const char* text = std::getenv("CALLIMPORT_MANIFEST_ROWS");
  return text == nullptr ? 50'000 : std::atoll(text);
}

std::int64_t peak_memory_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

class LibraryScale : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = Library::open(disk_, random_, folder_.file("library.db"));
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    library_ = *std::move(opened);
    ASSERT_OK(library_->change([](LibraryTx& tx) { return tx.put_import(import_row()); }));
  }
  template <class Work>
  void timed(const char* what, Work work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    std::cout << what << ": " << took.count() << " ms, peak " << peak_memory_mib() << " MiB\n";
  }
  void add_pages(std::int64_t rows) {
    constexpr std::int64_t kPage = 1'000;
    for (std::int64_t at = 0; at < rows; at += kPage) {
      std::vector<ManifestRow> page;
      for (std::int64_t i = at; i < std::min(at + kPage, rows); ++i) page.push_back(manifest_row(random_.uuid4(), i));
      ASSERT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
        TRY_VOID(tx.add_manifest(kImport, page));
        return {};
      }));
    }
  }
  /// Fetches nothing: skips what comes next, until `batches` are done.
  void skip(Lane lane, int batches) {
    for (int batch = 0; batch < batches; ++batch) {
      ASSERT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
        TRY(const auto rows, tx.next_pending(kImport, lane, 0, 50));
        EXPECT_EQ(50u, rows.size());
        for (const auto& row : rows)
          TRY_VOID(tx.set_state(kImport, row.source_id, CallState::kFailed, "call.private", ""));
        return {};
      }));
    }
  }

  ScratchFolder folder_;
  PosixDisk disk_;
  simulations::SeededRandom random_{7};
  std::unique_ptr<Library> library_;
};

TEST_F(LibraryScale, AManifestIsNeverHeldWhole) {
  const std::int64_t rows = row_count();
  const std::int64_t before = peak_memory_mib();
  timed("add", [&] { add_pages(rows); });
  timed("prioritize 100",
        [&] { ASSERT_OK(library_->change([](LibraryTx& tx) { return tx.prioritize(kImport, 100); })); });
  timed("100 batches of 50", [&] { skip(Lane::kBulk, 100); });
  timed("prioritize 20,000",
        [&] { ASSERT_OK(library_->change([](LibraryTx& tx) { return tx.prioritize(kImport, 20'000); })); });
  timed("retry 5,000", [&] {
    ASSERT_OK(library_->change([](LibraryTx& tx) -> Result<> {
      TRY(const auto retried, tx.retry_failed(kImport, ""));
      EXPECT_EQ(5'000, retried);
      return {};
    }));
  });
  EXPECT_EQ(20'000, library_->manifest_counts(kImport, Lane::kFirst)->total);
  EXPECT_EQ((Counters{.found = rows, .pending = rows}), library_->import(kImport)->counters);
  if (kMemoryIsOurs) EXPECT_LT(peak_memory_mib() - before, 96);
}

/// A contact file comes in by portions, each a transaction of its own, so that an import beside it never waits long.
/// CI takes 20,000 rows; CALLIMPORT_CONTACT_ROWS=1000000 takes as many as the design names.
TEST_F(LibraryScale, ContactsComeInByPortions) {
  const char* text = std::getenv("CALLIMPORT_CONTACT_ROWS");
  const std::int64_t rows = text == nullptr ? 20'000 : std::atoll(text);
  const std::int64_t before = peak_memory_mib();
  std::chrono::steady_clock::duration longest{};
  timed("contacts", [&] {
    for (std::int64_t at = 0; at < rows; at += 1'000) {
      const auto start = std::chrono::steady_clock::now();
      ASSERT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
        for (std::int64_t i = at; i < std::min(at + 1'000, rows); ++i) {
          const std::string n = std::to_string(i), company = std::to_string(i % 5'000);
          Contact contact;
          contact.name = "Person " + n;
          contact.email = "person" + n + "@company" + company + ".example";
          contact.company = "Company " + company;
          TRY(const auto change, tx.put_person(contact));
          EXPECT_EQ(PersonChange::kAdded, change);
        }
        return {};
      }));
      longest = std::max(longest, std::chrono::steady_clock::now() - start);
    }
  });
  std::cout << "longest portion: " << std::chrono::duration<double, std::milli>(longest).count() << " ms\n";
  EXPECT_EQ(rows, library_->people_counts()->people);
  if (kMemoryIsOurs) EXPECT_LT(peak_memory_mib() - before, 96);
}

}  // namespace
}  // namespace callimport::storage
