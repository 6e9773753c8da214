#include "actors/scheduler/needs.hpp"

#include "storage/base/msgpack.hpp"
#include "storage/model/isolation.hpp"

namespace troupe::scheduler {
namespace {

bool is_asked(const std::string& value) { return !value.empty() && value != "false"; }

void add_spread(Wishes& out, const std::string& name, const std::string& value, bool is_hard) {
  const auto terms = parse_spread(value);
  if (!terms.ok()) return;
  for (const SpreadTerm& term : terms.value())
    out.relations.push_back({Relation::Kind::spread, name, term.place, {}, term.skew, is_hard});
}

void add_neighbours(Wishes& out, Relation::Kind kind, const std::string& name, const std::string& value,
                    bool is_hard) {
  const auto terms = parse_neighbours(value);
  if (!terms.ok()) return;
  for (const NeighbourTerm& term : terms.value())
    out.relations.push_back({kind, name, term.place, term.job, 1, is_hard});
}

/// False: a host's facts decide it.
bool add_relation(Wishes& out, const std::string& name, const std::string& value, bool is_hard) {
  if (name == "uniqueHost")
    out.relations.push_back({Relation::Kind::apart, name, std::string(place_host), {}, 1, is_hard});
  else if (name == "zoneBalance")
    out.relations.push_back({Relation::Kind::spread, name, std::string(place_zone), {}, 1, is_hard});
  else if (name == "topologySpread")
    add_spread(out, name, value, is_hard);
  else if (name == "jobAffinity")
    add_neighbours(out, Relation::Kind::together, name, value, is_hard);
  else if (name == "jobAntiAffinity")
    add_neighbours(out, Relation::Kind::apart, name, value, is_hard);
  else
    return false;
  return true;
}

void add_need(Needs& out, const std::string& name, const std::string& value) {
  if (name == "activeHost") return;
  if (name == "machineId") {
    out.machine_id = value;
  } else if (name == "machineGroup") {
    out.machine_group = value;
  } else if (name == "tolerations") {
    if (auto terms = parse_tolerations(value); terms.ok()) out.tolerations = std::move(terms).value();
    out.tolerations_text = value;
  } else if (name == "expression") {
    if (auto parsed = AttributeExpression::parse(value); parsed.ok())
      out.expression = std::move(parsed).value();
    out.expression_text = value;
  } else {
    out.attributes.emplace(name, value);
  }
}

void read_hard(const JobDescriptor& descriptor, Wishes& out) {
  for (const auto& [name, value] : descriptor.hard_constraints) {
    if (!is_asked(value)) continue;
    if (name == "exclusiveHost")
      out.exclusive_host = true;
    else if (!add_relation(out, name, value, true))
      add_need(out.needs, name, value);
  }
}

void read_soft(const JobDescriptor& descriptor, Wishes& out) {
  out.preferred = out.needs;
  for (const auto& [name, value] : descriptor.soft_constraints) {
    if (!is_asked(value) || name == "activeHost") continue;
    if (name == "exclusiveHost") {
      out.prefers_exclusive = true;
    } else if (!add_relation(out, name, value, false)) {
      // Beside an expression that is hard there is no room for a soft one: it counts as a wish only.
      if (name != "expression" || out.needs.expression_text.empty()) add_need(out.preferred, name, value);
      Needs alone;
      alone.tolerations = out.needs.tolerations;
      add_need(alone, name, value);
      out.soft.push_back(std::move(alone));
    }
  }
}

Lean lean_of(const JobDescriptor& descriptor) {
  const auto asked = descriptor.attributes.find("troupe.placement");
  if (asked != descriptor.attributes.end() && asked->second == "pack") return Lean::pack;
  if (asked != descriptor.attributes.end() && asked->second == "spread") return Lean::spread;
  return descriptor.is_batch() ? Lean::pack : Lean::spread;
}

}  // namespace

std::string Needs::text() const {
  Bytes out;
  PackWriter writer(out);
  pack(writer, drivers);
  for (const auto* part : {&machine_id, &machine_group, &expression_text, &tolerations_text})
    pack(writer, *part);
  pack(writer, attributes);
  return out;
}

Wishes wishes_of(const JobDescriptor& descriptor) {
  Wishes out;
  out.needs.drivers = drivers_enough(descriptor.image.name, descriptor.attributes);
  read_hard(descriptor, out);
  read_soft(descriptor, out);
  out.lean = lean_of(descriptor);
  if (!descriptor.is_batch() && out.lean == Lean::spread)
    out.relations.push_back(
        {Relation::Kind::apart, "jobSpreading", std::string(place_host), {}, 1, /*is_hard=*/false});
  return out;
}

}  // namespace troupe::scheduler
