#include "activities/http/curl_http.h"

#include <curl/curl.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <map>
#include <utility>
#include <vector>

#include "activities/http/transfer.h"
#include "storage/model/ensure.h"

namespace callimport::activities {
namespace {
namespace asio = boost::asio;
constexpr std::size_t kIdleEasyMax = 64;

/// One of libcurl's sockets on our loop. The descriptor belongs to libcurl: released, never closed here.
struct Watch {
  explicit Watch(asio::io_context& io) : descriptor(io) {}
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() { let_go(); }
  void let_go() {
    if (descriptor.is_open()) descriptor.release();
  }
  asio::posix::stream_descriptor descriptor;
  int wanted = 0;                         ///< CURL_POLL_IN, CURL_POLL_OUT or both
  bool reading = false, writing = false;  ///< a wait is under way
};
}  // namespace

struct CurlHttp::Inside {
  Inside(asio::io_context& io_in, Clock& clock_in, const CurlOptions& options)
      : io(io_in), clock(clock_in), user_agent("callimport/" + options.version), guard(options.guard) {
    static const CURLcode global = curl_global_init(CURL_GLOBAL_DEFAULT);
    ENSURE(global == CURLE_OK);
    multi = curl_multi_init();
    ENSURE(multi != nullptr);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &Inside::on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &Inside::on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, options.connections_per_host_max);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, options.connections_kept);
  }

  ~Inside() {
    *alive = false;
    closing = true;
    if (timer != 0) clock.cancel(timer);
    for (auto& [easy, transfer] : transfers) {
      curl_multi_remove_handle(multi, easy);
      if (transfer->stall_timer != 0) clock.cancel(transfer->stall_timer);
      curl_easy_cleanup(easy);
      // Not from here: the coroutine behind it may own what is being destroyed.
      const std::shared_ptr<Transfer> held = std::move(transfer);
      asio::post(io, [held] { held->finish(fail(Code::kCancelled, "the client stopped")); });
    }
    transfers.clear();
    for (CURL* easy : idle) curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
    watches.clear();
  }

  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

  void begin(HttpRequest request, Transfer::Done done) {
    CURL* easy = take_easy();
    auto transfer = std::make_shared<Transfer>(std::move(request), clock, std::move(done));
    auto prepared = easy != nullptr ? transfer->prepare(easy, user_agent) : fail(Code::kUnavailable, "out of memory");
    if (prepared) {
      if (guard) transfer->keep_from(*guard);
      curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, &Inside::on_close);
      curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
      if (curl_multi_add_handle(multi, easy) != CURLM_OK)
        prepared = fail(Code::kUnavailable, "libcurl takes no more requests");
    }
    if (!prepared) {
      if (easy != nullptr) give_back(easy);
      return transfer->finish(tl::unexpected(prepared.error()));
    }
    if (transfer->streams()) watch_for_stall(*transfer, clock.now() + transfer->timeout());
    transfers.emplace(easy, std::move(transfer));
  }

  CURL* take_easy() {
    if (idle.empty()) return curl_easy_init();
    CURL* easy = idle.back();
    idle.pop_back();
    return easy;
  }

  void give_back(CURL* easy) {
    if (idle.size() >= kIdleEasyMax) return curl_easy_cleanup(easy);
    curl_easy_reset(easy);
    idle.push_back(easy);
  }

  void watch_for_stall(Transfer& transfer, Timestamp when) {
    transfer.stall_timer = clock.at(when, [this, &transfer] {
      transfer.stall_timer = 0;
      const Timestamp due = transfer.last_byte() + transfer.timeout();
      if (clock.now() < due) return watch_for_stall(transfer, due);
      transfer.stop_with({Code::kUnavailable, "no answer: nothing came for too long"});
      end(transfer.easy(), CURLE_OPERATION_TIMEDOUT);
    });
  }

  /// Takes the transfer out and tells who waits. The waiting coroutine may run on at once, and may even destroy this
  /// client.
  void end(CURL* easy, CURLcode code) {
    const auto found = transfers.find(easy);
    ENSURE(found != transfers.end());
    const std::shared_ptr<Transfer> transfer = found->second;
    transfers.erase(found);
    curl_multi_remove_handle(multi, easy);
    if (transfer->stall_timer != 0) clock.cancel(transfer->stall_timer);
    auto result = transfer->outcome(code);
    give_back(easy);
    transfer->finish(std::move(result));
  }

  void collect() {
    std::vector<std::pair<CURL*, CURLcode>> finished;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg == CURLMSG_DONE) finished.emplace_back(message->easy_handle, message->data.result);
    }
    const std::shared_ptr<bool> held = alive;
    for (const auto& [easy, code] : finished) {
      if (!*held) return;
      end(easy, code);
    }
  }

  void act(curl_socket_t socket, int events) {
    int running = 0;
    curl_multi_socket_action(multi, socket, events, &running);
    collect();
  }

  static int on_timer(CURLM*, long timeout_ms, void* self) {
    auto& inside = *static_cast<Inside*>(self);
    if (inside.timer != 0) inside.clock.cancel(std::exchange(inside.timer, 0));
    if (timeout_ms < 0 || inside.closing) return 0;
    inside.timer = inside.clock.at(inside.clock.now() + std::chrono::milliseconds{timeout_ms}, [&inside] {
      inside.timer = 0;
      inside.act(CURL_SOCKET_TIMEOUT, 0);
    });
    return 0;
  }

  static int on_socket(CURL*, curl_socket_t socket, int what, void* self, void*) {
    auto& inside = *static_cast<Inside*>(self);
    if (what == CURL_POLL_REMOVE || inside.closing) {
      inside.forget(socket);
      return 0;
    }
    auto& watch = inside.watches[socket];
    if (!watch) {
      watch = std::make_shared<Watch>(inside.io);
      boost::system::error_code error;
      watch->descriptor.assign(socket, error);
      if (error) {
        inside.watches.erase(socket);
        return -1;  // libcurl ends the transfer
      }
    }
    watch->wanted = what;
    inside.wait(socket, watch);
    return 0;
  }

  /// At once, though a handler on the stack may still hold the watch: the same descriptor may be watched anew before it
  /// returns.
  void forget(curl_socket_t socket) {
    const auto found = watches.find(socket);
    if (found == watches.end()) return;
    found->second->let_go();
    watches.erase(found);
  }

  static int on_close(void* self, curl_socket_t socket) {
    static_cast<Inside*>(self)->forget(socket);
    return ::close(socket);
  }

  /// libcurl wants to hear of a socket until it says otherwise, Asio tells once: so after each event we wait again.
  /// `watch` is shared with the waits under way: a number may come back as another socket before an old wait ends.
  void wait(curl_socket_t socket, const std::shared_ptr<Watch>& watch) {
    const auto on_event = [this, socket, weak = std::weak_ptr(watch), held = alive](bool Watch::* flag, int event) {
      return [this, socket, weak, held, flag, event](const boost::system::error_code& error) {
        const auto same = weak.lock();
        if (!*held || !same || error == asio::error::operation_aborted) return;
        (*same).*flag = false;
        if ((same->wanted & event) == 0) return;
        act(socket, error ? CURL_CSELECT_ERR : event == CURL_POLL_IN ? CURL_CSELECT_IN : CURL_CSELECT_OUT);
        if (!*held) return;
        const auto now = watches.find(socket);
        if (now != watches.end() && now->second == same) wait(socket, same);
      };
    };
    if ((watch->wanted & CURL_POLL_IN) != 0 && !std::exchange(watch->reading, true)) {
      watch->descriptor.async_wait(asio::posix::descriptor_base::wait_read, on_event(&Watch::reading, CURL_POLL_IN));
    }
    if ((watch->wanted & CURL_POLL_OUT) != 0 && !std::exchange(watch->writing, true)) {
      watch->descriptor.async_wait(asio::posix::descriptor_base::wait_write, on_event(&Watch::writing, CURL_POLL_OUT));
    }
  }

  asio::io_context& io;
  Clock& clock;
  std::string user_agent;
  const std::optional<AddressGuard> guard;
  CURLM* multi = nullptr;
  Clock::TimerId timer = 0;
  bool closing = false;
  std::map<curl_socket_t, std::shared_ptr<Watch>> watches;
  std::map<CURL*, std::shared_ptr<Transfer>> transfers;  // shared with the post that ends it
  std::vector<CURL*> idle;
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);  // shared with handlers that may run after this is gone
};

CurlHttp::CurlHttp(asio::io_context& io, Clock& clock, CurlOptions options)
    : inside_(std::make_unique<Inside>(io, clock, options)) {}

CurlHttp::~CurlHttp() = default;

engine::Awaitable<Result<HttpReply>> CurlHttp::send(HttpRequest request) {
  auto start = [inside = inside_.get(),
                request = std::move(request)](std::function<void(Result<HttpReply>)> set) mutable {
    inside->begin(std::move(request), std::move(set));
  };
  co_return co_await engine::async_value<Result<HttpReply>>(std::move(start));
}

}  // namespace callimport::activities
