#include "cmd/troupe/cli_nodes.hpp"

#include "cmd/troupe/cli_value.hpp"

namespace troupe::cli {

std::vector<CellNode> nodes_in(const json::Value& status) {
  std::vector<CellNode> nodes;
  for (const auto& item : items_of(status))
    nodes.push_back({static_cast<std::uint32_t>(integer_at(item, "node")), text_at(item, "http")});
  return nodes;
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
