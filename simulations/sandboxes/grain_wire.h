#pragma once
// Grain's wire forms: a call as its Recording object, transcripts in four formats, and the check of request bodies.
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "simulations/sandboxes/calls.h"
#include "simulations/sandboxes/sandbox.h"

namespace callimport::simulations {

SandboxReply json_reply(int status, const nlohmann::json& body);
/// {"error": code, "data": text}
SandboxReply error_reply(int status, std::string_view code, std::string_view text);

/// What is wrong with a list or detail body, in the words of the vendor's validator; nullopt: nothing.
std::optional<std::string> find_schema_error(const nlohmann::json& body);
/// True when the body asks for what only a personal token may see.
bool asks_for_personal(const nlohmann::json& body);

/// The Recording object with exactly the optional parts that `include` asks for.
nlohmann::json write_recording(const SandboxCall& call, const nlohmann::json& include);
nlohmann::json write_transcript(const SandboxCall& call);
/// @param format  txt, vtt or srt
std::string write_subtitles(const SandboxCall& call, std::string_view format);
nlohmann::json write_teams();
nlohmann::json write_meeting_types();
/// Id of the call's meeting type or team; empty for none.
std::string meeting_type_of(const SandboxCall& call);
std::string team_of(const SandboxCall& call);

}  // namespace callimport::simulations
