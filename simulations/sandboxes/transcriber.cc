#include "simulations/sandboxes/transcriber.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "simulations/sandboxes/grain_wire.h"
#include "simulations/sandboxes/multipart.h"
#include "storage/media/content_hash.h"

namespace callimport::simulations {
namespace {

using nlohmann::json;

SandboxReply refusal(int status, std::string_view text) {
  return json_reply(status, {{"error", {{"message", text}, {"type", "invalid_request_error"}}}});
}

}  // namespace

std::string heard_in(std::string_view bytes) {
  return fmt::format("a recording of {} bytes that hashes to {}", bytes.size(),
                     storage::content_hash(bytes).substr(0, 12));
}

SandboxReply TranscriberSandbox::handle(const SandboxRequest& request, Timestamp) {
  SandboxReply reply;
  ++asked_;
  const std::string_view type = find_header(request.headers, "content-type");
  const auto parts = read_multipart(type, request.body);
  std::string file, model, format;
  for (const auto& part : parts.value_or(std::vector<FormPart>{})) {
    if (part.name == "file" && !part.file_name.empty()) file = part.body;
    if (part.name == "model") model = part.body;
    if (part.name == "response_format") format = part.body;
  }
  if (request.target != kTranscriptionsPath || request.method != "POST") {
    reply = refusal(404, "no such page");
  } else if (!options_.key.empty() && find_header(request.headers, "authorization") != "Bearer " + options_.key) {
    reply = refusal(401, "incorrect key");
  } else if (asked_ <= options_.fail_first) {
    reply = refusal(500, "try again");
  } else if (asked_ <= options_.fail_first + options_.limit_first) {
    reply = refusal(429, "too many requests");
    reply.headers.emplace_back("retry-after", options_.retry_after);
  } else if (!parts || file.empty() || model.empty() || format != "verbose_json") {
    reply = refusal(400, "a file, a model and response_format=verbose_json are wanted");
  } else if (file.size() > options_.bytes_max) {
    reply = refusal(413, "the file is too large");
  } else if (!options_.answer.empty()) {
    reply.body = options_.answer;
  } else {
    ++made_;
    const std::string words = heard_in(file);
    reply = json_reply(200, {{"task", "transcribe"},
                             {"language", "english"},
                             {"text", "Good morning. " + words},
                             {"segments",
                              {{{"id", 0}, {"start", 0.0}, {"end", 1.48}, {"text", " Good morning."}},
                               {{"id", 1}, {"start", 1.48}, {"end", 4.2}, {"text", " " + words}}}}});
  }
  reply.delay += options_.slow;
  return reply;
}

}  // namespace callimport::simulations
