#pragma once
// Takes from this process what reading a file that is already open does not need, for good.
#include "storage/model/result.h"

namespace callimport::activities {

inline constexpr unsigned kChildCpuSecondsMax = 300;  ///< over its whole life of kProbesPerChildMax files
inline constexpr unsigned long kChildMemoryMax =
    1ul << 30;  ///< address space; libavformat and its libraries take 200 MB of it
inline constexpr unsigned kChildFilesMax = 16;

/// Limits CPU, memory and descriptors; no file may grow; not dumpable; no new privileges; and a seccomp filter after
/// which opening, connecting, starting and signalling anything fails with EPERM. Call it when all libraries are loaded.
/// @error kUnavailable  the kernel refuses: says which part.
Result<> lock_down_this_process();

}  // namespace callimport::activities
