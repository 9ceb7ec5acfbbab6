#pragma once
// The command tree as data: one source for help, completion and manual pages.
#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace callimport::api {

struct ManualFlag {
  std::vector<std::string> names;  ///< "--output", "-o"; of an argument its name
  std::string value;               ///< what follows it; empty: nothing
  std::string text, group;
  bool argument = false, required = false;
};

struct ManualPage {
  std::string path;     ///< "calls search"; empty: the root
  std::string summary;  ///< one line
  std::vector<std::string> examples;
  std::vector<ManualFlag> flags;                           ///< arguments first; hidden ones are left out
  std::vector<std::pair<std::string, std::string>> verbs;  ///< name, summary
  bool takes_import = false;
};

/// Every page below `app`, itself first.
std::vector<ManualPage> manual(const CLI::App& app, const std::string& path = {});
/// As a man page (section 1). `everywhere`: the root's flags, which every verb takes.
std::string man_page(const ManualPage& page, const ManualPage& root);
/// callimport-calls-search.1
std::string man_file(const ManualPage& page);

}  // namespace callimport::api
