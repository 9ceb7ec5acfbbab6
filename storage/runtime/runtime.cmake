add_floor(storage::runtime
  HEADERS runtime/clock.h runtime/executor.h runtime/random.h runtime/disk.h runtime/mutex.h runtime/deadlines.h
          runtime/loop.h runtime/skipping_clock.h runtime/threads.h runtime/os_random.h runtime/posix_disk.h
          runtime/space_reserve.h runtime/time_zone.h
  SOURCES runtime/loop.cc runtime/skipping_clock.cc runtime/threads.cc runtime/random.cc runtime/os_random.cc
          runtime/posix_disk.cc runtime/space_reserve.cc runtime/time_zone.cc
  DEPS storage::model Boost::headers Threads::Threads date::date-tz)

add_floor(storage::sqlite
  HEADERS sqlite/database.h sqlite/failure.h sqlite/shared_database.h sqlite/vfs.h
  SOURCES sqlite/database.cc sqlite/commit_times.cc sqlite/statement.cc sqlite/copy.cc sqlite/failure.cc sqlite/shared_database.cc sqlite/vfs.cc
  DEPS storage::model storage::runtime PkgConfig::SQLITE fmt::fmt)
