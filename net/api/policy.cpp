#include "net/api/policy.hpp"

#include <array>

#include "net/api/members.hpp"
#include "net/api/reading.hpp"

namespace troupe::api {
namespace {

constexpr std::int64_t second = 1'000, minute = 60 * second, day = 24 * 60 * minute;
constexpr std::int64_t many = 1'000'000'000;

constexpr std::array counts{
    PolicyCount{"jobsMax", &CellPolicy::jobs_max, 0, many, "live jobs of the cell"},
    PolicyCount{"tasksMax", &CellPolicy::tasks_max, 0, many, "live tasks of the cell, by the jobs' sizes"},
    PolicyCount{"requestsMax", &CellPolicy::requests_max, 1, many, "remembered request ids"},
    PolicyCount{"callerJobsMax", &CellPolicy::caller_jobs_max, 0, many,
                "live jobs of one submitter; 0: the cell's limit only"},
    PolicyCount{"callerTasksMax", &CellPolicy::caller_tasks_max, 0, many,
                "live tasks of one submitter, by its jobs' sizes; 0: the cell's limit only"},
    PolicyCount{"auditMax", &CellPolicy::audit_max, 1, many, "entries of the audit that are kept"},
    PolicyCount{"levelMax", &CellPolicy::level_max, 0, CellPolicy::level_unbounded,
                "feature level above which the cell is not raised: the way back to an older build"},
    PolicyCount{"relaunchBurst", &CellPolicy::relaunch_burst, 0, many,
                "launches after failures, of one job at once, beside one for each of its tasks"},
    PolicyCount{"relaunchesPerMinute", &CellPolicy::relaunches_per_minute, 0, many,
                "the same a minute, for each task of the job; 0: no limit"},
    PolicyCount{"launchBurst", &CellPolicy::launch_burst, 1, many, "launches of the cell at once"},
    PolicyCount{"launchesPerMinute", &CellPolicy::launches_per_minute, 0, many,
                "launches of the cell a minute; 0: no limit"},
    PolicyCount{"launchesMax", &CellPolicy::launches_max, 0, many,
                "launches of the cell under way; 0: no limit"},
    PolicyCount{"hostLaunchBurst", &CellPolicy::host_launch_burst, 1, many, "launches on a host at once"},
    PolicyCount{"hostLaunchesPerMinute", &CellPolicy::host_launches_per_minute, 0, many,
                "launches on a host a minute; 0: no limit"},
    PolicyCount{"hostLaunchesMax", &CellPolicy::host_launches_max, 0, many,
                "launches on a host under way; 0: no limit"},
};

constexpr std::array times{
    PolicyTime{"requestMemoryMs", &CellPolicy::request_memory, minute, 30 * day,
               "how long a request id is remembered"},
    PolicyTime{"launchedMsMax", &CellPolicy::launched_max, second, day, "longest stay in Launched"},
    PolicyTime{"startInitiatedMsMax", &CellPolicy::start_initiated_max, second, day,
               "longest stay in StartInitiated"},
    PolicyTime{"killInitiatedMsMax", &CellPolicy::kill_initiated_max, second, day,
               "longest stay in KillInitiated"},
    PolicyTime{"hostLostAfterMs", &CellPolicy::host_lost_after, second, day,
               "a host that is away for so long has lost its tasks"},
    PolicyTime{
        "hostRestMs", &CellPolicy::host_rest_first, 0, day,
        "a host on which launches of two jobs failed takes none for so long, twice as long each further "
        "time; 0: never"},
    PolicyTime{"hostRestMsMax", &CellPolicy::host_rest_max, second, day, "the longest of these rests"},
};

RateRule read_rule(json::ObjectReader& reader) {
  constexpr std::int64_t calls_max = 1'000'000'000;
  RateRule rule;
  rule.name = read_name(reader, "name", rate_text_bytes_max);
  if (is_blank(rule.name)) reader.complain("name", "is required and must not be blank");
  for (const auto& [name, pattern] : {std::pair{"caller", &rule.caller}, {"endpoint", &rule.endpoint}})
    if (auto given = read_name(reader, name, rate_text_bytes_max); !given.empty())
      *pattern = std::move(given);
  rule.burst = static_cast<std::uint32_t>(read_required_integer(reader, "burst", {1, calls_max}));
  rule.per_minute = static_cast<std::uint32_t>(read_required_integer(reader, "perMinute", {1, calls_max}));
  rule.is_shared = reader.optional_bool("shared").value_or(false);
  reader.finish();
  return rule;
}

void read_rates(json::ObjectReader& reader, CellPolicy& out) {
  if (!reader.has("rates")) return;
  out.rates.clear();
  for (auto& rule : reader.optional_object_list("rates")) {
    if (out.rates.size() == rate_rules_max)
      return reader.complain("rates", "must be at most " + std::to_string(rate_rules_max));
    out.rates.push_back(read_rule(rule));
    for (std::size_t n = 0; n + 1 < out.rates.size(); ++n)
      if (out.rates[n].name == out.rates.back().name) rule.complain("name", "is there twice");
  }
}

CellPolicy read_policy_change(const json::Value& value, const CellPolicy& now,
                              std::vector<Violation>& violations) {
  json::ObjectReader reader(value, "", violations);
  CellPolicy out = now;
  for (const auto& count : counts)
    if (const auto given = read_integer(reader, count.name, {count.min, count.max}))
      out.*count.member = static_cast<std::uint64_t>(*given);
  for (const auto& time : times)
    if (const auto given = read_integer(reader, time.name, {time.min_ms, time.max_ms}))
      out.*time.member = milliseconds(*given);
  read_rates(reader, out);
  reader.finish();
  return out;
}

}  // namespace

std::span<const PolicyCount> policy_counts() { return counts; }
std::span<const PolicyTime> policy_times() { return times; }

void rate_json(json::Writer& writer, const RateRule& rule) {
  writer.begin_object();
  text_json(writer, "name", rule.name);
  text_json(writer, "caller", rule.caller);
  text_json(writer, "endpoint", rule.endpoint);
  number_json(writer, "burst", rule.burst);
  number_json(writer, "perMinute", rule.per_minute);
  writer.key("shared");
  writer.boolean(rule.is_shared);
  writer.end_object();
}

void policy_json(json::Writer& writer, const CellPolicy& policy) {
  writer.begin_object();
  for (const auto& count : counts) number_json(writer, count.name, policy.*count.member);
  for (const auto& time : times) amount_json(writer, time.name, (policy.*time.member).count());
  writer.key("rates");
  writer.begin_array();
  for (const RateRule& rule : policy.rates) rate_json(writer, rule);
  writer.end_array();
  writer.end_object();
}

Result<CellPolicy> parse_policy_change(std::string_view text, const CellPolicy& now) {
  return read_body<CellPolicy>(text, [&](const json::Value& value, std::vector<Violation>& violations) {
    return read_policy_change(value, now, violations);
  });
}

}  // namespace troupe::api
