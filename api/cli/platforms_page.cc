#include "api/cli/platforms_page.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "activities/platforms/matrix.h"

namespace callimport::api {
namespace {

using nlohmann::json;

struct Kind {
  const char *key, *title;
};
constexpr Kind kKinds[] = {{"recordings", "Recordings"}, {"transcripts", "Transcripts"}, {"people", "People"},
                           {"crm_links", "CRM links"},   {"comments", "Comments"},       {"summaries", "Summaries"}};
constexpr Kind kFacts[] = {{"sign_in", "Sign-in"},        {"role", "Role needed"}, {"plan", "Plan needed"},
                           {"history", "History"},        {"links", "Links live"}, {"size_limit", "Size limit"},
                           {"api_version", "API version"}};

std::string text(const json& row, const char* key) { return row.at(key).get<std::string>(); }

std::string joined(const json& list, const char* between) {
  std::string all;
  for (const auto& one : list) all += (all.empty() ? "" : between) + one.get<std::string>();
  return all;
}

/// "partly (the platform): why; test X"
std::string answer_words(const json& answer) {
  std::string words = answer.at("answer");
  if (answer.contains("why")) {
    if (words != "not built")
      words += fmt::format(" ({})", answer.at("because_of") == "us" ? "ours to do" : "the platform");
    words += ": " + answer.at("why").get<std::string>();
  }
  if (answer.contains("test")) words += fmt::format("; proven by {}", answer.at("test").get<std::string>());
  return words;
}

std::string verified_words(const json& row) {
  if (!row.contains("verified")) return "never";
  return fmt::format("{} ({})", text(row.at("verified"), "test"), text(row.at("verified"), "how"));
}

std::string section(const json& row) {
  std::string page = fmt::format("## {}: {}\n\n{}.\n\n", text(row, "title"), text(row, "verdict"), text(row, "reason"));
  for (const auto& fact : kFacts) page += fmt::format("- {}: {}\n", fact.title, text(row, fact.key));
  page += "\nWhat comes across:\n\n";
  for (const auto& kind : kKinds)
    page += fmt::format("- {}: {}\n", kind.title, answer_words(row.at("comes_across").at(kind.key)));
  page += fmt::format("\nLimits: {}.\n\n", joined(row.at("limits"), "; "));
  for (const auto& [calls, length] : row.at("usual").items())
    page += fmt::format("- {} calls: {}\n", calls, length.get<std::string>());
  page += fmt::format("\nKnown gaps: {}.\n\nHow sure: {}. Last verified by: {}.\n\n", joined(row.at("gaps"), "; "),
                      text(row, "sure"), verified_words(row));
  return page;
}

}  // namespace

std::string comes_across_words(const json& row) {
  std::string whole, part;
  for (const auto& kind : kKinds) {
    const std::string answer = row.at("comes_across").at(kind.key).at("answer");
    auto& into = answer == "yes" ? whole : part;
    if (answer == "yes" || answer == "partly") into += (into.empty() ? "" : ", ") + std::string(kind.key);
  }
  if (whole.empty() && part.empty()) return "nothing yet";
  return part.empty() ? whole : whole + "; partly " + part;
}

std::string platform_detail(const json& row) {
  std::string page = fmt::format("{}: {}\n{}\n\n", text(row, "title"), text(row, "verdict"), text(row, "reason"));
  const auto line = [&page](const std::string& head, const std::string& words) {
    page += fmt::format("  {:<13} {}\n", head, words);
  };
  for (const auto& fact : kFacts) line(fact.title, text(row, fact.key));
  for (const auto& limit : row.at("limits")) line("Limit", limit);
  for (const auto& kind : kKinds) line(kind.title, answer_words(row.at("comes_across").at(kind.key)));
  for (const auto& [calls, length] : row.at("usual").items()) line(calls + " calls", length);
  for (const auto& gap : row.at("gaps")) line("Gap", gap);
  line("How sure", text(row, "sure"));
  line("Verified by", verified_words(row));
  return page;
}

std::string platforms_page() {
  const auto& matrix = activities::platform_matrix();
  std::string page =
      "# Platforms\n\nMade by `./dev docs` from `activities/platforms/matrix.json`, as `callimport platforms` is: "
      "change it there.\n\n";
  page += text(matrix, "about") + "\n\n";
  page += "| platform | import today | why | sign-in | role | comes across | 5,000 calls | verified by |\n";
  page += "|---|---|---|---|---|---|---|---|\n";
  for (const auto& row : matrix.at("platforms")) {
    page += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} |\n", text(row, "title"), text(row, "verdict"),
                        text(row, "reason"), text(row, "sign_in"), text(row, "role"), comes_across_words(row),
                        text(row.at("usual"), "5000"), verified_words(row));
  }
  page += "\nImported calls can:\n\n";
  for (const auto& one : matrix.at("imported_calls_can")) page += "- " + one.get<std::string>() + "\n";
  page += "\nImported calls cannot:\n\n";
  for (const auto& one : matrix.at("imported_calls_cannot")) page += "- " + one.get<std::string>() + "\n";
  page += fmt::format(
      "\nPrices: {}\n\nA request for another platform: {}. It is answered within {}. The first import: {}.\n\n",
      text(matrix, "prices"), text(matrix.at("requests"), "ask"), text(matrix.at("requests"), "answer_within"),
      text(matrix.at("requests"), "first_import"));
  for (const auto& row : matrix.at("platforms")) page += section(row);
  page.pop_back();
  return page;
}

}  // namespace callimport::api
