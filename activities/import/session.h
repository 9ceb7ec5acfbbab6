#pragma once
// Talks to one workspace: opens the sealed credential, takes a permit, sends one request, and says what came.
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "activities/import/step.h"

namespace callimport::activities {

/// Threads: the loop. Lifetime: one attempt of one activity; the token lives no longer.
class Session {
 public:
  /// `credential` is where `access` came from, and is renewed; empty: it stays as it is. `context`: of the activity that
  /// asks, which may be told to stop; null: none does.
  Session(SharedDeps deps, const ActivityContext* context, const Platform& platform, std::string base_url,
          std::optional<CredentialId> credential, Access access, const StepInput& input);

  const Platform& platform() const { return platform_; }
  const PlatformSession& auth() const { return auth_; }
  ImportDeps& deps() const { return *deps_; }
  const SharedDeps& shared_deps() const { return deps_; }
  Timestamp now() const { return deps_->clock.now(); }
  /// Something came: the watchdog need not bark.
  void moved() { deps_->live->moved(ask_.import, now()); }

  /// Sends a request to the platform's API once there is a slot for it, and reads its answer. No answer at all is
  /// Again{platform.outage}; no slot within kShortWaitMax is the Wait of Permits::request. Access that runs out, or that
  /// the platform refuses, is renewed where it can be, and the same request is sent with it.
  template <class T>
  Awaitable<Fetched<T>> ask(Operation operation, HttpRequest request,
                            Fetched<T> (*read)(const HttpReply&, Timestamp)) {
    auto exchanging = exchange(operation, std::move(request));
    Fetched<HttpReply> reply = co_await std::move(exchanging);
    if (!reply) co_return tl::unexpected(reply.error());
    if (watch_) watch_(*reply);
    co_return read(*reply, now());
  }
  Permits::Desk& desk() { return desk_; }

  /// Sees each reply of the platform's API before it is read: its headers tell things that no reader asks for.
  void watch_replies(std::function<void(const HttpReply&)> watch) { watch_ = std::move(watch); }

  /// A transport error as trouble.
  static Trouble no_answer(const Error& error);

 private:
  Awaitable<Fetched<HttpReply>> send_permitted(Operation operation, HttpRequest request);
  Awaitable<Fetched<HttpReply>> exchange(Operation operation, HttpRequest request);
  /// True when there is newer access than what was refused.
  Awaitable<Fetched<bool>> renew(std::int64_t refused);

  SharedDeps deps_;
  const ActivityContext* context_;
  const Platform& platform_;
  PlatformSession auth_;
  std::optional<CredentialId> credential_;
  Access access_;
  Permits::Desk& desk_;
  storage::RequestAsk ask_;  ///< of every request, but for its operation
  std::function<void(const HttpReply&)> watch_;
};

/// A person wants to know now, whatever the platform said before.
inline StepInput asking_for(ImportInput ask) {
  StepInput input;
  input.ask = std::move(ask);
  input.probing = true;
  return input;
}

using SessionMade = tl::expected<std::shared_ptr<Session>, ActivityError>;
/// Shared by the coroutines of one batch; `context`, if any, outlives it. Errors: access.credential_gone and an unknown
/// platform end the import.
Awaitable<SessionMade> open_session(SharedDeps deps, const ActivityContext* context, StepInput input);
/// With access that is not sealed yet, or not any more.  @error  an unknown platform.
SessionMade make_session(SharedDeps deps, const ActivityContext* context, const StepInput& input,
                         std::optional<CredentialId> credential, Access access);

}  // namespace callimport::activities
