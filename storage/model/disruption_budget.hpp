#pragma once
// How much of a job may be disrupted on purpose, and when: Titus' disruption budget. Kept with the job for
// whoever moves tasks.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/fields.hpp"
#include "storage/base/time.hpp"

namespace troupe {

/// Hours of some days of the week, in which tasks may be moved. Hours are whole, 0 to 24, the end excluded.
struct DisruptionWindow {
  enum class Day : std::uint8_t { monday, tuesday, wednesday, thursday, friday, saturday, sunday };
  friend constexpr Day max_value(Day) { return Day::sunday; }
  struct Hours {
    std::uint32_t start = 0;
    std::uint32_t end = 24;
    static constexpr auto fields() {
      return field_list(field("start", &Hours::start), field("end", &Hours::end));
    }
    friend bool operator==(const Hours&, const Hours&) = default;
  };
  std::vector<Day> days;     ///< none: every day
  std::vector<Hours> hours;  ///< none: the whole day
  std::string time_zone;     ///< empty: UTC
  static constexpr auto fields() {
    using W = DisruptionWindow;
    return field_list(field("days", &W::days), field("hours", &W::hours), field("time_zone", &W::time_zone));
  }
  friend bool operator==(const DisruptionWindow&, const DisruptionWindow&) = default;
};

struct HealthProvider {
  std::string name;
  std::map<std::string, std::string> attributes;
  static constexpr auto fields() {
    return field_list(field("name", &HealthProvider::name), field("attributes", &HealthProvider::attributes));
  }
  friend bool operator==(const HealthProvider&, const HealthProvider&) = default;
};

struct DisruptionBudget {
  enum class Policy : std::uint8_t {
    none,
    self_managed,
    availability_percentage,
    unhealthy_tasks,
    relocations
  };
  friend constexpr Policy max_value(Policy) { return Policy::relocations; }
  enum class Rate : std::uint8_t { unlimited, percentage_per_hour, per_interval, percentage_per_interval };
  friend constexpr Rate max_value(Rate) { return Rate::percentage_per_interval; }

  Policy policy = Policy::none;            ///< none: the submitter said nothing
  milliseconds relocation_time{0};         ///< self_managed: within this the owner moves its task
  std::uint32_t policy_milli_percent = 0;  ///< availability_percentage: this much stays healthy
  std::uint32_t policy_limit = 0;          ///< unhealthy_tasks, relocations (of one task)
  Rate rate = Rate::unlimited;
  milliseconds interval{0};  ///< of the two rates per interval
  std::uint32_t rate_milli_percent = 0;
  std::uint32_t rate_limit = 0;
  std::vector<DisruptionWindow> windows{};  ///< in any of them; none: always
  std::vector<HealthProvider> health{};
  bool is_set() const { return policy != Policy::none; }
  static constexpr auto fields() {
    using B = DisruptionBudget;
    return field_list(field("policy", &B::policy), field("relocation_time", &B::relocation_time),
                      field("policy_milli_percent", &B::policy_milli_percent),
                      field("policy_limit", &B::policy_limit), field("rate", &B::rate),
                      field("interval", &B::interval), field("rate_milli_percent", &B::rate_milli_percent),
                      field("rate_limit", &B::rate_limit), field("windows", &B::windows),
                      field("health", &B::health));
  }
  friend bool operator==(const DisruptionBudget&, const DisruptionBudget&) = default;
};

/// What was disrupted of a job since an interval of its budget's rate began.
struct Disruptions {
  Instant since;
  std::uint32_t count = 0;
  static constexpr auto fields() {
    return field_list(field("since", &Disruptions::since), field("count", &Disruptions::count));
  }
  friend bool operator==(const Disruptions&, const Disruptions&) = default;
};
/// A job as its budget sees it.
struct JobHealth {
  std::uint32_t wanted = 0;   ///< tasks that are to run
  std::uint32_t healthy = 0;  ///< of them, those in Started
  Disruptions disrupted;
};
inline constexpr std::uint32_t disruptions_unlimited = UINT32_MAX;
/// How many more tasks of the job may be disrupted now, by its availability, its rate and its windows (those
/// of UTC; one of another time zone never opens, for a replica knows none). A self-managed job allows none.
std::uint32_t disruptions_left(const DisruptionBudget& budget, const JobHealth& job, Instant now);
/// May one more task be disrupted of a slot that has lost so many already?
bool may_relocate(const DisruptionBudget& budget, std::uint32_t relocations);
/// After so many more. Without a rate nothing is remembered.
Disruptions disrupted_after(const DisruptionBudget& budget, Disruptions before, Instant now,
                            std::uint32_t more);

// ---- Titus' names ----
std::string_view policy_text(DisruptionBudget::Policy policy);  ///< "selfManaged", ...; none: empty
std::string_view rate_text(DisruptionBudget::Rate rate);        ///< "rateUnlimited", ...
std::string_view day_text(DisruptionWindow::Day day);           ///< "Monday", ...
std::optional<DisruptionWindow::Day> day_from_text(std::string_view text);

}  // namespace troupe
