#include "activities/import/fetch_call.h"

#include <nlohmann/json.hpp>

#include "activities/import/download.h"

namespace callimport::activities {
namespace {

constexpr Nanos kSecondCopyAfter = 5s;

/// What a missing transcript means: nothing worse than being shown as missing, unless it may still come.
std::optional<Trouble> judge_transcript(const Trouble& trouble, const storage::ManifestRow& row) {
  if (const auto* failed = std::get_if<CallFailed>(&trouble)) {
    if (failed->cause == "transcript.missing") return std::nullopt;
    return trouble;
  }
  const auto* not_ready = std::get_if<NotReady>(&trouble);
  if (not_ready == nullptr) return trouble;
  if (row.attempts >= kNotReadyTriesMax) return std::nullopt;
  return NotReady{not_ready->cause, not_ready->after * (1 << std::min(row.attempts, 6))};
}

/// Asks the library before anything heavy is fetched.
Awaitable<Fetched<std::optional<storage::Repeated>>> look_up(ImportDeps& deps, const ImportInput& ask,
                                                             const storage::Call& call) {
  auto look = [&deps, &ask, &call] { return deps.library.repeated(call, ask.platform, ask.workspace); };
  auto looking = engine::on_pool(deps.pool, deps.loop, std::move(look));
  Result<std::optional<storage::Repeated>> found = co_await std::move(looking);
  if (!found) co_return tl::unexpected<Trouble>(store_trouble(found.error()));
  co_return std::move(*found);
}

/// The first copy is in the library soon, or has failed by then.
NotReady second_copy() { return {"duplicate.under_way", kSecondCopyAfter}; }

/// True when the details are all that is wanted of a call that the library has.
bool details_are_enough(const std::optional<storage::Repeated>& repeated, const ImportInput& ask) {
  if (!repeated) return false;
  const auto policy = storage::parse_duplicate_policy(ask.duplicates).value_or(storage::DuplicatePolicy::kSkip);
  return storage::policy_for(*repeated, ask.import, policy) != storage::DuplicatePolicy::kReplace;
}

/// Names the source of a transcript that the platform did not give.
void note_source(storage::Call& call, const std::string& model) {
  auto details = nlohmann::json::parse(call.details, nullptr, false);
  if (!details.is_object()) details = nlohmann::json::object();
  details["transcript_made_by"] = model;
  call.details = details.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// A recording without words is transcribed, where somebody does that. The call comes across either way: its state says
/// what it lacks.
Awaitable<void> add_transcript(ImportDeps& deps, const ActivityContext& context, storage::Call& call) {
  if (deps.transcriber == nullptr || !call.media || !call.segments.empty()) co_return;
  std::function<bool()> stopped = [&context] { return context.cancelled(); };
  std::string path = deps.media.path_of(call.media->hash);
  auto making = deps.transcriber->transcribe(std::move(path), *call.media, std::move(stopped));
  auto made = co_await std::move(making);
  if (made) {
    call.segments = std::move(*made);
    call.transcript_state = "made";
    note_source(call, deps.transcriber->model());
  } else if (made.error().cause == "transcript.failed") {
    call.transcript_state = "failed";
  }
}

}  // namespace

Awaitable<Fetched<FetchedCall>> fetch_call(std::shared_ptr<Session> session, ActivityContext& context, ImportInput ask,
                                           storage::ManifestRow row) {
  const Platform& platform = session->platform();
  auto describing =
      session->ask(Operation::kDetails, platform.details(session->auth(), row.source_id), platform.read_details);
  Fetched<storage::Call> call = co_await std::move(describing);
  if (!call) co_return tl::unexpected(call.error());
  if (call->source_id != row.source_id) {
    co_return tl::unexpected<Trouble>(CallFailed{"platform.changed_answer", "the platform answered with another call"});
  }
  call->platform = ask.platform;
  call->workspace = ask.workspace;
  call->import = ask.import;
  call->fetched_ms = to_unix_ms(session->now());
  // First who is under way, then who is staged: a call goes from the one to the other, never back.
  auto claim = CallsUnderWay::claim(session->deps().under_way, ask.import, call->source_id,
                                    storage::facts_of(*call, ask.platform, ask.workspace, ask.workspace));
  if (!claim) co_return tl::unexpected<Trouble>(second_copy());
  auto looking = look_up(session->deps(), ask, *call);
  const Fetched<std::optional<storage::Repeated>> repeated = co_await std::move(looking);
  if (!repeated) co_return tl::unexpected(repeated.error());
  if (*repeated && (*repeated)->call.empty()) co_return tl::unexpected<Trouble>(second_copy());
  if (details_are_enough(*repeated, ask)) co_return FetchedCall{std::move(*call), true, std::move(*claim)};

  auto reading = session->ask(Operation::kTranscript, platform.transcript(session->auth(), row.source_id),
                              platform.read_transcript);
  Fetched<std::vector<storage::Segment>> segments = co_await std::move(reading);
  call->transcript_state = "ready";
  if (segments) {
    call->segments = std::move(*segments);
  } else {
    auto trouble = judge_transcript(segments.error(), row);
    if (trouble) co_return tl::unexpected(std::move(*trouble));
    call->transcript_state = "missing";
  }

  if (ask.media && call->media_type != "transcript") {
    const std::int64_t expected_ms = call->duration_ms.value_or(0);
    auto downloading = download_media(session, context, row.source_id, ask.workspace, expected_ms);
    Fetched<storage::MediaFacts> media = co_await std::move(downloading);
    const auto* failed = media ? nullptr : std::get_if<CallFailed>(&media.error());
    const bool absent = failed != nullptr && failed->cause == "call.no_recording" && !call->segments.empty();
    if (!media && !absent) co_return tl::unexpected(media.error());
    if (media) call->media = std::move(*media);
  }
  if (!call->media && call->segments.empty() && ask.media) {
    co_return tl::unexpected<Trouble>(CallFailed{"call.no_recording", "there is neither a recording nor a transcript"});
  }
  auto transcribing = add_transcript(session->deps(), context, *call);
  co_await std::move(transcribing);
  call->fetched_ms = to_unix_ms(session->now());
  co_return FetchedCall{std::move(*call), false, std::move(*claim)};
}

Awaitable<Fetched<FetchedCall>> fetch_words(std::shared_ptr<Session> session, ActivityContext& context,
                                            storage::ManifestRow row) {
  ImportDeps& deps = session->deps();
  auto read = [&deps, id = row.repeats] { return deps.library.call(id); };
  auto reading = engine::on_pool(deps.pool, deps.loop, std::move(read));
  Result<storage::Call> call = co_await std::move(reading);
  if (!call) co_return tl::unexpected<Trouble>(store_trouble(call.error()));
  if (!call->segments.empty()) co_return FetchedCall{std::move(*call), false, {}};
  const Platform& platform = session->platform();
  auto asking = session->ask(Operation::kTranscript, platform.transcript(session->auth(), row.source_id),
                             platform.read_transcript);
  Fetched<std::vector<storage::Segment>> segments = co_await std::move(asking);
  if (segments && !segments->empty()) {
    call->segments = std::move(*segments);
    call->transcript_state = "ready";
    co_return FetchedCall{std::move(*call), false, {}};
  }
  const bool without = segments || std::holds_alternative<CallFailed>(segments.error()) ||
                       std::holds_alternative<NotReady>(segments.error());
  if (!without) co_return tl::unexpected(segments.error());
  if (deps.transcriber != nullptr) call->transcript_state = "missing";
  auto transcribing = add_transcript(deps, context, *call);
  co_await std::move(transcribing);
  co_return FetchedCall{std::move(*call), false, {}};
}

}  // namespace callimport::activities
