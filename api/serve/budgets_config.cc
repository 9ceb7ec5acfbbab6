#include "api/serve/budgets_config.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <utility>

#include "activities/platforms/platform.h"

namespace callimport::api {
namespace {

using storage::BudgetSettings;
using storage::Budget;
using storage::Operation;

constexpr std::int64_t kLimitMost = 1'000'000'000;
constexpr int kLeftPercentMost = 95;
constexpr int kHoursMost = 24 * 366;
constexpr double kWeightLeast = 0.01, kWeightMost = 100;

struct Period {
  std::string_view ending;
  Nanos length;
};
constexpr Period kPeriods[] = {{"per_second", std::chrono::seconds{1}},
                               {"per_minute", std::chrono::minutes{1}},
                               {"per_hour", std::chrono::hours{1}},
                               {"per_day", std::chrono::hours{24}}};
constexpr Operation kOperations[] = {Operation::kAny, Operation::kList, Operation::kDetails, Operation::kTranscript,
                                     Operation::kMediaLink};

Result<> complain(const std::string& file, const toml::node& node, const std::string& what) {
  return fail(Code::kInvalid, fmt::format("{}:{}: {}", file, node.source().begin.line, what));
}

Result<std::int64_t> whole(const std::string& file, const std::string& name, const toml::node& node, std::int64_t least,
                           std::int64_t most) {
  const auto value = node.value_exact<std::int64_t>();
  if (value && *value >= least && *value <= most) return *value;
  std::string what = fmt::format("{} must be a whole number from {} to {}", name, least, most);
  if (value == 0) what += "; with a budget of 0 nothing could ever be fetched: leave the key out for the default";
  TRY_VOID(complain(file, node, what));
  return 0;
}

/// per_day, list_per_minute ...
std::optional<Budget> budget_named(std::string_view key) {
  for (const Operation operation : kOperations) {
    const std::string prefix = operation == Operation::kAny ? "" : std::string(to_string(operation)) + "_";
    for (const Period& period : kPeriods) {
      if (key == prefix + std::string(period.ending)) return Budget{operation, 0, period.length};
    }
  }
  return std::nullopt;
}

Result<> read_platform(const std::string& file, const std::string& platform, const toml::table& table,
                       BudgetSettings::OfPlatform& into) {
  for (const auto& [key, node] : table) {
    const std::string name = "budgets." + platform + "." + std::string(key.str());
    if (key.str() == "left_to_customer_percent") {
      TRY(const std::int64_t percent, whole(file, name, node, 0, kLeftPercentMost));
      into.left_percent = static_cast<int>(percent);
      continue;
    }
    auto budget = budget_named(key.str());
    if (!budget) {
      return complain(file, node,
                      fmt::format("no key {} in [budgets.{}]; it may hold: left_to_customer_percent, per_second,"
                                  " per_minute, per_hour, per_day, and these after list_, details_, transcript_ or"
                                  " media_link_",
                                  key.str(), platform));
    }
    TRY(budget->limit, whole(file, name, node, 1, kLimitMost));
    into.own.push_back(*budget);
  }
  return {};
}

Result<> read_weights(const std::string& file, const toml::node& node, BudgetSettings& into) {
  const auto* table = node.as_table();
  if (table == nullptr) return complain(file, node, "budgets.weights is a table: [budgets.weights]");
  for (const auto& [workspace, value] : *table) {
    const auto weight = value.value<double>();
    if (!weight || !std::isfinite(*weight) || *weight < kWeightLeast || *weight > kWeightMost) {
      return complain(file, value,
                      fmt::format("budgets.weights.{} must be a number from {} to {}; 1 is what all others have",
                                  workspace.str(), kWeightLeast, kWeightMost));
    }
    into.weights[std::string(workspace.str())] = *weight;
  }
  return {};
}

std::string known_platforms() {
  std::string names;
  for (const auto* platform : activities::platforms())
    names += (names.empty() ? "" : ", ") + std::string(platform->name);
  return names;
}

}  // namespace

Result<> read_budgets(const std::string& file, const toml::table& table, BudgetSettings& into) {
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    if (name == "weights") {
      TRY_VOID(read_weights(file, node, into));
    } else if (name == "bulk_calls") {
      TRY(into.bulk_calls, whole(file, "budgets." + name, node, 1, kLimitMost));
    } else if (name == "first_calls") {
      TRY(into.first_calls, whole(file, "budgets." + name, node, 1, kLimitMost));
    } else if (name == "hours") {
      TRY(const std::int64_t hours, whole(file, "budgets." + name, node, 1, kHoursMost));
      into.period = std::chrono::hours{hours};
    } else if (name == "left_to_customer_percent") {
      TRY(const std::int64_t percent, whole(file, "budgets." + name, node, 0, kLeftPercentMost));
      into.left_percent = static_cast<int>(percent);
    } else if (activities::find_platform(name) != nullptr && node.is_table()) {
      TRY_VOID(read_platform(file, name, *node.as_table(), into.platforms[name]));
    } else {
      return complain(file, node,
                      fmt::format("no key {} in [budgets]; it may hold: bulk_calls, first_calls, hours,"
                                  " left_to_customer_percent, and the tables weights and {}",
                                  name, known_platforms()));
    }
  }
  return {};
}

}  // namespace callimport::api
