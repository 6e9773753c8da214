#include "cmd/troupe/cli_nodes.hpp"

#include "cmd/troupe/cli_value.hpp"

namespace troupe::cli {

namespace {

std::vector<CellNode> nodes_of(const std::vector<json::Value>& items) {
  std::vector<CellNode> nodes;
  for (const auto& item : items)
    nodes.push_back({static_cast<std::uint32_t>(integer_at(item, "node")), text_at(item, "http")});
  return nodes;
}

}  // namespace

std::vector<CellNode> nodes_in(const json::Value& status) { return nodes_of(items_of(status)); }

Result<std::vector<CellNode>> nodes_known(CellClient& client) {
  const auto told = client.get("/api/v3/console?command=node");
  if (!told.ok()) return told.error();
  const json::Value* nodes = told.value().value.find("nodes");
  if (nodes == nullptr || !nodes->array() || nodes->array()->empty() ||
      nodes->array()->size() > nodes_known_max)
    return Error{ErrorCode::internal, "the node does not say which nodes there are"};
  return nodes_of(*nodes->array());
}

Error unknown_address(std::uint32_t node) {
  return {ErrorCode::invalid_argument, "the address of node " + std::to_string(node) +
                                           " is not known to this one; give it with --address"};
}

Result<std::string> address_of(Context& context, std::uint32_t node) {
  if (node == 0) return context.options.address;
  auto client = context.client();
  const auto status = client.get("/api/v3/cell/status");
  if (!status.ok()) return status.error();
  for (const CellNode& one : nodes_in(status.value().value)) {
    if (one.number != node) continue;
    if (one.http.empty()) return unknown_address(node);
    return one.http;
  }
  return Error{ErrorCode::not_found, "the cell has no node " + std::to_string(node)};
}

}  // namespace troupe::cli
