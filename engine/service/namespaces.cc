// Which namespaces there are, and the end of a deleted one (conformance C.16). Each is a record in the journal, but for
// the system's own.
#include <algorithm>
#include <utility>
#include <vector>

#include "engine/service/internal/core.h"
#include "engine/service/port_errors.h"
#include "engine/service/proto_time.h"
#include "engine/service/workflow_tasks.h"
#include "storage/model/ensure.h"
#include "temporal/api/enums/v1/namespace.pb.h"

namespace callimport::engine {
namespace {

constexpr std::chrono::hours kSystemRetention{24 * 7};
constexpr const char* kSystemNamespaceId = "32049b68-7872-4094-8e63-d0dd59896a83";
constexpr std::int64_t kSystemNumber = 1;
constexpr std::size_t kSweepStep = 256;                ///< runs of a deleted namespace that end in one turn
constexpr std::chrono::milliseconds kSweepPause{100};  ///< while the last of them are being written

}  // namespace

std::string uuid_of_name(const std::string& name) {
  constexpr char kHex[] = "0123456789abcdef";
  std::uint64_t words[2] = {1469598103934665603ull, 0x9e3779b97f4a7c15ull};
  for (auto& word : words) {
    for (const char c : name) word = (word ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  }
  std::string out;
  for (int i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) out.push_back('-');
    const auto nibble = static_cast<unsigned>((words[i / 16] >> (4 * (i % 16))) & 15u);
    out.push_back(i == 12 ? '4' : i == 16 ? kHex[8 + nibble % 4] : kHex[nibble]);
  }
  return out;
}

void Service::open_system_namespace() {
  Namespace& system = namespaces_[kSystemNamespace];
  system.name = kSystemNamespace;
  system.id = kSystemNamespaceId;
  system.retention_ns = std::chrono::duration_cast<Nanos>(kSystemRetention).count();
  system.search_types = settable_search_attributes({});
  system.state.set_number(kSystemNumber);
  system.state.set_id(system.id);
  system.state.set_name(system.name);
  system.state.set_state(enums::NAMESPACE_STATE_REGISTERED);
  system.state.set_description("Temporal internal system namespace");
  system.state.set_owner_email("temporal-core@temporal.io");
  system.state.set_retention_ns(system.retention_ns);
  namespaces_by_number_[kSystemNumber] = &system;
}

Namespace* Service::recovered_space(const pb::RunFacts& facts) {
  Namespace* found = find_space_of(facts);
  if (found != nullptr || facts.namespace_number() != 0) return found;
  register_namespace(facts.name_space(), {});
  return find_space(facts.name_space());
}

Result<> Service::open_namespaces() {
  SearchTypes wanted;
  for (const auto& [name, type] : options_.search_attributes) {
    const auto known = search_type_of(type);
    if (known == enums::INDEXED_VALUE_TYPE_UNSPECIFIED)
      return fail(Code::kInvalid, "search attribute " + name + ": there is no type " + type);
    wanted[name] = known;
  }
  const std::int64_t retention = std::chrono::duration_cast<Nanos>(options_.retention).count();
  for (const auto& name : options_.namespaces) {
    if (!namespaces_.contains(name)) register_namespace(name, {});
    if (name == kSystemNamespace) continue;
    pb::NamespaceState state = namespaces_.at(name).state;
    if (state.option_retention_ns() != retention) {
      state.set_retention_ns(retention);
      state.set_option_retention_ns(retention);
    }
    for (const auto& [attribute, type] : wanted) {
      const auto held = namespaces_.at(name).search_types.find(attribute);
      if (held == namespaces_.at(name).search_types.end()) {
        (*state.mutable_search_attributes())[attribute] = type;
      } else if (held->second != type) {
        return fail(Code::kInvalid, "search attribute " + attribute + " of namespace " + name + " is of type " +
                                        std::string(search_type_name(held->second)));
      }
    }
    write_namespace(namespaces_.at(name), std::move(state));
  }
  return {};
}

void Service::register_namespace(const std::string& name, pb::NamespaceState state) {
  state.set_number(namespaces_by_number_.rbegin()->first + 1);
  state.set_name(name);
  state.set_state(enums::NAMESPACE_STATE_REGISTERED);
  if (state.id().empty()) state.set_id(uuid_of_name(name));
  if (state.retention_ns() == 0) state.set_retention_ns(std::chrono::duration_cast<Nanos>(options_.retention).count());
  pb::RunFacts facts;
  facts.set_kind(pb::RUN_KIND_NAMESPACE);
  facts.set_name_space(kSystemNamespace);
  facts.set_namespace_number(kSystemNumber);
  facts.set_workflow_id(name);
  facts.set_run_id(state.id());
  open_record(std::move(facts), [&state](Draft& draft) { draft.set_namespace_state(std::move(state)); });
}

void Service::write_namespace(const Namespace& space, pb::NamespaceState state) {
  OpenRun& record = *open_.at(space.record);
  Draft draft(record, clock_.now());
  draft.set_namespace_state(std::move(state));
  commit(record, std::move(draft));
}

bool Service::may_adopt(const pb::NamespaceState& state) {
  const Namespace* held = find_space(state.name());
  return state.number() > kSystemNumber && (held == nullptr || held->state.number() == state.number());
}

/// What the record says becomes what is.
void Service::adopt_namespace(const OpenRun& record) {
  const pb::NamespaceState& state = *record.namespace_state;
  Namespace*& slot = namespaces_by_number_[state.number()];
  if (slot == nullptr) {
    const auto [it, made] = namespaces_.try_emplace(state.name());
    ENSURE(made);
    slot = &it->second;
  } else if (slot->name != state.name()) {
    auto node = namespaces_.extract(slot->name);
    node.key() = state.name();
    ENSURE(namespaces_.insert(std::move(node)).inserted);
  }
  Namespace& space = *slot;
  space.name = state.name();
  space.id = state.id();
  space.record = record.key;
  space.search_types = settable_search_attributes({});
  for (const auto& [name, type] : state.search_attributes())
    space.search_types[name] = static_cast<enums::IndexedValueType>(type);
  const bool other_retention = space.retention_ns != state.retention_ns();
  space.retention_ns = state.retention_ns();
  space.state = state;
  if (other_retention) {
    for (const auto& [key, run] : closed_) {
      if (run.space == &space) retention_.set(add_nanos(run.row->closed_ns, space.retention_ns), key);
    }
  }
  if (state.being_deleted()) sweep_later(state.number());
}

Namespace* Service::find_space(const std::string& name) {
  const auto it = namespaces_.find(name);
  return it == namespaces_.end() ? nullptr : &it->second;
}

Namespace* Service::find_space_of(const pb::RunFacts& facts) {
  if (facts.namespace_number() == 0) return find_space(facts.name_space());
  const auto it = namespaces_by_number_.find(facts.namespace_number());
  return it == namespaces_by_number_.end() ? nullptr : it->second;
}

std::optional<PortStatus> Service::check_namespace(const std::string& name_space) const {
  if (namespaces_.contains(name_space)) return std::nullopt;
  if (name_space.empty()) return errors::invalid("Namespace is empty.");
  return errors::namespace_not_found(name_space);
}

void Service::sweep_later(std::int64_t number) {
  after_flush([this, number] { sweep_namespace(number); });
}

/// One step: open runs of the deleted namespace are terminated, closed ones forgotten; when there are none, the record
/// ends too. What a stop interrupts goes on at the next start, because the record still says so.
void Service::sweep_namespace(std::int64_t number) {
  const auto it = namespaces_by_number_.find(number);
  if (it == namespaces_by_number_.end() || !it->second->state.being_deleted() || stopping_) return;
  const auto look_again = [this, number] {
    clock_.at(clock_.now() + kSweepPause, [this, number, alive = alive_] {
      if (*alive) sweep_namespace(number);
    });
  };
  if (starting_over_) return look_again();
  Namespace& space = *it->second;
  std::vector<RunKey> keys;
  for (auto at = space.visibility.begin(); at != space.visibility.end() && keys.size() < kSweepStep; ++at)
    keys.push_back(at->first.run);
  std::size_t moved = 0;
  for (const RunKey key : keys) moved += sweep_run(key) ? 1u : 0u;
  if (moved > 0) return sweep_later(number);
  if (!keys.empty() || !all_written()) return look_again();  // what was erased comes back when it cannot be written
  std::vector<RunKey> records;
  for (const auto& [key, run] : open_) {
    if (run->space == &space) records.push_back(key);
  }
  for (const RunKey key : records) end_record(*open_.at(key));
  end_record(*open_.at(space.record));
  remove_namespace(number);
}

/// @return false: it is still being written, later.
bool Service::sweep_run(RunKey key) {
  const Found found = find(key);
  if (!found) return true;
  if (found.open != nullptr && found.open->facts.kind() != pb::RUN_KIND_WORKFLOW) {
    end_record(*found.open);
    return true;
  }
  if (found.open != nullptr) {
    Draft draft(*found.open, clock_.now());
    terminate_run(draft, "the namespace was deleted", nullptr, kHistoryService);
    commit(*found.open, std::move(draft));
    return true;
  }
  if (found.closed->held != nullptr || closing_.contains(key)) return false;
  erase_closed(key);
  return true;
}

void Service::remove_namespace(std::int64_t number) {
  Namespace* space = namespaces_by_number_.at(number);
  std::vector<std::uint64_t> ids;
  for (const auto& [id, poll] : polls_) {
    if (poll.space == space) ids.push_back(id);
  }
  for (const std::uint64_t id : ids) poll_expired(id);
  namespaces_by_number_.erase(number);
  namespaces_.erase(std::string(space->name));
}

/// After a failed write: those whose registration was lost.
void Service::remove_lost_namespaces() {
  std::vector<std::int64_t> lost;
  for (const auto& [number, space] : namespaces_by_number_) {
    if (number != kSystemNumber && !open_.contains(space->record)) lost.push_back(number);
  }
  for (const std::int64_t number : lost) remove_namespace(number);
}

}  // namespace callimport::engine
