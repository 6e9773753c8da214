#pragma once
// Any record as an object for an operator's eyes: names in camelCase as in the API, enumerations and times as
// texts. Includes the model and JSON, nothing of CAF.

#include <array>

#include "net/json/writer.hpp"
#include "storage/model/command.hpp"

namespace troupe::console {

// ---- names of the model's enumerations ----
inline std::string_view text_of(JobState state) { return state_text(state); }
inline std::string_view text_of(TaskState state) { return state_text(state); }
inline std::string_view text_of(Reason reason) { return reason_text(reason); }
inline std::string_view text_of(HostPhase phase) { return phase_text(phase); }
inline std::string_view text_of(Tier tier) { return tier_text(tier); }
inline std::string_view text_of(EntityKind kind) { return kind_text(kind); }
inline std::string_view text_of(DisruptionBudget::Policy policy) { return policy_text(policy); }
inline std::string_view text_of(DisruptionBudget::Rate rate) { return rate_text(rate); }
inline std::string_view text_of(DisruptionWindow::Day day) { return day_text(day); }
std::string_view text_of(SlotState state);
std::string_view text_of(RetryPolicy::Kind kind);

/// kill_initiated -> killInitiated
std::string camel_case(std::string_view name);

template <class T>
constexpr bool is_list = false;
template <class T>
constexpr bool is_list<std::vector<T>> = true;
template <class T, std::size_t n>
constexpr bool is_list<std::array<T, n>> = true;
template <class T>
constexpr bool is_variant = false;
template <class... T>
constexpr bool is_variant<std::variant<T...>> = true;

/// A duty that is due whenever somebody looks has no time.
inline std::string due_text(Instant due) { return due.is_set() ? to_text(due) : "now"; }

template <class T>
void put_value(json::Writer& writer, const T& value) {
  if constexpr (std::same_as<T, Instant>) {
    value.is_set() ? writer.text(to_text(value)) : writer.null();
  } else if constexpr (std::is_enum_v<T>) {
    writer.text(text_of(value));
  } else if constexpr (std::same_as<T, DescriptorPtr>) {
    put_value(writer, *value);
  } else if constexpr (HasFields<T>) {
    writer.begin_object();
    each_field(value, [&](std::string_view name, const auto& member) {
      writer.key(camel_case(name));
      put_value(writer, member);
    });
    writer.end_object();
  } else if constexpr (std::same_as<T, TaskSteps>) {
    writer.begin_array();
    for (std::size_t n = 0; n < task_state_count; ++n) put_value(writer, value[static_cast<TaskState>(n)]);
    writer.end_array();
  } else if constexpr (std::same_as<T, RareText>) {
    writer.text(value.view());
  } else if constexpr (std::same_as<T, RareMap>) {
    json::write_value(writer, value.map());
  } else if constexpr (requires { value.values(); }) {
    json::write_value(writer, value.values());
  } else if constexpr (is_list<T>) {
    writer.begin_array();
    for (const auto& item : value) put_value(writer, item);
    writer.end_array();
  } else if constexpr (is_variant<T>) {
    std::visit([&](const auto& either) { put_value(writer, either); }, value);
  } else {
    json::write_value(writer, value);
  }
}

template <class T>
void put(json::Writer& writer, std::string_view key, const T& value) {
  writer.key(key);
  put_value(writer, value);
}

}  // namespace troupe::console
