#include "cmd/troupe/cli_follow.hpp"

#include <ostream>

namespace troupe::cli {
namespace {

constexpr milliseconds idle_max{10'000};  // Then the stream is opened again where it stood.
constexpr milliseconds pause_first{100};

}  // namespace

std::string_view stream_name(Stream stream) {
  return stream == Stream::standard_output ? "stdout" : "stderr";
}

std::string logs_target(const std::string& task, Stream stream) {
  return "/api/v3/tasks/" + task + "/logs?stream=" + std::string(stream_name(stream));
}

LogFollower::~LogFollower() { finish(); }

void LogFollower::follow(const std::string& task, std::int64_t slot, Stream stream) {
  const std::lock_guard lock(mutex_);
  if (!known_.insert({task, stream}).second) return;
  waiting_.push_back({task, slot, stream});
  if (waiting_.size() > idle_ && workers_.size() < followers_max) workers_.emplace_back([this] { work(); });
  changed_.notify_one();
}

void LogFollower::ended(const std::string& task) {
  const std::lock_guard lock(mutex_);
  if (ended_.insert(task).second) changed_.notify_all();
}

void LogFollower::finish() {
  {
    const std::lock_guard lock(mutex_);
    finishing_ = true;
    changed_.notify_all();
  }
  for (auto& worker : workers_) worker.join();
  workers_.clear();
}

std::vector<std::string> LogFollower::tail(const std::string& task) {
  const std::lock_guard lock(mutex_);
  const auto found = tails_.find(task);
  if (found == tails_.end()) return {};
  return {found->second.begin(), found->second.end()};
}

void LogFollower::say(const std::string& line) {
  const std::lock_guard lock(mutex_);
  context_.io.err << line << std::endl;
}

void LogFollower::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    changed_.wait(lock, [&] { return finishing_ || !waiting_.empty(); });
    --idle_;
    if (waiting_.empty()) return;
    const Source source = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    copy(source);
    lock.lock();
  }
}

bool LogFollower::has_ended(const std::string& task) {
  const std::lock_guard lock(mutex_);
  return ended_.contains(task);
}

bool LogFollower::is_stopping() {
  const std::lock_guard lock(mutex_);
  return finishing_;
}

void LogFollower::copy(const Source& source) {
  CellClient client = context_.client();
  Progress progress;
  for (int failures = 0; failures <= failures_max;) {
    if (is_stopping() && !has_ended(source.task)) break;
    const std::uint64_t began_at = progress.offset;
    const Outcome outcome = copy_once(client, source, progress);
    if (outcome == Outcome::complete) break;
    failures = outcome == Outcome::failed && progress.offset == began_at ? failures + 1 : 0;
    pause(source.task, pause_first * (failures + 1));
  }
  const std::lock_guard lock(mutex_);
  if (!progress.line.empty()) write_line(source, progress.line);
}

LogFollower::Outcome LogFollower::copy_once(CellClient& client, const Source& source, Progress& progress) {
  const bool has_all = has_ended(source.task);
  const Moment began = context_.io.clock.steady();
  const auto outcome = client.stream(
      logs_target(source.task, source.stream) + (has_all ? "" : "&follow=true") +
          "&offset=" + std::to_string(progress.offset),
      {},
      [&](std::string_view bytes) {
        take(source, progress, bytes);
        return !is_stopping() || has_ended(source.task);
      },
      idle_max);
  // A stream that was followed ends with its task, but also with its node: only a read after the end has all.
  if (outcome.ok()) return has_all ? Outcome::complete : Outcome::again;
  if (has_all && outcome.error().code == ErrorCode::not_found) return Outcome::complete;
  return context_.io.clock.steady() - began >= idle_max ? Outcome::again : Outcome::failed;
}

void LogFollower::pause(const std::string& task, milliseconds time) {
  std::unique_lock lock(mutex_);
  if (ended_.contains(task)) return;
  changed_.wait_for(lock, time, [&] { return finishing_ || ended_.contains(task); });
}

void LogFollower::take(const Source& source, Progress& progress, std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  progress.offset += bytes.size();
  if (prefix_ == Prefix::none) {
    auto& to = source.stream == Stream::standard_output ? context_.io.out : context_.io.err;
    to << bytes << std::flush;
  }
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    progress.line.append(bytes.substr(0, end));
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
    if (end == std::string_view::npos && progress.line.size() < line_bytes_max) return;
    write_line(source, progress.line);
    progress.line.clear();
  }
}

/// Under the lock. Without a prefix the bytes are written already, as they came.
void LogFollower::write_line(const Source& source, std::string_view line) {
  if (prefix_ == Prefix::slot) {
    auto& to = source.stream == Stream::standard_output ? context_.io.out : context_.io.err;
    to << '[' << source.slot << "] " << line << std::endl;
  }
  if (source.stream == Stream::standard_error) remember(source, line);
}

void LogFollower::remember(const Source& source, std::string_view line) {
  auto& tail = tails_[source.task];
  tail.emplace_back(line);
  if (tail.size() > tail_lines_max) tail.pop_front();
}

}  // namespace troupe::cli
