#include "storage/log/log_writer.hpp"

namespace troupe {
namespace {

Error full() { return Error{ErrorCode::overloaded, "the log writer's queue is full"}; }
Error stopped() { return Error{ErrorCode::io, "the log writer has stopped after a failure"}; }

}  // namespace

bool LogWriteQueue::push(LogWrite&& write) {
  const std::size_t size = write.bytes();
  if (bytes() != 0 && bytes() + size > bytes_max_) return false;
  bytes_ += size;
  waiting_.push_back(std::move(write));
  return true;
}

std::vector<LogWrite> LogWriteQueue::take_group() {
  std::vector<LogWrite> group;
  taken_bytes_ = 0;
  while (!waiting_.empty()) {
    const std::size_t size = waiting_.front().bytes();
    if (!group.empty() && taken_bytes_ + size > LogWriter::group_bytes_max) break;
    taken_bytes_ += size;
    bytes_ -= size;
    group.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return group;
}

void LogWriteQueue::finish_group() { taken_bytes_ = 0; }

ThreadLogWriter::ThreadLogWriter(LogStore& log, Done done, std::size_t queue_bytes_max)
    : log_(log), done_(std::move(done)), queue_(queue_bytes_max), thread_([this] { run(); }) {}

ThreadLogWriter::~ThreadLogWriter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

Result<void> ThreadLogWriter::submit(LogWrite&& write) {
  {
    const std::lock_guard lock(mutex_);
    if (failed_) return stopped();
    if (!queue_.push(std::move(write))) return full();
  }
  changed_.notify_one();
  return {};
}

std::size_t ThreadLogWriter::queued_bytes() const {
  const std::lock_guard lock(mutex_);
  return queue_.bytes();
}

void ThreadLogWriter::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    const std::vector<LogWrite> group = queue_.take_group();
    lock.unlock();
    const auto written = log_.write(group);
    lock.lock();
    queue_.finish_group();
    failed_ = !written.ok();
    lock.unlock();
    if (!written.ok()) return done_(written.error());
    done_(group.back().ticket);
    lock.lock();
  }
}

InlineLogWriter::InlineLogWriter(LogStore& log, Done done, std::size_t queue_bytes_max)
    : log_(log), done_(std::move(done)), queue_(queue_bytes_max) {}

Result<void> InlineLogWriter::submit(LogWrite&& write) {
  if (failed_) return stopped();
  if (!queue_.push(std::move(write))) return full();
  return {};
}

bool InlineLogWriter::pump() {
  if (failed_ || queue_.empty()) return false;
  const std::vector<LogWrite> group = queue_.take_group();
  const auto written = log_.write(group);
  queue_.finish_group();
  failed_ = !written.ok();
  if (failed_)
    done_(written.error());
  else
    done_(group.back().ticket);
  return true;
}

}  // namespace troupe
