// Everything that helps a diagnosis of this node, told by itself: it needs no leader and no fresh state, and
// what does not answer is left out and said to be.

#include "actors/diagnosis/node_sections.hpp"
#include "actors/gateway/handlers.hpp"
#include "actors/gateway/health.hpp"
#include "actors/gateway/mutation.hpp"
#include "actors/runtime/logging.hpp"

namespace troupe::gateway {
namespace {

constexpr std::array<const char*, 4> console_sections{"actors", "duties", "requests", "shards"};

/// Answers the call when the last one asked has answered, or its patience is over.
struct Gathering {
  Services& services;  // whose continuations these are
  CallPtr call;
  std::shared_ptr<const void> turn;
  DebugTold told;
  std::size_t open = console_sections.size() + 1;

  void came(const std::string& name, const Result<Bytes>& answer) {
    told.sections.emplace(name, answer);
    if (--open > 0) return;
    told.metrics = services.probe().scrape(services.node());
    told.why_not_serving = why_not_serving(services.node());
    told.settings = services.declared_settings();
    services.run_apart([told = std::move(told), call = call, turn = turn](const NodeContext& node) {
      std::string document = debug_json(node, told);
      logging::info("debug_document_given node={} caller=\"{}\" bytes={}", node.self.value, call->caller,
                    document.size());
      call->answer(http::json_response(200, std::move(document)));
    });
  }
};

}  // namespace

void get_debug(Services& services, const CallPtr& call) {
  if (const auto checked = check_parameters(*call, {}); !checked.ok()) return call->fail(checked.error());
  auto turn = services.begin_debug();
  if (turn == nullptr) return call->fail({ErrorCode::overloaded, "other debug documents are being made"});
  const auto gathering = std::make_shared<Gathering>(Gathering{services, call, std::move(turn), {}});
  const NodeId self = services.node().self;
  for (const char* name : console_sections)
    services.ask_console(self, name,
                         [gathering, name](const Result<Bytes>& told) { gathering->came(name, told); });
  services.ask_standing(self, [gathering](const Result<Bytes>& told) { gathering->came("members", told); });
}

}  // namespace troupe::gateway
