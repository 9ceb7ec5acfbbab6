#pragma once
// Files of `name: text` lines, as the words of messages are kept: a line that begins with a space goes on the one
// before, one that begins with # says nothing.
#include <map>
#include <string>
#include <vector>

#include "storage/model/result.h"

namespace callimport::activities {

struct TemplateLine {
  int number = 0;  ///< in its file, from 1
  std::string text;
};
struct TemplateLines {
  std::map<std::string, std::vector<TemplateLine>> by_name;
  const TemplateLine& one(const std::string& name) const { return by_name.at(name).front(); }
  std::vector<TemplateLine> all(const std::string& name) const {
    const auto found = by_name.find(name);
    return found == by_name.end() ? std::vector<TemplateLine>{} : found->second;
  }
};

/// @param needed  there once each;  @param once  there at most once;  @param often  any number of times
/// @error kInvalid  `file:line: what is wrong; what to do`
Result<TemplateLines> read_template_lines(const std::string& body, const std::string& file,
                                          const std::vector<std::string>& needed, const std::vector<std::string>& once,
                                          const std::vector<std::string>& often);

}  // namespace callimport::activities
