#pragma once
// Grain's public API, version 2025-10-31, as a sandbox: sign-in, version header, rate limit, typed bodies, keyset
// paging, transcripts, signed media links, and troubles by switch. Where the vendor documents nothing, the inferred
// behaviour is said at the option or in docs/new-platform.md.
#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "simulations/sandboxes/calls.h"
#include "simulations/sandboxes/generated_calls.h"
#include "simulations/sandboxes/grain_oauth.h"
#include "simulations/sandboxes/sandbox.h"
#include "storage/model/result.h"

namespace callimport::simulations {

/// A token of the vendor's form (grain_pat_, 8 characters, _, 40 characters) that every sandbox takes unless told
/// otherwise.
inline constexpr std::string_view kGrainSandboxToken = "grain_pat_sandbox0_SandboxSandboxSandboxSandboxSandbox00000";
inline constexpr std::string_view kGrainVersion = "2025-10-31";

enum class OutageKind : std::uint8_t { kServerError, kRefused };
/// Seconds count from the first request or, behind a server, from its start.
struct Outage {
  Nanos start{0}, length{0};
  OutageKind kind = OutageKind::kServerError;
};
enum class NotReadyKind : std::uint8_t { kEmptyTranscript, kNotFound };

struct GrainOptions {
  GeneratedOptions generated;
  std::string content_dir;        ///< serve this folder instead (content_calls.h)
  int requests_per_minute = 300;  ///< 0: no limit; the headers then say kUnlimitedPerMinute
  std::size_t page_size = 20;
  std::string token{kGrainSandboxToken}, renewed_token;
  std::string token_kind = "pat";  ///< wat: personal-only switches are refused
  std::uint64_t expire_after = 0;  ///< requests the first token is good for; 0: for ever
  std::vector<Outage> outages;
  NotReadyKind not_ready = NotReadyKind::kEmptyTranscript;
  Nanos not_ready_for = std::chrono::minutes{10};  ///< from the start of the sandbox on
  Nanos slow{0};                                   ///< before every answer
  Nanos link_life = std::chrono::minutes{10};
  GrainOAuthOptions oauth;
  double cut_percent = 0;  ///< of calls whose whole-file download breaks off half way; a ranged one passes
};
inline constexpr int kUnlimitedPerMinute = 1'000'000;

class GrainSandbox final : public Sandbox {
 public:
  /// @error kInvalid  a content folder that cannot be read, a page size or limit out of bounds.
  static Result<std::unique_ptr<GrainSandbox>> make(GrainOptions options);
  SandboxReply handle(const SandboxRequest& request, Timestamp now) override;

  const CallSource& calls() const { return *calls_; }
  /// From now on this token is taken too, and is never worn out.
  void accept(std::string token) { options_.renewed_token = std::move(token); }
  /// Fixes the start of outage windows and of not-ready times, which otherwise is the first request.
  void start_at(Timestamp now) { started_ = now; }
  std::uint64_t requests_of_first_token() const { return first_token_uses_; }
  GrainOAuth& oauth() { return oauth_; }

 private:
  GrainSandbox(GrainOptions options, std::unique_ptr<CallSource> calls);
  SandboxReply answer(const SandboxRequest& request, Timestamp now);
  SandboxReply api(const SandboxRequest& request, std::string_view path, Timestamp now);
  SandboxReply route(const SandboxRequest& request, std::string_view path, Timestamp now);
  SandboxReply list(const nlohmann::json& body);
  SandboxReply recording(std::uint64_t index, const SandboxRequest& request, std::string_view rest, Timestamp now);
  SandboxReply transcript(std::uint64_t index, const SandboxRequest& request, std::string_view format, Timestamp now);
  SandboxReply download(std::uint64_t index, const SandboxRequest& request, Timestamp now);
  SandboxReply cdn(const SandboxRequest& request, std::string_view path, Timestamp now);
  bool matches(const nlohmann::json& filter, std::uint64_t index) const;
  bool ready(const SandboxCall& call, Timestamp now) const;
  std::string write_cursor(std::uint64_t index) const;
  std::optional<std::uint64_t> read_cursor(std::string_view cursor) const;
  std::string signature(std::uint64_t index, std::int64_t expires) const;

  GrainOptions options_;
  GrainOAuth oauth_;
  std::unique_ptr<CallSource> calls_;
  std::optional<Timestamp> started_, window_;  ///< window_: start of the present minute of the rate limit
  int used_in_window_ = 0;
  std::uint64_t first_token_uses_ = 0;
};

/// The command line of `callimport sandbox grain`, parsed; the first two words left out.
struct SandboxCommand {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;  ///< 0: any free one
  std::string log_path;    ///< empty: no request log
  int ready_fd = -1;       ///< `listening on HOST:PORT` is written there too once it answers; -1: none
  GrainOptions grain;
};
/// @error kInvalid  names the flag and what it wants.
Result<SandboxCommand> sandbox_options(const std::vector<std::string>& args);
/// One line per flag, for --help.
std::string_view sandbox_usage();

}  // namespace callimport::simulations
