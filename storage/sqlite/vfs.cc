#include "storage/sqlite/vfs.h"

#include <atomic>
#include <cstring>
#include <span>
#include <utility>

#include "storage/model/ensure.h"

namespace callimport::storage {

namespace {

constexpr int kPathBytesMax = 4096;

/// One file open through SQLite. Paths end in -wal or -journal for what lies beside a database.
struct OpenFile {
  std::unique_ptr<File> file;
  std::shared_ptr<SharedDatabase> shared;  // shared with the other connections; null unless a database file
  std::string path;
  bool entry_unsynced = false;  ///< made by this open: the first sync also syncs its folder
};

struct SqliteFile {
  sqlite3_file base;
  Vfs* vfs;        // not owned: the Database keeps it until its files are closed
  OpenFile* open;  // owned; SQLite gives us raw memory, so VfsCalls::close deletes it
};

SqliteFile& outer(sqlite3_file* file) { return *reinterpret_cast<SqliteFile*>(file); }
OpenFile& opened(sqlite3_file* file) { return *outer(file).open; }

/// The path of the database that `path` lies beside.
std::string database_of(const std::string& path) {
  for (const std::string_view end : {"-wal", "-journal"}) {
    if (path.ends_with(end)) return path.substr(0, path.size() - end.size());
  }
  return path;
}

OpenMode mode_of(int flags) {
  if ((flags & SQLITE_OPEN_READONLY) != 0) return OpenMode::kRead;
  if ((flags & SQLITE_OPEN_CREATE) == 0) return OpenMode::kReadWrite;
  return (flags & SQLITE_OPEN_EXCLUSIVE) != 0 ? OpenMode::kCreateNew : OpenMode::kCreate;
}

sqlite3_vfs& system_vfs() {
  sqlite3_vfs* vfs = sqlite3_vfs_find("unix");
  ENSURE(vfs != nullptr);
  return *vfs;
}

}  // namespace

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// The functions SQLite calls, one for each entry of its tables.
struct VfsCalls {
  static Vfs& vfs_of(sqlite3_vfs* vfs) { return *static_cast<Vfs*>(vfs->pAppData); }

  static int close(sqlite3_file* file) {
    OpenFile* open = std::exchange(outer(file).open, nullptr);
    outer(file).vfs->leave(std::move(open->shared));
    delete open;
    return SQLITE_OK;
  }

  static int read(sqlite3_file* file, void* into, int bytes, sqlite3_int64 offset) {
    const std::span<std::byte> wanted(static_cast<std::byte*>(into), static_cast<std::size_t>(bytes));
    const auto got = opened(file).file->read(static_cast<std::uint64_t>(offset), wanted);
    if (!got) return outer(file).vfs->note(got.error(), SQLITE_IOERR_READ);
    if (*got == wanted.size()) return SQLITE_OK;
    std::memset(wanted.data() + *got, 0, wanted.size() - *got);  // SQLite asks for zeros after the end
    return SQLITE_IOERR_SHORT_READ;
  }

  static int write(sqlite3_file* file, const void* from, int bytes, sqlite3_int64 offset) {
    const std::span<const std::byte> given(static_cast<const std::byte*>(from), static_cast<std::size_t>(bytes));
    const auto done = opened(file).file->write(static_cast<std::uint64_t>(offset), given);
    return done ? SQLITE_OK : outer(file).vfs->note(done.error(), SQLITE_IOERR_WRITE);
  }

  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    const auto done = opened(file).file->truncate(static_cast<std::uint64_t>(size));
    return done ? SQLITE_OK : outer(file).vfs->note(done.error(), SQLITE_IOERR_TRUNCATE);
  }

  static int sync(sqlite3_file* file, int) {
    OpenFile& open = opened(file);
    Vfs& vfs = *outer(file).vfs;
    if (auto done = open.file->sync(); !done) return vfs.note(done.error(), SQLITE_IOERR_FSYNC);
    if (!open.entry_unsynced) return SQLITE_OK;
    if (auto done = vfs.disk_.sync_dir(folder_of(open.path)); !done)
      return vfs.note(done.error(), SQLITE_IOERR_DIR_FSYNC);
    open.entry_unsynced = false;
    return SQLITE_OK;
  }

  static int size(sqlite3_file* file, sqlite3_int64* size) {
    const auto bytes = opened(file).file->size();
    if (!bytes) return outer(file).vfs->note(bytes.error(), SQLITE_IOERR_FSTAT);
    *size = static_cast<sqlite3_int64>(*bytes);
    return SQLITE_OK;
  }

  static int lock(sqlite3_file* file, int level) { return opened(file).shared->lock(file, level); }
  static int unlock(sqlite3_file* file, int level) {
    opened(file).shared->unlock(file, level);
    return SQLITE_OK;
  }
  static int reserved(sqlite3_file* file, int* held) {
    *held = opened(file).shared->reserved() ? 1 : 0;
    return SQLITE_OK;
  }
  static int control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
  static int sector_size(sqlite3_file*) { return 4096; }
  /// A torn write hurts no byte beside it: true of the disks we know, and of the simulated one.
  static int characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

  static int shm_map(sqlite3_file* file, int index, int bytes, int extend, void volatile** region) {
    *region = opened(file).shared->map(file, index, bytes, extend != 0);
    return SQLITE_OK;
  }
  static int shm_lock(sqlite3_file* file, int first, int count, int flags) {
    return opened(file).shared->wal_lock(file, first, count, flags);
  }
  static void shm_barrier(sqlite3_file*) { std::atomic_thread_fence(std::memory_order_seq_cst); }
  static int shm_unmap(sqlite3_file* file, int) {
    opened(file).shared->unmap(file);
    return SQLITE_OK;
  }

  static int open(sqlite3_vfs* registered, const char* path, sqlite3_file* file, int flags, int* flags_out) {
    file->pMethods = nullptr;
    if (path == nullptr) return SQLITE_CANTOPEN;  // a temporary file: temp_store=MEMORY leaves no need for one
    Vfs& vfs = vfs_of(registered);
    auto open = std::make_unique<OpenFile>();
    open->path = path;
    if ((flags & SQLITE_OPEN_MAIN_DB) != 0) {
      open->shared = vfs.joined(path);
      if (!open->shared) return SQLITE_CANTOPEN;  // Database joins first
    } else if ((flags & SQLITE_OPEN_CREATE) != 0) {
      const auto there = vfs.disk_.exists(path);
      if (!there) return vfs.note(there.error(), SQLITE_CANTOPEN);
      open->entry_unsynced = !*there;
    }
    auto got = vfs.disk_.open(path, mode_of(flags));
    if (!got) {
      vfs.leave(std::move(open->shared));
      return vfs.note(got.error(), SQLITE_CANTOPEN);
    }
    open->file = std::move(*got);
    outer(file).vfs = &vfs;
    outer(file).open = open.release();
    file->pMethods = &kFileCalls;
    if (flags_out != nullptr) *flags_out = flags;
    return SQLITE_OK;
  }

  static int remove(sqlite3_vfs* registered, const char* path, int sync_folder) {
    Vfs& vfs = vfs_of(registered);
    const auto shared = vfs.joined(database_of(path));
    if (shared && !shared->alive()) return SQLITE_IOERR_DELETE;  // a connection from before a power loss says goodbye
    if (auto done = vfs.disk_.remove(path); !done) {
      return vfs.note(done.error(),
                      done.error().code == Code::kNotFound ? SQLITE_IOERR_DELETE_NOENT : SQLITE_IOERR_DELETE);
    }
    if (sync_folder == 0) return SQLITE_OK;
    const auto done = vfs.disk_.sync_dir(folder_of(path));
    return done ? SQLITE_OK : vfs.note(done.error(), SQLITE_IOERR_DIR_FSYNC);
  }

  /// An empty file counts as absent, as SQLite's own VFS has it: a journal whose content was lost has nothing to tell.
  static int access(sqlite3_vfs* registered, const char* path, int, int* answer) {
    Vfs& vfs = vfs_of(registered);
    *answer = 0;
    const auto there = vfs.disk_.exists(path);
    if (!there) return vfs.note(there.error(), SQLITE_IOERR_ACCESS);
    if (!*there) return SQLITE_OK;
    auto file = vfs.disk_.open(path, OpenMode::kRead);
    if (!file) return vfs.note(file.error(), SQLITE_IOERR_ACCESS);
    const auto bytes = (*file)->size();
    if (!bytes) return vfs.note(bytes.error(), SQLITE_IOERR_ACCESS);
    *answer = *bytes > 0 ? 1 : 0;
    return SQLITE_OK;
  }

  static int full_path(sqlite3_vfs*, const char* path, int bytes, char* out) {
    const std::size_t length = std::strlen(path);
    if (length >= static_cast<std::size_t>(bytes)) return SQLITE_CANTOPEN;
    std::memcpy(out, path, length + 1);
    return SQLITE_OK;
  }

  // Chance seeds SQLite's own generator (WAL salts), once a process; sleep serves the busy timeout.
  static int randomness(sqlite3_vfs*, int bytes, char* out) {
    return system_vfs().xRandomness(&system_vfs(), bytes, out);
  }
  static int sleep(sqlite3_vfs*, int us) { return system_vfs().xSleep(&system_vfs(), us); }
  static int current_time(sqlite3_vfs*, double* day) { return system_vfs().xCurrentTime(&system_vfs(), day); }
  static int last_error(sqlite3_vfs*, int, char*) { return 0; }

  static const sqlite3_io_methods kFileCalls;
};

const sqlite3_io_methods VfsCalls::kFileCalls = {
    2,           close,           read,    write,    truncate,    sync,      size,    lock,   unlock, reserved, control,
    sector_size, characteristics, shm_map, shm_lock, shm_barrier, shm_unmap, nullptr, nullptr};

std::shared_ptr<Vfs> Vfs::of(Disk& disk) {
  static Mutex mutex;
  static std::map<Disk*, std::weak_ptr<Vfs>> known;
  MutexLock lock(mutex);
  std::erase_if(known, [](const auto& entry) { return entry.second.expired(); });
  auto& entry = known[&disk];
  auto vfs = entry.lock();
  if (!vfs) {
    vfs = std::shared_ptr<Vfs>(new Vfs(disk));
    entry = vfs;
  }
  return vfs;
}

Vfs::Vfs(Disk& disk) : disk_(disk) {
  static std::atomic<std::uint64_t> count{0};
  name_ = "callimport-" + std::to_string(++count);
  registered_.iVersion = 1;
  registered_.szOsFile = sizeof(SqliteFile);
  registered_.mxPathname = kPathBytesMax;
  registered_.zName = name_.c_str();
  registered_.pAppData = this;
  registered_.xOpen = VfsCalls::open;
  registered_.xDelete = VfsCalls::remove;
  registered_.xAccess = VfsCalls::access;
  registered_.xFullPathname = VfsCalls::full_path;
  registered_.xRandomness = VfsCalls::randomness;
  registered_.xSleep = VfsCalls::sleep;
  registered_.xCurrentTime = VfsCalls::current_time;
  registered_.xGetLastError = VfsCalls::last_error;
  ENSURE(sqlite3_vfs_register(&registered_, 0) == SQLITE_OK);
}

Vfs::~Vfs() { sqlite3_vfs_unregister(&registered_); }

Result<std::shared_ptr<SharedDatabase>> Vfs::join(const std::string& path, bool create) {
  MutexLock lock(mutex_);
  auto& entry = databases_[path];
  if (auto shared = entry.lock()) return shared;
  TRY(const bool there, disk_.exists(path));
  TRY(auto file, disk_.open(path, create ? OpenMode::kCreate : OpenMode::kReadWrite));
  TRY_VOID(file->lock_exclusive());
  if (!there) TRY_VOID(disk_.sync_dir(folder_of(path)));
  auto shared = std::make_shared<SharedDatabase>(std::move(file));
  entry = shared;
  return shared;
}

void Vfs::leave(std::shared_ptr<SharedDatabase> shared) {
  MutexLock lock(mutex_);  // under it, so that the lock of the file is given up before anybody may take it anew
  shared.reset();
  std::erase_if(databases_, [](const auto& entry) { return entry.second.expired(); });
}

std::shared_ptr<SharedDatabase> Vfs::joined(const std::string& path) {
  MutexLock lock(mutex_);
  const auto found = databases_.find(path);
  return found == databases_.end() ? nullptr : found->second.lock();
}

int Vfs::note(const Error& error, int code) {
  MutexLock lock(mutex_);
  if (error.code != Code::kNotFound) disk_error_ = error.message;
  return is_disk_full(error) ? SQLITE_FULL : code;
}

std::string Vfs::take_disk_error() {
  MutexLock lock(mutex_);
  return std::exchange(disk_error_, {});
}

}  // namespace callimport::storage
