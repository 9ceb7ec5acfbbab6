#include "activities/import/advice.h"

#include <algorithm>
#include <array>

namespace callimport::activities {
namespace {

constexpr std::string_view kRetryCause = "callimport retry {import} --cause {cause}";
constexpr std::string_view kShowProblems = "callimport show {import} --problems";

constexpr std::array kAdvice = {
    Advice{"call.deleted_at_source", "The call was deleted at the platform after it was counted.",
           "It cannot be played or searched here.", "the customer",
           "Ask whether it can be restored at the platform; then: callimport retry {import} --cause {cause}"},
    Advice{"call.not_listed", "The import was asked for this call by its id, and the platform's list does not have it.",
           "The call is missing here.", "whoever named the calls",
           "Compare the id with the platform, and whether the access in use sees the call; then: callimport retry "
           "{import} --cause {cause}"},
    Advice{
        "call.private", "The access in use may not see the call.", "The call stays where it is, unseen here.",
        "the call's owner or the customer's admin",
        "Have the call shared, or use a token of the whole workspace; then: callimport retry {import} --cause {cause}"},
    Advice{"call.no_recording", "The platform has neither a recording nor a transcript of the call.",
           "There is nothing that could be taken over.", "nobody", "Nothing to do: there is nothing to fetch."},
    Advice{"call.recording_not_ready", "The platform was still processing the recording.",
           "The call is missing until the platform is done.", "nobody", kRetryCause},
    Advice{"call.id_unusable", "The platform lists the call under something that is no id.",
           "The call cannot be asked for.", "the platform's support", kShowProblems},
    Advice{"media.link_expired", "The download link ran out again and again during the transfer.",
           "The recording is missing here.", "support", kRetryCause},
    Advice{"media.damaged", "The file is empty, cut off, or no recording at all.",
           "The recording cannot be played; the file is kept in quarantine.", "the customer",
           "Ask whether the recording plays at the platform; when it does: callimport retry {import} --cause {cause}"},
    Advice{"media.codec_unsupported", "The recording is whole, in a form that cannot be played here.",
           "The recording cannot be played.", "an engineer", kShowProblems},
    Advice{"media.length_mismatch", "The recording is much shorter or longer than the platform says.",
           "A part of the conversation may be missing.", "the customer",
           "Ask whether the recording is whole at the platform; when it is: callimport retry {import} --cause {cause}"},
    Advice{"media.too_large", "The recording is larger than what is taken over.", "The recording is missing here.",
           "an engineer", kShowProblems},
    Advice{"transcript.missing", "The platform has no transcript of the call.",
           "The call can be played, its words cannot be searched.", "nobody",
           "Nothing to do: the recording is here. When there are transcripts by now: callimport retry {import} --cause "
           "{cause}"},
    Advice{"transcript.failed", "The platform has no transcript, and the transcriber could not make one.",
           "The call can be played, its words cannot be searched.", "whoever runs the transcriber",
           "Look after the transcriber: callimport doctor says whether it answers; then: callimport retry {import} "
           "--cause {cause}"},
    Advice{"duplicate.skipped", "The library had the call already.", "Nothing is missing.", "nobody",
           "Nothing to do: the call is in the library."},
    Advice{"duplicate.under_way",
           "The same meeting is in this import a second time, and its first copy is being fetched.",
           "Nothing is missing.", "nobody", "Nothing to do: it is looked at again in a few seconds."},
    Advice{"duplicate.updated", "The library had the call already.", "What is known about it is up to date.", "nobody",
           "Nothing to do: the call is in the library."},
    Advice{"duplicate.replaced", "The library had the call already.", "It was written anew.", "nobody",
           "Nothing to do: the call is in the library."},
    Advice{"duplicate.same_recording", "The library has the same recording as another call.", "Nothing is missing.",
           "nobody", "Nothing to do; show --call names the other one."},
    Advice{"duplicate.same_meeting", "The library has the same meeting as another call.", "Nothing is missing.",
           "nobody", "Look at both if in doubt; show --call names the other one."},
    Advice{"library.rejected", "The library could not take the call as it is.", "The call is missing here.",
           "an engineer", kShowProblems},
    Advice{"platform.changed_answer", "The platform answered in a form that its documentation does not know.",
           "The call is missing here.", "support", kRetryCause},
    Advice{"platform.outage", "The platform did not answer when the call was asked for, and answered for others.",
           "The call is missing here.", "nobody", kRetryCause},
};

constexpr Advice kUnknown{"", "The call did not come across, for a cause that is not in the list of known ones.",
                          "The call is missing here.", "support", kShowProblems};

void fill(std::string& text, std::string_view place, std::string_view value) {
  for (auto at = text.find(place); at != std::string::npos; at = text.find(place, at + value.size())) {
    text.replace(at, place.size(), value);
  }
}

}  // namespace

std::span<const Advice> all_advice() { return kAdvice; }

const Advice& advice_for(std::string_view cause) {
  const auto known =
      std::find_if(kAdvice.begin(), kAdvice.end(), [&](const Advice& advice) { return advice.cause == cause; });
  return known == kAdvice.end() ? kUnknown : *known;
}

std::string action_for(const Advice& advice, std::string_view import, std::string_view cause) {
  std::string text(advice.action);
  fill(text, "{import}", import);
  fill(text, "{cause}", cause);
  return text;
}

}  // namespace callimport::activities
