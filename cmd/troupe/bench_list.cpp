#include <fmt/core.h>

#include <atomic>
#include <thread>

#include "cmd/troupe/bench_gateway.hpp"
#include "cmd/troupe/bench_gateway_cell.hpp"
#include "cmd/troupe/bench_submitter.hpp"
#include "cmd/troupe/cli_value.hpp"

namespace troupe::cli {
namespace {

constexpr std::uint32_t tasks_of_job = 1'000;
constexpr std::uint32_t submit_connections = 4;

std::string sleeping_job(std::uint32_t tasks) {
  return fmt::format(
      R"({{"owner":{{"teamEmail":"bench@example.com"}},"applicationName":"listed","attributes":{{"troupe.sim":"run=forever"}},)"
      R"("container":{{"entryPoint":["/bin/true"],"resources":{{"cpu":0.1,"memoryMB":16,"diskMB":1}}}},)"
      R"("batch":{{"size":{},"runtimeLimitSec":86400,"retryPolicy":{{"immediate":{{"retries":0}}}}}}}})",
      tasks);
}

class ListBench {
 public:
  explicit ListBench(const ListParams& params) : params_(params) {}

  Result<std::string> run() {
    auto cell = GatewayCell::start({params_.nodes, params_.hosts, params_.tasks});
    if (!cell.ok()) return cell.error();
    cell_ = std::move(cell).value();
    for (std::uint32_t left = params_.tasks; left > 0;) {
      const std::uint32_t size = std::min(left, tasks_of_job);
      if (auto job = cell_->submit(sleeping_job(size)); !job.ok()) return job.error();
      left -= size;
    }
    const auto started = [&] {
      return cell_->reads().cell().live_tasks[static_cast<std::size_t>(TaskState::started)];
    };
    if (!cell_->await([&] { return started() == params_.tasks; }))
      return Error{ErrorCode::unavailable, fmt::format("only {} tasks started", started())};
    LoadFigures warm;
    if (auto done = submits(warm); !done.ok()) return done.error();
    if (auto done = submits(alone_); !done.ok()) return done.error();
    for (std::uint32_t n = 0; n < params_.rounds; ++n)
      if (auto done = list_all(); !done.ok()) return done.error();
    if (auto done = submits_beside_lists(); !done.ok()) return done.error();
    return line();
  }

 private:
  /// As many as four connections get answered: what apply can take is not what limits them.
  Result<void> submits(LoadFigures& figures) {
    const std::string keys = fmt::format("list-{}", ++loads_);
    return taken(run_load({.ports = cell_->ports(),
                           .connections = submit_connections,
                           .requests = 0,
                           .time = std::chrono::seconds(params_.seconds),
                           .per_s = 0,
                           .request =
                               [keys, body = one_task_job(milliseconds(10))](std::uint64_t n) {
                                 return request_text("POST", "/api/v3/jobs", body,
                                                     fmt::format("{}-{}", keys, n));
                               }}),
                 figures);
  }

  /// One reader, from the first page to the last.
  Result<void> list_all() {
    auto client = client_of(cell_->ports().front(), milliseconds(60'000));
    const Moment begin = clock_.steady();
    std::string cursor;
    std::uint64_t seen = 0;
    for (bool more = true; more;) {
      const std::string target =
          fmt::format("/api/v3/tasks?applicationName=listed&pageSize={}&cursor={}", params_.page, cursor);
      const Moment before = clock_.steady();
      const auto answer = client.call("GET", target);
      if (!answer.ok()) return answer.error();
      page_ms_.push_back(seconds_of(clock_.steady() - before) * 1'000);
      if (answer.value().status != 200) return Error{ErrorCode::internal, answer.value().body};
      auto page = json::parse(answer.value().body, {.depth = 64, .bytes = 1 << 28, .values = 1 << 24});
      if (!page.ok()) return page.error();
      cursor = text_at(page.value(), "pagination/cursor");
      seen += page.value().find("items")->array()->size();
      const auto* has_more = page.value().find("pagination")->find("hasMore")->boolean();
      more = has_more != nullptr && *has_more;
    }
    total_s_.push_back(seconds_of(clock_.steady() - begin));
    if (seen != params_.tasks) return Error{ErrorCode::internal, fmt::format("{} tasks were listed", seen)};
    return {};
  }

  Result<void> submits_beside_lists() {
    std::atomic<bool> is_over{false};
    Result<void> listed;
    const auto pages = page_ms_;
    std::thread reader([&] {
      while (!is_over && listed.ok()) listed = list_all();
    });
    auto done = submits(beside_);
    is_over = true;
    reader.join();
    beside_page_ms_.assign(page_ms_.begin() + static_cast<std::ptrdiff_t>(pages.size()), page_ms_.end());
    page_ms_ = pages;
    return done.ok() ? listed : done;
  }

  std::string line() {
    const double before = percentile(alone_.ms, 0.50), beside = percentile(beside_.ms, 0.50);
    BenchLine out("list");
    out.param("nodes", params_.nodes);
    out.param("hosts", params_.hosts);
    out.param("tasks", params_.tasks);
    out.param("page", params_.page);
    out.begin_figures();
    out.figure("total_s", percentile(total_s_, 0.50));
    out.figure("page_p50_ms", percentile(page_ms_, 0.50));
    out.figure("page_p99_ms", percentile(page_ms_, 0.99));
    out.figure("beside_page_p99_ms", percentile(beside_page_ms_, 0.99));
    out.figure("submits_per_s", alone_.per_s());
    out.figure("beside_submits_per_s", beside_.per_s());
    const double fewer = 1 - beside_.per_s() / std::max(alone_.per_s(), 1.0);
    out.figure("submits_fewer_percent", 100 * std::max(fewer, 0.0));
    out.figure("submit_p50_ms", before);
    out.figure("beside_submit_p50_ms", beside);
    out.figure("submit_p99_ms", percentile(alone_.ms, 0.99));
    out.figure("beside_submit_p99_ms", percentile(beside_.ms, 0.99));
    return out.take();
  }

  ListParams params_;
  SystemClock clock_;
  std::unique_ptr<GatewayCell> cell_;
  int loads_ = 0;
  std::vector<double> total_s_, page_ms_, beside_page_ms_;
  LoadFigures alone_, beside_;
};

}  // namespace

Result<std::string> bench_list(const ListParams& params) { return ListBench(params).run(); }

}  // namespace troupe::cli
