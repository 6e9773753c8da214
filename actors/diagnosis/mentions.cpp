#include "actors/diagnosis/mentions.hpp"

#include <array>

namespace troupe {
namespace {

template <class T>
constexpr bool is_list = false;
template <class T>
constexpr bool is_list<std::vector<T>> = true;

/// Looks into records, lists of them, and nothing else: a descriptor names no entity.
template <class T>
void walk(const T& value, const Mention& mention) {
  if constexpr (std::is_same_v<T, JobId> || std::is_same_v<T, TaskId>) {
    if (!value.is_nil()) mention(EntityRef::of(value));
  } else if constexpr (std::is_same_v<T, HostId>) {
    if (value.value != 0) mention(EntityRef::of(value));
  } else if constexpr (std::is_same_v<T, EntityRef>) {
    mention(value);
  } else if constexpr (is_list<T>) {
    for (const auto& item : value) walk(item, mention);
  } else if constexpr (HasFields<T>) {
    each_field(value, [&](std::string_view, const auto& member) { walk(member, mention); });
  }
}

}  // namespace

void each_mentioned(const CommandBody& body, const Mention& mention) {
  std::visit([&](const auto& any) { walk(any, mention); }, body);
  if (const auto* put = std::get_if<PutGroup>(&body)) mention(EntityRef::of_group(put->group.name));
  if (const auto* notes = std::get_if<NoteGroups>(&body))
    for (const auto& item : notes->items) mention(EntityRef::of_group(item.name));
}

void each_mentioned(const agent::ToAgent& order, const Mention& mention) {
  std::visit([&](const auto& any) { walk(any, mention); }, order);
}

void each_mentioned(const agent::Report& report, const Mention& mention) { walk(report, mention); }

std::string_view order_text(const agent::ToAgent& order) {
  constexpr std::array<std::string_view, std::variant_size_v<agent::ToAgent>> names{
      "redirect", "welcome", "refused", "launch", "kill", "acknowledge", "call"};
  return names.at(order.index());
}

}  // namespace troupe
