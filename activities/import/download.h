#pragma once
// One recording into the media store: asked for by its link, resumed by range, hashed on the way, looked into,
// committed.
#include <memory>
#include <optional>
#include <string>

#include "activities/import/session.h"

namespace callimport::activities {

inline constexpr std::uint64_t kMediaBytesMax = 16ull << 30;  ///< of one recording: media.too_large beyond
inline constexpr std::size_t kMediaPortionBytes = 1u << 20;   ///< kept in memory before it is written
inline constexpr int kStandstillsMax = 3;                     ///< transfers in a row that bring no byte

/// A recording as it lies in the store. A download that was cut off, in this attempt or an earlier one, goes on at its
/// last byte; a link that ran out is asked for again. Trouble: CallFailed{call.no_recording, media.damaged,
/// media.codec_unsupported, media.length_mismatch, media.link_expired, media.too_large}: the call's own, the broken
/// file is kept in quarantine; all else is the platform's or the store's.
Awaitable<Fetched<storage::MediaFacts>> download_media(std::shared_ptr<Session> session, ActivityContext& context,
                                                       std::string source_id, std::string workspace,
                                                       std::int64_t expected_duration_ms);

/// Asks for the first byte at the link. The whole recording's size, 0 when the place does not tell it; nothing when the
/// byte does not come.
Awaitable<std::optional<std::int64_t>> measure_media(std::shared_ptr<Session> session, std::string url);
/// True when the link's first byte can be read.
Awaitable<bool> touch_media(std::shared_ptr<Session> session, std::string url);

}  // namespace callimport::activities
