#include <charconv>

#include "actors/console/entity_report.hpp"
#include "actors/console/record_json.hpp"

namespace troupe::console {
namespace {

/// "job/CREATED/ID" or "task/CREATED/ID": the last one that was looked at.
struct Position {
  EntityKind kind = EntityKind::job;
  std::int64_t created_ms = INT64_MIN;
  std::array<std::uint8_t, 16> id{};
  std::string text() const {
    return std::string(kind_text(kind)) + '/' + std::to_string(created_ms) + '/' + uuid_text(id);
  }
};

Result<Position> position_of(std::string_view text) {
  const Error refusal{ErrorCode::invalid_argument, "a position is what an answer gave as \"next\""};
  const auto first = text.find('/');
  const auto second = text.find('/', first == text.npos ? first : first + 1);
  if (second == text.npos) return refusal;
  Position position;
  const std::string_view kind = text.substr(0, first);
  position.kind = kind == kind_text(EntityKind::job) ? EntityKind::job : EntityKind::task;
  if (kind != kind_text(position.kind)) return refusal;
  const std::string_view created = text.substr(first + 1, second - first - 1);
  const auto [stop, fault] =
      std::from_chars(created.data(), created.data() + created.size(), position.created_ms);
  const auto id = uuid_bytes(text.substr(second + 1));
  if (fault != std::errc{} || stop != created.data() + created.size() || !id.ok()) return refusal;
  position.id = id.value();
  return position;
}

class Walk {
 public:
  Walk(json::Writer& writer, std::size_t walked_max) : writer_(writer), walked_max_(walked_max) {}

  void hosts(const Reads& reads) {
    for (const HostFacts& host : reads.hosts())
      look(EntityRef::of(host.record.id), host.record.name, host.record.set_aside);
  }
  void groups(const Reads& reads) {
    for (const GroupView& group : reads.group_views())
      look(EntityRef::of_group(group.record.name), group.record.name, group.condition.set_aside);
  }
  void jobs(const Reads& reads, const Position& from) {
    reads.each_job({from.created_ms, JobId{from.id}}, [this](const JobView& view) {
      look(EntityRef::of(view.record.id), {}, view.record.set_aside);
      last_ = {EntityKind::job, view.record.created.ms, view.record.id.bytes};
      return !is_over();
    });
  }
  void tasks(const Reads& reads, const Position& from) {
    last_ = from;
    reads.each_task({from.created_ms, TaskId{from.id}}, [this](const TaskRecord& task, const JobRecord&) {
      look(EntityRef::of(task.id), {}, task.set_aside);
      last_ = {EntityKind::task, task.created().ms, task.id.bytes};
      return !is_over();
    });
  }
  bool is_over() const { return walked_ >= walked_max_; }
  std::size_t walked() const { return walked_; }
  const Position& last() const { return last_; }

 private:
  void look(const EntityRef& entity, std::string_view name, std::string_view why) {
    ++walked_;
    if (why.empty()) return;
    writer_.begin_object();
    put(writer_, "entity", entity.text());
    if (!name.empty()) put(writer_, "name", name);
    put(writer_, "why", why);
    writer_.end_object();
  }

  json::Writer& writer_;
  const std::size_t walked_max_;
  std::size_t walked_ = 0;
  Position last_;
};

}  // namespace

Result<std::string> set_aside_json(const NodeContext& context, std::string_view text,
                                   std::size_t walked_max) {
  Position position;
  if (!text.empty()) {
    auto said = position_of(text);
    if (!said.ok()) return said.error();
    position = said.value();
  }
  json::Writer writer;
  Walk walk(writer, walked_max);
  writer.begin_object();
  writer.key("setAside");
  writer.begin_array();
  if (text.empty()) {
    walk.hosts(context.reads());
    walk.groups(context.reads());
  }
  if (position.kind == EntityKind::job && !walk.is_over()) walk.jobs(context.reads(), position);
  if (!walk.is_over())
    walk.tasks(context.reads(), position.kind == EntityKind::task ? position : Position{EntityKind::task});
  writer.end_array();
  put(writer, "walked", walk.walked());
  writer.key("next");
  walk.is_over() ? writer.text(walk.last().text()) : writer.null();
  writer.end_object();
  return writer.take();
}

}  // namespace troupe::console
