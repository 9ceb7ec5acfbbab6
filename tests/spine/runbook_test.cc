// Every command of the runbooks, in the order of the page, with the real binary against the sandbox. A block is fenced
// as ```sh SCENE [CODES]: the scene it is read in, and the exit codes its last command may end with.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "simulations/sandboxes/grain.h"
#include "tests/spine/process.h"

namespace callimport::tests {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNewToken = "grain_pat_renewed1_RenewedRenewedRenewedRenewedRenewed00000";

struct Block {
  std::string scene, text;
  std::set<int> codes = {0};
  int line = 0;
};

std::vector<Block> blocks_of(const std::string& page) {
  std::vector<Block> blocks;
  std::istringstream lines(page);
  bool inside = false;
  int number = 0;
  for (std::string line; std::getline(lines, line); ++number) {
    if (line.starts_with("```")) {
      inside = !inside;
      if (!inside) continue;
      Block block;
      block.line = number + 1;
      std::istringstream words(line.substr(3));
      std::string language, codes;
      words >> language >> block.scene >> codes;
      EXPECT_EQ(language, "sh") << "line " << block.line;
      EXPECT_FALSE(block.scene.empty()) << "line " << block.line << ": a block without a scene is not run";
      std::istringstream parts(codes);
      for (std::string code; std::getline(parts, code, '|');) block.codes.insert(std::stoi(code));
      blocks.push_back(std::move(block));
    } else if (inside) {
      blocks.back().text += line + "\n";
    }
  }
  return blocks;
}

/// What is the matter in a scene: how the sandbox is set up, and the state the import is brought to before the page's
/// first block of it.
struct Trouble {
  std::vector<std::string> sandbox;
  std::vector<std::string> start;  ///< flags of the import; empty: the page itself starts it
  std::string until;               ///< the reason the import stands still for
};

std::map<std::string, Trouble> troubles() {
  const std::vector<std::string> later = {"--first", "10", "--window", "open 2027-06-01 08:00-12:00"};
  const std::vector<std::string> now = {"--window", "always"};
  return {
      {"plain", {{"--calls", "60"}, {}, ""}},
      {"expired", {{"--calls", "60", "--expire-after", "60", "--renewed-token", kNewToken}, now, "access.expired"}},
      {"limited", {{"--calls", "20", "--rate", "200"}, now, ""}},
      {"window", {{"--calls", "60"}, later, "window.closed"}},
      {"paused", {{"--calls", "60"}, later, "window.closed"}},
      {"outage", {{"--calls", "60", "--outage", "0+3600"}, now, "platform.outage"}},
      {"broken", {{"--calls", "60", "--broken", "20"}, {"--window", "always", "--approve-above", "100"}, ""}},
      {"gaps", {{"--calls", "60", "--broken", "40"}, now, "gaps.approval"}},
  };
}

/// One sandbox, one server and one folder to work in.
class Scene {
 public:
  explicit Scene(const Trouble& trouble) {
    std::vector<std::string> args = {"sandbox", "grain", "--media-bytes", "20000"};
    args.insert(args.end(), trouble.sandbox.begin(), trouble.sandbox.end());
    if (std::find(args.begin(), args.end(), "--rate") == args.end()) args.insert(args.end(), {"--rate", "off"});
    sandbox_ =
        std::make_unique<Process>(callimport_binary(), Command{std::move(args), {}, {}, true, {}, 0, false}, scratch_);
    const auto said = sandbox_->wait_ready();
    const auto at = said.find("listening on ");
    grain_ = at == std::string::npos ? "" : "http://" + said.substr(at + 13);
    while (!grain_.empty() && std::isspace(static_cast<unsigned char>(grain_.back())) != 0) grain_.pop_back();
    Command serve{
        {"serve", "--port", "0", "--data", data(), "--log-level", "warn", "--quiet"}, {}, {}, true, {}, 0, false};
    server_ = std::make_unique<Process>(callimport_binary(), std::move(serve), scratch_);
    EXPECT_FALSE(server_->wait_ready().empty()) << server_->err();
    write_file(scratch_ / "acme.token", std::string(simulations::kGrainSandboxToken) + "\n");
    write_file(scratch_ / "new.token", std::string(kNewToken) + "\n");
    // The page's commands know no sandbox: where one asks the platform, its address is put behind.
    fs::create_directory(scratch_ / "bin");
    write_file(scratch_ / "bin/callimport",
               fmt::format("#!/bin/bash\nplace=()\ncase \"$1 $2\" in\n  start*|estimate*|'platforms check') "
                           "place=(--base-url {}) ;;\nesac\n"
                           "exec {} \"$@\" \"${{place[@]}}\"\n",
                           grain_, callimport_binary()));
    fs::permissions(scratch_ / "bin/callimport", fs::perms::owner_all);
    if (!trouble.start.empty()) bring_to(trouble);
  }

  /// What `bash` made of the text; variables live on from block to block.
  Ran run_block(const std::string& text) {
    const std::string script = fmt::format(
        "cd {0}\nif [ -f state ]; then source ./state; fi\n"
        "trap 'code=$?; declare -p ID CRED >state 2>/dev/null || true; exit $code' EXIT\nset -eu\n{1}",
        scratch_.path().string(), text);
    std::map<std::string, std::string> env = {{"PATH", (scratch_ / "bin") + ":/usr/bin:/bin"},
                                              {"CALLIMPORT_DATA", data()}};
    return run("/bin/bash", {{"-c", script}, env, {}, false, {}, 0, false}, scratch_);
  }

 private:
  std::string data() const { return scratch_ / "data"; }

  void bring_to(const Trouble& trouble) {
    std::string start =
        "CRED=$(callimport credentials add --platform grain --workspace acme --token-file acme.token)\n"
        "ID=$(callimport start --platform grain --customer acme --credential $CRED --yes --owns-data --no-estimate";
    for (const auto& word : trouble.start) start += " '" + word + "'";
    start += ")\n";
    const auto started = run_block(start);
    ASSERT_EQ(started.code, 0) << started.err;
    if (trouble.until.empty()) return;
    // The stream of changes ends with the first line that names the reason, though nothing comes after it.
    const auto reached = run_block("timeout 100 callimport watch $ID -o jsonl | grep -m1 '\"" + trouble.until +
                                   "\"'\n[ ${PIPESTATUS[0]} -ne 124 ]\n");
    ASSERT_EQ(reached.code, 0) << trouble.until << " never came\n" << run_block("callimport show $ID").out;
  }

  Scratch scratch_;
  std::unique_ptr<Process> sandbox_, server_;
  std::string grain_;
};

class Runbook : public testing::TestWithParam<const char*> {};

TEST_P(Runbook, EveryCommandOfTheSceneDoesWhatThePageSays) {
  const std::string scene_name = GetParam();
  const auto blocks = blocks_of(read_file(std::string(CALLIMPORT_SOURCE_DIR) + "/docs/runbooks/grain.md"));
  Scene scene(troubles().at(scene_name));
  if (HasFatalFailure()) return;
  int ran = 0;
  for (const auto& block : blocks) {
    if (block.scene != scene_name) continue;
    ++ran;
    const auto done = scene.run_block(block.text);
    EXPECT_TRUE(block.codes.contains(done.code)) << "line " << block.line << " ended with " << done.code << "\n"
                                                 << block.text << done.out << done.err;
  }
  EXPECT_GT(ran, 0);
}
INSTANTIATE_TEST_SUITE_P(Scenes, Runbook,
                         testing::Values("plain", "expired", "limited", "window", "paused", "outage", "broken", "gaps"),
                         [](const auto& test) { return std::string(test.param); });

TEST(Runbooks, HaveNoBlockOutsideOfTheScenes) {
  for (const auto& block : blocks_of(read_file(std::string(CALLIMPORT_SOURCE_DIR) + "/docs/runbooks/grain.md")))
    EXPECT_TRUE(troubles().contains(block.scene)) << "line " << block.line << ": " << block.scene;
}

}  // namespace
}  // namespace callimport::tests
