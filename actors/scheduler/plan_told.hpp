#pragma once
// The scheduler's answers to AskPlan, as they travel between nodes.

#include <string>
#include <vector>

#include "storage/model/command.hpp"

namespace troupe {

struct PlanTold {
  struct Ended {
    Victim victim;
    JobId job;
    static constexpr auto fields() {
      return field_list(field("victim", &Ended::victim), field("job", &Ended::job));
    }
  };
  struct Place {
    HostId host;
    std::string host_name;
    Index eligibility;
    std::vector<Ended> victims;
    bool waits = false;  ///< for its victims, or for others that are ending there
    static constexpr auto fields() {
      return field_list(field("host", &Place::host), field("host_name", &Place::host_name),
                        field("eligibility", &Place::eligibility), field("victims", &Place::victims),
                        field("waits", &Place::waits));
    }
  };
  Index index;                ///< of the state that it was made from
  std::vector<Place> places;  ///< of the first tasks, in order; the others would wait
  std::string why;            ///< of the first that would wait: as explain, JSON; empty: none would
  static constexpr auto fields() {
    return field_list(field("index", &PlanTold::index), field("places", &PlanTold::places),
                      field("why", &PlanTold::why));
  }
};

/// Of places that were asked about. An answer of the other kind does not read as this one.
struct PlanChecked {
  std::vector<std::string> differences;  ///< of the places that do not hold any more; empty: all do
  static constexpr auto fields() { return field_list(field("differences", &PlanChecked::differences)); }
};

}  // namespace troupe
