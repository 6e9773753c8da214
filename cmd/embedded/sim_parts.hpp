#pragma once
// The simulated clock, log writer and HTTP replies of a SimCluster.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "cmd/embedded/sim_cluster.hpp"
#include "net/http/http.hpp"
#include "storage/base/random.hpp"
#include "storage/base/time.hpp"
#include "storage/log/log_writer.hpp"

namespace troupe::embedded {

/// Virtual time, moved by the simulation alone.
class SimClock final : public Clock {
 public:
  explicit SimClock(milliseconds wall_start) : wall_start_(wall_start) {}
  Instant wall() const override {
    return Instant{wall_start_.count() +
                   std::chrono::duration_cast<milliseconds>(std::chrono::nanoseconds(steady_.ns)).count()};
  }
  Moment steady() const override { return steady_; }
  void advance(std::chrono::nanoseconds by) { steady_ = steady_ + by; }

 private:
  milliseconds wall_start_;
  Moment steady_;
};

/// One machine's clocks: the steady one is the simulation's; the wall clock may leap and drift.
class SimNodeClock final : public Clock {
 public:
  explicit SimNodeClock(const SimClock& base) : base_(base) {}
  Instant wall() const override {
    const auto since = base_.steady() - drifts_since_;
    return base_.wall() + leap_ + std::chrono::duration_cast<milliseconds>(since / 1'000'000 * drift_ppm_);
  }
  Moment steady() const override { return base_.steady(); }
  void leap(milliseconds by) { leap_ += by; }
  void drift(std::int64_t ppm) {
    leap_ = wall() - base_.wall();
    drifts_since_ = base_.steady();
    drift_ppm_ = ppm;
  }
  void set_right() {
    leap_ = {};
    drift_ppm_ = 0;
  }

 private:
  const SimClock& base_;
  milliseconds leap_{0};
  std::int64_t drift_ppm_ = 0;
  Moment drifts_since_;
};

/// A log writer whose syncs take seeded virtual time.
class SimWriter final : public LogWriter {
 public:
  SimWriter(LogStore& log, Done done, const Clock& clock, Random random, std::chrono::microseconds sync_min,
            std::chrono::microseconds sync_max)
      : inner_(log, std::move(done)),
        clock_(clock),
        random_(random),
        sync_min_(sync_min),
        sync_max_(sync_max) {}
  ~SimWriter() override {
    if (on_gone) on_gone();
  }
  Result<void> submit(LogWrite&& write) override {
    auto taken = inner_.submit(std::move(write));
    if (taken.ok() && !due_) due_ = clock_.steady() + sync_time();
    return taken;
  }
  std::size_t queued_bytes() const override { return inner_.queued_bytes(); }
  std::optional<Moment> next_due() const { return due_; }
  /// Finishes one group if its sync is over.
  bool pump_due() {
    if (!due_ || *due_ > clock_.steady()) return false;
    due_.reset();
    const bool pumped = inner_.pump();
    if (inner_.pending() > 0) due_ = clock_.steady() + sync_time();
    return pumped;
  }

  std::function<void()> on_gone;

 private:
  std::chrono::nanoseconds sync_time() {
    return std::chrono::microseconds(random_.between(sync_min_.count(), sync_max_.count()));
  }
  InlineLogWriter inner_;
  const Clock& clock_;
  Random random_;
  std::chrono::microseconds sync_min_, sync_max_;
  std::optional<Moment> due_;
};

/// Fills an answer; a stream's chunks go to whoever listens, or gather in the body.
class SimReply final : public http::Reply {
 public:
  explicit SimReply(std::shared_ptr<SimAnswer> answer) : answer_(std::move(answer)) {}
  ~SimReply() override {
    if (!answer_->done && !opened_) answer_->response = {500, {}, "dropped without an answer"};
    end();
  }
  void send(http::Response response) override {
    if (answer_->stream.on_chunk && response.status == 200) answer_->stream.on_chunk(response.body);
    answer_->response = std::move(response);
    if (answer_->on_done) answer_->on_done();
    end();
  }
  void open(int status, http::Headers headers, std::function<void()> on_close) override {
    opened_ = true;
    on_close_ = std::move(on_close);
    answer_->response.status = status;
    answer_->response.headers = std::move(headers);
  }
  bool write(Bytes chunk) override {
    if (answer_->done) return false;
    if (answer_->stream.on_chunk)
      answer_->stream.on_chunk(chunk);
    else
      answer_->response.body += chunk;
    return true;
  }
  void when_drained(std::function<void()> then) override { then(); }
  void finish() override { end(); }

 private:
  void end() {
    answer_->done = true;
    if (auto closed = std::exchange(on_close_, nullptr)) closed();
    if (auto over = std::exchange(answer_->stream.on_over, nullptr)) over();
  }
  std::shared_ptr<SimAnswer> answer_;
  bool opened_ = false;
  std::function<void()> on_close_;
};

/// As the server would hand it over: the target split and decoded.
http::Request sim_request(std::string method, const std::string& target, std::string body,
                          http::Headers headers);

}  // namespace troupe::embedded
