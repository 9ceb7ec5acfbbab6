#include "activities/import/download.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "activities/platforms/answers.h"

namespace callimport::activities {
namespace {

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// `bytes 5-9/10` (RFC 9110, 14.4). The first byte and the whole, where told.
struct ContentRange {
  std::optional<std::uint64_t> first, total;
};
ContentRange read_content_range(std::string_view text) {
  ContentRange range;
  if (!text.starts_with("bytes ")) return range;
  text.remove_prefix(6);
  const std::size_t slash = text.find('/'), dash = text.find('-');
  if (slash == std::string_view::npos) return range;
  range.total = whole_number(text.substr(slash + 1));
  if (dash < slash) range.first = whole_number(text.substr(0, dash));
  return range;
}

/// One exchange with the place where the recording lies.
struct Transfer {
  storage::MediaWriter& writer;
  ActivityContext& context;
  Session& session;
  const SpaceReserve& reserve;
  std::uint64_t offset = 0;            ///< where it began
  std::optional<std::uint64_t> total;  ///< of the whole recording
  bool answered = false;               ///< a head with a body came
  std::string portion;                 ///< not written yet
  std::optional<Error> store_error;
  bool too_large = false;

  Result<> store(Result<> written) {
    if (!written) store_error = written.error();
    return written;
  }

  Result<> head(const HttpReply& reply) {
    answered = true;
    if (reply.status == 206) {
      const ContentRange range = read_content_range(reply.header("content-range"));
      if (range.first.value_or(offset) != offset)
        return fail(Code::kInvalid, "the server sent another range than was asked for");
      total = range.total;
      return {};
    }
    total = whole_number(reply.header("content-length"));
    if (offset == 0) return {};
    offset = 0;  // it would not resume: begin anew
    return store(writer.restart());
  }

  Result<> body(std::string_view piece) {
    if (context.cancelled()) return fail(Code::kCancelled, "the download was asked to stop");
    session.moved();
    portion.append(piece);
    if (writer.size() + portion.size() > kMediaBytesMax) {
      too_large = true;
      return fail(Code::kInvalid, "the recording is larger than the limit");
    }
    if (portion.size() < kMediaPortionBytes) return {};
    if (!reserve.whole()) return store(tl::unexpected(full_disk_error()));
    // Larger recordings are written from the loop in portions this size: a copy into the page cache, not a wait for the
    // disk.
    auto written = store(writer.append(portion));
    portion.clear();
    return written;
  }
};

enum class Outcome : std::uint8_t { kWhole, kCut, kLinkExpired, kBeginAnew };

/// What one exchange came to, or trouble.
Fetched<Outcome> judge(const Transfer& transfer, const Result<HttpReply>& reply, std::uint64_t size, Timestamp now) {
  const auto trouble = [](auto what) { return tl::unexpected<Trouble>(std::move(what)); };
  if (transfer.store_error) return trouble(store_trouble(*transfer.store_error));
  if (transfer.too_large) return trouble(CallFailed{"media.too_large", "the recording is larger than 16 GiB"});
  if (!reply) {
    if (transfer.answered && reply.error().code != Code::kCancelled) return Outcome::kCut;
    return tl::unexpected(Session::no_answer(reply.error()));
  }
  if (reply->status == 200 || reply->status == 206) {
    if (transfer.total && size < *transfer.total) return Outcome::kCut;
    if (transfer.total && size > *transfer.total) return Outcome::kBeginAnew;
    return Outcome::kWhole;
  }
  if (reply->status == 416) {
    const ContentRange range = read_content_range(reply->header("content-range"));
    return size > 0 && range.total == size ? Outcome::kWhole : Outcome::kBeginAnew;
  }
  if (reply->status == 401 || reply->status == 403) return Outcome::kLinkExpired;
  if (reply->status == 404 || reply->status == 410)
    return trouble(CallFailed{"call.no_recording", "the recording is gone"});
  if (auto delay = read_delay(*reply, now)) return tl::unexpected(*delay);
  return trouble(
      CallFailed{"platform.changed_answer", "the recording's place answered " + std::to_string(reply->status)});
}

Awaitable<Fetched<Outcome>> transfer_once(std::shared_ptr<Session> session, ActivityContext& context,
                                          std::shared_ptr<storage::MediaWriter> writer, std::string url) {
  ImportDeps& deps = session->deps();
  Transfer transfer{.writer = *writer,
                    .context = context,
                    .session = *session,
                    .reserve = deps.reserve,
                    .offset = writer->size(),
                    .total = {},
                    .answered = false,
                    .portion = {},
                    .store_error = {},
                    .too_large = false};
  HttpRequest request;
  request.url = std::move(url);
  if (transfer.offset > 0) request.headers.emplace_back("Range", "bytes=" + std::to_string(transfer.offset) + "-");
  request.on_head = [&transfer](const HttpReply& head) { return transfer.head(head); };
  request.on_body = [&transfer](std::string_view piece) { return transfer.body(piece); };
  auto sending = deps.http.send(std::move(request));
  const Result<HttpReply> reply = co_await std::move(sending);
  if (!transfer.portion.empty() && !transfer.store_error) {
    auto append = [writer, portion = std::move(transfer.portion)] { return writer->append(portion); };
    auto appending = engine::on_pool(deps.pool, deps.loop, std::move(append));
    const Result<> appended = co_await std::move(appending);
    if (!appended) transfer.store_error = appended.error();
  }
  co_return judge(transfer, reply, writer->size(), session->now());
}

bool runs_out(const MediaLink& link, Timestamp now) { return link.expires && *link.expires <= now + 5s; }

/// Until the whole recording is in the writer.
Awaitable<Fetched<bool>> fill(std::shared_ptr<Session> session, ActivityContext& context,
                              std::shared_ptr<storage::MediaWriter> writer, std::string source_id) {
  std::optional<MediaLink> link;
  int standstills = 0;
  std::uint64_t furthest = 0;  // a round that comes no further is one: also after a restart, or it might go on for ever
  while (true) {
    if (context.cancelled()) co_return tl::unexpected<Trouble>(Again{"cancelled", "asked to stop", std::nullopt});
    if (!link || runs_out(*link, session->now())) {
      const Platform& platform = session->platform();
      auto asking = session->ask(Operation::kMediaLink, platform.media(session->auth(), source_id), platform.read_media);
      Fetched<MediaLink> made = co_await std::move(asking);
      if (!made) co_return tl::unexpected(made.error());
      link = std::move(*made);
    }
    auto transferring = transfer_once(session, context, writer, link->url);
    const Fetched<Outcome> outcome = co_await std::move(transferring);
    if (!outcome) co_return tl::unexpected(outcome.error());
    if (*outcome == Outcome::kWhole) co_return true;
    standstills = writer->size() > furthest ? 0 : standstills + 1;
    furthest = std::max(furthest, writer->size());
    if (*outcome == Outcome::kLinkExpired) {
      link.reset();
      if (standstills < kStandstillsMax) continue;
      co_return tl::unexpected<Trouble>(CallFailed{"media.link_expired", "the download link runs out again and again"});
    }
    if (*outcome == Outcome::kBeginAnew) {
      const Result<> restarted = writer->restart();
      if (!restarted) co_return tl::unexpected<Trouble>(store_trouble(restarted.error()));
    }
    if (standstills >= kStandstillsMax) {
      co_return tl::unexpected<Trouble>(
          CallFailed{"media.damaged", "the download never gets past byte " + std::to_string(furthest)});
    }
  }
}

/// The broken file is kept, its cause is the call's.
Awaitable<Trouble> put_aside(ImportDeps& deps, std::shared_ptr<storage::MediaWriter> writer, std::string key,
                             CallFailed fault) {
  auto job = [&deps, writer, key, cause = fault.cause] { return deps.media.quarantine(key, cause); };
  auto quarantining = engine::on_pool(deps.pool, deps.loop, std::move(job));
  const Result<storage::MediaWriter::Stored> kept = co_await std::move(quarantining);
  if (!kept && kept.error().code == Code::kUnavailable) co_return store_trouble(kept.error());
  if (kept) fault.file = BrokenFile{kept->hash, static_cast<std::int64_t>(kept->bytes)};
  co_return fault;
}

}  // namespace

Awaitable<Fetched<storage::MediaFacts>> download_media(std::shared_ptr<Session> session, ActivityContext& context,
                                                       std::string source_id, std::string workspace,
                                                       std::int64_t expected_duration_ms) {
  ImportDeps& deps = session->deps();
  const std::string key = std::string(session->platform().name) + "/" + workspace + "/" + source_id;
  auto open = [&deps, key] { return deps.media.writer(key); };
  auto opening = engine::on_pool(deps.pool, deps.loop, std::move(open));
  Result<std::unique_ptr<storage::MediaWriter>> opened = co_await std::move(opening);
  if (!opened) co_return tl::unexpected<Trouble>(store_trouble(opened.error()));
  std::shared_ptr<storage::MediaWriter> writer = std::move(*opened);  // shared with jobs on the pool

  auto filling = fill(session, context, writer, source_id);
  const Fetched<bool> filled = co_await std::move(filling);
  if (!filled) {
    const auto* failed = std::get_if<CallFailed>(&filled.error());
    if (failed == nullptr || writer->size() == 0) co_return tl::unexpected(filled.error());
    auto aside = put_aside(deps, writer, key, *failed);
    Trouble trouble = co_await std::move(aside);
    co_return tl::unexpected(std::move(trouble));
  }
  MediaVerdict verdict;
  if (writer->size() == 0) {
    verdict.fault_cause = "media.damaged";
    verdict.fault_message = "the recording is empty";
  } else {
    auto probing = deps.probe.probe(writer->path(), expected_duration_ms);
    Result<MediaVerdict> probed = co_await std::move(probing);
    if (!probed) co_return tl::unexpected<Trouble>(Again{"media.damaged", probed.error().message, std::nullopt});
    verdict = std::move(*probed);
  }
  if (!verdict.fault_cause.empty()) {
    CallFailed fault{verdict.fault_cause, verdict.fault_message};
    auto aside = put_aside(deps, writer, key, std::move(fault));
    Trouble trouble = co_await std::move(aside);
    co_return tl::unexpected(std::move(trouble));
  }
  auto commit = [writer] { return writer->commit(); };
  auto committing = engine::on_pool(deps.pool, deps.loop, std::move(commit));
  Result<storage::MediaWriter::Stored> stored = co_await std::move(committing);
  if (!stored) co_return tl::unexpected<Trouble>(store_trouble(stored.error()));
  verdict.facts.hash = stored->hash;
  verdict.facts.bytes = static_cast<std::int64_t>(stored->bytes);
  co_return std::move(verdict.facts);
}

Awaitable<std::optional<std::int64_t>> measure_media(std::shared_ptr<Session> session, std::string url) {
  HttpRequest request;
  request.url = std::move(url);
  request.headers.emplace_back("Range", "bytes=0-0");
  request.on_body = [](std::string_view) -> Result<> { return {}; };
  auto sending = session->deps().http.send(std::move(request));
  const Result<HttpReply> reply = co_await std::move(sending);
  if (!reply || (reply->status != 200 && reply->status != 206)) co_return std::nullopt;
  std::optional<std::uint64_t> total = read_content_range(reply->header("content-range")).total;
  if (reply->status == 200) total = whole_number(reply->header("content-length"));
  co_return static_cast<std::int64_t>(total.value_or(0));
}

Awaitable<bool> touch_media(std::shared_ptr<Session> session, std::string url) {
  auto measuring = measure_media(session, std::move(url));
  const std::optional<std::int64_t> size = co_await std::move(measuring);
  co_return size.has_value();
}

}  // namespace callimport::activities
