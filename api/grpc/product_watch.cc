// WatchImport: looks at the import's row every kWatchInterval and sends it when its change number grew.
#include "api/grpc/product_internal.h"

namespace callimport::api {
namespace {

inline constexpr int kEntriesPerLook = 1000;

struct Look {
  Result<storage::ImportRow> row;
  std::vector<storage::StageChange> entries;
  v1::Import message;  ///< of the row, with the time left
};

/// Lives as long as somebody reads: its timer holds it, and no timer is set once a write finds the reader gone.
class Watcher : public std::enable_shared_from_this<Watcher> {
 public:
  Watcher(ProductParts& parts, const v1::WatchImportRequest& request, std::shared_ptr<Answer> answer)
      : parts_(parts),
        id_(request.id()),
        change_(request.after_change()),
        entry_(request.after_timeline()),
        answer_(std::move(answer)) {}

  void look() {
    auto self = shared_from_this();
    parts_.pool.post([self] {
      auto look = std::make_shared<Look>(self->read());  // shared: rides in a copyable task
      self->parts_.loop.post([self, look] { self->looked(*look); });
    });
  }

 private:
  Look read() {
    Look look{parts_.library.import(id_), {}, {}};
    if (!look.row) return look;
    look.message = to_message(*look.row);
    if (look.row->change <= change_) return look;
    parts_.etas->tell(parts_.library, parts_.budget, to_unix_ms(parts_.clock.now()), *look.row, look.message);
    if (auto entries = parts_.library.timeline(id_, entry_, kEntriesPerLook)) look.entries = std::move(*entries);
    return look;
  }

  void looked(Look& look) {
    // An import that was only just started has no row yet: wait for it.
    if (!look.row && look.row.error().code != Code::kNotFound) return answer_->finish(status_of(look.row.error()));
    if (look.row && (look.row->change > change_ || parts_.notice != notice_)) {
      v1::WatchImportResponse message;
      notice_ = parts_.notice;
      message.set_notice(notice_);
      *message.mutable_import() = std::move(look.message);
      for (const auto& entry : look.entries) *message.add_entries() = to_message(entry);
      if (!answer_->write(message)) return;
      const bool more = look.entries.size() == kEntriesPerLook;
      if (!look.entries.empty()) entry_ = look.entries.back().change;
      if (more) return this->look();
      change_ = look.row->change;
    }
    if (look.row && look.row->closed_ms) return answer_->finish({});
    if (!answer_->open()) return;
    parts_.clock.at(parts_.clock.now() + kWatchInterval, [self = shared_from_this()] { self->look(); });
  }

  ProductParts& parts_;
  const std::string id_;
  std::int64_t change_, entry_;
  std::string notice_;              // as last sent
  std::shared_ptr<Answer> answer_;  // shared with the call's own entry
};

}  // namespace

void add_watch_method(Router& router, ProductParts& parts) {
  using Request = v1::WatchImportRequest;
  auto method =
      typed_method<Request>([&parts](std::shared_ptr<Request> request, CallContext, std::shared_ptr<Answer> answer) {
        if (!ImportId::parse(request->id()))
          return answer->finish({kGrpcInvalidArgument, "not an import's full id", {}, {}});
        std::make_shared<Watcher>(parts, *request, answer)->look();
      });
  method.trusted = true;
  router.methods[product_method("WatchImport")] = std::move(method);
}

}  // namespace callimport::api
