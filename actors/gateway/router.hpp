#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/gateway/services.hpp"
#include "net/api/identity.hpp"
#include "net/api/openapi.hpp"

namespace troupe::gateway {

/// Answers from this node's state; runs on a reader actor once the state is fresh enough.
struct ReadHandler {
  http::Response (*run)(const NodeContext& node, const Call& call);
};
/// Runs on the gateway actor at once, with the caller's metadata read; answers when it can.
struct ActHandler {
  void (*run)(Services& services, const CallPtr& call);
};

struct Route {
  std::string_view method;
  std::string_view pattern;  ///< {…} stands for one segment, never empty
  std::variant<ReadHandler, ActHandler> handler;
  api::Says says{};  ///< in the contract
  /// Is it held back by rates? Not what an operator needs to see them and to undo them.
  enum class Held : std::uint8_t { by_rates, never } held = Held::by_rates;
  api::Access access = api::Access::submitters;
};

/// All paths that the gateway answers.
std::span<const Route> routes();

struct Match {
  const Route* route = nullptr;       ///< null: none
  std::vector<std::string> captured;  ///< in the pattern's order
  std::string allow;                  ///< the path's methods, when only the method is wrong
};
/// HEAD is answered as GET.
Match match_route(std::span<const Route> table, std::string_view method, std::string_view path);

}  // namespace troupe::gateway
