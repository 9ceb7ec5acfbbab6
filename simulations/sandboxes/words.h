#pragma once
// Sentences a sales or support call could hold, from a number: varied enough that a search for a company, a month, a
// sum or a product finds some calls and not others.
#include <cstdint>
#include <string>

namespace callimport::simulations {

struct CallTheme {
  std::string company, product, topic;
};

CallTheme theme_of(std::uint64_t bits);
std::string title_of(const CallTheme& theme);
/// One turn of speech; `turn` counts within the call: the first greets, the rest talk business.
std::string sentence_of(const CallTheme& theme, std::uint64_t turn, std::uint64_t bits);
std::string person_name_of(std::uint64_t bits);

}  // namespace callimport::simulations
