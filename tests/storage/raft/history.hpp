#pragma once
// What clients saw, and whether one register per key could have shown it to them.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/storage/raft/state.hpp"

namespace troupe::raft::test {

/// Calls and answers of all clients, in the order they happened; times are counted here. Knows nothing of
/// logs, terms or nodes.
///
/// The check is exact because no value is written twice (Gibbons and Korach, "Testing shared memories",
/// 1997): of each value, the write and its reads span a zone from the first answer to the last call. Zones in
/// which the first answer comes before the last call must not overlap, and a zone the other way round must
/// not lie inside one of them.
class History {
 public:
  using Call = std::size_t;
  Call write_called(std::uint8_t key, std::uint64_t value);
  Call read_called(std::uint8_t key);
  void write_answered(Call call) { calls_[call].answered = ++now_; }
  void read_answered(Call call, std::uint64_t value);
  /// A write that was never answered may still have happened, a read then says nothing.
  std::optional<std::string> violation() const;
  std::size_t answered() const;

 private:
  static constexpr std::uint64_t never = UINT64_MAX;
  struct Operation {
    bool is_write = false;
    std::uint8_t key = 0;
    std::uint64_t value = 0;
    std::uint64_t called = 0;
    std::uint64_t answered = never;
  };
  /// All that touched one value.
  struct Zone {
    std::uint64_t value = 0;
    std::uint64_t written = never;  ///< when its write was called
    std::uint64_t first_answer = never;
    std::uint64_t last_call = 0;
    bool seen = false;  ///< answered, or read
    bool forward() const { return first_answer < last_call; }
    std::uint64_t low() const { return std::min(first_answer, last_call); }
    std::uint64_t high() const { return std::max(first_answer, last_call); }
  };
  std::vector<Zone> zones_of(std::uint8_t key) const;
  std::vector<Operation> calls_;
  std::uint64_t now_ = 0;
};

}  // namespace troupe::raft::test
