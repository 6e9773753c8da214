#pragma once
// One small language that selects jobs, tasks, hosts and the actors that are awake on a node, the same in the
// API, the command line and the console:
//
//     host where hostGroup = flex-1 and (not connected or used.cpu > 3.5) order by disconnectedAt desc limit
//     20
//
// Names are the paths of the API's answers. Conditions: = != < <= > >=, `in (a, b)`, `not in (a, b)`, ~ with
// a pattern of * and ?, `is set`, `is not set`, a flag alone, joined by not, and, or and parentheses. Values
// are words, or stand in single or double quotes with \ before what would end them. What is not set compares
// as false, but for != and `not in`, which are the contrary of = and `in`. A duration beside a time means so
// long ago: `disconnectedAt < 10m ago` holds for what was disconnected before that.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/api/entity_json.hpp"
#include "storage/base/postfix.hpp"
#include "storage/base/result.hpp"
#include "storage/base/time.hpp"

namespace troupe::api {

enum class SelectionKind : std::uint8_t { job, task, host, actor };
constexpr SelectionKind max_value(SelectionKind) { return SelectionKind::actor; }
std::string_view selection_kind_text(SelectionKind kind);  ///< "job"

enum class FieldType : std::uint8_t {
  text,
  word,  ///< one of `choices`
  number,
  megabytes,  ///< a number, or a size such as 4GB
  seconds,    ///< a number, or a duration such as 90s or 2h
  time,       ///< milliseconds since 1970, or a duration: so long ago
  flag,       ///< true or false
  list,       ///< of texts: a comparison holds if it does with one of them
  map,        ///< of texts, ordered as numbers where both are: the name goes on, as in attributes.zone
};

/// What a condition may speak of.
struct SelectionField {
  std::string_view name;
  FieldType type;
  std::vector<std::string_view> choices{};
};
const std::vector<SelectionField>& selection_fields(SelectionKind kind);
/// The field that a name means, which for a map goes on behind the field's own. Null: there is none.
const SelectionField* selection_field(SelectionKind kind, std::string_view name);

// ---- what is looked at; refers to what the caller has ----
struct JobSubject {
  const JobRecord& record;
  const JobCounts& counts;
};
struct TaskSubject {
  const TaskRecord& record;
  const TaskPlace& place;
};
struct HostSubject {
  const HostRecord& record;
  const Resources& used;
  std::size_t tasks = 0;  ///< live ones
  LaunchStanding launches{};
  const PauseRecord* pause = nullptr;  ///< of its scheduling; null: none
};
/// Of an entity, on the node that owns it.
struct ActorSubject {
  EntityKind kind = EntityKind::job;
  std::string_view entity;  ///< "job/..."
  NodeId node;
  Instant since;
  std::uint64_t mailbox = 0;  ///< messages that wait
  std::uint64_t handled = 0;
  std::uint64_t nudges = 0;
  std::uint64_t restarts = 0;
  Instant wake;  ///< unset: none wished for
  std::string_view last_error;
};

/// A condition, understood. Immutable; any thread.
class Condition {
 public:
  static constexpr std::size_t bytes_max = 4096;
  static constexpr std::size_t depth_max = Postfix::depth_max;  ///< of parentheses and negations
  static constexpr std::size_t values_max = 512;

  /// Errors: invalid_argument with one violation: the column, counted in characters, what was expected there,
  /// and the nearest name that is known.
  static Result<Condition> parse(SelectionKind kind, std::string_view text);

  /// The subject must be of the condition's kind. `now` is what durations go back from.
  bool holds(const JobSubject& job, Instant now) const;
  bool holds(const TaskSubject& task, Instant now) const;
  bool holds(const HostSubject& host, Instant now) const;
  bool holds(const ActorSubject& actor, Instant now) const;

  SelectionKind kind() const { return kind_; }
  /// Does it speak of a field whose name begins so?
  bool names(std::string_view beginning) const;
  /// What holds() costs at most, in comparisons.
  std::size_t cost() const;

  enum class Test : std::uint8_t { set, any_of, like, less, at_most, more, at_least };
  struct Amount {
    double number = 0;
    bool is_ago = false;
  };
  struct Term {
    std::size_t field = 0;  ///< in selection_fields()
    std::string key{};      ///< of a map
    Test test = Test::any_of;
    bool is_negated = false;
    std::vector<std::string> texts{};
    std::vector<Amount> amounts{};
  };

 private:
  friend class SelectionParser;
  template <class Subject>
  bool evaluate(const Subject& subject, Instant now) const;

  SelectionKind kind_ = SelectionKind::host;
  std::vector<Term> terms_;
  Postfix joined_;
};

/// `KIND where CONDITION [order by FIELD [desc]] [limit N]`.
struct Selection {
  Condition condition;
  std::string where;     ///< the condition as it was written
  std::string order_by;  ///< a field's name; empty: by creation
  bool is_descending = false;
  std::optional<std::uint32_t> limit{};
};
constexpr std::uint32_t selection_limit_max = 100'000;
/// Errors: as of Condition::parse.
Result<Selection> parse_selection(std::string_view text);

}  // namespace troupe::api
