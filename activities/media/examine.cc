#include "activities/media/examine.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>

#include "activities/media/libav.h"
#include "storage/model/ensure.h"

namespace callimport::activities {
namespace {
constexpr int kIoBufferBytes = 64 << 10;
constexpr std::int64_t kProbeBytes = 512 << 10;
constexpr std::int64_t kAnalyzeMicros = 2'000'000;
constexpr std::int64_t kTailMs = 5'000;
constexpr std::uint64_t kReadBytesMax = 1u << 30;  // of one file, whatever its container makes us do
/// What calls are recorded in. The rest of libavformat's readers stay out of a hostile file's reach.
constexpr char kContainers[] =
    "mov,mp4,m4a,3gp,3g2,mj2,wav,w64,mp3,ogg,flac,matroska,webm,gsm,aac,amr,asf,avi,aiff,au,caf,mpegts,mpeg,flv,ac3";

const Libav& libav() {
  const auto loaded = load_libav();
  ENSURE(loaded.has_value());
  return **loaded;
}

/// Where the container's reader stands in the file.
struct Reader {
  const MediaBytes& bytes;
  std::uint64_t at = 0, total = 0;

  static int read(void* self, std::uint8_t* into, int count) {
    auto& reader = *static_cast<Reader*>(self);
    if (reader.at >= reader.bytes.size || reader.total > kReadBytesMax) return AVERROR_EOF;
    const auto got =
        reader.bytes.read(reader.at, {reinterpret_cast<std::byte*>(into), static_cast<std::size_t>(count)});
    if (!got) return AVERROR(EIO);
    if (*got == 0) return AVERROR_EOF;
    reader.at += *got;
    reader.total += *got;
    return static_cast<int>(*got);
  }
  static std::int64_t seek(void* self, std::int64_t offset, int whence) {
    auto& reader = *static_cast<Reader*>(self);
    const auto size = static_cast<std::int64_t>(reader.bytes.size);
    if ((whence & AVSEEK_SIZE) != 0) return size;
    const int from = whence & ~AVSEEK_FORCE;
    const std::int64_t base = from == SEEK_CUR ? static_cast<std::int64_t>(reader.at) : from == SEEK_END ? size : 0;
    if (base + offset < 0) return AVERROR(EINVAL);
    reader.at = static_cast<std::uint64_t>(base + offset);
    return base + offset;
  }
};

struct FreeIo {
  void operator()(AVIOContext* io) const {
    libav().av_freep(&io->buffer);
    libav().avio_context_free(&io);
  }
};
struct CloseFormat {
  void operator()(AVFormatContext* format) const { libav().avformat_close_input(&format); }
};
struct FreePacket {
  void operator()(AVPacket* packet) const { libav().av_packet_free(&packet); }
};
using Format = std::unique_ptr<AVFormatContext, CloseFormat>;

std::int64_t to_ms(std::int64_t value, AVRational base) {
  return libav().av_rescale_q(value, base, AVRational{1, 1000});
}

MediaVerdict fault(MediaVerdict verdict, std::string cause, std::string message) {
  verdict.fault_cause = std::move(cause);
  verdict.fault_message = std::move(message);
  return verdict;
}

bool looks_like_text_page(const MediaBytes& bytes) {
  std::byte start[64];
  const auto got = bytes.read(0, start);
  if (!got) return false;
  for (std::size_t i = 0; i < *got; ++i) {
    const auto c = static_cast<unsigned char>(start[i]);
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t' && c != 0xef && c != 0xbb && c != 0xbf)
      return c == '<' || c == '{';
  }
  return false;
}

Format open_container(AVIOContext* io) {
  AVFormatContext* format = libav().avformat_alloc_context();
  if (format == nullptr) return nullptr;
  format->pb = io;
  format->flags |= AVFMT_FLAG_CUSTOM_IO;
  format->probesize = kProbeBytes;
  format->max_analyze_duration = kAnalyzeMicros;
  format->format_whitelist = libav().av_strdup(kContainers);
  if (libav().avformat_open_input(&format, "", nullptr, nullptr) < 0) return nullptr;  // frees `format` when it fails
  return Format(format);
}

struct Streams {
  int audio = -1, video = -1;
};

Streams find_streams(const AVFormatContext& format) {
  Streams found;
  for (unsigned i = 0; i < format.nb_streams; ++i) {
    const AVStream& stream = *format.streams[i];
    const auto type = stream.codecpar->codec_type;
    if (type == AVMEDIA_TYPE_AUDIO && found.audio < 0) found.audio = static_cast<int>(i);
    const bool cover = (stream.disposition & AV_DISPOSITION_ATTACHED_PIC) != 0;
    if (type == AVMEDIA_TYPE_VIDEO && !cover && found.video < 0) found.video = static_cast<int>(i);
  }
  return found;
}

/// True when the header alone told enough, so that no packet need be parsed or decoded to learn the stream's
/// parameters.
bool is_known(const AVFormatContext& format) {
  for (unsigned i = 0; i < format.nb_streams; ++i) {
    const AVCodecParameters& codec = *format.streams[i]->codecpar;
    if (codec.codec_type != AVMEDIA_TYPE_AUDIO || codec.codec_id == AV_CODEC_ID_NONE || codec.sample_rate <= 0)
      return false;
    if (format.streams[i]->duration == AV_NOPTS_VALUE) return false;
  }
  return format.nb_streams != 0;
}

/// Length as the container states it; nullopt when it does not, or only guesses from the bit rate.
std::optional<std::int64_t> stated_length_ms(const AVFormatContext& format, int stream) {
  if (format.duration_estimation_method == AVFMT_DURATION_FROM_BITRATE) return std::nullopt;
  const AVStream& main = *format.streams[stream];
  if (main.duration != AV_NOPTS_VALUE && main.duration > 0) return to_ms(main.duration, main.time_base);
  if (format.duration != AV_NOPTS_VALUE && format.duration > 0)
    return to_ms(format.duration, AVRational{1, AV_TIME_BASE});
  return std::nullopt;
}

/// A WAVE file whose data chunk is longer than the file: libavformat takes it as it is. The part that is there, 1 when
/// whole.
double present_part(const MediaBytes& bytes) {
  std::byte raw[8];
  const auto number = [&raw](std::size_t at) {
    std::uint64_t value = 0;
    for (std::size_t i = 4; i-- > 0;) value = value << 8 | static_cast<std::uint64_t>(raw[at + i]);
    return value;
  };
  constexpr int kChunksMax = 1000;
  std::uint64_t at = 12;  // behind RIFF, its size and WAVE
  for (int chunk = 0; chunk < kChunksMax; ++chunk) {
    const auto got = bytes.read(at, raw);
    if (!got || *got < sizeof raw) return 1;
    const std::uint64_t size = number(4);
    if (std::memcmp(raw, "data", 4) == 0) {
      const std::uint64_t there = bytes.size - std::min(bytes.size, at + sizeof raw);
      if (size == 0 || size >= 0xfffffff0u || size <= there)
        return 1;  // a recorder that died writes 0 or all ones: unknown
      return static_cast<double>(there) / static_cast<double>(size);
    }
    at += sizeof raw + size + size % 2;
    if (at >= bytes.size) return 1;
  }
  return 1;
}

/// What reading packets to the end of the file showed of one stream.
struct Scan {
  std::int64_t end_ms = 0;  ///< where its last packet ends
  std::int64_t packets = 0;
  std::uint64_t bytes = 0;  ///< of all streams
};

Scan scan_packets(AVFormatContext& format, int stream) {
  Scan scan;
  const std::unique_ptr<AVPacket, FreePacket> packet(libav().av_packet_alloc());
  const AVStream& main = *format.streams[stream];
  const std::int64_t origin = main.start_time == AV_NOPTS_VALUE ? 0 : main.start_time;
  std::int64_t untimed_end = 0;
  while (packet && libav().av_read_frame(&format, packet.get()) >= 0) {
    scan.bytes += static_cast<std::uint64_t>(packet->size);
    if (packet->stream_index == stream) {
      ++scan.packets;
      const std::int64_t length = std::max<std::int64_t>(packet->duration, 0);
      const std::int64_t begin = packet->pts != AV_NOPTS_VALUE ? packet->pts - origin : untimed_end;
      untimed_end = begin + length;
      scan.end_ms = std::max(scan.end_ms, to_ms(untimed_end, main.time_base));
    }
    libav().av_packet_unref(packet.get());
  }
  return scan;
}

bool is_short(std::int64_t real_ms, std::int64_t stated_ms) {
  return real_ms < stated_ms - std::max<std::int64_t>(1000, stated_ms / 50);
}

/// Raw streams have no header to lie in; what gives them away is that their frames do not fill the file.
bool is_raw(std::string_view container) {
  return container == "mp3" || container == "aac" || container == "gsm" || container == "ac3" || container == "amr";
}

std::string describe(std::int64_t ms) { return fmt::format("{}.{} s", ms / 1000, ms % 1000 / 100); }

MediaVerdict judge(MediaVerdict verdict, const MediaBytes& bytes, AVFormatContext& format, Streams streams) {
  const int main = streams.audio >= 0 ? streams.audio : streams.video;
  const auto stated = stated_length_ms(format, main);
  if (verdict.facts.container == "wav") {
    const double part = present_part(bytes);
    if (part < 0.98) {
      const std::int64_t real = stated.value_or(0);
      return fault(std::move(verdict), "media.damaged",
                   fmt::format("cut off: {:.0f} % of what its header says is there, {}", part * 100, describe(real)));
    }
  }
  const bool whole = bytes.size <= kWholeScanBytesMax || !stated;
  if (!whole) {
    const std::int64_t tail = std::max<std::int64_t>(0, *stated - kTailMs) * 1000;
    libav().av_seek_frame(&format, -1, tail, AVSEEK_FLAG_BACKWARD);
  }
  Scan scan = scan_packets(format, main);
  bool seen_all = whole;
  if (!whole &&
      (scan.packets == 0 || is_short(scan.end_ms, *stated))) {  // a seek may only have missed: read it through
    libav().av_seek_frame(&format, -1, 0, AVSEEK_FLAG_BACKWARD);
    scan = scan_packets(format, main);
    seen_all = true;
  }
  if (scan.packets == 0)
    return fault(std::move(verdict), "media.damaged", "there is a header, but no sound or picture behind it");
  if (stated && is_short(scan.end_ms, *stated)) {
    verdict.facts.duration_ms = scan.end_ms;
    return fault(
        std::move(verdict), "media.damaged",
        fmt::format("cut off: its header says {}, it ends after {}", describe(*stated), describe(scan.end_ms)));
  }
  if (seen_all && is_raw(verdict.facts.container) && scan.bytes < bytes.size / 2) {
    return fault(std::move(verdict), "media.damaged", "most of the file is not sound");
  }
  verdict.facts.duration_ms = stated ? *stated : scan.end_ms;
  return verdict;
}
}  // namespace

MediaVerdict examine_media(const MediaBytes& bytes, std::int64_t expected_duration_ms) {
  MediaVerdict verdict;
  verdict.facts.bytes = static_cast<std::int64_t>(bytes.size);
  if (bytes.size == 0) return fault(std::move(verdict), "media.damaged", "the file is empty");

  Reader reader{bytes};
  auto* buffer = static_cast<unsigned char*>(libav().av_malloc(kIoBufferBytes));
  const std::unique_ptr<AVIOContext, FreeIo> io(
      libav().avio_alloc_context(buffer, kIoBufferBytes, 0, &reader, &Reader::read, nullptr, &Reader::seek));
  const Format format = io ? open_container(io.get()) : nullptr;
  if (!format) {
    return fault(std::move(verdict), "media.damaged",
                 looks_like_text_page(bytes) ? "a web page or text, not a recording"
                                             : "not a recording, or its index is missing");
  }
  const std::string_view names = format->iformat->name;
  verdict.facts.container = names.substr(0, names.find(','));
  if (verdict.facts.container == "mov") verdict.facts.container = "mp4";
  if (!is_known(*format)) libav().avformat_find_stream_info(format.get(), nullptr);

  const Streams streams = find_streams(*format);
  if (streams.audio < 0 && streams.video < 0)
    return fault(std::move(verdict), "media.damaged", "no sound and no picture in it");
  for (const int stream : {streams.audio, streams.video}) {
    if (stream < 0) continue;
    const AVCodecID codec = format->streams[stream]->codecpar->codec_id;
    (stream == streams.audio ? verdict.facts.audio_codec : verdict.facts.video_codec) = libav().avcodec_get_name(codec);
    if (codec == AV_CODEC_ID_NONE || libav().avcodec_find_decoder(codec) == nullptr) {
      return fault(std::move(verdict), "media.codec_unsupported",
                   fmt::format("no decoder for {}", libav().avcodec_get_name(codec)));
    }
  }
  verdict = judge(std::move(verdict), bytes, *format, streams);
  if (!verdict.fault_cause.empty() || expected_duration_ms <= 0 || !verdict.facts.duration_ms) return verdict;
  const std::int64_t off = std::abs(*verdict.facts.duration_ms - expected_duration_ms);
  if (off <= std::max<std::int64_t>(5000, expected_duration_ms / 20)) return verdict;
  std::string message = fmt::format("the platform says {}, the file lasts {}", describe(expected_duration_ms),
                                    describe(*verdict.facts.duration_ms));
  return fault(std::move(verdict), "media.length_mismatch", std::move(message));
}

}  // namespace callimport::activities
