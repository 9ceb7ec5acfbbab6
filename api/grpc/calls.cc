#include "api/grpc/calls.h"

#include <fmt/format.h>
#include <google/rpc/status.pb.h>
#include <grpc/slice.h>
#include <grpcpp/alarm.h>

#include <algorithm>
#include <deque>
#include <mutex>
#include <optional>
#include <unordered_set>
#include <utility>

namespace callimport::api {
namespace {

constexpr int kAwaited = 32;  ///< calls gRPC may take before the thread looks again

grpc::Status to_grpc(const PortStatus& status) {
  const auto code = static_cast<grpc::StatusCode>(status.code);
  if (status.detail_type.empty()) return {code, status.message};
  // C.17: the trailer holds a google.rpc.Status with the same code and text and one Any.
  google::rpc::Status details;
  details.set_code(status.code);
  details.set_message(status.message);
  auto* any = details.add_details();
  any->set_type_url("type.googleapis.com/" + status.detail_type);
  any->set_value(status.detail_bytes);
  return {code, status.message, details.SerializeAsString()};
}

/// Serialized once, into the buffer that is sent.
grpc::ByteBuffer to_buffer(const google::protobuf::MessageLite& message) {
  const std::size_t size = message.ByteSizeLong();
  grpc::Slice slice(grpc_slice_malloc(size), grpc::Slice::STEAL_REF);
  message.SerializeWithCachedSizesToArray(const_cast<std::uint8_t*>(slice.begin()));
  return grpc::ByteBuffer(&slice, 1);
}

/// What came, in one piece: most messages come so.
grpc::Slice whole_of(const grpc::ByteBuffer& buffer) {
  grpc::Slice slice;
  if (!buffer.TrySingleSlice(&slice).ok() && !buffer.DumpToSingleSlice(&slice).ok()) return {};
  return slice;
}

/// Among the words, parted by commas, of what the client says it knows.
bool has_feature(const grpc::GenericServerContext& context, std::string_view feature) {
  const auto found = context.client_metadata().find("supported-features");
  if (found == context.client_metadata().end()) return false;
  std::string_view words(found->second.data(), found->second.size());
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(','), words.size());
    if (words.substr(0, end) == feature) return true;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return false;
}

/// What the loop wants done with a call.
struct Mail {
  std::uint64_t number = 0;
  std::optional<grpc::ByteBuffer> message;
  std::optional<grpc::Status> end;  ///< after the messages before it
  bool read = false;                ///< the client's next message is wanted
};

/// From the loop to the thread. Threads: any.
class Mailbox {
 public:
  Mailbox(grpc::CompletionQueue& queue, void* tag) : queue_(queue), tag_(tag) {}
  void put(std::vector<Mail> mail) {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    std::move(mail.begin(), mail.end(), std::back_inserter(mail_));
    wake();
  }
  std::vector<Mail> take() {
    const std::lock_guard lock(mutex_);
    woken_ = false;
    return std::exchange(mail_, {});
  }
  void close() {  ///< the last to come of it is a wake-up
    const std::lock_guard lock(mutex_);
    closed_ = true;
    mail_.clear();
    wake();
  }
  bool closed() {
    const std::lock_guard lock(mutex_);
    return closed_;
  }

 private:
  /// Under the lock.
  void wake() {
    if (!std::exchange(woken_, true)) alarm_.Set(&queue_, gpr_inf_past(GPR_CLOCK_MONOTONIC), tag_);
  }

  std::mutex mutex_;  // guards what follows; clang's annotations clash with those that gRPC's headers bring
  grpc::CompletionQueue& queue_;
  void* const tag_;
  grpc::Alarm alarm_;
  std::vector<Mail> mail_;
  bool woken_ = false, closed_ = false;
};

}  // namespace

/// What the loop knows of calls, by number: those that want an answer, and the mail of this turn. Threads: the loop,
/// but `mailbox`.
class Desk : public std::enable_shared_from_this<Desk> {
 public:
  Desk(Executor& loop, grpc::CompletionQueue& queue) : mailbox(queue, this), loop_(loop) {}

  void send(Mail mail) {
    mail_.push_back(std::move(mail));
    if (std::exchange(posted_, true)) return;
    loop_.post([desk = shared_from_this()] {
      desk->posted_ = false;
      desk->mailbox.put(std::exchange(desk->mail_, {}));
    });
  }

  Mailbox mailbox;
  std::unordered_set<std::uint64_t> open;

 private:
  Executor& loop_;
  std::vector<Mail> mail_;
  bool posted_ = false;
};

namespace {

/// Answers of a call that is over are dropped.
class NumberedAnswer final : public Answer {
 public:
  NumberedAnswer(std::shared_ptr<Desk> desk, std::uint64_t number) : desk_(std::move(desk)), number_(number) {}
  bool write(const google::protobuf::MessageLite& message) override {
    if (!open()) return false;
    desk_->send({number_, to_buffer(message), {}, false});
    return true;
  }
  void finish(const PortStatus& status) override {
    if (desk_->open.erase(number_) > 0) desk_->send({number_, {}, to_grpc(status), false});
  }
  void reply(const google::protobuf::MessageLite& message) override {
    if (desk_->open.erase(number_) > 0) desk_->send({number_, to_buffer(message), grpc::Status::OK, false});
  }
  bool open() const override { return desk_->open.contains(number_); }

 private:
  std::shared_ptr<Desk> desk_;  // shared: answers may outlive the door
  std::uint64_t number_;
};

}  // namespace

/// One RPC, from before it came until gRPC has given back each tag. Threads: that of Calls.
class Call {
 public:
  /// What gRPC gives back when an operation is over.
  struct Tag {
    Call* call;
    void (Call::*over)(bool ok);
  };

  Call(Calls& calls, std::uint64_t number) : calls_(calls), number_(number) {
    context_.AsyncNotifyWhenDone(&done_tag_);
    calls_.service_.RequestCall(&context_, &stream_, calls_.queue_.get(), calls_.queue_.get(), begin(came_tag_));
  }
  ~Call() {
    if (came_) --calls_.open_;
    if (unread_bytes_ > 0) calls_.unread_.remove(peer_, unread_bytes_);
  }

  std::uint64_t number() const { return number_; }
  bool over() const { return done_ && under_way_ == 0; }

  void came(bool ok) {
    --under_way_;
    if (!ok) {  // the server ends; nobody will tell us of this one's end
      done_ = true;
      return;
    }
    came_ = true;
    const std::size_t before = calls_.open_++;
    if (calls_.closing_) return;
    calls_.accept();
    const auto& router = calls_.router_;
    const auto found = router.methods.find(context_.method());
    if (found == router.methods.end()) {
      return end({grpc::StatusCode::UNIMPLEMENTED, router.unknown_text(context_.method())});
    }
    if (before >= kPendingCallsMax) {
      return end({grpc::StatusCode::RESOURCE_EXHAUSTED, fmt::format("more than {} calls are open", kPendingCallsMax)});
    }
    method_ = &found->second;
    if (const auto refused = calls_.admission_.refuse(*method_, context_, caller_)) return end(*refused);
    stream_.Read(&incoming_, begin(read_tag_));
  }

  void read(bool ok) {
    --under_way_;
    if (done_ || calls_.closing_) return;
    if (!ok && !begun_) return end({grpc::StatusCode::INTERNAL, "the call came without a message"});
    const bool first = !std::exchange(begun_, true);
    calls_.to_loop([desk = calls_.desk_, number = number_, first, again = method_->many_requests, work = work(ok)] {
      if (first) desk->open.insert(number);
      work();
      if (again && desk->open.contains(number)) desk->send({number, {}, {}, true});
    });
  }

  void written(bool ok) {
    --under_way_;
    writing_ = false;
    count_read(outgoing_.front());
    outgoing_.pop_front();
    if (ok && !done_ && !calls_.closing_) send_next();
  }

  void finished(bool) { --under_way_; }

  /// The caller has everything, or is gone.
  void done(bool) {
    done_ = true;
    if (!begun_ || !context_.IsCancelled()) return;
    calls_.to_loop([desk = calls_.desk_, number = number_, &router = calls_.router_] {
      if (desk->open.erase(number) > 0 && router.cancelled) router.cancelled(number);
    });
  }

  void take(Mail mail) {
    if (done_ || ending_ || finishing_ || calls_.closing_) return;
    if (mail.read) stream_.Read(&incoming_, begin(read_tag_));
    if (mail.message) {
      if (!count_unread(*mail.message)) return give_up();
      outgoing_.push_back(std::move(*mail.message));
    }
    ending_ = std::move(mail.end);
    if (!writing_) send_next();
  }

 private:
  void* begin(Tag& tag) {
    ++under_way_;
    return &tag;
  }

  /// What is to be done on the loop about the message that came; not `ok`: the client sends no more.
  OnLoop work(bool ok) {
    auto answer = std::make_shared<NumberedAnswer>(calls_.desk_, number_);
    if (!ok) return [answer] { answer->finish({}); };
    if (incoming_.Length() > kRequestBytesMax) {
      return [answer, bytes = incoming_.Length()] {
        answer->finish({kGrpcResourceExhausted,
                        fmt::format("grpc: received message larger than max ({} vs. {})", bytes, kRequestBytesMax),
                        {},
                        {}});
      };
    }
    const grpc::Slice whole = whole_of(incoming_);
    incoming_.Clear();
    const std::string_view bytes(reinterpret_cast<const char*>(whole.begin()), whole.size());
    const bool follows = !method_->reads_features || has_feature(context_, "follows-next-run-id");
    return method_->serve({{number_, deadline(), follows}, bytes, answer, caller_});
  }

  std::optional<Timestamp> deadline() const {
    const auto at = context_.deadline();
    if (at == std::chrono::system_clock::time_point::max()) return std::nullopt;
    return std::chrono::time_point_cast<Nanos>(at);
  }

  void send_next() {
    if (outgoing_.empty()) {
      if (ending_) end(*ending_);
    } else if (ending_ && ending_->ok() && outgoing_.size() == 1) {
      finishing_ = true;
      stream_.WriteAndFinish(outgoing_.front(), grpc::WriteOptions(), *ending_, begin(finish_tag_));
    } else {
      writing_ = true;
      stream_.Write(outgoing_.front(), begin(write_tag_));
    }
  }

  void end(const grpc::Status& status) {
    finishing_ = true;
    if (!status.ok()) name_failure(status);
    stream_.Finish(status, begin(finish_tag_));
  }

  /// The caller is told what the call is called in the log.
  void name_failure(const grpc::Status& status) {
    const auto& options = calls_.options_;
    const std::string id = options.request_prefix + std::to_string(number_);
    context_.AddTrailingMetadata(kRequestIdTrailer, id);
    if (!options.failed) return;
    options.failed({id, context_.method(), caller_.name, {status.error_code(), status.error_message(), {}, {}}});
  }

  bool count_unread(const grpc::ByteBuffer& message) {
    const std::size_t bytes = message.Length();
    if (bytes < kUnreadCountsFrom) return true;
    if (peer_.empty()) peer_ = context_.peer();
    if (!calls_.unread_.add(peer_, bytes)) return false;
    unread_bytes_ += bytes;
    return true;
  }
  void count_read(const grpc::ByteBuffer& message) {
    const std::size_t bytes = message.Length();
    if (bytes < kUnreadCountsFrom) return;
    calls_.unread_.remove(peer_, bytes);
    unread_bytes_ -= bytes;
  }
  /// Too much waits for readers: what is on its way goes out, and the call ends.
  void give_up() {
    ending_ = grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "too many replies wait to be read by their callers");
    calls_.to_loop([desk = calls_.desk_, number = number_] { desk->open.erase(number); });
    if (!writing_) send_next();
  }

  Calls& calls_;
  const std::uint64_t number_;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_{&context_};
  Tag came_tag_{this, &Call::came}, read_tag_{this, &Call::read}, write_tag_{this, &Call::written},
      finish_tag_{this, &Call::finished}, done_tag_{this, &Call::done};
  const Method* method_ = nullptr;
  Caller caller_;
  grpc::ByteBuffer incoming_;
  std::deque<grpc::ByteBuffer> outgoing_;
  std::optional<grpc::Status> ending_;  ///< once `outgoing_` is sent
  std::string peer_;                    ///< set with the first byte of:
  std::size_t unread_bytes_ = 0;
  int under_way_ = 0;       ///< tags that gRPC has, but `done_tag_`
  bool came_ = false;       ///< it is a call
  bool begun_ = false;      ///< a message came: the loop knows it
  bool writing_ = false;    ///< of `outgoing_`, the first
  bool finishing_ = false;  ///< nothing more may be asked of `stream_`
  bool done_ = false;
};

bool UnreadReplies::add(const std::string& peer, std::size_t bytes) {
  const auto found = by_peer_.find(peer);
  const std::size_t waiting = found == by_peer_.end() ? 0 : found->second;
  if (all_ + bytes > kUnreadBytesMax || waiting + bytes > kUnreadBytesPerConnectionMax) return false;
  by_peer_[peer] = waiting + bytes;
  all_ += bytes;
  return true;
}

void UnreadReplies::remove(const std::string& peer, std::size_t bytes) {
  const auto found = by_peer_.find(peer);
  all_ -= bytes;
  found->second -= bytes;
  if (found->second == 0) by_peer_.erase(found);
}

Calls::Calls(const Router& router, Executor& loop, const DoorOptions& options)
    : router_(router), loop_(loop), options_(options), admission_(options, peers_) {}
Calls::~Calls() { close(); }

void Calls::join(grpc::ServerBuilder& builder) {
  builder.RegisterAsyncGenericService(&service_);
  queue_ = builder.AddCompletionQueue();
  desk_ = std::make_shared<Desk>(loop_, *queue_);
}

void Calls::serve() {
  thread_ = std::thread([this] {
    for (int i = 0; i < kAwaited; ++i) accept();
    run();
  });
}

void Calls::close() {
  if (queue_ == nullptr) return;
  desk_->mailbox.close();
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  thread_.join();
  queue_.reset();
}

/// What has come already is handled before the loop hears of it.
void Calls::run() {
  void* tag = nullptr;
  bool ok = false;
  const auto now = gpr_inf_past(GPR_CLOCK_MONOTONIC);
  while (queue_->Next(&tag, &ok)) {
    handle(tag, ok);
    while (queue_->AsyncNext(&tag, &ok, now) == grpc::CompletionQueue::GOT_EVENT) handle(tag, ok);
    hand_over();
  }
  calls_.clear();
}

void Calls::handle(void* tag, bool ok) {
  if (tag == desk_.get()) return take_mail();
  const auto* operation = static_cast<Call::Tag*>(tag);
  Call& call = *operation->call;
  (call.*operation->over)(ok);
  if (call.over()) calls_.erase(call.number());
}

void Calls::take_mail() {
  auto taken = desk_->mailbox.take();
  if (desk_->mailbox.closed() && !std::exchange(closing_, true)) queue_->Shutdown();  // no operation may begin after it
  for (auto& mail : taken) {
    const auto found = calls_.find(mail.number);
    if (found != calls_.end()) found->second->take(std::move(mail));
  }
}

void Calls::accept() {
  const std::uint64_t number = ++last_number_;
  calls_.emplace(number, std::make_unique<Call>(*this, number));
}

void Calls::hand_over() {
  if (inbox_.empty()) return;
  auto work = std::make_shared<std::vector<Task>>(std::exchange(inbox_, {}));  // shared: rides in a copyable task
  loop_.post([work] {
    for (auto& task : *work) task();
  });
}

}  // namespace callimport::api
