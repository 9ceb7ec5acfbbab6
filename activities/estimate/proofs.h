#pragma once
// The checks of a survey (ux NW-04): what each found, in a sentence.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "activities/estimate/survey.h"
#include "activities/import/session.h"

namespace callimport::activities {

inline constexpr int kCallsProven = 3;  ///< of the first page: their details, one transcript, their recordings' sizes

/// What the headers of the platform's replies told.
struct RepliesSeen {
  const Platform* platform = nullptr;
  Clock* clock = nullptr;
  std::optional<std::int64_t> ahead_ms;  ///< our clock before the platform's; negative: behind it
  std::optional<int> per_minute, remaining;
  void saw(const HttpReply& reply);
};

/// Writes into the state's checks, which all stand there as not made from the beginning.
class Checklist {
 public:
  /// @param only  names of those that are wanted; empty: all
  Checklist(SurveyState& state, Clock& clock, const std::vector<std::string>& only);
  bool wants(std::string_view name) const;
  /// Of one that is not wanted: nothing.
  void set(std::string_view name, CheckResult result, std::string text);

  void access(const Platform& platform, const std::string& token_kind, const Fetched<ListPage>& first);
  void replies(const Platform& platform, const RepliesSeen& replies, Seen& seen);
  void duplicates(const Seen& seen);

 private:
  SurveyState& state_;
  Clock& clock_;
};

/// Trouble in words, with its cause.
std::string trouble_words(const Trouble& trouble);

/// A few calls of the first page, spread over it: details, a transcript, and the first byte of their recordings, as far
/// as their checks are wanted.
Awaitable<void> prove_calls(std::shared_ptr<Session> session, std::vector<storage::ManifestRow> calls, bool media,
                            Checklist& checks, SurveyState& state);

/// Whether the recordings fit on the disk.
Awaitable<void> check_storage(SharedDeps deps, const SurveyOrder& order, Checklist& checks, const SurveyState& state);

}  // namespace callimport::activities
