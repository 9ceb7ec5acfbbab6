#include "api/cli/manual.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "api/version.h"

namespace callimport::api {
namespace {

constexpr const char* kProgram = "callimport";

ManualFlag flag_of(const CLI::Option& option) {
  ManualFlag flag;
  for (const auto& name : option.get_lnames()) flag.names.push_back("--" + name);
  for (const auto& name : option.get_snames()) flag.names.push_back("-" + name);
  flag.argument = option.get_positional();
  if (flag.argument) flag.names = {option.get_name()};
  if (!flag.argument && option.get_expected_max() > 0) flag.value = option.get_type_name();
  flag.text = option.get_description();
  flag.group = option.get_group();
  flag.required = option.get_required();
  return flag;
}

/// Summary and examples as Tree::verb wrote them into the description.
void read_description(const std::string& text, ManualPage& page) {
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, page.summary);
  bool examples = false;
  while (std::getline(lines, line)) {
    if (line == "Examples:")
      examples = true;
    else if (examples && line.starts_with("  "))
      page.examples.push_back(line.substr(2));
  }
}

/// Text inside roff: no escape, no request at a line's start, minus signs that can be copied.
std::string roff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
  }
  return out.starts_with('.') || out.starts_with('\'') ? "\\&" + out : out;
}

std::string title_of(const ManualPage& page) {
  auto title = std::string(kProgram) + (page.path.empty() ? "" : " " + page.path);
  std::replace(title.begin(), title.end(), ' ', '-');
  return title;
}

void add_flags(const std::vector<ManualFlag>& flags, bool arguments, std::string& out) {
  for (const auto& flag : flags) {
    if (flag.argument != arguments) continue;
    std::string names;
    for (const auto& name : flag.names) names += (names.empty() ? "" : ", ") + roff(name);
    out += fmt::format(".TP\n\\fB{}\\fR{}\n{}\n", names, flag.value.empty() ? "" : " \\fI" + roff(flag.value) + "\\fR",
                       roff(flag.text.empty() ? "see the description" : flag.text));
  }
}

bool any(const std::vector<ManualFlag>& flags, bool arguments) {
  return std::any_of(flags.begin(), flags.end(), [&](const ManualFlag& flag) { return flag.argument == arguments; });
}

}  // namespace

std::vector<ManualPage> manual(const CLI::App& app, const std::string& path) {
  ManualPage page;
  page.path = path;
  read_description(app.get_description(), page);
  for (const auto* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    page.flags.push_back(flag_of(*option));
    page.takes_import = page.takes_import || (page.flags.back().argument && option->get_name() == "import");
  }
  std::vector<ManualPage> pages;
  for (const auto* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    auto below = manual(*sub, path + (path.empty() ? "" : " ") + sub->get_name());
    page.verbs.emplace_back(sub->get_name(), below.front().summary);
    pages.insert(pages.end(), std::make_move_iterator(below.begin()), std::make_move_iterator(below.end()));
  }
  pages.insert(pages.begin(), std::move(page));
  return pages;
}

std::string man_page(const ManualPage& page, const ManualPage& root) {
  const auto name = std::string(kProgram) + (page.path.empty() ? "" : " " + page.path);
  std::string out =
      fmt::format(".TH \"{}\" 1 \"\" \"{} {}\" \"Call Import Engine\"\n", title_of(page), kProgram, kVersion);
  out +=
      fmt::format(".SH NAME\n{} \\- {}\n.SH SYNOPSIS\n.B {}\n", roff(title_of(page)), roff(page.summary), roff(name));
  for (const auto& flag : page.flags) {
    if (flag.argument) out += fmt::format("\\fI{}\\fR\n", roff(flag.names.front()));
  }
  out += page.verbs.empty() ? "[flags]\n" : "\\fIcommand\\fR [flags]\n";
  if (!page.examples.empty()) out += ".SH EXAMPLES\n.nf\n";
  for (const auto& example : page.examples) out += roff(example) + "\n";
  if (!page.examples.empty()) out += ".fi\n";
  if (!page.verbs.empty()) out += ".SH COMMANDS\n";
  for (const auto& [verb, summary] : page.verbs) out += fmt::format(".TP\n\\fB{}\\fR\n{}\n", roff(verb), roff(summary));
  if (any(page.flags, true)) out += ".SH ARGUMENTS\n";
  add_flags(page.flags, true, out);
  if (any(page.flags, false)) out += ".SH FLAGS\n";
  add_flags(page.flags, false, out);
  if (!page.path.empty()) {
    out += ".SH FLAGS OF EVERY COMMAND\n";
    add_flags(root.flags, false, out);
  }
  out += ".SH SEE ALSO\n";
  const auto above = page.path.rfind(' ');
  if (!page.path.empty())
    out += fmt::format(
        ".BR {} (1)\n",
        roff(above == std::string::npos ? kProgram : title_of({page.path.substr(0, above), {}, {}, {}, {}})));
  for (const auto& [verb, unused] : page.verbs) out += fmt::format(".BR {} (1)\n", roff(title_of(page) + "-" + verb));
  return out;
}

std::string man_file(const ManualPage& page) { return title_of(page) + ".1"; }

}  // namespace callimport::api
