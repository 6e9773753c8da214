#include "actors/diagnosis/trace_core.hpp"

#include <algorithm>

#include "actors/diagnosis/redact.hpp"
#include "net/json/writer.hpp"

namespace troupe {
namespace {

void put(json::Writer& writer, std::string_view name, std::string_view value) {
  writer.key(name);
  writer.text(value);
}

void note_json(json::Writer& writer, const TraceNote& note, const TraceOrder& order) {
  writer.begin_object();
  put(writer, "kind", kind_text(note.kind));
  put(writer, "entity", note.entity == order.entity ? order.name : note.entity.text());
  put(writer, "what", note.what);
  if (!note.detail.empty()) put(writer, "detail", note.detail);
  if (!note.link.empty()) put(writer, "link", note.link);
  put(writer, "index", to_text(note.index));
  put(writer, "at", std::to_string(note.at.ms));
  writer.end_object();
}

}  // namespace

std::string_view kind_text(TraceKind kind) {
  switch (kind) {
    case TraceKind::proposed:
      return "proposed";
    case TraceKind::forwarded:
      return "forwarded";
    case TraceKind::taken:
      return "taken";
    case TraceKind::applied:
      return "applied";
    case TraceKind::handled:
      return "handled";
    case TraceKind::settled:
      return "settled";
    case TraceKind::ordered:
      return "ordered";
    case TraceKind::reported:
      return "reported";
  }
  return "";
}

Error TraceCore::unknown(std::string_view id) const {
  return {ErrorCode::not_found, "this node has no trace " + std::string(id.substr(0, 64))};
}

Result<void> TraceCore::begin(TraceOrder order, Moment now) {
  look(now);
  if (on_)
    return Error{ErrorCode::precondition_failed,
                 "a trace of " + order_.name + " is on (" + order_.id + "); stop it, or wait for its end"};
  if (order.messages == 0 || order.messages > trace_messages_max)
    return Error{ErrorCode::invalid_argument,
                 "a trace notes 1 to " + std::to_string(trace_messages_max) + " messages"};
  if (order.until <= now || order.until > now + trace_time_max)
    return Error{ErrorCode::invalid_argument,
                 "a trace lasts 1 to " + std::to_string(trace_time_max.count() / 1'000) + " seconds"};
  order_ = std::move(order);
  notes_.clear();
  notes_.reserve(std::min<std::size_t>(order_.messages, 1'000));
  followed_ = {order_.entity};
  for (const TaskId& task : order_.tasks)
    if (followed_.size() < trace_tasks_max) followed_.insert(EntityRef::of(task));
  order_.tasks.clear();
  why_ = {};
  on_ = true;
  return {};
}

Result<void> TraceCore::stop(std::string_view id) {
  if (id.empty() || id != order_.id) return unknown(id);
  if (on_) end("stopped");
  return {};
}

void TraceCore::end(std::string_view why) {
  on_ = false;
  why_ = why;
}

void TraceCore::follow(const JobId& job, const TaskId& task) {
  if (order_.entity == EntityRef::of(job) && followed_.size() < trace_tasks_max)
    followed_.insert(EntityRef::of(task));
}

TraceCore TraceCore::seen() const {
  TraceCore copy;
  copy.order_ = order_;
  copy.on_ = on_;
  copy.why_ = why_;
  copy.notes_ = notes_;
  return copy;
}

void TraceCore::look(Moment now) {
  if (on_ && now >= order_.until) end("its time is over");
}

void TraceCore::note(TraceNote note, Moment now) {
  look(now);
  if (!on_) return;
  note.detail = redacted_text(note.detail.substr(0, trace_detail_chars_max));
  notes_.push_back(std::move(note));
  if (notes_.size() == order_.messages) end("its messages are used up");
}

Result<std::string> TraceCore::json(std::string_view id) const {
  if (id.empty() || id != order_.id) return unknown(id);
  json::Writer writer;
  writer.begin_object();
  put(writer, "id", order_.id);
  put(writer, "entity", order_.name);
  put(writer, "state", on_ ? "on" : "over");
  if (!on_) put(writer, "why", why_);
  writer.key("messages");
  writer.uint(notes_.size());
  writer.key("items");
  writer.begin_array();
  for (const TraceNote& note : notes_) note_json(writer, note, order_);
  writer.end_array();
  writer.end_object();
  return writer.take();
}

}  // namespace troupe
