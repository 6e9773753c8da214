#include "actors/gateway/places.hpp"

namespace troupe::gateway {
namespace {

constexpr std::string_view zone_attribute = "zone";

}  // namespace

Places::Places(const Reads& reads) : reads_(reads), cell_(reads.cell().record.name) {
  for (const auto& [group, use] : reads.groups()) tiers_.emplace(group.name, group.tier);
}

const Places::Host& Places::host(HostId id) {
  const auto [at, is_new] = hosts_.try_emplace(id);
  if (!is_new || id.value == 0) return at->second;
  if (const auto facts = reads_.host_facts(id)) {
    at->second.name = facts->record.name;
    if (const auto zone = facts->record.attributes.find(std::string(zone_attribute));
        zone != facts->record.attributes.end())
      at->second.zone = zone->second;
  }
  return at->second;
}

api::TaskPlace Places::of(const TaskRecord& task, const JobDescriptor* descriptor) {
  const Host& where = host(task.host);
  api::TaskPlace place{where.name, cell_, where.zone, {}};
  if (descriptor == nullptr) return place;
  const auto tier = tiers_.find(descriptor->capacity_group);
  place.tier = tier_text(tier == tiers_.end() ? Tier::flex : tier->second);
  return place;
}

}  // namespace troupe::gateway
