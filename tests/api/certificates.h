#pragma once
// Self-signed certificates for tests of TLS: made anew each time, so no key lies in the repository.
#include <string>

namespace callimport::tests {

struct TestCertificate {
  std::string certificate, key;  ///< PEM; the certificate is its own CA
};
/// For localhost, 127.0.0.1 and `name`.
TestCertificate make_certificate(const std::string& name);

}  // namespace callimport::tests
