#include "simulations/world/sim_disk.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <utility>

namespace callimport::simulations {

namespace {

constexpr std::uint64_t kSectorBytes = 512;
constexpr std::uint64_t kUnlimited = ~std::uint64_t{0};

std::string normal(const std::string& path) {
  std::string text = std::filesystem::path(path).lexically_normal().string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text.empty() ? "." : text;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string_view verb(DiskOp op) {
  switch (op) {
    case kOpOpen: return "open";
    case kOpRead: return "read";
    case kOpWrite: return "write";
    case kOpTruncate: return "truncate";
    case kOpSync: return "sync";
    case kOpRename: return "rename";
    case kOpRemove: return "remove";
    case kOpMakeDirs: return "make the folder";
    case kOpSyncDir: return "sync the folder";
    default: return "use";
  }
}

bool chance(Random& random, unsigned percent) { return random.next() % 100 < percent; }

}  // namespace

struct SimInode {
  /// A write, or, without bytes, a truncation to `offset`.
  struct Change {
    bool truncation;
    std::uint64_t offset;
    std::string bytes;
  };
  std::string durable, current;
  std::vector<Change> unsynced;
  const void* locked_by = nullptr;

  static void apply(const Change& change, std::string& content) {
    if (change.truncation) {
      content.resize(change.offset);
      return;
    }
    if (content.size() < change.offset + change.bytes.size()) content.resize(change.offset + change.bytes.size());
    std::memcpy(content.data() + change.offset, change.bytes.data(), change.bytes.size());
  }

  void change(Change change) {
    apply(change, current);
    unsynced.push_back(std::move(change));
  }

  void sync() {
    for (const auto& change : unsynced) apply(change, durable);
    unsynced.clear();
  }

  /// Keeps some of a write's sectors, as they lie on the disk.
  void tear(const Change& change, Random& random) {
    const std::uint64_t end = change.offset + change.bytes.size();
    for (std::uint64_t at = change.offset; at < end;) {
      const std::uint64_t next = std::min(end, (at / kSectorBytes + 1) * kSectorBytes);
      if (chance(random, 50)) apply({false, at, change.bytes.substr(at - change.offset, next - at)}, durable);
      at = next;
    }
  }

  void lose_power(Random& random, unsigned kept_percent) {
    for (const auto& change : unsynced) {
      if (chance(random, kept_percent)) {
        apply(change, durable);
      } else if (!change.truncation && chance(random, 50)) {
        tear(change, random);
      }
    }
    unsynced.clear();
    current = durable;
    locked_by = nullptr;
  }
};

class SimFile final : public File {
 public:
  SimFile(SimDisk& disk, std::shared_ptr<SimInode> inode, std::string path, std::uint64_t generation, bool writable)
      : disk_(disk), inode_(std::move(inode)), path_(std::move(path)), generation_(generation), writable_(writable) {}

  ~SimFile() override {
    MutexLock lock(disk_.mutex_);
    if (inode_->locked_by == this) inode_->locked_by = nullptr;
  }

  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> into) override {
    MutexLock lock(disk_.mutex_);
    TRY_VOID(admit(kOpRead));
    const std::string& content = inode_->current;
    if (offset >= content.size()) return std::size_t{0};
    const std::size_t bytes = std::min<std::size_t>(into.size(), content.size() - offset);
    std::memcpy(into.data(), content.data() + offset, bytes);
    return bytes;
  }

  Result<> write(std::uint64_t offset, std::span<const std::byte> from) override {
    MutexLock lock(disk_.mutex_);
    std::string bytes(reinterpret_cast<const char*>(from.data()), from.size());
    if (auto admitted = admit(kOpWrite); !admitted) {
      if (alive() && writable_) inode_->change({false, offset, bytes.substr(0, bytes.size() / 2)});
      return admitted;
    }
    const std::uint64_t size = inode_->current.size(), end = offset + bytes.size();
    if (disk_.capacity_ != kUnlimited && end > size && disk_.used() + (end - size) > disk_.capacity_) {
      return fail(Code::kUnavailable, "cannot write " + path_ + ": the disk is full");
    }
    inode_->change({false, offset, std::move(bytes)});
    return {};
  }

  Result<> truncate(std::uint64_t size) override {
    MutexLock lock(disk_.mutex_);
    TRY_VOID(admit(kOpTruncate));
    inode_->change({true, size, {}});
    return {};
  }

  Result<> sync() override {
    MutexLock lock(disk_.mutex_);
    TRY_VOID(admit(kOpSync));
    inode_->sync();
    return {};
  }

  Result<std::uint64_t> size() override {
    MutexLock lock(disk_.mutex_);
    TRY_VOID(living());
    return inode_->current.size();
  }

  Result<> lock_exclusive() override {
    MutexLock lock(disk_.mutex_);
    TRY_VOID(living());
    if (inode_->locked_by != nullptr && inode_->locked_by != this) {
      return fail(Code::kConflict, path_ + " is in use by another process");
    }
    inode_->locked_by = this;
    return {};
  }

 private:
  bool alive() const REQUIRES(disk_.mutex_) { return generation_ == disk_.generation_; }
  Result<> living() const REQUIRES(disk_.mutex_) {
    if (!alive()) return fail(Code::kUnavailable, path_ + ": opened before the power was lost");
    return {};
  }
  Result<> admit(DiskOp op) REQUIRES(disk_.mutex_) {
    TRY_VOID(living());
    if (!writable_ && (op == kOpWrite || op == kOpTruncate)) {
      return fail(Code::kUnavailable, "cannot write " + path_ + ": opened to read only");
    }
    return disk_.admit(op, path_);
  }

  SimDisk& disk_;
  std::shared_ptr<SimInode> inode_;  // shared with the disk's names and other handles
  std::string path_;
  std::uint64_t generation_;
  bool writable_;
};

SimDisk::SimDisk() : folders_{".", "/"} {}
SimDisk::~SimDisk() = default;

Result<> SimDisk::admit(DiskOp op, const std::string& path) {
  ++counts_[op];
  if (!fault_ || (fault_->ops & op) == 0) return {};
  if (fault_->left > 1) {
    --fault_->left;
    return {};
  }
  struck_ = true;
  if (fault_->life == FaultLife::kOnce) fault_.reset();
  return fail(Code::kUnavailable, "cannot " + std::string(verb(op)) + " " + path + ": a fault of the simulated disk");
}

std::uint64_t SimDisk::used() const {
  std::uint64_t bytes = 0;
  for (const auto& [path, inode] : names_) bytes += inode->current.size();
  return bytes;
}

void SimDisk::apply(const NameChange& change, Names& names) {
  switch (change.kind) {
    case NameChange::Kind::kCreate: names[change.path] = change.inode; break;
    case NameChange::Kind::kRename:
      std::erase_if(names, [&](const auto& name) { return name.second == change.inode; });
      names[change.path] = change.inode;
      break;
    case NameChange::Kind::kRemove:
      if (const auto found = names.find(change.path); found != names.end() && found->second == change.inode)
        names.erase(found);
      break;
  }
}

Result<std::unique_ptr<File>> SimDisk::open(const std::string& given, OpenMode mode) {
  const std::string path = normal(given);
  MutexLock lock(mutex_);
  TRY_VOID(admit(kOpOpen, path));
  if (folders_.contains(path)) return fail(Code::kUnavailable, "cannot open " + path + ": it is a folder");
  auto found = names_.find(path);
  if (found != names_.end() && mode == OpenMode::kCreateNew)
    return fail(Code::kConflict, "cannot open " + path + ": it exists already");
  if (found == names_.end()) {
    if (mode == OpenMode::kRead || mode == OpenMode::kReadWrite || !folders_.contains(folder_of(path))) {
      return fail(Code::kNotFound, "cannot open " + path + ": no such file or folder");
    }
    name_changes_.push_back({NameChange::Kind::kCreate, path, {}, std::make_shared<SimInode>()});
    apply(name_changes_.back(), names_);
    found = names_.find(path);
  }
  return std::make_unique<SimFile>(*this, found->second, path, generation_, mode != OpenMode::kRead);
}

Result<> SimDisk::rename(const std::string& given_from, const std::string& given_to) {
  const std::string from = normal(given_from), to = normal(given_to);
  MutexLock lock(mutex_);
  TRY_VOID(admit(kOpRename, from));
  const auto found = names_.find(from);
  if (found == names_.end() || !folders_.contains(folder_of(to))) {
    return fail(Code::kNotFound, "cannot rename " + from + " to " + to + ": no such file or folder");
  }
  if (from == to) return {};
  name_changes_.push_back({NameChange::Kind::kRename, to, from, found->second});
  apply(name_changes_.back(), names_);
  return {};
}

Result<> SimDisk::remove(const std::string& given) {
  const std::string path = normal(given);
  MutexLock lock(mutex_);
  TRY_VOID(admit(kOpRemove, path));
  const auto found = names_.find(path);
  if (found == names_.end()) return fail(Code::kNotFound, "cannot remove " + path + ": no such file or folder");
  name_changes_.push_back({NameChange::Kind::kRemove, path, {}, found->second});
  apply(name_changes_.back(), names_);
  return {};
}

Result<> SimDisk::make_dirs(const std::string& given) {
  const std::string path = normal(given);
  MutexLock lock(mutex_);
  TRY_VOID(admit(kOpMakeDirs, path));
  for (std::string part = path; !folders_.contains(part); part = folder_of(part)) {
    if (names_.contains(part)) return fail(Code::kUnavailable, "cannot make the folder " + path + ": Not a directory");
  }
  for (std::string part = path; folders_.insert(part).second;) part = folder_of(part);
  return {};
}

Result<> SimDisk::sync_dir(const std::string& given) {
  const std::string folder = normal(given);
  MutexLock lock(mutex_);
  TRY_VOID(admit(kOpSyncDir, folder));
  if (!folders_.contains(folder))
    return fail(Code::kNotFound, "cannot sync the folder " + folder + ": no such file or folder");
  std::vector<NameChange> left;
  for (auto& change : name_changes_) {
    const bool here = folder_of(change.path) == folder || (!change.from.empty() && folder_of(change.from) == folder);
    if (!here) {
      left.push_back(std::move(change));
      continue;
    }
    apply(change, durable_names_);
    std::erase_if(left, [&](const NameChange& earlier) {
      return earlier.inode == change.inode;
    });  // it says where the file is now
  }
  name_changes_ = std::move(left);
  return {};
}

Result<bool> SimDisk::exists(const std::string& given) {
  const std::string path = normal(given);
  MutexLock lock(mutex_);
  return names_.contains(path) || folders_.contains(path);
}

Result<std::vector<std::string>> SimDisk::list(const std::string& given) {
  const std::string folder = normal(given);
  MutexLock lock(mutex_);
  if (!folders_.contains(folder)) return fail(Code::kNotFound, "cannot list " + folder + ": no such file or folder");
  std::set<std::string> names;
  const auto add = [&](const std::string& path) {
    if (path != folder && folder_of(path) == folder && path != ".") names.insert(path.substr(path.rfind('/') + 1));
  };
  for (const auto& [path, inode] : names_) add(path);
  for (const auto& path : folders_) add(path);
  names.erase("");
  return std::vector<std::string>(names.begin(), names.end());
}

Result<std::uint64_t> SimDisk::free_bytes(const std::string&) {
  MutexLock lock(mutex_);
  if (capacity_ == kUnlimited) return std::uint64_t{1} << 40;
  return capacity_ - std::min(capacity_, used());
}

void SimDisk::crash(Random& random) {
  MutexLock lock(mutex_);
  ++generation_;
  const auto kept_percent = static_cast<unsigned>(random.next() % 5) * 25;  // from nothing unsynced to all of it
  for (const auto& change : name_changes_) {
    if (chance(random, kept_percent)) apply(change, durable_names_);
  }
  name_changes_.clear();
  std::set<const SimInode*> seen;
  for (const auto& [path, inode] : durable_names_) {
    if (seen.insert(inode.get()).second) inode->lose_power(random, kept_percent);
  }
  names_ = durable_names_;
}

void SimDisk::kill() {
  MutexLock lock(mutex_);
  ++generation_;
  for (const auto& [path, inode] : names_) inode->locked_by = nullptr;
}

void SimDisk::fail_nth(unsigned ops, std::uint64_t n, FaultLife life) {
  MutexLock lock(mutex_);
  fault_ = Fault{ops, n, life};
  struck_ = false;
}

bool SimDisk::fault_struck() const {
  MutexLock lock(mutex_);
  return struck_;
}

void SimDisk::heal() {
  MutexLock lock(mutex_);
  fault_.reset();
}

std::uint64_t SimDisk::count(unsigned ops) const {
  MutexLock lock(mutex_);
  std::uint64_t sum = 0;
  for (const auto& [op, count] : counts_) sum += (op & ops) != 0 ? count : 0;
  return sum;
}

void SimDisk::set_capacity(std::uint64_t bytes) {
  MutexLock lock(mutex_);
  capacity_ = bytes;
}

Result<> SimDisk::damage(const std::string& given, std::uint64_t offset, std::uint64_t bytes) {
  const std::string path = normal(given);
  MutexLock lock(mutex_);
  const auto found = names_.find(path);
  if (found == names_.end()) return fail(Code::kNotFound, "cannot damage " + path + ": no such file or folder");
  for (std::string* content : {&found->second->current, &found->second->durable}) {
    if (content == &found->second->current && offset + bytes > content->size())
      return fail(Code::kInvalid, "beyond the end of " + path);
    for (std::uint64_t i = offset; i < std::min<std::uint64_t>(offset + bytes, content->size()); ++i) {
      (*content)[i] = static_cast<char>(~(*content)[i]);
    }
  }
  return {};
}

}  // namespace callimport::simulations
