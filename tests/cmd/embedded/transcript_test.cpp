// The road of a job, as it happens: one simulated life, written down message by message, is the transcript in
// actors/README.md. Whoever changes the road changes that page.

#include <fstream>
#include <sstream>

#include "actors/messages.hpp"
#include "storage/model/command_table.hpp"
#include "storage/replica/replica_message.hpp"
#include "tests/cmd/embedded/cell.hpp"

namespace troupe::embedded {
namespace {

constexpr std::uint64_t seeds_max = 200;
constexpr std::uint32_t hosts = 2;

/// Writes down who tells whom what. Nodes have the names of what they are to this job; log indexes count from
/// the last entry before it.
class Scribe {
 public:
  void begin(std::uint64_t last_index) { base_ = last_index, is_writing_ = true; }
  void end() { is_writing_ = false; }
  void call(const net::PeerName& peer, const std::string& name) { names_[peer] = name; }
  void write(const std::string& line) {
    if (is_writing_) text_ += line + "\n";
  }
  const std::string& text() const { return text_; }

  void heard(const net::PeerName& from, const net::PeerName& to, net::Channel channel, BytesView bytes) {
    if (!is_writing_) return;
    const std::string way = name(from) + " -> " + name(to) + ": ";
    if (channel == net::Channel::consensus) {
      const auto message = unpacked<ReplicaMessage>(bytes);
      if (message.ok()) raft(name(from), way, message.value().message);
    } else if (channel == net::Channel::mail) {
      const auto mail = unpacked<Mail>(bytes);
      if (mail.ok()) forwarded(way, mail.value());
    } else if (from.starts_with("agent/")) {
      const auto said = unpacked<agent::FromAgent>(bytes);
      if (said.ok()) reported(way, said.value());
    } else {
      const auto said = unpacked<agent::ToAgent>(bytes);
      if (said.ok()) ordered(way, said.value());
    }
  }

 private:
  std::string name(const net::PeerName& peer) const {
    const auto found = names_.find(peer);
    return found == names_.end() ? peer : found->second;
  }
  std::string relative(Index index) const { return "+" + std::to_string(index.value - base_); }

  /// Each entry once: as the first follower hears of it, and as the first one has it on disk.
  void raft(const std::string& from, const std::string& way, const raft::Message& message) {
    if (message.type == raft::MessageType::append)
      for (const raft::Entry& entry : message.entries) appended(from, entry);
    if (message.type == raft::MessageType::append_reply && !message.reject && message.index > durable_ &&
        message.index.value > base_) {
      durable_ = message.index;
      write("   a follower -> leader: " + relative(durable_) + " is on my disk");
    }
    if (message.type == raft::MessageType::read_index) write(way + "how far is the log?");
    if (message.type == raft::MessageType::read_index_reply)
      write(way + (message.index > known_ ? "past the end" : relative(message.index)));
  }
  void appended(const std::string& from, const raft::Entry& entry) {
    if (entry.index <= known_ || entry.kind != raft::EntryKind::command) return;
    known_ = entry.index;
    const auto command = decode_command(entry.data.view());
    if (!command.ok()) return;
    write("   " + from + " -> followers: " + relative(entry.index) + " " +
          std::string(command_name(command.value())) + by_whom(command.value()));
  }
  static std::string by_whom(const Command& command) {
    std::string text;
    if (!command.caller.empty()) text += " by " + command.caller;
    if (std::holds_alternative<TermFence>(command.fence)) text += ", fenced by the term";
    if (std::holds_alternative<EpochFence>(command.fence)) text += ", fenced by the shard's epoch";
    if (std::holds_alternative<ReportTasks>(command.body)) text += ", fenced by the host's session";
    return text;
  }
  void forwarded(const std::string& way, const Mail& mail) {
    const auto* proposals = std::get_if<ForwardProposals>(&mail);
    if (proposals == nullptr) return;
    for (const Blob& bytes : proposals->commands)
      if (const auto command = decode_command(bytes.view()); command.ok())
        write(way + "propose " + std::string(command_name(command.value())));
  }
  void reported(const std::string& way, const agent::FromAgent& said) {
    const auto* report = std::get_if<agent::Report>(&said);
    if (report == nullptr) return;
    for (const agent::TaskReport& task : report->tasks)
      write(way + "the task is " + std::string(state_text(task.state)));
  }
  void ordered(const std::string& way, const agent::ToAgent& said) {
    if (const auto* launch = std::get_if<agent::Launch>(&said))
      write(way + "launch " + std::to_string(launch->tasks.size()) + " task");
    if (std::holds_alternative<agent::Acknowledge>(said)) write(way + "its end is durable, forget it");
  }

  std::map<net::PeerName, std::string> names_;
  std::uint64_t base_ = 0;
  bool is_writing_ = false;
  Index known_, durable_;
  std::string text_;
};

/// The block of the page that begins with ```text.
std::string written_in(const std::string& path) {
  std::ifstream file(path);
  std::stringstream all;
  all << file.rdbuf();
  const std::string fence = "```text\n";
  const auto begin = all.str().find(fence);
  if (begin == std::string::npos) return {};
  const auto from = begin + fence.size();
  return all.str().substr(from, all.str().find("```", from) - from);
}

/// One life of a job: its lines, or nothing if one node had two of the roles in it.
std::string life(std::uint64_t seed) {
  Scribe scribe;
  SimOptions options = cell_options(seed, hosts);
  options.heard = [&](const auto&... any) { scribe.heard(any...); };
  options.answered = [&](std::uint32_t, const http::Response& response) {
    scribe.write("gateway -> user: " + std::to_string(response.status));
  };
  options.fault_point = [&](const EntityRef& entity, std::string_view message) {
    const std::string who =
        entity == EntityRef{} ? "scheduler: " : std::string(kind_text(entity.kind)) + " actor: ";
    scribe.write("   " + who + std::string(message));
    return false;
  };
  Cell cell(options);
  // The first leader owns the hosts; the next one does not.
  const std::uint32_t first = cell.sim.leader();
  cell.sim.crash_node(first);
  if (!cell.await([&] { return cell.sim.leader() != 0 && cell.sim.leader() != first; })) return {};
  cell.sim.restart_node(first);
  if (!cell.await_whole()) return {};
  // One node is to own both the host and the job, and to be neither leader nor gateway: of the hosts that one
  // stays whose owner does not lead.
  const Reads& reads = *cell.sim.reads(1);
  std::uint32_t owner = 0, host = 0;
  for (std::uint32_t n = 1; n <= hosts; ++n) {
    const auto id = reads.host_id("host-" + std::to_string(n));
    const std::uint32_t its = reads.shard(shard_of(*id, reads.shard_count())).owner.value;
    if (owner == 0 && its != cell.sim.leader())
      owner = its, host = n;
    else
      cell.sim.crash_agent(n);
  }
  if (owner == 0) return {};
  cell.sim.run_for(milliseconds(2'000));  // Nothing else goes on.
  const std::uint32_t gateway = 6 - owner - cell.sim.leader();
  scribe.call("node/" + std::to_string(cell.sim.leader()), "leader");
  scribe.call("node/" + std::to_string(owner), "owner");
  scribe.call("node/" + std::to_string(gateway), "gateway");
  scribe.call("agent/host-" + std::to_string(host), "agent");
  scribe.begin(cell.sim.status(1)->last.load());
  scribe.write("user -> gateway: POST /api/v3/jobs");
  const JobId job = cell.submit({.size = 1, .script = "start=20ms run=300ms exit=0"}, gateway);
  if (reads.shard(shard_of(job, reads.shard_count())).owner.value != owner) return {};
  EXPECT_TRUE(cell.await_finished(job, Reason::normal));
  cell.sim.run_for(milliseconds(100));
  scribe.write("user -> gateway: GET /api/v3/jobs/ID");
  const auto shown = cell.sim.call(gateway, "GET", "/api/v3/jobs/" + to_text(job));
  scribe.end();
  EXPECT_NE(shown.body.find("\"state\":\"Finished\""), std::string::npos) << shown.body;
  EXPECT_EQ(cell.violations(), "");
  return scribe.text();
}

TEST(Transcript, OfAJobIsWhatTheReadmeSays) {
  std::string happened;
  std::uint64_t seed = 0;
  while (happened.empty() && seed < seeds_max) happened = life(++seed);
  ASSERT_NE(happened, "") << "no seed in which three nodes have the three roles";
  EXPECT_EQ(written_in(TROUPE_SOURCE_DIR "/actors/README.md"), happened)
      << "what happened with seed " << seed << ", to be put into actors/README.md if it is meant:\n"
      << happened;
}

}  // namespace
}  // namespace troupe::embedded
