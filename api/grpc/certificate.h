#pragma once
#include <string>

#include "storage/model/result.h"

namespace callimport::api {

/// A server's certificate and its key, both PEM or both empty.
/// @error kInvalid  only one of them, no PEM, or a key that is not the certificate's. Never shows the key.
Result<> check_certificate(const std::string& certificate, const std::string& key);

}  // namespace callimport::api
