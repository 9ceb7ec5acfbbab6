#pragma once
// What becomes of records: messages to people and channels, and for each record and recipient the rule that decided.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/library/agenda.h"
#include "storage/library/mutes.h"
#include "storage/library/records.h"
#include "storage/model/result.h"
#include "storage/runtime/random.h"
#include "storage/sqlite/database.h"

namespace callimport::storage {

/// One message on one channel to one recipient. What is sent twice after a death has the same id twice.
struct MessageRow {
  std::int64_t number = 0;  ///< grows
  std::string id;           ///< msg_...; empty: to be made
  std::string import;       ///< empty: of several
  std::string thread, channel;
  std::string recipient, name, address, zone;
  bool customer = false;
  std::string form = "reply";      ///< root, edit_root, reply, broadcast
  std::string weight = "routine";  ///< of the gravest record in it
  std::string state = "queued";    ///< queued, sent, bounced, failed, suppressed
  std::int64_t made_ms = 0;
  std::int64_t due_ms = 0;  ///< not to go before
  std::optional<std::int64_t> ended_ms = std::nullopt;
  int attempts = 0;  ///< begun; from the first on nothing joins it
  std::string error = {}, ref = {}, rendered = {}, instead_of = {};
};

/// What became of one record for one recipient of one channel.
struct ToldRow {
  std::string notification, channel, recipient, form;
  std::string state;    ///< carried, merged (its message tells another record first), suppressed
  std::string why;      ///< the rule, in words
  std::string message;  ///< empty: in none
};

/// One of these with its record and its message's state, for whoever asks why.
struct ToldLine {
  ToldRow told;
  std::int64_t at_ms = 0;
  std::string event, message_state;  ///< message_state empty: in no message
};

/// What is empty or 0 does not filter. Newest first.
struct MessageFilter {
  std::string import = {}, recipient = {}, channel = {}, state = {};
  std::int64_t before = 0;        ///< messages of smaller numbers
  std::string notification = {};  ///< messages that carry this record
  int limit = 50;
};

struct ChannelHealth {
  std::string channel;
  std::optional<std::int64_t> sent_ms = std::nullopt;        ///< last success
  std::optional<std::int64_t> failed_ms = std::nullopt;      ///< last trouble
  std::string error = {};                                    ///< of that
  std::int64_t queued = 0;                                   ///< messages that should have gone
  std::optional<std::int64_t> oldest_due_ms = std::nullopt;  ///< of these
};

/// Calls of a manifest together, and those that cannot come across by cause.
struct ManifestSums {
  std::int64_t calls = 0, with_length = 0, length_ms = 0;  ///< length_ms: of those with_length
  std::vector<Problem> problems;
};

inline constexpr std::size_t kRenderedBytesMax = 64u << 10;  ///< longer texts are cut

class TellingReads {
 public:
  explicit TellingReads(Database& db);

  Result<std::vector<Notification>> unrouted(int limit);  ///< oldest first
  Result<std::optional<Notification>> record(const std::string& id);
  Result<std::vector<ToldRow>> told(const std::string& notification);
  /// Of an import or one record (the other empty); empty recipient: for everybody. Newest record first.
  Result<std::vector<ToldLine>> told_lines(const std::string& import, const std::string& notification,
                                           const std::string& recipient, int limit);
  Result<std::vector<MessageRow>> messages(const MessageFilter& filter);  ///< without texts
  Result<std::optional<MessageRow>> message(const std::string& id);
  Result<std::vector<Notification>> news(const std::string& message);  ///< of a message, oldest first

  /// Queued messages of a channel that may go: due, and the first of their line, which is (recipient, thread); changes
  /// of a root are a line of their own behind it. What must be acted on comes first.
  Result<std::vector<MessageRow>> ready(const std::string& channel, std::int64_t now_ms, int limit);
  /// When the next queued message that is not due yet will be.
  Result<std::optional<std::int64_t>> next_due_ms(std::int64_t now_ms);
  Result<std::vector<std::string>> queued_channels();
  /// The newest message of a line that waits and has not been begun; `edits`: among those that change a root.
  Result<std::optional<MessageRow>> joinable(const std::string& channel, const std::string& recipient,
                                             const std::string& thread, bool edits);
  /// What the channel answered for the first message of the thread to this recipient; empty: none yet.
  Result<std::string> root_ref(const std::string& channel, const std::string& recipient, const std::string& thread);
  /// Whether anything was ever made for this line.
  Result<bool> has_line(const std::string& channel, const std::string& recipient, const std::string& thread);
  /// Messages that went to a recipient on all channels since then, root edits left out.
  Result<std::int64_t> sent_since(const std::string& recipient, std::int64_t since_ms);
  /// Messages of routine records alone that a line has had.
  Result<std::int64_t> routine_made(const std::string& channel, const std::string& recipient,
                                    const std::string& thread);
  Result<std::vector<ChannelHealth>> health(std::int64_t now_ms);

  /// Failed and skipped calls of an import by cause, without examples and times.
  Result<std::vector<Problem>> troubles(const std::string& import);
  /// What the manifest of an import holds, for whoever tells that it is counted. Reads all of it.
  Result<ManifestSums> manifest_sums(const std::string& import);

  AgendaReads& agenda() { return agenda_; }
  MuteReads& mutes() { return mutes_; }

 private:
  Statement unrouted_, record_, told_, told_lines_, messages_, message_, news_, ready_, next_, channels_, joinable_,
      root_, line_, made_, routine_, health_, troubles_, lengths_;
  AgendaReads agenda_;
  MuteReads mutes_;
};

/// Inside a transaction of the writer; its reads see what was written before in the same.
class TellingWrites {
 public:
  TellingWrites(Database& db, Random& random);

  Result<> routed(const std::string& notification);
  /// Answers its id.
  Result<std::string> add(MessageRow message);
  /// Another record joins a message that waits: form, weight and due as given.  @error kNotFound  it does not wait
  Result<> join(const std::string& message, const std::string& form, const std::string& weight, std::int64_t due_ms);
  Result<> tell(const ToldRow& row);  ///< again: the newer word holds
  /// The newest record of a message carries it, those before are merged into it.
  Result<> merge_told(const std::string& message, const std::string& newest);
  /// A send begins.  @error kNotFound  it is not queued any more
  Result<> begin(const std::string& message);
  Result<> put_off(const std::string& message, std::int64_t due_ms, const std::string& error);
  /// sent, bounced, failed or suppressed.
  Result<> end(const std::string& message, const std::string& state, std::int64_t at_ms, const std::string& error,
               const std::string& ref, const std::string& rendered);

  TellingReads& reads() { return reads_; }
  AgendaWrites& agenda() { return agenda_; }
  MuteWrites& mutes() { return mutes_; }

 private:
  Database& db_;
  Random& random_;
  TellingReads reads_;
  AgendaWrites agenda_;
  MuteWrites mutes_;
  Statement routed_, add_, join_, tell_, merge_, begin_, put_off_, end_;
};

}  // namespace callimport::storage
