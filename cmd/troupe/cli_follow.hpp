#pragma once
// Following the output of tasks, several at once.

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "cmd/troupe/cli_context.hpp"

namespace troupe::cli {

enum class Stream : std::uint8_t { standard_output, standard_error };
std::string_view stream_name(Stream stream);  ///< "stdout", "stderr"
std::string logs_target(const std::string& task, Stream stream);

enum class Prefix : std::uint8_t { none, slot };

/// Copies the output of tasks to ours, stdout to stdout and stderr to stderr, each byte once. With a prefix,
/// line by line.
///
/// Owns its threads: one per stream that is followed, at most followers_max; further streams wait for one to
/// end. All methods are for one thread. The surroundings' streams are written under a lock; let nobody else
/// write meanwhile but through say().
class LogFollower {
 public:
  static constexpr std::size_t followers_max = 64;
  static constexpr std::size_t tail_lines_max = 10;         ///< remembered of each task's stderr
  static constexpr std::size_t line_bytes_max = 64 * 1024;  ///< beyond: broken in two
  static constexpr int failures_max = 10;                   ///< in a row, of one stream; then it is given up

  LogFollower(Context& context, Prefix prefix) : context_(context), prefix_(prefix) {}
  ~LogFollower();
  LogFollower(const LogFollower&) = delete;
  LogFollower& operator=(const LogFollower&) = delete;

  /// Nothing happens for a task and stream that were given before.
  void follow(const std::string& task, std::int64_t slot, Stream stream);
  /// The task writes no more: its streams end when all is copied.
  void ended(const std::string& task);
  /// Waits until the streams of all ended tasks are copied, and gives up the others.
  void finish();
  /// The last lines that the task wrote to stderr.
  std::vector<std::string> tail(const std::string& task);
  /// A line of our own on stderr.
  void say(const std::string& line);

 private:
  struct Source {
    std::string task;
    std::int64_t slot = 0;
    Stream stream = Stream::standard_output;
  };
  struct Progress {
    std::uint64_t offset = 0;
    std::string line;  ///< begun, not ended yet
  };
  void work();
  void copy(const Source& source);
  enum class Outcome : std::uint8_t { complete, again, failed };
  /// One stream of the cell, until it ends.
  Outcome copy_once(CellClient& client, const Source& source, Progress& progress);
  /// Until the task's end is known or this time has passed.
  void pause(const std::string& task, milliseconds time);
  void take(const Source& source, Progress& progress, std::string_view bytes);
  void write_line(const Source& source, std::string_view line);
  void remember(const Source& source, std::string_view line);
  bool has_ended(const std::string& task);
  bool is_stopping();

  Context& context_;
  const Prefix prefix_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Source> waiting_;
  std::set<std::pair<std::string, Stream>> known_;
  std::set<std::string> ended_;
  std::map<std::string, std::deque<std::string>> tails_;
  std::size_t idle_ = 0;
  bool finishing_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace troupe::cli
