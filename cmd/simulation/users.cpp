#include "cmd/simulation/users.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <set>

namespace troupe::simulation {
namespace {

constexpr milliseconds order_patience{30'000};  // Longer than any gateway's own.
/// What may befall the first task of a slot; the next ones do as their script says.
constexpr std::string_view troubles[] = {"hang", "fail", "forget", "ignore_term", "prepare=3s", "crash"};
constexpr std::uint64_t bound_base = 50;  // The register's value is the size's upper bound less this.

std::string size_json(std::uint32_t desired, std::uint64_t version) {
  return R"({"min": 0, "desired": )" + std::to_string(desired) + R"(, "max": )" +
         std::to_string(bound_base + version) + "}";
}

std::string job_json(bool is_service, std::uint32_t size, const std::string& script,
                     const std::string& image) {
  const std::string retry =
      R"({"exponentialBackOff": {"initialDelayMs": "200", "maxDelayIntervalMs": "2000", "retries": 3}})";
  const std::string kind = is_service ? R"("service": {"capacity": )" + size_json(size, 0) +
                                            R"(, "enabled": true, "retryPolicy": )" + retry + "}"
                                      : R"("batch": {"size": )" + std::to_string(size) +
                                            R"(, "runtimeLimitSec": 600, "retryPolicy": )" + retry + "}";
  return R"({"owner": {"teamEmail": "dev@example.com"}, "applicationName": "life", "attributes": {"troupe.sim": ")" +
         script + R"("}, "container": {)" +
         (image.empty() ? "" : R"("image": {"name": ")" + image + R"(", "tag": "1"}, )") +
         R"("resources": {"cpu": 0.1, "memoryMB": 64, "diskMB": 100}, "entryPoint": ["/bin/true"]}, )" +
         kind + "}";
}

JobId id_in(const std::string& body) {
  const std::string key = "\"id\":\"";
  const auto at = body.find(key);
  if (at == std::string::npos) return {};
  const auto id = parse_uuid<JobId>(body.substr(at + key.size(), 36));
  return id.ok() ? id.value() : JobId{};
}

std::optional<std::uint64_t> bound_in(const std::string& body) {
  const std::string key = "\"max\":";
  const auto at = body.find(key);
  if (at == std::string::npos) return std::nullopt;
  std::uint64_t bound = 0;
  std::from_chars(body.data() + at + key.size(), body.data() + body.size(), bound);
  return bound;
}

/// Takes out those for which `is_ready` holds; all others stay in their order.
template <class Ask, class IsReady>
std::vector<Ask> ready_of(std::vector<Ask>& asks, IsReady is_ready) {
  const auto first = std::stable_partition(asks.begin(), asks.end(), std::not_fn(is_ready));
  std::vector<Ask> ready(std::make_move_iterator(first), std::make_move_iterator(asks.end()));
  asks.erase(first, asks.end());
  return ready;
}

bool tells_nothing(int status) { return status == 0 || status >= 500; }

}  // namespace

Users::Users(embedded::SimCluster& cluster, const Ledger& ledger, std::uint32_t images,
             Ledger::Complain complain)
    : cluster_(cluster), ledger_(ledger), images_(images), complain_(std::move(complain)) {}

std::uint32_t Users::some_node(Random& random) const {
  const std::vector<std::uint32_t> nodes = cluster_.nodes();
  return nodes[random.below(nodes.size())];
}

Users::Job* Users::some_job(Random& random, bool services_only, bool idle_only) {
  constexpr int tries = 8;  // The newest jobs are many; any of them will do.
  for (int n = 0; n < tries && !jobs_.empty(); ++n) {
    Job& job = jobs_[random.below(jobs_.size())];
    if (job.id.is_nil() || (services_only && !job.is_service)) continue;
    if (idle_only && (job.is_busy || job.kill_asked)) continue;
    return &job;
  }
  return nullptr;
}

void Users::send(Ask ask, std::uint32_t node) {
  ++ask.tries;
  ask.answer = cluster_.ask(node, ask.method, ask.path, ask.body,
                            {{"x-titus-callerid", "user"}, {"idempotency-key", ask.key}});
  // Of an operator's order it must be known that it will not come late.
  ask.until = cluster_.now() + (ask.kind == Kind::phase ? order_patience : patience);
  asks_.push_back(std::move(ask));
}

void Users::write(Ask ask, std::uint32_t node) {
  jobs_[ask.job].is_busy = true;
  ask.key = "key-" + std::to_string(++keys_);
  send(std::move(ask), node);
}

void Users::submit(Random& random) {
  Job job;
  job.is_service = random.chance(50);
  job.desired = static_cast<std::uint32_t>(random.between(1, 6));
  job.fails = !job.is_service && random.chance(30);
  std::string script = "start=50ms run=forever";
  if (job.fails)
    script = "run=400ms exit=3";
  else if (!job.is_service)
    script = "start=50ms run=" + std::to_string(random.between(50, 8'000)) + "ms exit=0";
  if (random.chance(15)) script += "; attempt 0: " + std::string(troubles[random.below(std::size(troubles))]);
  const std::uint32_t node = some_node(random);
  const std::string image = images_ == 0 ? "" : "image-" + std::to_string(jobs_.size() % images_);
  Ask ask{Kind::submit, jobs_.size(), "POST", "/api/v3/jobs",
          job_json(job.is_service, job.desired, script, image)};
  jobs_.push_back(job);
  write(std::move(ask), node);
}

void Users::kill(Job& job, std::uint32_t node) {
  job.kill_asked = true;
  write({Kind::kill, static_cast<std::size_t>(&job - jobs_.data()), "DELETE",
         "/api/v3/jobs/" + to_text(job.id)},
        node);
}

void Users::kill_job(Random& random) {
  if (Job* job = some_job(random, false, true)) kill(*job, some_node(random));
}

void Users::resize_job(Random& random) {
  Job* job = some_job(random, true, true);
  if (job == nullptr) return;
  job->desired = static_cast<std::uint32_t>(random.between(0, size_max));
  write({Kind::resize, static_cast<std::size_t>(job - jobs_.data()), "PUT",
         "/api/v3/jobs/" + to_text(job->id) + "/instances", size_json(job->desired, ++job->asked)},
        some_node(random));
}

void Users::kill_task(Random& random) {
  Job* job = some_job(random, true, false);
  if (job == nullptr) return;
  const auto is_wanted = [&](const auto& task) {
    return task.second.job == job->id && task.second.state == TaskState::started;
  };
  const auto task = std::find_if(ledger_.tasks().begin(), ledger_.tasks().end(), is_wanted);
  if (task == ledger_.tasks().end()) return;
  Ask ask{Kind::kill_task, 0, "DELETE", "/api/v3/tasks/" + to_text(task->first)};
  ask.key = "key-" + std::to_string(++keys_);
  ask.task = task->first;
  send(std::move(ask), some_node(random));
}

void Users::read_job(Random& random) {
  Job* job = some_job(random, false, false);
  if (job == nullptr) return;
  Ask ask{Kind::read, static_cast<std::size_t>(job - jobs_.data()), "GET",
          "/api/v3/jobs/" + to_text(job->id)};
  ask.floor = std::max(job->acked, job->read);
  send(std::move(ask), some_node(random));
}

void Users::set_phase(std::uint32_t host, bool is_active) {
  send({Kind::phase, 0, "PUT", "/api/v3/hosts/host-" + std::to_string(host) + "/phase",
        is_active ? R"({"phase": "Active"})" : R"({"phase": "Draining"})", "key-" + std::to_string(++keys_)},
       some_node(pauses_));
}

void Users::poll() {
  const Instant now = cluster_.now();
  const auto is_over = [&](const Ask& ask) { return ask.answer->done || ask.until <= now; };
  const auto is_due = [&](const Ask& ask) { return ask.until <= now; };
  // Polled often, and seldom is there anything to do.
  if (std::any_of(asks_.begin(), asks_.end(), is_over))
    for (Ask& ask : ready_of(asks_, is_over)) take(ask);
  if (std::any_of(later_.begin(), later_.end(), is_due))
    for (Ask& ask : ready_of(later_, is_due)) send(std::move(ask), some_node(pauses_));
}

void Users::take(Ask& ask) {
  const int status = ask.answer->done ? ask.answer->response.status : 0;
  const std::string body = ask.answer->response.body;
  ask.answer.reset();
  if (tells_nothing(status)) ++unknown_;
  switch (ask.kind) {
    case Kind::phase:
      if (status != 200 && is_healed_) try_again(std::move(ask));
      return;
    case Kind::kill_task:
      return take_task_kill(ask, status, body);
    case Kind::read:
      return take_read(jobs_[ask.job], ask, status, body);
    default:
      break;
  }
  if (!tells_nothing(status)) return take_write(jobs_[ask.job], ask, status, body);
  if (ask.kind == Kind::submit) jobs_[ask.job].may_exist = true;
  try_again(std::move(ask));
}

void Users::try_again(Ask ask) {
  ask.until = cluster_.now() + milliseconds(pauses_.between(100, 3'000));
  later_.push_back(std::move(ask));
}

void Users::refuse(const Ask& ask, int status, const std::string& body) {
  complain_(ask.method + " " + ask.path + " was answered " + std::to_string(status) + " " + body);
}

void Users::take_submit(Job& job, const Ask& ask, int status, const std::string& body) {
  if (status == 429) return;
  if (status != 202) return refuse(ask, status, body);
  job.id = id_in(body);
  ++submits_;
}

void Users::take_write(Job& job, Ask& ask, int status, const std::string& body) {
  // At the cell's cap now, but an earlier try may yet happen: only the same key tells.
  if (status == 429 && job.may_exist && !is_healed_) return try_again(std::move(ask));
  job.is_busy = false;
  if (ask.kind == Kind::submit) return take_submit(job, ask, status, body);
  // A batch job may have ended before its kill.
  const bool is_gone = status == 404 && !job.is_service && ask.kind == Kind::kill;
  if (status != 200 && !is_gone) return refuse(ask, status, body);
  if (ask.kind == Kind::kill)
    job.kill_known = true;
  else
    job.acked = job.asked;
}

void Users::take_task_kill(const Ask& ask, int status, const std::string& body) {
  // It may have ended, or be ending, by itself.
  if (tells_nothing(status) || status == 404 || status == 409) return;
  if (status != 200) return refuse(ask, status, body);
  const auto told = ledger_.tasks().find(ask.task);
  if (told != ledger_.tasks().end() && !told->second.kill_asked && told->second.state != TaskState::finished)
    complain_("a kill of task " + to_text(ask.task) + " was taken, and it goes on");
}

void Users::take_read(Job& job, const Ask& ask, int status, const std::string& body) {
  if (tells_nothing(status) || status == 429) return;
  if (status != 200) return refuse(ask, status, body + " (a read of an acknowledged job)");
  const auto bound = bound_in(body);
  if (!job.is_service) return;
  if (!bound || *bound < bound_base) return refuse(ask, status, body + " (no size)");
  const std::uint64_t seen = *bound - bound_base;
  if (seen < ask.floor)
    complain_("a read of job " + to_text(job.id) + " saw version " + std::to_string(seen) +
              " after version " + std::to_string(ask.floor) + " was acknowledged or read");
  if (seen > job.asked) complain_("a read of job " + to_text(job.id) + " saw what nobody wrote");
  job.read = std::max(job.read, seen);
}

bool Users::knows_all_outcomes() const {
  const auto is_read = [](const Ask& ask) { return ask.kind == Kind::read || ask.kind == Kind::kill_task; };
  return later_.empty() && std::all_of(asks_.begin(), asks_.end(), is_read);
}

void Users::shed(std::uint64_t tasks_max) {
  std::uint64_t wanted = 0;
  for (const Job& job : jobs_)
    if (job.is_service && !job.id.is_nil() && !job.kill_asked) wanted += job.desired;
  for (Job& job : jobs_) {
    if (wanted <= tasks_max) return;
    if (!job.is_service || job.id.is_nil() || job.kill_asked || job.is_busy) continue;
    wanted -= job.desired;
    kill(job, some_node(pauses_));
  }
}

void Users::kill_everything() {
  for (Job& job : jobs_)
    if (!job.id.is_nil() && job.is_service && !job.kill_asked) kill(job, some_node(pauses_));
}

std::string Users::not_right(const Reads& reads) {
  std::string first;
  std::size_t wrong = 0;
  for (Job& job : jobs_) {
    if (job.has_ended_well || job.id.is_nil()) continue;
    const std::string why = not_right(job, reads);
    if (why.empty()) continue;
    if (wrong++ == 0) first = why;
  }
  return wrong < 2 ? first : first + "; so are " + std::to_string(wrong - 1) + " more jobs";
}

std::string Users::standing_of(const TaskRecord& task, const Reads& reads) {
  const ShardId shard = reads.shard_of(EntityRef::of(task.id));
  std::string text = "; task " + to_text(task.id) + " of shard " + std::to_string(shard.value) +
                     ", which is node " + std::to_string(reads.shard(shard).owner.value) + "'s, is " +
                     std::string(state_text(task.state));
  if (const auto host = reads.host_facts(task.host)) {
    text += " on " + host->record.name;
    text += host->record.is_connected()
                ? ", connected through node " + std::to_string(host->record.session_node.value)
                : ", disconnected for " +
                      std::to_string((reads.cell_record().now - host->record.disconnected).count()) + " ms";
  }
  return text;
}

std::string Users::not_right(Job& job, const Reads& reads) {
  const bool should_end = job.kill_asked || !job.is_service;
  std::string look = "job " + to_text(job.id) + (job.is_service ? " (service)" : " (batch)");
  bool is_right = false;
  std::vector<TaskRecord> open;
  const bool lives = reads.with_job(job.id, [&](const JobView& view) {
    for (const SlotEntry& slot : view.slots)
      if (slot.live != nullptr && slot.live->state != TaskState::started && open.size() < open_told_max)
        open.push_back(*slot.live);
    const std::uint32_t started = view.counts.in(TaskState::started);
    is_right = !should_end && started == job.desired && view.counts.live() == job.desired &&
               view.record.capacity.desired == job.desired;
    look += " is " + std::string(state_text(view.record.state)) + ", wants " + std::to_string(job.desired) +
            " of " + std::to_string(view.record.capacity.desired) + ", has " +
            std::to_string(view.counts.live()) + " live, " + std::to_string(started) + " started tasks" +
            (job.kill_asked ? ", and was killed" : "");
    if (!view.record.set_aside.empty()) look += ", and is set aside";
  });
  if (lives && is_right) return {};  // Asked again: a service may still move.
  for (const TaskRecord& task : open) look += standing_of(task, reads);
  if (lives) return look;
  const auto archived = reads.archived_job(job.id);
  if (!archived.ok() || !archived.value()) return look + " is neither live nor archived";
  if (!should_end) return look + " has ended, and nobody killed it";
  const Reason reason = archived.value()->record.reason;
  const Reason wanted = job.fails ? Reason::failed : Reason::normal;
  if (!job.kill_asked && reason != wanted)
    complain_(look + " ended for the reason " + std::string(reason_text(reason)));
  job.has_ended_well = true;
  return {};
}

std::string Users::strangers(const Reads& reads) const {
  std::set<JobId> known;
  for (const Job& job : jobs_) known.insert(job.id);
  std::string all;
  reads.each_job({}, [&](const JobView& view) {
    if (!known.contains(view.record.id)) all += " " + to_text(view.record.id);
    return true;
  });
  return all.empty() ? "" : "nobody asked for these jobs:" + all;
}

}  // namespace troupe::simulation
