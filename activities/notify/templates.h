#pragma once
// The words of every message. Each event has a file EVENT.internal.words and, where customers may get it, another
// EVENT.customer.words: one line each for the news, for what happens next and when, and for what the reader must do.
// Text and HTML are two layouts of the same lines. The files are in the binary; a folder may hold others in their
// place.
//
//     # a comment
//     news: Done: {{registered}} of {{importable}} importable calls.
//     next: The report follows.
//     to-do: Nothing to do.
//     button: Look at the gaps              (may be absent: Open the import)
//     command: callimport show {{import}}   (may be absent, or be there several times; not for customers)
//
// subjects.internal.words and subjects.customer.words give each thread its one subject: mail programs keep together
// what has the same. words.h lists the names; template_text.h says what may be done with them.
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "activities/notify/layout.h"
#include "activities/notify/message.h"
#include "activities/notify/template_text.h"
#include "activities/notify/words.h"
#include "storage/model/result.h"

namespace callimport::activities {

struct Rendered {
  std::string subject, preheader;
  Lines lines;
  std::string text, html;
};

/// Whether an event's templates can count on an import's numbers: a digest or a platform's outage has none.
bool of_an_import(std::string_view event);

/// Threads: one at a time.
class Templates {
 public:
  /// What is in the binary, with the files of `folder` in their place; empty: none. All of it is checked.
  /// @error kInvalid  a file of another name, or one that says what it may not: `file:line: what is wrong; what to do`
  /// @error kNotFound the folder is not there
  static Result<Templates> load(const std::string& folder);

  /// @error kNotFound  no such event, or customers get no message of it
  Result<Rendered> render(const Message& message, Audience audience, const Surroundings& around = {}) const;
  /// The three lines of the newest record alone: what channels without a layout say.  @error kNotFound  as render
  Result<Lines> lines(const storage::Notification& news, const storage::ImportRow& import, std::string_view zone,
                      Audience audience) const;
  bool has(std::string_view event, Audience audience) const;
  /// The names of all files, as they may stand in a folder of overrides.
  static std::vector<std::string> file_names();

  Templates(Templates&&) noexcept;
  Templates& operator=(Templates&&) noexcept;
  ~Templates();

 private:
  struct Inside;
  explicit Templates(std::unique_ptr<Inside> inside);
  std::unique_ptr<Inside> inside_;
};

}  // namespace callimport::activities
