#include "storage/model/records.hpp"

namespace troupe {

std::string_view phase_text(HostPhase phase) {
  switch (phase) {
    case HostPhase::active:
      return "Active";
    case HostPhase::draining:
      return "Draining";
    case HostPhase::quarantined:
      return "Quarantined";
  }
  return {};
}

std::optional<HostPhase> host_phase_from_text(std::string_view text) {
  for (const auto phase : {HostPhase::active, HostPhase::draining, HostPhase::quarantined})
    if (phase_text(phase) == text) return phase;
  return std::nullopt;
}

std::string_view tier_text(Tier tier) { return tier == Tier::critical ? "Critical" : "Flex"; }

}  // namespace troupe
