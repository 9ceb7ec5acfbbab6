#pragma once
// What stands in a message, as the layouts (templates/layout.txt, layout.html) get it: its three lines, a table of
// facts, commands, one link, lists, and why the reader got it.
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "activities/notify/words.h"
#include "storage/library/records.h"

namespace callimport::activities {

/// What a message is shown with, besides its words. What is empty is left out.
struct Surroundings {
  std::string link;         ///< to the import; only http and https are shown
  std::string why;          ///< one sentence: why the reader gets this
  std::string others;       ///< who else does; never told to customers
  std::string quieter;      ///< one sentence: how to change or mute it
  std::string reply_to;     ///< whom a reply reaches; to customers without the name
  std::string unsubscribe;  ///< a link that ends such mails
};

struct Lines {
  std::string news, next, to_do;  ///< one line each
};
struct Step {
  std::string when, news;
};
struct LayoutInput {
  const nlohmann::json& words;  ///< as words_of makes them
  const storage::ImportRow& import;
  Audience audience;
  const std::string& subject;
  const Lines& lines;
  const std::string& button;
  const std::vector<std::string>& commands;
  const std::vector<Step>& steps;  ///< what happened before, oldest first
  const Surroundings& around;
};

/// More would be cut by mail programs (100 KB), and read by nobody.
inline constexpr std::size_t kPartItemsMax = 10, kGapsShownMax = 5, kRowsMax = 6;

nlohmann::json layout_of(const LayoutInput& input);
/// The names a layout may use, and those of its lists' items.
std::span<const Word> layout_words();
std::span<const Word> layout_item_words();

}  // namespace callimport::activities
