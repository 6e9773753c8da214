#include <algorithm>
#include <charconv>
#include <unordered_map>

#include "actors/gateway/handlers.hpp"
#include "actors/gateway/mutation.hpp"
#include "actors/gateway/where.hpp"
#include "net/api/entity_json.hpp"
#include "net/api/query.hpp"
#include "net/api/reading.hpp"

namespace troupe::gateway {
namespace {

Error no_such_host(std::string_view name) {
  return {ErrorCode::not_found, "there is no host " + std::string(name)};
}

Result<HostPhase> parse_phase(std::string_view text) {
  return api::read_body<HostPhase>(text, [](const json::Value& value, std::vector<Violation>& violations) {
    json::ObjectReader reader(value, "", violations);
    const std::string name = reader.required_string("phase");
    const auto phase = host_phase_from_text(name);
    if (!phase && violations.empty())
      reader.complain("phase", "must be one of Active, Draining, Quarantined");
    reader.finish();
    return phase.value_or(HostPhase::active);
  });
}

}  // namespace

std::optional<HostId> find_host(const Reads& reads, std::string_view text) {
  if (auto id = reads.host_id(text)) return id;
  HostId id;
  const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), id.value);
  if (fault != std::errc{} || stop != text.data() + text.size() || !reads.host_facts(id)) return std::nullopt;
  return id;
}

http::Response list_hosts(const NodeContext& node, const Call& call) {
  const auto query = api::parse_query(call.request, api::ListOf::hosts);
  if (!query.ok()) return http::error_response(query.error());
  api::Listed listed(query.value().ordering(), query.value().paging);
  std::unordered_map<std::uint32_t, HostFacts> hosts;
  Where where(query.value(), node.now());
  for (HostFacts& facts : node.reads().hosts()) {
    const api::HostSubject subject{facts.record, facts.used, facts.tasks, facts.launches,
                                   facts.pause ? &*facts.pause : nullptr};
    if (!where.holds(subject)) continue;
    listed.add(subject, api::sort_key(facts.record));
    hosts.emplace(facts.record.id.value, std::move(facts));
  }
  if (where.is_spent()) return http::error_response(Where::too_costly());
  std::vector<api::SortKey> places;
  const api::Page page = listed.page(places);
  return http::json_response(
      200, api::result_json(page, query.value().fields, [&](json::Writer& writer, std::size_t i) {
        const HostFacts& host = hosts.at(api::host_of(places[i - page.begin]).value);
        api::host_json(writer, host.record, host.used, host.tasks, host.launches, host.pause);
      }));
}

http::Response get_host(const NodeContext& node, const Call& call) {
  if (const auto checked = check_parameters(call, {"consistency"}); !checked.ok())
    return http::error_response(checked.error());
  const std::string& name = call.captured.at(0);
  const auto id = find_host(node.reads(), name);
  const auto view = id ? node.reads().host(*id) : std::nullopt;
  if (!view) return http::error_response(no_such_host(name));
  json::Writer writer;
  api::host_json(writer, *view);
  return http::json_response(200, writer.take());
}

void put_host_phase(Services& services, const CallPtr& call) {
  if (const auto checked = check_json_body(*call); !checked.ok()) return call->fail(checked.error());
  const auto phase = parse_phase(call->request.body);
  if (!phase.ok()) return call->fail(phase.error());
  // The name must be looked up in a state that has a host registered a moment ago.
  services.when_fresh(call, api::Consistency::linearizable, [&services, call, phase = phase.value()] {
    const std::string& name = call->captured.at(0);
    const auto id = find_host(services.node().reads(), name);
    if (!id) return call->fail(no_such_host(name));
    mutate(services, call, SetHostPhase{*id, phase}, {.status = 200, .entity_url = "/api/v3/hosts/" + name});
  });
}

}  // namespace troupe::gateway
