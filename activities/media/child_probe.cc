#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <deque>
#include <utility>
#include <vector>

#include "activities/media/child.h"

namespace callimport::activities {
namespace {
namespace asio = boost::asio;
using Done = std::function<void(Result<MediaVerdict>)>;

struct Job {
  std::string path;
  std::int64_t expected_duration_ms = 0;
  Done done;
  int deaths = 0;  ///< children that died of it
};

struct Child {
  pid_t pid = -1;
  std::unique_ptr<asio::posix::stream_descriptor> socket;
  std::uint64_t life = 0;  ///< which child this is: an event of an earlier one is none of ours
  int files = 0;
  std::optional<Job> job;
  Clock::TimerId timer = 0;
};

/// The child's process with `socket` as its descriptor 0; -1: errno says why.
pid_t start_process(const ChildProbeOptions& options, int socket) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, socket, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::string name = "callimport", argument = options.argument;
  char* arguments[] = {name.data(), argument.data(), nullptr};
  char* environment[] = {nullptr};  // what our environment holds is none of the child's business
  pid_t pid = -1;
  const int error = posix_spawn(&pid, options.binary.c_str(), &actions, &attributes, arguments, environment);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error == 0) return pid;
  errno = error;
  return -1;
}

bool send_order(int socket, const Job& job, int file) {
  std::string text = fmt::format("{}", job.expected_duration_ms);
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  iovec part{text.data(), text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(head), &file, sizeof file);
  return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) > 0;
}
}  // namespace

struct ChildMediaProbe::Inside {
  Inside(asio::io_context& io_in, Clock& clock_in, ChildProbeOptions options_in)
      : io(io_in),
        clock(clock_in),
        options(std::move(options_in)),
        children(std::max<std::size_t>(options.children, 1)) {}

  ~Inside() {
    *alive = false;
    for (Child& child : children) {
      if (child.job)
        finish(std::exchange(child.job, std::nullopt)->done, fail(Code::kCancelled, "the media probe stopped"));
      end(child);
    }
    for (Job& job : waiting) finish(std::move(job.done), fail(Code::kCancelled, "the media probe stopped"));
  }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

  /// Later, from the loop: who waits may go on to destroy this probe.
  void finish(Done done, Result<MediaVerdict> result) {
    asio::post(io, [done = std::move(done), result = std::move(result)] { done(result); });
  }

  void add(Job job) {
    if (waiting.size() >= kProbesWaitingMax)
      return finish(std::move(job.done), fail(Code::kUnavailable, "too many files wait for the media probe"));
    waiting.push_back(std::move(job));
    hand_out();
  }

  void hand_out() {
    for (Child& child : children) {
      while (!child.job && !waiting.empty()) {
        Job job = std::move(waiting.front());
        waiting.pop_front();
        give(child, std::move(job));
      }
    }
  }

  void give(Child& child, Job job) {
    const int file = ::open(job.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) {
      const Code code = errno == ENOENT ? Code::kNotFound : Code::kUnavailable;
      return finish(std::move(job.done),
                    fail(code, fmt::format("cannot open the recording: {}", std::strerror(errno))));
    }
    if (child.pid < 0) {
      if (auto started = start(child); !started) {
        ::close(file);
        return finish(std::move(job.done), tl::unexpected(started.error()));
      }
    }
    const bool sent = send_order(child.socket->native_handle(), job, file);
    ::close(file);
    child.job = std::move(job);
    if (!sent) return bury(child);
    child.timer = clock.at(clock.now() + options.file_timeout, [this, &child] {
      child.timer = 0;
      bury(child);
      hand_out();
    });
    wait(child);
  }

  Result<> start(Child& child) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
      return fail(Code::kUnavailable, fmt::format("cannot start the media child: {}", std::strerror(errno)));
    }
    child.pid = start_process(options, ends[1]);
    const int error = errno;
    ::close(ends[1]);
    if (child.pid < 0) {
      ::close(ends[0]);
      return fail(Code::kUnavailable, fmt::format("cannot start the media child: {}", std::strerror(error)));
    }
    child.socket = std::make_unique<asio::posix::stream_descriptor>(io, ends[0]);
    child.life = ++started_;
    child.files = 0;
    return {};
  }

  void wait(Child& child) {
    child.socket->async_wait(asio::posix::descriptor_base::wait_read,
                             [this, &child, life = child.life, held = alive](const boost::system::error_code& error) {
                               if (!*held || error || child.life != life) return;
                               read(child);
                               hand_out();
                             });
  }

  void read(Child& child) {
    if (!child.job) return;
    std::string text(kProbePacketBytesMax, '\0');
    const ssize_t got = ::recv(child.socket->native_handle(), text.data(), text.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return wait(child);
    auto verdict = got > 0 ? read_verdict(std::string_view(text).substr(0, static_cast<std::size_t>(got)))
                           : Result<MediaVerdict>(fail(Code::kCorrupt, "the media child died"));
    if (!verdict) return bury(child);
    if (child.timer != 0) clock.cancel(std::exchange(child.timer, 0));
    finish(std::exchange(child.job, std::nullopt)->done, std::move(verdict));
    if (++child.files >= kProbesPerChildMax) end(child);
  }

  /// The child died of its file, or hangs on it, or talks nonsense: another one may try once.
  void bury(Child& child) {
    std::optional<Job> job = std::exchange(child.job, std::nullopt);
    end(child);
    if (!job) return;
    if (++job->deaths >= 2)
      return finish(std::move(job->done), fail(Code::kUnavailable, "the media child died twice on this file"));
    waiting.push_front(std::move(*job));
  }

  void end(Child& child) {
    if (child.timer != 0) clock.cancel(std::exchange(child.timer, 0));
    child.socket.reset();
    child.life = 0;
    if (child.pid < 0) return;
    ::kill(child.pid, SIGKILL);
    while (::waitpid(child.pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    child.pid = -1;
  }

  asio::io_context& io;
  Clock& clock;
  const ChildProbeOptions options;
  std::vector<Child> children;
  std::deque<Job> waiting;
  std::uint64_t started_ = 0;
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);  // shared with waits that end after this is gone
};

ChildMediaProbe::ChildMediaProbe(asio::io_context& io, Clock& clock, ChildProbeOptions options)
    : inside_(std::make_unique<Inside>(io, clock, std::move(options))) {}

ChildMediaProbe::~ChildMediaProbe() = default;

std::uint64_t ChildMediaProbe::children_started() const { return inside_->started_; }

engine::Awaitable<Result<MediaVerdict>> ChildMediaProbe::probe(std::string path, std::int64_t expected_duration_ms) {
  auto start = [inside = inside_.get(), path = std::move(path), expected_duration_ms](Done done) mutable {
    inside->add({std::move(path), expected_duration_ms, std::move(done), 0});
  };
  co_return co_await engine::async_value<Result<MediaVerdict>>(std::move(start));
}

}  // namespace callimport::activities
