#pragma once
// A library on the simulated disk, a seeded Random, and rows to put into it.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "simulations/world/seeded_random.h"
#include "simulations/world/sim_disk.h"
#include "storage/library/library.h"

namespace callimport::storage {

inline const char* kImport = "imp_1";

inline ImportRow import_row(const std::string& id = kImport, const std::string& workspace = "acme") {
  ImportRow row;
  row.id = id;
  row.platform = "grain";
  row.workspace = workspace;
  row.title = "Acme calls";
  row.credential = "cred_1";
  row.input = "{}";
  row.created_ms = 1'000;
  row.first = {.stage = "authenticate", .condition = "running", .reason = {}, .who = {}, .why = {}, .until_ms = {}};
  row.bulk = row.first;
  return row;
}

inline ManifestRow manifest_row(const std::string& source_id, std::int64_t start_ms = 5'000) {
  ManifestRow row;
  row.source_id = source_id;
  row.start_ms = start_ms;
  row.title = "Call " + source_id;
  row.media_type = "audio";
  return row;
}

inline Segment segment(const std::string& text, std::int64_t start_ms = 0) {
  return {.speaker = "Ada", .participant = "p1", .start_ms = start_ms, .end_ms = start_ms + 900, .text = text};
}

/// Different for each call, as recordings are.
inline std::string hash_for(const std::string& source_id) {
  std::string hash;
  for (const char c : source_id) hash += "0123456789abcdef"[static_cast<unsigned char>(c) % 16];
  hash += std::to_string(std::hash<std::string>{}(source_id) % 1'000'000'007);
  return hash.size() > 64 ? hash.substr(hash.size() - 64) : hash + std::string(64 - hash.size(), 'a');
}

inline Call call_with(const std::string& source_id, std::vector<Segment> segments) {
  Call call;
  call.platform = "grain";
  call.workspace = "acme";
  call.source_id = source_id;
  call.title = "Call " + source_id;
  call.source = "zoom";
  call.media_type = "audio";
  call.start_ms = 5'000;
  call.end_ms = 65'000;
  call.duration_ms = 60'000;
  call.tags = {"renewal", "été"};
  call.participants = {
      {.source_id = "p1",
       .name = "Ada",
       .email = "ada@example.com",
       .scope = "internal",
       .attended = true,
       .host = true},
      {.source_id = "p2", .name = "Bob", .email = "", .scope = "external", .attended = {}, .host = false}};
  call.segments = std::move(segments);
  call.media = MediaFacts{.hash = hash_for(source_id),
                          .bytes = 1'000,
                          .container = "mp4",
                          .audio_codec = "aac",
                          .video_codec = "",
                          .duration_ms = 60'000};
  call.transcript_state = "ready";
  call.details = R"({"language":"en"})";
  call.fetched_ms = 9'000;
  call.privacy = "team";
  return call;
}

#define ASSERT_OK(expression)                                        \
  do {                                                               \
    const auto& assert_ok = (expression);                            \
    ASSERT_TRUE(assert_ok.has_value()) << assert_ok.error().message; \
  } while (false)
#define EXPECT_OK(expression)                                        \
  do {                                                               \
    const auto& expect_ok = (expression);                            \
    EXPECT_TRUE(expect_ok.has_value()) << expect_ok.error().message; \
  } while (false)

class LibraryTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(disk_.make_dirs("data"));
    reopen();
    ASSERT_OK(library_->change([](LibraryTx& tx) { return tx.put_import(import_row()); }));
  }
  void reopen() {
    library_.reset();
    auto opened = Library::open(disk_, random_, path_);
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    library_ = *std::move(opened);
  }
  void add(const std::vector<ManifestRow>& rows) {
    ASSERT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
      TRY_VOID(tx.add_manifest(kImport, rows));
      return {};
    }));
  }
  void add_calls(const std::vector<std::string>& source_ids) {
    std::vector<ManifestRow> rows;
    for (const auto& id : source_ids) rows.push_back(manifest_row(id));
    add(rows);
  }
  /// Into the manifest, staged and registered.
  void take_in(const Call& call) {
    add_calls({call.source_id});
    ASSERT_OK(library_->change([&](LibraryTx& tx) { return tx.stage(kImport, call); }));
    ASSERT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
      TRY_VOID(tx.register_call(kImport, call));
      return {};
    }));
  }
  Counters counters() { return library_->import(kImport).value().counters; }

  simulations::SimDisk disk_;
  std::string path_ = "data/library.db";
  simulations::SeededRandom random_{7};
  std::unique_ptr<Library> library_;
};

}  // namespace callimport::storage
