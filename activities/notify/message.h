#pragma once
// One message on one channel to one recipient, as the rules decided, and what a channel answers.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/library/records.h"
#include "storage/model/time.h"

namespace callimport::activities {

struct Recipient {
  std::string id;  ///< a person of the configuration, or the channel's own: "#imports", an endpoint's id
  std::string name, address, zone;
  bool customer = false;
};

/// What the message does in its thread: begins it, changes the root that is there, answers it, or answers it for
/// everybody to see. A channel that knows no roots and broadcasts only gets roots and replies.
enum class Form : std::uint8_t { kRoot, kEditRoot, kReply, kBroadcast };
std::string_view to_string(Form form);  ///< root, edit_root, reply, broadcast
Form form_of(std::string_view text);    ///< what is none of them is a reply

struct Message {
  std::string id;           ///< stable over retries and restarts: what a Message-ID and a webhook's id derive from
  std::string import;       ///< empty: of several (a digest, a platform's outage)
  std::string thread;       ///< the import's id, or the escalation's own
  std::string root_ref;     ///< what the channel answered for the thread's first message; empty: there is none yet
  std::string earlier_ref;  ///< of the message this one changes; empty: it changes none
  Form form = Form::kReply;
  Recipient to;
  std::vector<storage::Notification> news;  ///< oldest first; merged ones are several
  storage::ImportRow import_row;            ///< as it stands now; without an import: empty
  int attempt = 1;                          ///< above 1: an earlier one may have arrived
  std::string why = {};                     ///< the rule that brought it to this reader; empty: none was kept
  std::vector<std::string> muted = {};      ///< ids of people who want no more of this: not to be mentioned
  std::string others = {};                  ///< names of who else is told of the newest record; not for customers
};

struct Sent {
  std::string ref;       ///< what the channel knows it by: a Slack ts, a Message-ID
  std::string rendered;  ///< the exact text, for the log
};
struct Refused {
  bool ever_again = true;      ///< false: this recipient will never take it
  std::string reason;          ///< no secret in it
  std::optional<Nanos> after;  ///< when the other side says so, or the channel's own ladder
  bool everyone = false;       ///< with `after`: nothing goes to anybody on this channel until then
};

}  // namespace callimport::activities
