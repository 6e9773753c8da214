#pragma once
// The cell's nodes by number, for what is asked of one of them and not of any.

#include <future>
#include <string>
#include <vector>

#include "cmd/troupe/cli_context.hpp"

namespace troupe::cli {

constexpr std::size_t nodes_known_max = 16;  ///< a cell has five at most; who tells of more is not followed

struct CellNode {
  std::uint32_t number = 0;
  std::string http;  ///< of its gateway; empty: the node that was asked does not know it
};
/// Of an answer of /api/v3/cell/status.
std::vector<CellNode> nodes_in(const json::Value& status);
/// All that the attached node knows, itself included; it asks nobody for that. Errors: the cell's; internal
/// where it names none or more than a cell has.
Result<std::vector<CellNode>> nodes_known(CellClient& client);
/// That node's own gateway; 0: the one at --address. Errors: not_found, invalid_argument (its address is not
/// known), and the cell's.
Result<std::string> address_of(Context& context, std::uint32_t node);
Error unknown_address(std::uint32_t node);

/// Asks all at the same time, each on a thread of its own: silent ones cost their patience once. The answers
/// are in the nodes' order. `ask` makes what it asks with itself.
template <class Ask>
auto ask_each(const std::vector<CellNode>& nodes, const Ask& ask) {
  using Told = decltype(ask(nodes.front()));
  std::vector<std::future<Told>> asked;
  for (const CellNode& node : nodes)
    asked.push_back(std::async(std::launch::async, [&ask, &node] { return ask(node); }));
  std::vector<Told> told;
  for (auto& one : asked) told.push_back(one.get());
  return told;
}

}  // namespace troupe::cli
