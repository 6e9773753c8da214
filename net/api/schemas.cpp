// The shapes of bodies and answers. What has a table of its own (error codes, constraints, the cell's limits,
// a descriptor's bounds) is taken from there.

#include "net/api/constraint_names.hpp"
#include "net/api/descriptor.hpp"
#include "net/api/openapi.hpp"
#include "net/api/policy.hpp"
#include "net/api/schema_text.hpp"
#include "storage/model/command_table.hpp"

namespace troupe::api {
namespace {

using namespace schema;

template <class Enum>
Text states() {
  std::vector<std::string_view> names;
  for (std::size_t n = 0; n <= static_cast<std::size_t>(max_value(Enum{})); ++n)
    names.push_back(state_text(static_cast<Enum>(n)));
  return enumeration(names);
}

Text reasons() {
  std::vector<std::string_view> names;
  for (std::size_t n = 1; n <= static_cast<std::size_t>(max_value(Reason{})); ++n)
    names.push_back(reason_text(static_cast<Reason>(n)));
  return enumeration(names);
}

Text error_codes() {
  std::vector<std::string_view> names;
  for (std::size_t n = 0; n <= static_cast<std::size_t>(max_value(ErrorCode{})); ++n)
    names.push_back(code_text(static_cast<ErrorCode>(n)));
  return enumeration(names);
}

Text commands() {
  std::vector<std::string_view> names;
  for (const auto& row : command_table()) names.push_back(row.name);
  return enumeration(names);
}

Text error() {
  constexpr std::array<std::string_view, 4> retries{"never", "elsewhere", "later", "unknown"};
  return object(
      {{"statusCode", integer(400, 599)},
       {"code", error_codes()},
       {"message", text()},
       {"retry", enumeration(retries)},
       may("hint", text()),
       may("requestId", text()),
       may("entityUrl", text()),
       may("limit",
           object({{"name", text()}, {"max", integer()}, {"used", integer()}, {"retryAfterMs", integer()}})),
       may("violations", array_of(object({{"path", text()},
                                          {"message", text()},
                                          may("line", integer(1)),
                                          may("column", integer(1))})))});
}

Text plan() {
  const Text ended = object({{"taskId", uuid()}, {"taskVersion", digits()}, {"jobId", uuid()}});
  const Text place = object({{"slot", integer()},
                             {"host", text()},
                             {"hostVersion", digits()},
                             {"waits", boolean()},
                             {"preempted", array_of(ended)}});
  return object({{"index", digits()},
                 {"tasks", integer()},
                 {"waiting", integer()},
                 {"placements", array_of(place)},
                 {"plan", text()},
                 may("why", open_object({{"taskId", uuid()}}))});
}

// ---- descriptors ----
Text retry_policy() {
  const Text retries = integer(0, DescriptorLimits{}.retries_max);
  return object({may("immediate", object({may("retries", retries)})),
                 may("delayed", object({may("delayMs", digits_or_integer()), may("retries", retries)})),
                 may("exponentialBackOff",
                     object({may("initialDelayMs", digits_or_integer()),
                             may("maxDelayIntervalMs", digits_or_integer()), may("retries", retries)}))});
}

Text resources() {
  const DescriptorLimits limits;
  const auto amount = [&](std::int64_t Resources::*member) { return integer(0, limits.ceiling.*member); };
  return object({may("cpu", number()), may("gpu", amount(&Resources::gpu)),
                 may("memoryMB", amount(&Resources::memory_mb)), may("diskMB", amount(&Resources::disk_mb)),
                 may("networkMbps", amount(&Resources::network_mbps)),
                 may("ports", amount(&Resources::ports)), may("shmSizeMB", amount(&Resources::memory_mb))});
}

Text constraints() {
  std::vector<Property> known;
  for (const auto& name : constraint_names()) known.push_back(may(name.name, text()));
  // Any case is understood: the contract writes them as Titus does.
  return object({may("constraints", object(known))});
}

Text container() {
  const Text image = object({{"name", text()}, may("tag", text()), may("digest", text())});
  return object({may("resources", ref("ContainerResources")), may("image", image),
                 may("entryPoint", array_of(text())), may("command", array_of(text())),
                 may("env", map_of(text())), may("hardConstraints", constraints()),
                 may("softConstraints", constraints())});
}

Text batch() {
  const DescriptorLimits limits;
  return object({{"size", integer(0, limits.batch_size_max)},
                 may("runtimeLimitSec", digits_or_integer()),
                 may("retryPolicy", ref("RetryPolicy")),
                 may("retryOnRuntimeLimit", boolean())});
}

Text service() {
  return object({{"capacity", ref("Capacity")},
                 may("enabled", boolean()),
                 may("retryPolicy", ref("RetryPolicy")),
                 may("serviceJobProcesses", ref("ServiceJobProcesses"))});
}

Text descriptor() {
  return object(
      {{"owner", object({{"teamEmail", text_like("@")}})},
       {"applicationName", text()},
       may("capacityGroup", text()),
       may("jobGroupInfo", object({may("stack", text()), may("detail", text()), may("sequence", text())})),
       may("attributes", map_of(text())),
       {"container", container()},
       may("batch", batch()),
       may("service", service()),
       may("disruptionBudget", ref("DisruptionBudget"))});
}

Text capacity(Must must) {
  const Text size = integer(0, DescriptorLimits{}.service_size_max);
  return object({{"min", size, must}, {"desired", size, must}, {"max", size, must}});
}

Text budget() {
  const Text percent = R"({"type":"number","minimum":0,"maximum":100})";
  const Text hours = object({{"startHour", integer(0, 24)}, {"endHour", integer(0, 24)}});
  const Text window = object(
      {may("days", array_of(text())), may("hourlyTimeWindows", array_of(hours)), may("timeZone", text())});
  return object(
      {may("selfManaged", object({{"relocationTimeMs", digits_or_integer()}})),
       may("availabilityPercentageLimit", object({{"percentageOfHealthyContainers", percent}})),
       may("unhealthyTasksLimit", object({{"limitOfUnhealthyContainers", integer(1)}})),
       may("relocationLimit", object({{"limit", integer(1)}})), may("rateUnlimited", object({})),
       may("ratePercentagePerHour", object({{"maxPercentageOfContainersRelocatedInHour", percent}})),
       may("ratePerInterval",
           object({{"intervalMs", digits_or_integer()}, {"limitPerInterval", integer(1)}})),
       may("ratePercentagePerInterval",
           object({{"intervalMs", digits_or_integer()}, {"percentageLimitPerInterval", percent}})),
       may("timeWindows", array_of(window)),
       may("containerHealthProviders", array_of(object({{"name", text()}})))});
}

// ---- jobs and tasks ----
Text status(Text state) {
  return object({{"state", std::move(state)},
                 may("reasonCode", reasons()),
                 may("reasonMessage", text()),
                 {"timestamp", digits()},
                 may("exitCode", R"({"type":"integer"})"),
                 may("signal", integer())});
}

Text version() { return object({{"timestamp", digits()}, {"index", digits()}}); }

Text job() {
  const Text slots = object({{"empty", integer()},
                             {"running", integer()},
                             {"ended", integer()},
                             {"waiting", integer()},
                             {"done", integer()},
                             {"failed", integer()}});
  const Text tasks = object({{"accepted", integer()},
                             {"launched", integer()},
                             {"startInitiated", integer()},
                             {"started", integer()},
                             {"killInitiated", integer()},
                             {"finished", integer()}});
  return object({{"id", uuid()},
                 {"jobDescriptor", ref("JobDescriptor")},
                 {"status", ref("JobStatus")},
                 {"statusHistory", array_of(ref("JobStatus"))},
                 may("summary", object({{"slots", slots}, {"tasks", tasks}})),
                 may("throttled", object({{"since", digits()}, {"reason", text()}})),
                 may("setAside", text()),
                 {"version", version()}});
}

Text task() {
  const Text url = object({{"url", text()}});
  return object({{"id", uuid()},
                 {"jobId", uuid()},
                 {"taskContext", map_of(text())},
                 {"status", ref("TaskStatus")},
                 {"statusHistory", array_of(ref("TaskStatus"))},
                 {"logLocation", object({{"ui", url}, {"liveStream", url}})},
                 {"attributes", map_of(text())},
                 may("ports", array_of(integer(1, 65'535))),
                 may("migrationDetails", object({{"needsMigration", boolean()}})),
                 may("setAside", text()),
                 {"version", version()}});
}

Text list_of(std::string_view item) {
  return object({{"items", array_of(ref(item))}, {"pagination", ref("Pagination")}});
}

Text pagination() {
  return object({{"currentPage", object({{"pageNumber", integer()}, {"pageSize", integer(1)}})},
                 {"hasMore", boolean()},
                 {"totalPages", integer()},
                 {"totalItems", integer()},
                 {"cursor", text()},
                 {"cursorPosition", integer()}});
}

Text attributes_change(std::string_view id_name) {
  return object({may(id_name, text()), {"attributes", map_of(text())}});
}

// ---- hosts and the cell ----
Text phases() {
  std::vector<std::string_view> names;
  for (std::size_t n = 0; n <= static_cast<std::size_t>(max_value(HostPhase{})); ++n)
    names.push_back(phase_text(static_cast<HostPhase>(n)));
  return enumeration(names);
}

/// Of somebody who paused scheduling.
Text pause() { return object({{"since", digits()}, {"by", text()}, {"reason", text()}}); }

Text host() {
  const Text amounts = object({{"cpu", number()},
                               {"gpu", integer()},
                               {"memoryMB", integer()},
                               {"diskMB", integer()},
                               {"networkMbps", integer()},
                               may("ports", integer())});
  return object(
      {{"id", integer(1)},
       {"name", text()},
       {"hostGroup", text()},
       {"phase", phases()},
       {"connected", boolean()},
       may("node", integer(1)),
       {"resources", amounts},
       {"attributes", map_of(text())},
       {"drivers", array_of(text())},
       {"registered", digits()},
       may("connectedAt", digits()),
       may("disconnectedAt", digits()),
       may("setAside", text()),
       may("paused", pause()),
       {"version", version()},
       {"used", amounts},
       {"taskCount", integer()},
       {"launches", object({{"underWay", integer()}, {"failures", integer()}, may("restsUntil", digits())})},
       may("tasks", array_of(uuid()))});
}

Text rate() {
  return object({{"name", text()},
                 may("caller", text()),
                 may("endpoint", text()),
                 {"burst", integer(1)},
                 {"perMinute", integer(1)},
                 may("shared", boolean())});
}

Text policy(Must must) {
  std::vector<Property> known;
  for (const auto& count : policy_counts())
    known.push_back({count.name, integer(count.min, count.max), must});
  for (const auto& time : policy_times())
    known.push_back({time.name, integer(time.min_ms, time.max_ms), must});
  known.push_back({"rates", array_of(ref("Rate")), must});
  return object(known);
}

Text cell() {
  return object({{"name", text()},
                 {"ready", boolean()},
                 {"build", text()},
                 {"node", integer(1)},
                 {"leader", integer()},
                 {"members", array_of(integer(1))},
                 {"term", digits()},
                 {"commit", digits()},
                 {"applied", digits()},
                 {"stateTime", digits()},
                 {"shards", integer()},
                 {"level", integer()},
                 {"jobs", integer()},
                 {"tasks", integer()},
                 {"hosts", integer()},
                 {"hostsConnected", integer()},
                 {"tasksWaiting", integer()},
                 {"jobsThrottled", integer()},
                 {"requestsRemembered", integer()},
                 {"setAside", integer()},
                 may("readOnly", text()),
                 may("paused", pause()),
                 {"policy", ref("Policy")}});
}

Text limits() {
  const Text limit = object({{"used", integer()}, {"max", integer()}, {"left", integer()}});
  const Text perhaps = object({{"used", integer()}, may("max", integer()), may("left", integer())});
  const Text whose = object({{"name", text()}, {"jobs", perhaps}, {"tasks", perhaps}});
  constexpr std::array<std::string_view, 3> roles{"submitter", "operator", "agent"};
  const Text caller = object({{"name", text()},
                              {"verified", boolean()},
                              {"roles", array_of(enumeration(roles))},
                              {"jobs", perhaps},
                              {"tasks", perhaps}});
  const Text rate_left = object({{"name", text()},
                                 {"endpoint", text()},
                                 {"burst", integer(1)},
                                 {"perMinute", integer(1)},
                                 {"shared", boolean()},
                                 {"left", integer()},
                                 {"retryAfterMs", integer()}});
  return object({{"jobs", limit},
                 {"tasks", limit},
                 {"requests", limit},
                 {"caller", caller},
                 {"capacityGroups", array_of(whose)},
                 {"node", integer(1)},
                 {"rates", array_of(rate_left)}});
}

Text health() {
  constexpr std::array<std::string_view, 2> statuses{"SERVING", "NOT_SERVING"};
  return object({{"status", enumeration(statuses)},
                 may("why", text()),
                 {"node", integer(1)},
                 {"leader", integer()},
                 {"term", digits()},
                 {"commit", digits()},
                 {"applied", digits()}});
}

Text audit_page() {
  constexpr std::array<std::string_view, 2> outcomes{"done", "refused"};
  const Text entry = object({{"ordinal", digits()},
                             {"index", digits()},
                             {"timestamp", digits()},
                             {"command", commands()},
                             {"caller", text()},
                             {"callReason", text()},
                             {"requestId", text()},
                             {"subject", text()},
                             {"outcome", enumeration(outcomes)},
                             may("code", error_codes()),
                             may("message", text()),
                             {"digest", text_like("^[0-9a-f]{64}$")},
                             {"chain", text_like("^[0-9a-f]{64}$")}});
  return object({{"items", array_of(entry)},
                 {"hasMore", boolean()},
                 {"cursor", text()},
                 {"head", object({{"first", digits()}, {"last", digits()}, {"chain", text()}})}});
}

Text trace() {
  constexpr std::array<std::string_view, 2> states{"on", "over"};
  const Text node = object({{"node", integer(1)},
                            may("state", enumeration(states)),
                            may("why", text()),
                            may("messages", integer()),
                            may("error", text())});
  const Text note = object({{"nodes", array_of(integer(1))},
                            {"kind", text()},
                            {"entity", text()},
                            {"what", text()},
                            may("detail", text()),
                            may("link", text()),
                            {"index", digits()},
                            {"at", digits()}});
  return object({{"id", text()},
                 {"entity", text()},
                 {"state", enumeration(states)},
                 {"nodes", array_of(node)},
                 {"items", array_of(note)}});
}

/// Each section may be {"missing": why} instead; those named here can always be had.
Text debug() {
  const auto section = [] { return open_object({}); };
  const Text counted = open_object({{"value", integer(INT64_MIN)}, {"default", integer(INT64_MIN)}});
  return object({{"about", open_object({{"node", integer(0)},
                                        {"cell", text()},
                                        {"takenAt", text()},
                                        {"build", text()},
                                        {"levelKnown", integer(0)},
                                        {"level", integer(0)}})},
                 {"process", section()},
                 {"threads", section()},
                 {"status", open_object({{"serves", boolean()}, may("why", text())})},
                 {"peers", open_object({{"nodes", array_of(section())}, {"followers", array_of(section())}})},
                 {"settings", map_of(counted)},
                 {"policy", section()},
                 {"disk", section()},
                 {"stores", section()},
                 {"actors", section()},
                 {"duties", section()},
                 {"members", section()},
                 {"requests", section()},
                 {"shards", section()},
                 {"metrics", open_object({{"text", text()}, may("cut", boolean())})},
                 {"log", open_object({{"gone", integer(0)}, {"lines", array_of(text())}})}});
}

}  // namespace

std::map<std::string_view, std::string> schemas() {
  return {
      {"Nothing", object({})},
      {"Anything", open_object({})},
      {"Error", error()},
      {"Id", object({{"id", uuid()}})},
      {"RetryPolicy", retry_policy()},
      {"ContainerResources", resources()},
      {"Capacity", capacity(Must::be)},
      {"CapacityChange", capacity(Must::may)},
      {"ServiceJobProcesses",
       object({may("disableIncreaseDesired", boolean()), may("disableDecreaseDesired", boolean())})},
      {"DisruptionBudget", budget()},
      {"JobDescriptor", descriptor()},
      {"JobStatus", status(states<JobState>())},
      {"Job", job()},
      {"Jobs", list_of("Job")},
      {"JobAttributesChange", attributes_change("jobId")},
      {"TaskStatus", status(states<TaskState>())},
      {"Task", task()},
      {"Tasks", list_of("Task")},
      {"TaskAttributesChange", attributes_change("taskId")},
      {"TaskMove", object({{"taskId", uuid()}, {"sourceJobId", uuid()}, {"targetJobId", uuid()}})},
      {"Pagination", pagination()},
      {"HostPhaseChange", object({{"phase", phases()}})},
      {"Scheduling", object({{"paused", boolean()}})},
      {"Host", host()},
      {"Hosts", list_of("Host")},
      {"Rate", rate()},
      {"Policy", policy(Must::be)},
      {"PolicyChange", policy(Must::may)},
      {"Cell", cell()},
      {"Limits", limits()},
      {"Plan", plan()},
      {"PlanRequest", object({may("job", ref("JobDescriptor")),
                              may("resize", object({{"jobId", uuid()}, {"desired", integer()}}))})},
      {"PlannedSubmit", object({{"plan", text()}, may("job", ref("JobDescriptor"))})},
      {"Health", health()},
      {"AuditPage", audit_page()},
      {"Debug", debug()},
      {"NewMember", object({{"node", integer(1)}, {"address", text()}})},
      {"NewLeader", object({{"node", integer(1)}})},
      {"NewOwner", object({{"node", integer(1)}})},
      {"HandOver", object({{"seconds", integer(1, 3600)}})},
      {"NewTrace",
       object({{"entity", text()}, may("messages", integer(1, 10'000)), may("seconds", integer(1, 600))})},
      {"Trace", trace()}};
}

}  // namespace troupe::api
