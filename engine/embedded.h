#pragma once
// The embedded service: Temporal's server rules (conformance C) over one journal, on one loop.
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/operator_service.h"
#include "engine/workflow_service.h"
#include "storage/journal/journal.h"
#include "storage/runtime/clock.h"
#include "storage/runtime/random.h"

namespace callimport::engine {

struct EmbeddedOptions {
  std::vector<std::string> namespaces = {"default"};  ///< made sure of at open; not empty
  std::chrono::seconds retention =
      std::chrono::hours{24};  ///< theirs; a changed one is obeyed, else UpdateNamespace's stays
  std::chrono::seconds long_poll = std::chrono::seconds{60};
  /// Workers of this process are named so (a prefix of their identity). What such a worker had started when the service
  /// last stopped is lost for certain, so at open it is timed out at once instead of when its own limit passes. Empty:
  /// nobody.
  std::string own_workers;
  std::map<std::string, std::string>
      search_attributes;  ///< in each of them: name -> type (Keyword, Text, Int, Double, Bool, Datetime, KeywordList)
  std::string address;    ///< host:port that ListClusters names
  // Limits of conformance C.16, of one run where nothing else is said; tests lower them.
  int history_events_max = 51'200;
  int history_events_suggest = 4'096;
  std::size_t history_bytes_max = 50u << 20;
  std::size_t history_bytes_suggest = 4u << 20;
  std::size_t state_bytes_max = 8u << 20;    ///< of what is known of it beside its history
  std::size_t blob_bytes_max = 2u << 20;     ///< one result, failure, input, details ...
  std::size_t blob_bytes_warn = 512u << 10;  ///< a failure beyond the maximum is cut to this
  std::size_t memo_bytes_max = 2u << 20;
  int signals_max = 10'000;
  int buffered_events_max = 100;
  std::size_t buffered_bytes_max = 2u << 20;
  std::size_t updates_in_flight_max = 10;
  std::size_t updates_in_flight_bytes_max = 20u << 20;
  std::size_t updates_max = 2'000;  ///< in all
  int pending_activities_max = 2'000;
  int pending_children_max = 2'000;
  int pending_signals_max = 2'000;  ///< to other workflows
  int pending_cancels_max = 2'000;  ///< of other workflows
  /// The time of callers: deadlines of calls, and how long closed runs stay. Null: the same clock as the runs'; another
  /// one where the runs' can jump. Outlives the service.
  Clock* callers_clock = nullptr;
  /// Called on the loop after each turn of work: `at_rest` may have become true.
  std::function<void()> settled;
  std::size_t history_cache_bytes_max = 256u << 20;  ///< open runs' events kept in memory; beyond it they are read back
};

class EmbeddedService : public WorkflowService, public OperatorService {
 public:
  /// Recovers from `journal` (blocking, start-up only), arms timers, and is ready.
  /// @error kCorrupt  a journal row that does not parse or does not follow its run.
  /// @error kInvalid  a search attribute of the options that a namespace has with another type.
  static Result<std::unique_ptr<EmbeddedService>> open(storage::Journal& journal, Executor& loop, Clock& clock,
                                                       Random& random, EmbeddedOptions options);
  struct Figures {
    std::size_t open_runs = 0, closed_runs = 0, pending_polls = 0;
  };
  virtual Figures figures() const = 0;
  /// Nothing is in anybody's hand: no workflow task that waits or runs, no activity attempt that is due or runs, no
  /// query, nothing on its way to the journal. What happens next happens by time alone, or from outside. Linear in open
  /// runs.
  virtual bool at_rest() const = 0;
  /// No new work; pending long polls are answered empty; `done` when all that was acknowledged is durable.
  virtual void stop(std::function<void()> done) = 0;
};

}  // namespace callimport::engine
