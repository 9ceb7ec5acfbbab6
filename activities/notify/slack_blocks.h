#pragma once
// What stands in a Slack message, as Block Kit JSON within Slack's limits. Pure: words come in, a payload goes out. Any
// text may hold anything: it is escaped here, and cut by whole lines.
//
// Limits, as Slack's reference has them: a header 150 characters, a section's text 3,000, ten fields of 2,000, 50
// blocks, a button's text 75, its value 2,000. All blocks together: about 13,200 are refused (msg_blocks_too_long),
// which is documented nowhere; we stay under 12,000. Lengths here are bytes of UTF-8, which are never fewer than
// characters.
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace callimport::activities {

inline constexpr std::size_t kSlackHeaderMax = 150, kSlackSectionMax = 3'000, kSlackFieldMax = 2'000,
                             kSlackFieldsMax = 10, kSlackBlocksMax = 50, kSlackButtonMax = 75,
                             kSlackAllMax = 12'000;     ///< the blocks as JSON
inline constexpr std::size_t kSlackTopTextMax = 3'000;  ///< Slack takes 40,000, and asks for less than 4,000

struct SlackButton {
  std::string text;
  std::string action;   ///< with a value: comes back to us; empty: opens `url`
  std::string value{};  ///< of an action
  std::string url{};
  bool stands_out = false;
};

/// A time as each reader's own clock shows it.
struct SlackTime {
  std::string label;
  std::int64_t at_ms = 0;
};

/// One message; what is empty is left out.
struct SlackPost {
  std::string title{};                                        ///< the header
  std::vector<std::string> news;                              ///< the first says it all: what a phone shows
  std::vector<std::pair<std::string, std::string>> fields{};  ///< label and value
  std::vector<SlackTime> times{};                             ///< among the fields, after these
  int percent = -1;                                           ///< done, 0 to 100; -1: none is shown
  std::vector<std::string> list{};                            ///< further lines, cut first
  std::string mention{};                                      ///< a Slack user id: told at the beginning
  std::int64_t updated_ms = 0;                                ///< 0: not shown
  std::string link{};                                         ///< of "and N more"
  std::vector<SlackButton> buttons{};
};

/// {"text", "blocks", "unfurl_links", "unfurl_media"}. Never over a limit, and never without text.
nlohmann::json slack_payload(const SlackPost& post);
/// The text alone, when Slack does not take the blocks.
std::string slack_top_text(const SlackPost& post);

/// &, < and > as Slack wants them; control characters become spaces; broken UTF-8 is replaced when it is written.
std::string slack_escaped(std::string_view text);
/// At most `bytes_max` bytes, not in the midst of a character; what is cut off is said by an ellipsis.
std::string slack_cut(std::string text, std::size_t bytes_max);
/// A time as each reader's own clock shows it.
std::string slack_time(std::int64_t at_ms);
/// ▓▓▓▓▓░░░ 62 %
std::string slack_bar(int percent);

}  // namespace callimport::activities
