#pragma once
// What all fuzz targets share.

#include <cstdint>
#include <cstdlib>

#include "storage/base/bytes.hpp"

namespace troupe::fuzz {

inline BytesView view(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// A promise about a decoder that the fuzzer shall try to break.
inline void must(bool holds) {
  if (!holds) std::abort();
}

}  // namespace troupe::fuzz
