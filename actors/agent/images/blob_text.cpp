#include "actors/agent/images/blob_text.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "actors/agent/images/image_documents.hpp"
#include "storage/model/audit_chain.hpp"

namespace troupe::agent {

std::string sha256_digest(std::string_view bytes) { return "sha256:" + digest_of(bytes); }

Result<std::string> read_document(const Fd& file) {
  std::string text;
  char block[64 * 1024];
  for (;;) {
    const ssize_t count = read(file.get(), block, sizeof block);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0)
      return Error{ErrorCode::io, std::string("cannot read an image document: ") + std::strerror(errno)};
    if (count == 0) return text;
    text.append(block, static_cast<std::size_t>(count));
    if (text.size() > document_bytes_max)
      return Error{ErrorCode::invalid_argument,
                   "an image document is larger than " + std::to_string(document_bytes_max) + " bytes"};
  }
}

Result<void> hold_to_digest(std::string_view bytes, const std::string& digest) {
  const std::string found = sha256_digest(bytes);
  if (found == digest) return {};
  return Error{ErrorCode::corrupt, "a document of the image has the digest " + found + ", not " + digest};
}

}  // namespace troupe::agent
