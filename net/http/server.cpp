#include <boost/asio/bind_executor.hpp>
#include <future>
#include <latch>
#include <thread>

#include "net/http/session.hpp"

namespace troupe::http {

// ---- IoThread ----

struct IoThread::Running {
  explicit Running(std::shared_ptr<Loop> of) : loop(std::move(of)) {}
  ~Running() {
    guard.reset();
    loop->io.stop();
    thread.join();
    loop->drain();
  }
  const std::shared_ptr<Loop> loop;
  asio::executor_work_guard<asio::io_context::executor_type> guard = asio::make_work_guard(loop->io);
  std::thread thread{[this] { loop->io.run(); }};
};

IoThread::IoThread() : loop_(std::make_shared<Loop>()), running_(std::make_unique<Running>(loop_)) {}
IoThread::~IoThread() = default;

// ---- Core ----

std::optional<bool> Core::admit(const std::shared_ptr<Session>& session) {
  const std::lock_guard lock(sessions_mutex_);
  if (sessions_.size() >= config.connections_max + refused_connections_max) return std::nullopt;
  const bool has_room = sessions_.size() < config.connections_max;
  sessions_.emplace(session.get(), session);
  return has_room;
}

void Core::remove(const Session* session) {
  const std::lock_guard lock(sessions_mutex_);
  sessions_.erase(session);
  if (sessions_.empty()) emptied_.notify_all();
}

std::vector<std::shared_ptr<Session>> Core::sessions() {
  const std::lock_guard lock(sessions_mutex_);
  std::vector<std::shared_ptr<Session>> out;
  for (const auto& [key, weak] : sessions_)
    if (auto session = weak.lock()) out.push_back(std::move(session));
  return out;
}

bool Core::wait_until_empty(SteadyPoint deadline) {
  std::unique_lock lock(sessions_mutex_);
  return emptied_.wait_until(lock, deadline, [&] { return sessions_.empty(); });
}

bool Core::begin_handshake() {
  if (handshakes_.fetch_add(1) < config.handshakes_max) return true;
  end_handshake();
  return false;
}

void Core::shut_gate() {
  const std::lock_guard lock(gate_mutex_);
  gate_shut_ = true;
}

// ---- Server ----
namespace {

class ServerImpl final : public Server {
 public:
  ServerImpl(ServerConfig config, Handler handler)
      : shared_(config.io_thread),
        core_(std::make_shared<Core>(std::move(config), std::move(handler))),
        strand_(asio::make_strand(core_->io)),
        acceptor_(strand_),
        pause_(strand_) {}
  ~ServerImpl() override { close(milliseconds(0)); }

  Result<void> listen() {
    SystemError error;
    const auto& config = core_->config;
    const auto address = asio::ip::make_address(config.address, error);
    if (error) return failed("is not an IP address", error);
    const tcp::endpoint endpoint(address, config.port);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error)
      return failed("cannot be listened on; is another process using it? Choose another port or stop it",
                    error);
    port_ = acceptor_.local_endpoint(error).port();
    is_open_ = true;
    asio::post(strand_, [this] { accept(); });
    for (std::size_t i = 0; !shared_ && i < config.io_threads; ++i)
      threads_.emplace_back([this] { core_->io.run(); });
    return {};
  }

  std::uint16_t port() const override { return port_; }

  void close(milliseconds grace) override {
    if (!std::exchange(is_open_, false)) return;
    std::promise<void> stopped;
    asio::post(strand_, [&] {
      stop_accepting();
      stopped.set_value();
    });
    stopped.get_future().wait();
    if (!core_->wait_until_empty(steady_now() + grace)) close_sessions();
    guard_.reset();
    for (auto& thread : threads_) thread.join();
    threads_.clear();
    core_->shut_gate();
    if (!shared_) core_->loop->drain();
  }

 private:
  Error failed(std::string_view what, SystemError error) const {
    const auto& config = core_->config;
    return Error{ErrorCode::io, config.address + ":" + std::to_string(config.port) + " " + std::string(what) +
                                    " (" + error.message() + ")"};
  }

  /// Returns when each has been closed: a shared thread goes on afterwards.
  void close_sessions() {
    const auto sessions = core_->sessions();
    std::latch closed(static_cast<std::ptrdiff_t>(sessions.size()));
    for (const auto& session : sessions)
      asio::post(session->strand(), [session, &closed] {
        session->close_now();
        closed.count_down();
      });
    closed.wait();
  }

  /// On the strand, like everything that looks at `is_over`: later than its setting nothing touches `this`.
  void accept() {
    acceptor_.async_accept(asio::make_strand(core_->io),
                           [this, is_over = is_over_](SystemError error, Socket socket) {
                             if (*is_over || error == asio::error::operation_aborted) return;
                             if (error && error != asio::error::connection_aborted) return accept_later();
                             if (!error) welcome(std::move(socket));
                             accept();
                           });
  }

  /// Out of descriptors or memory: the connection stays in the backlog, trying again at once would spin.
  void accept_later() {
    pause_.expires_after(accept_pause);
    pause_.async_wait([this, is_over = is_over_](SystemError error) {
      if (!*is_over && !error) accept();
    });
  }

  void renew_tls() {
    const auto& config = core_->config;
    const auto renewed = config.tls ? config.tls->renew() : std::nullopt;
    if (renewed && config.on_tls_renewed) config.on_tls_renewed(*renewed);
  }

  void welcome(Socket socket) {
    renew_tls();
    auto session = std::make_shared<Session>(core_, std::move(socket));
    const auto has_room = core_->admit(session);
    if (!has_room) return;
    asio::post(session->strand(),
               [session, full = !*has_room] { full ? session->refuse_full() : session->start(); });
  }

  void stop_accepting() {
    *is_over_ = true;
    SystemError ignored;
    acceptor_.close(ignored);
    pause_.cancel();
    core_->closing = true;
    for (const auto& session : core_->sessions())
      asio::post(session->strand(), [session] { session->begin_closing(); });
  }

  const std::shared_ptr<IoThread> shared_;  // empty: its own threads
  std::shared_ptr<Core> core_;
  Strand strand_;
  asio::basic_socket_acceptor<tcp, Strand> acceptor_;
  Timer pause_;
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> guard_{
      asio::make_work_guard(core_->io)};
  std::vector<std::thread> threads_;
  const std::shared_ptr<bool> is_over_ = std::make_shared<bool>(false);  // on the strand only
  bool is_open_ = false;
  std::uint16_t port_ = 0;
};

}  // namespace

Result<std::unique_ptr<Server>> serve(const ServerConfig& config, Handler handler) {
  auto server = std::make_unique<ServerImpl>(config, std::move(handler));
  if (auto listening = server->listen(); !listening.ok()) return listening.error();
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace troupe::http
