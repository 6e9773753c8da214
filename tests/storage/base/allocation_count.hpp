#pragma once

#include <cstddef>

namespace troupe {

/// Bytes that this process has asked operator new for so far.
std::size_t allocated_bytes();

}  // namespace troupe
