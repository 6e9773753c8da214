#include "cmd/troupe/sim_command.hpp"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdio>
#include <iostream>

#include "actors/runtime/logging.hpp"
#include "cmd/simulation/shrink.hpp"
#include "storage/base/planted_bug.hpp"
#include "storage/base/time.hpp"

namespace troupe::cli {
namespace {

using simulation::Plan;
using simulation::Verdict;

struct SeedRange {
  std::uint64_t first = 0, last = 0;
};

std::optional<SeedRange> parse_seeds(std::string_view text) {
  SeedRange range;
  const char* const end = text.data() + text.size();
  auto read = std::from_chars(text.data(), end, range.first);
  if (read.ec != std::errc{}) return std::nullopt;
  range.last = range.first;
  if (read.ptr == end) return range;
  if (!std::string_view(read.ptr, end).starts_with("..")) return std::nullopt;
  read = std::from_chars(read.ptr + 2, end, range.last);
  if (read.ec != std::errc{} || read.ptr != end || range.last < range.first) return std::nullopt;
  return range;
}

std::string repeat_command(const Sim& args, const Plan& plan) {
  std::string command = "troupe sim --seed " + std::to_string(plan.seed);
  if (args.is_small) command += " --small";
  const simulation::Scope usual = args.is_small ? simulation::small_scope() : simulation::loaded_scope();
  const auto said = [&](const char* name, auto value, auto as_usual) {
    if (value != as_usual) command += std::string(" --") + name + " " + std::to_string(value);
  };
  said("seconds", plan.scope.span.count() / 1'000, usual.span.count() / 1'000);
  said("nodes", plan.scope.nodes, usual.nodes);
  said("hosts", plan.scope.hosts, usual.hosts);
  said("submits", plan.scope.submits_per_s, usual.submits_per_s);
  said("requests", plan.scope.other_requests_per_s, usual.other_requests_per_s);
  said("faults", plan.scope.faults_per_minute, usual.faults_per_minute);
  const std::string plain = simulation::plain_tunables(plan);
  if (!plain.empty()) command += " --plain " + plain;
  if (!plan.kept.empty()) command += " --steps " + simulation::numbers_text(plan.kept);
  return command;
}

void print_complaints(const Verdict& verdict, std::ostream& out) {
  for (const std::string& complaint : verdict.complaints) out << "  " << complaint << "\n";
}

/// The plan as the arguments want it; an error in them is told.
std::optional<Plan> plan_of(const Sim& args, std::uint64_t seed, std::ostream& err) {
  Plan plan = simulation::draw_plan(seed, args.scope);
  if (const auto made = simulation::make_plain(plan, args.plain); !made.ok()) {
    err << "troupe sim: --plain: " << made.error().message << "\n";
    return std::nullopt;
  }
  if (args.steps.empty()) return plan;
  const auto numbers = simulation::parse_numbers(args.steps);
  if (!numbers.ok()) {
    err << "troupe sim: --steps: " << numbers.error().message << "\n";
    return std::nullopt;
  }
  return simulation::only(plan, numbers.value());
}

void shrink_and_print(const Sim& args, const Plan& plan, std::ostream& out) {
  const auto told = [&](const simulation::Shrunk& best) {
    out << "  " << best.plan.steps.size() << " steps after " << best.lives << " lives\n" << std::flush;
  };
  const auto best = simulation::shrink(
      plan, args.lives_max, [](const Plan& some) { return simulation::live(some); }, told);
  out << "shrunk from " << plan.steps.size() << " to " << best.plan.steps.size() << " steps in " << best.lives
      << " lives; repeat with:\n  " << repeat_command(args, best.plan) << " --history\n";
  print_complaints(best.verdict, out);
}

/// How long the machine took, behind what is the same on every machine.
std::string speed_text(const Verdict& verdict, std::chrono::duration<double> wall) {
  char text[96];
  std::snprintf(text, sizeof text, " wall_s=%.2f events_per_s=%.0f times_real=%.1f", wall.count(),
                static_cast<double>(verdict.events) / wall.count(),
                std::chrono::duration<double>(verdict.lived) / wall);
  return text;
}

/// Once more; whether it was the same life to the last byte.
bool lives_alike(const Plan& plan, const Verdict& before, std::uint32_t times, std::ostream& out) {
  for (std::uint32_t n = 1; n < times; ++n) {
    const Verdict again = simulation::live(plan);
    if (again.hash == before.hash && again.events == before.events) continue;
    out << "  life " << n + 1
        << " of the same seed was another one: " << simulation::closing_line(plan, again) << "\n";
    return false;
  }
  return true;
}

}  // namespace

int run_sim(const Sim& args, std::ostream& out, std::ostream& err) {
  const auto range = parse_seeds(args.seeds);
  if (!range) {
    err << "troupe sim: seeds are a number, or two such as 1..100; not " << args.seeds << "\n";
    return 2;
  }
  simulation::Marks marks;
  bool all_kept = true;
  for (std::uint64_t seed = range->first;; ++seed) {
    const auto plan = plan_of(args, seed, err);
    if (!plan) return 2;
    simulation::LifeOptions options;
    if (args.wants_history) options.history = [&](const std::string& line) { out << line << "\n"; };
    const Moment began = SystemClock().steady();
    const Verdict verdict = simulation::live(*plan, options);
    const std::chrono::duration<double> wall = SystemClock().steady() - began;
    marks.add(verdict.marks);
    if (verdict.how != Verdict::How::ok) {
      all_kept = false;
      print_complaints(verdict, out);
      out << "repeat with: " << repeat_command(args, *plan) << " --history\n";
      if (args.shrinks) shrink_and_print(args, *plan, out);
    }
    all_kept = lives_alike(*plan, verdict, args.times, out) && all_kept;
    out << simulation::closing_line(*plan, verdict) << speed_text(verdict, wall) << std::endl;
    if (seed == range->last) break;
  }
  if (args.wants_marks)
    for (const auto& [mark, times] : marks.reached()) out << "mark " << mark << " " << times << "\n";
  return all_kept ? 0 : 1;
}

void add_sim_command(CLI::App& app) {
  CLI::App* sim = app.add_subcommand("sim", "Live whole simulated cells from seeds, under load and faults");
  const auto args = std::make_shared<Sim>();
  sim->add_option("--seed,--seeds", args->seeds, "one, or a range such as 1..100")->capture_default_str();
  sim->add_flag("--history", args->wants_history, "print each step and fault as it happens");
  sim->add_flag("--log", args->wants_log, "print what the nodes log, too");
  sim->add_flag("--shrink", args->shrinks, "make the plan of a failing seed as short as possible");
  sim->add_flag("--marks", args->wants_marks, "print what was reached: refusals, transitions, effects");
  sim->add_flag("--small", args->is_small, "a small cell in much trouble, instead of one under load");
  sim->add_option("--steps", args->steps, "only these steps of the plan, such as 3,7-9");
  sim->add_option("--plain", args->plain, "tunables that keep their usual value, or all");
  sim->add_option("--lives", args->lives_max, "at most so many lives for shrinking")->capture_default_str();
  sim->add_option("--times", args->times, "live each seed so often; each time must be the same")
      ->check(CLI::Range(1, 1'000));
  const auto given = std::make_shared<std::vector<std::uint32_t>>(6, 0);
  constexpr const char* names[] = {"--seconds", "--nodes", "--hosts", "--submits", "--requests", "--faults"};
  constexpr const char* helps[] = {
      "virtual, before the healing (60)",         "of the control plane (3)",
      "simulated ones (50; 3 when small)",        "per second (20; 1 when small)",
      "other ones per second (20; 1 when small)", "per minute (60)"};
  for (std::size_t n = 0; n < 6; ++n)
    sim->add_option(names[n], (*given)[n], helps[n])->check(CLI::Range(1, 100'000));
#ifdef TROUPE_PLANTED_BUGS
  std::string bugs;
  for (const BugRow& row : bug_rows) bugs += "\n    " + std::string(row.name) + ": " + std::string(row.what);
  sim->add_option_function<std::string>(
      "--plant",
      [](const std::string& name) {
        for (const BugRow& row : bug_rows)
          if (row.name == name) planted_bug = row.bug;
        if (planted_bug == Bug::none) throw CLI::ValidationError("--plant", "there is no such bug: " + name);
      },
      "a deliberate bug that must be found:" + bugs);
#endif
  sim->footer(
      "Example: troupe sim --seeds 1..20 --shrink\n"
      "Exit codes: 0 every promise was kept, 1 one was broken or a cell got stuck, 2 usage.");
  sim->callback([args, given] {
    // What the nodes log of thousands of lives would hide which one failed.
    if (!args->wants_log) logging::set_least(logging::Level::silent);
    simulation::Scope& scope = args->scope;
    scope = args->is_small ? simulation::small_scope() : simulation::loaded_scope();
    if ((*given)[0] != 0) scope.span = milliseconds(std::int64_t{(*given)[0]} * 1'000);
    std::uint32_t* const numbers[] = {&scope.nodes, &scope.hosts, &scope.submits_per_s,
                                      &scope.other_requests_per_s, &scope.faults_per_minute};
    for (std::size_t n = 1; n < 6; ++n)
      if ((*given)[n] != 0) *numbers[n - 1] = (*given)[n];
    const int code = run_sim(*args, std::cout, std::cerr);
    if (code != 0) throw CLI::RuntimeError(code);
  });
}

}  // namespace troupe::cli
