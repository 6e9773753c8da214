#include "actors/bench/placement_trace.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include "storage/base/random.hpp"

namespace troupe::placement {
namespace {

constexpr std::int64_t whole_gpu = 1'000;
constexpr std::size_t file_bytes_max = 256UL * 1024 * 1024;

std::vector<std::string_view> split(std::string_view line, char by) {
  std::vector<std::string_view> cells;
  for (;;) {
    const auto comma = line.find(by);
    cells.push_back(line.substr(0, comma));
    if (comma == std::string_view::npos) return cells;
    line.remove_prefix(comma + 1);
  }
}

/// Lines of cells that are asked for by the names of the first line.
class Csv {
 public:
  explicit Csv(std::string_view text) : left_(text) {
    if (const auto head = next_line()) {
      const auto names = split(*head, ',');
      for (std::size_t n = 0; n < names.size(); ++n) columns_.emplace(names[n], n);
    }
  }
  bool next() {
    const auto line = next_line();
    if (!line) return false;
    cells_ = split(*line, ',');
    return true;
  }
  bool has(std::string_view name) const { return columns_.contains(name); }
  std::string_view text(std::string_view name) const {
    const auto found = columns_.find(name);
    return found == columns_.end() || found->second >= cells_.size() ? std::string_view{}
                                                                     : cells_[found->second];
  }
  /// 0 if there is none; times may have decimals, which are cut off.
  std::int64_t number(std::string_view name) {
    const std::string_view cell = text(name);
    if (cell.empty()) return 0;
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    if (error != std::errc{} || (end != cell.data() + cell.size() && *end != '.') || value < 0)
      is_bad_ = true;
    return value;
  }
  std::size_t line() const { return line_; }
  bool is_bad() const { return is_bad_; }

 private:
  std::optional<std::string_view> next_line() {
    while (!left_.empty()) {
      const auto end = left_.find('\n');
      std::string_view line = left_.substr(0, end);
      left_.remove_prefix(end == std::string_view::npos ? left_.size() : end + 1);
      ++line_;
      if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
      if (!line.empty()) return line;
    }
    return std::nullopt;
  }
  std::string_view left_;
  std::map<std::string_view, std::size_t> columns_;
  std::vector<std::string_view> cells_;
  std::size_t line_ = 0;
  bool is_bad_ = false;
};

Error bad_line(const char* what, const Csv& csv) {
  return {ErrorCode::invalid_argument, std::string("line ") + std::to_string(csv.line()) + " of the " + what +
                                           " has a number that is none"};
}

Result<std::string> read_one(const std::string& folder, std::string_view part) {
  std::vector<std::filesystem::path> found;
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = file.path().filename().string();
    if (name.ends_with(".csv") && name.find(part) != std::string::npos) found.push_back(file.path());
  }
  if (found.empty())
    return Error{ErrorCode::not_found,
                 "there is no csv with \"" + std::string(part) + "\" in its name in " + folder};
  const auto first = *std::min_element(found.begin(), found.end());
  if (std::filesystem::file_size(first, error) > file_bytes_max)
    return Error{ErrorCode::invalid_argument, first.string() + " is larger than 256 MiB"};
  std::ifstream in(first, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

}  // namespace

Result<Trace> parse_trace(std::string_view nodes, std::string_view pods) {
  Trace trace;
  Csv node(nodes);
  while (node.next()) {
    trace.nodes.push_back(
        {std::string(node.text("sn")),
         {node.number("cpu_milli"), node.number("memory_mib"), 0, 0, node.number("gpu") * whole_gpu},
         std::string(node.text("model"))});
    if (node.is_bad()) return bad_line("nodes", node);
  }
  Csv pod(pods);
  while (pod.next()) {
    TracePod out;
    out.name = pod.text("name");
    const std::int64_t part = pod.has("gpu_milli") ? pod.number("gpu_milli") : whole_gpu;
    out.resources = {pod.number("cpu_milli"), pod.number("memory_mib"), 0, 0, pod.number("num_gpu") * part};
    for (const std::string_view model : split(pod.text("gpu_spec"), '|'))
      if (!model.empty()) out.models.emplace_back(model);
    out.begin = Instant{1 + pod.number("creation_time") * 1'000};
    if (const auto end = pod.number("deletion_time"); end > 0) out.end = Instant{1 + end * 1'000};
    if (pod.is_bad()) return bad_line("pods", pod);
    trace.pods.push_back(std::move(out));
  }
  if (trace.nodes.empty() || trace.pods.empty())
    return Error{ErrorCode::invalid_argument, "a trace needs nodes and pods"};
  std::stable_sort(trace.pods.begin(), trace.pods.end(),
                   [](const TracePod& a, const TracePod& b) { return a.begin < b.begin; });
  return trace;
}

Result<Trace> read_trace(const std::string& folder) {
  const auto nodes = read_one(folder, "node");
  if (!nodes.ok()) return nodes.error();
  const auto pods = read_one(folder, "pod");
  if (!pods.ok()) return pods.error();
  return parse_trace(nodes.value(), pods.value());
}

Trace make_trace(std::size_t nodes, std::size_t pods, std::uint64_t seed) {
  struct Size {
    std::int64_t cpu, memory, gpu;
    const char* model;
  };
  constexpr Size sizes[] = {{32'000, 131'072, 0, ""},    {94'000, 393'216, 0, ""},
                            {64'000, 262'144, 2, "T4"},  {96'000, 524'288, 8, "V100"},
                            {128'000, 786'432, 8, "G2"}, {96'000, 393'216, 4, "P100"}};
  Random random(seed);
  Trace trace;
  for (std::size_t n = 0; n < nodes; ++n) {
    const Size& size = sizes[random.below(std::size(sizes))];
    trace.nodes.push_back(
        {"node-" + std::to_string(n), {size.cpu, size.memory, 0, 0, size.gpu * whole_gpu}, size.model});
  }
  for (std::size_t n = 0; n < pods; ++n) {
    TracePod pod;
    pod.name = "pod-" + std::to_string(n);
    const std::int64_t cpus = std::int64_t{1} << random.below(6);
    pod.resources = {cpus * 1'000, cpus * random.between(1'024, 6'144), 0, 0, 0};
    if (random.chance(50)) pod.resources.gpu = random.chance(50) ? 100 * random.between(1, 9) : whole_gpu;
    if (random.chance(5)) pod.resources.gpu = whole_gpu << random.below(4);
    if (pod.resources.gpu > 0 && random.chance(20)) pod.models = {"V100", "G2"};
    pod.begin = Instant{1 + static_cast<std::int64_t>(n) * 10'000};
    pod.end = pod.begin + milliseconds(1'000 * random.between(60, 40'000));
    trace.pods.push_back(std::move(pod));
  }
  return trace;
}

std::string nodes_csv(const Trace& trace) {
  std::ostringstream out;
  out << "sn,cpu_milli,memory_mib,gpu,model\n";
  for (const TraceNode& node : trace.nodes)
    out << node.name << ',' << node.total.cpu_milli << ',' << node.total.memory_mb << ','
        << node.total.gpu / whole_gpu << ',' << node.model << '\n';
  return out.str();
}

std::string pods_csv(const Trace& trace) {
  std::ostringstream out;
  out << "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,creation_time,deletion_time\n";
  for (const TracePod& pod : trace.pods) {
    const std::int64_t gpu = pod.resources.gpu;
    const bool is_part = gpu > 0 && gpu < whole_gpu;
    out << pod.name << ',' << pod.resources.cpu_milli << ',' << pod.resources.memory_mb << ','
        << (is_part ? 1 : gpu / whole_gpu) << ','
        << (gpu == 0  ? 0
            : is_part ? gpu
                      : whole_gpu)
        << ',';
    for (std::size_t n = 0; n < pod.models.size(); ++n) out << (n == 0 ? "" : "|") << pod.models[n];
    out << ',' << pod.begin.ms / 1'000 << ',' << pod.end.ms / 1'000 << '\n';
  }
  return out.str();
}

}  // namespace troupe::placement
