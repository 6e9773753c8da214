#include "actors/gateway/gateway_probe.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <mutex>

namespace troupe::gateway {
namespace {

const prometheus::Histogram::BucketBoundaries latency_buckets_s{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                                0.25,  0.5,    1,     2.5,  5,     10};

}  // namespace

struct GatewayProbe::Impl {
  void set(const char* name, const char* help, double value, const prometheus::Labels& labels = {}) {
    prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add(labels).Set(value);
  }
  void set(const char* name, const char* help, std::uint64_t value, const prometheus::Labels& labels = {}) {
    set(name, help, static_cast<double>(value), labels);
  }
  /// Of what comes and goes: told until the next scrape, which tells what is there then.
  void set_for_now(const char* name, const char* help, double value, const prometheus::Labels& labels) {
    auto& family = prometheus::BuildGauge().Name(name).Help(help).Register(registry);
    auto& gauge = family.Add(labels);
    gauge.Set(value);
    for_now.emplace_back(&family, &gauge);
  }
  void forget_for_now() {
    for (const auto& [family, gauge] : for_now) family->Remove(gauge);
    for_now.clear();
  }
  void read_node(const NodeContext& node);
  void read_replica(const NodeContext& node);
  void read_cell(const NodeContext& node);
  void read_groups(const NodeContext& node);

  prometheus::Registry registry{prometheus::Registry::InsertBehavior::Merge};
  prometheus::Family<prometheus::Counter>& requests = prometheus::BuildCounter()
                                                          .Name("troupe_gateway_requests_total")
                                                          .Help("Answered requests")
                                                          .Register(registry);
  prometheus::Family<prometheus::Histogram>& seconds =
      prometheus::BuildHistogram()
          .Name("troupe_gateway_request_seconds")
          .Help("From arrival to answer, or to a stream's beginning")
          .Register(registry);
  prometheus::Family<prometheus::Counter>& refusals = prometheus::BuildCounter()
                                                          .Name("troupe_gateway_refused_total")
                                                          .Help("Refused at a limit of this node")
                                                          .Register(registry);
  prometheus::Family<prometheus::Counter>& images =
      prometheus::BuildCounter()
          .Name("troupe_gateway_images_total")
          .Help("Tags of submitted jobs' images, by what came of them")
          .Register(registry);
  prometheus::Family<prometheus::Counter>& cuts = prometheus::BuildCounter()
                                                      .Name("troupe_gateway_streams_cut_total")
                                                      .Help("Streams of events whose readers were too slow")
                                                      .Register(registry);
  std::mutex scraping;  ///< guards for_now
  std::vector<std::pair<prometheus::Family<prometheus::Gauge>*, prometheus::Gauge*>> for_now;
};

GatewayProbe::GatewayProbe() : impl_(std::make_unique<Impl>()) {}
GatewayProbe::~GatewayProbe() = default;

void GatewayProbe::answered(std::string_view route, int status, std::chrono::nanoseconds took) {
  const std::string name(route);
  impl_->requests.Add({{"route", name}, {"status", std::to_string(status)}}).Increment();
  impl_->seconds.Add({{"route", name}}, latency_buckets_s)
      .Observe(std::chrono::duration<double>(took).count());
}

void GatewayProbe::refused(std::string_view why) {
  impl_->refusals.Add({{"why", std::string(why)}}).Increment();
}

void GatewayProbe::image(std::string_view outcome) {
  impl_->images.Add({{"outcome", std::string(outcome)}}).Increment();
}

void GatewayProbe::calls_waiting(std::size_t count) {
  impl_->set("troupe_gateway_calls_waiting", "Calls that wait for the replica or another node", count);
}

void GatewayProbe::streams_open(std::string_view kind, std::size_t count) {
  impl_->set("troupe_gateway_streams_open", "Open streams", count, {{"kind", std::string(kind)}});
}

void GatewayProbe::streams_cut(std::string_view why, std::size_t count) {
  impl_->cuts.Add({{"why", std::string(why)}}).Increment(static_cast<double>(count));
}

void GatewayProbe::Impl::read_node(const NodeContext& node) {
  const NodeStatus& status = node.status;
  set("troupe_raft_term", "The term this node is in", status.term.load());
  set("troupe_raft_leader", "The leader's node number, 0 if none is known",
      std::uint64_t{status.leader.load()});
  set("troupe_raft_is_leader", "1 on the leader", std::uint64_t{status.leader == node.self.value});
  set("troupe_raft_commit_index", "Highest committed entry known here", status.commit.load());
  set("troupe_raft_applied_index", "Highest entry applied here", status.applied.load());
  set("troupe_raft_last_index", "Last entry of this node's log", status.last.load());
  set("troupe_node_leased", "1 while this node may give orders", std::uint64_t{status.leased.load()});
  set("troupe_proposals_total", "Proposals made by this node", status.proposals.load());
  set("troupe_proposals_pending", "Proposals under way", status.proposals_pending.load());
  set("troupe_scheduler_placements_total", "Placements that this node planned as leader and the log took",
      status.placements.load());
  for (std::size_t code = 0; code < status.placements_refused.size(); ++code)
    if (const std::uint64_t refused = status.placements_refused[code]; refused > 0)
      set("troupe_scheduler_refused_total", "Of those that it planned, what the log refused, by the reason",
          refused, {{"why", std::string(code_text(static_cast<ErrorCode>(code)))}});
  set("troupe_launches_paced",
      "Waiting tasks that follow a crash, or are of what crashes again and again; told by the leader alone",
      status.launches_paced.load());
  read_replica(node);
  if (node.log != nullptr) {
    const LogHead head = node.log->head();
    set("troupe_log_edge_index", "The log begins behind this entry", head.edge.index.value);
    set("troupe_log_durable_index", "Last durable entry of this node's log", head.tail.index.value);
  }
  if (const auto flushed = node.machine->flushed(); flushed.ok())
    set("troupe_state_flushed_index", "Where a crash would come back to", flushed.value().value);
}

void GatewayProbe::Impl::read_replica(const NodeContext& node) {
  const NodeStatus& status = node.status;
  const double us = 1e-6;
  set("troupe_log_syncs_total", "Answers of the log writer", status.log_syncs.load());
  set("troupe_log_sync_seconds_total", "From handing a write over to its being durable, in all",
      static_cast<double>(status.log_sync_us.load()) * us);
  set("troupe_log_sync_seconds_worst", "The longest of the last seconds: a slow disk shows here",
      static_cast<double>(status.log_sync_us_worst.load()) * us);
  set("troupe_log_first_index", "First entry of this node's log", status.first.load());
  set("troupe_log_bytes", "Bytes of entries in this node's log", status.log_bytes.load());
  set("troupe_log_cuts_total", "Times that the log's beginning was cut off", status.log_cuts.load());
  set("troupe_replica_mailbox", "Messages that wait for the replica", status.mailbox.load());
  set("troupe_replica_writes_waiting", "Writes that the log writer would not take yet",
      status.writes_waiting.load());
  set("troupe_replica_readys_waiting", "Steps of the log that wait for the disk",
      status.readys_waiting.load());
  set("troupe_replica_unapplied_bytes", "Bytes of the log that are not applied",
      status.unapplied_bytes.load());
  set("troupe_process_stalls_total", "Pauses of the whole process", status.stalls.load());
  set("troupe_clock_leaps_refused_total", "Leaderships given up because of this machine's clock",
      status.leaps_refused.load());
  set("troupe_snapshots_sent_total", "Snapshots that another node has installed",
      status.snapshots_sent.load());
  set("troupe_snapshots_arrived_total", "Snapshots that have arrived here", status.snapshots_arrived.load());
  for (const PeerStanding& peer : node.peers.all()) {
    const prometheus::Labels labels{{"peer", to_text(peer.id)}};
    set_for_now("troupe_follower_lag_entries", "Entries that a follower lacks, told by the leader alone",
                static_cast<double>(peer.lag), labels);
    set_for_now("troupe_follower_silent_seconds", "Since a follower's last message, told by the leader alone",
                static_cast<double>(peer.silent.count()) * 1e-3, labels);
  }
}

void GatewayProbe::Impl::read_cell(const NodeContext& node) {
  const CellFigures cell = node.reads().cell();
  set("troupe_jobs_live", "Live jobs", cell.live_jobs);
  set("troupe_jobs_throttled", "Of these, those whose relaunches wait for their budget", cell.throttled_jobs);
  set("troupe_entities_set_aside", "Live entities that are set aside", cell.set_aside);
  set("troupe_tasks_wanted", "Sum of what live jobs want", cell.wanted_tasks);
  for (std::size_t i = 0; i < task_state_count; ++i)
    set("troupe_tasks_live", "Live tasks by state", cell.live_tasks[i],
        {{"state", std::string(state_text(static_cast<TaskState>(i)))}});
  set("troupe_tasks_waiting", "Tasks that wait to be placed", std::uint64_t{cell.waiting});
  set("troupe_hosts", "Registered hosts", std::uint64_t{cell.hosts});
  set("troupe_hosts_connected", "Hosts whose agent is connected", std::uint64_t{cell.hosts_connected});
  set("troupe_requests_remembered", "Request ids in the table", std::uint64_t{cell.requests});
}

/// Of more groups than that a scraper would drown in series; the console has each.
constexpr std::size_t groups_told_max = 200;

void GatewayProbe::Impl::read_groups(const NodeContext& node) {
  std::size_t told = 0;
  for (const GroupView& group : node.reads().group_views()) {
    if (++told > groups_told_max) return;
    const prometheus::Labels labels{{"group", group.record.name}};
    set_for_now("troupe_group_tasks", "Live tasks of a capacity group", static_cast<double>(group.use.tasks),
                labels);
    set_for_now("troupe_group_tasks_waiting", "Of these, those that wait to be placed",
                static_cast<double>(group.waiting), labels);
    set_for_now("troupe_group_alert", "1 while tasks of the group have waited too long",
                group.condition.is_raised() ? 1 : 0, labels);
  }
}

std::string GatewayProbe::scrape(const NodeContext& node) {
  const std::lock_guard lock(impl_->scraping);
  impl_->forget_for_now();
  impl_->read_node(node);
  impl_->read_cell(node);
  impl_->read_groups(node);
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace troupe::gateway
