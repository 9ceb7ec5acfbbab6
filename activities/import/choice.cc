#include "activities/import/choice.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <iterator>

#include "activities/import/texts.h"

namespace callimport::activities {
namespace {

constexpr std::size_t kUsersShown = 3, kWhoseBytesMax = 200;

/// Addresses and names are the same in large and small ASCII letters.
std::string folded(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

}  // namespace

Choice::Choice(const ImportInput& ask, std::vector<std::string> named)
    : by_name_(ask.named > 0),
      named_(std::make_move_iterator(named.begin()), std::make_move_iterator(named.end())),
      min_length_ms_(ask.min_length_ms) {
  for (const auto& user : ask.users) users_.insert(folded(user));
}

bool Choice::takes(const storage::ManifestRow& row) const {
  if (by_name_ && !named_.contains(row.source_id)) return false;
  if (row.duration_ms && *row.duration_ms < min_length_ms_) return false;
  return users_.empty() || users_.contains(folded(row.owner));
}

std::vector<storage::ManifestRow> Choice::not_listed(const std::string& import) const {
  std::vector<storage::ManifestRow> rows;
  for (const auto& id : named_) {
    storage::ManifestRow row;
    row.import = import;
    row.source_id = id;
    row.state = storage::CallState::kFailed;
    row.cause = kCauseNotListed;
    row.detail = "the platform's list does not have this call";
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string choice_refused(const Platform& platform, const ImportInput& ask) {
  if (ask.min_length_ms < 0) return "a length cannot be negative";
  if (ask.named < 0) return "a number of calls cannot be negative";
  if (ask.named > 0 && ask.calls_max > 0) return "calls are named one by one or counted, not both";
  if (ask.min_length_ms > 0 && !platform.lists_length) {
    return std::string(platform.title) + " does not list how long its calls are";
  }
  if (!ask.users.empty() && !platform.lists_owner) {
    return std::string(platform.title) + " does not list who recorded its calls";
  }
  return {};
}

std::string choice_words(const ImportInput& ask) {
  std::vector<std::string> limits;
  if (ask.named > 0) limits.push_back(fmt::format("the {} calls named", grouped(ask.named)));
  if (ask.min_length_ms > 0) limits.push_back(fmt::format("calls of {} s and more", ask.min_length_ms / 1'000));
  if (!ask.users.empty()) {
    const auto shown = static_cast<std::ptrdiff_t>(std::min(kUsersShown, ask.users.size()));
    auto whose = fmt::format("{}", fmt::join(ask.users.begin(), ask.users.begin() + shown, ", "));
    if (ask.users.size() > kUsersShown) whose += fmt::format(" and {} more", ask.users.size() - kUsersShown);
    limits.push_back("recorded by " + cut_text(whose, kWhoseBytesMax));
  }
  return limits.empty() ? std::string() : fmt::format("only {}", fmt::join(limits, ", "));
}

}  // namespace callimport::activities
