#include "cmd/troupe/bench_catch_up.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>

#include "cmd/troupe/bench_cell.hpp"
#include "cmd/troupe/bench_submitter.hpp"
#include "cmd/troupe/cli_value.hpp"
#include "cmd/troupe/fill.hpp"

namespace troupe::cli {
namespace {

constexpr std::uint32_t voters = 3, joining = 4;
constexpr milliseconds catch_up_patience{900'000};
constexpr std::int64_t lag_max = 50;  ///< entries; the load alone keeps a few under way

class CatchUpBench {
 public:
  explicit CatchUpBench(const CatchUpParams& params) : params_(params) {}

  Result<std::string> run() {
    if (auto begun = begin(); !begun.ok()) return begun.error();
    std::vector<std::uint16_t> ports;
    for (std::uint32_t n = 1; n <= voters; ++n) ports.push_back(cell_->http_port(n));
    SteadyLoad load(ports, submit_pause, acknowledged_);
    pause(std::chrono::seconds(params_.seconds));
    before_ms_ = load.take_ms();
    const double rss = cell_->rss_mb(leader_);
    if (auto joined = join(); !joined.ok()) return joined.error();
    during_ms_ = load.take_ms();
    leader_growth_mb_ = leader_peak_mb_ - rss;
    return line();
  }

 private:
  Result<void> begin() {
    auto folder = filled_folder(params_.folder, {.folder = scratch_.path() + "/cell",
                                                 .live_tasks = params_.live_tasks,
                                                 .archived_tasks = params_.archived_tasks,
                                                 .nodes = voters});
    if (!folder.ok()) return folder.error();
    folder_ = std::move(folder).value();
    if (std::filesystem::exists(data_of(joining)))
      return Error{ErrorCode::io,
                   data_of(joining) + " is there already: a folder can be used once, fill another"};
    auto cell = BenchCell::make(folder_, voters + 1, Roads::direct, {joining});
    if (!cell.ok()) return cell.error();
    cell_ = std::move(cell).value();
    for (std::uint32_t n = 1; n <= voters; ++n)
      if (auto started = cell_->start(n); !started.ok()) return started;
    for (std::uint32_t n = 1; n <= voters; ++n)
      if (!cell_->await_serving(n, cell_patience))
        return Error{ErrorCode::unavailable, "the cell did not serve in time"};
    leader_ = cell_->leader();
    if (leader_ == 0) return Error{ErrorCode::unavailable, "the cell found no leader"};
    state_mb_ = folder_mb(data_of(leader_));
    return {};
  }

  std::string data_of(std::uint32_t node) const { return fmt::format("{}/node-{}", folder_, node); }

  static double folder_mb(const std::string& folder) {
    std::uintmax_t bytes = 0;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, ignored)) {
      const auto size = entry.file_size(ignored);
      if (!ignored) bytes += size;
    }
    return static_cast<double>(bytes) / (1024.0 * 1024.0);
  }

  void pause(milliseconds span) {
    await_.until([] { return false; }, span);
  }

  Result<void> join() {
    http::Client client = client_of(cell_->http_port(leader_), milliseconds(10'000));
    const Moment begin = clock_.steady();
    if (auto started = cell_->start(joining); !started.ok()) return started;
    const std::string body =
        fmt::format(R"({{"node":{},"address":"127.0.0.1:{}"}})", joining, cell_->peer_port(joining));
    auto added = order(client, "/api/v3/cell/members", body);
    if (!added.ok()) return added;
    leader_peak_mb_ = cell_->rss_mb(leader_);
    const bool caught_up = await_.until(
        [&] {
          leader_peak_mb_ = std::max(leader_peak_mb_, cell_->rss_mb(leader_));
          joining_peak_mb_ = std::max(joining_peak_mb_, cell_->rss_mb(joining));
          return has_caught_up(client);
        },
        catch_up_patience);
    if (!caught_up) return Error{ErrorCode::unavailable, "the node did not catch up in time"};
    caught_up_seconds_ = seconds_of(clock_.steady() - begin);
    auto promoted = order(client, fmt::format("/api/v3/cell/members/{}/promote", joining), "");
    if (!promoted.ok()) return promoted;
    if (!cell_->await_serving(joining, cell_patience))
      return Error{ErrorCode::unavailable, "the node that joined does not serve"};
    serves_seconds_ = seconds_of(clock_.steady() - begin);
    joining_mb_ = cell_->rss_mb(joining);
    return {};
  }

  static Result<void> order(http::Client& client, const std::string& path, const std::string& body) {
    auto answer = client.call("POST", path, body, {{"content-type", "application/json"}});
    if (!answer.ok()) return answer.error();
    if (answer.value().status != 200)
      return Error{ErrorCode::unavailable, path + " was answered " + answer.value().body};
    return {};
  }

  static bool has_caught_up(http::Client& client) {
    const auto members = get_json(client, "/api/v3/cell/members");
    if (!members.ok()) return false;
    const json::Value* items = members.value().find("items");
    if (items == nullptr || items->array() == nullptr) return false;
    for (const json::Value& member : *items->array())
      if (integer_at(member, "node") == joining)
        return text_at(member, "state") == "replicate" && integer_at(member, "lag") < lag_max;
    return false;
  }

  std::string line() {
    BenchLine out("catch-up");
    out.param("live_tasks", params_.live_tasks);
    out.param("archived_tasks", params_.archived_tasks);
    out.begin_figures();
    out.figure("state_mb", state_mb_);
    out.figure("seconds", caught_up_seconds_);
    out.figure("serves_seconds", serves_seconds_);
    out.figure("leader_growth_mb", leader_growth_mb_);
    out.figure("joining_peak_mb", joining_peak_mb_);
    out.figure("joining_mb", joining_mb_);
    out.figure("submit_p50_before_ms", percentile(before_ms_, 0.5));
    out.figure("submit_p99_before_ms", percentile(before_ms_, 0.99));
    out.figure("submit_p50_during_ms", percentile(during_ms_, 0.5));
    out.figure("submit_p99_during_ms", percentile(during_ms_, 0.99));
    return out.take();
  }

  const CatchUpParams params_;
  ScratchFolder scratch_;
  std::string folder_;
  SystemClock clock_;
  Await await_{milliseconds(20)};
  std::unique_ptr<BenchCell> cell_;
  Acknowledged acknowledged_;
  std::uint32_t leader_ = 0;
  double state_mb_ = 0;  ///< the leader's folder: state and log
  double caught_up_seconds_ = 0, serves_seconds_ = 0;
  double leader_peak_mb_ = 0, leader_growth_mb_ = 0;
  double joining_peak_mb_ = 0, joining_mb_ = 0;
  std::vector<double> before_ms_, during_ms_;
};

}  // namespace

Result<std::string> bench_catch_up(const CatchUpParams& params) { return CatchUpBench(params).run(); }

}  // namespace troupe::cli
