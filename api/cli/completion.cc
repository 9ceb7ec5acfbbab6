// Completion scripts, made from the command tree: every verb, every flag. Import ids are asked of the server, with
// titles.
#include <fmt/format.h>

#include "api/cli/manual.h"
#include "api/cli/tree.h"

namespace callimport::api {
namespace {

/// A page's verbs or flags as (name, one line) without what a shell would take for its own.
using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string one_line(const std::string& text) {
  std::string line = text;
  for (auto& c : line)
    c = c == '\'' || c == '"' || c == '`' || c == '$' || c == '\\' || c == '[' || c == ']' || c == ':' ? ' ' : c;
  return line;
}

struct Node {
  std::string path;
  Pairs verbs, flags;
  bool takes_import = false;
};

std::vector<Node> nodes_of(const CLI::App& root) {
  std::vector<Node> nodes;
  for (const auto& page : manual(root)) {
    Node node{page.path, {}, {}, page.takes_import};
    for (const auto& [name, summary] : page.verbs) node.verbs.emplace_back(name, one_line(summary));
    for (const auto& flag : page.flags) {
      if (flag.argument) continue;
      for (const auto& name : flag.names) node.flags.emplace_back(name, one_line(flag.text));
    }
    nodes.push_back(std::move(node));
  }
  return nodes;
}

std::string names_of(const Pairs& pairs) {
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
  const auto list = [](const Pairs& pairs) {
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
    const auto nodes = nodes_of(tree.root);
    tree.session.print(*shell == "bash" ? bash(nodes) : *shell == "zsh" ? zsh(nodes) : fish(nodes));
    return kExitDone;
  });
}

}  // namespace callimport::api
