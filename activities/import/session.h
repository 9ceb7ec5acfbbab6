#pragma once
// Talks to one workspace: opens the sealed credential, keeps the pace, sends one request, and says what came.
#include <functional>
#include <optional>
#include <string>

#include "activities/import/step.h"

namespace callimport::activities {

/// Threads: the loop. Lifetime: one attempt of one activity; the token lives no longer.
class Session {
 public:
  /// `credential` is where `access` came from, and is renewed; empty: it stays as it is.
  Session(SharedDeps deps, std::string import, const Platform& platform, std::string base_url,
          std::optional<CredentialId> credential, Access access, Pacer& pacer);

  const Platform& platform() const { return platform_; }
  const PlatformSession& auth() const { return auth_; }
  ImportDeps& deps() const { return *deps_; }
  const SharedDeps& shared_deps() const { return deps_; }
  Timestamp now() const { return deps_->clock.now(); }
  /// Something came: the watchdog need not bark.
  void moved() { deps_->live->moved(import_, now()); }

  /// Sends a request to the platform's API and reads its answer. No answer at all is Again{platform.outage}. Access
  /// that runs out, or that the platform refuses, is renewed where it can be, and the same request is sent with it.
  template <class T>
  Awaitable<Fetched<T>> ask(HttpRequest request, Fetched<T> (*read)(const HttpReply&, Timestamp)) {
    auto exchanging = exchange(std::move(request));
    Fetched<HttpReply> reply = co_await std::move(exchanging);
    if (!reply) co_return tl::unexpected(reply.error());
    if (watch_) watch_(*reply);
    co_return read(*reply, now());
  }

  /// Sees each reply of the platform's API before it is read: its headers tell things that no reader asks for.
  void watch_replies(std::function<void(const HttpReply&)> watch) { watch_ = std::move(watch); }

  /// A transport error as trouble.
  static Trouble no_answer(const Error& error);

 private:
  Awaitable<Result<HttpReply>> send_paced(HttpRequest request);
  Awaitable<Fetched<HttpReply>> exchange(HttpRequest request);
  /// True when there is newer access than what was refused.
  Awaitable<Fetched<bool>> renew(std::int64_t refused);

  SharedDeps deps_;
  std::string import_;
  const Platform& platform_;
  PlatformSession auth_;
  std::optional<CredentialId> credential_;
  Access access_;
  Pacer& pacer_;
  std::function<void(const HttpReply&)> watch_;
};

using SessionMade = tl::expected<std::shared_ptr<Session>, ActivityError>;
/// Shared by the coroutines of one batch. Errors: access.credential_gone and an unknown platform end the import.
Awaitable<SessionMade> open_session(SharedDeps deps, ImportInput ask);
/// With access that is not sealed yet, or not any more.  @error  an unknown platform.
SessionMade make_session(SharedDeps deps, const ImportInput& ask, std::optional<CredentialId> credential,
                         Access access);

}  // namespace callimport::activities
