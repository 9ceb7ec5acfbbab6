#include "storage/quota/budget.h"

#include <fmt/format.h>

namespace callimport::storage {

std::string_view to_string(Operation operation) {
  switch (operation) {
    case Operation::kAny: return "requests";
    case Operation::kList: return "list";
    case Operation::kDetails: return "details";
    case Operation::kTranscript: return "transcript";
    case Operation::kMediaLink: return "media_link";
  }
  return "requests";
}

std::string name_of(const Budget& budget) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(budget.period).count();
  return std::string(to_string(budget.operation)) + "/" + std::to_string(seconds) + "s";
}

std::string period_words(Nanos period) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(period).count();
  if (seconds == 1) return "a second";
  if (seconds == 60) return "a minute";
  if (seconds == 3'600) return "an hour";
  if (seconds == 86'400) return "a day";
  if (seconds % 3'600 == 0) return fmt::format("in {} hours", seconds / 3'600);
  return fmt::format("in {} s", seconds);
}

std::string_view noun_of(Operation operation) {
  switch (operation) {
    case Operation::kAny: return "requests";
    case Operation::kList: return "list requests";
    case Operation::kDetails: return "requests for details";
    case Operation::kTranscript: return "requests for transcripts";
    case Operation::kMediaLink: return "requests for recordings";
  }
  return "requests";
}

std::string words_of(const Budget& budget) {
  return fmt::format("{} {} {}", budget.limit, noun_of(budget.operation), period_words(budget.period));
}

}  // namespace callimport::storage
