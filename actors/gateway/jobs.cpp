#include <set>

#include "actors/agent/sim_script.hpp"
#include "actors/gateway/handlers.hpp"
#include "actors/gateway/mutation.hpp"
#include "actors/gateway/pin_image.hpp"
#include "actors/gateway/where.hpp"
#include "net/api/bodies.hpp"
#include "net/api/descriptor.hpp"
#include "net/api/entity_json.hpp"
#include "net/api/query.hpp"

namespace troupe::gateway {
namespace {

std::string id_json(std::string_view id) {
  json::Writer writer;
  writer.begin_object();
  writer.key("id");
  writer.text(id);
  writer.end_object();
  return writer.take();
}

struct JobCopy {
  JobRecord record;
  JobCounts counts;
};

/// The page's jobs. One that has ended since it was counted comes from the archive.
std::vector<JobCopy> copy_page(const Reads& reads, const std::vector<api::SortKey>& places, api::Page& page) {
  std::vector<JobCopy> copies;
  for (const api::SortKey& place : places) {
    const JobId id{place.id};
    if (reads.with_job(id, [&](const JobView& view) { copies.push_back({view.record, view.counts}); }))
      continue;
    auto archived = reads.archived_job(id);
    if (archived.ok() && archived.value()) copies.push_back({std::move(archived.value()->record), {}});
  }
  page.end = page.begin + copies.size();
  return copies;
}

void resize(Services& services, const CallPtr& call, const ResizeJob& body) {
  mutate(services, call, body, {.status = 200, .entity_url = job_url(body.job)});
}

/// What only simulated containers understand is refused where it was said, not found out on a host.
Result<void> check_sim_script(const JobDescriptor& descriptor) {
  const auto text = agent::find_sim_script(descriptor.attributes, descriptor.env);
  const auto script = agent::parse_sim_script(text, {});
  if (script.ok()) return {};
  const bool in_attributes = descriptor.attributes.contains("troupe.sim");
  Error error{ErrorCode::invalid_argument, "the script of the simulated containers cannot be read"};
  error.violations.push_back(
      {in_attributes ? "attributes.troupe.sim" : "container.env.TROUPE_SIM", script.error().message});
  return error;
}

}  // namespace

void create_job(Services& services, const CallPtr& call) {
  if (const auto checked = check_json_body(*call); !checked.ok()) return call->fail(checked.error());
  auto descriptor = api::parse_job_descriptor(call->request.body);
  if (!descriptor.ok()) return call->fail(descriptor.error());
  if (const auto checked = check_sim_script(descriptor.value()); !checked.ok())
    return call->fail(checked.error());
  pin_image(services, call, std::move(descriptor).value(), [&services, call](DescriptorPtr job) {
    const CreateJob body{services.random().uuid<JobId>(), std::move(job)};
    mutate(services, call, body,
           {.status = 202,
            .entity_url = job_url(body.job),
            .body = [](const Outcome& outcome) { return id_json(outcome.entity); },
            .made_under = "/api/v3/jobs/"});
  });
}

void kill_job(Services& services, const CallPtr& call) {
  const auto id = captured_id<JobId>(*call);
  if (!id.ok()) return call->fail(id.error());
  mutate(services, call, KillJob{id.value()}, {.status = 200, .entity_url = job_url(id.value())});
}

void put_instances(Services& services, const CallPtr& call) {
  const auto id = captured_id<JobId>(*call);
  if (!id.ok()) return call->fail(id.error());
  if (const auto checked = check_json_body(*call); !checked.ok()) return call->fail(checked.error());
  const auto size = api::parse_capacity(call->request.body);
  if (!size.ok()) return call->fail(size.error());
  resize(services, call, {id.value(), size.value().min, size.value().desired, size.value().max});
}

void put_capacity_attributes(Services& services, const CallPtr& call) {
  const auto id = captured_id<JobId>(*call);
  if (!id.ok()) return call->fail(id.error());
  if (const auto checked = check_json_body(*call); !checked.ok()) return call->fail(checked.error());
  const auto change = api::parse_capacity_change(call->request.body);
  if (!change.ok()) return call->fail(change.error());
  resize(services, call, {id.value(), change.value().min, change.value().desired, change.value().max});
}

namespace {

/// Those with tasks on hosts that are being drained: few hosts, and only when asked.
std::set<JobId> jobs_to_migrate(const Reads& reads) {
  std::set<JobId> jobs;
  for (const HostFacts& facts : reads.hosts()) {
    if (facts.record.phase != HostPhase::draining) continue;
    const auto host = reads.host(facts.record.id);
    if (!host) continue;
    for (const TaskId& id : host->tasks)
      if (const auto task = reads.task(id)) jobs.insert(task->record.job);
  }
  return jobs;
}

}  // namespace

http::Response list_jobs(const NodeContext& node, const Call& call) {
  const auto query = api::parse_query(call.request, api::ListOf::jobs);
  if (!query.ok()) return http::error_response(query.error());
  api::Listed listed(query.value().ordering(), query.value().paging);
  Where where(query.value(), node.now());
  const auto needs_migration = query.value().criteria.needs_migration;
  const auto to_migrate = needs_migration ? jobs_to_migrate(node.reads()) : std::set<JobId>();
  node.reads().each_job({}, [&](const JobView& view) {
    if (!api::matches(query.value().criteria, view.record)) return true;
    if (needs_migration && *needs_migration != to_migrate.contains(view.record.id)) return true;
    const api::JobSubject subject{view.record, view.counts};
    if (!where.holds(subject)) return !where.is_spent();
    listed.add(subject, api::sort_key(view.record));
    return true;
  });
  if (where.is_spent()) return http::error_response(Where::too_costly());
  std::vector<api::SortKey> places;
  api::Page page = listed.page(places);
  const auto copies = copy_page(node.reads(), places, page);
  return http::json_response(
      200, api::result_json(page, query.value().fields, [&](json::Writer& writer, std::size_t i) {
        const std::size_t at = i - page.begin;
        api::job_json(writer, copies[at].record, &copies[at].counts);
      }));
}

http::Response get_job(const NodeContext& node, const Call& call) {
  const auto id = captured_id<JobId>(call);
  if (!id.ok()) return http::error_response(id.error());
  const auto query = api::parse_query(call.request, api::ListOf::jobs);
  if (!query.ok()) return http::error_response(query.error());
  json::Writer writer;
  const bool is_live = node.reads().with_job(
      id.value(), [&](const JobView& view) { api::job_json(writer, view.record, &view.counts); });
  if (!is_live) {
    const auto archived = node.reads().archived_job(id.value());
    if (!archived.ok()) return http::error_response(archived.error());
    if (!archived.value())
      return http::error_response({ErrorCode::not_found, "there is no job " + to_text(id.value())});
    api::job_json(writer, archived.value()->record);
  }
  return http::json_response(200, api::project(writer.take(), query.value().fields));
}

}  // namespace troupe::gateway
