#include "simulations/sandboxes/in_process.h"

#include <algorithm>

namespace callimport::simulations {
namespace {
using activities::HttpReply;
using activities::HttpRequest;

struct Nothing {};

engine::Awaitable<Nothing> wait_until(Clock& clock, Timestamp when) {
  Clock* held = &clock;
  auto start = [held, when](std::function<void(Nothing)> set) { held->at(when, [set = std::move(set)] { set({}); }); };
  co_return co_await engine::async_value<Nothing>(std::move(start));
}

/// http://host:port/path?query -> host:port and /path?query
Result<std::pair<std::string, std::string>> split_url(const std::string& url) {
  const bool plain = url.starts_with("http://"), sealed = url.starts_with("https://");
  if (!plain && !sealed) return fail(Code::kInvalid, "not an http or https URL");
  const std::size_t begin = plain ? 7 : 8;
  const std::size_t slash = std::min(url.find_first_of("/?", begin), url.size());
  std::string target = url.substr(slash);
  if (!target.starts_with('/')) target.insert(target.begin(), '/');
  return std::pair{url.substr(begin, slash - begin), std::move(target)};
}

Result<HttpReply> deliver(const HttpRequest& request, SandboxReply answer) {
  HttpReply reply;
  reply.status = answer.status;
  reply.headers = std::move(answer.headers);
  reply.headers.emplace_back("content-length", std::to_string(answer.body.size()));
  const std::size_t whole = answer.body.size();
  const std::size_t sent = std::min(whole, answer.cut_after.value_or(whole));
  if (request.on_body && (reply.status == 200 || reply.status == 206)) {
    if (request.on_head) TRY_VOID(request.on_head(reply));
    for (std::size_t at = 0; at < sent; at += kInProcessPieceBytes) {
      const std::size_t piece = std::min(kInProcessPieceBytes, sent - at);
      TRY_VOID(request.on_body(std::string_view(answer.body).substr(at, piece)));
    }
  } else {
    if (whole > request.body_bytes_max) return fail(Code::kInvalid, "the reply is larger than asked for");
    reply.body = std::move(answer.body);
  }
  if (sent < whole) return fail(Code::kUnavailable, "cut off in the body");
  return reply;
}
}  // namespace

SandboxHttp::SandboxHttp(Sandbox& sandbox, Clock& clock) : sandbox_(sandbox), clock_(clock) {}

SandboxHttp::~SandboxHttp() { *alive_ = false; }

SandboxReply SandboxHttp::ask(const HttpRequest& request) {
  SandboxRequest asked;
  asked.method = request.method;
  const auto parts = split_url(request.url);
  asked.target = parts->second;
  for (const auto& [name, value] : request.headers) {
    std::string lower = name;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    asked.headers.emplace_back(std::move(lower), value);
  }
  asked.headers.emplace_back("host", parts->first);
  asked.body = request.body;
  SandboxReply answer = sandbox_.handle(asked, clock_.now());
  if (keeps_log_)
    log_.push_back(log_entry(asked, answer, clock_.now(),
                             std::min(answer.body.size(), answer.cut_after.value_or(answer.body.size()))));
  return answer;
}

namespace {
/// A streamed body, piece by piece as it would go over a wire.
Result<> gather_body(HttpRequest& request) {
  if (!request.body_source) return {};
  const activities::BodySource& source = *request.body_source;
  std::vector<std::byte> piece(kInProcessPieceBytes);
  while (request.body.size() < source.size) {
    TRY(const std::size_t got, source.read(request.body.size(), piece));
    if (got == 0) return fail(Code::kUnavailable, "what was to be sent became shorter");
    request.body.append(reinterpret_cast<const char*>(piece.data()), got);
  }
  request.body.resize(source.size);
  return {};
}
}  // namespace

engine::Awaitable<Result<HttpReply>> SandboxHttp::send(HttpRequest request) {
  const std::uint64_t number = ++requests_;
  if (fault_) {
    if (auto error = fault_(number)) co_return tl::unexpected(*error);
  }
  if (auto parts = split_url(request.url); !parts) co_return tl::unexpected(parts.error());
  for (const auto& [name, value] : request.headers) {
    if ((name + value).find_first_of("\r\n") != std::string::npos)
      co_return fail(Code::kInvalid, "a header holds a line break");
  }
  if (auto gathered = gather_body(request); !gathered) co_return tl::unexpected(gathered.error());
  SandboxReply answer = ask(request);
  const std::shared_ptr<bool> alive = alive_;
  const bool late = answer.delay > request.timeout;
  const Timestamp when = clock_.now() + std::min(answer.delay, request.timeout);
  if (answer.delay > Nanos{0}) {
    (void)co_await wait_until(clock_, when);
    if (!*alive) co_return fail(Code::kCancelled, "the client stopped");
  }
  if (late) co_return fail(Code::kUnavailable, "no answer in time");
  if (answer.refused) co_return fail(Code::kUnavailable, "no answer: connection refused");
  co_return deliver(request, std::move(answer));
}

}  // namespace callimport::simulations
