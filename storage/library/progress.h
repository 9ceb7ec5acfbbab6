#pragma once
// How an import went: its pace, the attempts at each call, the causes it met, the report at its end. All of it is
// bounded, so that a million calls leave a page of it.
#include <string>
#include <vector>

#include "storage/library/imports.h"
#include "storage/library/library.h"

namespace callimport::storage {

inline constexpr int kAttemptsKept = 10;     ///< of one call
inline constexpr int kPaceSpansMax = 1'000;  ///< of one import; beyond, spans grow to twice their length
inline constexpr int kCausesMax = 500;       ///< of one import that are remembered with their times
inline constexpr std::size_t kReportBytesMax = 256u << 10;

class ProgressReads {
 public:
  ProgressReads(Database& db, ImportReads& imports);
  Result<std::vector<PaceSpan>> pace(const std::string& import);
  Result<std::vector<Attempt>> attempts(const std::string& import, const std::string& source_id);
  Result<std::vector<FoundCall>> found_calls(const std::string& import, const std::string& after_source_id, int limit);
  Result<std::string> report(const std::string& import);

 private:
  ImportReads& imports_;
  Statement pace_, attempts_, found_, report_;
};

/// Inside a transaction of the writer.
class ProgressWrites {
 public:
  ProgressWrites(Database& db, ImportReads& imports);
  Result<> add_pace(const std::string& import, std::int64_t at_ms, std::int64_t calls);
  Result<> add_attempt(const std::string& import, const std::string& source_id, const Attempt& attempt);
  Result<> see_cause(const std::string& import, const std::string& cause, std::int64_t at_ms);
  Result<> put_report(const std::string& import, const std::string& body);

 private:
  Result<> merge_spans(std::int64_t import, std::int64_t minutes);

  ImportReads& imports_;
  Statement width_, add_span_, spans_, drop_spans_, next_attempt_, add_attempt_, drop_attempts_, see_cause_,
      put_report_;
};

}  // namespace callimport::storage
