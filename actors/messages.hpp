#pragma once
// The mailboxes' table of contents: every message between the actors of a node, and every mail between nodes.
// Requests are verbs, facts are past participles. They live for a moment and are never stored.

#include <caf/all.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "actors/agent/protocol.hpp"
#include "actors/operations/cell_order.hpp"
#include "net/http/http.hpp"
#include "net/link/link.hpp"
#include "storage/model/outcome.hpp"
#include "storage/raft/ready.hpp"
#include "storage/replica/log_keeper.hpp"

namespace troupe {

// ---- mail between nodes: msgpack over Channel::mail, at most once ----
/// Proposals for the leader, as encoded commands.
struct ForwardProposals {
  std::vector<Blob> commands;
  static constexpr auto fields() { return field_list(field("commands", &ForwardProposals::commands)); }
};
/// The leader did not take them: they surely did not happen by this attempt.
struct RefuseProposals {
  std::vector<std::uint64_t> counts;  ///< of ProposalId
  ErrorCode code = ErrorCode::not_leader;
  static constexpr auto fields() {
    return field_list(field("counts", &RefuseProposals::counts), field("code", &RefuseProposals::code));
  }
};
/// Read a log through the agent whose link ends at the asked node.
struct AskAgent {
  HostId host;
  agent::Call call;
  static constexpr auto fields() {
    return field_list(field("host", &AskAgent::host), field("call", &AskAgent::call));
  }
};
/// Why does this task wait? Asked of the leader's scheduler.
struct AskScheduler {
  TaskId task;
  static constexpr auto fields() { return field_list(field("task", &AskScheduler::task)); }
};
/// Where would so many tasks go if they came now? Asked of the leader's scheduler. With places: would these
/// do for the first of them?
struct AskPlan {
  JobId job;  ///< one that lives, or an id that is nobody's
  DescriptorPtr descriptor;
  std::uint32_t count = 0;
  std::vector<PlannedPlace> places{};
  static constexpr std::size_t fields_at_first = 3;
  static constexpr auto fields() {
    return field_list(field("job", &AskPlan::job), field("descriptor", &AskPlan::descriptor),
                      field("count", &AskPlan::count), field("places", &AskPlan::places));
  }
};
/// What does this node run? For the console: "actors", "node", "show job/…".
struct AskConsole {
  std::string command;
  static constexpr auto fields() { return field_list(field("command", &AskConsole::command)); }
};
/// An operator's order about the cell itself, or a look at its members. Asked of the leader's operations.
struct AskCell {
  CellOrder order;
  static constexpr auto fields() { return field_list(field("order", &AskCell::order)); }
};
using Question = std::variant<AskAgent, AskScheduler, AskConsole, AskCell, AskPlan>;
/// Answers are bytes whose form the question fixes; an error stands beside them.
struct Answer {
  std::uint8_t error = 0;  ///< 0: none, else 1 + ErrorCode
  std::string message;
  Bytes data;
  static Answer of(Bytes data) { return {0, {}, std::move(data)}; }
  static Answer of(const Error& error) {
    return {static_cast<std::uint8_t>(1 + static_cast<int>(error.code)), error.message, {}};
  }
  Result<Bytes> result() const {
    if (error == 0) return data;
    const auto code = static_cast<std::uint8_t>(error - 1);
    return Error{
        code <= static_cast<std::uint8_t>(ErrorCode::io) ? static_cast<ErrorCode>(code) : ErrorCode::internal,
        message};
  }
  static constexpr auto fields() {
    return field_list(field("error", &Answer::error), field("message", &Answer::message),
                      field("data", &Answer::data));
  }
};
struct AskMail {
  std::uint64_t number = 0;
  Question question;
  static constexpr auto fields() {
    return field_list(field("number", &AskMail::number), field("question", &AskMail::question));
  }
};
struct AnswerMail {
  std::uint64_t number = 0;
  Answer answer;
  static constexpr auto fields() {
    return field_list(field("number", &AnswerMail::number), field("answer", &AnswerMail::answer));
  }
};
using Mail = std::variant<ForwardProposals, RefuseProposals, AskMail, AnswerMail>;

// ---- a node's actors ----
/// All of them, sent to each once all exist.
struct MeetNode {
  caf::actor replica, applier, keeper, operations, directory, door, post, scheduler, balancer, gateway,
      console;
};

// ---- links ----
struct LinkRaised {
  net::LinkKey link;
};
struct LinkDropped {
  net::LinkKey link;
  std::string why;
};
/// Nobody listens where it was dialled: the process that lived there is gone.
struct LinkRefused {
  net::LinkKey link;
};
struct LinkReceived {
  net::LinkKey link;
  Bytes bytes;
};

// ---- replica ----
/// Ten milliseconds have passed.
struct TickReplica {};
/// Everything in the mailbox has been given to the core: take what it has ready.
struct FlushReplica {};
struct LogWritten {
  Result<std::uint64_t> ticket;
};
/// Propose a command; its proposal id is filled in. Answered by ProposalDone, always, at the deadline at the
/// latest.
struct Propose {
  Command command;
  std::uint64_t cookie = 0;
  milliseconds patience{10'000};
  caf::strong_actor_ptr asker;
};
struct ProposalDone {
  std::uint64_t cookie = 0;
  Result<Outcome>
      outcome;  ///< an error here: not applied as far as is known (outcome_unknown says it may be)
};
/// Wait until this node's state is at least as new as any write acknowledged before now. Answered by
/// ReadDone.
struct AwaitRead {
  std::uint64_t cookie = 0;
  milliseconds patience{5'000};
  caf::strong_actor_ptr asker;
};
struct ReadDone {
  std::uint64_t cookie = 0;
  Result<Index> applied;
};
/// How does the core stand? Answered by ReplicaTold, as a CAF request.
struct TellReplica {};
struct ReplicaTold {
  raft::Status status;
  std::map<NodeId, std::uint32_t> levels;  ///< as ReplicaDriver::levels()
};
struct MailProposals {
  NodeId from;
  ForwardProposals mail;
};
struct MailRefusals {
  NodeId from;
  RefuseProposals mail;
};

/// Change who counts. To the leader's replica (others answer not_leader); answered by ReplicaDone once the
/// change is applied, or outcome_unknown.
struct ChangeMembers {
  raft::MemberChange change;
  std::uint64_t cookie = 0;
  milliseconds patience{10'000};
  caf::strong_actor_ptr asker;
};
/// Hand leadership over. To the leader's replica; answered by ReplicaDone when another node leads.
struct TransferLeadership {
  NodeId target;
  std::uint64_t cookie = 0;
  milliseconds patience{5'000};
  caf::strong_actor_ptr asker;
};
struct ReplicaDone {
  std::uint64_t cookie = 0;
  Result<Index> done;  ///< the entry of the change; of a transfer, the last one committed before
};
/// The node cannot go on: it must not vote any more.
struct StopReplica {
  std::string why;
};

// ---- keeper: whatever may block ----
/// Answered to the replica by StateKept.
struct CareForState {
  StateCare care = StateCare::look;
};
struct StateKept {
  Result<Index> flushed;  ///< what a crash now would come back to
};
struct FreeLogSpace {};
/// This node leads, and the peer needs entries that the log has no more. Answered to the replica by
/// SnapshotTaken, or not, and in the end by SnapshotSent.
struct SendSnapshot {
  NodeId peer;
  Index first_missing;
  Term term;
  std::string address;  ///< of its peer listener
};
struct SnapshotTaken {
  NodeId peer;
  Index index;
};
struct SnapshotSent {
  NodeId peer;
  Index index;  ///< that the peer holds now; 0: it failed
};
/// This node leads no more: nobody waits for its snapshots.
struct DropSnapshots {};
/// To the replica: this snapshot has arrived, whole and verified. Is it still news?
struct SnapshotArrived {
  raft::SnapshotMeta meta;
};
/// It is not: the log has brought this node further meanwhile.
struct ForgetSnapshot {};
struct TickKeeper {};

// ---- applier ----
struct ApplyEntries {
  std::vector<raft::Entry> entries;
};
/// To replica, directory, scheduler, balancer and gateway, in log order.
struct StateApplied {
  AppliedPtr applied;
};

// ---- leadership and leases ----
struct RoleMoved {
  raft::RoleChange role;
};
/// May this node give orders? It may while the leader has confirmed it lately.
struct LeaseMoved {
  bool held = false;
};
/// Which nodes the leader hears. To the scheduler and the balancer, some times a second and when a link comes
/// or goes.
struct PeersHeard {
  struct Peer {
    NodeId id;
    milliseconds silent{0};
    bool speaks = true;  ///< as Hearing::speaks()
    bool gone = false;   ///< as Hearing::is_gone()
  };
  std::vector<Peer> peers;                   ///< this node excluded
  std::map<NodeId, std::uint32_t> levels{};  ///< as ReplicaDriver::levels()
  Term term;
};

// ---- directory and entities ----
/// To an entity: the state around you has changed, or your time has come.
struct Nudge {
  std::uint64_t number = 0;
};
/// From an entity: these effects of my core.
struct EntityProposes {
  EntityRef entity;
  std::uint64_t number = 0;
  CommandBody body;
};
struct EntityWakes {
  EntityRef entity;
  Instant at;
};
/// From an entity that has nothing to wait for, having handled nudges up to this number.
struct EntityRests {
  EntityRef entity;
  std::uint64_t nudge = 0;
};
struct EntitySettled {
  std::uint64_t number = 0;
  Result<Outcome> outcome;
};
struct Passivate {};
/// To the directory: a new actor for this entity, whose old one is let go. Answered by ReplicaDone with the
/// index that is applied, or `fenced` where this node does not care for it (now).
struct RestartEntity {
  EntityRef entity;
  std::uint64_t cookie = 0;
  caf::strong_actor_ptr asker;
};
struct TickDirectory {};
struct FlushReports {};

// ---- hosts ----
struct HostTaskMoved {
  TaskId task;
};
struct HostMoved {};
/// From the door, through the directory: an agent's link is up at this node and its host is ours.
struct AgentArrived {
  HostId host;
  net::LinkKey link;
  agent::Hello hello;
};
struct AgentLeft {
  HostId host;
  net::LinkKey link;
};
struct AgentReported {
  HostId host;
  net::LinkKey link;
  agent::Report report;
};
struct CloseAgent {
  net::LinkKey link;
  std::string why;
};
/// To the door: these shards went to another owner; their agents dial again and are sent there.
struct ShardsLost {
  std::vector<ShardId> shards;
};

// ---- questions ----
/// To the post: ask a node (0: the leader). Answered by Answered, always.
struct Ask {
  NodeId node;
  Question question;
  std::uint64_t cookie = 0;
  milliseconds patience{5'000};
  caf::strong_actor_ptr asker;
};
struct Answered {
  std::uint64_t cookie = 0;
  Answer answer;
};
/// From the post to whoever knows; answered by Answered to `asker`.
struct Asked {
  Question question;
  std::uint64_t cookie = 0;
  caf::strong_actor_ptr asker;
};
/// To any actor of the node: how much waits for you? Answered by MailboxTold, as a CAF request.
struct TellMailbox {};
struct MailboxTold {
  std::size_t waiting = 0;
};
/// To the directory: who is awake? Answered by AwakeTold, as a CAF request.
struct TellAwake {
  std::optional<EntityKind> kind;   ///< unset: all
  std::optional<EntityRef> entity;  ///< set: only this one
  std::size_t limit = 0;            ///< of the list; the fullest mailboxes come first
};
struct AwakeTold {
  struct Kind {
    EntityKind kind = EntityKind::job;
    std::size_t awake = 0;
    std::uint64_t waiting = 0;      ///< in all their mailboxes
    std::uint64_t waiting_max = 0;  ///< in one of them
    std::uint64_t handled = 0;      ///< messages, since this node started
    std::uint64_t activations = 0;  ///< likewise
    std::uint64_t crashes = 0;      ///< likewise
  };
  struct Awake {
    EntityRef entity;
    Instant since;
    std::uint64_t waiting = 0;
    std::uint64_t handled = 0;
    std::uint64_t nudges = 0;
    std::uint64_t restarts = 0;  ///< after crashes, lately
    Instant wake;                ///< unset: none wished for
    std::string last_error;      ///< a proposal that failed, or how it crashed
  };
  std::vector<Kind> kinds;
  std::vector<Awake> awake;
  std::size_t left_out = 0;  ///< of the list
};
struct TickPost {};
struct TickDoor {};

// ---- scheduler and balancer ----
struct PassScheduler {};
/// Its time has come: a refused task has rested, or a plan may have been settled.
struct WakeScheduler {
  std::uint64_t number = 0;  ///< of the last wake that was asked for; others are not awaited any more
};
struct TickBalancer {};
/// To the leader's balancer: this node owns no shards from now on, for `at_most`; 0: it may again. Answered
/// by ReplicaDone once it owns none, with the index that is applied then; at its patience's end as
/// outcome_unknown.
struct SpareNode {
  NodeId node;
  milliseconds at_most{0};
  std::string caller, reason;
  std::uint64_t cookie = 0;
  milliseconds patience{5'000};
  caf::strong_actor_ptr asker;
};

// ---- gateway ----
struct HttpCall {
  http::Request request;
  http::ReplyPtr reply;
};
struct TickGateway {};

}  // namespace troupe

#define TROUPE_MESSAGE(T) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::T)
TROUPE_MESSAGE(MeetNode)
TROUPE_MESSAGE(LinkRaised)
TROUPE_MESSAGE(LinkDropped)
TROUPE_MESSAGE(LinkRefused)
TROUPE_MESSAGE(LinkReceived)
TROUPE_MESSAGE(TickReplica)
TROUPE_MESSAGE(FlushReplica)
TROUPE_MESSAGE(LogWritten)
TROUPE_MESSAGE(Propose)
TROUPE_MESSAGE(ProposalDone)
TROUPE_MESSAGE(AwaitRead)
TROUPE_MESSAGE(ReadDone)
TROUPE_MESSAGE(TellReplica)
TROUPE_MESSAGE(ReplicaTold)
TROUPE_MESSAGE(MailProposals)
TROUPE_MESSAGE(MailRefusals)
TROUPE_MESSAGE(ChangeMembers)
TROUPE_MESSAGE(TransferLeadership)
TROUPE_MESSAGE(ReplicaDone)
TROUPE_MESSAGE(StopReplica)
TROUPE_MESSAGE(CareForState)
TROUPE_MESSAGE(StateKept)
TROUPE_MESSAGE(FreeLogSpace)
TROUPE_MESSAGE(SendSnapshot)
TROUPE_MESSAGE(SnapshotTaken)
TROUPE_MESSAGE(SnapshotSent)
TROUPE_MESSAGE(DropSnapshots)
TROUPE_MESSAGE(SnapshotArrived)
TROUPE_MESSAGE(ForgetSnapshot)
TROUPE_MESSAGE(TickKeeper)
TROUPE_MESSAGE(ApplyEntries)
TROUPE_MESSAGE(StateApplied)
TROUPE_MESSAGE(RoleMoved)
TROUPE_MESSAGE(LeaseMoved)
TROUPE_MESSAGE(PeersHeard)
TROUPE_MESSAGE(Nudge)
TROUPE_MESSAGE(EntityProposes)
TROUPE_MESSAGE(EntityWakes)
TROUPE_MESSAGE(EntityRests)
TROUPE_MESSAGE(EntitySettled)
TROUPE_MESSAGE(Passivate)
TROUPE_MESSAGE(RestartEntity)
TROUPE_MESSAGE(TickDirectory)
TROUPE_MESSAGE(FlushReports)
TROUPE_MESSAGE(HostTaskMoved)
TROUPE_MESSAGE(HostMoved)
TROUPE_MESSAGE(AgentArrived)
TROUPE_MESSAGE(AgentLeft)
TROUPE_MESSAGE(AgentReported)
TROUPE_MESSAGE(CloseAgent)
TROUPE_MESSAGE(ShardsLost)
TROUPE_MESSAGE(Ask)
TROUPE_MESSAGE(Answered)
TROUPE_MESSAGE(Asked)
TROUPE_MESSAGE(TellMailbox)
TROUPE_MESSAGE(MailboxTold)
TROUPE_MESSAGE(TellAwake)
TROUPE_MESSAGE(AwakeTold)
TROUPE_MESSAGE(TickPost)
TROUPE_MESSAGE(TickDoor)
TROUPE_MESSAGE(PassScheduler)
TROUPE_MESSAGE(WakeScheduler)
TROUPE_MESSAGE(TickBalancer)
TROUPE_MESSAGE(SpareNode)
TROUPE_MESSAGE(HttpCall)
TROUPE_MESSAGE(TickGateway)
#undef TROUPE_MESSAGE
