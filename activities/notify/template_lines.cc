#include "activities/notify/template_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "storage/model/text.h"

namespace callimport::activities {
namespace {

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Result<TemplateLines> read_template_lines(const std::string& body, const std::string& file,
                                          const std::vector<std::string>& needed, const std::vector<std::string>& once,
                                          const std::vector<std::string>& often) {
  TemplateLines lines;
  std::set<std::string> all(needed.begin(), needed.end());
  all.insert(once.begin(), once.end());
  all.insert(often.begin(), often.end());
  std::istringstream in(body);
  std::string line;
  TemplateLine* last = nullptr;
  for (int number = 1; std::getline(in, line); ++number) {
    const std::string text = trimmed(line);
    if (text.empty() || line.starts_with("#")) continue;
    if (line.starts_with(" ") || line.starts_with("\t")) {
      if (last == nullptr)
        return fail(Code::kInvalid, fmt::format("{}:{}: it goes on no line; begin it with a name", file, number));
      last->text += "\n" + text;
      continue;
    }
    const std::size_t colon = text.find(':');
    const std::string name = text.substr(0, colon);
    if (colon == std::string::npos || !all.contains(name)) {
      return fail(Code::kInvalid,
                  fmt::format("{}:{}: it begins with none of the names there are; begin it with one of: {}", file,
                              number, fmt::join(all, ", ")));
    }
    auto& rows = lines.by_name[name];
    if (!rows.empty() && !has(often, name))
      return fail(Code::kInvalid, fmt::format("{}:{}: {} is there twice; keep one of them", file, number, name));
    rows.push_back({number, trimmed(text.substr(colon + 1))});
    last = &rows.back();
    if (last->text.empty())
      return fail(Code::kInvalid,
                  fmt::format("{}:{}: {} says nothing; write a sentence or take it out", file, number, name));
  }
  for (const std::string& name : needed) {
    if (!lines.by_name.contains(name))
      return fail(Code::kInvalid,
                  fmt::format("{}:1: {} is missing; add a line that begins with {}:", file, name, name));
  }
  return lines;
}

}  // namespace callimport::activities
