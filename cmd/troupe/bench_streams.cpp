#include <fmt/core.h>

#include <algorithm>
#include <thread>

#include "cmd/troupe/bench_gateway.hpp"
#include "cmd/troupe/bench_gateway_cell.hpp"
#include "cmd/troupe/bench_submitter.hpp"

namespace troupe::cli {
namespace {

constexpr milliseconds patience{10'000};

class StreamsBench {
 public:
  explicit StreamsBench(const StreamsParams& params) : params_(params) {}

  Result<std::string> run() {
    auto cell = GatewayCell::start({.nodes = params_.nodes, .hosts = 0, .tasks = 0});
    if (!cell.ok()) return cell.error();
    cell_ = std::move(cell).value();
    auto job = cell_->submit(one_task_job(milliseconds(100)));
    if (!job.ok()) return job.error();
    job_ = job.value();
    if (auto done = idle(); !done.ok()) return done.error();
    if (auto done = busy(); !done.ok()) return done.error();
    return line();
  }

 private:
  /// Returns when each has its snapshot, and nothing more comes.
  Result<void> open(StreamReaders& streams, std::uint32_t count) {
    const auto ports = cell_->ports();
    begun_.assign(count, 0);
    for (std::uint32_t n = 0; n < count; ++n) {
      if (auto opened = streams.open(ports[n % ports.size()], "/api/v3/events"); !opened.ok()) return opened;
      streams.read(milliseconds(0));
    }
    // A job at least, and the marker.
    constexpr std::uint64_t of_snapshot_min = 2;
    if (auto began = all_have(streams, of_snapshot_min); !began.ok()) return began;
    streams.read(milliseconds(300));
    for (std::uint32_t n = 0; n < count; ++n) begun_[n] = streams.readers()[n].events;
    return {};
  }

  std::uint64_t lacking(const StreamReaders& streams, std::uint64_t news) const {
    std::uint64_t count = 0;
    for (std::size_t n = 0; n < begun_.size(); ++n) {
      const auto& reader = streams.readers()[n];
      count += reader.is_cut || reader.events < begun_[n] + news ? 1 : 0;
    }
    return count;
  }
  Result<void> all_have(StreamReaders& streams, std::uint64_t news) {
    const Moment end = clock_.steady() + patience;
    while (lacking(streams, news) > 0 && clock_.steady() < end)
      streams.read(milliseconds(100), [&] { return lacking(streams, news) == 0; });
    const std::uint64_t count = lacking(streams, news);
    if (count == 0) return {};
    return Error{ErrorCode::unavailable,
                 fmt::format("{} of {} streams lack events or were cut", count, begun_.size())};
  }

  std::string change(std::uint64_t n) const {
    return request_text("PUT", "/api/v3/jobs/" + job_ + "/attributes",
                        fmt::format(R"({{"attributes":{{"count":"{}"}}}})", n));
  }

  Result<void> idle() {
    const double before = rss_mb();
    StreamReaders streams;
    if (auto opened = open(streams, params_.idle_streams); !opened.ok()) return opened;
    added_mb_ = rss_mb() - before;
    for (std::uint32_t n = 0; n < params_.changes; ++n) {
      const Moment begin = clock_.steady();
      LoadFigures one;
      Result<void> sent;
      std::thread writer([&] {
        sent = taken(run_load({.ports = cell_->ports(),
                               .requests = 1,
                               .request = [&](std::uint64_t) { return change(n); }}),
                     one);
      });
      auto heard = all_have(streams, n + 1);
      writer.join();
      if (!sent.ok()) return sent;
      if (!heard.ok()) return heard;
      for (const auto& reader : streams.readers())
        told_ms_.push_back(seconds_of(reader.last - begin) * 1'000);
    }
    return {};
  }

  Result<void> busy() {
    StreamReaders streams;
    if (auto opened = open(streams, params_.busy_streams); !opened.ok()) return opened;
    const auto cpu_before = process_cpu();
    const Moment begin = clock_.steady();
    Result<void> sent;
    std::thread writer([&] {
      sent = taken(run_load({.ports = cell_->ports(),
                             .connections = 8,
                             .requests = std::uint64_t{params_.mutations_per_s} * params_.seconds,
                             .time = milliseconds(0),
                             .per_s = params_.mutations_per_s,
                             .request = [&](std::uint64_t n) { return change(n + 1'000'000); }}),
                   mutations_);
    });
    streams.read(std::chrono::seconds(params_.seconds));
    writer.join();
    const Moment written = clock_.steady();
    cpu_cores_ = seconds_of(process_cpu() - cpu_before) / seconds_of(written - begin);
    if (!sent.ok()) return sent;
    (void)all_have(streams, mutations_.answers);
    behind_ = lacking(streams, mutations_.answers);
    Moment last = written;
    std::uint64_t events = 0;
    for (std::size_t n = 0; n < begun_.size(); ++n) {
      events += streams.readers()[n].events - begun_[n];
      last = std::max(last, streams.readers()[n].last);
    }
    events_per_s_ = static_cast<double>(events) / seconds_of(last - begin);
    last_after_ms_ = seconds_of(last - written) * 1'000;
    return {};
  }

  std::string line() {
    BenchLine out("streams");
    out.param("nodes", params_.nodes);
    out.param("idle_streams", params_.idle_streams);
    out.param("changes", params_.changes);
    out.param("busy_streams", params_.busy_streams);
    out.param("mutations_per_s", params_.mutations_per_s);
    out.param("seconds", params_.seconds);
    out.begin_figures();
    out.figure("added_mb", added_mb_);
    out.figure("told_p50_ms", percentile(told_ms_, 0.50));
    out.figure("told_p99_ms", percentile(told_ms_, 0.99));
    out.figure("busy_streams_behind", behind_);
    out.figure("mutations_per_s", mutations_.per_s());
    out.figure("mutation_p99_ms", percentile(mutations_.ms, 0.99));
    out.figure("events_per_s", events_per_s_);
    out.figure("last_event_after_ms", last_after_ms_);
    out.figure("cpu_cores", cpu_cores_);
    return out.take();
  }

  StreamsParams params_;
  SystemClock clock_;
  std::unique_ptr<GatewayCell> cell_;
  std::string job_;
  double added_mb_ = 0, cpu_cores_ = 0, events_per_s_ = 0, last_after_ms_ = 0;
  std::vector<double> told_ms_;
  std::vector<std::uint64_t> begun_;  ///< events of each stream's beginning
  std::uint64_t behind_ = 0;
  LoadFigures mutations_;
};

}  // namespace

Result<std::string> bench_streams(const StreamsParams& params) { return StreamsBench(params).run(); }

}  // namespace troupe::cli
