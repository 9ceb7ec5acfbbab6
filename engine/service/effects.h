#pragma once
// What may be seen outside only after a commit: replies and task hand-outs, held by the group of rows they wait for.
#include <memory>
#include <utility>
#include <vector>

#include "engine/service/history_batches.h"
#include "engine/workflow_service.h"
#include "storage/journal/journal.h"

namespace callimport::engine {

struct OpenRun;
struct ClosedRun;

/// Acts once, or is refused once when its rows could not be written.
class Effect {
 public:
  virtual ~Effect() = default;
  virtual void act() = 0;
  virtual void refuse(const PortStatus& status) = 0;
  /// What a caller will be told; null: this is no answer.
  virtual const PortStatus* decided() const { return nullptr; }
};

/// A pending RPC: the caller's number and where the answer goes.
template <class Response>
struct Call {
  std::uint64_t number = 0;
  Reply<Response> reply;
};

/// Rows of one append and what waits for them.
struct Group {
  struct Written {
    storage::RunKey run = 0;
    storage::Seq previous = 0;
  };
  std::vector<Written> written;  ///< rows handed to the journal
  std::vector<storage::JournalRow> rows;
  std::vector<storage::ClosedHistory> closed;
  std::vector<storage::Snapshot> snapshots;
  std::vector<std::unique_ptr<Effect>> effects;
  std::vector<storage::RunKey> erased;              ///< runs of which nothing is kept
  std::vector<std::unique_ptr<ClosedRun>> removed;  ///< closed ones among them: they come back when this fails
  std::vector<std::unique_ptr<OpenRun>> ended;  ///< runs that closed here; their events serve reads until the commit
};

}  // namespace callimport::engine
