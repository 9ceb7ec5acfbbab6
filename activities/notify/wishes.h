#pragma once
// Who gets a record, on which channel and in which form, and the rule that says so: pure.
#include <cstdint>
#include <string>
#include <vector>

#include "activities/notify/channel.h"
#include "activities/notify/people.h"
#include "storage/library/mutes.h"

namespace callimport::activities {

/// Stage changes of one import within this time become one message, unless what matters more comes first (N-01).
inline constexpr std::int64_t kMergeMs = 10 * 60 * 1'000;

/// What one channel is to the rules.
struct ChannelView {
  std::string name;
  Manner manner;
  std::vector<Recipient> own;  ///< of its own recipients those that this record goes to
};

/// Who a wish is for.
enum class Kind : std::uint8_t { kPerson, kCustomer, kOwn };

/// One record for one recipient.
struct Wish {
  std::string event;
  Kind kind = Kind::kOwn;
  Part part = Part::kWatcher;  ///< of a person
  std::string channel;
  Recipient to;
  std::string thread;
  Form form = Form::kReply;
  Weight weight = Weight::kRoutine;
  bool suppressed = false;
  std::string why;          ///< the rule, in words
  std::int64_t due_ms = 0;  ///< not to go before
  bool merges = true;       ///< may join what waits
};

/// Changes of a root come together for so long.
inline constexpr std::int64_t kEditMs = 5'000;

/// @param hush    not empty: people and channels are not told, and why; roots still show it
/// @param now_ms  when it is routed: a record of before a restart is due at once, not late
/// @param mutes   that hold for the record (muting.h)
std::vector<Wish> wishes(const storage::Notification& record, const storage::ImportRow& import, const Roster& roster,
                         const std::vector<ChannelView>& channels, const std::string& hush, std::int64_t now_ms,
                         const std::vector<storage::MuteRow>& mutes = {});
/// How much a record matters where it is told: the first calls of an import that has no others are told with its end.
Weight weight_in(const storage::Notification& record, const storage::ImportRow& import);

}  // namespace callimport::activities
