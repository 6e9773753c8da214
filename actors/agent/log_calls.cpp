#include "actors/agent/log_calls.hpp"

#include <algorithm>

namespace troupe::agent {
namespace {

CallAnswer failed(std::uint64_t call, const Error& error) {
  CallAnswer answer;
  answer.call = call;
  answer.error = static_cast<std::uint8_t>(1 + static_cast<std::uint8_t>(error.code));
  answer.message = error.message;
  return answer;
}

}  // namespace

CallAnswer LogCalls::refusal(const Call& call, const Error& error) { return failed(call.call, error); }

std::variant<LogCalls::Read, CallAnswer> LogCalls::begin(Moment now, const Call& call) {
  if (calls_.size() >= calls_max)
    return failed(call.call,
                  {ErrorCode::overloaded, "this host has too many log reads under way; try again"});
  const auto wait = std::clamp(call.wait, milliseconds(0), wait_max);
  const Read read{call.call, call.task, call.stream, call.offset, std::min(call.bytes_max, bytes_max)};
  if (!calls_.try_emplace(call.call, Pending{read, now + wait, std::nullopt}).second)
    return failed(call.call, {ErrorCode::conflict, "a call of this number is under way"});
  return read;
}

std::optional<CallAnswer> LogCalls::finish(Moment now, std::uint64_t call, const Result<LogChunk>& outcome) {
  const auto pending = calls_.find(call);
  if (pending == calls_.end()) return std::nullopt;
  if (outcome.ok() && outcome.value().data.empty() && !outcome.value().ended &&
      now < pending->second.give_up) {
    pending->second.again = std::min(now + reread_every, pending->second.give_up);
    return std::nullopt;
  }
  calls_.erase(pending);
  if (!outcome.ok()) return failed(call, outcome.error());
  const LogChunk& chunk = outcome.value();
  return CallAnswer{.call = call,
                    .message = {},
                    .data = chunk.data,
                    .next_offset = chunk.next_offset,
                    .ended = chunk.ended};
}

std::vector<LogCalls::Read> LogCalls::due(Moment now) {
  std::vector<Read> reads;
  for (auto& [number, pending] : calls_) {
    if (!pending.again || *pending.again > now) continue;
    pending.again.reset();
    reads.push_back(pending.read);
  }
  return reads;
}

void LogCalls::wake(Moment now, const TaskId& ended) {
  for (auto& [number, pending] : calls_)
    if (pending.read.task == ended && pending.again) pending.again = now;
}

std::optional<Moment> LogCalls::deadline() const {
  std::optional<Moment> first;
  for (const auto& [number, pending] : calls_)
    if (pending.again && (!first || *pending.again < *first)) first = pending.again;
  return first;
}

}  // namespace troupe::agent
