#pragma once
// What a submitter asks for. Never changed in place: shared by the job and all its tasks. A change of a live
// job's attributes, processes or budget gives it another one.

#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "storage/base/fields.hpp"
#include "storage/base/time.hpp"
#include "storage/model/disruption_budget.hpp"
#include "storage/model/resources.hpp"

namespace troupe {

using StringMap = std::map<std::string, std::string>;

struct Image {
  std::string name;
  std::string tag;
  std::string digest;
  static constexpr auto fields() {
    return field_list(field("name", &Image::name), field("tag", &Image::tag),
                      field("digest", &Image::digest));
  }
  friend bool operator==(const Image&, const Image&) = default;
};

/// When a slot's task has failed: how often and how soon again. Service slots are retried without end.
struct RetryPolicy {
  enum class Kind : std::uint8_t { immediate, delayed, exponential };
  friend constexpr Kind max_value(Kind) { return Kind::exponential; }
  Kind kind = Kind::immediate;
  std::uint32_t retries = 0;
  milliseconds delay{0};      ///< delayed: each; exponential: the first, then doubled
  milliseconds delay_max{0};  ///< exponential only
  static constexpr auto fields() {
    return field_list(field("kind", &RetryPolicy::kind), field("retries", &RetryPolicy::retries),
                      field("delay", &RetryPolicy::delay), field("delay_max", &RetryPolicy::delay_max));
  }
  friend bool operator==(const RetryPolicy&, const RetryPolicy&) = default;
};

/// How many tasks: of a batch job all three are its size.
struct Capacity {
  std::uint32_t min = 0;
  std::uint32_t desired = 0;
  std::uint32_t max = 0;
  static constexpr auto fields() {
    return field_list(field("min", &Capacity::min), field("desired", &Capacity::desired),
                      field("max", &Capacity::max));
  }
  friend bool operator==(const Capacity&, const Capacity&) = default;
};

/// Runs each slot to one good end.
struct BatchSpec {
  std::uint32_t size = 1;
  milliseconds runtime_limit{0};  ///< from Started; always set
  bool retry_on_runtime_limit = false;
  RetryPolicy retry;
  static constexpr auto fields() {
    return field_list(field("size", &BatchSpec::size), field("runtime_limit", &BatchSpec::runtime_limit),
                      field("retry_on_runtime_limit", &BatchSpec::retry_on_runtime_limit),
                      field("retry", &BatchSpec::retry));
  }
  friend bool operator==(const BatchSpec&, const BatchSpec&) = default;
};

/// Which changes of a service's desired size are held back.
struct ServiceProcesses {
  bool disable_increase = false;
  bool disable_decrease = false;
  static constexpr auto fields() {
    return field_list(field("disable_increase", &ServiceProcesses::disable_increase),
                      field("disable_decrease", &ServiceProcesses::disable_decrease));
  }
  friend bool operator==(const ServiceProcesses&, const ServiceProcesses&) = default;
};

/// Keeps `desired` slots running for ever.
struct ServiceSpec {
  Capacity capacity;
  bool enabled = true;  ///< in service: for those who scale it; its tasks run all the same
  RetryPolicy retry;
  ServiceProcesses processes{};
  static constexpr std::size_t fields_at_first = 3;
  static constexpr auto fields() {
    return field_list(field("capacity", &ServiceSpec::capacity), field("enabled", &ServiceSpec::enabled),
                      field("retry", &ServiceSpec::retry), field("processes", &ServiceSpec::processes));
  }
  friend bool operator==(const ServiceSpec&, const ServiceSpec&) = default;
};

struct JobDescriptor {
  std::string team_email;  ///< owner.teamEmail
  std::string application_name;
  std::string capacity_group;  ///< "DEFAULT" when not said
  std::string group_stack;     ///< jobGroupInfo
  std::string group_detail;
  std::string group_sequence;  ///< not empty: app-stack-detail-sequence is unique among live jobs
  StringMap attributes;
  Resources resources;  ///< of each task
  Image image;
  std::vector<std::string> entry_point;
  std::vector<std::string> command;
  StringMap env;
  StringMap hard_constraints;
  StringMap soft_constraints;
  milliseconds kill_grace{10'000};
  std::variant<BatchSpec, ServiceSpec> kind;
  DisruptionBudget budget{};

  bool is_batch() const { return std::holds_alternative<BatchSpec>(kind); }
  const BatchSpec* batch() const { return std::get_if<BatchSpec>(&kind); }
  const ServiceSpec* service() const { return std::get_if<ServiceSpec>(&kind); }
  const RetryPolicy& retry() const { return is_batch() ? batch()->retry : service()->retry; }
  Capacity initial_capacity() const {
    if (const auto* b = batch()) return {b->size, b->size, b->size};
    return service()->capacity;
  }
  /// The name that must be unique among live jobs, or empty.
  std::string unique_name() const {
    if (group_sequence.empty()) return {};
    return application_name + '-' + group_stack + '-' + group_detail + '-' + group_sequence;
  }
  static constexpr std::size_t fields_at_first = 16;
  static constexpr auto fields() {
    using D = JobDescriptor;
    return field_list(
        field("team_email", &D::team_email), field("application_name", &D::application_name),
        field("capacity_group", &D::capacity_group), field("group_stack", &D::group_stack),
        field("group_detail", &D::group_detail), field("group_sequence", &D::group_sequence),
        field("attributes", &D::attributes), field("resources", &D::resources), field("image", &D::image),
        field("entry_point", &D::entry_point), field("command", &D::command), field("env", &D::env),
        field("hard_constraints", &D::hard_constraints), field("soft_constraints", &D::soft_constraints),
        field("kill_grace", &D::kill_grace), field("kind", &D::kind), field("budget", &D::budget));
  }
  friend bool operator==(const JobDescriptor&, const JobDescriptor&) = default;
};
using DescriptorPtr = std::shared_ptr<const JobDescriptor>;

}  // namespace troupe
