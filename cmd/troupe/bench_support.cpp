#include "cmd/troupe/bench_support.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

namespace troupe::cli {

BenchLine::BenchLine(std::string_view bench) {
  writer_.begin_object();
  writer_.key("bench"), writer_.text(bench);
  writer_.key("params");
  writer_.begin_object();
}

void BenchLine::begin_figures() {
  writer_.end_object();
  writer_.key("figures");
  writer_.begin_object();
  in_figures_ = true;
}

void BenchLine::figure(std::string_view name, double value) {
  writer_.key(name);
  writer_.real(std::round(value * 100) / 100);
}

void BenchLine::figure(std::string_view name, std::uint64_t value) {
  writer_.key(name);
  writer_.uint(value);
}

void BenchLine::figures(std::string_view name, const std::vector<double>& values) {
  writer_.key(name);
  writer_.begin_array();
  for (const double value : values) writer_.real(std::round(value * 100) / 100);
  writer_.end_array();
}

void BenchLine::end_figures() {
  if (in_figures_) writer_.end_object();
  in_figures_ = false;
}

void BenchLine::texts(std::string_view name, const std::vector<std::string>& values) {
  end_figures();
  writer_.key(name);
  json::write_value(writer_, values);
}

std::string BenchLine::take() {
  end_figures();
  writer_.end_object();
  return writer_.take();
}

double percentile(std::vector<double>& values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1,
                         static_cast<std::size_t>(std::floor(share * static_cast<double>(values.size()))))];
}

ScratchFolder::ScratchFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "troupe-bench-XXXXXX").string();
  path_ = mkdtemp(pattern.data()) != nullptr ? pattern : "";
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

bool Await::until(const std::function<bool()>& done, milliseconds patience) {
  const Moment end = clock_.steady() + patience;
  std::unique_lock lock(mutex_);
  while (!done()) {
    if (clock_.steady() > end) return false;
    never_.wait_for(lock, look_every_);
  }
  return true;
}

double seconds_of(std::chrono::nanoseconds span) { return std::chrono::duration<double>(span).count(); }

double rss_mb(int pid) {
  std::ifstream statm("/proc/" + (pid == 0 ? std::string("self") : std::to_string(pid)) + "/statm");
  double total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1024 * 1024);
}

std::chrono::nanoseconds process_cpu() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto span = [](const timeval& t) {
    return std::chrono::seconds(t.tv_sec) + std::chrono::microseconds(t.tv_usec);
  };
  return span(usage.ru_utime) + span(usage.ru_stime);
}

}  // namespace troupe::cli
