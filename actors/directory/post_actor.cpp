#include "actors/directory/directory_actor.hpp"
#include "actors/runtime/logging.hpp"

namespace troupe {
namespace {

constexpr milliseconds post_tick{100};
constexpr std::size_t questions_max = 10'000;  // Under way, asked here or by other nodes; beyond: overloaded.
constexpr milliseconds patience_for_peers{
    30'000};  // A peer's own deadline is shorter; this only bounds memory.

class Post {
 public:
  Post(caf::event_based_actor* self, ContextPtr context) : self_(self), context_(std::move(context)) {}

  caf::behavior start() {
    return {
        [this](const MeetNode& node) {
          node_ = node;
          self_->delayed_send(self_, post_tick, TickPost{});
        },
        [this](const LinkReceived& received) { on_mail(received); },
        [this](const Ask& ask) { on_ask(ask); },
        [this](const Answered& answered) { on_answered(answered); },
        [this](TellMailbox) { return MailboxTold{self_->mailbox().size()}; },
        [this](TickPost) {
          expire();
          self_->delayed_send(self_, post_tick, TickPost{});
        },
    };
  }

 private:
  struct Waiting {
    caf::strong_actor_ptr asker;  // null: a peer asked
    std::uint64_t cookie = 0;     // the asker's, or the peer's number
    NodeId peer;
    Moment deadline;
    ErrorCode unanswered = ErrorCode::unavailable;
  };

  /// What an order came to nobody knows who was not answered.
  static ErrorCode unanswered(const Question& question) {
    const auto* cell = std::get_if<AskCell>(&question);
    return cell != nullptr && cell->order.kind != CellOrder::Kind::look ? ErrorCode::outcome_unknown
                                                                        : ErrorCode::unavailable;
  }
  Moment now() const { return context_->clock->steady(); }
  bool send(NodeId to, const Mail& mail) {
    return context_->hub->send({peer_name(to), net::Channel::mail}, packed(mail));
  }

  void on_mail(const LinkReceived& received) {
    const NodeId from = node_of_peer(received.link.peer);
    auto mail = unpacked<Mail>(received.bytes);
    if (!mail.ok() || from.value == 0) {
      logging::warn("bad_mail node={} peer={}", context_->self.value, received.link.peer);
      return;
    }
    std::visit([&](auto& body) { take(from, std::move(body)); }, mail.value());
  }

  void take(NodeId from, ForwardProposals mail) {
    self_->send(node_.replica, MailProposals{from, std::move(mail)});
  }
  void take(NodeId from, RefuseProposals mail) {
    self_->send(node_.replica, MailRefusals{from, std::move(mail)});
  }
  void take(NodeId from, AskMail mail) {
    if (waiting_.size() >= questions_max) {
      send(from, AnswerMail{mail.number, Answer::of(Error{ErrorCode::overloaded,
                                                          "too many questions wait on this node"})});
      return;
    }
    waiting_[++next_] = {nullptr, mail.number, from, now() + patience_for_peers, unanswered(mail.question)};
    dispatch(std::move(mail.question), next_);
  }
  void take(NodeId from, const AnswerMail& mail) {
    const auto found = waiting_.find(mail.number);
    if (found == waiting_.end() || found->second.asker == nullptr || found->second.peer != from) return;
    finish(found, mail.answer);
  }

  void on_ask(const Ask& ask) {
    const NodeId to = ask.node.value != 0 ? ask.node : NodeId{context_->status.leader.load()};
    std::optional<Error> refusal;
    if (to.value == 0) refusal = Error{ErrorCode::unavailable, "no leader at the moment; try again"};
    if (waiting_.size() >= questions_max)
      refusal = Error{ErrorCode::overloaded, "too many questions wait on this node"};
    if (refusal) {
      self_->send(caf::actor_cast<caf::actor>(ask.asker), Answered{ask.cookie, Answer::of(*refusal)});
      return;
    }
    waiting_[++next_] = {ask.asker, ask.cookie, to, now() + ask.patience, unanswered(ask.question)};
    if (to == context_->self) return dispatch(ask.question, next_);
    if (!send(to, AskMail{next_, ask.question}))
      finish(waiting_.find(next_),
             Answer::of(Error{ErrorCode::unavailable, "node " + to_text(to) + " cannot be reached"}));
  }

  void dispatch(Question question, std::uint64_t number) {
    const caf::actor expert = std::visit(
        [this](const auto& any) {
          using T = std::decay_t<decltype(any)>;
          if constexpr (std::is_same_v<T, AskAgent>)
            return node_.door;
          else if constexpr (std::is_same_v<T, AskScheduler> || std::is_same_v<T, AskPlan>)
            return node_.scheduler;
          else if constexpr (std::is_same_v<T, AskCell>)
            return node_.operations;
          else
            return node_.console;
        },
        question);
    self_->send(expert, Asked{std::move(question), number, caf::actor_cast<caf::strong_actor_ptr>(self_)});
  }

  void on_answered(const Answered& answered) {
    if (const auto found = waiting_.find(answered.cookie); found != waiting_.end())
      finish(found, answered.answer);
  }

  void finish(std::map<std::uint64_t, Waiting>::iterator at, const Answer& answer) {
    const Waiting waiting = at->second;
    waiting_.erase(at);
    if (waiting.asker == nullptr)
      send(waiting.peer, AnswerMail{waiting.cookie, answer});
    else
      self_->send(caf::actor_cast<caf::actor>(waiting.asker), Answered{waiting.cookie, answer});
  }

  void expire() {
    for (auto next = waiting_.begin(); next != waiting_.end();) {
      const auto at = next++;
      if (at->second.deadline <= now())
        finish(at, Answer::of(Error{at->second.unanswered,
                                    "no answer in time from node " + to_text(at->second.peer)}));
    }
  }

  caf::event_based_actor* self_;
  ContextPtr context_;
  MeetNode node_;
  std::uint64_t next_ = 0;
  std::map<std::uint64_t, Waiting> waiting_;
};

}  // namespace

caf::actor spawn_post(caf::actor_system& system, const ContextPtr& context) {
  return system.spawn([context](caf::event_based_actor* self) -> caf::behavior {
    auto post = std::make_shared<Post>(self, context);
    self->attach_functor([post]() mutable { post.reset(); });
    return post->start();
  });
}

}  // namespace troupe
