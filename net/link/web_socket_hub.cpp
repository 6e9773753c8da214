#include "net/link/web_socket_hub.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <future>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <thread>

#include "net/link/link_rules.hpp"
#include "net/link/web_socket_session.ipp"

namespace troupe::net {

struct IoThread::Loop {
  asio::io_context context{1};
  // An io_context that runs dry stays stopped.
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  std::thread thread{[this] { context.run(); }};

  bool is_current() const { return std::this_thread::get_id() == thread.get_id(); }
  ~Loop() {
    TROUPE_CHECK(!is_current());
    work.reset();
    context.stop();
    thread.join();
  }
};

IoThread::IoThread() : loop_(std::make_unique<Loop>()) {}
IoThread::~IoThread() = default;

namespace {

constexpr milliseconds accept_retry_wait{50};

struct HostPort {
  std::string host;
  std::string port;
};

std::optional<HostPort> split_address(const std::string& address) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  HostPort split{address.substr(0, colon), address.substr(colon + 1)};
  if (split.host.size() > 2 && split.host.front() == '[' && split.host.back() == ']') {
    split.host = split.host.substr(1, split.host.size() - 2);
  }
  std::uint16_t number = 0;
  const auto* end = split.port.data() + split.port.size();
  const auto parsed = std::from_chars(split.port.data(), end, number);
  if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
  return split;
}

#define TROUPE_HUB_COUNTS(X) \
  X(link_ups)                \
  X(link_downs)              \
  X(messages_in)             \
  X(messages_out)            \
  X(bytes_in)                \
  X(bytes_out) X(batches_out) X(drops) X(dials) X(dials_failed) X(reconnects) X(refused) X(handshakes_capped)

enum class Count : std::uint8_t {
#define X(name) name,
  TROUPE_HUB_COUNTS(X)
#undef X
      last
};

/// A link that is kept dialled.
struct Dial {
  std::string address;
  std::shared_ptr<Session> attempt;  // unfinished
  Timer retry;
  Backoff backoff;
  bool was_up = false;
};

/// Everything behind the hub; outlives it until the I/O thread has dropped the last handler. On the I/O
/// thread, but for send, counters and dial_error.
class Core final : public SessionOwner, public std::enable_shared_from_this<Core> {
 public:
  Core(HubConfig config, LinkListener& listener, asio::io_context& context)
      : config_(std::move(config)),
        listener_(listener),
        context_(context),
        random_(config_.seed),
        acceptor_(context),
        accept_retry_(context) {}

  Result<std::string> listen();
  void accept_next();
  void dial(const LinkKey& key, const std::string& address);
  void hang_up(const LinkKey& key);
  void close();
  bool send(const LinkKey& key, BytesView message);
  HubCounters counters() const;
  std::string dial_error(const LinkKey& key) const;

  std::optional<Refusal> on_request(Session& session, const Request& request) override;
  void on_up(const std::shared_ptr<Session>& session) override;
  void on_bytes(std::size_t bytes) override { count(Count::bytes_in, bytes); }
  void on_message(const LinkKey& key, Bytes message) override;
  void on_written(std::size_t batch_bytes) override;
  void on_ended(const std::shared_ptr<Session>& session, const std::string& why) override;

 private:
  void count(Count which, std::uint64_t by = 1) {
    counters_[static_cast<std::size_t>(which)].fetch_add(by, std::memory_order_relaxed);
  }
  void take_connection(Wire wire);
  void start_attempt(const LinkKey& key);
  void retry_later(const LinkKey& key);
  void drop_attempt(Dial& dial);
  Standing standing(const LinkKey& key) const;
  std::shared_ptr<Session> live(const LinkKey& key) const;
  void take_down(const std::shared_ptr<Session>& session, const std::string& why);

  const HubConfig config_;
  LinkListener& listener_;
  asio::io_context& context_;
  Random random_;
  asio::basic_socket_acceptor<tcp, asio::io_context::executor_type> acceptor_;
  Timer accept_retry_;
  std::map<LinkKey, Dial> dials_;
  std::set<std::shared_ptr<Session>> arriving_;
  bool closed_ = false;

  mutable std::shared_mutex mutex_;                   // of what follows
  std::map<LinkKey, std::shared_ptr<Session>> live_;  // written on the I/O thread alone
  std::map<LinkKey, std::string> dial_errors_;
  std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(Count::last)> counters_{};
};

Result<std::string> Core::listen() {
  const auto split = split_address(config_.listen_address);
  if (!split)
    return Error{ErrorCode::invalid_argument, "listen address is not host:port: " + config_.listen_address};
  ErrorCodeOf error;
  const auto host = asio::ip::make_address(split->host, error);
  if (error)
    return Error{ErrorCode::invalid_argument, "listen address is not numeric: " + config_.listen_address};
  const tcp::endpoint endpoint(host, static_cast<std::uint16_t>(std::stoi(split->port)));
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error)
    return Error{ErrorCode::io, "cannot listen on " + config_.listen_address + ": " + error.message()};
  const auto bound = acceptor_.local_endpoint(error);
  const auto text = bound.address().to_string();
  return (bound.address().is_v6() ? "[" + text + "]" : text) + ":" + std::to_string(bound.port());
}

void Core::accept_next() {
  acceptor_.async_accept(context_.get_executor(), [self = shared_from_this()](ErrorCodeOf error, Wire wire) {
    if (self->closed_) return;
    if (!error) {
      self->take_connection(std::move(wire));
      return self->accept_next();
    }
    // Out of descriptors, most likely: trying again at once would only spin.
    self->accept_retry_.expires_after(accept_retry_wait);
    self->accept_retry_.async_wait([self](ErrorCodeOf cancelled) {
      if (!cancelled && !self->closed_) self->accept_next();
    });
  });
}

void Core::take_connection(Wire wire) {
  if (arriving_.size() >= config_.unfinished_handshakes_max) return count(Count::handshakes_capped);
  auto session =
      std::make_shared<Session>(std::move(wire), Session::Side::accepted, shared_from_this(), config_);
  arriving_.insert(session);
  session->accept();
}

std::shared_ptr<Session> Core::live(const LinkKey& key) const {
  const auto found = live_.find(key);
  return found == live_.end() ? nullptr : found->second;
}

Standing Core::standing(const LinkKey& key) const {
  if (const auto session = live(key)) {
    return session->side() == Session::Side::dialled ? Standing::dialled : Standing::accepted;
  }
  const auto dial = dials_.find(key);
  const bool connected = dial != dials_.end() && dial->second.attempt &&
                         dial->second.attempt->state() == Session::State::upgrading;
  return connected ? Standing::connected : Standing::none;
}

std::optional<SessionOwner::Refusal> Core::on_request(Session& session, const Request& request) {
  const auto field = [&request](const char* name) { return std::string(view(request[name])); };
  const auto from = field(header_from);
  const auto channel = channel_from_text(field(header_channel));
  if (field("Sec-WebSocket-Protocol") != header_protocol)
    return Refusal{http::status::bad_request, "another protocol"};
  if (!is_name(from) || !channel) return Refusal{http::status::bad_request, "malformed name or channel"};
  if (field(header_cell) != config_.cell) return Refusal{http::status::forbidden, "another cell"};
  if (field(header_to) != config_.self) return Refusal{http::status::forbidden, "another peer lives here"};
  if (from == config_.self) return Refusal{http::status::forbidden, "that is my own name"};
  const LinkKey key{from, *channel};
  if (!takes_arrival(config_.self, from, standing(key)))
    return Refusal{http::status::conflict, "already linked"};
  session.set_key(key);
  if (const auto dial = dials_.find(key); dial != dials_.end()) drop_attempt(dial->second);
  return std::nullopt;
}

void Core::on_up(const std::shared_ptr<Session>& session) {
  const auto key = session->key();
  arriving_.erase(session);
  if (const auto old = live(key)) old->end("replaced by a newer connection");
  // The listener's answer to the old link's end may have been to end it all.
  if (closed_ || session->state() != Session::State::up) return session->end("hub closed");
  const auto dial = dials_.find(key);
  if (dial != dials_.end()) {
    if (dial->second.attempt == session) {
      dial->second.attempt.reset();
      if (std::exchange(dial->second.was_up, true)) count(Count::reconnects);
    }
    drop_attempt(dial->second);
  }
  {
    const std::lock_guard lock(mutex_);
    live_[key] = session;
    dial_errors_.erase(key);
  }
  count(Count::link_ups);
  listener_.on_link_up(key);
}

void Core::on_message(const LinkKey& key, Bytes message) {
  count(Count::messages_in);
  listener_.on_message(key, std::move(message));
}

void Core::on_written(std::size_t batch_bytes) {
  count(Count::bytes_out, batch_bytes);
  count(Count::batches_out);
}

void Core::on_ended(const std::shared_ptr<Session>& session, const std::string& why) {
  const auto key = session->key();
  arriving_.erase(session);
  if (session->was_up()) {
    take_down(session, why);
  } else if (session->side() == Session::Side::dialled) {
    count(Count::dials_failed);
    const std::lock_guard lock(mutex_);
    dial_errors_[key] = why;
  } else {
    count(Count::refused);
  }
  const auto dial = dials_.find(key);
  if (dial == dials_.end() || closed_) return;
  const bool has_failed = dial->second.attempt == session && !session->was_up();
  if (dial->second.attempt == session) dial->second.attempt.reset();
  // A link that lived proves the way is open; one that breaks at once must not be redialled in a tight loop.
  if (session->was_up() && session->lived() > config_.silence_timeout) dial->second.backoff.reset();
  retry_later(key);
  if (has_failed) listener_.on_dial_failed(key, session->dial_failure(), why);
}

void Core::take_down(const std::shared_ptr<Session>& session, const std::string& why) {
  if (live(session->key()) != session) return;
  {
    const std::lock_guard lock(mutex_);
    live_.erase(session->key());
  }
  count(Count::link_downs);
  listener_.on_link_down(session->key(), why);
}

void Core::drop_attempt(Dial& dial) {
  dial.retry.cancel();
  if (dial.attempt) std::exchange(dial.attempt, nullptr)->abandon();
}

void Core::dial(const LinkKey& key, const std::string& address) {
  if (closed_) return;
  const auto [dial, fresh] = dials_.try_emplace(
      key, Dial{address, nullptr, Timer(context_), Backoff(config_.backoff_min, config_.backoff_max)});
  if (!fresh && dial->second.address == address) return;
  dial->second.address = address;
  dial->second.backoff.reset();
  drop_attempt(dial->second);
  start_attempt(key);
}

void Core::start_attempt(const LinkKey& key) {
  const auto dial = dials_.find(key);
  if (closed_ || dial == dials_.end() || dial->second.attempt || live(key)) return;
  count(Count::dials);
  const auto split = split_address(dial->second.address);
  if (!split) {
    count(Count::dials_failed);
    const std::lock_guard lock(mutex_);
    dial_errors_[key] = "not host:port: " + dial->second.address;
    return;
  }
  dial->second.attempt = std::make_shared<Session>(Wire(context_.get_executor()), Session::Side::dialled,
                                                   shared_from_this(), config_);
  dial->second.attempt->dial(key, split->host, split->port);
}

void Core::retry_later(const LinkKey& key) {
  auto& dial = dials_.find(key)->second;
  if (dial.attempt || live(key)) return;
  dial.retry.expires_after(dial.backoff.next(random_));
  dial.retry.async_wait([self = shared_from_this(), key](ErrorCodeOf error) {
    if (!error) self->start_attempt(key);
  });
}

void Core::hang_up(const LinkKey& key) {
  if (const auto dial = dials_.find(key); dial != dials_.end()) {
    drop_attempt(dial->second);
    dials_.erase(dial);
  }
  if (const auto session = live(key)) session->end("hung up");
}

void Core::close() {
  if (std::exchange(closed_, true)) return;
  ErrorCodeOf ignored;
  acceptor_.close(ignored);
  accept_retry_.cancel();
  for (auto& [key, dial] : dials_) drop_attempt(dial);
  dials_.clear();
  for (const auto& session : std::exchange(arriving_, {})) session->abandon();
  while (!live_.empty()) std::shared_ptr(live_.begin()->second)->end("hub closed");
}

bool Core::send(const LinkKey& key, BytesView message) {
  std::shared_ptr<Session> session;
  {
    const std::shared_lock lock(mutex_);
    session = live(key);
  }
  const bool fits = message.size() <= config_.message_bytes_max;
  const auto pushed = session && fits ? session->send(message) : SendQueue::Pushed::closed;
  const bool sent = pushed == SendQueue::Pushed::queued || pushed == SendQueue::Pushed::wake;
  count(sent ? Count::messages_out : Count::drops);
  return sent;
}

HubCounters Core::counters() const {
  HubCounters counters;
#define X(name) \
  counters.name = counters_[static_cast<std::size_t>(Count::name)].load(std::memory_order_relaxed);
  TROUPE_HUB_COUNTS(X)
#undef X
  // Two separate reads: a link that ends between them must not count below zero.
  counters.links_up = counters.link_ups - std::min(counters.link_ups, counters.link_downs);
  return counters;
}

std::string Core::dial_error(const LinkKey& key) const {
  const std::shared_lock lock(mutex_);
  const auto found = dial_errors_.find(key);
  return found == dial_errors_.end() ? "" : found->second;
}

class Hub final : public WebSocketHub {
 public:
  Hub(std::shared_ptr<IoThread> thread, std::shared_ptr<Core> core, std::string address)
      : thread_(std::move(thread)), core_(std::move(core)), address_(std::move(address)) {}
  ~Hub() override { close(); }

  void dial(const LinkKey& link, const std::string& address) override {
    post([core = core_, link, address] { core->dial(link, address); });
  }
  void hang_up(const LinkKey& link) override {
    post([core = core_, link] { core->hang_up(link); });
  }
  bool send(const LinkKey& link, Bytes message) override { return core_->send(link, message); }
  std::string address() const override { return address_; }
  HubCounters counters() const override { return core_->counters(); }
  std::string dial_error(const LinkKey& link) const override { return core_->dial_error(link); }

  void close() override {
    TROUPE_CHECK(!thread_->loop().is_current());
    std::promise<void> done;
    post([this, &done] {
      core_->close();
      done.set_value();
    });
    done.get_future().wait();
  }

 private:
  template <class Job>
  void post(Job job) {
    asio::post(thread_->loop().context, std::move(job));
  }

  // Destroyed after core_: pending handlers may hold the core until the loop is gone.
  std::shared_ptr<IoThread> thread_;
  std::shared_ptr<Core> core_;
  std::string address_;
};

}  // namespace

Result<std::unique_ptr<WebSocketHub>> open_hub(HubConfig config, LinkListener& listener) {
  if (!is_name(config.self)) return Error{ErrorCode::invalid_argument, "not a peer name: " + config.self};
  if (!is_name(config.cell)) return Error{ErrorCode::invalid_argument, "not a cell name: " + config.cell};
  if (config.heartbeat_interval.count() <= 0 || config.silence_timeout < 2 * config.heartbeat_interval ||
      config.backoff_min.count() <= 0 || config.backoff_max < config.backoff_min) {
    return Error{ErrorCode::invalid_argument,
                 "the silence timeout must be at least two heartbeat intervals and back-off must grow"};
  }
  if (config.send_queue_bytes_max < config.message_bytes_max + frame_head_bytes) {
    return Error{ErrorCode::invalid_argument, "the send queue must hold the largest message"};
  }
  auto thread = config.io_thread ? std::exchange(config.io_thread, nullptr) : std::make_shared<IoThread>();
  const bool listens = !config.listen_address.empty();
  auto core = std::make_shared<Core>(std::move(config), listener, thread->loop().context);
  std::string address;
  if (listens) {
    auto bound = core->listen();
    if (!bound.ok()) return bound.error();
    address = std::move(bound).value();
    asio::post(thread->loop().context, [core] { core->accept_next(); });
  }
  return std::unique_ptr<WebSocketHub>(
      std::make_unique<Hub>(std::move(thread), std::move(core), std::move(address)));
}

}  // namespace troupe::net
