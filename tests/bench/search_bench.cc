// Search over 2,000,000 transcript segments, newest first, a page of 50 hits: a mix of what people type. The base is
// made once through the library itself, the same on every machine, and kept in build/bench (about 700 MB): words by a
// Zipf-Mandelbrot law over 80,000, so that the commonest stand in half of all segments and the rarest in a few.
// CALLIMPORT_SEARCH_CALLS=100 makes a small one.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "simulations/world/seeded_random.h"
#include "storage/library/library.h"
#include "storage/model/ensure.h"
#include "storage/runtime/posix_disk.h"

namespace callimport::storage {
namespace {

constexpr std::int64_t kSegmentsPerCall = 200, kCallsPerImport = 2'500, kCallsPerCommit = 50;
constexpr std::int64_t kNewest = 1'795'000'000'000, kBetweenCalls = 45 * 60'000;
constexpr std::size_t kVocabulary = 80'000;
constexpr int kBaseVersion = 2;  ///< grows when the base is made otherwise

std::int64_t call_count() {
  const char* text = std::getenv("CALLIMPORT_SEARCH_CALLS");
  return text == nullptr ? 10'000 : std::atoll(text);
}

/// The word of a rank: letters, different for each.
std::string word(std::size_t rank) {
  static constexpr std::string_view kStarts = "bdfghklmnprstvz", kVowels = "aeiou";
  std::string out;
  for (std::size_t left = rank + 1; left > 0; left /= 75) {
    out += kStarts[left % 75 / 5];
    out += kVowels[left % 5];
  }
  return out;
}

/// One of 400 people.
std::string name_of(std::uint64_t number) { return word(3'000 + number % 40) + ' ' + word(4'000 + number / 40); }

class Words {
 public:
  Words() {
    double sum = 0;
    for (std::size_t rank = 0; rank < kVocabulary; ++rank) {
      sum += 1.0 / (static_cast<double>(rank) + 2.7);
      upto_.push_back(sum);
    }
  }
  std::string some(simulations::SeededRandom& random) const {
    const double at = static_cast<double>(random.below(1u << 30)) / static_cast<double>(1u << 30) * upto_.back();
    return word(static_cast<std::size_t>(std::upper_bound(upto_.begin(), upto_.end(), at) - upto_.begin()));
  }
  std::string sentence(simulations::SeededRandom& random) const {
    std::string out = some(random);
    for (std::uint64_t more = 4 + random.below(16); more > 0; --more) out += ' ' + some(random);
    return out;
  }

 private:
  std::vector<double> upto_;
};

Call call_of(std::int64_t number, const Words& words, simulations::SeededRandom& random) {
  Call call;
  call.source_id = "call-" + std::to_string(number);
  call.title = "Meeting on " + word(1'000 + random.below(5'000)) + ' ' + word(random.below(1'000));
  call.source = number % 3 == 0 ? "zoom" : "meet";
  call.media_type = number % 4 == 0 ? "audio" : "video";
  call.start_ms = kNewest - number * kBetweenCalls;
  call.duration_ms = static_cast<std::int64_t>(5 + random.below(70)) * 60'000;
  call.transcript_state = "ready";
  call.details = "{}";
  call.fetched_ms = kNewest;
  for (int side = 0; side < 2; ++side) {
    Participant person;
    person.source_id = "p" + std::to_string(side);
    person.name = name_of(random.below(400));
    person.email = "person" + std::to_string(random.below(900)) +
                   (side == 0 ? "@ours.example" : "@customer" + std::to_string(random.below(300)) + ".com");
    call.participants.push_back(std::move(person));
  }
  for (std::int64_t i = 0; i < kSegmentsPerCall; ++i) {
    const auto& who = call.participants[static_cast<std::size_t>(i % 2)];
    call.segments.push_back({who.name, who.source_id, i * 9'000, i * 9'000 + 8'000, words.sentence(random)});
  }
  return call;
}

void take_in(Library& library, std::int64_t calls) {
  const Words words;
  simulations::SeededRandom random(11);
  for (std::int64_t at = 0; at < calls; at += kCallsPerCommit) {
    const std::string import = "imp_bench" + std::to_string(at / kCallsPerImport);
    const auto done = library.change([&](LibraryTx& tx) -> Result<> {
      if (at % kCallsPerImport == 0) {
        ImportRow row;
        row.id = import;
        row.platform = "grain";
        row.workspace = "acme";
        row.input = "{}";
        row.first.stage = row.bulk.stage = "fetch";
        row.first.condition = row.bulk.condition = "running";
        TRY_VOID(tx.put_import(row));
      }
      for (std::int64_t number = at; number < std::min(at + kCallsPerCommit, calls); ++number) {
        const Call call = call_of(number, words, random);
        ManifestRow found;
        found.source_id = call.source_id;
        found.start_ms = call.start_ms;
        TRY_VOID(tx.add_manifest(import, {found}));
        TRY_VOID(tx.register_call(import, call));
      }
      return {};
    });
    ENSURE(done.has_value());
  }
}

/// The base; made when it is not there whole.
Library& base() {
  static PosixDisk disk;
  static simulations::SeededRandom random(7);
  static const std::unique_ptr<Library> library = [] {
    const std::int64_t calls = call_count();
    const std::string folder = "build/bench/search-" + std::to_string(calls) + "-v" + std::to_string(kBaseVersion);
    const bool whole = std::filesystem::exists(folder + "/whole");
    if (!whole) std::filesystem::remove_all(folder);
    ENSURE(disk.make_dirs(folder).has_value());
    auto opened = Library::open(disk, random, folder + "/library.db");
    ENSURE(opened.has_value());
    if (whole) return *std::move(opened);
    std::cerr << "search_bench: making " << calls * kSegmentsPerCall << " segments in " << folder << '\n';
    const auto start = std::chrono::steady_clock::now();
    take_in(**opened, calls);
    ENSURE((*opened)->checkpoint().has_value());
    ENSURE(disk.open(folder + "/whole", OpenMode::kCreate).has_value());
    std::cerr << "search_bench: made in "
              << std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() << " s\n";
    return *std::move(opened);
  }();
  return *library;
}

/// Two words that stand side by side somewhere.
std::string phrase(const Words& words, simulations::SeededRandom& random) {
  return "\"" + words.some(random) + ' ' + words.some(random) + "\"";
}
std::string ranked(simulations::SeededRandom& random, std::size_t from, std::size_t to) {
  return word(from + random.below(to - from));
}

enum Kind {
  kRare,
  kCommon,
  kTwoWords,
  kThreeCommon,
  kPhrase,
  kExcluded,
  kSpeaker,
  kDate,
  kImport,
  kLength,
  kCustomer,
  kKinds
};
constexpr const char* kNames[] = {
    "rare word", "common word", "two words", "three common words", "phrase",   "exclusion",
    "speaker:",  "date:",       "import:",   "length: platform:",  "customer:"};
constexpr int kShares[] = {20, 20, 10, 5, 15, 5, 5, 8, 4, 4, 4};  ///< of a hundred

std::string query_of(Kind kind, const Words& words, simulations::SeededRandom& random) {
  const auto common = [&] { return ranked(random, 0, 50); };
  switch (kind) {
    case kRare: return ranked(random, 20'000, kVocabulary);
    case kCommon: return common();
    case kTwoWords: return ranked(random, 20, 2'000) + ' ' + ranked(random, 20, 2'000);
    case kThreeCommon: return common() + ' ' + common() + ' ' + common();
    case kPhrase: return phrase(words, random);
    case kExcluded: return ranked(random, 50, 1'000) + " -" + common();
    case kSpeaker: return common() + " speaker:\"" + name_of(random.below(400)) + "\"";
    case kDate: return ranked(random, 0, 2'000) + " date:2026-0" + std::to_string(1 + random.below(9));
    case kImport: return common() + " import:imp_bench" + std::to_string(random.below(4));
    case kLength: return common() + " length:>70m platform:zoom";
    default: return common() + " customer:customer" + std::to_string(random.below(300)) + ".com";
  }
}

double percentile(std::vector<double>& sorted, double part) {
  return sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(part * static_cast<double>(sorted.size())))];
}

void report(benchmark::State& state, std::vector<double> took_ms, std::int64_t hits) {
  std::sort(took_ms.begin(), took_ms.end());
  state.counters["queries"] = static_cast<double>(took_ms.size());
  state.counters["p50_ms"] = percentile(took_ms, 0.50);
  state.counters["p95_ms"] = percentile(took_ms, 0.95);
  state.counters["p99_ms"] = percentile(took_ms, 0.99);
  state.counters["worst_ms"] = took_ms.back();
  state.counters["hits"] = static_cast<double>(hits) / static_cast<double>(took_ms.size());
}

double ask(const std::string& query, SearchOrder order, std::int64_t& hits) {
  const auto start = std::chrono::steady_clock::now();
  const auto page = base().search({.query = query, .limit = 50, .order = order});
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  ENSURE(page.has_value());
  hits += std::ssize(page->hits);
  return took.count();
}

void mixed(benchmark::State& state, SearchOrder order) {
  const Words words;
  (void)base();
  for (auto _ : state) {
    simulations::SeededRandom random(3);
    std::vector<double> took_ms;
    std::int64_t hits = 0;
    for (int i = 0; i < 1'000; ++i) {
      auto at = static_cast<int>(random.below(100));
      int kind = 0;
      while (at >= kShares[kind]) at -= kShares[kind++];
      took_ms.push_back(ask(query_of(static_cast<Kind>(kind), words, random), order, hits));
    }
    report(state, std::move(took_ms), hits);
  }
}
void mixed_newest_first(benchmark::State& state) { mixed(state, SearchOrder::kNewest); }
BENCHMARK(mixed_newest_first)->Iterations(1)->UseRealTime()->Unit(benchmark::kMillisecond);

void of_a_kind(benchmark::State& state) {
  const Words words;
  const auto kind = static_cast<Kind>(state.range(0));
  state.SetLabel(kNames[kind]);
  (void)base();
  for (auto _ : state) {
    simulations::SeededRandom random(5);
    std::vector<double> took_ms;
    std::int64_t hits = 0;
    for (int i = 0; i < 100; ++i) took_ms.push_back(ask(query_of(kind, words, random), SearchOrder::kNewest, hits));
    report(state, std::move(took_ms), hits);
  }
}
BENCHMARK(of_a_kind)->DenseRange(0, kKinds - 1)->Iterations(1)->UseRealTime()->Unit(benchmark::kMillisecond);

/// Best first: among the newest 10,000 hits.
void common_word_best_first(benchmark::State& state) {
  (void)base();
  for (auto _ : state) {
    simulations::SeededRandom random(5);
    std::vector<double> took_ms;
    std::int64_t hits = 0;
    for (int i = 0; i < 20; ++i) took_ms.push_back(ask(ranked(random, 0, 50), SearchOrder::kBest, hits));
    report(state, std::move(took_ms), hits);
  }
}
BENCHMARK(common_word_best_first)->Iterations(1)->UseRealTime()->Unit(benchmark::kMillisecond);

void facets_of_a_common_word(benchmark::State& state) {
  (void)base();
  for (auto _ : state) {
    simulations::SeededRandom random(5);
    std::vector<double> took_ms;
    std::int64_t hits = 0;
    for (int i = 0; i < 10; ++i) {
      const auto start = std::chrono::steady_clock::now();
      const auto facets = base().facets({.query = ranked(random, 0, 50)});
      const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
      ENSURE(facets.has_value());
      took_ms.push_back(took.count());
      hits += facets->hits;
    }
    report(state, std::move(took_ms), hits);
  }
}
BENCHMARK(facets_of_a_common_word)->Iterations(1)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace callimport::storage

BENCHMARK_MAIN();
