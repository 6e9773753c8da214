#pragma once
// The randomness seam: every random number of the program comes from one of these.

#include <array>
#include <cstdint>

#include "storage/base/id.hpp"

namespace troupe {

/// xoshiro256++ (Blackman and Vigna, 2019), seeded with splitmix64. A copyable value; not thread-safe; not
/// for secrets.
class Random {
 public:
  explicit Random(std::uint64_t seed);
  /// Seeded by the operating system.
  static Random from_system();

  std::uint64_t next();
  /// Uniform in [0, bound); bound > 0.
  std::uint64_t below(std::uint64_t bound);
  /// Uniform in [low, high].
  std::int64_t between(std::int64_t low, std::int64_t high);
  bool chance(std::uint32_t percent) { return below(100) < percent; }

  template <class Id>
  Id uuid() {
    Id id;
    for (std::size_t half = 0; half < 2; ++half) {
      const std::uint64_t word = next();
      std::memcpy(id.bytes.data() + 8 * half, &word, sizeof word);
    }
    id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0f) | 0x40);  // version 4
    id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);  // variant 10
    return id;
  }
  /// A task id that lives in its job's shard.
  TaskId task_of(const JobId& job) {
    auto id = uuid<TaskId>();
    id.bytes[15] = job.route();
    return id;
  }

 private:
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace troupe
