#include <fmt/format.h>

#include <deque>
#include <nlohmann/json.hpp>

#include "api/cli/imports.h"
#include "api/cli/shape.h"
#include "api/cli/tree.h"
#include "api/grpc/router.h"

namespace callimport::api {
namespace {

using std::chrono::milliseconds;

inline constexpr milliseconds kRedrawEvery{250};      // at most 4 times a second (TW-01)
inline constexpr std::int64_t kLineEveryMs = 30'000;  // without a terminal (TW-02)
inline constexpr std::int64_t kRateWindowMs = 60'000;

/// Calls per minute and the time left, from what was seen in the last minute.
class Rate {
 public:
  void saw(std::int64_t at_ms, std::int64_t done) {
    if (seen_.empty()) first_ = {at_ms, done};
    seen_.push_back({at_ms, done});
    while (seen_.size() > 2 && seen_.front().at_ms < at_ms - kRateWindowMs) seen_.pop_front();
  }
  double per_minute() const {
    if (seen_.size() < 2 || seen_.back().at_ms == seen_.front().at_ms) return 0;
    return static_cast<double>(seen_.back().done - seen_.front().done) * 60'000.0 /
           static_cast<double>(seen_.back().at_ms - seen_.front().at_ms);
  }
  /// A range, once 30 calls or two minutes were seen.
  std::string left(std::int64_t pending) const {
    if (seen_.empty()) return "not enough data yet";
    const bool enough = seen_.back().done - first_.done >= 30 || seen_.back().at_ms - first_.at_ms >= 120'000;
    const auto rate = per_minute();
    if (!enough || rate <= 0) return "not enough data yet";
    const double ms = static_cast<double>(pending) / rate * 60'000.0;
    return human_duration(static_cast<std::int64_t>(ms * 0.8)) + " - " +
           human_duration(static_cast<std::int64_t>(ms * 1.3));
  }

 private:
  struct Point {
    std::int64_t at_ms = 0, done = 0;
  };
  std::deque<Point> seen_;
  Point first_;
};

/// What is on the screen. Redraws its block in place on a terminal, else prints lines.
class Screen {
 public:
  Screen(Session& session, bool events)
      : session_(session),
        events_(events),
        live_(session.err_is_terminal() && !session.flags.quiet && !session.json()) {}

  void update(const v1::WatchImportResponse& message) {
    const auto& import = message.import();
    if (message.notice() != notice_) {
      notice_ = message.notice();
      if (!live_) session_.say(notice_.empty() ? "the server goes on" : printable(notice_));
    }
    rate_.saw(session_.now_ms(), import.counters().found() - import.counters().pending());
    if (session_.output() == Output::kJsonl || session_.output() == Output::kJson) {
      if (events_) {
        for (const auto& entry : message.entries()) session_.print(dump(shape(entry)) + "\n");
      } else {
        session_.print(dump(shape(import)) + "\n");
      }
    } else if (events_) {
      clear();
      for (const auto& entry : message.entries()) session_.print(event_line(entry) + "\n");
    }
    last_ = import;
    dirty_ = true;
  }

  /// Draws when something changed and the last drawing is old enough; or the plain line of no terminal.
  void tick() {
    const auto now = session_.now_ms();
    if (last_.id().empty() || session_.flags.quiet || session_.json()) return;
    if (live_) {
      if (now - drawn_ms_ < kRedrawEvery.count() || (!dirty_ && now - drawn_ms_ < 1000)) return;
      clear();
      draw();
    } else {
      const auto state = state_line(session_, last_) + (last_.has_first_ready_ms() ? "+" : "");
      if (state == said_ && now - drawn_ms_ < kLineEveryMs) return;
      if (!events_) session_.say(plain_line());
      said_ = state;
    }
    drawn_ms_ = now;
    dirty_ = false;
  }

  /// A line of talk above the block.
  void talk(const std::string& line) {
    clear();
    session_.say(line);
  }

  /// The last state, drawn whatever the clock says.
  void finish() {
    if (last_.id().empty() || session_.json()) return;
    if (live_) {
      clear();
      draw();
      lines_ = 0;
    } else if (dirty_ && !events_) {
      session_.say(plain_line());
    }
  }
  const v1::Import& last() const { return last_; }

 private:
  void clear() {
    if (!live_ || lines_ == 0) return;
    session_.say_raw(fmt::format("\x1b[{}A\x1b[J", lines_));
    lines_ = 0;
  }

  void draw() {
    const std::size_t width = std::max<std::size_t>(session_.talk_width(), 40);
    const auto& counters = last_.counters();
    const auto done = counters.found() - counters.pending();
    std::vector<std::string> lines = {
        fmt::format("{}  {} · {}", last_.id(), last_.platform(),
                    printable(last_.title().empty() ? last_.workspace() : last_.title())),
        state_line(session_, last_),
        fmt::format("{} {} of {}{}", bar(done, counters.found(), 24), human_count(done), human_count(counters.found()),
                    last_.enumerated() ? "" : " so far"),
        counter_line(counters),
        fmt::format("{:.0f} calls a minute, {}; left: {}", rate_.per_minute(), human_bytes(counters.media_bytes()),
                    last_.has_closed_ms() ? "nothing" : rate_.left(counters.pending())),
        last_.has_first_ready_ms()
            ? "first calls ready since " + session_.time(last_.first_ready_ms())
            : "first calls: " + condition_words(last_.first().condition()) + " · " + stage_words(last_.first().stage()),
    };
    if (!notice_.empty()) lines.push_back(printable(notice_));
    if (!last_.has_closed_ms()) lines.push_back("Ctrl-C stops watching; the import goes on.");
    for (const auto& line : lines) session_.say_raw(cut(line, width - 1) + "\n");
    lines_ = lines.size();
  }

  std::string plain_line() const {
    return fmt::format("{}  {}  {}", show_time(session_.now_ms(), TimeFormat::kIso, 0), state_line(session_, last_),
                       counter_line(last_.counters()));
  }
  std::string event_line(const v1::TimelineEntry& entry) const {
    return fmt::format("{}  {}  {}  {}{}", show_time(entry.at_ms(), TimeFormat::kIso, 0), entry.lane(),
                       entry.status().stage(), entry.status().condition(),
                       entry.status().reason().empty() ? "" : " " + entry.status().reason());
  }

  Session& session_;
  const bool events_, live_;
  v1::Import last_;
  Rate rate_;
  std::size_t lines_ = 0;
  std::int64_t drawn_ms_ = 0;
  bool dirty_ = false;
  std::string said_, notice_;
};

struct Resume {
  std::int64_t change = 0, entry = 0;
};

enum class StreamEnd { kClosed, kLost, kInterrupted, kNeedsPerson, kTimeout };

/// Reads one stream to its end. `resume` keeps where to go on.
StreamEnd follow(ClientStream& stream, Screen& screen, Resume& resume, const WatchFlags& flags,
                 engine::PortStatus& status) {
  for (;;) {
    v1::WatchImportResponse message;
    switch (stream.next(message, kRedrawEvery)) {
      case ClientStream::Next::kMessage:
        resume.change = message.import().change();
        if (message.entries_size() > 0) resume.entry = message.entries(message.entries_size() - 1).change();
        screen.update(message);
        if (flags.exit_status && shown_lane(message.import()).condition() == "needs_attention")
          return StreamEnd::kNeedsPerson;
        break;
      case ClientStream::Next::kEnd:
        status = stream.status();
        return status.ok() && screen.last().has_closed_ms() ? StreamEnd::kClosed : StreamEnd::kLost;
      case ClientStream::Next::kInterrupted: return StreamEnd::kInterrupted;
      case ClientStream::Next::kTimeout: break;
    }
    screen.tick();
  }
}

std::string clock_text(std::int64_t ms) { return format_utc(from_unix_ms(ms - ms % 1000)).substr(11, 8); }

}  // namespace

Ended watch_import(Session& session, const std::string& id, const WatchFlags& flags) {
  CLI_TRY(auto* client, session.client());
  watch_for_interrupt();
  Screen screen(session, flags.events);
  Resume resume;
  bool lost = false;
  for (;;) {
    v1::WatchImportRequest request;
    request.set_id(id);
    request.set_after_change(resume.change);
    request.set_after_timeline(resume.entry);
    auto stream = client->stream("/callimport.v1.CallImportService/WatchImport", request);
    if (lost) screen.talk("live updates are back");
    engine::PortStatus status;
    const auto end = follow(*stream, screen, resume, flags, status);
    screen.finish();
    if (end == StreamEnd::kClosed) return exit_of(screen.last());
    if (end == StreamEnd::kNeedsPerson) return kExitPending;
    if (end == StreamEnd::kInterrupted) {
      session.say("stopped watching; the import goes on. Watch again: callimport watch " + id);
      return kExitInterrupted;
    }
    if (status.code != kGrpcUnavailable && status.code != kGrpcOk && status.code != kGrpcCancelled)
      return tl::unexpected(to_error(status, session));
    screen.talk(fmt::format("live updates lost, last at {} UTC; reconnecting", clock_text(session.now_ms())));
    lost = true;
    while (!client->wait_connected(std::chrono::seconds{5})) {
      if (!interrupted()) continue;
      session.say("stopped watching; the import goes on when the server does. Watch again: callimport watch " + id);
      return kExitInterrupted;
    }
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
  verb.add_option("import", flags->id, "import id or its beginning")->required();
  verb.add_flag("--events", flags->watch.events, "one line for each change of stage or state");
  verb.add_flag("--exit-status", flags->watch.exit_status, "end with 8 as soon as the import waits for a person");
  tree.run(verb, [&session = tree.session, flags]() -> Ended {
    CLI_TRY(const auto id, find_import(session, flags->id));
    return watch_import(session, id, flags->watch);
  });
}

}  // namespace callimport::api
