#include "activities/media/lockdown.h"

#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cerrno>
#include <memory>

// A sanitizer reserves terabytes of address space and opens /proc/self/maps when it reports.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CALLIMPORT_SANITIZED 1
#endif
#endif

namespace callimport::activities {
namespace {
struct FreeFilter {
  void operator()(void* filter) const { seccomp_release(filter); }
};

bool limit(__rlimit_resource resource, rlim_t most) {
  const rlimit both{most, most};
  return setrlimit(resource, &both) == 0;
}

/// Reading, memory, time, the one socket we were given, and leaving.
constexpr int kAllowed[] = {
    SCMP_SYS(read),
    SCMP_SYS(pread64),
    SCMP_SYS(lseek),
    SCMP_SYS(close),
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendmsg),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(brk),
    SCMP_SYS(madvise),
    SCMP_SYS(futex),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(getrandom),
    SCMP_SYS(sched_yield),
    SCMP_SYS(restart_syscall),
#ifdef CALLIMPORT_SANITIZED
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(gettid),
    SCMP_SYS(getpid),
    SCMP_SYS(write),
    SCMP_SYS(mprotect),
#endif
};
}  // namespace

Result<> lock_down_this_process() {
  const auto refused = [](const char* what) {
    return fail(Code::kUnavailable, std::string("the media child cannot be bounded: ") + what);
  };
  if (!limit(RLIMIT_CPU, kChildCpuSecondsMax) || !limit(RLIMIT_FSIZE, 0) || !limit(RLIMIT_NOFILE, kChildFilesMax) ||
      !limit(RLIMIT_CORE, 0)) {
    return refused("resource limits");
  }
#ifndef CALLIMPORT_SANITIZED
  if (!limit(RLIMIT_AS, kChildMemoryMax)) return refused("its memory");
#endif
  if (prctl(PR_SET_DUMPABLE, 0) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refused("privileges");

  const std::unique_ptr<void, FreeFilter> filter(seccomp_init(SCMP_ACT_ERRNO(EPERM)));
  if (!filter) return refused("out of memory");
  for (const int call : kAllowed) {
    if (seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0) != 0) return refused("a rule of its filter");
  }
  // Memory, but never memory to run.
  const scmp_arg_cmp not_executable = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
  if (seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, not_executable) != 0)
    return refused("a rule of its filter");
#ifndef CALLIMPORT_SANITIZED
  // glibc's heap grows by mprotect.
  if (seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, not_executable) != 0)
    return refused("a rule of its filter");
#endif
  if (seccomp_load(filter.get()) != 0) return refused("the kernel takes no filter");
  return {};
}

}  // namespace callimport::activities
