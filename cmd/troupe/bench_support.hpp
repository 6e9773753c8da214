#pragma once
// What the benches share: their line of JSON, a folder that goes with them, waiting, percentiles.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "net/json/writer.hpp"
#include "storage/base/time.hpp"

namespace troupe::cli {

/// {"bench": NAME, "params": {…}, "figures": {…}, then what a bench adds}, written in this order.
class BenchLine {
 public:
  explicit BenchLine(std::string_view bench);
  template <class T>
  void param(std::string_view name, const T& value) {
    writer_.key(name);
    json::write_value(writer_, value);
  }
  void begin_figures();
  void figure(std::string_view name, double value);  ///< two decimals
  void figure(std::string_view name, std::uint64_t value);
  void figures(std::string_view name, const std::vector<double>& values);  ///< likewise
  /// After all figures.
  void texts(std::string_view name, const std::vector<std::string>& values);
  std::string take();

 private:
  void end_figures();
  json::Writer writer_;
  bool in_figures_ = false;
};

/// Sorts the values; 0 for none.
double percentile(std::vector<double>& values, double share);

/// A folder that goes with it.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Waits for what gives no event: other processes, other nodes' state.
class Await {
 public:
  explicit Await(milliseconds look_every) : look_every_(look_every) {}
  /// False: not in time.
  bool until(const std::function<bool()>& done, milliseconds patience);

 private:
  const milliseconds look_every_;
  SystemClock clock_;
  std::mutex mutex_;
  std::condition_variable never_;
};

double seconds_of(std::chrono::nanoseconds span);
double rss_mb(int pid = 0);  ///< of a process; 0: this one
/// Of this process, all threads, user and system.
std::chrono::nanoseconds process_cpu();

}  // namespace troupe::cli
