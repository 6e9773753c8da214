#pragma once
// Small blobs: documents read whole and held to their digest.

#include <string>
#include <string_view>

#include "actors/agent/process_tree.hpp"
#include "storage/base/result.hpp"

namespace troupe::agent {

/// "sha256:..." of the bytes.
std::string sha256_digest(std::string_view bytes);
/// To the end, at most document_bytes_max. Errors: io, invalid_argument (too large).
Result<std::string> read_document(const Fd& file);
/// Errors: corrupt, when it is not what the digest says.
Result<void> hold_to_digest(std::string_view bytes, const std::string& digest);

}  // namespace troupe::agent
