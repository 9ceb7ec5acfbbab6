#pragma once
// Talks to one workspace: opens the sealed credential, keeps the pace, sends one request, and says what came.
#include <string>

#include "activities/import/step.h"

namespace callimport::activities {

/// Threads: the loop. Lifetime: one attempt of one activity; the token lives no longer.
class Session {
 public:
  Session(SharedDeps deps, const Platform& platform, PlatformSession auth, Pacer& pacer)
      : deps_(std::move(deps)), platform_(platform), auth_(std::move(auth)), pacer_(pacer) {}

  const Platform& platform() const { return platform_; }
  const PlatformSession& auth() const { return auth_; }
  ImportDeps& deps() const { return *deps_; }
  const SharedDeps& shared_deps() const { return deps_; }
  Timestamp now() const { return deps_->clock.now(); }

  /// Sends a request to the platform's API and reads its answer. No answer at all is Again{platform.outage}.
  template <class T>
  Awaitable<Fetched<T>> ask(HttpRequest request, Fetched<T> (*read)(const HttpReply&, Timestamp)) {
    auto sending = send_paced(std::move(request));
    Result<HttpReply> reply = co_await std::move(sending);
    if (!reply) co_return tl::unexpected<Trouble>(no_answer(reply.error()));
    co_return read(*reply, now());
  }

  /// A transport error as trouble.
  static Trouble no_answer(const Error& error);

 private:
  Awaitable<Result<HttpReply>> send_paced(HttpRequest request);

  SharedDeps deps_;
  const Platform& platform_;
  PlatformSession auth_;
  Pacer& pacer_;
};

using SessionMade = tl::expected<std::shared_ptr<Session>, ActivityError>;
/// Shared by the coroutines of one batch. Errors: access.credential_gone and an unknown platform end the import.
Awaitable<SessionMade> open_session(SharedDeps deps, ImportInput ask);

}  // namespace callimport::activities
