#include "api/cli/client.h"

#include <google/protobuf/message_lite.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <poll.h>

#include <atomic>
#include <csignal>
#include <cstdlib>

#include "api/grpc/channel.h"
#include "api/grpc/router.h"
#include "engine/cluster/status.h"

namespace callimport::api {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

inline constexpr milliseconds kInterruptLook{100};
inline constexpr const char* kClientName = "callimport-cli";

std::atomic<int> g_interrupts{0};

extern "C" void on_interrupt(int) {
  if (g_interrupts.fetch_add(1) > 0) std::_Exit(130);
}

grpc::ByteBuffer to_buffer(const google::protobuf::MessageLite& message) {
  grpc::Slice slice(message.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

bool parse(const grpc::ByteBuffer& buffer, google::protobuf::MessageLite& into) {
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return false;
  std::string bytes;
  bytes.reserve(buffer.Length());
  for (const auto& slice : slices) bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return into.ParseFromString(bytes);
}

enum class Waited { kOk, kNotOk, kTimeout, kInterrupted };

/// Waits for the queue's next event in short steps, so that Ctrl-C is seen.
Waited wait_for(grpc::CompletionQueue& queue, system_clock::time_point until) {
  for (;;) {
    void* tag = nullptr;
    bool ok = false;
    const auto step = std::min(until, system_clock::now() + kInterruptLook);
    switch (queue.AsyncNext(&tag, &ok, step)) {
      case grpc::CompletionQueue::GOT_EVENT: return ok ? Waited::kOk : Waited::kNotOk;
      case grpc::CompletionQueue::SHUTDOWN: return Waited::kNotOk;
      case grpc::CompletionQueue::TIMEOUT:
        if (interrupted()) return Waited::kInterrupted;
        if (system_clock::now() >= until) return Waited::kTimeout;
    }
  }
}

void drain(grpc::CompletionQueue& queue) {
  queue.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue.Next(&tag, &ok)) {
  }
}

using SharedText = std::shared_ptr<std::string>;  // the client's and its streams'

void keep_request(const grpc::ClientContext& context, const grpc::Status& status, std::string& into) {
  into.clear();
  if (status.ok()) return;
  const auto& trailer = context.GetServerTrailingMetadata();
  const auto found = trailer.find(kRequestIdTrailer);
  if (found != trailer.end()) into.assign(found->second.data(), found->second.size());
}

/// One step is under way at a time, so events need no tags.
class Stream final : public ClientStream {
 public:
  Stream(grpc::GenericStub& caller, const Connection& connection, const std::string& method, grpc::ByteBuffer request,
         SharedText failed)
      : request_(std::move(request)), failed_(std::move(failed)) {
    add_headers(context_, connection, method, kClientName);
    call_ = caller.PrepareCall(&context_, method, &queue_);
  }
  ~Stream() override {
    context_.TryCancel();
    drain(queue_);
  }

  Next next(google::protobuf::MessageLite& into, milliseconds timeout) override {
    const auto until = system_clock::now() + timeout;
    while (step_ != Step::kDone) {
      if (!under_way_) begin_step();
      switch (wait_for(queue_, until)) {
        case Waited::kTimeout: return Next::kTimeout;
        case Waited::kInterrupted: return Next::kInterrupted;
        case Waited::kNotOk:
          under_way_ = false;
          step_ = step_ == Step::kFinish ? Step::kDone : Step::kFinish;
          break;
        case Waited::kOk:
          under_way_ = false;
          if (step_ == Step::kRead) return parse(incoming_, into) ? Next::kMessage : Next::kEnd;
          if (step_ == Step::kFinish) keep_request(context_, status_, *failed_);
          step_ = after(step_);
      }
    }
    return Next::kEnd;
  }
  engine::PortStatus status() override { return engine::port_status(status_); }

 private:
  enum class Step { kStart, kWrite, kRead, kFinish, kDone };
  static Step after(Step step) {
    switch (step) {
      case Step::kStart: return Step::kWrite;
      case Step::kWrite: return Step::kRead;
      case Step::kRead: return Step::kRead;
      case Step::kFinish:
      case Step::kDone: return Step::kDone;
    }
    return Step::kDone;
  }
  void begin_step() {
    under_way_ = true;
    switch (step_) {
      case Step::kStart: return call_->StartCall(this);
      case Step::kWrite: return call_->WriteLast(request_, {}, this);
      case Step::kRead: return call_->Read(&incoming_, this);
      case Step::kFinish: return call_->Finish(&status_, this);
      case Step::kDone: return;
    }
  }

  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  grpc::ByteBuffer request_, incoming_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
  grpc::Status status_;
  SharedText failed_;
  Step step_ = Step::kStart;
  bool under_way_ = false;
};

class GrpcClient final : public Client {
 public:
  explicit GrpcClient(Connection connection)
      : connection_(std::move(connection)), channel_(open_channel(connection_)), caller_(channel_) {}

  engine::PortStatus call(std::string_view method, const google::protobuf::MessageLite& request,
                          google::protobuf::MessageLite& reply, milliseconds timeout) override {
    grpc::ClientContext context;
    add_headers(context, connection_, method, kClientName);
    const auto until = system_clock::now() + timeout;
    context.set_deadline(until);
    grpc::CompletionQueue queue;
    auto pending = caller_.PrepareUnaryCall(&context, std::string(method), to_buffer(request), &queue);
    pending->StartCall();
    grpc::ByteBuffer answer;
    grpc::Status status;
    pending->Finish(&answer, &status, this);
    const auto waited = wait_for(queue, until + std::chrono::seconds{5});
    if (waited == Waited::kInterrupted || waited == Waited::kTimeout) {
      context.TryCancel();
      drain(queue);
      return {static_cast<int>(grpc::StatusCode::CANCELLED),
              waited == Waited::kTimeout ? "no answer" : "interrupted",
              {},
              {}};
    }
    drain(queue);
    keep_request(context, status, *failed_);
    if (status.ok() && !parse(answer, reply))
      return {static_cast<int>(grpc::StatusCode::INTERNAL), "the answer is not a message of this method", {}, {}};
    return engine::port_status(status);
  }

  std::unique_ptr<ClientStream> stream(std::string_view method, const google::protobuf::MessageLite& request) override {
    return std::make_unique<Stream>(caller_, connection_, std::string(method), to_buffer(request), failed_);
  }

  std::string failed_request() const override { return *failed_; }

  bool wait_connected(milliseconds timeout) override {
    const auto until = system_clock::now() + timeout;
    while (system_clock::now() < until && !interrupted()) {
      if (channel_->WaitForConnected(std::min(until, system_clock::now() + kInterruptLook))) return true;
    }
    return false;
  }

 private:
  const Connection connection_;
  std::shared_ptr<grpc::Channel> channel_;
  grpc::GenericStub caller_;
  SharedText failed_ = std::make_shared<std::string>();
};

}  // namespace

std::unique_ptr<Client> Client::create(Connection connection) {
  return std::make_unique<GrpcClient>(std::move(connection));
}

void watch_for_interrupt() {
  struct sigaction action{};
  action.sa_handler = on_interrupt;
  sigaction(SIGINT, &action, nullptr);
}
bool interrupted() { return g_interrupts.load() > 0; }
bool wait_a_while(milliseconds duration) {
  const auto until = std::chrono::steady_clock::now() + duration;
  while (!interrupted()) {
    const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0) return true;
    ::poll(nullptr, 0, static_cast<int>(std::min(left, kInterruptLook).count()));
  }
  return false;
}

}  // namespace callimport::api
