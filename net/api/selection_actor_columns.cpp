// The declared fields of an awake entity's actor, under the names of the console's answers.

#include "net/api/selection_columns.hpp"

namespace troupe::api {
namespace {

std::vector<std::string_view> entity_kind_words() {
  return {kind_text(EntityKind::job), kind_text(EntityKind::task), kind_text(EntityKind::host),
          kind_text(EntityKind::group)};
}

template <auto member>
void read_count(const ActorSubject& s, std::string_view, Reading& out) {
  out.number(static_cast<double>(s.*member));
}
template <auto member>
void read_time(const ActorSubject& s, std::string_view, Reading& out) {
  out.time_if_set(s.*member);
}

constexpr Column<ActorSubject> actor_columns[] = {
    {"kind", FieldType::word,
     [](const ActorSubject& s, std::string_view, Reading& out) { out.text(kind_text(s.kind)); },
     entity_kind_words},
    {"entity", FieldType::text,
     [](const ActorSubject& s, std::string_view, Reading& out) { out.text(s.entity); }},
    {"node", FieldType::number,
     [](const ActorSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.node.value));
     }},
    {"since", FieldType::time, read_time<&ActorSubject::since>},
    {"mailbox", FieldType::number, read_count<&ActorSubject::mailbox>},
    {"handled", FieldType::number, read_count<&ActorSubject::handled>},
    {"nudges", FieldType::number, read_count<&ActorSubject::nudges>},
    {"restarts", FieldType::number, read_count<&ActorSubject::restarts>},
    {"wake", FieldType::time, read_time<&ActorSubject::wake>},
    {"lastError", FieldType::text,
     [](const ActorSubject& s, std::string_view, Reading& out) { out.text_unless_empty(s.last_error); }},
};

}  // namespace

std::span<const Column<ActorSubject>> columns_of(const ActorSubject*) { return actor_columns; }

}  // namespace troupe::api
