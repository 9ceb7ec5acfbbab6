#include "activities/media/libav.h"

#include <dlfcn.h>

#include <string>

extern "C" {
#include <libavutil/version.h>
}

namespace callimport::activities {
namespace {

/// Their interface changes with the major version, and so does the file's name.
constexpr const char* kFormat = "libavformat.so." AV_STRINGIFY(LIBAVFORMAT_VERSION_MAJOR);
constexpr const char* kCodec = "libavcodec.so." AV_STRINGIFY(LIBAVCODEC_VERSION_MAJOR);
constexpr const char* kUtil = "libavutil.so." AV_STRINGIFY(LIBAVUTIL_VERSION_MAJOR);

/// Takes functions out of one library; remembers the first thing that was missing.
class Library {
 public:
  Library(const char* name, std::string* missing)
      : name_(name), missing_(*missing), handle_(::dlopen(name, RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr && missing_.empty()) missing_ = name_;
  }

  template <class Function>
  void take(const char* name, Function* function) {
    void* found = handle_ == nullptr ? nullptr : ::dlsym(handle_, name);
    if (found == nullptr && missing_.empty()) missing_ = std::string(name) + " of " + name_;
    *function = reinterpret_cast<Function>(found);
  }

 private:
  const char* name_;
  std::string& missing_;
  void* handle_;  // never closed
};

struct Loaded {
  Libav libav{};
  std::string missing;
};

Loaded load() {
  Loaded out;
#define TAKE(library, function) library.take(#function, &out.libav.function)
  Library util(kUtil, &out.missing);
  TAKE(util, av_freep);
  TAKE(util, av_log_set_level);
  TAKE(util, av_malloc);
  TAKE(util, av_rescale_q);
  TAKE(util, av_strdup);
  Library codec(kCodec, &out.missing);
  TAKE(codec, avcodec_find_decoder);
  TAKE(codec, avcodec_get_name);
  TAKE(codec, av_packet_alloc);
  TAKE(codec, av_packet_free);
  TAKE(codec, av_packet_unref);
  Library format(kFormat, &out.missing);
  TAKE(format, avformat_alloc_context);
  TAKE(format, avformat_open_input);
  TAKE(format, avformat_close_input);
  TAKE(format, avformat_find_stream_info);
  TAKE(format, avio_alloc_context);
  TAKE(format, avio_context_free);
  TAKE(format, av_read_frame);
  TAKE(format, av_seek_frame);
#undef TAKE
  if (out.missing.empty()) out.libav.av_log_set_level(AV_LOG_QUIET);
  return out;
}

}  // namespace

Result<const Libav*> load_libav() {
  static const Loaded loaded = load();
  if (!loaded.missing.empty()) {
    return fail(Code::kUnavailable, "recordings cannot be examined: " + loaded.missing + " is missing; install it");
  }
  return &loaded.libav;
}

}  // namespace callimport::activities
