#include "tests/net/http/certificates.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>

#include "storage/base/check.hpp"

namespace troupe::http {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

constexpr long day_seconds = 86'400;

template <class Write>
void write_file(const std::string& path, Write write) {
  std::FILE* file = std::fopen(path.c_str(), "we");
  TROUPE_CHECK(file != nullptr);
  TROUPE_CHECK(write(file) == 1);
  TROUPE_CHECK(std::fclose(file) == 0);
}

void add_name(X509_NAME* name, const char* part, const std::string& text) {
  if (text.empty()) return;
  TROUPE_CHECK(X509_NAME_add_entry_by_txt(name, part, MBSTRING_UTF8,
                                          reinterpret_cast<const unsigned char*>(text.c_str()), -1, -1,
                                          0) == 1);
}

void add_extension(X509* certificate, int which, const std::string& value) {
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      X509V3_EXT_conf_nid(nullptr, nullptr, which, value.c_str()), X509_EXTENSION_free);
  TROUPE_CHECK(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1);
}

Key new_key() { return {EVP_EC_gen("P-256"), EVP_PKEY_free}; }

Certificate new_certificate(EVP_PKEY* key, const Authority::Subject& subject, long number) {
  Certificate made(X509_new(), X509_free);
  X509_set_version(made.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), number);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -2 * day_seconds);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), subject.has_expired ? -day_seconds : day_seconds);
  X509_NAME* name = X509_get_subject_name(made.get());
  add_name(name, "O", subject.organisation);
  add_name(name, "CN", subject.common_name);
  X509_set_pubkey(made.get(), key);
  return made;
}

}  // namespace

struct Authority::Signer {
  Key key = new_key();
  Certificate certificate{nullptr, X509_free};
};

Authority::Authority(const std::string& name)
    : file_(folder_.file("authority.pem")), signer_(std::make_unique<Signer>()) {
  signer_->certificate = new_certificate(signer_->key.get(), {.common_name = name}, 1);
  X509* own = signer_->certificate.get();
  X509_set_issuer_name(own, X509_get_subject_name(own));
  add_extension(own, NID_basic_constraints, "critical,CA:TRUE");
  TROUPE_CHECK(X509_sign(own, signer_->key.get(), EVP_sha256()) > 0);
  write_file(file_, [&](std::FILE* file) { return PEM_write_X509(file, own); });
}

Authority::~Authority() = default;

TlsFiles Authority::sign(const Subject& subject) {
  const std::string name = std::to_string(++signed_);
  const TlsFiles files{folder_.file(name + ".pem"), folder_.file(name + ".key"), file_};
  const Key key = new_key();
  const Certificate made = new_certificate(key.get(), subject, 1 + signed_);
  X509_set_issuer_name(made.get(), X509_get_subject_name(signer_->certificate.get()));
  const bool is_address = subject.for_host.find_first_not_of("0123456789.") == std::string::npos;
  if (!subject.for_host.empty())
    add_extension(made.get(), NID_subject_alt_name, (is_address ? "IP:" : "DNS:") + subject.for_host);
  add_extension(made.get(), NID_ext_key_usage, subject.for_host.empty() ? "clientAuth" : "serverAuth");
  TROUPE_CHECK(X509_sign(made.get(), signer_->key.get(), EVP_sha256()) > 0);
  write_file(files.certificate, [&](std::FILE* file) { return PEM_write_X509(file, made.get()); });
  write_file(files.key, [&](std::FILE* file) {
    return PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  return files;
}

}  // namespace troupe::http
