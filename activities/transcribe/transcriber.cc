#include "activities/transcribe/transcriber.h"

#include <algorithm>
#include <utility>

namespace callimport::activities {

using engine::Awaitable;
using Segments = std::vector<storage::Segment>;

namespace {

constexpr Nanos kFirstPause = std::chrono::seconds{5};
constexpr std::size_t kBoundaryCharacters = 32;

tl::unexpected<TranscriptGap> gap(std::string message) {
  return tl::unexpected(TranscriptGap{"transcript.failed", std::move(message)});
}

/// When to ask again; nullopt: the trouble will not pass.
std::optional<Timestamp> next_try(const Trouble& trouble, int tried, Timestamp now) {
  if (const auto* wait = std::get_if<Wait>(&trouble)) return wait->until;
  const auto* again = std::get_if<Again>(&trouble);
  if (again == nullptr) return std::nullopt;
  return now + again->after.value_or(kFirstPause * (1 << std::min(tried, 5)));
}

TranscriptGap gap_of(const Trouble& trouble) {
  if (const auto* failed = std::get_if<CallFailed>(&trouble)) return {failed->cause, failed->message};
  if (const auto* again = std::get_if<Again>(&trouble))
    return {"transcript.failed", again->cause == "platform.rate_limited" ? "the transcriber is too busy"
                                                                         : "the transcriber does not answer"};
  return {"transcript.failed", "the transcriber asks to wait longer than we do"};
}

}  // namespace

Transcriber::Transcriber(TranscriberOptions options, Http& http, Disk& disk, Executor& loop, Pool& pool, Clock& clock,
                         Random& random)
    : options_(std::move(options)),
      http_(http),
      disk_(disk),
      loop_(loop),
      pool_(pool),
      clock_(clock),
      random_(random) {}

Awaitable<bool> Transcriber::take_turn() {
  if (running_ < options_.at_once && waiting_.empty()) {
    ++running_;
    co_return true;
  }
  auto start = [this](std::function<void(bool)> set) {
    auto entry = std::make_shared<Waiting>(Waiting{std::move(set), 0});
    entry->timer = clock_.at(clock_.now() + options_.patience, [this, entry] {
      entry->timer = 0;
      std::erase(waiting_, entry);
      entry->tell(false);
    });
    waiting_.push_back(std::move(entry));
  };
  co_return co_await engine::async_value<bool>(std::move(start));
}

/// Hands the turn on, or gives it back.
void Transcriber::end_turn() {
  if (waiting_.empty()) {
    --running_;
    return;
  }
  const auto next = waiting_.front();
  waiting_.pop_front();
  clock_.cancel(next->timer);
  loop_.post([next] { next->tell(true); });
}

Awaitable<Transcriber::Made> Transcriber::try_some_times(std::shared_ptr<File> file, storage::MediaFacts media,
                                                         Timestamp until, std::function<bool()> stopped) {
  TranscriptGap last{"transcript.failed", "the transcriber asks to wait longer than we do"};
  for (int tried = 0; tried < options_.tries; ++tried) {
    if (stopped() || blocked_until_ >= until || clock_.now() >= until) break;
    if (blocked_until_ > clock_.now()) {
      auto pause = engine::sleep_for(clock_, blocked_until_ - clock_.now());
      co_await std::move(pause);
    }
    HttpRequest request = write_transcription(options_, media, file, random_.id_text(kBoundaryCharacters));
    auto sending = http_.send(std::move(request));
    const Result<HttpReply> reply = co_await std::move(sending);
    Fetched<Segments> made = tl::unexpected<Trouble>(Again{"transcript.failed", "no answer", std::nullopt});
    if (reply) made = read_transcription(*reply, media.duration_ms.value_or(0), clock_.now());
    if (made) co_return std::move(*made);
    last = gap_of(made.error());
    const auto next = next_try(made.error(), tried, clock_.now());
    if (!next) break;
    if (reply && reply->status == 429) {
      blocked_until_ = std::max(blocked_until_, *next);  // for everybody
    } else if (*next < until && tried + 1 < options_.tries) {
      auto pause = engine::sleep_for(clock_, *next - clock_.now());
      co_await std::move(pause);
    }
  }
  co_return tl::unexpected(std::move(last));
}

Awaitable<Transcriber::Made> Transcriber::transcribe(std::string path, storage::MediaFacts media,
                                                     std::function<bool()> stopped) {
  if (media.bytes > options_.bytes_max) co_return gap("the recording is larger than the transcriber takes");
  const Timestamp until = clock_.now() + options_.patience;
  auto turn = take_turn();
  const bool taken = co_await std::move(turn);
  if (!taken) co_return gap("the transcriber is too busy");
  auto open = [this, path] { return disk_.open(path, OpenMode::kRead); };
  auto opening = engine::on_pool(pool_, loop_, std::move(open));
  Result<std::unique_ptr<File>> file = co_await std::move(opening);
  if (!file) {
    end_turn();
    co_return gap("the recording could not be read: " + file.error().message);
  }
  auto trying = try_some_times(std::shared_ptr<File>(std::move(*file)), media, until, std::move(stopped));
  Made made = co_await std::move(trying);
  end_turn();
  co_return made;
}

}  // namespace callimport::activities
