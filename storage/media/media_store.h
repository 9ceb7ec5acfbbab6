#pragma once
// Recordings as content-addressed files: <root>/ab/cd/<sha256>. Written under a temporary name, hashed on the way,
// fsynced, renamed, directory fsynced: a name in the store always has its whole content.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/model/result.h"
#include "storage/runtime/disk.h"

namespace callimport::storage {

/// A recording on its way in. Threads: one at a time; `append` and `commit` block. Outlived by its store's disk.
/// @error kConflict  of every verb: committed or discarded already, or another writer of the same key was opened since:
/// the newest one owns the partial file.
class MediaWriter {
 public:
  virtual ~MediaWriter() = default;
  virtual std::uint64_t size() const = 0;  ///< bytes so far, those of an earlier try included
  virtual Result<> append(std::string_view bytes) = 0;
  virtual Result<> restart() = 0;  ///< forget what is there (the server would not resume)
  struct Stored {
    std::string hash;
    std::uint64_t bytes = 0;
    std::string path;
  };
  /// Durable when it returns. The same content twice is one file.
  virtual Result<Stored> commit() = 0;
  virtual Result<> discard() = 0;
  virtual std::string path() const = 0;  ///< of the temporary file, for the probe
};

/// Threads: any. Lifetime: `disk` outlives it.
class MediaStore {
 public:
  /// `boot`: names the machine's uptime (e.g. the kernel's boot id). Partial files of another boot are not trusted:
  /// what was not synced may be gone; they are removed.
  static Result<std::unique_ptr<MediaStore>> open(Disk& disk, const std::string& root, const std::string& boot);
  virtual ~MediaStore() = default;
  /// Goes on with the partial file of `key` when there is one of this boot, else starts new. `key`: any text, hashed
  /// into the name.
  virtual Result<std::unique_ptr<MediaWriter>> writer(const std::string& key) = 0;
  virtual std::string path_of(const std::string& hash) const = 0;  ///< empty for what is no SHA-256 in lower-case hex
  virtual Result<bool> contains(const std::string& hash) = 0;
  /// Removes a recording, durably; one that is not there is success.
  virtual Result<> remove(const std::string& hash) = 0;
  /// Keeps the broken partial file of `key` under <root>/quarantine/<hash>.<cause>, durably; its writer is done. The
  /// answer's path is there. `cause`: other characters than [a-z0-9._-] become _.  @error kNotFound  no partial file.
  virtual Result<MediaWriter::Stored> quarantine(const std::string& key, const std::string& cause) = 0;
  virtual std::string quarantined_path(const std::string& hash, const std::string& cause) const = 0;
  virtual std::string quarantined_name(const std::string& hash, const std::string& cause) const = 0;
  virtual Result<std::vector<std::string>> quarantined() = 0;  ///< names, in no order
  /// Removes one by its name. Absent is success.
  virtual Result<> drop_quarantined(const std::string& name) = 0;
};

}  // namespace callimport::storage
