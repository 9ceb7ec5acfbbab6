#include "storage/sqlite/shared_database.h"

#include <sqlite3.h>

#include <algorithm>

#include "storage/model/ensure.h"

namespace callimport::storage {

bool SharedDatabase::alive() {
  MutexLock lock(mutex_);
  return locked_->size().has_value();
}

bool SharedDatabase::others_hold(const void* connection, int level) const {
  return std::any_of(connections_.begin(), connections_.end(),
                     [&](const auto& other) { return other.first != connection && other.second.level >= level; });
}

int SharedDatabase::lock(const void* connection, int level) {
  MutexLock lock(mutex_);
  auto& mine = connections_[connection];
  if (mine.level >= level) return SQLITE_OK;
  if (level == SQLITE_LOCK_SHARED) {
    if (others_hold(connection, SQLITE_LOCK_PENDING)) return SQLITE_BUSY;
  } else if (others_hold(connection, SQLITE_LOCK_RESERVED)) {
    return SQLITE_BUSY;
  } else if (level == SQLITE_LOCK_EXCLUSIVE && others_hold(connection, SQLITE_LOCK_SHARED)) {
    mine.level = SQLITE_LOCK_PENDING;  // readers finish, new ones wait
    return SQLITE_BUSY;
  }
  mine.level = level;
  return SQLITE_OK;
}

void SharedDatabase::unlock(const void* connection, int level) {
  MutexLock lock(mutex_);
  auto& mine = connections_[connection];
  mine.level = std::min(mine.level, level);
  if (mine.level == SQLITE_LOCK_NONE && !mine.mapped) connections_.erase(connection);
}

bool SharedDatabase::reserved() {
  MutexLock lock(mutex_);
  return others_hold(nullptr, SQLITE_LOCK_RESERVED);
}

volatile void* SharedDatabase::map(const void* connection, int index, int bytes, bool extend) {
  MutexLock lock(mutex_);
  connections_[connection].mapped = true;
  const auto wanted = static_cast<std::size_t>(index);
  if (wanted >= regions_.size() && !extend) return nullptr;
  while (wanted >= regions_.size())
    regions_.push_back(std::make_unique<std::uint8_t[]>(static_cast<std::size_t>(bytes)));
  return regions_[wanted].get();
}

int SharedDatabase::wal_lock(const void* connection, int first, int count, int flags) {
  ENSURE(first >= 0 && count >= 1 && first + count <= kWalLocks);
  const std::uint32_t mask = ((1u << count) - 1u) << first;
  MutexLock lock(mutex_);
  auto& mine = connections_[connection];
  if ((flags & SQLITE_SHM_UNLOCK) != 0) {
    mine.shared &= ~mask;
    mine.exclusive &= ~mask;
    return SQLITE_OK;
  }
  return wal_lock_taken(connection, mask, flags);
}

int SharedDatabase::wal_lock_taken(const void* connection, std::uint32_t mask, int flags) {
  std::uint32_t shared = 0, exclusive = 0;
  for (const auto& [other, held] : connections_) {
    if (other == connection) continue;
    shared |= held.shared;
    exclusive |= held.exclusive;
  }
  if ((exclusive & mask) != 0) return SQLITE_BUSY;
  auto& mine = connections_[connection];
  if ((flags & SQLITE_SHM_SHARED) != 0) {
    mine.shared |= mask;
    return SQLITE_OK;
  }
  if ((shared & mask) != 0) return SQLITE_BUSY;
  mine.exclusive |= mask;
  return SQLITE_OK;
}

void SharedDatabase::unmap(const void* connection) {
  MutexLock lock(mutex_);
  auto& mine = connections_[connection];
  mine.mapped = false;
  mine.shared = mine.exclusive = 0;
  if (mine.level == SQLITE_LOCK_NONE) connections_.erase(connection);
  const bool used =
      std::any_of(connections_.begin(), connections_.end(), [](const auto& c) { return c.second.mapped; });
  if (!used) regions_.clear();
}

}  // namespace callimport::storage
