#pragma once
// A cell of `troupe node` processes for benches, whose nodes can be killed, stopped and cut off.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cmd/troupe/bench_process.hpp"
#include "cmd/troupe/bench_proxy.hpp"
#include "cmd/troupe/bench_support.hpp"
#include "net/http/http.hpp"
#include "net/json/value.hpp"

namespace troupe::cli {

constexpr milliseconds cell_patience{120'000};  ///< until nodes that were filled with millions of tasks serve
constexpr milliseconds submit_pause{20};        ///< of each submitter that keeps a cell under load

/// What a node says of itself.
struct NodeHealth {
  bool serves = false;
  std::uint32_t leader = 0;
  std::uint64_t term = 0;
};

/// How nodes reach each other: a proxy can cut them off, but it answers for a process that is gone.
enum class Roads : std::uint8_t { direct, proxied };

/// Nodes are numbered from 1. Calls come from one thread, which started it.
class BenchCell {
 public:
  /// Uses FOLDER/node-1 and so on, filled before or empty. Starts no node. `joining`: no members at first;
  /// their files say that they wait to be added. `settings`: each name=value, of all nodes. Errors: io.
  static Result<std::unique_ptr<BenchCell>> make(const std::string& folder, std::uint32_t nodes,
                                                 Roads roads = Roads::direct,
                                                 std::set<std::uint32_t> joining = {},
                                                 std::vector<std::string> settings = {});

  Result<void> start(std::uint32_t node);
  void kill(std::uint32_t node);
  void stop(std::uint32_t node);    ///< SIGSTOP
  void resume(std::uint32_t node);  ///< SIGCONT
  /// From the other nodes, both ways. Roads must be proxied.
  void cut_off(std::uint32_t node);
  void heal(std::uint32_t node);

  std::uint32_t nodes() const { return nodes_; }
  std::uint16_t http_port(std::uint32_t node) const { return http_.at(node); }
  std::uint16_t peer_port(std::uint32_t node) const { return peer_.at(node); }
  /// Of its process; 0 if it does not run.
  double rss_mb(std::uint32_t node) const;
  /// nullopt: no answer.
  std::optional<NodeHealth> health(std::uint32_t node);
  /// By its own word, in the highest term; 0: nobody.
  std::uint32_t leader();
  bool await_serving(milliseconds patience);                      ///< all of them
  bool await_serving(std::uint32_t node, milliseconds patience);  ///< this one

 private:
  BenchCell(std::string folder, std::uint32_t nodes, std::set<std::uint32_t> joining,
            std::vector<std::string> settings)
      : folder_(std::move(folder)),
        nodes_(nodes),
        joining_(std::move(joining)),
        settings_(std::move(settings)) {}
  Result<void> choose_ports(Roads roads);
  Result<void> build_roads(const std::function<Result<std::uint16_t>()>& next_port);
  Result<void> write_files() const;
  std::string file_of(std::uint32_t node) const;

  const std::string folder_;
  const std::uint32_t nodes_;
  const std::set<std::uint32_t> joining_;
  const std::vector<std::string> settings_;
  std::map<std::uint32_t, std::uint16_t> peer_, http_;
  using Pair = std::pair<std::uint32_t, std::uint32_t>;  ///< who dials, whom
  std::map<Pair, std::uint16_t> road_ports_;
  std::map<Pair, std::size_t> roads_;
  BenchProxy proxy_;
  std::map<std::uint32_t, std::unique_ptr<BenchProcess>> processes_;
  std::map<std::uint32_t, std::unique_ptr<http::Client>> clients_;
  Await await_{milliseconds(2)};
};

/// GET, parsed. Errors: unavailable, outcome_unknown; internal for any other status than 200.
Result<json::Value> get_json(http::Client& client, const std::string& target);

}  // namespace troupe::cli
