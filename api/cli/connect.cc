// callimport credentials connect: a person says yes in a browser, and the platform's tokens go to the server's vault.
#include "api/cli/connect.h"

#include <fmt/format.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "activities/oauth/sign_in.h"
#include "api/cli/actions.h"
#include "api/cli/loopback.h"
#include "api/cli/programs.h"
#include "api/cli/shape.h"

namespace callimport::api {
namespace {

constexpr auto kServerAwayMax = std::chrono::minutes{2};  ///< that the browser's answer is held for it
constexpr int kFinishTriesMax = 5;

void show_address(const Session& session, const ConnectFlags& flags, const std::string& address) {
  const auto program = flags.no_browser || !session.err_is_terminal() ? std::string() : find_browser();
  const bool opened = !program.empty() && run_program(program, {address}) == 0;
  session.say_raw(fmt::format("{}\n  {}\n",
                              opened ? "A browser shows this page; else open it yourself:"
                                     : "Open this page in a browser on this machine, and say yes there:",
                              address));
}

/// What the browser brought.
struct Brought {
  std::string code;
  std::string error;  ///< of the platform, in its words; empty: there is a code
};

/// One answer with the right state ends it; all others are refused and waited past.
std::optional<Brought> wait_for_browser(const Session& session, Loopback& loopback, const std::string& path,
                                        const std::string& state, const ConnectFlags& flags) {
  const auto field = [](const QueryFields& fields, std::string_view name) {
    const auto found = fields.find(name);
    return found == fields.end() ? std::string() : found->second;
  };
  Brought brought;
  const auto until =
      std::chrono::steady_clock::now() + std::chrono::milliseconds{static_cast<std::int64_t>(flags.wait_s * 1'000)};
  const bool came = loopback.serve(path, until, [&](const QueryFields& fields) -> Loopback::Page {
    if (field(fields, "state") != state) {
      session.say("an answer that does not belong to this sign-in was refused; still waiting for the right one");
      return {400, "Refused", "This answer does not belong to the sign-in that is under way.", false};
    }
    brought = {field(fields, "code"), field(fields, "error")};
    if (brought.code.empty() && brought.error.empty()) brought.error = "nothing";
    if (!brought.error.empty()) return {200, "Not connected", "Access was not given. You can close this page.", true};
    return {200, "Thank you", "The rest happens in the terminal. You can close this page.", true};
  });
  return came ? std::optional(std::move(brought)) : std::nullopt;
}

Ended report(Session& session, const v1::FinishSignInResponse& reply) {
  const auto& credential = reply.credential();
  if (reply.has_renewed() && !reply.renewed().refused_cause().empty()) {
    return sorry(kExitSignIn, reply.renewed().refused_cause(),
                 printable(reply.renewed().refused_message()) + "; no import was told",
                 "callimport credentials connect " + credential.platform() + " --credential " + credential.id() +
                     "   # with the account the import knows");
  }
  if (session.json())
    session.print(dump(shape(credential)) + "\n");
  else if (session.output() != Output::kNone)
    session.print(credential.id() + "\n");
  if (!reply.has_renewed()) {
    session.say(fmt::format("connected. next: callimport platforms check --credential {}", credential.id()));
    return kExitDone;
  }
  session.say(fmt::format("connected anew; {} import(s) go on with it", reply.renewed().imports_told_size()));
  for (const auto& id : reply.renewed().imports_told()) session.say("next: callimport watch " + id);
  return kExitDone;
}

/// The code goes to the server. One that is being started again is waited for: it has kept the sign-in.
tl::expected<v1::FinishSignInResponse, CliError> finish_sign_in(Session& session,
                                                                const v1::FinishSignInRequest& request) {
  const auto until = std::chrono::steady_clock::now() + kServerAwayMax;
  CLI_TRY(auto* client, session.client());
  std::optional<CliError> first;
  for (int tries = 0; tries < kFinishTriesMax; ++tries) {
    auto reply = session.ask<v1::FinishSignInRequest, v1::FinishSignInResponse>("FinishSignIn", request);
    // Taken by the try before, whose answer says more than that it is gone now.
    if (!reply && reply.error().code == "signin.unknown" && first) return tl::unexpected(*first);
    if (reply || reply.error().code != "server.absent") return reply;
    if (!first) session.say("the server does not answer; waiting for it");
    first = reply.error();
    while (!client->wait_connected(std::chrono::seconds{1})) {
      if (interrupted() || std::chrono::steady_clock::now() >= until) return tl::unexpected(*first);
    }
  }
  return tl::unexpected(*first);
}

}  // namespace

Ended connect(Session& session, const ConnectFlags& flags) {
  const std::string again = fmt::format("callimport credentials connect {}", printable(flags.platform.substr(0, 60)));
  auto loopback = Loopback::open();
  if (!loopback) return sorry(kExitFailed, "unavailable", loopback.error().message, "callimport doctor");
  watch_for_interrupt();
  v1::BeginSignInRequest request;
  request.set_platform(flags.platform);
  request.set_workspace(flags.workspace);
  request.set_credential(flags.credential);
  request.set_port(loopback->port());
  CLI_TRY(const auto begun, (session.ask<v1::BeginSignInRequest, v1::BeginSignInResponse>("BeginSignIn", request)));
  show_address(session, flags, begun.address());
  const auto brought =
      wait_for_browser(session, *loopback, activities::redirect_path(flags.platform), begun.state(), flags);
  if (!brought && interrupted()) return sorry(kExitInterrupted, "interrupted", "stopped by Ctrl-C", again);
  if (!brought) {
    return sorry(kExitTimeout, "signin.timeout",
                 fmt::format("nobody came back from the browser within {}",
                             human_duration(static_cast<std::int64_t>(flags.wait_s * 1'000))),
                 again);
  }
  if (!brought->error.empty()) {
    const bool denied = brought->error == "access_denied";
    return sorry(kExitSignIn, denied ? "signin.denied" : "signin.refused",
                 denied ? "access was not given: somebody said no in the browser"
                        : "the platform did not sign in: " + printable(brought->error.substr(0, 100)),
                 again);
  }
  v1::FinishSignInRequest finish;
  finish.set_state(begun.state());
  finish.set_code(brought->code);
  finish.mutable_deed()->set_why(flags.why);
  finish.mutable_deed()->set_request_id(new_request_id());
  CLI_TRY(const auto reply, finish_sign_in(session, finish));
  return report(session, reply);
}

}  // namespace callimport::api
