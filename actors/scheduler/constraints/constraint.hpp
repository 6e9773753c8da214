#pragma once
// The constraints that a host's facts decide, each in a file of its own.

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "actors/scheduler/needs.hpp"

namespace troupe::scheduler {

struct Constraint {
  std::string_view name;      ///< stable; for counts and `explain`
  std::string_view sentence;  ///< for people
  bool (*holds)(const HostFacts& host, const Needs& needs);
  /// Of a host for which it does not hold.
  Lack (*lack)(const HostFacts& host, const Needs& needs);
};

extern const Constraint connected_constraint;
extern const Constraint active_constraint;
extern const Constraint paused_constraint;
extern const Constraint placement_allowed_constraint;
extern const Constraint driver_constraint;
extern const Constraint machine_id_constraint;
extern const Constraint machine_group_constraint;
extern const Constraint taint_constraint;
extern const Constraint attribute_constraint;
extern const Constraint expression_constraint;

/// In the order in which they are asked.
std::span<const Constraint* const> constraints();
bool all_hold(const HostFacts& host, const Needs& needs);
/// The first that fails.
std::optional<Lack> first_failure(const HostFacts& host, const Needs& needs);
/// Each that fails.
std::vector<Lack> failures(const HostFacts& host, const Needs& needs);

inline constexpr std::string_view taint_prefix = "taint.";

}  // namespace troupe::scheduler
