#include "net/api/budget.hpp"

#include "net/api/members.hpp"
#include "net/api/reading.hpp"

namespace troupe::api {
namespace {

using json::ObjectReader;
using Policy = DisruptionBudget::Policy;
using Rate = DisruptionBudget::Rate;
constexpr std::int64_t relocation_ms_max = 864'000'000;  // ten days, as a batch task's longest run
constexpr std::int64_t interval_ms_max = 3'600'000;
constexpr std::int64_t count_max = 1'000'000;
constexpr std::int64_t milli_percent_max = 100'000;
constexpr std::size_t text_bytes_max = 256;
constexpr std::string_view only_provider = "alwaysHealthy";

std::uint32_t read_count(ObjectReader& reader, std::string_view name) {
  return static_cast<std::uint32_t>(read_required_integer(reader, name, {1, count_max}));
}

std::uint32_t read_percentage(ObjectReader& reader, std::string_view name) {
  if (!reader.has(name)) reader.complain(name, "is required");
  return static_cast<std::uint32_t>(read_milli(reader, name, {0, milli_percent_max}).value_or(0));
}

milliseconds read_interval(ObjectReader& reader) {
  return milliseconds(read_required_integer(reader, "intervalMs", {1, interval_ms_max}));
}

void read_policy(ObjectReader& budget, DisruptionBudget& out) {
  const auto named = budget.exactly_one_of(
      {"selfManaged", "availabilityPercentageLimit", "unhealthyTasksLimit", "relocationLimit"});
  if (!named) return;
  auto policy = budget.optional_object(*named);
  if (!policy) return;
  for (const auto kind :
       {Policy::self_managed, Policy::availability_percentage, Policy::unhealthy_tasks, Policy::relocations})
    if (policy_text(kind) == *named) out.policy = kind;
  if (out.policy == Policy::self_managed)
    out.relocation_time =
        milliseconds(read_required_integer(*policy, "relocationTimeMs", {0, relocation_ms_max}));
  if (out.policy == Policy::availability_percentage)
    out.policy_milli_percent = read_percentage(*policy, "percentageOfHealthyContainers");
  if (out.policy == Policy::unhealthy_tasks)
    out.policy_limit = read_count(*policy, "limitOfUnhealthyContainers");
  if (out.policy == Policy::relocations) out.policy_limit = read_count(*policy, "limit");
  policy->finish();
}

void read_rate(ObjectReader& budget, DisruptionBudget& out) {
  int given = 0;
  for (const auto kind :
       {Rate::unlimited, Rate::percentage_per_hour, Rate::per_interval, Rate::percentage_per_interval}) {
    auto rate = budget.optional_object(rate_text(kind));
    if (!rate) continue;
    if (++given > 1) return rate->complain("", "is one rate too many: there can be only one");
    out.rate = kind;
    if (kind == Rate::percentage_per_hour)
      out.rate_milli_percent = read_percentage(*rate, "maxPercentageOfContainersRelocatedInHour");
    if (kind == Rate::per_interval || kind == Rate::percentage_per_interval)
      out.interval = read_interval(*rate);
    if (kind == Rate::per_interval) out.rate_limit = read_count(*rate, "limitPerInterval");
    if (kind == Rate::percentage_per_interval)
      out.rate_milli_percent = read_percentage(*rate, "percentageLimitPerInterval");
    rate->finish();
  }
}

DisruptionWindow read_window(ObjectReader& window) {
  DisruptionWindow out;
  const auto days = window.optional_string_list("days").value_or(std::vector<std::string>{});
  for (const std::string& name : days) {
    if (const auto day = day_from_text(name))
      out.days.push_back(*day);
    else
      window.complain("days", "must be of Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday");
  }
  for (auto& hours : window.optional_object_list("hourlyTimeWindows")) {
    const auto hour = [&](std::string_view name) {
      return static_cast<std::uint32_t>(read_required_integer(hours, name, {0, 24}));
    };
    const DisruptionWindow::Hours read{hour("startHour"), hour("endHour")};
    if (read.start >= read.end) hours.complain("startHour", "must be below endHour");
    hours.finish();
    out.hours.push_back(read);
  }
  out.time_zone = read_name(window, "timeZone", text_bytes_max);
  if (out.days.size() > windows_max || out.hours.size() > windows_max)
    window.complain("", "must have at most " + std::to_string(windows_max) + " days and hours");
  window.finish();
  return out;
}

void read_windows(ObjectReader& budget, DisruptionBudget& out) {
  for (auto& window : budget.optional_object_list("timeWindows")) {
    if (out.windows.size() == windows_max)
      return budget.complain("timeWindows", "must be at most " + std::to_string(windows_max));
    out.windows.push_back(read_window(window));
  }
}

void read_health(ObjectReader& budget, DisruptionBudget& out) {
  for (auto& provider : budget.optional_object_list("containerHealthProviders")) {
    if (out.health.size() == health_providers_max)
      return budget.complain("containerHealthProviders",
                             "must be at most " + std::to_string(health_providers_max));
    HealthProvider read{read_name(provider, "name", text_bytes_max), {}};
    if (read.name != only_provider)
      provider.complain("name", "must be " + std::string(only_provider) + ": this cell has no other");
    if (const auto given = provider.optional_string_map("attributes"); given && !given->empty())
      provider.complain("attributes", std::string(only_provider) + " takes none");
    provider.finish();
    out.health.push_back(std::move(read));
  }
}

void percentage_json(json::Writer& writer, std::string_view name, std::uint32_t milli) {
  writer.key(name);
  writer.real(static_cast<double>(milli) / 1000.0);
}

void policy_members(json::Writer& writer, const DisruptionBudget& budget) {
  writer.key(policy_text(budget.policy));
  writer.begin_object();
  if (budget.policy == Policy::self_managed)
    text_json(writer, "relocationTimeMs", std::to_string(budget.relocation_time.count()));
  if (budget.policy == Policy::availability_percentage)
    percentage_json(writer, "percentageOfHealthyContainers", budget.policy_milli_percent);
  if (budget.policy == Policy::unhealthy_tasks)
    number_json(writer, "limitOfUnhealthyContainers", budget.policy_limit);
  if (budget.policy == Policy::relocations) number_json(writer, "limit", budget.policy_limit);
  writer.end_object();
}

void rate_members(json::Writer& writer, const DisruptionBudget& budget) {
  writer.key(rate_text(budget.rate));
  writer.begin_object();
  if (budget.rate == Rate::percentage_per_hour)
    percentage_json(writer, "maxPercentageOfContainersRelocatedInHour", budget.rate_milli_percent);
  if (budget.rate == Rate::per_interval || budget.rate == Rate::percentage_per_interval)
    text_json(writer, "intervalMs", std::to_string(budget.interval.count()));
  if (budget.rate == Rate::per_interval) number_json(writer, "limitPerInterval", budget.rate_limit);
  if (budget.rate == Rate::percentage_per_interval)
    percentage_json(writer, "percentageLimitPerInterval", budget.rate_milli_percent);
  writer.end_object();
}

void window_json(json::Writer& writer, const DisruptionWindow& window) {
  writer.begin_object();
  writer.key("days");
  writer.begin_array();
  for (const auto day : window.days) writer.text(day_text(day));
  writer.end_array();
  writer.key("hourlyTimeWindows");
  writer.begin_array();
  for (const auto& hours : window.hours) {
    writer.begin_object();
    number_json(writer, "startHour", hours.start);
    number_json(writer, "endHour", hours.end);
    writer.end_object();
  }
  writer.end_array();
  text_json(writer, "timeZone", window.time_zone);
  writer.end_object();
}

}  // namespace

DisruptionBudget read_budget(ObjectReader& reader) {
  DisruptionBudget out;
  read_policy(reader, out);
  read_rate(reader, out);
  read_windows(reader, out);
  read_health(reader, out);
  reader.finish();
  return out;
}

void budget_json(json::Writer& writer, const DisruptionBudget& budget) {
  writer.begin_object();
  policy_members(writer, budget);
  rate_members(writer, budget);
  writer.key("timeWindows");
  writer.begin_array();
  for (const auto& window : budget.windows) window_json(writer, window);
  writer.end_array();
  writer.key("containerHealthProviders");
  writer.begin_array();
  for (const auto& provider : budget.health) {
    writer.begin_object();
    text_json(writer, "name", provider.name);
    writer.end_object();
  }
  writer.end_array();
  writer.end_object();
}

}  // namespace troupe::api
