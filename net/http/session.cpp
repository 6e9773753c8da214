#include "net/http/session.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/write.hpp>
#include <cstdio>

#include "net/http/error_response.hpp"
#include "net/http/response_head.hpp"
#include "net/http/target.hpp"

namespace troupe::http {

// ---- Reply ----
namespace {

class SessionReply final : public Reply {
 public:
  explicit SessionReply(std::shared_ptr<Session> session) : session_(std::move(session)) {}
  ~SessionReply() override {
    const Stage stage = stage_.load();
    if (stage == Stage::fresh)
      send(error_response({ErrorCode::internal, "the request was dropped without an answer"}));
    if (stage == Stage::streaming) on_session([](Session& session) { session.close_now(); });
  }

  void send(Response response) override {
    advance(Stage::fresh, Stage::done);
    on_session(
        [response = std::move(response)](Session& session) mutable { session.answer(std::move(response)); });
  }

  void open(int status, Headers headers, std::function<void()> on_close) override {
    advance(Stage::fresh, Stage::streaming);
    auto shared_on_close = std::make_shared<std::function<void()>>(std::move(on_close));
    const bool posted = on_session([=, headers = std::move(headers), flow = flow_](Session& session) {
      session.open_stream(status, headers, std::move(*shared_on_close), flow);
    });
    if (posted) return;
    flow_->gone = true;
    if (*shared_on_close) (*shared_on_close)();
  }

  bool write(Bytes chunk) override {
    TROUPE_CHECK(stage_.load() == Stage::streaming);
    if (flow_->gone) return false;
    if (chunk.empty()) return true;
    const std::size_t cost = chunk_cost(chunk);
    if (flow_->queued_bytes.fetch_add(cost) + cost > session_->core().config.stream_queue_bytes_max) {
      flow_->gone = true;
      on_session([](Session& session) { session.close_now(); });
      return false;
    }
    return on_session(
        [chunk = std::move(chunk)](Session& session) mutable { session.queue_chunk(std::move(chunk)); });
  }

  void when_drained(std::function<void()> then) override {
    TROUPE_CHECK(stage_.load() == Stage::streaming);
    on_session([then = std::move(then)](Session& session) mutable { session.when_drained(std::move(then)); });
  }

  void finish() override {
    advance(Stage::streaming, Stage::done);
    on_session([](Session& session) { session.finish_stream(); });
  }

  /// The framing around a chunk is memory too.
  static std::size_t chunk_cost(const Bytes& chunk) { return chunk.size() + 16; }

 private:
  enum class Stage : std::uint8_t { fresh, streaming, done };

  void advance(Stage from, Stage to) { TROUPE_CHECK(stage_.compare_exchange_strong(from, to)); }

  /// Always posted, never run in place: calls from several threads keep the order their callers gave them.
  template <class Work>
  bool on_session(Work work) {
    auto task = [session = session_, work = std::move(work)]() mutable { work(*session); };
    return session_->core().post(session_->strand(), task);
  }

  const std::shared_ptr<Session> session_;
  const std::shared_ptr<Flow> flow_ = std::make_shared<Flow>();
  std::atomic<Stage> stage_{Stage::fresh};
};

std::string peer_text(const Socket& socket) {
  SystemError error;
  const auto endpoint = socket.remote_endpoint(error);
  if (error) return "";
  const std::string host = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(endpoint.port());
}

std::string lower_case(boost::string_view text) {
  std::string out(text.data(), text.size());
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

}  // namespace

// ---- Session: reading ----

Session::Session(std::shared_ptr<Core> core, Socket socket)
    : core_(std::move(core)),
      strand_(socket.get_executor()),
      stream_(std::move(socket), core_->config.tls.get()),
      timer_(strand_),
      buffer_(core_->config.header_bytes_max + read_bytes_max),
      peer_(peer_text(stream_.socket())) {}

void Session::start() {
  SystemError ignored;
  stream_.socket().set_option(tcp::no_delay(true), ignored);
  stream_.is_tls() ? greet() : await_first_request();
}

/// Whoever connects is expected to ask.
void Session::await_first_request() {
  set_deadline(core_->config.read_timeout);
  await_request();
}

void Session::greet() {
  if (!core_->begin_handshake()) return close_now();
  state_ = SessionState::greeting;
  set_deadline(core_->config.handshake_timeout);
  stream_.async_handshake([self = shared_from_this()](SystemError error) {
    if (self->state_ != SessionState::greeting) return;
    self->core_->end_handshake();
    if (error) {  // The alert that says why must not be overtaken by a reset.
      self->state_ = SessionState::lingering;
      return self->end_sending();
    }
    self->certificate_ = self->stream_.subject();
    self->await_first_request();
  });
}

void Session::await_request() {
  state_ = SessionState::awaiting;
  is_head_ = false;
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(core_->config.header_bytes_max));
  parser_->body_limit(core_->config.body_bytes_max);
  if (buffer_.size() > 0) {
    state_ = SessionState::reading;
    set_deadline(core_->config.read_timeout);
    return consume();
  }
  if (core_->closing) return close_now();
  buffer_.shrink_to_fit();  // An idle connection must not hold the memory of its largest request.
  read_more();
}

void Session::read_more() {
  const std::size_t room = std::min(read_bytes_max, buffer_.max_size() - buffer_.size());
  const std::size_t wanted = state_ == SessionState::awaiting ? first_read_bytes : room;
  stream_.async_read_some(
      buffer_.prepare(std::min(wanted, room)),
      [self = shared_from_this()](SystemError error, std::size_t size) { self->on_read(error, size); });
}

void Session::on_read(SystemError error, std::size_t size) {
  if (state_ != SessionState::awaiting && state_ != SessionState::reading) return;
  if (error == asio::error::eof && state_ == SessionState::reading)
    return refuse(ErrorCode::invalid_argument, "the connection ended in the middle of a request");
  if (error) return close_now();
  buffer_.commit(size);
  if (state_ == SessionState::awaiting) {
    state_ = SessionState::reading;
    set_deadline(core_->config.read_timeout);
  }
  consume();
}

void Session::consume() {
  while (buffer_.size() > 0) {
    const bool had_header = parser_->is_header_done();
    parser_->eager(
        had_header);  // Stop behind the header first: it may be refused or wait for "100 Continue".
    SystemError error;
    const std::size_t used = parser_->put(asio::const_buffer(buffer_.data()), error);
    buffer_.consume(used);
    if (error == beast::http::error::need_more) break;
    if (error) return on_parse_error(error);
    if (parser_->is_done()) return handle();
    if (!had_header && parser_->is_header_done() && wants_continue()) return send_continue();
    if (used == 0) break;
  }
  if (parser_->is_done()) return handle();
  read_more();
}

bool Session::wants_continue() const {
  const auto& message = parser_->get();
  return buffer_.size() == 0 && message.version() >= 11 &&
         beast::iequals(message[beast::http::field::expect], "100-continue");
}

void Session::send_continue() {
  constexpr std::string_view line = "HTTP/1.1 100 Continue\r\n\r\n";
  asio::async_write(stream_, asio::buffer(line), [self = shared_from_this()](SystemError error, std::size_t) {
    if (self->state_ != SessionState::reading) return;
    if (error) return self->close_now();
    self->read_more();
  });
}

void Session::on_parse_error(SystemError error) {
  using Parse = beast::http::error;
  const auto& config = core_->config;
  if (error == Parse::header_limit || error == Parse::buffer_overflow)
    return refuse(ErrorCode::header_too_large,
                  "the header is larger than " + std::to_string(config.header_bytes_max) + " bytes");
  if (error == Parse::body_limit)
    return refuse(ErrorCode::body_too_large,
                  "the body is larger than " + std::to_string(config.body_bytes_max) + " bytes");
  refuse(ErrorCode::invalid_argument, "this is not HTTP/1.1: " + error.message());
}

/// The error answer to what was no acceptable request. Where the next one would begin is unknown: the
/// connection ends.
void Session::refuse(ErrorCode code, std::string message) {
  SystemError ignored;
  if (state_ == SessionState::reading)
    stream_.socket().cancel(ignored);  // At a deadline a read is still pending.
  keep_alive_ = false;
  write_answer(error_response({code, std::move(message)}));
}

std::optional<Error> Session::fill_request(Request& request) {
  auto& message = parser_->get();
  auto target = parse_target({message.target().data(), message.target().size()});
  if (!target.ok()) return target.error();
  if (message.version() >= 11 && message.count(beast::http::field::host) != 1)
    return Error{ErrorCode::invalid_argument, "exactly one Host header is required"};
  request.method = std::string(message.method_string());
  request.path = std::move(target.value().path);
  request.query = std::move(target.value().query);
  for (const auto& field : message) {
    std::string& value = request.headers[lower_case(field.name_string())];
    if (!value.empty()) value += ", ";
    value.append(field.value().data(), field.value().size());
  }
  request.body = std::move(message.body());
  request.peer = peer_;
  request.certificate = certificate_;
  request.asks_for_certificate = core_->config.tls && core_->config.tls->asks_for_certificate();
  return std::nullopt;
}

void Session::handle() {
  clear_deadline();
  is_head_ = parser_->get().method() == beast::http::verb::head;
  is_http_10_ = parser_->get().version() < 11;
  keep_alive_ = parser_->keep_alive();
  if (core_->closing) return refuse(ErrorCode::unavailable, "this server is shutting down");
  Request request;
  if (const auto error = fill_request(request)) return refuse(error->code, error->message);
  state_ = SessionState::handling;
  parser_.reset();
  core_->handler(std::move(request), std::make_shared<SessionReply>(shared_from_this()));
}

void Session::refuse_full() {
  if (stream_.is_tls()) return close_now();  // A handshake is dearer than a word.
  refuse(ErrorCode::overloaded,
         "this server has " + std::to_string(core_->config.connections_max) + " connections, its maximum");
}

// ---- Session: writing ----

void Session::answer(Response response) {
  if (state_ == SessionState::handling) write_answer(std::move(response));
}

void Session::write_answer(Response response) {
  state_ = SessionState::writing;
  if (core_->closing) keep_alive_ = false;
  set_deadline(core_->config.write_timeout);
  const Framing framing = has_body(response.status) ? Framing::length : Framing::none;
  head_ = response_head(response.status, response.headers, framing, response.body.size(),
                        keep_alive_ ? Connection::keep_alive : Connection::close);
  body_ = std::move(response.body);
  if (is_head_ || framing == Framing::none) body_.clear();
  const std::array<asio::const_buffer, 2> buffers{asio::buffer(head_), asio::buffer(body_)};
  asio::async_write(stream_, buffers, [self = shared_from_this()](SystemError error, std::size_t) {
    self->on_answer_written(error);
  });
}

void Session::on_answer_written(SystemError error) {
  if (state_ != SessionState::writing) return;
  if (error) return close_now();
  body_ = {};
  if (!keep_alive_) return linger();
  set_deadline(core_->config.idle_timeout);
  await_request();
}

void Session::open_stream(int status, const Headers& headers, std::function<void()> on_close,
                          std::shared_ptr<Flow> flow) {
  flow_ = std::move(flow);
  on_close_ = std::move(on_close);
  if (state_ != SessionState::handling) return end_stream();
  state_ = SessionState::streaming;
  const Framing framing = is_http_10_ ? Framing::until_close : Framing::chunked;
  queue_ = response_head(status, headers, framing, 0, Connection::close);
  if (is_head_) {
    flow_->gone = true;
    finishing_ = true;
  }
  drain();  // The only way to learn that the client is gone.
  flush_stream();
}

void Session::queue_chunk(Bytes chunk) {
  if (state_ != SessionState::streaming || finishing_) return;
  queue_bytes_ += SessionReply::chunk_cost(chunk);
  if (is_http_10_) {
    queue_ += chunk;
  } else {
    std::array<char, 20> size{};
    const int digits = std::snprintf(size.data(), size.size(), "%zx\r\n", chunk.size());
    queue_.append(size.data(), static_cast<std::size_t>(digits)).append(chunk).append("\r\n");
  }
  flush_stream();
}

void Session::when_drained(std::function<void()> then) {
  if (state_ != SessionState::streaming || finishing_) return;
  on_drained_ = std::move(then);
  flush_stream();
}

void Session::finish_stream() {
  if (state_ != SessionState::streaming || finishing_) return;
  finishing_ = true;
  if (!is_http_10_) queue_ += "0\r\n\r\n";
  flush_stream();
}

/// One write at a time; what gathers meanwhile goes with the next.
void Session::flush_stream() {
  if (!writing_.empty()) return;
  if (queue_.empty()) {
    clear_deadline();
    if (const auto then = std::exchange(on_drained_, nullptr)) then();
    return finishing_ ? linger() : void();
  }
  std::swap(queue_, writing_);
  writing_bytes_ = std::exchange(queue_bytes_, 0);
  set_deadline(core_->config.write_timeout);
  asio::async_write(stream_, asio::buffer(writing_),
                    [self = shared_from_this()](SystemError error, std::size_t) {
                      if (self->state_ != SessionState::streaming) return;
                      if (error) return self->close_now();
                      self->flow_->queued_bytes -= self->writing_bytes_;
                      self->writing_.clear();
                      self->flush_stream();
                    });
}

void Session::end_stream() {
  if (flow_) flow_->gone = true;
  flow_.reset();
  on_drained_ = nullptr;
  if (const auto on_close = std::exchange(on_close_, nullptr)) on_close();
}

// ---- Session: ending ----

/// Closing with unread bytes would send a reset that can overtake the answer: first let the client finish.
void Session::linger() {
  state_ = SessionState::lingering;
  end_stream();
  stream_.is_tls() ? say_goodbye() : end_sending();
}

void Session::end_sending() {
  SystemError error;
  stream_.socket().shutdown(tcp::socket::shutdown_send, error);
  if (error) return close_now();
  set_deadline(linger_timeout);
  drain();
}

/// The end of TLS, so that the client knows that it has all; a client that goes on sending does not hear it
/// yet.
void Session::say_goodbye() {
  set_deadline(linger_timeout);
  stream_.async_shutdown([self = shared_from_this()](SystemError) {
    if (self->state_ == SessionState::lingering) self->end_sending();
  });
}

void Session::drain() {
  if (draining_) return;
  draining_ = true;
  auto on_read = [self = shared_from_this()](SystemError error, std::size_t size) {
    self->draining_ = false;
    if (self->state_ != SessionState::streaming && self->state_ != SessionState::lingering) return;
    self->drained_bytes_ += size;
    if (error || self->drained_bytes_ > linger_bytes_max) return self->close_now();
    self->drain();
  };
  if (state_ == SessionState::lingering)
    stream_.socket().async_read_some(asio::buffer(waste_), std::move(on_read));  // TLS is over, if it was.
  else
    stream_.async_read_some(asio::buffer(waste_), std::move(on_read));
}

void Session::begin_closing() {
  if (state_ == SessionState::awaiting || state_ == SessionState::greeting) close_now();
}

void Session::close_now() {
  if (state_ == SessionState::closed) return;
  if (state_ == SessionState::greeting) core_->end_handshake();
  state_ = SessionState::closed;
  stream_.close();
  timer_.cancel();
  clear_deadline();
  end_stream();
  core_->remove(this);
}

// ---- Session: time ----

void Session::set_deadline(milliseconds wait) {
  deadline_ = steady_now() + wait;
  if (*deadline_ < timer_at_)
    wait_for_deadline();  // Otherwise the timer looks at the deadline when it wakes.
}

void Session::wait_for_deadline() {
  timer_at_ = *deadline_;
  timer_.expires_at(timer_at_);
  timer_.async_wait([self = shared_from_this()](SystemError error) {
    if (error || self->state_ == SessionState::closed) return;
    self->timer_at_ = SteadyPoint::max();
    if (!self->deadline_) return;
    if (*self->deadline_ > steady_now()) return self->wait_for_deadline();
    self->on_deadline();
  });
}

void Session::on_deadline() {
  clear_deadline();
  if (state_ == SessionState::reading)
    return refuse(ErrorCode::request_timeout, "the request did not arrive in time");
  close_now();
}

}  // namespace troupe::http
