#include "tests/cmd/embedded/cell.hpp"

#include <cstdlib>

#include "actors/runtime/logging.hpp"

namespace troupe::embedded {

std::string json_of(const JobShape& shape) {
  const std::string size = std::to_string(shape.size);
  const std::string kind =
      shape.is_service ? R"("service": {"capacity": {"min": 0, "desired": )" + size +
                             R"(, "max": 50}, "enabled": true, "retryPolicy": )" + shape.retry + "}"
                       : R"("batch": {"size": )" + size + R"(, "runtimeLimitSec": )" +
                             std::to_string(shape.limit_s) + R"(, "retryPolicy": )" + shape.retry + "}";
  return R"({"owner": {"teamEmail": "dev@example.com"}, "applicationName": "sums", "attributes": {"troupe.sim": ")" +
         shape.script + R"("}, "container": {"resources": {"cpu": 0.1, "memoryMB": )" +
         std::to_string(shape.memory_mb) + R"(, "diskMB": 100}, "entryPoint": ["/bin/true"]}, )" + kind + "}";
}

JobId job_id_of(const http::Response& response) {
  const std::string key = "\"id\":\"";
  const auto at = response.body.find(key);
  if (at == std::string::npos) return {};
  auto id = parse_uuid<JobId>(response.body.substr(at + key.size(), 36));
  return id.ok() ? id.value() : JobId{};
}

SimOptions cell_options(std::uint64_t seed, std::uint32_t hosts) {
  SimOptions options;
  options.seed = seed;
  options.hosts = hosts;
  options.policy.host_lost_after = milliseconds(10'000);
  return options;
}

namespace {
/// What the nodes log of thousands of lives would hide which one failed.
SimOptions hushed(SimOptions options) {
  if (std::getenv("TROUPE_SIM_LOG") == nullptr) logging::set_least(logging::Level::silent);
  return options;
}
}  // namespace

Cell::Cell(SimOptions options) : sim(hushed(options)), nodes(options.nodes), hosts(options.hosts) {
  EXPECT_TRUE(await_whole(milliseconds(30'000))) << why_not_whole();
}

std::uint32_t Cell::up() const {
  for (std::uint32_t n = 1; n <= nodes; ++n)
    if (sim.is_up(n) && sim.failure(n).empty() && sim.status(n)->leased.load()) return n;
  return 0;
}

std::uint32_t Cell::other_than(std::uint32_t node) const { return node % nodes + 1; }

bool Cell::await(const std::function<bool()>& done, milliseconds at_most) {
  return sim.run_until(done, at_most);
}

std::string Cell::why_not_whole() const { return sim.why_not_whole(); }

bool Cell::is_whole() const { return why_not_whole().empty(); }
bool Cell::await_whole(milliseconds at_most) {
  return await([this] { return is_whole(); }, at_most);
}

http::Response Cell::post(std::uint32_t node, const JobShape& shape, const std::string& key,
                          milliseconds patience) {
  http::Headers headers{{"x-titus-callerid", "tester"}};
  if (!key.empty()) headers["idempotency-key"] = key;
  return sim.call(node, "POST", "/api/v3/jobs", json_of(shape), headers, patience);
}

JobId Cell::submit(const JobShape& shape, std::uint32_t node) {
  const http::Response made = post(node == 0 ? up() : node, shape);
  EXPECT_EQ(made.status, 202) << made.body;
  return job_id_of(made);
}

int Cell::kill(const JobId& job) { return sim.call(up(), "DELETE", "/api/v3/jobs/" + to_text(job)).status; }
int Cell::resize(const JobId& job, std::uint32_t desired) {
  return sim
      .call(up(), "PUT", "/api/v3/jobs/" + to_text(job) + "/instances",
            R"({"min": 0, "max": 50, "desired": )" + std::to_string(desired) + "}")
      .status;
}

JobLook Cell::look(const JobId& job, std::uint32_t node) const {
  JobLook look;
  if (node == 0) node = up();
  const Reads* reads = node == 0 ? nullptr : sim.reads(node);
  if (reads == nullptr) return look;
  const auto fill = [&](const JobRecord& record) {
    look.exists = true;
    look.state = record.state;
    look.reason = record.reason;
    look.set_aside = record.set_aside;
    look.desired = record.capacity.desired;
  };
  const bool lives = reads->with_job(job, [&](const JobView& view) {
    fill(view.record);
    look.live = view.counts.live();
    look.started = view.counts.in(TaskState::started);
    for (const SlotEntry& slot : view.slots) {
      look.slots.push_back(slot.record);
      if (slot.live != nullptr) look.tasks.push_back(slot.live->id);
    }
  });
  if (lives) return look;
  const auto archived = reads->archived_job(job);
  if (archived.ok() && archived.value()) fill(archived.value()->record);
  return look;
}

bool Cell::await_finished(const JobId& job, Reason reason, milliseconds at_most) {
  if (!await([&] { return look(job).is_finished(); }, at_most)) return false;
  EXPECT_EQ(static_cast<int>(look(job).reason), static_cast<int>(reason));
  return look(job).reason == reason;
}

bool Cell::await_running(const JobId& job, std::uint32_t count, milliseconds at_most) {
  return await(
      [&] {
        const JobLook now = look(job);
        return now.started == count && now.live == count;
      },
      at_most);
}

std::map<std::uint32_t, int> Cell::shards_owned() const {
  std::map<std::uint32_t, int> owned;
  if (const std::uint32_t node = up(); node != 0)
    for (const ShardRecord& shard : sim.reads(node)->shards()) ++owned[shard.owner.value];
  return owned;
}

std::string Cell::duties() const {
  if (up() == 0) return "no node may speak for the cell";
  std::string all;
  const Reads& reads = *sim.reads(up());
  for (std::uint16_t s = 0; s < reads.shard_count(); ++s)
    for (const Duty& duty : reads.all_duties(ShardId{s})) all += duty.entity.text() + " ";
  return all;
}

std::string Cell::violations() const {
  std::string all;
  for (const std::string& violation : sim.violations()) all += violation + "\n";
  return all;
}

}  // namespace troupe::embedded
