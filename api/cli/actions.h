#pragma once
// What every verb that changes an import does: it says what will happen, asks where a person sits, acts once, and tells
// what came of it; on one import, or on all that a list filter finds (ux X-10, TP-04).
#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <utility>

#include "api/cli/session.h"
#include "api/proto/callimport/v1/callimport.pb.h"

namespace callimport::api {

namespace v1 = ::callimport::v1;

struct ActionFlags {
  std::string id, query, why;
};

using SendAction = std::function<tl::expected<v1::ActionResponse, CliError>(const v1::Action& action)>;

struct ActionCall {
  std::string question;  ///< "Pause it?"
  std::string done;      ///< "paused"
  SendAction send;
  bool cannot_be_undone = false;  ///< without a terminal it wants --yes
  /// What is done where only Temporal answers; empty: it cannot be done there.
  std::function<tl::expected<void, CliError>(const std::string& id)> by_temporal{};
};

/// A method of callimport.v1 with everything but its action filled in.
template <class Request>
SendAction action_sender(Session& session, std::string method, Request request) {
  return [&session, method = std::move(method), request = std::move(request)](const v1::Action& action) {
    Request sent = request;
    *sent.mutable_action() = action;
    return session.ask<Request, v1::ActionResponse>(method, sent);
  };
}

enum class ActionScope { kOne, kMany };
/// The import, --query where many are allowed, and --why, whose help is `why`.
void add_action_flags(CLI::App& verb, ActionFlags& flags, const std::string& why,
                      ActionScope scope = ActionScope::kMany);
/// `doing`: the verb, for the advice given. @return 0, 1 when some of many could not be done.
Ended act_on_imports(Session& session, const std::string& doing, const ActionFlags& flags, const ActionCall& call);
/// A request id of one's own.
std::string new_request_id();

}  // namespace callimport::api
