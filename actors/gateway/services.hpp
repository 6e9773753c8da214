#pragma once

#include <functional>
#include <vector>

#include "actors/agent/protocol.hpp"
#include "actors/gateway/call.hpp"
#include "actors/node/node_context.hpp"
#include "actors/operations/backup_desk.hpp"
#include "actors/operations/cell_order.hpp"
#include "net/api/query.hpp"
#include "storage/model/outcome.hpp"

namespace troupe::gateway {

class Admission;
class EventStreams;
class LogStreams;

/// What becomes of an open stream, told by an I/O thread.
enum class StreamSignal : std::uint8_t {
  drained,  ///< all that was written has been taken
  closed,   ///< over: the reader is gone, was too slow, or it was finished
};

/// So many tasks of a job, which may be nobody's yet; the first of them in these places, if there are any.
struct AskedPlan {
  JobId job;
  DescriptorPtr descriptor;
  std::uint32_t count = 0;
  std::vector<PlannedPlace> places{};
};

/// Each may take megabytes and milliseconds.
constexpr long debug_calls_max = 2;

/// What handlers may ask of the gateway actor. Everything happens on the actor; every continuation runs once,
/// at the wait's deadline at the latest.
class Services {
 public:
  virtual ~Services() = default;
  virtual const NodeContext& node() const = 0;
  virtual Random& random() = 0;
  virtual GatewayProbe& probe() = 0;
  virtual EventStreams& events() = 0;
  virtual LogStreams& logs() = 0;
  virtual const Admission& admission() const = 0;

  /// Errors: overloaded (too many wait), outcome_unknown, and the replica's.
  virtual void propose(Command command, std::function<void(Result<Outcome>)> done) = 0;
  /// Until this node's state is as new as the call asks for (`consistency`, X-Troupe-Index); notes the index
  /// in the call. A failure is answered here, and `then` does not run.
  virtual void when_fresh(const CallPtr& call, api::Consistency consistency, std::function<void()> then) = 0;

  /// The digest behind the tag of an image that `node().images` asks for. Errors: as the resolver's,
  /// unavailable when it takes too long.
  virtual void resolve_image(const Image& image, std::function<void(Result<std::string>)> done) = 0;

  using Told = std::function<void(Result<Bytes>)>;
  /// Errors: overloaded, unavailable (no answer in time), and the answerer's.
  virtual void ask_agent(NodeId node, HostId host, agent::Call call, Told told) = 0;
  virtual void ask_scheduler(TaskId task, Told told) = 0;
  /// Answered by a packed PlanTold; with places by a PlanChecked.
  virtual void ask_plan(AskedPlan plan, Told told) = 0;
  virtual void ask_console(NodeId node, std::string command, Told told) = 0;
  /// Of the leader. An order that was not answered: outcome_unknown.
  virtual void ask_cell(CellOrder order, Told told) = 0;
  /// How that node itself sees the cell. Errors: as the others', sooner.
  virtual void ask_standing(NodeId node, Told told) = 0;
  /// An order for a node other than the leader, as of restarts.
  virtual void ask_cell_at(NodeId node, CellOrder order, Told told) = 0;
  /// This node's own backups. A snapshot that was not answered may be held until it is idle for too long.
  virtual void ask_backup(BackupOrder order, Told told) = 0;

  /// To be held until a debug call is answered; null: `debug_calls_max` are under way.
  virtual std::shared_ptr<const void> begin_debug() = 0;
  /// Runs beside the gateway, where long reads run too.
  virtual void run_apart(std::function<void(const NodeContext& node)> work) = 0;
  /// All that the node declares.
  virtual const std::vector<const Setting*>& declared_settings() const = 0;

  /// Names a stream; never given twice.
  virtual std::uint64_t next_stream() = 0;
  /// A function for any thread that brings this signal to the stream's keeper.
  virtual std::function<void()> stream_signal(std::uint64_t stream, StreamSignal signal) = 0;
};

}  // namespace troupe::gateway
