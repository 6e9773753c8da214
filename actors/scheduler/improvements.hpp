#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace troupe::scheduler {

/// Which places have improved lately: improvements are numbered from 0 on, and the last ones are remembered,
/// as many as there are places, but at most `kept_max`. Owner: a part of a pool.
class Improvements {
 public:
  static constexpr std::size_t kept_min = 16;
  static constexpr std::size_t kept_max = 4'096;

  /// True: the first one since `settle`.
  bool note(std::size_t place);
  /// Those since the last call are numbered by place, so that it does not matter in which order they came.
  /// To be called before any of them is asked for.
  void settle();
  /// So far: the number of the next one.
  std::uint64_t count() const { return count_; }
  /// Are all from that number on remembered?
  bool remembers(std::uint64_t since) const { return since >= first_kept_; }
  /// Whose improvement that was; nothing if a later one was its, too. To be asked of remembered ones.
  std::optional<std::size_t> place_of(std::uint64_t number) const {
    const std::size_t place = kept_[number % kept_.size()];
    return last_[place] == number ? std::optional(place) : std::nullopt;
  }

 private:
  std::uint64_t count_ = 0;
  std::uint64_t settled_ = 0;  ///< before that number
  std::uint64_t first_kept_ = 0;
  std::vector<std::uint32_t> kept_;  ///< places, by number modulo their count
  std::vector<std::uint64_t> last_;  ///< by place: the number of its last one
};

}  // namespace troupe::scheduler
