#pragma once
// What a class of tasks asks of a host and of its neighbours, beside free resources.

#include <set>
#include <string>
#include <vector>

#include "actors/scheduler/facts.hpp"
#include "storage/model/attribute_expression.hpp"
#include "storage/model/placement_terms.hpp"

namespace troupe::scheduler {

/// What a host's facts alone decide. Equal texts allow equal hosts.
struct Needs {
  std::vector<std::string> drivers;  ///< one of these; empty: any
  std::string machine_id;            ///< the host's name
  std::string machine_group;
  StringMap attributes;  ///< availabilityZone, machineType and all that Troupe gives no meaning of its own
  std::string expression_text;
  AttributeExpression expression;
  std::vector<Toleration> tolerations;
  std::string tolerations_text;

  std::string text() const;
};

/// Where a job's tasks stand to each other, or to another job's.
struct Relation {
  enum class Kind : std::uint8_t { spread, together, apart };
  Kind kind = Kind::spread;
  std::string name;   ///< of the constraint that asks for it
  std::string place;  ///< "host", "zone" or an attribute
  JobId job;          ///< nil: the task's own
  std::uint32_t skew = 1;
  bool is_hard = true;
};

/// Which way a class leans where several hosts would do.
enum class Lean : std::uint8_t {
  pack,    ///< fill hosts one after the other: batch jobs
  spread,  ///< away from each other: services
};

struct Wishes {
  Needs needs;
  Needs preferred;  ///< `needs` and all soft ones that a host's facts decide; equal to `needs` without such
  std::vector<Needs> soft;  ///< each soft constraint for itself
  std::vector<Relation> relations;
  bool exclusive_host = false;  ///< no other task at all there
  bool prefers_exclusive = false;
  Lean lean = Lean::pack;
  bool is_about_neighbours() const { return !relations.empty(); }
};

/// Constraints whose value is "false" or empty ask for nothing; `activeHost` always holds. Which
/// drivers will do is storage/model/isolation.hpp's rule; "troupe.placement" ("pack" or "spread") overrides
/// the lean. What does not parse was refused when the job was submitted; of an older descriptor it asks for
/// nothing.
Wishes wishes_of(const JobDescriptor& descriptor);

}  // namespace troupe::scheduler
