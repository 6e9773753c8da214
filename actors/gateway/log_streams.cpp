#include "actors/gateway/log_streams.hpp"

#include <algorithm>
#include <charconv>

#include "actors/gateway/gateway_settings.hpp"
#include "actors/gateway/mutation.hpp"

namespace troupe::gateway {
namespace {

Result<std::uint64_t> number_parameter(const Call& call, std::string_view name, std::uint64_t fallback) {
  const auto text = call.request.parameter(name);
  if (text.empty()) return fallback;
  std::uint64_t number = 0;
  const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault == std::errc{} && stop == text.data() + text.size()) return number;
  return Error{ErrorCode::invalid_argument,
               "the parameter " + std::string(name) + " must be a number of bytes"};
}

std::optional<TaskRecord> find_task(const Reads& reads, const TaskId& id) {
  if (auto facts = reads.task(id)) return std::move(facts->record);
  auto archived = reads.archived_task(id);
  return archived.ok() ? std::move(archived).value() : std::nullopt;
}

/// What an agent says of a log that its host does not have (yet). `asked_in`: the task may have started
/// since.
bool may_come(const Error& error, TaskState asked_in) {
  return error.code == ErrorCode::not_found && asked_in < TaskState::started;
}

bool is_passing(const Error& error) {
  return retry_class(error.code) != Retry::never || error.code == ErrorCode::fenced;
}

}  // namespace

Result<LogStreams::Reader> LogStreams::parse(const CallPtr& call) const {
  Reader reader;
  reader.call = call;
  const auto id = captured_id<TaskId>(*call);
  if (!id.ok()) return id.error();
  reader.task = id.value();
  const auto stream = call->request.parameter("stream");
  if (stream != "" && stream != "stdout" && stream != "stderr")
    return Error{ErrorCode::invalid_argument, "stream must be stdout or stderr"};
  if (stream == "stderr") reader.stream = agent::LogStream::standard_error;
  const auto follow = call->request.parameter("follow");
  if (follow != "" && follow != "true" && follow != "false")
    return Error{ErrorCode::invalid_argument, "follow must be true or false"};
  reader.follow = follow == "true";
  const auto offset = number_parameter(*call, "offset", 0);
  if (!offset.ok()) return offset.error();
  const auto limit = number_parameter(*call, "limit", UINT64_MAX);
  if (!limit.ok()) return limit.error();
  reader.offset = offset.value();
  reader.left = limit.value();
  reader.deadline = now() + (reader.follow ? log_follow_time_max : log_read_time_max);
  reader.start_deadline = now() + log_start_patience;
  return reader;
}

void LogStreams::open(const CallPtr& call) {
  const auto consistency = consistency_of(*call, {"stream", "follow", "offset", "limit"});
  if (!consistency.ok()) return call->fail(consistency.error());
  auto reader = parse(call);
  if (!reader.ok()) return call->fail(reader.error());
  services_.when_fresh(call, consistency.value(),
                       [this, reader = std::move(reader).value()] { begin(reader); });
}

void LogStreams::begin(Reader reader) {
  const CallPtr call = reader.call;
  const auto most = static_cast<std::size_t>(services_.node().settings.get(gateway_logs_max));
  if (readers_.size() >= most) {
    services_.probe().refused("logs");
    return call->fail(
        node_limit("logs", "too many logs are being read through this node", most, readers_.size()));
  }
  const auto task = find_task(reads(), reader.task);
  if (!task) return call->fail({ErrorCode::not_found, "there is no task " + to_text(reader.task)});
  if (task->host.value != 0) {
    const auto host = reads().host_facts(task->host);
    if (!host || !host->record.is_connected())
      return call->fail(
          {ErrorCode::unavailable, "the task's host " + (host ? host->record.name : to_text(task->host)) +
                                       " is disconnected; its logs can be read when it is back"});
  }
  const auto at = readers_.emplace(services_.next_stream(), std::move(reader)).first;
  services_.probe().streams_open("logs", readers_.size());
  // Who follows may wait long: the headers go at once, so that its leaving is noticed.
  if (at->second.follow) open_answer(at);
  step(at);
}

/// Goes on from where the state says the task is.
void LogStreams::step(Readers::iterator at) {
  Reader& reader = at->second;
  if (reader.left == 0) return finish(at);
  const auto task = find_task(reads(), reader.task);
  if (!task) return fail(at, {ErrorCode::not_found, "the task is forgotten"});
  reader.host = task->host;
  reader.asked_in = task->state;
  if (task->host.value == 0) {
    // A task that ended unplaced wrote nothing; one that waits may write yet.
    if (task->state == TaskState::finished || !reader.follow) return finish(at);
    reader.stage = Stage::placing;
    return;
  }
  const auto host = reads().host_facts(task->host);
  if (!host || !host->record.is_connected())
    return on_error(at, {ErrorCode::unavailable, "the task's host is disconnected"});
  ask(at, host->record.session_node);
}

void LogStreams::ask(Readers::iterator at, NodeId node) {
  Reader& reader = at->second;
  reader.stage = Stage::asking;
  reader.question = ++questions_;
  agent::Call call;
  call.task = reader.task;
  call.stream = reader.stream;
  call.offset = reader.offset;
  call.bytes_max = static_cast<std::uint32_t>(std::min<std::uint64_t>(log_read_bytes_max, reader.left));
  if (reader.follow) call.wait = log_wait;
  services_.ask_agent(node, reader.host, call,
                      [this, id = at->first, question = reader.question](const Result<Bytes>& told) {
                        on_told(id, question, told);
                      });
}

void LogStreams::on_told(std::uint64_t id, std::uint64_t question, const Result<Bytes>& told) {
  const auto at = readers_.find(id);
  if (at == readers_.end() || at->second.stage != Stage::asking || at->second.question != question) return;
  if (!told.ok()) return on_error(at, told.error());
  const auto answer = unpacked<agent::CallAnswer>(told.value());
  if (!answer.ok()) return on_error(at, answer.error());
  const agent::CallAnswer& said = answer.value();
  if (said.error == 0) return on_data(at, said);
  const auto code = static_cast<std::uint8_t>(said.error - 1);
  on_error(at, {code <= static_cast<std::uint8_t>(max_value(ErrorCode{})) ? static_cast<ErrorCode>(code)
                                                                          : ErrorCode::internal,
                said.message});
}

void LogStreams::on_data(Readers::iterator at, const agent::CallAnswer& answer) {
  Reader& reader = at->second;
  if (reader.reply == nullptr) open_answer(at);
  const std::size_t size = answer.data.size();
  if (size > 0) {
    if (!reader.reply->write(answer.data)) return erase(at);
    reader.offset += size;
    reader.left -= std::min<std::uint64_t>(reader.left, size);
  }
  if (answer.ended || reader.left == 0 || (size == 0 && !reader.follow)) return finish(at);
  if (size == 0) return pause(at, milliseconds{0});
  reader.stage = Stage::draining;
  reader.reply->when_drained(services_.stream_signal(at->first, StreamSignal::drained));
}

void LogStreams::on_error(Readers::iterator at, const Error& error) {
  Reader& reader = at->second;
  reader.last_error = error;
  const bool waits_for_start = reader.follow && may_come(error, reader.asked_in);
  if (!waits_for_start && !is_passing(error)) return fail(at, error);
  const auto task = find_task(reads(), reader.task);
  // Its start was no reason to ask again while the question was under way.
  const bool has_started = waits_for_start && task && task->state >= TaskState::started;
  pause(at, has_started ? milliseconds{0} : log_retry_after);
}

void LogStreams::pause(Readers::iterator at, milliseconds wait) {
  at->second.stage = Stage::pausing;
  at->second.again = now() + wait;
}

void LogStreams::open_answer(Readers::iterator at) {
  Reader& reader = at->second;
  reader.reply = reader.call->take_reply(200);
  http::Headers headers{{"content-type", "text/plain; charset=utf-8"},
                        {"cache-control", "no-store"},
                        {"x-troupe-offset", std::to_string(reader.offset)},
                        {"x-troupe-index", to_text(reader.call->index)}};
  reader.reply->open(200, std::move(headers), services_.stream_signal(at->first, StreamSignal::closed));
  reader.call.reset();
}

void LogStreams::finish(Readers::iterator at) {
  if (at->second.reply == nullptr) open_answer(at);
  at->second.reply->finish();
  erase(at);
}

/// Before the answer has begun this is its status; later the stream is cut, so that it does not look whole.
void LogStreams::fail(Readers::iterator at, const Error& error) {
  if (at->second.call) at->second.call->fail(error);
  erase(at);
}

void LogStreams::erase(Readers::iterator at) {
  readers_.erase(at);
  services_.probe().streams_open("logs", readers_.size());
}

void LogStreams::on_applied(const Applied& applied) {
  if (readers_.empty()) return;
  for (auto next = readers_.begin(); next != readers_.end();) {
    const auto at = next++;
    const Reader& reader = at->second;
    if (reader.stage != Stage::placing && reader.stage != Stage::pausing) continue;
    const bool concerns = std::any_of(applied.events.begin(), applied.events.end(), [&](const Event& event) {
      if (event.kind == EventKind::host_changed) return event.host == reader.host && reader.host.value != 0;
      return event.task == reader.task;
    });
    if (concerns) step(at);
  }
}

void LogStreams::on_signal(std::uint64_t id, StreamSignal signal) {
  const auto at = readers_.find(id);
  if (at == readers_.end()) return;
  if (signal == StreamSignal::closed) return erase(at);
  if (at->second.stage == Stage::draining) step(at);
}

void LogStreams::on_tick(Moment at_now) {
  for (auto next = readers_.begin(); next != readers_.end();) {
    const auto at = next++;
    const Reader& reader = at->second;
    if (reader.deadline <= at_now) {
      fail(at, {ErrorCode::unavailable, "the log could not be read in time"});
    } else if (reader.call && reader.stage == Stage::pausing && reader.start_deadline <= at_now) {
      fail(at, reader.last_error.message.empty() ? Error{ErrorCode::unavailable, "the log cannot be read now"}
                                                 : reader.last_error);
    } else if (reader.stage == Stage::pausing && reader.again <= at_now) {
      step(at);
    }
  }
}

}  // namespace troupe::gateway
