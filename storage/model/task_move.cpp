#include "storage/model/task_move.hpp"

#include <algorithm>
#include <array>

namespace troupe {
namespace {

constexpr std::array<std::string_view, 9> may_differ{
    "team_email",     "application_name", "group_stack", "group_detail",
    "group_sequence", "attributes",       "env",         "kind",
    "budget"};
constexpr std::array<std::string_view, 2> heeded_prefixes{"troupe.", "titusParameter."};

StringMap heeded(const StringMap& attributes) {
  StringMap kept;
  for (const auto& [name, value] : attributes)
    for (const std::string_view prefix : heeded_prefixes)
      if (name.starts_with(prefix)) kept.emplace(name, value);
  return kept;
}

}  // namespace

std::vector<std::string> container_differences(const JobDescriptor& a, const JobDescriptor& b) {
  std::vector<std::string> found;
  JobDescriptor::fields()([&](const auto&... each) {
    const auto compare = [&](const auto& field) {
      if (std::find(may_differ.begin(), may_differ.end(), field.name) != may_differ.end()) return;
      if (!(a.*(field.member) == b.*(field.member))) found.emplace_back(field.name);
    };
    (compare(each), ...);
  });
  if (heeded(a.attributes) != heeded(b.attributes)) found.emplace_back("attributes");
  return found;
}

}  // namespace troupe
