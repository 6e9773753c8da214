#pragma once
// The values of the constraints that are more than a word: read when a job is submitted, to complain, and by
// the scheduler, to obey. All are lists, divided by commas.

#include <string>
#include <string_view>
#include <vector>

#include "storage/base/id.hpp"
#include "storage/base/result.hpp"

namespace troupe {

inline constexpr std::size_t placement_terms_max = 8;
inline constexpr std::uint32_t skew_max = 1'000;

/// Where two hosts count as one place: "host" (never), "zone", or an attribute whose values are equal.
inline constexpr std::string_view place_host = "host";
inline constexpr std::string_view place_zone = "zone";

/// topologySpread: `zone`, or `zone:2,rack:1`. No place of that kind may have more than `skew` tasks of the
/// job above the place that has least.
struct SpreadTerm {
  std::string place;
  std::uint32_t skew = 1;
  friend bool operator==(const SpreadTerm&, const SpreadTerm&) = default;
};
Result<std::vector<SpreadTerm>> parse_spread(std::string_view text);

/// jobAffinity and jobAntiAffinity: `zone`, or `rack=0f8e…,host`. With tasks of that job in one place, or
/// away from them; of the job itself if none is named.
struct NeighbourTerm {
  std::string place;
  JobId job;  ///< nil: the job itself
  friend bool operator==(const NeighbourTerm&, const NeighbourTerm&) = default;
};
Result<std::vector<NeighbourTerm>> parse_neighbours(std::string_view text);

/// tolerations: `spot`, or `spot,dedicated=video`. A host's taints are its attributes that begin with
/// "taint."; `*` tolerates all.
struct Toleration {
  std::string taint;
  std::string value;  ///< empty: any
  friend bool operator==(const Toleration&, const Toleration&) = default;
};
Result<std::vector<Toleration>> parse_tolerations(std::string_view text);

}  // namespace troupe
