// Hosts and their agents' sessions.

#include <charconv>

#include "storage/model/ports.hpp"
#include "storage/state/apply.hpp"

namespace troupe {
namespace {

bool is_host_name(std::string_view name) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  return !name.empty() && name.size() <= 253 && name.find_first_not_of(allowed) == std::string_view::npos;
}

bool same_shape(const HostRecord& host, const RegisterHost& body) {
  return host.host_group == body.host_group && host.resources == body.resources &&
         host.attributes == body.attributes && host.drivers == body.drivers;
}

void take_shape(HostRecord& host, const RegisterHost& body) {
  host.host_group = body.host_group;
  host.resources = body.resources;
  host.attributes = body.attributes;
  host.drivers = body.drivers;
}

Error no_such_host(HostId id) { return {ErrorCode::not_found, "no host " + to_text(id)}; }

}  // namespace

/// What its attribute says: agents tell of no number.
void CommandApply::count_ports(const StringMap& attributes, Resources& resources) const {
  const bool are_counted = stage_.cell().level >= level_of_ports;
  resources.ports = are_counted ? port_count(ports_of(attributes)) : 0;
}

void CommandApply::count_ports_of_hosts() {
  for (const auto& [id, entry] : stage_.tables().cell.hosts) {
    Resources counted = entry.record.resources;
    count_ports(entry.record.attributes, counted);
    if (counted == entry.record.resources) continue;
    HostRecord& host = stage_.edit_host(id);
    host.resources = counted;
    host.eligibility = stage_.index();
  }
}

Result<void> CommandApply::operator()(const RegisterHost& told) {
  RegisterHost body = told;
  count_ports(body.attributes, body.resources);
  if (!is_host_name(body.name))
    return Error{ErrorCode::invalid_argument,
                 "a host's name has 1 to 253 letters, digits, dots, dashes or underscores"};
  if (!is_possible(body.resources))
    return Error{ErrorCode::invalid_argument,
                 "a host's resources are out of bounds: each amount is 0 to " + std::to_string(resource_max)};
  const auto& names = stage_.tables().cell.host_names;
  if (const auto found = names.find(body.name); found != names.end()) {
    outcome_.entity = to_text(found->second);
    if (same_shape(*stage_.host(found->second), body)) return {};
    HostRecord& host = stage_.edit_host(found->second);
    take_shape(host, body);
    host.eligibility = stage_.index();
    return {};
  }
  HostRecord host;
  host.id = stage_.edit_cell().last_host = stage_.cell().last_host.next();
  host.name = body.name;
  take_shape(host, body);
  host.registered = host.disconnected = stage_.now();
  outcome_.entity = to_text(host.id);
  stage_.create_host(std::move(host));
  return {};
}

Result<void> CommandApply::operator()(const OpenSession& body) {
  if (stage_.host(body.host) == nullptr) return no_such_host(body.host);
  const auto* fence = std::get_if<EpochFence>(&command_.fence);
  if (fence == nullptr || shard_of(body.host, stage_.cell().shard_count) != fence->shard)
    return Error{ErrorCode::fenced, "of another shard"};
  if (body.session.is_nil()) return Error{ErrorCode::invalid_argument, "a session needs an id"};
  if (stage_.host(body.host)->session == body.session) return {};
  HostRecord& host = stage_.edit_host(body.host);
  host.session = body.session;
  host.session_node = body.node;
  host.connected = stage_.now();
  host.disconnected = {};
  return {};
}

Result<void> CommandApply::operator()(const CloseSessions& body) {
  return each_item(body.items, [&](const CloseSessions::Item& item) -> Check {
    const HostRecord* host = stage_.host(item.host);
    if (host == nullptr) return no_such_host(item.host);
    if (host->session != item.session || item.session.is_nil())
      return Error{ErrorCode::precondition_failed, "the session is not the host's any more"};
    HostRecord& edited = stage_.edit_host(item.host);
    edited.session = {};
    edited.session_node = {};
    edited.disconnected = stage_.now();
    return std::nullopt;
  });
}

Result<void> CommandApply::operator()(const SetHostPhase& body) {
  const HostRecord* host = stage_.host(body.host);
  if (host == nullptr) return no_such_host(body.host);
  outcome_.entity = to_text(body.host);
  if (host->phase == body.phase) return {};
  HostRecord& edited = stage_.edit_host(body.host);
  edited.phase = body.phase;
  edited.eligibility = stage_.index();
  return {};
}

}  // namespace troupe
