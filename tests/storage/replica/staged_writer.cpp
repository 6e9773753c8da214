#include "tests/storage/replica/staged_writer.hpp"

namespace troupe {

Result<void> StagedLogWriter::submit(LogWrite&& write) {
  if (failed_) return Error{ErrorCode::io, "the log writer has stopped after a failure"};
  if (!queue_.push(std::move(write))) return Error{ErrorCode::overloaded, "the log writer's queue is full"};
  return {};
}

bool StagedLogWriter::begin() {
  if (failed_ || !group_.empty() || queue_.empty()) return false;
  group_ = queue_.take_group();
  return true;
}

void StagedLogWriter::finish() {
  const std::vector<LogWrite> group = std::exchange(group_, {});
  const auto written = log_.write(group);
  queue_.finish_group();
  failed_ = !written.ok();
  if (failed_)
    done_(written.error());
  else
    done_(group.back().ticket);
}

bool StagedLogWriter::pump() {
  if (group_.empty() && !begin()) return false;
  finish();
  return true;
}

void StagedLogWriter::abandon(std::size_t kept) {
  group_.resize(std::min(kept, group_.size()));
  if (!group_.empty()) (void)log_.write(group_);  // It may fail like any other; nobody asks any more.
  group_.clear();
}

}  // namespace troupe
