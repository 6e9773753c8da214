// How each node of the cell stands: every one of them is asked, and one that is down is told as such.

#include "actors/gateway/handlers.hpp"
#include "actors/gateway/mutation.hpp"
#include "actors/operations/standing_core.hpp"

namespace troupe::gateway {
namespace {

/// Answers the call when the last node has answered, or its patience is over.
struct Gathering {
  CallPtr call;
  std::map<NodeId, operations::NodeSaid> said;
  std::size_t open = 0;

  void told(NodeId node, const Result<Bytes>& answer) {
    operations::NodeSaid& at = said[node];
    if (answer.ok())
      at.members = answer.value();
    else
      at.why = answer.error().message;
    if (--open == 0) call->answer(http::json_response(200, operations::standing_json(said)));
  }
};

}  // namespace

void get_cell_status(Services& services, const CallPtr& call) {
  if (const auto checked = check_parameters(*call, {}); !checked.ok()) return call->fail(checked.error());
  const auto gathering = std::make_shared<Gathering>();
  gathering->call = call;
  const auto nodes = services.node().book.all();
  gathering->open = nodes.size();
  for (const auto& [node, address] : nodes) {
    operations::NodeSaid& said = gathering->said[node];
    said.address = address.peer;
    said.http = address.http;
  }
  for (const auto& [node, address] : nodes)
    services.ask_standing(
        node, [gathering, node = node](const Result<Bytes>& answer) { gathering->told(node, answer); });
}

}  // namespace troupe::gateway
