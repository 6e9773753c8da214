#include "actors/gateway/places.hpp"

namespace troupe::gateway {
namespace {

constexpr std::string_view zone_attribute = "zone";

}  // namespace

Places::Places(const Reads& reads) : reads_(reads), cell_(reads.cell_record().name) {
  for (const auto& [group, use] : reads.groups()) tiers_.emplace(group.name, group.tier);
}

const Places::Host& Places::host(HostId id) {
  const auto [at, is_new] = hosts_.try_emplace(id.value);
  if (!is_new || id.value == 0 || knows_all_) return at->second;
  if (const auto facts = reads_.host_facts(id)) at->second = of_record(facts->record);
  return at->second;
}

Places::Host Places::of_record(const HostRecord& record) {
  const auto zone = record.attributes.find(std::string(zone_attribute));
  return {record.name, zone == record.attributes.end() ? std::string() : zone->second,
          record.phase == HostPhase::draining};
}

void Places::know_all_hosts() {
  for (const HostFacts& facts : reads_.hosts()) hosts_[facts.record.id.value] = of_record(facts.record);
  knows_all_ = true;
}

api::TaskPlace Places::of(const TaskRecord& task, const JobDescriptor* descriptor) {
  const Host& where = host(task.host);
  api::TaskPlace place{where.name, cell_, where.zone, {}};
  place.needs_migration = where.is_draining && task.is_placed() && task.state != TaskState::finished;
  if (descriptor == nullptr) return place;
  const auto tier = tiers_.find(descriptor->capacity_group);
  place.tier = tier_text(tier == tiers_.end() ? Tier::flex : tier->second);
  return place;
}

}  // namespace troupe::gateway
