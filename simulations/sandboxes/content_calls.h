#pragma once
// A folder of real transcripts and recordings as a workspace. Form: *.jsonl with one call a line ({id, title?, source,
// started_at?, duration_s, participants: [{name?, role?}], segments: [{speaker, start_ms, end_ms, text}]}) and media/*.
//
// Calls come in the order of file names and lines; a call without started_at is placed one hour before the last. Media
// that are named broken-* get a call of their own, after all others, so that every transcript belongs to a good
// recording; the good ones go round. ids: uuid_of_text(line's id), for the broken uuid_of_text(file name). The end is
// the start plus duration_s; duration_ms is the length of the media file, as libavformat finds it (of a broken file:
// one minute).
#include <memory>
#include <string>

#include "simulations/sandboxes/calls.h"
#include "storage/model/result.h"

namespace callimport::simulations {

/// A participant without a name gets a display name, as vendors do: "Speaker 3" for the third.
std::string display_name(const std::string& name, std::size_t position);

/// Reads transcripts at once, media when asked for.  @error kInvalid  no folder, no calls, or a line that is not of the
/// form.
Result<std::unique_ptr<CallSource>> content_calls(const std::string& folder);

}  // namespace callimport::simulations
