#include "cmd/simulation/plan.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "storage/base/random.hpp"

namespace troupe::simulation {
namespace {

struct Weight {
  StepKind kind;
  std::uint32_t weight;
};

constexpr Weight requests[] = {{StepKind::kill_job, 30},      {StepKind::resize_job, 25},
                               {StepKind::kill_task, 10},     {StepKind::read_job, 32},
                               {StepKind::drain_host, 1},     {StepKind::activate_host, 2},
                               {StepKind::transfer_leader, 1}};
constexpr Weight faults[] = {
    {StepKind::crash_node, 18}, {StepKind::crash_all_nodes, 2}, {StepKind::isolate_node, 10},
    {StepKind::freeze_node, 8}, {StepKind::cut_nodes, 10},      {StepKind::crash_agent, 18},
    {StepKind::kill_host, 5},   {StepKind::isolate_host, 12},   {StepKind::leap_clock, 3},
    {StepKind::drift_clock, 3}, {StepKind::break_disk, 3},      {StepKind::freeze_agent, 8},
    {StepKind::slow_agent, 4},  {StepKind::slow_link, 5},       {StepKind::stray_agent, 2},
    {StepKind::resize_host, 3}, {StepKind::damage_log, 4},      {StepKind::lose_disk, 3},
    {StepKind::add_node, 3},    {StepKind::remove_node, 3},     {StepKind::other_build, 4}};
constexpr Weight repairs[] = {
    {StepKind::restart_node, 35}, {StepKind::heal, 30}, {StepKind::restart_agent, 35}};

template <std::size_t N>
StepKind drawn(Random& random, const Weight (&weights)[N]) {
  std::uint64_t sum = 0;
  for (const Weight& each : weights) sum += each.weight;
  std::uint64_t at = random.below(sum);
  for (const Weight& each : weights) {
    if (at < each.weight) return each.kind;
    at -= each.weight;
  }
  return weights[0].kind;
}

template <std::size_t N>
void spread(Plan& plan, Random& random, std::uint64_t per_minute, const Weight (&weights)[N]) {
  const std::uint64_t count = per_minute * static_cast<std::uint64_t>(plan.scope.span.count()) / 60'000;
  for (std::uint64_t n = 0; n < count; ++n) {
    const milliseconds at(random.between(0, plan.scope.span.count()));
    const StepKind kind = drawn(random, weights);
    plan.steps.push_back({at, kind, random.next()});
  }
}

template <class Value, std::size_t N>
Value one_of(Random& random, const std::array<Value, N>& values) {
  return values[random.below(N)];
}

Tunables draw_tunables(Random& random) {
  Tunables drawn;
  drawn.resets = one_of<std::uint32_t>(random, std::array<std::uint32_t, 3>{0, 200, 2'000});
  drawn.drops = one_of<std::uint32_t>(random, std::array<std::uint32_t, 4>{0, 0, 0, 200});
  drawn.log_keep_entries = one_of(random, std::array<std::int64_t, 3>{1'000'000, 1'000, 100});
  drawn.state_flush_ms = random.between(200, 5'000);
  drawn.actor_crashes = one_of(random, std::array<std::uint32_t, 2>{0, 4});
  drawn.sync_max_us = one_of(random, std::array<std::int64_t, 3>{400, 400, 5'000});
  drawn.host_cpu_milli = one_of(random, std::array<std::int64_t, 3>{8'000, 8'000, 1'000});
  drawn.jobs_max = one_of(random, std::array<std::uint64_t, 4>{20'000, 20'000, 20'000, 12});
  drawn.plan_errors = one_of(random, std::array<std::uint32_t, 2>{0, 8});
  drawn.shuffled_turns = one_of(random, std::array<std::uint32_t, 2>{0, 1});
  drawn.older_build = one_of(random, std::array<std::uint32_t, 2>{0, 1});
  return drawn;
}

}  // namespace

std::string_view kind_text(StepKind kind) {
  constexpr std::string_view texts[] = {
      "submit",        "kill_job",        "resize_job",   "kill_task",       "read_job",      "drain_host",
      "activate_host", "transfer_leader", "crash_node",   "crash_all_nodes", "restart_node",  "isolate_node",
      "freeze_node",   "cut_nodes",       "heal",         "crash_agent",     "restart_agent", "kill_host",
      "isolate_host",  "leap_clock",      "drift_clock",  "break_disk",      "freeze_agent",  "slow_agent",
      "slow_link",     "stray_agent",     "resize_host",  "damage_log",      "lose_disk",     "add_node",
      "remove_node",   "other_build",     "fail_registry"};
  static_assert(std::size(texts) == static_cast<std::size_t>(max_value(StepKind{})) + 1);
  return texts[static_cast<std::size_t>(kind)];
}

Scope small_scope() {
  Scope scope;
  scope.span = milliseconds(45'000);
  scope.hosts = 3;
  scope.submits_per_s = 1;
  scope.other_requests_per_s = 1;
  scope.faults_per_minute = 60;
  return scope;
}

Scope loaded_scope() { return {}; }

Plan draw_plan(std::uint64_t seed, const Scope& scope) {
  Plan plan{seed, scope, {}, {}, {}};
  Random random(seed * 2'654'435'761 + 17);
  plan.tunables = draw_tunables(random);
  constexpr Weight submits[] = {{StepKind::submit, 1}};
  spread(plan, random, std::uint64_t{60} * scope.submits_per_s, submits);
  spread(plan, random, std::uint64_t{60} * scope.other_requests_per_s, requests);
  spread(plan, random, scope.faults_per_minute, faults);
  spread(plan, random, scope.faults_per_minute / 2, repairs);
  // Drawn last, so that what came before it is what it was.
  plan.tunables.images = one_of(random, std::array<std::uint32_t, 3>{0, 0, 60});
  constexpr Weight registry[] = {{StepKind::fail_registry, 1}};
  if (plan.tunables.images > 0) spread(plan, random, scope.faults_per_minute / 10, registry);
  std::stable_sort(plan.steps.begin(), plan.steps.end(),
                   [](const Step& a, const Step& b) { return a.at < b.at; });
  return plan;
}

Plan only(const Plan& plan, const std::vector<std::size_t>& numbers) {
  Plan some = plan;
  some.steps.clear();
  some.kept.clear();
  for (const std::size_t number : numbers) {
    if (number == 0 || number > plan.steps.size()) continue;
    some.steps.push_back(plan.steps[number - 1]);
    some.kept.push_back(plan.kept.empty() ? number : plan.kept[number - 1]);
  }
  return some;
}

namespace {

/// Calls `use(name, drawn, usual)` with each tunable of the plan.
template <class Use>
void each_tunable(Tunables& drawn, const Tunables& usual, Use use) {
  Tunables::fields()([&](const auto&... one) { (use(one.name, drawn.*one.member, usual.*one.member), ...); });
}

bool names(std::string_view list, std::string_view wanted) {
  while (!list.empty()) {
    const std::string_view name = list.substr(0, list.find(','));
    if (name == wanted) return true;
    list.remove_prefix(std::min(name.size() + 1, list.size()));
  }
  return false;
}

}  // namespace

Result<void> make_plain(Plan& plan, std::string_view list) {
  std::string all;
  std::size_t known = 0;
  const Tunables usual;
  each_tunable(plan.tunables, usual, [&](std::string_view name, auto& drawn, const auto& as_usual) {
    all += std::string(all.empty() ? "" : ", ") + std::string(name);
    if (!names(list, name) && list != "all") return;
    drawn = as_usual;
    ++known;
  });
  const auto said = static_cast<std::size_t>(std::count(list.begin(), list.end(), ',')) + 1;
  if (list.empty() || list == "all" || known == said) return {};
  return Error{ErrorCode::invalid_argument, "the tunables are " + all};
}

std::string plain_tunables(const Plan& plan) {
  Tunables drawn = plan.tunables;
  const Tunables as_drawn = draw_plan(plan.seed, plan.scope).tunables;
  Tunables copy = as_drawn;
  std::string list;
  each_tunable(drawn, copy, [&](std::string_view name, auto& now, const auto& then) {
    if (now != then) list += std::string(list.empty() ? "" : ",") + std::string(name);
  });
  return list;
}

Result<std::vector<std::size_t>> parse_numbers(std::string_view text) {
  constexpr std::size_t numbers_max = 1'000'000;
  std::vector<std::size_t> numbers;
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto wrong = [&] {
    return Error{ErrorCode::invalid_argument,
                 "expected step numbers such as 3,7-9; it goes wrong at character " +
                     std::to_string(at - text.data() + 1)};
  };
  while (at != end) {
    std::size_t first = 0, last = 0;
    auto read = std::from_chars(at, end, first);
    if (read.ec != std::errc{} || first == 0) return wrong();
    at = read.ptr;
    last = first;
    if (at != end && *at == '-') {
      read = std::from_chars(at + 1, end, last);
      if (read.ec != std::errc{} || last < first || last - first >= numbers_max) return wrong();
      at = read.ptr;
    }
    for (std::size_t n = first; n <= last; ++n) numbers.push_back(n);
    if (numbers.size() > numbers_max) return wrong();
    if (at == end) break;
    if (*at != ',' || at + 1 == end) return wrong();
    ++at;
  }
  return numbers;
}

std::string numbers_text(const std::vector<std::size_t>& numbers) {
  std::string text;
  for (std::size_t n = 0; n < numbers.size();) {
    std::size_t last = n;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
    text += (text.empty() ? "" : ",") + std::to_string(numbers[n]);
    if (last != n) text += "-" + std::to_string(numbers[last]);
    n = last + 1;
  }
  return text;
}

}  // namespace troupe::simulation
