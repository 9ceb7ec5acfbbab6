#pragma once
// Calls of an import that are being fetched at this moment: the same meeting under a second id waits until the first is
// staged, instead of being fetched beside it. In memory only: what is staged is known to the library.
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "storage/library/duplicates.h"

namespace callimport::activities {

/// Threads: the loop. As many calls as are fetched at once and not staged yet.
class CallsUnderWay {
 public:
  /// One call's place, from its details until it is staged. Empty when it was moved from.
  class Claim {
   public:
    Claim() = default;
    Claim(Claim&& other) noexcept
        : calls_(std::move(other.calls_)), import_(std::move(other.import_)), id_(other.id_) {}
    Claim& operator=(Claim&& other) noexcept {
      release();
      calls_ = std::move(other.calls_);
      import_ = std::move(other.import_);
      id_ = other.id_;
      return *this;
    }
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;
    ~Claim() { release(); }

    /// On the loop; again does nothing.
    void release() {
      if (const auto calls = std::exchange(calls_, nullptr)) calls->forget(import_, id_);
    }

   private:
    friend class CallsUnderWay;
    Claim(std::shared_ptr<CallsUnderWay> calls, std::string import, std::uint64_t id)
        : calls_(std::move(calls)), import_(std::move(import)), id_(id) {}
    std::shared_ptr<CallsUnderWay> calls_;  // also the activities': a step may end after the worker
    std::string import_;
    std::uint64_t id_ = 0;
  };

  /// Nothing where another call of the import that is under way is the same meeting.
  static std::optional<Claim> claim(const std::shared_ptr<CallsUnderWay>& calls, const std::string& import,
                                    const std::string& source_id, storage::MeetingFacts facts) {
    auto& mine = calls->imports_[import];
    for (const auto& [id, one] : mine) {
      const bool same = one.source_id != source_id && storage::compare(one.facts, facts) != storage::Sameness::kOther;
      if (same) return std::nullopt;
    }
    const std::uint64_t id = ++calls->last_;
    mine.emplace(id, Meeting{source_id, std::move(facts)});
    return Claim(calls, import, id);
  }

 private:
  struct Meeting {
    std::string source_id;
    storage::MeetingFacts facts;
  };
  void forget(const std::string& import, std::uint64_t id) {
    const auto found = imports_.find(import);
    if (found == imports_.end()) return;
    found->second.erase(id);
    if (found->second.empty()) imports_.erase(found);
  }

  std::map<std::string, std::map<std::uint64_t, Meeting>> imports_;
  std::uint64_t last_ = 0;
};

}  // namespace callimport::activities
