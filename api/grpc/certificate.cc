#include "api/grpc/certificate.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

namespace callimport::api {
namespace {

template <class T, void (*free)(T*)>
struct Free {
  void operator()(T* one) const { free(one); }
};
using Bio = std::unique_ptr<BIO, Free<BIO, BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Free<X509, X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY, EVP_PKEY_free>>;

Bio over(const std::string& pem) { return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))); }
int no_passphrase(char*, int, int, void*) { return 0; }  // else OpenSSL asks on the terminal

}  // namespace

Result<> check_certificate(const std::string& certificate, const std::string& key) {
  if (certificate.empty() && key.empty()) return {};
  if (certificate.empty() || key.empty())
    return fail(Code::kInvalid, "--tls-cert and --tls-key belong together: give both or none");
  const Certificate read(PEM_read_bio_X509(over(certificate).get(), nullptr, no_passphrase, nullptr));
  if (read == nullptr) return fail(Code::kInvalid, "the file of --tls-cert holds no certificate in PEM form");
  const Key secret(PEM_read_bio_PrivateKey(over(key).get(), nullptr, no_passphrase, nullptr));
  if (secret == nullptr)
    return fail(Code::kInvalid, "the file of --tls-key holds no private key in PEM form without a passphrase");
  if (X509_check_private_key(read.get(), secret.get()) != 1)
    return fail(Code::kInvalid, "the key of --tls-key is not that of the certificate of --tls-cert");
  return {};
}

}  // namespace callimport::api
