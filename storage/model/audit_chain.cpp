#include "storage/model/audit_chain.hpp"

#include <openssl/sha.h>

#include "storage/base/hex.hpp"

namespace troupe {

std::string digest_of(std::string_view bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  return hex_of(digest);
}

std::string audit_chain(std::string_view before, AuditRecord record) {
  record.chain.clear();
  return digest_of(std::string(before) + packed(record));
}

}  // namespace troupe
