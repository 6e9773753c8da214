#include "actors/gateway/gateway_actor.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>

#include "actors/gateway/admission.hpp"
#include "actors/gateway/event_streams.hpp"
#include "actors/gateway/gateway_settings.hpp"
#include "actors/gateway/log_streams.hpp"
#include "actors/gateway/mailed_reply.hpp"
#include "actors/gateway/router.hpp"
#include "actors/gateway/waits.hpp"
#include "actors/operations/backup_actor.hpp"
#include "storage/base/planted_bug.hpp"

namespace troupe {
namespace gateway {

/// To a reader: answer this call from the state.
struct RunRead {
  ReadHandler handler;
  CallPtr call;
};
/// To a reader: something else that takes long.
struct RunApart {
  std::function<void(const NodeContext& node)> work;
};
/// The resolver's answer, from its thread.
struct ImageResolved {
  std::uint64_t cookie = 0;
  Result<std::string> digest;
};
struct StreamSignalled {
  std::uint64_t stream = 0;
  StreamSignal signal = StreamSignal::closed;
};

}  // namespace gateway
}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::gateway::RunRead)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::gateway::RunApart)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::gateway::ImageResolved)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::gateway::StreamSignalled)

namespace troupe::gateway {
namespace {

constexpr milliseconds tick_every{100};
constexpr milliseconds proposal_patience{10'000};
constexpr milliseconds read_patience{5'000};
constexpr milliseconds question_patience{5'000};
constexpr milliseconds image_patience{5'000};
constexpr milliseconds order_patience{12'000};    // Longer than the operations' own.
constexpr milliseconds standing_patience{1'500};  // An operator looks at the whole cell while a node is down.
constexpr milliseconds backup_patience{120'000};  // Taking one reads the whole state.
/// The replica and the post answer at the deadline at the latest; this much later they are taken to be gone.
constexpr milliseconds answer_grace{1'000};
/// Reads run beside the gateway, so that a long list does not hold up a mutation.
constexpr std::size_t reader_count = 2;

/// One of the gateway's helpers: answers reads and debug calls, one at a time. Its mailbox is bounded by the
/// server's connections.
caf::behavior reader(caf::event_based_actor*, ContextPtr context) {
  return {[context](const RunRead& read) { read.call->answer(read.handler.run(*context, *read.call)); },
          [context](const RunApart& apart) { apart.work(*context); }};
}

class Gateway final : public Services {
 public:
  Gateway(caf::event_based_actor* self, ContextPtr context, caf::actor replica, caf::actor post,
          caf::actor backups, std::vector<const Setting*> declared, Index applied)
      : self_(self),
        context_(std::move(context)),
        replica_(std::move(replica)),
        post_(std::move(post)),
        backups_(std::move(backups)),
        declared_(std::move(declared)),
        random_(context_->seed ^ context_->life),
        seen_(applied),
        events_(*this, applied),
        logs_(*this) {}

  caf::behavior start();

  const NodeContext& node() const override { return *context_; }
  Random& random() override { return random_; }
  GatewayProbe& probe() override { return *probe_; }
  EventStreams& events() override { return events_; }
  LogStreams& logs() override { return logs_; }
  const Admission& admission() const override { return admission_; }
  void propose(Command command, std::function<void(Result<Outcome>)> done) override;
  void when_fresh(const CallPtr& call, api::Consistency consistency, std::function<void()> then) override;
  void resolve_image(const Image& image, std::function<void(Result<std::string>)> done) override;
  void ask_agent(NodeId node, HostId host, agent::Call call, Told told) override;
  void ask_scheduler(TaskId task, Told told) override;
  void ask_plan(AskedPlan plan, Told told) override;
  void ask_console(NodeId node, std::string command, Told told) override;
  void ask_cell(CellOrder order, Told told) override;
  void ask_standing(NodeId node, Told told) override;
  void ask_cell_at(NodeId node, CellOrder order, Told told) override;
  void ask_backup(BackupOrder order, Told told) override;
  std::shared_ptr<const void> begin_debug() override {
    return debug_calls_.use_count() > debug_calls_max ? nullptr : debug_calls_;
  }
  void run_apart(std::function<void(const NodeContext& node)> work) override;
  const std::vector<const Setting*>& declared_settings() const override { return declared_; }
  std::uint64_t next_stream() override { return ++last_stream_; }
  std::function<void()> stream_signal(std::uint64_t stream, StreamSignal signal) override;

 private:
  Moment now() const { return context_->clock->steady(); }
  caf::strong_actor_ptr me() const { return caf::actor_cast<caf::strong_actor_ptr>(self_); }
  void on_call(HttpCall& http);
  std::optional<Error> admit(Call& call, const Route& route);
  std::optional<Error> identify(Call& call, const Route& route);
  void read_rates();
  const caf::actor& next_reader();
  void run(const ActHandler& handler, const CallPtr& call);
  void run(const ReadHandler& handler, const CallPtr& call);
  void on_applied(const Applied& applied);
  void on_tick();
  void when_applied(const CallPtr& call, Index wanted, std::function<void()> then);
  void wake_applied();
  void ask(NodeId node, Question question, milliseconds patience, Told told);
  std::optional<Error> why_full();  ///< nullopt: another call may wait
  std::size_t waiting() const {
    return proposals_.size() + reads_.size() + questions_.size() + images_.size() + for_index_.size();
  }
  void sign_audit(Moment at);
  Index applied() const { return std::max(seen_, Index{context_->status.applied.load()}); }

  struct ForIndex {
    CallPtr call;
    Moment deadline;
    std::function<void()> then;
  };

  caf::event_based_actor* self_;
  ContextPtr context_;
  caf::actor replica_;
  caf::actor post_;
  caf::actor backups_;
  const std::vector<const Setting*> declared_;
  const std::shared_ptr<const int> debug_calls_ =
      std::make_shared<const int>(0);  // each call under way holds it
  std::vector<caf::actor> readers_;
  std::size_t next_reader_ = 0;
  Random random_;
  const std::shared_ptr<GatewayProbe> probe_ = std::make_shared<GatewayProbe>();
  Index seen_;                // what the state is known to hold
  std::uint64_t signed_ = 0;  // the last entry of the audit under a head of this life
  Moment signed_at_;
  const std::shared_ptr<std::atomic<bool>> signing_ = std::make_shared<std::atomic<bool>>(false);
  std::uint64_t last_stream_ = 0;
  EventStreams events_;
  LogStreams logs_;
  Admission admission_;
  Waits<Outcome> proposals_;
  Waits<Index> reads_;
  Waits<Bytes> questions_;
  Waits<std::string> images_;
  std::multimap<Index, ForIndex> for_index_;
};

caf::behavior Gateway::start() {
  for (std::size_t i = 0; i < reader_count; ++i)
    readers_.push_back(self_->spawn<caf::linked>(reader, context_));
  self_->delayed_send(self_, tick_every, TickGateway{});
  read_rates();
  return {
      [this](HttpCall& call) { on_call(call); },
      [this](const StreamSignalled& signalled) {
        events_.on_signal(signalled.stream, signalled.signal);
        logs_.on_signal(signalled.stream, signalled.signal);
      },
      [this](const ImageResolved& resolved) { images_.settle(resolved.cookie, resolved.digest); },
      [this](const StateApplied& state) { on_applied(*state.applied); },
      [this](const ProposalDone& done) { proposals_.settle(done.cookie, done.outcome); },
      [this](const ReadDone& done) { reads_.settle(done.cookie, done.applied); },
      [this](const Answered& answered) { questions_.settle(answered.cookie, answered.answer.result()); },
      [this](TellMailbox) { return MailboxTold{self_->mailbox().size()}; },
      [this](TickGateway) {
        on_tick();
        self_->delayed_send(self_, tick_every, TickGateway{});
      },
  };
}

namespace {

void refuse(Call& call, const Error& error) {
  auto response = http::error_response(error);
  if (error.code == ErrorCode::unauthenticated) response.headers["www-authenticate"] = "Bearer";
  call.answer(std::move(response));
}

}  // namespace

void Gateway::on_call(HttpCall& http) {
  auto call = std::make_shared<Call>(std::move(http.request), MailedReply::opened(std::move(http.reply)),
                                     probe_, context_->clock);
  Match match = match_route(routes(), call->request.method, call->request.path);
  if (match.route == nullptr) {
    const Error nothing{ErrorCode::not_found, "there is no such path: " + call->request.path.substr(0, 200)};
    if (match.allow.empty()) return call->fail(nothing);
    auto response =
        http::error_response({ErrorCode::method_not_allowed, "this path takes " + match.allow + ", not " +
                                                                 call->request.method.substr(0, 20)});
    response.headers["allow"] = match.allow;
    return call->answer(std::move(response));
  }
  call->route = match.route->pattern;
  call->captured = std::move(match.captured);
  if (const auto refusal = identify(*call, *match.route)) return refuse(*call, *refusal);
  if (const auto refusal = admit(*call, *match.route)) return call->fail(*refusal);
  std::visit([&](const auto& handler) { run(handler, call); }, match.route->handler);
}

std::optional<Error> Gateway::identify(Call& call, const Route& route) {
  const auto named = call.identify(context_->identities.get());
  if (route.access == api::Access::everybody) return std::nullopt;
  if (!named.ok()) return named.error();
  if (call.identity.may(route.access)) return std::nullopt;
  return Error{ErrorCode::permission_denied,
               call.caller + " may not call " + std::string(route.method) + ' ' + std::string(route.pattern) +
                   ": that takes the role " +
                   std::string(route.access == api::Access::operators ? "operator" : "submitter")};
}

std::optional<Error> Gateway::admit(Call& call, const Route& route) {
  if (!admission_.has_rules() || route.held == Route::Held::never) return std::nullopt;
  auto refusal =
      admission_.take(now(), call.caller, std::string(route.method) + ' ' + std::string(route.pattern));
  if (refusal) probe_->refused("rate");
  return refusal;
}

void Gateway::read_rates() { admission_.set(context_->reads().cell_record().policy.rates); }

void Gateway::run(const ActHandler& handler, const CallPtr& call) {
  const auto read = call->read_metadata(random_);
  if (!read.ok()) return call->fail(read.error());
  handler.run(*this, call);
}

void Gateway::run(const ReadHandler& handler, const CallPtr& call) {
  // A handler refuses what it does not know, other values of this parameter included.
  const bool stale = call->request.parameter("consistency") == "stale";
  when_fresh(call, stale ? api::Consistency::stale : api::Consistency::linearizable, [this, handler, call] {
    self_->send(next_reader(), RunRead{handler, call});
  });
}

void Gateway::run_apart(std::function<void(const NodeContext& node)> work) {
  self_->send(next_reader(), RunApart{std::move(work)});
}

const caf::actor& Gateway::next_reader() {
  next_reader_ = (next_reader_ + 1) % readers_.size();
  return readers_[next_reader_];
}

void Gateway::on_applied(const Applied& applied) {
  seen_ = std::max(seen_, applied.index);
  if (std::any_of(applied.events.begin(), applied.events.end(),
                  [](const Event& event) { return event.kind == EventKind::cell_changed; }))
    read_rates();
  events_.on_applied(applied);
  logs_.on_applied(applied);
  wake_applied();
}

void Gateway::on_tick() {
  const Moment at = now();
  proposals_.expire(at, {ErrorCode::outcome_unknown, "the replica did not answer in time"});
  reads_.expire(at, {ErrorCode::unavailable, "the replica did not answer in time"});
  questions_.expire(at, {ErrorCode::unavailable, "no answer in time"});
  images_.expire(at, {ErrorCode::unavailable, "the image's registry did not answer in time"});
  wake_applied();
  for (auto next = for_index_.begin(); next != for_index_.end();) {
    if (next->second.deadline > at) {
      ++next;
      continue;
    }
    next->second.call->fail(
        {ErrorCode::unavailable, "this node's state is not yet at index " + to_text(next->first)});
    next = for_index_.erase(next);
  }
  events_.on_tick(at);
  logs_.on_tick(at);
  sign_audit(at);
  probe_->calls_waiting(waiting());
}

void Gateway::sign_audit(Moment at) {
  if (!context_->sign_audit || *signing_) return;
  const AuditHead head = context_->reads().audit_head();
  const std::uint64_t fresh = head.last - std::min(signed_, head.last);
  const auto every = milliseconds(context_->settings.get(audit_sign_ms));
  if (fresh == 0 || (fresh < audit_sign_entries && at - signed_at_ < every)) return;
  signed_ = head.last;
  signed_at_ = at;
  *signing_ = true;
  run_apart([head, now = context_->now(), signing = signing_](const NodeContext& node) {
    node.sign_audit(head, now);
    *signing = false;
  });
}

std::optional<Error> Gateway::why_full() {
  const auto most = static_cast<std::size_t>(context_->settings.get(gateway_waiting_max));
  if (waiting() < most) return std::nullopt;
  probe_->refused("waiting");
  return node_limit("waiting", "too many calls wait on this node", most, waiting());
}

/// Holds the actor weakly: an open stream does not keep a gateway alive.
std::function<void()> Gateway::stream_signal(std::uint64_t stream, StreamSignal signal) {
  return [weak = caf::actor_cast<caf::weak_actor_ptr>(self_), stream, signal] {
    if (auto strong = weak.lock())
      caf::anon_send(caf::actor_cast<caf::actor>(strong), StreamSignalled{stream, signal});
  };
}

void Gateway::propose(Command command, std::function<void(Result<Outcome>)> done) {
  if (auto full = why_full()) return done(*std::move(full));
  const auto cookie = proposals_.add(now() + proposal_patience + answer_grace, std::move(done));
  self_->send(replica_, Propose{std::move(command), cookie, proposal_patience, me()});
}

void Gateway::when_fresh(const CallPtr& call, api::Consistency consistency, std::function<void()> then) {
  Index wanted;
  if (const auto text = call->request.header("x-troupe-index"); !text.empty()) {
    const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), wanted.value);
    if (fault != std::errc{} || stop != text.data() + text.size())
      return call->fail({ErrorCode::invalid_argument, "the header X-Troupe-Index must be a log index"});
  }
  if (consistency == api::Consistency::stale || planted(Bug::read_unchecked))
    return when_applied(call, wanted, std::move(then));
  if (const auto full = why_full()) return call->fail(*full);
  const auto cookie = reads_.add(now() + read_patience + answer_grace,
                                 [this, call, wanted, then = std::move(then)](const Result<Index>& read) {
                                   if (!read.ok()) return call->fail(read.error());
                                   seen_ = std::max(seen_, read.value());
                                   when_applied(call, wanted, then);
                                 });
  self_->send(replica_, AwaitRead{cookie, read_patience, me()});
}

void Gateway::when_applied(const CallPtr& call, Index wanted, std::function<void()> then) {
  if (applied() >= wanted) {
    call->index = applied();
    return then();
  }
  if (const auto full = why_full()) return call->fail(*full);
  for_index_.emplace(wanted, ForIndex{call, now() + read_patience, std::move(then)});
}

void Gateway::wake_applied() {
  while (!for_index_.empty() && for_index_.begin()->first <= applied()) {
    const ForIndex ready = std::move(for_index_.begin()->second);
    for_index_.erase(for_index_.begin());
    ready.call->index = applied();
    ready.then();
  }
}

/// Holds the actor weakly: the resolver may answer after it.
void Gateway::resolve_image(const Image& image, std::function<void(Result<std::string>)> done) {
  if (auto full = why_full()) return done(*std::move(full));
  const auto cookie = images_.add(now() + image_patience, std::move(done));
  context_->images->resolve(
      image, [weak = caf::actor_cast<caf::weak_actor_ptr>(self_), cookie](Result<std::string> digest) {
        if (auto strong = weak.lock())
          caf::anon_send(caf::actor_cast<caf::actor>(strong), ImageResolved{cookie, std::move(digest)});
      });
}

void Gateway::ask(NodeId node, Question question, milliseconds patience, Told told) {
  if (auto full = why_full()) return told(*std::move(full));
  const auto cookie = questions_.add(now() + patience + answer_grace, std::move(told));
  self_->send(post_, Ask{node, std::move(question), cookie, patience, me()});
}

void Gateway::ask_agent(NodeId node, HostId host, agent::Call call, Told told) {
  const milliseconds patience = question_patience + call.wait;
  ask(node, AskAgent{host, std::move(call)}, patience, std::move(told));
}

void Gateway::ask_scheduler(TaskId task, Told told) {
  ask(NodeId{}, AskScheduler{task}, question_patience, std::move(told));
}

void Gateway::ask_plan(AskedPlan plan, Told told) {
  ask(NodeId{}, AskPlan{plan.job, std::move(plan.descriptor), plan.count, std::move(plan.places)},
      question_patience, std::move(told));
}

void Gateway::ask_console(NodeId node, std::string command, Told told) {
  ask(node, AskConsole{std::move(command)}, question_patience, std::move(told));
}

void Gateway::ask_cell(CellOrder order, Told told) {
  ask(NodeId{}, AskCell{std::move(order)}, order_patience, std::move(told));
}

void Gateway::ask_standing(NodeId node, Told told) {
  ask(node, AskCell{CellOrder{}}, standing_patience, std::move(told));
}

void Gateway::ask_cell_at(NodeId node, CellOrder order, Told told) {
  ask(node, AskCell{std::move(order)}, order_patience, std::move(told));
}

void Gateway::ask_backup(BackupOrder order, Told told) {
  if (auto full = why_full()) return told(*std::move(full));
  const auto cookie = questions_.add(now() + backup_patience, std::move(told));
  self_->send(backups_, AskBackup{std::move(order), cookie, me()});
}

}  // namespace
}  // namespace troupe::gateway

namespace troupe {

caf::actor spawn_gateway(caf::actor_system& system, const ContextPtr& context, caf::actor replica,
                         caf::actor post, caf::actor backups, std::vector<const Setting*> declared) {
  // Read here, before entries are applied beside us: events after this index will come as StateApplied.
  const Index applied = context->machine->applied();
  return system.spawn([=](caf::event_based_actor* self) -> caf::behavior {
    auto gateway =
        std::make_shared<gateway::Gateway>(self, context, replica, post, backups, declared, applied);
    // The behaviour's handlers hold `gateway` by address; this functor holds its life.
    self->attach_functor([gateway]() mutable { gateway.reset(); });
    return gateway->start();
  });
}

}  // namespace troupe
