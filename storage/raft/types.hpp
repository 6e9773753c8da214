#pragma once
// What the Raft core, the log store and the links agree on.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "storage/base/bytes.hpp"
#include "storage/base/fields.hpp"
#include "storage/base/id.hpp"
#include "storage/base/time.hpp"

namespace troupe::raft {

enum class EntryKind : std::uint8_t {
  noop,     ///< appended by each new leader; commits what came before it
  command,  ///< goes to apply
  config,   ///< membership; takes effect when appended
};
constexpr EntryKind max_value(EntryKind) { return EntryKind::config; }

/// One position of the log. The stamp is the leader's wall time when it appended the entry.
struct Entry {
  Term term{};
  Index index{};
  EntryKind kind = EntryKind::noop;
  Instant stamp{};
  Blob data{};
  std::size_t bytes() const { return data.size() + 32; }  ///< what it counts against limits
  static constexpr auto fields() {
    return field_list(field("term", &Entry::term), field("index", &Entry::index), field("kind", &Entry::kind),
                      field("stamp", &Entry::stamp), field("data", &Entry::data));
  }
  friend bool operator==(const Entry&, const Entry&) = default;
};

/// What must be on disk before this node speaks in a term.
struct HardState {
  Term term;
  NodeId voted_for;  ///< 0: nobody yet in this term
  static constexpr auto fields() {
    return field_list(field("term", &HardState::term), field("voted_for", &HardState::voted_for));
  }
  friend bool operator==(const HardState&, const HardState&) = default;
};

struct MemberAddress {
  NodeId node;
  std::string address;  ///< opaque here
  static constexpr auto fields() {
    return field_list(field("node", &MemberAddress::node), field("address", &MemberAddress::address));
  }
  friend bool operator==(const MemberAddress&, const MemberAddress&) = default;
};

/// Who votes and who only listens.
struct Membership {
  std::vector<NodeId> voters;              ///< ascending
  std::vector<NodeId> learners;            ///< ascending
  std::vector<MemberAddress> addresses{};  ///< ascending; of those whose address is known
  static constexpr auto fields() {
    return field_list(field("voters", &Membership::voters), field("learners", &Membership::learners),
                      field("addresses", &Membership::addresses));
  }
  friend bool operator==(const Membership&, const Membership&) = default;
  /// As voter or learner.
  bool contains(NodeId node) const {
    return std::ranges::binary_search(voters, node) || std::ranges::binary_search(learners, node);
  }
};

/// The log as the core sees it, entries handed out but not yet synced included. Single-threaded, as its core.
/// Its beginning may rise at any time between two calls of the core, up to what the core was told is applied.
class LogView {
 public:
  virtual ~LogView() = default;
  virtual Index first() const = 0;  ///< oldest entry present; last()+1 when empty
  virtual Index last() const = 0;   ///< 0 when nothing was ever appended
  virtual Term term(
      Index index) const = 0;  ///< of an entry in [first()-1, last()]; first()-1 is the snapshot's edge
  /// Entries of [low, high), at least one if there is one, then up to max_bytes.
  virtual std::vector<Entry> slice(Index low, Index high, std::size_t max_bytes) const = 0;
};

}  // namespace troupe::raft
