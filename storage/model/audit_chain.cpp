#include "storage/model/audit_chain.hpp"

#include <openssl/sha.h>

namespace troupe {

std::string digest_of(std::string_view bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * digest.size());
  for (const unsigned char byte : digest) {
    hex.push_back(digits[byte >> 4]);
    hex.push_back(digits[byte & 15]);
  }
  return hex;
}

std::string audit_chain(std::string_view before, AuditRecord record) {
  record.chain.clear();
  return digest_of(std::string(before) + packed(record));
}

}  // namespace troupe
