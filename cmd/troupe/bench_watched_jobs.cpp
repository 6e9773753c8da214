#include "cmd/troupe/bench_watched_jobs.hpp"

#include <fmt/core.h>

#include <set>

#include "cmd/troupe/bench_submitter.hpp"
#include "cmd/troupe/cli_value.hpp"
#include "storage/base/id.hpp"

namespace troupe::cli {
namespace {

constexpr std::uint16_t shards = 64;
constexpr int submits_max = 1'000;  ///< ids are random: 64 shards are met after about 300
constexpr milliseconds timeout{10'000};
constexpr milliseconds change_patience{20'000};

constexpr const char* empty_service =
    R"({"owner":{"teamEmail":"bench@example.com"},"applicationName":"watched",)"
    R"("attributes":{"troupe.sim":"run=forever"},)"
    R"("container":{"entryPoint":["/bin/true"],"resources":{"cpu":0.1,"memoryMB":16,"diskMB":1}},)"
    R"("service":{"capacity":{"min":0,"desired":0,"max":1},"retryPolicy":{"immediate":{"retries":0}}}})";

}  // namespace

Result<void> WatchedJobs::create() {
  Random random = Random::from_system();
  auto client = client_of(cell_.http_port(1), timeout);
  for (int n = 0; n < submits_max && jobs_.size() < shards; ++n) {
    auto id = submit(client, empty_service, fresh_key(random));
    if (!id.ok()) return id.error();
    const auto parsed = parse_uuid<JobId>(id.value());
    if (!parsed.ok()) return parsed.error();
    jobs_.try_emplace(shard_of(parsed.value(), shards).value, Job{id.value(), 0, false});
  }
  return {};
}

Result<std::map<std::uint16_t, std::uint32_t>> WatchedJobs::owners(std::uint16_t port) const {
  auto client = client_of(port, timeout);
  auto said = get_json(client, "/api/v3/console?command=shards");
  if (!said.ok()) return said.error();
  std::map<std::uint16_t, std::uint32_t> owners;
  const json::Value* list = said.value().find("shards");
  if (list == nullptr || list->array() == nullptr) return Error{ErrorCode::internal, "no list of shards"};
  for (const json::Value& shard : *list->array())
    owners[static_cast<std::uint16_t>(integer_at(shard, "shard"))] =
        static_cast<std::uint32_t>(integer_at(shard, "owner"));
  return owners;
}

std::size_t WatchedJobs::owned_by(std::uint32_t node, std::uint16_t port) {
  auto told = owners(port);
  if (!told.ok()) return 0;
  std::size_t count = 0;
  for (const auto& [shard, owner] : told.value()) count += owner == node && jobs_.contains(shard) ? 1 : 0;
  return count;
}

bool WatchedJobs::are_shards_spread(std::uint16_t port) const {
  auto told = owners(port);
  if (!told.ok()) return false;
  std::map<std::uint32_t, std::size_t> counts;
  for (const auto& [shard, owner] : told.value()) ++counts[owner];
  std::set<std::size_t> sizes;
  for (const auto& [owner, count] : counts) sizes.insert(count);
  return counts.size() == cell_.nodes() && *sizes.rbegin() - *sizes.begin() <= 1;
}

Result<void> WatchedJobs::prepare(std::uint32_t victim) {
  auto told = owners(other_port(victim));
  if (!told.ok()) return told.error();
  for (auto& [shard, job] : jobs_) job.watched = told.value()[shard] == victim;
  return {};
}

bool WatchedJobs::change(std::uint32_t victim) {
  auto client = client_of(other_port(victim), timeout);
  Await pacing(milliseconds(2));
  for (auto& [shard, job] : jobs_) {
    if (!job.watched) continue;
    job.tasks = 1 - job.tasks;
    const std::string target = "/api/v3/jobs/" + job.id + "/instances";
    const std::string body = fmt::format(R"({{"min":0,"desired":{},"max":1}})", job.tasks);
    const bool done = pacing.until(
        [&] {
          auto answer = client.call("PUT", target, body, {{"content-type", "application/json"}});
          return answer.ok() && answer.value().status == 200;
        },
        change_patience);
    if (!done) return false;
  }
  return true;
}

bool WatchedJobs::is_cared_for(std::uint32_t victim) {
  auto client = client_of(other_port(victim), timeout);
  for (auto& [shard, job] : jobs_) {
    if (!job.watched) continue;
    auto said = get_json(client, "/api/v3/jobs/" + job.id + "?consistency=stale");
    if (!said.ok()) return false;
    const json::Value* tasks = value_at(said.value(), "summary/tasks");
    if (tasks == nullptr || tasks->object() == nullptr) return false;
    std::int64_t live = 0;
    for (const json::Member& state : *tasks->object())
      if (const auto* count = state.value.integer()) live += *count;
    if (live != job.tasks) return false;
    job.watched = false;
  }
  return true;
}

}  // namespace troupe::cli
