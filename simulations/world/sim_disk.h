#pragma once
// A disk in memory that loses what was not synced: file content, and directory entries too.
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/runtime/disk.h"
#include "storage/runtime/mutex.h"
#include "storage/runtime/random.h"

namespace callimport::simulations {

/// What a fault may strike, and what is counted. Combine with |.
enum DiskOp : unsigned {
  kOpOpen = 1,
  kOpRead = 2,
  kOpWrite = 4,
  kOpTruncate = 8,
  kOpSync = 16,
  kOpRename = 32,
  kOpRemove = 64,
  kOpMakeDirs = 128,
  kOpSyncDir = 256,
  kOpChanges = kOpWrite | kOpTruncate | kOpSync | kOpRename | kOpRemove | kOpMakeDirs | kOpSyncDir,
  kOpAny = 511,
};

enum class FaultLife : std::uint8_t { kOnce, kFromThenOn };

struct SimInode;

/// Folders made are durable at once; everything else is lost or torn by `crash` until it is synced: a file's writes and
/// its size by File::sync, its name by sync_dir of the folder. Locks are between handles, as between processes.
/// Threads: any. Lifetime: outlives its files.
class SimDisk final : public Disk {
 public:
  SimDisk();
  ~SimDisk() override;

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<> rename(const std::string& from, const std::string& to) override;
  Result<> remove(const std::string& path) override;
  Result<> make_dirs(const std::string& path) override;
  Result<> sync_dir(const std::string& path) override;
  Result<bool> exists(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& path) override;

  /// Power loss. Each unsynced write is kept, dropped, or torn at 512-byte sectors, each on its own; each unsynced
  /// create, rename and remove is kept or dropped. Every handle opened before fails from now on; locks are free.
  void crash(Random& random);
  /// The process dies, the power stays: content is as last written, handles fail, locks are free.
  void kill();

  /// The n-th operation of `ops` from now (1 is the next) fails with kUnavailable; a failing write leaves half of
  /// itself.
  void fail_nth(unsigned ops, std::uint64_t n, FaultLife life = FaultLife::kOnce);
  /// True when the fault of the last `fail_nth` struck.
  bool fault_struck() const;
  void heal();
  /// How many operations of `ops` were tried so far.
  std::uint64_t count(unsigned ops) const;
  /// Writes beyond so many bytes in all files together answer that the disk is full.
  void set_capacity(std::uint64_t bytes);
  /// Flips every bit of `bytes` bytes, past every cache: what a bad sector does.  @error kNotFound; kInvalid beyond the
  /// end.
  Result<> damage(const std::string& path, std::uint64_t offset, std::uint64_t bytes);

 private:
  friend class SimFile;
  /// A change to a name that a power loss may undo. `inode` is the file the name then points to, or pointed to when
  /// removed.
  struct NameChange {
    enum class Kind : std::uint8_t { kCreate, kRename, kRemove } kind;
    std::string path, from;
    std::shared_ptr<SimInode> inode;
  };
  using Names = std::map<std::string, std::shared_ptr<SimInode>>;

  Result<> admit(DiskOp op, const std::string& path) REQUIRES(mutex_);
  static void apply(const NameChange& change, Names& names);
  std::uint64_t used() const REQUIRES(mutex_);

  mutable Mutex mutex_;
  // shared: an inode is owned by its names, before and after a crash, and by its open handles.
  Names names_ GUARDED_BY(mutex_), durable_names_ GUARDED_BY(mutex_);
  std::vector<NameChange> name_changes_ GUARDED_BY(mutex_);
  std::set<std::string> folders_ GUARDED_BY(mutex_);
  std::uint64_t generation_ GUARDED_BY(mutex_) = 0;  ///< handles of an earlier one are dead
  std::uint64_t capacity_ GUARDED_BY(mutex_) = ~std::uint64_t{0};
  std::map<unsigned, std::uint64_t> counts_ GUARDED_BY(mutex_);

  struct Fault {
    unsigned ops;
    std::uint64_t left;
    FaultLife life;
  };
  std::optional<Fault> fault_ GUARDED_BY(mutex_);
  bool struck_ GUARDED_BY(mutex_) = false;
};

}  // namespace callimport::simulations
