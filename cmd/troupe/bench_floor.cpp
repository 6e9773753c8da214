#include "cmd/troupe/bench_floor.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>

#include "net/link/web_socket_hub.hpp"
#include "storage/base/time.hpp"

namespace troupe::cli {
namespace {

constexpr std::size_t payload_bytes = 300;  // about one entry with its record's head
constexpr milliseconds floor_patience{5'000};

double microseconds(std::chrono::nanoseconds span) {
  return std::chrono::duration<double, std::micro>(span).count();
}

/// Answers everything, or counts what comes and lets somebody wait for it.
class End final : public net::LinkListener {
 public:
  explicit End(bool answers) : answers_(answers) {}
  void use(net::LinkHub* hub) { hub_ = hub; }
  void on_link_up(const net::LinkKey&) override { count(); }
  void on_link_down(const net::LinkKey&, std::string_view) override {}
  void on_message(const net::LinkKey& link, Bytes message) override {
    if (answers_)
      hub_->send(link, std::move(message));
    else
      count();
  }
  bool await(std::size_t wanted) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, floor_patience, [&] { return count_ >= wanted; });
  }

 private:
  void count() {
    const std::lock_guard lock(mutex_);
    ++count_;
    changed_.notify_one();
  }
  const bool answers_;
  net::LinkHub* hub_ = nullptr;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t count_ = 0;
};

}  // namespace

Result<std::vector<double>> time_syncs(const std::string& folder, int count) {
  const SystemClock clock;
  const std::string path = folder + "/sync-floor";
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return Error{ErrorCode::io, "cannot write " + path};
  const std::string payload(payload_bytes, 'x');
  std::vector<double> times;
  bool well = true;
  for (int n = 0; n < count && well; ++n) {
    const Moment before = clock.steady();
    well = ::write(file, payload.data(), payload.size()) == static_cast<ssize_t>(payload.size()) &&
           ::fdatasync(file) == 0;
    times.push_back(microseconds(clock.steady() - before));
  }
  ::close(file);
  ::unlink(path.c_str());
  if (!well) return Error{ErrorCode::io, "cannot sync " + path};
  return times;
}

Result<std::vector<double>> time_round_trips(int count) {
  const SystemClock clock;
  End echo(true), asker(false);
  net::HubConfig config;
  config.self = "node/2";
  config.cell = "bench";
  config.listen_address = "127.0.0.1:0";
  auto far = net::open_hub(config, echo);
  if (!far.ok()) return far.error();
  echo.use(far.value().get());
  config.self = "node/1";
  config.listen_address = "";
  auto near = net::open_hub(config, asker);
  if (!near.ok()) return near.error();
  const net::LinkKey link{"node/2", net::Channel::consensus};
  near.value()->dial(link, far.value()->address());
  std::size_t wanted = 1;
  if (!asker.await(wanted)) return Error{ErrorCode::io, "no link over loopback"};
  std::vector<double> times;
  for (int n = 0; n < count; ++n) {
    const Moment before = clock.steady();
    near.value()->send(link, Bytes(payload_bytes, 'x'));
    if (!asker.await(++wanted)) return Error{ErrorCode::io, "a link over loopback lost a message"};
    times.push_back(microseconds(clock.steady() - before));
  }
  return times;
}

}  // namespace troupe::cli
