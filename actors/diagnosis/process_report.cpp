#include "actors/diagnosis/process_report.hpp"

#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <vector>

#include "net/json/writer.hpp"

namespace troupe {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t small_file_bytes_max = 16 * 1024;

std::string small_file(const fs::path& path, std::size_t bytes_max = small_file_bytes_max) {
  std::ifstream file(path, std::ios::binary);
  std::string text(bytes_max, '\0');
  file.read(text.data(), static_cast<std::streamsize>(bytes_max));
  text.resize(static_cast<std::size_t>(file.gcount()));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  return fault == std::errc{} ? std::optional(number) : std::nullopt;
}

/// "VmRSS:     1234 kB" in bytes, or a bare count as it is.
std::optional<std::uint64_t> line_of(std::string_view status, std::string_view name) {
  const std::size_t at = status.find("\n" + std::string(name) + ":");
  if (at == status.npos) return std::nullopt;
  std::string_view rest = status.substr(at + name.size() + 2);
  rest = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
  const auto number = number_of(rest);
  if (!number) return std::nullopt;
  return rest.ends_with("kB") ? *number * 1024 : *number;
}

/// The fields of a stat file behind the name, which may have any characters: state is the first of them.
std::vector<std::string> stat_fields(const fs::path& path) {
  const std::string text = small_file(path);
  const std::size_t end = text.rfind(')');
  std::vector<std::string> fields;
  if (end == text.npos) return fields;
  std::istringstream rest(text.substr(end + 1));
  for (std::string field; rest >> field;) fields.push_back(field);
  return fields;
}

// Places behind the name; proc(5) counts from one and has two fields before it.
constexpr std::size_t state_field = 0;
constexpr std::size_t user_field = 11;
constexpr std::size_t system_field = 12;
constexpr std::size_t start_field = 19;

std::optional<std::uint64_t> ticks_ms(const std::vector<std::string>& fields, std::size_t place) {
  static const auto per_second = static_cast<std::uint64_t>(std::max(sysconf(_SC_CLK_TCK), 1L));
  if (place >= fields.size()) return std::nullopt;
  const auto ticks = number_of(fields[place]);
  if (!ticks) return std::nullopt;
  return *ticks * 1'000 / per_second;
}

void put(json::Writer& writer, std::string_view key, std::optional<std::uint64_t> number) {
  if (!number) return;
  writer.key(key);
  writer.uint(*number);
}
void put_text(json::Writer& writer, std::string_view key, std::string_view text) {
  if (text.empty()) return;
  writer.key(key);
  writer.text(text);
}

std::optional<std::uint64_t> entries_in(const fs::path& folder, std::size_t counted_max) {
  std::error_code failed;
  fs::directory_iterator at(folder, failed);
  std::uint64_t count = 0;
  for (; !failed && at != fs::directory_iterator() && count < counted_max; at.increment(failed)) ++count;
  return failed ? std::nullopt : std::optional(count);
}

std::optional<std::uint64_t> uptime_ms(const fs::path& folder, const std::vector<std::string>& fields) {
  const std::string text = small_file(folder / "../uptime");
  const auto since_boot = number_of(text);
  const auto began = ticks_ms(fields, start_field);
  if (!since_boot || !began) return std::nullopt;
  return *since_boot * 1'000 - std::min(*since_boot * 1'000, *began);
}

void put_thread(json::Writer& writer, const fs::path& folder) {
  const auto fields = stat_fields(folder / "stat");
  writer.begin_object();
  put(writer, "id", number_of(folder.filename().string()));
  put_text(writer, "name", small_file(folder / "comm"));
  if (fields.size() > state_field) put_text(writer, "state", fields[state_field]);
  put(writer, "userMs", ticks_ms(fields, user_field));
  put(writer, "systemMs", ticks_ms(fields, system_field));
  const std::string waits_in = small_file(folder / "wchan");
  if (waits_in != "0") put_text(writer, "waitsIn", waits_in);
  put_text(writer, "stack", small_file(folder / "stack", stack_bytes_max));
  writer.end_object();
}

}  // namespace

std::string process_json(const std::string& folder) {
  const fs::path at(folder);
  const std::string status = small_file(at / "status");
  const auto fields = stat_fields(at / "stat");
  json::Writer writer;
  writer.begin_object();
  put(writer, "pid", line_of(status, "Pid"));
  put(writer, "uptimeMs", uptime_ms(at, fields));
  put(writer, "rssBytes", line_of(status, "VmRSS"));
  put(writer, "rssPeakBytes", line_of(status, "VmHWM"));
  put(writer, "threads", line_of(status, "Threads"));
  put(writer, "descriptors", entries_in(at / "fd", descriptors_counted_max));
  rlimit most{};
  if (getrlimit(RLIMIT_NOFILE, &most) == 0) put(writer, "descriptorsMax", most.rlim_cur);
  put(writer, "userMs", ticks_ms(fields, user_field));
  put(writer, "systemMs", ticks_ms(fields, system_field));
  put_text(writer, "load", small_file(at / "../loadavg"));
  writer.end_object();
  return writer.take();
}

Result<std::string> threads_json(const std::string& folder) {
  std::error_code failed;
  std::vector<std::pair<std::uint64_t, fs::path>> threads;
  std::uint64_t left_out = 0;
  fs::directory_iterator at(fs::path(folder) / "task", failed);
  for (; !failed && at != fs::directory_iterator(); at.increment(failed)) {
    const auto id = number_of(at->path().filename().string());
    if (threads.size() < threads_told_max && id)
      threads.emplace_back(*id, at->path());
    else
      ++left_out;
  }
  if (failed) return Error{ErrorCode::io, "the list of threads: " + failed.message()};
  std::sort(threads.begin(), threads.end());
  json::Writer writer;
  writer.begin_object();
  writer.key("threads");
  writer.begin_array();
  for (const auto& [id, path] : threads) put_thread(writer, path);
  writer.end_array();
  if (left_out > 0) put(writer, "leftOut", left_out);
  writer.end_object();
  return writer.take();
}

Result<std::string> disk_json(const std::string& path) {
  struct statvfs said {};
  if (statvfs(path.c_str(), &said) != 0)
    return Error{ErrorCode::io, "the file system of " + path + ": " + std::strerror(errno)};
  json::Writer writer;
  writer.begin_object();
  put_text(writer, "path", path);
  put(writer, "bytes", static_cast<std::uint64_t>(said.f_blocks) * said.f_frsize);
  put(writer, "free", static_cast<std::uint64_t>(said.f_bavail) * said.f_frsize);
  put(writer, "inodes", static_cast<std::uint64_t>(said.f_files));
  put(writer, "inodesFree", static_cast<std::uint64_t>(said.f_favail));
  writer.end_object();
  return writer.take();
}

}  // namespace troupe
