#pragma once

#include <map>
#include <string>
#include <unordered_map>

#include "net/api/entity_json.hpp"
#include "storage/state/reads.hpp"

namespace troupe::gateway {

/// What stands beside tasks in answers: names of hosts, zones, tiers. Made for one answer or one page, which
/// looks up each host once. Inside a call of Reads it may be used only after know_all_hosts().
class Places {
 public:
  explicit Places(const Reads& reads);

  /// Looks up every host now, and none later.
  void know_all_hosts();
  /// Valid until the next call of forget().
  api::TaskPlace of(const TaskRecord& task, const JobDescriptor* descriptor);
  std::string_view host_name(HostId id) { return host(id).name; }
  void forget() { hosts_.clear(); }

 private:
  struct Host {
    std::string name;
    std::string zone;
    bool is_draining = false;
  };
  const Host& host(HostId id);
  static Host of_record(const HostRecord& record);

  const Reads& reads_;
  std::string cell_;
  std::map<std::string, Tier, std::less<>> tiers_;
  std::unordered_map<std::uint32_t, Host> hosts_;  ///< by HostId; a list of all tasks looks here for each
  bool knows_all_ = false;
};

}  // namespace troupe::gateway
