// Completion scripts, made from the command tree: every verb, every flag. Import ids are asked of the server, with
// titles.
#include <fmt/format.h>

#include "api/cli/tree.h"

namespace callimport::api {
namespace {

struct Node {
  std::string path;                                               ///< "calls search"; empty: the root
  std::vector<std::pair<std::string, std::string>> verbs, flags;  ///< name, one line
  bool takes_import = false;
};

std::string one_line(const std::string& text) {
  std::string line = text.substr(0, text.find('\n'));
  for (auto& c : line)
    c = c == '\'' || c == '"' || c == '`' || c == '$' || c == '\\' || c == '[' || c == ']' || c == ':' ? ' ' : c;
  return line;
}

void collect(const CLI::App& app, const std::string& path, std::vector<Node>& nodes) {
  Node node;
  node.path = path;
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames())
      node.flags.emplace_back("--" + name, one_line(option->get_description()));
    for (const auto& name : option->get_snames())
      node.flags.emplace_back("-" + name, one_line(option->get_description()));
    if (option->get_positional() && option->get_name() == "import") node.takes_import = true;
  }
  const auto subs = app.get_subcommands([](const CLI::App*) { return true; });
  for (const auto* sub : subs) node.verbs.emplace_back(sub->get_name(), one_line(sub->get_description()));
  nodes.push_back(node);
  for (const auto* sub : subs) collect(*sub, path + (path.empty() ? "" : " ") + sub->get_name(), nodes);
}

std::string names_of(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::string names;
  for (const auto& [name, unused] : pairs) names += (names.empty() ? "" : " ") + name;
  return names;
}

std::string bash(const std::vector<Node>& nodes) {
  std::string out = R"sh(# bash completion for callimport: source <(callimport completion bash)
_callimport() {
  local current=${COMP_WORDS[COMP_CWORD]} path="" word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case "$path $word" in
)sh";
  for (const auto& node : nodes) {
    if (!node.path.empty()) out += fmt::format("      ' {}') path=' {}' ;;\n", node.path, node.path);
  }
  out += "    esac\n  done\n  local verbs=\"\" flags=\"\" imports=\"\"\n  case \"$path\" in\n";
  for (const auto& node : nodes) {
    out += fmt::format("    '{}') verbs='{}'; flags='{}'{} ;;\n", node.path.empty() ? "" : " " + node.path,
                       names_of(node.verbs), names_of(node.flags), node.takes_import ? "; imports=1" : "");
  }
  out += R"sh(  esac
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
  elif [[ -n $imports ]]; then
    COMPREPLY=($(compgen -W "$(callimport list -o csv --limit 50 2>/dev/null | tail -n +2 | cut -d, -f1)" -- "$current"))
  else
    COMPREPLY=($(compgen -W "$verbs" -- "$current"))
  fi
}
complete -o default -F _callimport callimport
)sh";
  return out;
}

std::string zsh(const std::vector<Node>& nodes) {
  std::string out = R"sh(#compdef callimport
# zsh completion for callimport: source <(callimport completion zsh)
_callimport() {
  local path_="" word i
  for ((i = 2; i < CURRENT; i++)); do
    word=${words[i]}
    case "$path_ $word" in
)sh";
  for (const auto& node : nodes) {
    if (!node.path.empty()) out += fmt::format("      ' {}') path_=' {}' ;;\n", node.path, node.path);
  }
  out += "    esac\n  done\n  local -a verbs flags imports\n  case \"$path_\" in\n";
  const auto list = [](const std::vector<std::pair<std::string, std::string>>& pairs) {
    std::string text;
    for (const auto& [name, line] : pairs) text += fmt::format(" '{}:{}'", name, line);
    return text;
  };
  for (const auto& node : nodes) {
    out += fmt::format("    '{}')\n      verbs=({} )\n      flags=({} )\n", node.path.empty() ? "" : " " + node.path,
                       list(node.verbs), list(node.flags));
    if (node.takes_import) {
      out +=
          "      imports=(${(f)\"$(callimport list -o csv --limit 50 2>/dev/null | tail -n +2 | cut -d, -f1,4 | tr , "
          ":)\"})\n";
    }
    out += "      ;;\n";
  }
  out += R"sh(  esac
  if [[ ${words[CURRENT]} == -* ]]; then
    _describe 'flag' flags
  elif (( ${#imports} )); then
    _describe 'import' imports
  elif (( ${#verbs} )); then
    _describe 'command' verbs
  else
    _files
  fi
}
if [ "$funcstack[1]" = "_callimport" ]; then _callimport "$@"; else compdef _callimport callimport; fi
)sh";
  return out;
}

std::string fish(const std::vector<Node>& nodes) {
  std::string out = R"sh(# fish completion for callimport: callimport completion fish | source
function __callimport_at
    set -l words (commandline -opc)
    set -l path
    for word in $words[2..-1]
        string match -q -- '-*' $word; or set path $path $word
    end
    test "$path" = "$argv"
end
)sh";
  for (const auto& node : nodes) {
    const auto condition = fmt::format("-n '__callimport_at {}'", node.path);
    for (const auto& [name, line] : node.verbs)
      out += fmt::format("complete -c callimport -f {} -a '{}' -d '{}'\n", condition, name, line);
    for (const auto& [name, line] : node.flags) {
      const bool is_long = name.starts_with("--");
      out += fmt::format("complete -c callimport {} {} '{}' -d '{}'\n", condition, is_long ? "-l" : "-s",
                         name.substr(is_long ? 2 : 1), line);
    }
    if (node.takes_import) {
      out += fmt::format(
          "complete -c callimport -f {} -a '(callimport list -o csv --limit 50 2>/dev/null | tail -n +2 | cut -d, "
          "-f1,4 | tr , \\t)'\n",
          condition);
    }
  }
  return out;
}

}  // namespace

void add_completion(Tree& tree) {
  auto& verb = tree.verb(tree.root, "completion", "Print a completion script for bash, zsh or fish",
                         {"source <(callimport completion bash)", "callimport completion fish | source"});
  auto shell = std::make_shared<std::string>();  // shared by the parser and the body
  verb.add_option("shell", *shell, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  tree.run(verb, [&tree, shell]() -> Ended {
    std::vector<Node> nodes;
    collect(tree.root, "", nodes);
    tree.session.print(*shell == "bash" ? bash(nodes) : *shell == "zsh" ? zsh(nodes) : fish(nodes));
    return kExitDone;
  });
}

}  // namespace callimport::api
