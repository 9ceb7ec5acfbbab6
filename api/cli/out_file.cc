#include "api/cli/out_file.h"

#include <filesystem>

namespace callimport::api {
namespace {

tl::unexpected<CliError> unwritable(const std::string& to) {
  return sorry(kExitFailed, "file.unwritable", "cannot write " + to, "give another file, in a folder with space");
}

}  // namespace

tl::expected<OutFile, CliError> OutFile::open(Session& session, const std::string& to) {
  OutFile file(session, to == "-" ? std::string() : to);
  if (file.is_stdout()) return file;
  file.out_.open(file.part(), std::ios::binary | std::ios::trunc);
  if (!file.out_) return unwritable(to);
  return file;
}

OutFile::~OutFile() {
  if (to_.empty() || !out_.is_open()) return;
  out_.close();
  std::error_code ignored;
  std::filesystem::remove(part(), ignored);
}

void OutFile::write(std::string_view text) {
  if (is_stdout()) return session_->print(text);
  out_.write(text.data(), static_cast<std::streamsize>(text.size()));
}

Ended OutFile::close() {
  if (is_stdout()) return kExitDone;
  out_.flush();
  if (!out_) return unwritable(to_);
  out_.close();
  std::error_code error;
  std::filesystem::rename(part(), to_, error);
  if (error) return unwritable(to_);
  session_->say("written to " + to_);
  return kExitDone;
}

}  // namespace callimport::api
