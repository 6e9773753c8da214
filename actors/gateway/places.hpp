#pragma once

#include <map>
#include <string>

#include "net/api/entity_json.hpp"
#include "storage/state/reads.hpp"

namespace troupe::gateway {

/// What stands beside tasks in answers: names of hosts, zones, tiers. Made for one answer or one page, which
/// looks up each host once. Not to be used inside a call of Reads.
class Places {
 public:
  explicit Places(const Reads& reads);

  /// Valid until the next call of forget().
  api::TaskPlace of(const TaskRecord& task, const JobDescriptor* descriptor);
  std::string_view host_name(HostId id) { return host(id).name; }
  void forget() { hosts_.clear(); }

 private:
  struct Host {
    std::string name;
    std::string zone;
  };
  const Host& host(HostId id);

  const Reads& reads_;
  std::string cell_;
  std::map<std::string, Tier, std::less<>> tiers_;
  std::map<HostId, Host> hosts_;
};

}  // namespace troupe::gateway
