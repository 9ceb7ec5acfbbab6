#include "storage/media/media_store.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "storage/media/content_hash.h"
#include "storage/model/ensure.h"
#include "storage/runtime/mutex.h"

namespace callimport::storage {

namespace {

constexpr std::size_t kReadBytes = 256 << 10;
constexpr std::size_t kBootCharacters = 16;
constexpr std::size_t kCauseCharactersMax = 64;

/// Reads `file` from its start into `hash`.
Result<std::uint64_t> hash_file(File& file, ContentHash& hash) {
  std::vector<std::byte> buffer(kReadBytes);
  std::uint64_t at = 0;
  while (true) {
    TRY(const std::size_t got, file.read(at, buffer));
    hash.add({reinterpret_cast<const char*>(buffer.data()), got});
    at += got;
    if (got < buffer.size()) return at;
  }
}

std::string file_name_for(std::string_view cause) {
  std::string name(cause.substr(0, kCauseCharactersMax));
  for (char& c : name) {
    const bool fine = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
    if (!fine) c = '_';
  }
  return name.empty() ? "unknown" : name;
}

std::string name_of(const std::string& hash, const std::string& cause) { return hash + "." + file_name_for(cause); }

/// Who may touch the partial file of a key: the newest writer. Held while it is touched.
struct Ownership {
  Mutex mutex;
  std::uint64_t owner GUARDED_BY(mutex) = 0;
};

/// The folders and partial files below one root. Shared by the store and its writers, which may outlive it.
class Folders {
 public:
  Folders(Disk& disk, std::string root, std::string_view boot)
      : disk_(disk), root_(std::move(root)), boot_(content_hash(boot).substr(0, kBootCharacters)) {}

  Disk& disk() const { return disk_; }
  std::string partial_folder() const { return root_ + "/partial"; }
  std::string quarantine_folder() const { return root_ + "/quarantine"; }
  std::string partial_of(const std::string& key) const {
    return partial_folder() + "/" + content_hash(key) + "." + boot_;
  }
  std::string folder_of(const std::string& hash) const {
    return root_ + "/" + hash.substr(0, 2) + "/" + hash.substr(2, 2);
  }
  std::string path_of(const std::string& hash) const { return folder_of(hash) + "/" + hash; }

  Result<> prepare();
  /// The folder of `hash`, there and durable.
  Result<> make_folder(const std::string& hash);
  std::shared_ptr<Ownership> ownership(const std::string& key);  // shared by the writers of one key

 private:
  Result<> make_level(const std::string& above, const std::string& folder);

  Disk& disk_;
  const std::string root_, boot_;
  Mutex mutex_;
  std::set<std::string> durable_ GUARDED_BY(mutex_);  ///< folders whose entries above are synced; at most 65,792
  std::map<std::string, std::weak_ptr<Ownership>> ownerships_ GUARDED_BY(mutex_);
};

Result<> Folders::prepare() {
  TRY_VOID(disk_.make_dirs(partial_folder()));
  TRY_VOID(disk_.make_dirs(quarantine_folder()));
  TRY_VOID(disk_.sync_dir(root_));
  TRY(const auto names, disk_.list(partial_folder()));
  for (const auto& name : names) {
    if (!name.ends_with("." + boot_)) TRY_VOID(disk_.remove(partial_folder() + "/" + name));
  }
  return {};
}

Result<> Folders::make_folder(const std::string& hash) {
  const std::string above = root_ + "/" + hash.substr(0, 2);
  TRY_VOID(make_level(root_, above));
  return make_level(above, folder_of(hash));
}

Result<> Folders::make_level(const std::string& above, const std::string& folder) {
  {
    MutexLock lock(mutex_);
    if (durable_.contains(folder)) return {};
  }
  TRY(const bool there, disk_.exists(folder));
  TRY_VOID(disk_.make_dirs(folder));
  if (there) TRY_VOID(disk_.sync_dir(above));  // who made it may have died before its sync, or be at it now
  MutexLock lock(mutex_);
  durable_.insert(folder);
  return {};
}

std::shared_ptr<Ownership> Folders::ownership(const std::string& key) {
  MutexLock lock(mutex_);
  std::erase_if(ownerships_, [](const auto& entry) { return entry.second.expired(); });
  auto& entry = ownerships_[key];
  auto held = entry.lock();
  if (!held) {
    held = std::make_shared<Ownership>();
    entry = held;
  }
  return held;
}

class PartialFile final : public MediaWriter {
 public:
  PartialFile(std::shared_ptr<Folders> folders, const std::string& key)
      : folders_(std::move(folders)), ownership_(folders_->ownership(key)), path_(folders_->partial_of(key)) {}

  /// Takes the key over, and reads what is there already.
  Result<> open() {
    MutexLock lock(ownership_->mutex);
    number_ = ++ownership_->owner;
    TRY(file_, folders_->disk().open(path_, OpenMode::kCreate));
    TRY(size_, hash_file(*file_, hash_));
    return {};
  }

  std::uint64_t size() const override { return size_; }
  std::string path() const override { return path_; }

  Result<> append(std::string_view bytes) override {
    MutexLock lock(ownership_->mutex);
    TRY_VOID(still_owner());
    if (!stored_.hash.empty()) return fail(Code::kConflict, path_ + " is being committed");
    TRY_VOID(file_->write(size_, std::as_bytes(std::span(bytes))));
    hash_.add(bytes);
    size_ += bytes.size();
    return {};
  }

  Result<> restart() override {
    MutexLock lock(ownership_->mutex);
    TRY_VOID(still_owner());
    TRY_VOID(file_->truncate(0));
    size_ = 0;
    hash_ = ContentHash();
    stored_ = {};
    return {};
  }

  Result<Stored> commit() override {
    MutexLock lock(ownership_->mutex);
    if (stored_.path.empty()) TRY_VOID(move_into_store());
    TRY_VOID(folders_->disk().sync_dir(folders_->folder_of(stored_.hash)));  // again, where that failed before
    return stored_;
  }

  Result<> discard() override {
    MutexLock lock(ownership_->mutex);
    TRY_VOID(still_owner());
    file_.reset();
    return folders_->disk().remove(path_);
  }

  /// Moves what is there to the quarantine.
  Result<Stored> quarantine(const std::string& cause) {
    MutexLock lock(ownership_->mutex);
    TRY_VOID(still_owner());
    TRY_VOID(file_->sync());
    file_.reset();
    Stored kept{.hash = hash_.finish(), .bytes = size_, .path = {}};
    kept.path = folders_->quarantine_folder() + "/" + name_of(kept.hash, cause);
    TRY_VOID(folders_->disk().rename(path_, kept.path));
    TRY_VOID(folders_->disk().sync_dir(folders_->quarantine_folder()));
    return kept;
  }

 private:
  Result<> move_into_store() REQUIRES(ownership_->mutex) {
    TRY_VOID(still_owner());
    TRY_VOID(file_->truncate(size_));  // an append that failed may have left a tail
    TRY_VOID(file_->sync());
    if (stored_.hash.empty()) stored_ = {.hash = hash_.finish(), .bytes = size_, .path = {}};
    TRY_VOID(folders_->make_folder(stored_.hash));
    const std::string target = folders_->path_of(stored_.hash);
    TRY_VOID(folders_->disk().rename(path_, target));
    file_.reset();
    stored_.path = target;
    return {};
  }
  Result<> still_owner() REQUIRES(ownership_->mutex) {
    if (ownership_->owner != number_) return fail(Code::kConflict, "another writer has taken over " + path_);
    if (!file_) return fail(Code::kConflict, path_ + " is done with already");
    return {};
  }

  const std::shared_ptr<Folders> folders_;      // shared with the store and its other writers
  const std::shared_ptr<Ownership> ownership_;  // shared with earlier and later writers of the key
  const std::string path_;
  std::uint64_t number_ = 0, size_ = 0;
  std::unique_ptr<File> file_;
  ContentHash hash_;
  Stored stored_;  ///< hash once commit was tried, path once it is in the store
};

class DiskMediaStore final : public MediaStore {
 public:
  explicit DiskMediaStore(std::shared_ptr<Folders> folders) : folders_(std::move(folders)) {}

  Result<std::unique_ptr<MediaWriter>> writer(const std::string& key) override {
    auto partial = std::make_unique<PartialFile>(folders_, key);
    TRY_VOID(partial->open());
    return partial;
  }
  std::string path_of(const std::string& hash) const override {
    return is_content_hash(hash) ? folders_->path_of(hash) : std::string();
  }
  Result<bool> contains(const std::string& hash) override {
    if (!is_content_hash(hash)) return false;
    return folders_->disk().exists(folders_->path_of(hash));
  }
  Result<> remove(const std::string& hash) override {
    if (!is_content_hash(hash)) return {};
    const auto path = folders_->path_of(hash);
    const auto removed = folders_->disk().remove(path);
    if (!removed && removed.error().code == Code::kNotFound) return {};
    if (!removed) return removed;
    return folders_->disk().sync_dir(path.substr(0, path.rfind('/')));
  }
  Result<MediaWriter::Stored> quarantine(const std::string& key, const std::string& cause) override {
    TRY(const bool there, folders_->disk().exists(folders_->partial_of(key)));
    if (!there) return fail(Code::kNotFound, "no partial recording to keep for " + cause);
    PartialFile partial(folders_, key);
    TRY_VOID(partial.open());
    return partial.quarantine(cause);
  }
  std::string quarantined_path(const std::string& hash, const std::string& cause) const override {
    return folders_->quarantine_folder() + "/" + name_of(hash, cause);
  }
  std::string quarantined_name(const std::string& hash, const std::string& cause) const override {
    return name_of(hash, cause);
  }
  Result<std::vector<std::string>> quarantined() override {
    return folders_->disk().list(folders_->quarantine_folder());
  }
  Result<> drop_quarantined(const std::string& name) override {
    const std::string path = folders_->quarantine_folder() + "/" + name;
    if (name.find('/') != std::string::npos) return fail(Code::kInvalid, "not the name of a file in quarantine");
    TRY(const bool there, folders_->disk().exists(path));
    if (!there) return {};
    return folders_->disk().remove(path);
  }

 private:
  const std::shared_ptr<Folders> folders_;  // shared with the writers, which may outlive the store
};

}  // namespace

Result<std::unique_ptr<MediaStore>> MediaStore::open(Disk& disk, const std::string& root, const std::string& boot) {
  auto folders = std::make_shared<Folders>(disk, root, boot);  // shared by the store and its writers
  TRY_VOID(folders->prepare());
  return std::make_unique<DiskMediaStore>(std::move(folders));
}

}  // namespace callimport::storage
