#include "cmd/troupe/cli_fail_over.hpp"

#include <ostream>

#include "cmd/troupe/cli_nodes.hpp"

namespace troupe::cli {
namespace {

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
  auto client = context.client();
  const auto nodes = nodes_known(client);
  if (!nodes.ok()) return;
  context.others.clear();
  for (const CellNode& node : nodes.value())
    if (config_of(node.http).ok() && node.http != context.options.address)
      context.others.push_back(node.http);
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
