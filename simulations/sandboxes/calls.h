#pragma once
// What a sandbox serves: a workspace of calls by index, newest first, independent of any vendor's wire form. Calls are
// made when asked for and not kept, so a million of them need no memory.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/model/time.h"

namespace callimport::simulations {

enum class MediaState : std::uint8_t { kGood, kTruncated, kHtmlPage, kZeroBytes, kWrongLength, kNone };
std::string_view to_string(MediaState state);
enum class CallFate : std::uint8_t { kNormal, kDeleted, kPrivate, kNotReady };

struct SandboxPerson {
  std::string id;           ///< UUID, per call
  std::string user;         ///< UUID of the workspace's user; empty for outsiders
  std::string name, email;  ///< email may be empty
  std::string scope;        ///< internal, external, unknown
  bool attended = true, host = false;
};

struct SandboxSegment {
  std::optional<std::size_t> person;  ///< index into SandboxCall::people; nullopt: a voice the platform did not match
  std::string speaker;
  std::int64_t start_ms = 0, end_ms = 0;
  std::string text;
};

struct SandboxCall {
  std::uint64_t index = 0;
  std::string id;  ///< UUID
  std::string title, source;
  std::string media_type;  ///< audio, video, transcript
  Timestamp start;
  std::int64_t length_ms = 0;    ///< end - start, by the calendar
  std::int64_t duration_ms = 0;  ///< of the media, as the vendor states it
  bool external = false;
  MediaState media = MediaState::kGood;
  CallFate fate = CallFate::kNormal;
  std::vector<std::string> tags;
  std::string summary;
  std::vector<SandboxPerson> people;     ///< whole() only
  std::vector<SandboxSegment> segments;  ///< whole() only, by time
};

struct SandboxMedia {
  std::string file_name, content_type;
  std::uint64_t bytes = 0;
};

/// Threads: any, when const. Indexes are below size().
class CallSource {
 public:
  virtual ~CallSource() = default;
  virtual std::uint64_t size() const = 0;
  /// Never later than that of the index before.
  virtual Timestamp start(std::uint64_t index) const = 0;
  /// Everything but people and segments.
  virtual SandboxCall head(std::uint64_t index) const = 0;
  virtual SandboxCall whole(std::uint64_t index) const = 0;
  virtual std::optional<std::uint64_t> find(std::string_view id) const = 0;
  virtual std::vector<SandboxPerson> users() const = 0;  ///< of the workspace; `user` and name, email
  virtual SandboxMedia media(std::uint64_t index) const = 0;
  /// `count` bytes from `from` on; the range lies inside the file.
  virtual std::string media_bytes(std::uint64_t index, std::uint64_t from, std::uint64_t count) const = 0;
};

/// Steps a seed and a number into 64 well mixed bits (the finalizer of splitmix64,
/// https://prng.di.unimi.it/splitmix64.c).
std::uint64_t mix(std::uint64_t seed, std::uint64_t number);
/// A version 4 UUID of two numbers.
std::string uuid_of(std::uint64_t high, std::uint64_t low);
/// The same text, the same UUID.
std::string uuid_of_text(std::string_view text);

}  // namespace callimport::simulations
