#pragma once
// What a public Cluster is made of. Internal.

#include <troupe/cluster.hpp>

#include "cmd/embedded/history_book.hpp"
#include "cmd/embedded/world.hpp"

namespace troupe::embedded {

/// "(seed 42; repeat: ...)".
std::string repeat_text(const std::optional<std::uint64_t>& seed, const std::string& arguments);

struct Cluster::Impl {
  explicit Impl(Options given);

  [[noreturn]] void fail(Failure::Kind kind, const std::string& what) const;
  std::uint32_t node_number(std::uint32_t node) const;     ///< throws invalid
  std::uint32_t host_number(std::string_view name) const;  ///< likewise
  void strike(FaultOrder order);
  /// The node that a client of `wanted` speaks to; 0: nobody can speak for the cell now.
  std::uint32_t speaker(std::uint32_t wanted) const;
  WorldAnswer call(std::uint32_t node, const WorldRequest& request);

  Options options;
  std::vector<std::pair<std::string, std::string>> host_names;  ///< by number, from 1: name and group
  HistoryBook book{history_events_max};
  std::unique_ptr<World> world;
  Instant began;
  std::uint64_t submits = 0;  ///< each has a key of its own
};

/// For stories and clients: they need what a Cluster is made of.
struct StoryTeller {
  using Impl = Cluster::Impl;
  static Cluster::Impl& of(Cluster& cluster) { return *cluster.impl_; }
};

}  // namespace troupe::embedded
