#pragma once
// The chain of the audit. Pure functions: whoever has the entries can check them.

#include <string>
#include <string_view>

#include "storage/model/records.hpp"

namespace troupe {

/// SHA-256 in hex.
std::string digest_of(std::string_view bytes);
/// The chain up to `record`: over the chain before it (empty: it is the first) and all its other fields.
std::string audit_chain(std::string_view before, AuditRecord record);

}  // namespace troupe
