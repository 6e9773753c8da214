#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/model/records.hpp"

namespace troupe::cores {

/// What the live jobs of a capacity group use.
struct GroupUse {
  std::uint64_t jobs = 0;
  std::uint64_t tasks = 0;
  Resources resources;
};

/// How a group stands, for people and the API.
struct GroupStanding {
  Resources reservation;           ///< one unit times the count
  bool is_over_cap = false;        ///< more live tasks than tasks_max
  std::vector<std::string> above;  ///< what is used above the reservation: "cpu", "memory", ...
};
GroupStanding group_standing(const GroupRecord& group, const GroupUse& use);

}  // namespace troupe::cores
