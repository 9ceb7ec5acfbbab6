#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "api/cli/imports.h"
#include "api/cli/shape.h"
#include "api/cli/temporal_imports.h"
#include "api/cli/tree.h"
#include "api/cli/watch_screen.h"
#include "api/grpc/router.h"

namespace callimport::api {
namespace {

using std::chrono::milliseconds;

inline constexpr milliseconds kAskEvery{2'000};  // where Temporal alone answers
inline constexpr std::int64_t kProblemsEveryMs = 5'000;

struct Resume {
  std::int64_t change = 0, entry = 0;
};

enum class StreamEnd { kClosed, kLost, kNoLibrary, kInterrupted, kNeedsPerson, kTimeout };

/// True once whoever read our stdout has gone, as after `| grep -m1`: a stream that says nothing would never notice.
bool reader_is_gone() {
  pollfd out{STDOUT_FILENO, 0, 0};
  return ::poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

/// One run of the verb: the stream of our own server, or asking again and again where Temporal alone answers.
class Watch {
 public:
  Watch(Session& session, Client& client, std::string id, const WatchFlags& flags)
      : session_(session), client_(client), id_(std::move(id)), flags_(flags), screen_(session, flags.events) {
    if (flags.timeout_s > 0) until_ms_ = session.now_ms() + static_cast<std::int64_t>(flags.timeout_s * 1000);
  }

  Ended run() {
    for (;;) {
      engine::PortStatus status;
      auto end = follow_stream(status);
      if (end == StreamEnd::kNoLibrary) {
        CLI_TRY(end, ask_temporal());
      }
      screen_.finish();
      switch (end) {
        case StreamEnd::kClosed: return exit_of(screen_.last());
        case StreamEnd::kNeedsPerson: return kExitPending;
        case StreamEnd::kInterrupted: return stopped("the import goes on");
        case StreamEnd::kTimeout:
          return sorry(kExitTimeout, "timeout",
                       fmt::format("{} is still open after {} s; it goes on", id_, flags_.timeout_s),
                       "callimport watch " + id_);
        case StreamEnd::kNoLibrary:
        case StreamEnd::kLost: break;
      }
      if (status.code != kGrpcUnavailable && status.code != kGrpcOk && status.code != kGrpcCancelled)
        return tl::unexpected(to_error(status, session_));
      CLI_TRY(const bool back, reconnect());
      if (!back) return stopped("the import goes on when the server does");
    }
  }

 private:
  /// What is on the screen now: shown, and whether it is the end.
  std::optional<StreamEnd> took(const v1::WatchImportResponse& message) {
    screen_.update(message);
    const auto& import = message.import();
    if (flags_.exit_status && shown_lane(import).condition() == "needs_attention") return StreamEnd::kNeedsPerson;
    return std::nullopt;
  }
  bool unheard() const { return (session_.json() || flags_.events) && reader_is_gone(); }
  bool late() const { return until_ms_ > 0 && session_.now_ms() >= until_ms_; }

  StreamEnd follow_stream(engine::PortStatus& status) {
    v1::WatchImportRequest request;
    request.set_id(id_);
    request.set_after_change(resume_.change);
    request.set_after_timeline(resume_.entry);
    auto stream = client_.stream("/callimport.v1.CallImportService/WatchImport", request);
    if (std::exchange(lost_, false)) screen_.talk("live updates are back");
    for (;;) {
      v1::WatchImportResponse message;
      switch (stream->next(message, kRedrawEvery)) {
        case ClientStream::Next::kMessage:
          resume_.change = message.import().change();
          if (message.entries_size() > 0) resume_.entry = message.entries(message.entries_size() - 1).change();
          if (const auto end = took(message)) return *end;
          break;
        case ClientStream::Next::kEnd:
          status = stream->status();
          if (status.code == kGrpcUnimplemented || (status.code == kGrpcNotFound && resume_.change == 0))
            return StreamEnd::kNoLibrary;  // no library there, or it does not know of the import yet
          return status.ok() && screen_.last().has_closed_ms() ? StreamEnd::kClosed : StreamEnd::kLost;
        case ClientStream::Next::kInterrupted: return StreamEnd::kInterrupted;
        case ClientStream::Next::kTimeout: break;
      }
      if (late()) return StreamEnd::kTimeout;
      if (unheard()) return StreamEnd::kInterrupted;
      look_at_problems();
      screen_.tick();
    }
  }

  tl::expected<StreamEnd, CliError> ask_temporal() {
    for (;;) {
      auto import = import_of_workflow(session_, id_);
      if (!import && import.error().code == "server.absent") return StreamEnd::kLost;
      if (!import && interrupted()) return StreamEnd::kInterrupted;
      if (!import) return tl::unexpected(std::move(import).error());
      if (!*import) return sorry(kExitFailed, "not_found", "no import " + printable(id_), "callimport list");
      v1::WatchImportResponse message;
      *message.mutable_import() = std::move(**import);
      if (const auto end = took(message)) return *end;
      if (message.import().has_closed_ms()) return StreamEnd::kClosed;
      for (auto waited = milliseconds{0}; waited < kAskEvery; waited += kRedrawEvery) {
        screen_.tick();
        if (!wait_a_while(kRedrawEvery)) return StreamEnd::kInterrupted;
        if (late()) return StreamEnd::kTimeout;
        if (unheard()) return StreamEnd::kInterrupted;
      }
    }
  }

  /// The problem that came last, asked for when calls failed and somebody looks.
  void look_at_problems() {
    const auto& counters = screen_.last().counters();
    const auto bad = counters.failed() + counters.skipped();
    if (!screen_.live() || bad == problems_ || session_.now_ms() - problems_ms_ < kProblemsEveryMs) return;
    problems_ms_ = session_.now_ms();
    problems_ = bad;
    v1::ListProblemsRequest request;
    request.set_import(id_);
    const auto reply = session_.ask<v1::ListProblemsRequest, v1::ListProblemsResponse>("ListProblems", request);
    if (reply) screen_.problems(reply->problems());
  }

  /// True once the server answers again; false after Ctrl-C.
  tl::expected<bool, CliError> reconnect() {
    screen_.talk(fmt::format("live updates lost, last at {} UTC; reconnecting",
                             format_utc(from_unix_ms(session_.now_ms())).substr(11, 8)));
    lost_ = true;
    while (!client_.wait_connected(std::chrono::seconds{1})) {
      if (interrupted()) return false;
      if (late())
        return sorry(kExitTimeout, "timeout", fmt::format("no server answered within {} s", flags_.timeout_s),
                     "callimport doctor");
    }
    return true;
  }

  Ended stopped(const std::string& why) {
    session_.say(fmt::format("stopped watching; {}. Watch again: callimport watch {}", why, id_));
    return kExitInterrupted;
  }

  Session& session_;
  Client& client_;
  const std::string id_;
  const WatchFlags flags_;
  WatchScreen screen_;
  Resume resume_;
  std::int64_t until_ms_ = 0, problems_ = 0, problems_ms_ = 0;
  bool lost_ = false;
};

}  // namespace

Ended watch_import(Session& session, const std::string& id, const WatchFlags& flags) {
  CLI_TRY(auto* client, session.client());
  watch_for_interrupt();
  return Watch(session, *client, id, flags).run();
}

void add_watch_flags(CLI::App& verb, WatchFlags& flags, CLI::Option* with) {
  auto* events = verb.add_flag("--events", flags.events, "one line for each change of stage or state");
  auto* status =
      verb.add_flag("--exit-status", flags.exit_status, "end with 8 as soon as the import waits for a person");
  auto* timeout = verb.add_option("--timeout", flags.timeout_s, "seconds, then end with 7; the import goes on")
                      ->check(CLI::PositiveNumber);
  for (auto* option : {events, status, timeout}) {
    if (with != nullptr) option->needs(with);
  }
}

void add_watch(Tree& tree) {
  auto& verb = tree.verb(tree.root, "watch", "Follow an import until it ends",
                         {"callimport watch imp_7f3a", "callimport watch imp_7f3a --events -o jsonl"});
  struct Flags {
    std::string id;
    WatchFlags watch;
  };
  auto flags = std::make_shared<Flags>();  // shared by the parser and the body
  verb.add_option("import", flags->id, "import id, its beginning, or the address of its page")->required();
  add_watch_flags(verb, flags->watch, nullptr);
  tree.run(verb, [&session = tree.session, flags]() -> Ended {
    CLI_TRY(const auto id, find_import(session, flags->id));
    return watch_import(session, id, flags->watch);
  });
}

}  // namespace callimport::api
