#pragma once
// What the environment says about the lives to run.

#include <cstdlib>

#include "tests/storage/replica/life/life.hpp"

namespace troupe {

#if defined(__SANITIZE_ADDRESS__)
constexpr std::uint64_t life_seeds = 100;  ///< of a plain run, each four times as slow
#else
constexpr std::uint64_t life_seeds = 200;  ///< of a plain run
#endif

inline std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

inline milliseconds life_length() {
  return milliseconds(static_cast<std::int64_t>(from_environment("LIFE_MS", 4'000)));
}

}  // namespace troupe
