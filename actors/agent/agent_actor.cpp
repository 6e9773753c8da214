#include "actors/agent/agent_actor.hpp"

#include <charconv>
#include <deque>

#include "actors/agent/sim_driver.hpp"
#include "actors/messages.hpp"
#include "actors/runtime/logging.hpp"

namespace troupe::agent {

struct DriverSpoke {
  TaskReport report;
};
struct DriverProbed {
  std::vector<std::string> problems;
};
struct WakeAgent {
  std::uint64_t number = 0;  // of the latest wish; older ones are void
};
struct AdvanceSim {
  std::uint64_t number = 0;
};

}  // namespace troupe::agent

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::agent::DriverSpoke)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::agent::DriverProbed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::agent::WakeAgent)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::agent::AdvanceSim)

namespace troupe::agent {
namespace {

constexpr Table journal_table = 0;

class AgentShell {
 public:
  AgentShell(caf::event_based_actor* self, std::shared_ptr<AgentHome> home)
      : self_(self), home_(std::move(home)), core_(home_->config, Random(home_->seed)) {}

  caf::behavior start() {
    if (!restore()) return {};
    adopt();
    return {
        [this](const LinkRaised& raised) {
          if (raised.link == link_) feed(LinkUp{dial_});
        },
        [this](const LinkDropped& dropped) {
          if (dropped.link != link_) return;
          home_->hub->hang_up(link_);  // The core decides what is dialled next.
          link_ = {};
          feed(LinkDown{dial_});
        },
        [this](const LinkReceived& received) { on_received(received); },
        [this](const DriverSpoke& spoke) { feed(DriverNews{spoke.report}); },
        [this](const DriverProbed& probed) { take_probe(probed.problems); },
        [this](const WakeAgent& wake) {
          if (wake.number == wake_number_) feed(Tick{});
        },
        [this](const AdvanceSim& advance) {
          if (advance.number != sim_number_) return;
          sim_armed_.reset();
          advance_sim();
        },
    };
  }

 private:
  Moment now() const { return home_->seams.clock->steady(); }

  void fail(const std::string& why) {
    logging::error("agent_failed host={} why=\"{}\"", home_->config.host, why);
    if (home_->seams.on_failure) home_->seams.on_failure(why);
  }

  bool restore() {
    std::vector<std::pair<Bytes, Bytes>> entries;
    auto cursor = home_->seams.journal->scan(journal_table, {}, Bytes(64, '\xff'));
    for (; cursor->valid(); cursor->next()) entries.emplace_back(cursor->key(), cursor->value());
    auto restored = cursor->status();
    if (restored.ok()) restored = core_.restore(entries);
    if (!restored.ok()) fail("the agent's journal cannot be read: " + restored.error().message);
    return restored.ok();
  }

  void adopt() {
    const auto weak = caf::actor_cast<caf::actor_addr>(self_);
    take_probe(home_->seams.driver->watch_health([weak](std::vector<std::string> problems) {
      if (auto strong = caf::actor_cast<caf::actor>(weak))
        caf::anon_send(strong, DriverProbed{std::move(problems)});
    }));
    std::vector<TaskId> left = home_->seams.driver->adopt([weak](DriverEvent event) {
      if (auto strong = caf::actor_cast<caf::actor>(weak))
        caf::anon_send(strong, DriverSpoke{std::move(event.report)});
    });
    feed(Adopted{std::move(left)});
    advance_sim();
  }

  void take_probe(const std::vector<std::string>& problems) {
    if (problems.empty() != is_fit_) {
      is_fit_ = problems.empty();
      if (is_fit_) logging::info("host_fit host={}", home_->config.host);
      for (const std::string& problem : problems)
        logging::warn("host_unfit host={} why=\"{}\"", home_->config.host, problem);
    }
    feed(HostProbed{problems});
  }

  void on_received(const LinkReceived& received) {
    if (received.link != link_) return;
    auto message = unpacked<ToAgent>(received.bytes);
    if (!message.ok()) {
      logging::warn("bad_order host={} peer={}", home_->config.host, received.link.peer);
      return;
    }
    feed(NodeMessage{dial_, std::move(message).value()});
  }

  void feed(Event event) {
    // A driver that was idle for long still has the time of its last news: what is launched now begins now.
    if (home_->seams.sim != nullptr && !feeding_)
      home_->seams.sim->advance(now(), home_->seams.clock->wall());
    events_.push_back(std::move(event));
    if (feeding_) return;
    feeding_ = true;
    while (!events_.empty() && !failed_) {
      const Event next = std::move(events_.front());
      events_.pop_front();
      for (Effect& effect : core_.on(home_->seams.clock->wall(), now(), next))
        if (!failed_) std::visit([this](auto& any) { perform(std::move(any)); }, effect);
    }
    feeding_ = false;
    arm_sim();
  }

  void perform(const SendToNode& send) {
    if (send.dial == dial_ && !link_.peer.empty()) home_->hub->send(link_, packed(send.message));
  }
  void perform(const Dial& dial) {
    if (!link_.peer.empty()) home_->hub->hang_up(link_);
    dial_ = dial.dial;
    const std::size_t at = dial.address.find('@');
    link_ = {"node/" + dial.address.substr(0, at), net::Channel::agent};
    if (at == std::string::npos) return feed(LinkDown{dial_});
    home_->hub->dial(link_, dial.address.substr(at + 1));
  }
  void perform(const HangUp& hang_up) {
    if (hang_up.dial != dial_ || link_.peer.empty()) return;
    home_->hub->hang_up(link_);
    link_ = {};
  }
  void perform(const LaunchTask& launch) { home_->seams.driver->launch(launch.spec); }
  void perform(const StopTask& stop) { home_->seams.driver->stop(stop.task, stop.grace); }
  void perform(const DiscardTask& discard) { home_->seams.driver->discard(discard.task); }
  void perform(const ReadLog& read) {
    feed(LogRead{read.read.call, home_->seams.driver->read_log(read.read.task, read.read.stream,
                                                               read.read.offset, read.read.bytes_max)});
  }
  void perform(const WriteJournal& write) {
    KvBatch batch;
    for (const auto& change : write.changes) {
      if (change.value)
        batch.put(journal_table, change.key, *change.value);
      else
        batch.erase(journal_table, change.key);
    }
    auto written = home_->seams.journal->write(batch, Durability::synced);
    if (written.ok()) return;
    failed_ = true;
    fail("the agent's journal cannot be written: " + written.error().message);
  }
  void perform(const WakeAt& wake) {
    self_->delayed_send(self_, std::max(std::chrono::nanoseconds(0), wake.at - now()),
                        WakeAgent{++wake_number_});
  }

  void advance_sim() {
    if (home_->seams.sim == nullptr) return;
    home_->seams.sim->advance(now(), home_->seams.clock->wall());
    arm_sim();
  }
  void arm_sim() {
    if (home_->seams.sim == nullptr) return;
    const auto due = home_->seams.sim->next_due();
    if (!due || (sim_armed_ && *sim_armed_ <= *due)) return;
    sim_armed_ = due;
    self_->delayed_send(self_, std::max(std::chrono::nanoseconds(0), *due - now()),
                        AdvanceSim{++sim_number_});
  }

  caf::event_based_actor* self_;
  std::shared_ptr<AgentHome> home_;
  AgentCore core_;
  std::deque<Event> events_;
  bool is_fit_ = true;
  bool feeding_ = false;
  bool failed_ = false;
  std::uint64_t dial_ = 0;
  net::LinkKey link_;
  std::uint64_t wake_number_ = 0;
  std::uint64_t sim_number_ = 0;
  std::optional<Moment> sim_armed_;
};

}  // namespace

std::vector<std::string> journal_tables() { return {"journal"}; }

class RunningAgent final : public Agent, private net::LinkListener {
 public:
  explicit RunningAgent(std::shared_ptr<AgentHome> home) : home_(std::move(home)) {}
  ~RunningAgent() override {
    if (hub_) hub_->close();
    caf::anon_send_exit(actor_, caf::exit_reason::kill);
    if (actors_ == nullptr) return;
    // Its last messages still speak of the hub.
    if (actors_->is_simulated()) {
      actors_->await_end();
      return;
    }
    // Its journal and driver go next: not while it is in the middle of something.
    caf::scoped_actor self(actors_->system());
    self->wait_for(actor_);
  }
  Result<void> start(ActorHost& actors) {
    auto hub = home_->seams.open_hub(*this);
    if (!hub.ok()) return hub.error();
    hub_ = std::move(hub).value();
    home_->hub = hub_.get();
    actors_ = &actors;
    actor_ = spawn_agent(actors.system(), home_);
    return {};
  }

 private:
  void on_link_up(const net::LinkKey& link) override { caf::anon_send(actor_, LinkRaised{link}); }
  void on_link_down(const net::LinkKey& link, std::string_view why) override {
    caf::anon_send(actor_, LinkDropped{link, std::string(why)});
  }
  // Another node may be alive, or know who owns the host by now.
  void on_dial_failed(const net::LinkKey& link, net::DialFailure, std::string_view why) override {
    on_link_down(link, why);
  }
  void on_message(const net::LinkKey& link, Bytes message) override {
    caf::anon_send(actor_, LinkReceived{link, std::move(message)});
  }

  std::shared_ptr<AgentHome> home_;
  std::unique_ptr<net::LinkHub> hub_;
  ActorHost* actors_ = nullptr;
  caf::actor actor_;
};

caf::actor spawn_agent(caf::actor_system& system, const std::shared_ptr<AgentHome>& home) {
  return system.spawn([home](caf::event_based_actor* self) -> caf::behavior {
    auto shell = std::make_shared<AgentShell>(self, home);
    self->attach_functor([shell]() mutable { shell.reset(); });
    return shell->start();
  });
}

Result<std::unique_ptr<Agent>> Agent::start(ActorHost& actors, AgentConfig config, AgentSeams seams,
                                            std::uint64_t seed) {
  auto home = std::make_shared<AgentHome>(AgentHome{std::move(config), std::move(seams), seed, nullptr});
  auto agent = std::make_unique<RunningAgent>(home);
  if (auto started = agent->start(actors); !started.ok()) return started.error();
  return std::unique_ptr<Agent>(std::move(agent));
}

}  // namespace troupe::agent
