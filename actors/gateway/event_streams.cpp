#include "actors/gateway/event_streams.hpp"

#include <algorithm>

#include "actors/gateway/gateway_settings.hpp"
#include "actors/gateway/mutation.hpp"
#include "net/api/event_json.hpp"
#include "storage/base/planted_bug.hpp"

namespace troupe::gateway {
namespace {

/// Without an id, so that a reader does not resume in the middle of a snapshot.
void add_frame(std::string& chunk, std::string_view name, std::string_view data) {
  chunk.append("event: ").append(name).append("\ndata: ").append(data).append("\n\n");
}

void add_job_frame(std::string& chunk, EventId at, const JobRecord& job, const JobCounts* counts) {
  json::Writer writer;
  api::job_snapshot_json(writer, at, job, counts);
  add_frame(chunk, api::job_snapshot_name, writer.take());
}

bool is_of_task(EventKind kind) {
  return kind == EventKind::task_created || kind == EventKind::task_changed ||
         kind == EventKind::task_archived || kind == EventKind::task_moved;
}

bool is_of_job(EventKind kind) {
  return kind == EventKind::job_created || kind == EventKind::job_changed || kind == EventKind::job_archived;
}

}  // namespace

EventStreams::EventStreams(Services& services, Index begin)
    : services_(services),
      ring_(begin, static_cast<std::size_t>(services.node().settings.get(gateway_events_max))) {}

void EventStreams::open(const CallPtr& call, const api::Query& query) {
  Stream stream;
  if (StreamFilter::narrows(query.criteria)) stream.filter.emplace(query.criteria);
  start(call, query.consistency, std::move(stream));
}

void EventStreams::open_job(const CallPtr& call, const JobId& job, api::Consistency consistency) {
  Stream stream;
  stream.job = job;
  start(call, consistency, std::move(stream));
}

void EventStreams::start(const CallPtr& call, api::Consistency consistency, Stream stream) {
  std::optional<EventId> resume;
  if (const auto said = call->request.header("last-event-id"); !said.empty()) {
    const auto id = api::parse_event_id(said);
    if (!id.ok()) return call->fail(id.error());
    resume = id.value();
  }
  auto held = std::make_shared<Stream>(std::move(stream));  // A continuation must be copyable.
  services_.when_fresh(call, consistency,
                       [this, call, held, resume] { begin(call, std::move(*held), resume); });
}

void EventStreams::begin(const CallPtr& call, Stream stream, std::optional<EventId> resume) {
  const auto most = static_cast<std::size_t>(services_.node().settings.get(gateway_streams_max));
  if (streams_.size() >= most) {
    services_.probe().refused("streams");
    return call->fail(
        node_limit("streams", "too many event streams are open on this node", most, streams_.size()));
  }
  // An id from the future is of another history; one that left the ring has a gap behind it.
  if (resume && (!ring_.covers(*resume) || resume->index > std::max(call->index, ring_.end().index)))
    resume.reset();
  stream.position = resume.value_or(ring_.end());
  if (resume && planted(Bug::stream_gap_on_resume)) stream.position = ring_.end();
  if (resume && planted(Bug::stream_repeats_on_resume))
    stream.position = {Index{resume->index.value - 1}, UINT32_MAX};
  if (resume) stream.part = Part::events;
  if (stream.filter)
    stream.filter->begin(reads(), resume ? StreamFilter::Tells::all : StreamFilter::Tells::new_ones);
  if (stream.job)
    if (const auto found = begin_job(stream, resume); !found.ok()) return call->fail(found.error());
  const std::uint64_t id = services_.next_stream();
  stream.reply = call->take_reply(200);
  stream.written = services_.node().clock->steady();
  stream.reply->open(200,
                     {{"content-type", "text/event-stream"},
                      {"cache-control", "no-store"},
                      {"x-troupe-index", to_text(call->index)}},
                     services_.stream_signal(id, StreamSignal::closed));
  const auto at = streams_.emplace(id, std::move(stream)).first;
  services_.probe().streams_open("events", streams_.size());
  pump(at);
}

/// Errors: not_found. A job that has ended gives a stream that ends with its snapshot.
Result<void> EventStreams::begin_job(Stream& stream, std::optional<EventId> resume) {
  if (reads().with_job(*stream.job, [](const JobView&) {})) {
    add_live_tasks_of(stream, *stream.job);
    return {};
  }
  const auto archived = reads().archived_job(*stream.job);
  if (!archived.ok()) return archived.error();
  if (!archived.value()) return Error{ErrorCode::not_found, "there is no job " + to_text(*stream.job)};
  // Whoever resumes may have its last events still to come, from the ring or from apply.
  stream.ends = !resume || archived.value()->record.version <= resume->index;
  return {};
}

void EventStreams::add_live_tasks_of(Stream& stream, const JobId& job) {
  reads().with_job(job, [&](const JobView& view) {
    for (auto slot = view.slots.rbegin(); slot != view.slots.rend(); ++slot)
      if (slot->live != nullptr && (!stream.filter || stream.filter->wants_task(slot->live->id)))
        stream.tasks_left.push_back(*slot->live);
  });
}

void EventStreams::on_applied(const Applied& applied) {
  ring_.add(applied);
  for (auto next = streams_.begin(); next != streams_.end();) pump(next++);
}

void EventStreams::on_signal(std::uint64_t id, StreamSignal signal) {
  const auto at = streams_.find(id);
  if (at == streams_.end()) return;
  if (signal == StreamSignal::closed) {
    streams_.erase(at);
    return services_.probe().streams_open("events", streams_.size());
  }
  at->second.is_draining = false;
  if (!at->second.is_cut) return pump(at);
  // Dropping the reply of an open stream cuts it: the reader sees that this is not the end.
  streams_.erase(at);
  services_.probe().streams_open("events", streams_.size());
}

void EventStreams::on_tick(Moment now) {
  const std::size_t before = streams_.size();
  std::erase_if(streams_, [&](const auto& one) {
    return one.second.is_draining && now - one.second.written >= stream_patience;
  });
  if (streams_.size() != before) {
    services_.probe().streams_cut("stuck", before - streams_.size());
    services_.probe().streams_open("events", streams_.size());
  }
  for (auto& [id, stream] : streams_) {
    if (stream.is_draining || now - stream.written < keep_alive_every) continue;
    stream.written = now;
    stream.reply->write(std::string(api::sse_keep_alive));  // If it is over, its signal is on the way.
  }
}

void EventStreams::pump(Streams::iterator at) {
  Stream& stream = at->second;
  if (stream.is_draining) return;
  std::string chunk;
  if (!ring_.covers(stream.position))
    return cut(at, "the reader is too slow: events that it has not had yet are kept no longer");
  chunk = next_chunk(stream);
  const bool ends = stream.ends && stream.part == Part::events;
  if (chunk.empty() && !ends) return;
  const bool is_open = chunk.empty() || stream.reply->write(std::move(chunk));
  if (is_open && !ends) {
    stream.is_draining = true;
    stream.written = services_.node().clock->steady();
    return stream.reply->when_drained(services_.stream_signal(at->first, StreamSignal::drained));
  }
  if (is_open) stream.reply->finish();
  streams_.erase(at);
  services_.probe().streams_open("events", streams_.size());
}

/// Says why, once more without an id: whoever comes back goes on from what it has.
void EventStreams::cut(Streams::iterator at, std::string_view why) {
  Stream& stream = at->second;
  json::Writer writer;
  api::cut_off_json(writer, stream.position, services_.node().now(), why);
  std::string frame;
  add_frame(frame, api::cut_off_name, writer.take());
  services_.probe().streams_cut("slow", 1);
  if (!stream.reply->write(std::move(frame))) {
    streams_.erase(at);
    return services_.probe().streams_open("events", streams_.size());
  }
  stream.is_cut = stream.is_draining = true;
  stream.written = services_.node().clock->steady();
  stream.reply->when_drained(services_.stream_signal(at->first, StreamSignal::drained));
}

/// What the reader gets next; empty: nothing until something happens.
std::string EventStreams::next_chunk(Stream& stream) {
  std::string chunk;
  if (stream.part == Part::jobs) stream.job ? add_job(stream, chunk) : add_jobs(stream, chunk);
  if (stream.part == Part::tasks && chunk.size() < stream_chunk_bytes) add_tasks(stream, chunk);
  if (stream.part == Part::marker) {
    json::Writer writer;
    api::snapshot_end_json(writer, stream.position, services_.node().now());
    chunk += api::sse_frame(api::snapshot_end_name, stream.position, writer.take());
    stream.part = Part::events;
  }
  if (stream.part == Part::events && chunk.size() < stream_chunk_bytes) add_events(stream, chunk);
  return chunk;
}

void EventStreams::add_jobs(Stream& stream, std::string& chunk) {
  bool is_whole = true;
  reads().each_job(stream.jobs_from, [&](const JobView& view) {
    is_whole = chunk.size() < stream_chunk_bytes;
    if (!is_whole) return false;
    if (stream.filter) {
      if (!stream.filter->wants(view.record)) return true;
      stream.jobs_left.push_back(view.record.id);
    }
    add_job_frame(chunk, stream.position, view.record, &view.counts);
    stream.jobs_from = {view.record.created.ms, view.record.id};
    return true;
  });
  if (!is_whole) return;
  stream.part = Part::tasks;
  std::reverse(stream.jobs_left.begin(), stream.jobs_left.end());
}

void EventStreams::add_job(Stream& stream, std::string& chunk) {
  stream.part = Part::tasks;
  if (reads().with_job(*stream.job, [&](const JobView& view) {
        add_job_frame(chunk, stream.position, view.record, &view.counts);
      }))
    return;
  const auto archived = reads().archived_job(*stream.job);
  if (archived.ok() && archived.value())
    add_job_frame(chunk, stream.position, archived.value()->record, nullptr);
}

void EventStreams::add_tasks(Stream& stream, std::string& chunk) {
  struct Item {
    TaskRecord record;
    DescriptorPtr descriptor;
  };
  std::vector<Item> items;
  const bool is_of_some = stream.job || stream.filter;
  while (items.size() < stream_chunk_items && !(stream.tasks_left.empty() && stream.jobs_left.empty())) {
    if (stream.tasks_left.empty()) {
      add_live_tasks_of(stream, stream.jobs_left.back());
      stream.jobs_left.pop_back();
      continue;
    }
    items.push_back({std::move(stream.tasks_left.back()), nullptr});
    stream.tasks_left.pop_back();
  }
  bool is_whole = stream.tasks_left.empty() && stream.jobs_left.empty();
  if (!is_of_some) {
    is_whole = true;
    reads().each_task(stream.tasks_from, [&](const TaskRecord& task, const JobRecord& job) {
      is_whole = items.size() < stream_chunk_items;
      if (is_whole) items.push_back({task, job.descriptor});
      return is_whole;
    });
    if (!items.empty()) stream.tasks_from = {items.back().record.created().ms, items.back().record.id};
  }
  Places places(reads());
  for (const Item& item : items) {
    json::Writer writer;
    api::task_snapshot_json(writer, stream.position, item.record,
                            places.of(item.record, item.descriptor.get()));
    add_frame(chunk, api::task_snapshot_name, writer.take());
  }
  if (is_whole) stream.part = Part::marker;
}

void EventStreams::add_events(Stream& stream, std::string& chunk) {
  std::size_t at = ring_.after(stream.position);
  if (at == ring_.size()) return;
  Places places(reads());
  for (; at < ring_.size() && chunk.size() < stream_chunk_bytes && !stream.ends; ++at) {
    const Event& event = ring_[at];
    stream.position = event.id;
    // Who goes is told to both jobs' readers.
    if (stream.job && event.job != *stream.job && event.moved_from != *stream.job) continue;
    if (stream.filter && !stream.filter->wants(event, reads())) continue;
    frames_.append_to(chunk, event.id, [&] { return frame_of(event, places); });
    stream.ends = stream.job && event.kind == EventKind::job_archived;
  }
  if (at == ring_.size()) stream.position = std::max(stream.position, ring_.end());
}

std::string EventStreams::frame_of(const Event& event, Places& places) {
  json::Writer writer;
  api::EventEntity entity;
  JobRecord job;
  JobCounts counts;
  TaskFacts task;
  if (is_of_job(event.kind)) {
    if (reads().with_job(event.job, [&](const JobView& view) { job = view.record, counts = view.counts; })) {
      entity.job = &job;
      entity.counts = &counts;
    } else if (auto archived = reads().archived_job(event.job); archived.ok() && archived.value()) {
      job = std::move(archived.value()->record);
      entity.job = &job;
    }
  } else if (is_of_task(event.kind)) {
    if (auto facts = reads().task(event.task)) {
      task = std::move(*facts);
      entity.task = &task.record;
    } else if (auto archived = reads().archived_task(event.task); archived.ok() && archived.value()) {
      task.record = std::move(*archived.value());
      entity.task = &task.record;
    }
    if (entity.task != nullptr) entity.place = places.of(task.record, task.descriptor.get());
  }
  api::event_json(writer, event, entity);
  return api::sse_frame(api::event_name(event.kind), event.id, writer.take());
}

}  // namespace troupe::gateway
