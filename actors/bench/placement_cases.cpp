#include "actors/bench/placement_cases.hpp"

#include <algorithm>
#include <array>

namespace troupe::placement {
namespace {

constexpr std::int64_t fill_percent = 95;

constexpr std::array<Resources, 5> sizes{{{16'000, 64'000, 1'000'000, 10'000, 0},
                                          {32'000, 128'000, 1'000'000, 10'000, 0},
                                          {64'000, 256'000, 2'000'000, 20'000, 0},
                                          {48'000, 384'000, 2'000'000, 20'000, 0},
                                          {96'000, 192'000, 4'000'000, 40'000, 0}}};

void plain(JobDescriptor&, std::uint32_t, Random&) {}

auto hard(std::string name, std::string value) {
  return [=](JobDescriptor& job, std::uint32_t, Random&) { job.hard_constraints[name] = value; };
}
auto soft(std::string name, std::string value) {
  return [=](JobDescriptor& job, std::uint32_t, Random&) { job.soft_constraints[name] = value; };
}

/// A third of the shapes ask for a machine type, a zone, or nothing.
void basic(JobDescriptor& job, std::uint32_t number, Random&) {
  if (number % 3 == 1) job.hard_constraints["machineType"] = "m" + std::to_string(number % 5);
  if (number % 3 == 2)
    job.hard_constraints["availabilityZone"] = std::string(1, static_cast<char>('a' + number / 3 % 3));
}

std::vector<Case> make_cases() {
  return {
      {"basic", "1,000 shapes in turn, onto hosts of five sizes", 10'000, 1'000'000, 0, 0, 0, 1'000, basic},
      {"node-affinity", "an expression over attributes", 5'000, 50'000, 0, 0, 0, 50,
       hard("expression", "availabilityZone in (a, b) && machineType != m4")},
      {"affinity", "each job in one zone", 5'000, 50'000, 0, 0, 0, 50, hard("jobAffinity", "zone")},
      {"preferred-affinity", "each job in one zone, if possible", 5'000, 50'000, 0, 0, 0, 50,
       soft("jobAffinity", "zone")},
      {"anti-affinity", "no two tasks of a job on one host", 5'000, 50'000, 0, 0, 0, 20,
       hard("jobAntiAffinity", "host")},
      {"preferred-anti-affinity", "no two tasks of a job on one host, if possible", 5'000, 50'000, 0, 0, 0,
       20, soft("jobAntiAffinity", "host")},
      {"topology-spread", "each job even over zones", 5'000, 50'000, 0, 0, 0, 50,
       hard("topologySpread", "zone:1")},
      {"preferred-topology-spread", "each job even over zones, if possible", 5'000, 50'000, 0, 0, 0, 50,
       soft("topologySpread", "zone:1")},
      {"host-spread", "each job even over hosts", 5'000, 50'000, 0, 0, 0, 50,
       hard("topologySpread", "host:1")},
      {"one-per-host", "two jobs with one task on every host", 15'000, 30'000, 0, 0, 0, 2,
       hard("uniqueHost", "true")},
      {"services", "services that spread themselves", 5'000, 50'000, 0, 0, 0, 50,
       [](JobDescriptor& job, std::uint32_t, Random&) { job.kind = ServiceSpec{}; }},
      {"unschedulable", "every tenth task fits nowhere", 5'000, 50'000, 10, 0, 0, 1'000, plain},
      {"preemption", "full hosts, and tasks for which others must end", 10'000, 39'000, 0, 0, 0, 0, plain,
       true},
      {"churn", "tasks end, come and hosts change all the time", 5'000, 50'000, 0, 500, 20, 1'000, plain},
  };
}

/// All jobs' tasks together use `fill_percent` of what the hosts have.
void scale(std::vector<JobDescriptor>& jobs, const Case& what) {
  Resources total;
  for (std::uint32_t n = 1; n <= what.hosts; ++n) total += host_of(n).total;
  Resources asked;
  const auto count = static_cast<std::int64_t>(jobs.size());
  for (const JobDescriptor& job : jobs) asked += job.resources;
  // The smallest host must take the largest task, too.
  const auto fit = [&](std::int64_t amount, std::int64_t have, std::int64_t sum) {
    const std::int64_t per_task = have * fill_percent / 100 / what.tasks;
    return std::max<std::int64_t>(1, amount * per_task * count / std::max<std::int64_t>(sum, 1));
  };
  for (JobDescriptor& job : jobs) {
    job.resources.cpu_milli =
        std::min<std::int64_t>(fit(job.resources.cpu_milli, total.cpu_milli, asked.cpu_milli), 8'000);
    job.resources.memory_mb =
        std::min<std::int64_t>(fit(job.resources.memory_mb, total.memory_mb, asked.memory_mb), 32'000);
  }
}

}  // namespace

const std::vector<Case>& cases() {
  static const std::vector<Case> all = make_cases();
  return all;
}

const Case* find_case(const std::string& name) {
  const auto found =
      std::find_if(cases().begin(), cases().end(), [&](const Case& what) { return what.name == name; });
  return found == cases().end() ? nullptr : &*found;
}

scheduler::HostFacts host_of(std::uint32_t number) {
  scheduler::HostFacts host;
  host.id = HostId{number};
  host.name = "host-" + std::to_string(number);
  host.total = sizes[number % sizes.size()];
  host.as_of = {Index{1}};
  host.eligibility = Index{1};
  host.connected = true;
  host.drivers = {"sim"};
  host.attributes = {{"availabilityZone", std::string(1, static_cast<char>('a' + number / 5 % 3))},
                     {"machineType", "m" + std::to_string(number % sizes.size())},
                     {"rack", "r" + std::to_string(number / 40)}};
  return host;
}

Workload workload_of(const Case& what, Random& random) {
  std::vector<JobDescriptor> jobs(what.jobs);
  for (std::uint32_t n = 0; n < what.jobs; ++n) {
    jobs[n].resources = {random.between(50, 400), random.between(50, 400), 1, 1, 0};
    jobs[n].capacity_group = "DEFAULT";
    what.shape(jobs[n], n, random);
  }
  scale(jobs, what);
  Workload work;
  for (JobDescriptor& job : jobs)
    work.jobs.emplace_back(random.uuid<JobId>(), std::make_shared<const JobDescriptor>(std::move(job)));
  for (std::uint32_t n = 0; what.unplaceable_percent > 0 && n < what.jobs; ++n) {
    JobDescriptor job = *work.jobs[n].second;
    job.resources.cpu_milli = 200'000 + n;
    work.unplaceable.emplace_back(random.uuid<JobId>(),
                                  std::make_shared<const JobDescriptor>(std::move(job)));
  }
  return work;
}

}  // namespace troupe::placement
