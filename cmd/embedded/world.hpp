#pragma once
// What stands behind the public Cluster: a real cell or a simulated one, alike. Internal; the public headers
// do not know it, and neither it nor its implementations include those.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.hpp"
#include "storage/base/time.hpp"

namespace troupe::embedded {

class HistoryBook;

enum class FaultKind : std::uint8_t {
  crash_node,
  restart_node,
  freeze_node,
  thaw_node,
  isolate_node,
  cut_link,
  lose_disk,
  fail_writes,
  fail_syncs,
  leap_clock,
  drift_clock,
  crash_agent,
  restart_agent,
  kill_host,
  isolate_host,
  freeze_agent,
  slow_agent,
  slow_link,
  stray_agent,
  fail_registry,
  heal,
};

/// One fault and whom it strikes.
struct FaultOrder {
  FaultKind kind = FaultKind::heal;
  std::uint32_t node = 0;
  std::uint32_t to = 0;  ///< of cut_link, slow_link
  std::uint32_t host = 0;
  std::int64_t amount = 0;  ///< leap_clock, slow_*: ms; drift_clock: millionths
};
std::string fault_text(const FaultOrder& order);  ///< "crash node 2"

struct WorldAnswer {
  int status = 0;  ///< 0: none
  std::map<std::string, std::string, std::less<>> headers;
  std::string body;
};

struct WorldRequest {
  std::string_view method, target, body;
  std::map<std::string, std::string, std::less<>> headers;
  milliseconds patience{15'000};
};

/// Owner: a Cluster, one thread. Nodes and hosts are numbered from 1; the caller checks that they exist.
class World {
 public:
  virtual ~World() = default;
  virtual bool is_simulated() const = 0;
  virtual Instant now() const = 0;
  virtual void run_for(milliseconds span) = 0;
  virtual bool run_until(const std::function<bool()>& done, milliseconds at_most) = 0;
  virtual WorldAnswer call(std::uint32_t node, const WorldRequest& request) = 0;
  /// Error: invalid_argument: this world cannot.
  virtual Result<void> strike(const FaultOrder& order) = 0;

  virtual std::uint32_t leader() const = 0;
  virtual bool is_up(std::uint32_t node) const = 0;
  virtual std::string peer_address(std::uint32_t node) const = 0;
  virtual bool agent_is_up(std::uint32_t host) const = 0;
  virtual bool may_speak(std::uint32_t node) const = 0;  ///< up, and knows that the cell follows its leader
  virtual std::string why_not_settled() const = 0;       ///< empty: it is
  virtual std::vector<std::string> violations() const = 0;
  virtual std::uint64_t history_hash() const = 0;
};

struct ClusterOptions;

struct SimWorldOptions {
  std::uint64_t seed = 1;
  std::uint32_t resets_ppm = 0;
};
std::unique_ptr<World> make_sim_world(const ClusterOptions& options, const SimWorldOptions& more,
                                      HistoryBook& book);

struct RealWorldOptions {
  std::string folder;  ///< empty: a temporary one
  std::string driver;  ///< "sim" or "process"
  std::string shim;
};
/// Errors: io, corrupt.
Result<std::unique_ptr<World>> make_real_world(const ClusterOptions& options, const RealWorldOptions& more,
                                               HistoryBook& book);

}  // namespace troupe::embedded
