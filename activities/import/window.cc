#include "activities/import/window.h"

namespace callimport::activities {

namespace {
void keep(std::string& said, const std::string& otherwise) {
  if (said.empty()) said = otherwise;
}
}  // namespace

ImportInput with_defaults(ImportInput ask, const ImportDefaults& defaults) {
  keep(ask.window, defaults.window);
  keep(ask.zone, defaults.zone);
  keep(ask.order, defaults.order);
  return ask;
}

Result<storage::TimeWindow> judge_window(const std::string& window, const std::string& zone, Timestamp now) {
  TRY(auto parsed, storage::TimeWindow::parse(window, zone));
  if (!parsed.next_opening(now)) {
    return fail(Code::kInvalid, "the window \"" + cut_text(window, 200) + "\" never opens from now on");
  }
  return parsed;
}

storage::TimeWindow window_of(const ImportDeps& deps, const ImportInput& ask) {
  if (auto live = deps.live->window(ask.import)) return *std::move(live);
  // What cannot be read was refused when it came; an input from before there were windows has none.
  if (ask.window.empty()) return {};
  return storage::TimeWindow::parse(ask.window, ask.zone).value_or(storage::TimeWindow());
}

ImportInput as_set_since(storage::Library& library, ImportInput ask) {
  const auto row = library.import(ask.import);
  if (!row) return ask;
  const auto known = read_note<ImportInput>(row->input);
  if (!known || known->window.empty()) return ask;
  ask.window = known->window;
  ask.zone = known->zone;
  return ask;
}

TroubleNote window_trouble(const storage::TimeWindow& window, const ImportInput& ask, Timestamp now) {
  if (window.is_open(now)) return {};
  const auto opens = window.next_opening(now);
  if (!opens) {
    return {"attention", kWindowNeverOpens, "the window \"" + cut_text(ask.window, 200) + "\" never opens again",
            ask.started_by.empty() ? "operator" : ask.started_by, 0};
  }
  return {"wait", kWindowClosed, "it opens at " + storage::spoken_moment(*opens, window.zone()), "",
          to_unix_ms(*opens)};
}

}  // namespace callimport::activities
