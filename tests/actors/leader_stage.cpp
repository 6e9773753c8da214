#include "tests/actors/leader_stage.hpp"

#include <gtest/gtest.h>

namespace troupe {

LeaderStage::LeaderStage(Spawn spawn) {
  context_->self = first_node;
  context_->clock = &clock;
  context_->machine = cell.machine.get();
  context_->book.begin({{first_node, {}}, {NodeId{2}, {}}}, {{first_node, NodeId{2}}, {}, {}});
  cell.on_applied = [this](const Applied& applied) {
    untold_.push_back(std::make_shared<const Applied>(applied));
  };
  replica_ = actors_->system().spawn([this](caf::event_based_actor*) -> caf::behavior {
    return {[this](const Propose& request) {
              proposals.push_back(request);
              ++proposals_made;
            },
            [this](const Answered& answered) { answers.push_back(answered); },
            [this](const ReplicaDone& done) { told.push_back(done); }};
  });
  actor_ = spawn(actors_->system(), context_);
  MeetNode node;
  node.replica = replica_;
  caf::anon_send(actor_, node);
}

LeaderStage::~LeaderStage() {
  proposals.clear();
  told.clear();
  for (caf::actor* actor : {&actor_, &replica_}) {
    caf::anon_send_exit(*actor, caf::exit_reason::kill);
    *actor = nullptr;
  }
  actors_->await_end();
}

void LeaderStage::lead() {
  raft::RoleChange role;
  role.role = raft::Role::leader;
  role.term = cell.term;
  caf::anon_send(actor_, RoleMoved{role});
  run();
}

void LeaderStage::follow() {
  caf::anon_send(actor_, RoleMoved{raft::RoleChange{}});
  run();
}

void LeaderStage::hear(const PeersHeard::Peer& peer) {
  PeersHeard heard;
  heard.term = cell.term;
  heard.peers.push_back(peer);
  caf::anon_send(actor_, heard);
  run();
}

void LeaderStage::tell() {
  for (const AppliedPtr& applied : std::exchange(untold_, {})) {
    context_->status.applied = applied->index.value;
    caf::anon_send(actor_, StateApplied{applied});
  }
  run();
}

void LeaderStage::run() {
  constexpr int messages_max = 10'000;  // An actor that goes round and round must fail its test, not hang it.
  int messages = 0;
  for (; actors_->step(); ++messages_handled) ASSERT_LT(++messages, messages_max) << "the actor never rests";
}

void LeaderStage::advance(milliseconds wait) {
  clock.now = clock.now + wait;
  actors_->advance(wait);
  run();
}

Propose LeaderStage::take() {
  TROUPE_CHECK(!proposals.empty());
  Propose oldest = proposals.front();
  proposals.pop_front();
  return oldest;
}

Outcome LeaderStage::apply_proposal() {
  const Propose oldest = take();
  const Outcome outcome = cell.apply(oldest.command).outcome;
  caf::anon_send(actor_, ProposalDone{oldest.cookie, outcome});
  run();
  return outcome;
}

void LeaderStage::answer_proposal(const Error& error) {
  const Propose oldest = take();
  caf::anon_send(actor_, ProposalDone{oldest.cookie, error});
  run();
}

std::vector<PlaceTasks::Item> LeaderStage::proposed() const {
  std::vector<PlaceTasks::Item> items;
  for (const Propose& proposal : proposals)
    for (const auto& item : std::get<PlaceTasks>(proposal.command.body).items) items.push_back(item);
  return items;
}

std::vector<TaskId> LeaderStage::waiting_tasks(const JobId& job, std::uint32_t count) {
  std::vector<TaskId> tasks;
  for (std::uint32_t slot = 0; slot < count; ++slot) tasks.push_back(cell.start(job, slot));
  return tasks;
}

}  // namespace troupe
