#pragma once
// libavformat and what it needs, loaded when a process first examines a file. Only the bounded child ever does: linked
// in, they would bring a hundred shared libraries (codecs, fonts, graphics) and 17 MiB into every process of ours.
#include "storage/model/result.h"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
}

namespace callimport::activities {

/// Their functions by their own names.
struct Libav {
  decltype(&::avformat_alloc_context) avformat_alloc_context;
  decltype(&::avformat_open_input) avformat_open_input;
  decltype(&::avformat_close_input) avformat_close_input;
  decltype(&::avformat_find_stream_info) avformat_find_stream_info;
  decltype(&::avio_alloc_context) avio_alloc_context;
  decltype(&::avio_context_free) avio_context_free;
  decltype(&::av_read_frame) av_read_frame;
  decltype(&::av_seek_frame) av_seek_frame;
  decltype(&::avcodec_find_decoder) avcodec_find_decoder;
  decltype(&::avcodec_get_name) avcodec_get_name;
  decltype(&::av_packet_alloc) av_packet_alloc;
  decltype(&::av_packet_free) av_packet_free;
  decltype(&::av_packet_unref) av_packet_unref;
  decltype(&::av_freep) av_freep;
  decltype(&::av_log_set_level) av_log_set_level;
  decltype(&::av_malloc) av_malloc;
  decltype(&::av_rescale_q) av_rescale_q;
  decltype(&::av_strdup) av_strdup;
};

/// Loads them on the first call, for the life of the process. Threads: any.
/// @error kUnavailable  they are not installed in the version we were built for: says which.
Result<const Libav*> load_libav();

}  // namespace callimport::activities
