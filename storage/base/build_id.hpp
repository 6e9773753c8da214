#pragma once
// Which build of the program runs: what tells two binaries apart during an upgrade.

#include <string>

namespace troupe {

inline constexpr std::size_t build_id_chars = 16;

/// The first 16 hexadecimal digits of the running program's GNU build id, a hash of its contents that the
/// linker writes; "unknown" where it wrote none. Any thread.
const std::string& build_id();

}  // namespace troupe
