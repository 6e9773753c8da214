#include "cmd/troupe/cli_fail_over.hpp"

#include <ostream>

#include "cmd/troupe/cli_value.hpp"

namespace troupe::cli {
namespace {

constexpr std::size_t addresses_max =
    16;  // A cell has five nodes at most; who tells of more is not followed.

/// Does the attached node answer anything at all?
bool lives(const Context& context) {
  const auto answer = context.client().get("/api/v3/cell?consistency=stale");
  return answer.ok() || !may_be_dead(answer.error());
}

}  // namespace

bool may_be_dead(const Error& error) {
  return error.code == ErrorCode::unavailable || error.code == ErrorCode::outcome_unknown;
}

void learn_others(Context& context) {
  const auto answer = context.client().get("/api/v3/console?command=node");
  const json::Value* nodes = answer.ok() ? answer.value().value.find("nodes") : nullptr;
  if (nodes == nullptr || !nodes->array()) return;
  context.others.clear();
  for (const auto& node : *nodes->array()) {
    auto address = text_at(node, "http");
    if (config_of(address).ok() && address != context.options.address &&
        context.others.size() < addresses_max)
      context.others.push_back(std::move(address));
  }
}

bool moves_on(Context& context) {
  if (context.others.empty() || lives(context)) return false;
  const std::string dead = context.options.address;
  for (const std::string& address : std::vector<std::string>(context.others)) {
    context.options.address = address;
    if (!lives(context)) continue;
    context.io.err << "node at " << dead << " does not answer; attached to " << address << '\n';
    learn_others(context);
    return true;
  }
  context.options.address = dead;
  return false;
}

}  // namespace troupe::cli
