#pragma once
// What lies where in a data folder, and who holds it.
#include <memory>
#include <string>

#include "storage/model/result.h"

namespace callimport::api {

struct DataFolder {
  std::string path;
  std::string journal() const { return path + "/journal.db"; }
  std::string library() const { return path + "/library.db"; }
  std::string vault() const { return path + "/vault.db"; }
  std::string vault_key() const { return path + "/vault.key"; }
  std::string media() const { return path + "/media"; }
  std::string socket() const { return path + "/callimport.sock"; }
  std::string token_file() const { return path + "/access.token"; }
  std::string reserve() const { return path + "/reserve"; }
  std::string lock_file() const { return path + "/lock"; }
  std::string config_file() const { return path + "/callimport.toml"; }
};

/// CALLIMPORT_DATA, else $XDG_DATA_HOME/callimport, else ~/.local/share/callimport.
std::string default_data_folder();

/// One server a folder: an open-file-description lock on `lock`, whose content says who holds it. Released by the
/// kernel when the process ends, however it ends.
class FolderLock {
 public:
  /// Makes the folder (0700) when absent. `who`: one line written into the file.
  /// @error kConflict  held: names the holder.  @error kUnavailable  the folder cannot be made or written: says why.
  static Result<std::unique_ptr<FolderLock>> take(const DataFolder& folder, const std::string& who);
  /// Who holds it now; empty: nobody.
  static std::string holder(const DataFolder& folder);
  ~FolderLock();

 private:
  explicit FolderLock(int fd) : fd_(fd) {}
  int fd_;
};

/// The content of the token file, made at random (0600) when absent.
Result<std::string> access_token(const DataFolder& folder);

}  // namespace callimport::api
