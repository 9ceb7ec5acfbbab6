#include "api/serve/measure_look.h"

#include <unordered_set>
#include <utility>

namespace callimport::api {
namespace {

using storage::ImportRow;
using storage::StageChange;

constexpr int kPage = 1'000;

Result<std::vector<StageChange>> changes_since(storage::Library& library, const std::string& import,
                                               std::int64_t after) {
  std::vector<StageChange> all;
  while (true) {
    TRY(const auto page, library.timeline(import, after, kPage));
    all.insert(all.end(), page.begin(), page.end());
    if (page.size() < kPage) return all;
    after = page.back().change;
  }
}

class Looking {
 public:
  Looking(storage::Library& library, const MeasurePlace& place, MeasureLook& look)
      : library_(library), place_(place), look_(look) {}

  Result<> take_open() {
    TRY(const auto open, library_.open_changes(kMeasuredImportsMax));
    for (const auto& one : open) {
      seen_.insert(one.id);
      const auto known = place_.changes.find(one.id);
      if (known != place_.changes.end() && known->second == one.change) continue;
      TRY_VOID(read(one.id));
    }
    return {};
  }
  /// Imports that were open at the look before and are not any more.
  Result<> take_closed() {
    for (const auto& [id, change] : place_.changes) {
      if (seen_.insert(id).second) TRY_VOID(read(id));
    }
    return {};
  }
  /// Imports that began and ended since the look before.
  Result<> take_brief() {
    if (place_.at_ms == 0) return {};
    std::optional<storage::ImportPlace> after;
    while (true) {
      TRY(auto page, library_.imports_page({.created_after_ms = place_.at_ms}, after, kPage));
      const bool is_last = page.size() < kPage;
      for (auto& row : page) {
        after = storage::ImportPlace{row.created_ms, row.id};
        if (seen_.insert(row.id).second) TRY_VOID(add(std::move(row)));
      }
      if (is_last) return {};
    }
  }

 private:
  Result<> read(const std::string& id) {
    auto row = library_.import(id);
    if (!row) return row.error().code == Code::kNotFound ? Result<>() : tl::unexpected(row.error());
    return add(*std::move(row));
  }
  Result<> add(ImportRow row) {
    SeenImport one;
    const auto known = place_.changes.find(row.id);
    const std::int64_t after = known == place_.changes.end() ? 0 : known->second;
    if (place_.at_ms > 0 && row.change > after) {
      TRY(one.changes, changes_since(library_, row.id, after));
      // What came after the row was read is of the next look.
      std::erase_if(one.changes, [&row](const StageChange& change) { return change.change > row.change; });
    }
    one.row = std::move(row);
    look_.imports.push_back(std::move(one));
    return {};
  }

  storage::Library& library_;
  const MeasurePlace& place_;
  MeasureLook& look_;
  std::unordered_set<std::string> seen_;
};

}  // namespace

Result<MeasureLook> look_for_measures(storage::Library& library, storage::Vault& vault, const MeasurePlace& place,
                                      std::int64_t now_ms) {
  MeasureLook look;
  look.now_ms = now_ms;
  if (place.credentials_ms == 0 || now_ms - place.credentials_ms >= kCredentialsHoldMs) {
    TRY(look.credentials, vault.list());
  }
  Looking looking(library, place, look);
  TRY_VOID(looking.take_open());
  TRY_VOID(looking.take_closed());
  TRY_VOID(looking.take_brief());
  return look;
}

}  // namespace callimport::api
