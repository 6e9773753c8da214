#include "net/api/selection.hpp"

#include <algorithm>

#include "net/api/selection_columns.hpp"
#include "net/api/selection_values.hpp"
#include "storage/base/check.hpp"
#include "storage/base/pattern.hpp"

namespace troupe::api {
namespace {

using Test = Condition::Test;

constexpr std::size_t pattern_cost = 8;  // A pattern costs more than a comparison.

template <class Subject>
std::vector<SelectionField> fields_of() {
  std::vector<SelectionField> fields;
  for (const auto& column : columns_of(static_cast<const Subject*>(nullptr)))
    fields.push_back({column.name, column.type,
                      column.choices == nullptr ? std::vector<std::string_view>() : column.choices()});
  return fields;
}

constexpr SelectionKind kind_of(const JobSubject*) { return SelectionKind::job; }
constexpr SelectionKind kind_of(const TaskSubject*) { return SelectionKind::task; }
constexpr SelectionKind kind_of(const HostSubject*) { return SelectionKind::host; }
constexpr SelectionKind kind_of(const ActorSubject*) { return SelectionKind::actor; }

bool compares(Test test, double value, double with) {
  switch (test) {
    case Test::less:
      return value < with;
    case Test::at_most:
      return value <= with;
    case Test::more:
      return value > with;
    case Test::at_least:
      return value >= with;
    case Test::any_of:
      return value == with;
    case Test::set:
    case Test::like:
      return false;
  }
  return false;
}

bool number_holds(const Condition::Term& term, double value, Instant now) {
  return std::any_of(term.amounts.begin(), term.amounts.end(), [&](const Condition::Amount& amount) {
    const double with = amount.is_ago ? static_cast<double>(now.ms) - amount.number : amount.number;
    return compares(term.test, value, with);
  });
}

bool text_holds(const Condition::Term& term, std::string_view value, Instant now) {
  switch (term.test) {
    case Test::any_of:
      return std::find(term.texts.begin(), term.texts.end(), value) != term.texts.end();
    case Test::like:
      return fits_pattern(term.texts.front(), value, '?');
    case Test::less:
    case Test::at_most:
    case Test::more:
    case Test::at_least: {
      const auto number = decimal_of(value);
      return number && number_holds(term, *number, now);
    }
    case Test::set:
      return true;
  }
  return false;
}

bool reading_holds(const Condition::Term& term, const Reading& reading, Instant now) {
  if (term.test == Test::set) return reading.kind != Reading::Kind::absent;
  switch (reading.kind) {
    case Reading::Kind::absent:
      return false;
    case Reading::Kind::text:
      return text_holds(term, reading.words, now);
    case Reading::Kind::number:
      return number_holds(term, reading.amount, now);
    case Reading::Kind::flag:
      return text_holds(term, reading.holds ? "true" : "false", now);
    case Reading::Kind::list:
      return std::any_of(reading.items->begin(), reading.items->end(),
                         [&](const std::string& item) { return text_holds(term, item, now); });
  }
  return false;
}

}  // namespace

std::string_view selection_kind_text(SelectionKind kind) {
  switch (kind) {
    case SelectionKind::job:
      return "job";
    case SelectionKind::task:
      return "task";
    case SelectionKind::host:
      return "host";
    case SelectionKind::actor:
      return "actor";
  }
  return {};
}

const std::vector<SelectionField>& selection_fields(SelectionKind kind) {
  static const std::vector<SelectionField> jobs = fields_of<JobSubject>();
  static const std::vector<SelectionField> tasks = fields_of<TaskSubject>();
  static const std::vector<SelectionField> hosts = fields_of<HostSubject>();
  static const std::vector<SelectionField> actors = fields_of<ActorSubject>();
  switch (kind) {
    case SelectionKind::job:
      return jobs;
    case SelectionKind::task:
      return tasks;
    case SelectionKind::actor:
      return actors;
    case SelectionKind::host:
      break;
  }
  return hosts;
}

const SelectionField* selection_field(SelectionKind kind, std::string_view name) {
  for (const SelectionField& field : selection_fields(kind)) {
    if (!name.starts_with(field.name)) continue;
    const auto rest = name.substr(field.name.size());
    if (field.type == FieldType::map ? rest.size() > 1 && rest.front() == '.' : rest.empty()) return &field;
  }
  return nullptr;
}

template <class Subject>
bool Condition::evaluate(const Subject& subject, Instant now) const {
  TROUPE_CHECK(kind_ == kind_of(&subject));
  const auto columns = columns_of(&subject);
  return joined_.evaluate([&](std::size_t number) {
    const Term& term = terms_[number];
    Reading reading;
    columns[term.field].read(subject, term.key, reading);
    return reading_holds(term, reading, now) != term.is_negated;
  });
}

bool Condition::holds(const JobSubject& job, Instant now) const { return evaluate(job, now); }
bool Condition::holds(const TaskSubject& task, Instant now) const { return evaluate(task, now); }
bool Condition::holds(const HostSubject& host, Instant now) const { return evaluate(host, now); }

bool Condition::holds(const ActorSubject& actor, Instant now) const { return evaluate(actor, now); }

bool Condition::names(std::string_view beginning) const {
  return std::any_of(terms_.begin(), terms_.end(), [&](const Term& term) {
    return selection_fields(kind_)[term.field].name.starts_with(beginning);
  });
}

std::size_t Condition::cost() const {
  std::size_t sum = 0;
  for (const Term& term : terms_) sum += term.test == Test::like ? pattern_cost : 1 + term.texts.size();
  return sum;
}

}  // namespace troupe::api
