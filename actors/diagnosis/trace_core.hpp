#pragma once
// What one node notes of one entity's messages, commands and events, until a budget is used up. Pure.

#include <set>
#include <string>
#include <vector>

#include "storage/base/result.hpp"
#include "storage/base/time.hpp"
#include "storage/model/command.hpp"

namespace troupe {

constexpr std::size_t trace_messages_max = 10'000;  ///< of one node; some 200 bytes each
constexpr milliseconds trace_time_max{600'000};
constexpr std::size_t trace_detail_chars_max = 200;
constexpr std::size_t trace_tasks_max = 10'000;  ///< of a job, followed with it; later ones are left out

struct TraceOrder {
  std::string id;
  EntityRef entity;
  std::string name;           ///< the entity, as people say it
  std::vector<TaskId> tasks;  ///< that live, of a job: they are followed too
  std::size_t messages = 0;   ///< of this node, at most
  Moment until;
};

//   proposed -> forwarded -> taken -> applied        a command, from who proposes it to every node's state
//   handled | settled                                an entity's actor: a message, the end of its proposal
//   ordered | reported                               to and from an agent
enum class TraceKind : std::uint8_t {
  proposed,
  forwarded,
  taken,
  applied,
  handled,
  settled,
  ordered,
  reported
};
constexpr TraceKind max_value(TraceKind) { return TraceKind::reported; }
std::string_view kind_text(TraceKind kind);

struct TraceNote {
  TraceKind kind = TraceKind::handled;
  EntityRef entity;         ///< of those that are followed
  std::string_view what{};  ///< a message's or command's name; of applied: the fact. Lives for ever
  std::string detail{};     ///< who, to whom, why; no payload
  std::string link{};  ///< of forwarded and taken: the same on both sides; of applied: the event's number
  Index index{};       ///< up to where this node had applied the log
  Instant at{};        ///< cell time
};

/// One trace at a time; the last one is kept until the next begins. Not thread-safe; the book around it is.
class TraceCore {
 public:
  /// Errors: invalid_argument (a budget out of bounds), precondition_failed (another trace is on).
  Result<void> begin(TraceOrder order, Moment now);
  /// Error: not_found, of another trace.
  Result<void> stop(std::string_view id);
  bool is_on() const { return on_; }
  bool follows(const EntityRef& entity) const { return followed_.contains(entity); }
  /// Of a job that is followed: one more of its tasks.
  void follow(const JobId& job, const TaskId& task);
  /// At its budget's end it turns itself off; notes that come later are dropped.
  void note(TraceNote note, Moment now);
  /// What there is to tell, for whoever renders it elsewhere: it follows nothing.
  TraceCore seen() const;
  /// Time passes without notes, too.
  void look(Moment now);
  /// {"id", "entity", "state": "on"|"over", "why"?, "messages", "items": [{"kind", "entity", "what",
  /// "detail"?, "link"?, "index", "at"}]}. Error: not_found, of another trace.
  Result<std::string> json(std::string_view id) const;

 private:
  Error unknown(std::string_view id) const;
  void end(std::string_view why);

  TraceOrder order_;
  bool on_ = false;
  std::string_view why_;
  std::set<EntityRef> followed_;
  std::vector<TraceNote> notes_;
};

}  // namespace troupe
