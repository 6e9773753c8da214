// Included by web_socket_hub.cpp alone, so that Beast is compiled once.

#include "net/link/web_socket_session.hpp"

namespace troupe::net {

namespace {

constexpr const char* header_protocol = "troupe-link/1";
constexpr const char* header_from = "Troupe-From";
constexpr const char* header_to = "Troupe-To";
constexpr const char* header_channel = "Troupe-Channel";
constexpr const char* header_cell = "Troupe-Cell";

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

Session::Session(Wire wire, Side side, std::shared_ptr<SessionOwner> owner, const HubConfig& config)
    : stream_(std::move(wire)),
      timer_(stream_.get_executor()),
      resolver_(stream_.get_executor()),
      side_(side),
      state_(side == Side::dialled ? State::connecting : State::upgrading),
      owner_(std::move(owner)),
      config_(config),
      queue_(config.send_queue_bytes_max),
      reader_(config.message_bytes_max),
      sink_([this](Bytes message) {
        // A listener may have ended this link while an earlier message of the batch was delivered.
        if (state_ == State::up) owner_->on_message(key_, std::move(message));
      }) {
  // Beast's own time-outs are off: the hub's heartbeats and deadlines judge (its pings raise false alarms
  // under load).
  stream_.set_option(
      websocket::stream_base::timeout{websocket::stream_base::none(), websocket::stream_base::none(), false});
  stream_.auto_fragment(false);
  stream_.binary(true);
  stream_.write_buffer_bytes(batch_bytes_max);
  stream_.read_message_max(std::max(batch_bytes_max, config.message_bytes_max + frame_head_bytes));
}

void Session::set_deadline(milliseconds wait, std::string what) {
  timer_.expires_after(wait);
  timer_.async_wait([self = shared_from_this(), what = std::move(what)](ErrorCodeOf error) {
    if (!error && self->state_ != State::up) self->end(what);
  });
}

void Session::dial(const LinkKey& key, const std::string& host, const std::string& port) {
  key_ = key;
  set_deadline(config_.connect_timeout, "connect deadline passed");
  ErrorCodeOf not_numeric;
  const auto numeric = asio::ip::make_address(host, not_numeric);
  if (!not_numeric) {
    const tcp::endpoint endpoint(numeric, static_cast<std::uint16_t>(std::stoi(port)));
    return connect(tcp::resolver::results_type::create(endpoint, host, port));
  }
  resolver_.async_resolve(host, port, [self = shared_from_this()](ErrorCodeOf error, auto endpoints) {
    if (self->state_ == State::ended) return;
    if (error) return self->end("resolve: " + error.message());
    self->connect(endpoints);
  });
}

void Session::connect(const tcp::resolver::results_type& endpoints) {
  asio::async_connect(stream_.next_layer(), endpoints,
                      [self = shared_from_this()](ErrorCodeOf error, const tcp::endpoint& endpoint) {
                        if (self->state_ == State::ended) return;
                        if (error == asio::error::connection_refused)
                          self->dial_failure_ = DialFailure::nobody_listens;
                        if (error) return self->end("connect: " + error.message());
                        self->upgrade(endpoint.address().to_string() + ":" + std::to_string(endpoint.port()));
                      });
}

void Session::upgrade(const std::string& host) {
  state_ = State::upgrading;
  ErrorCodeOf ignored;
  stream_.next_layer().set_option(tcp::no_delay(true), ignored);
  set_deadline(config_.handshake_timeout, "upgrade deadline passed");
  stream_.set_option(websocket::stream_base::decorator([this](websocket::request_type& request) {
    request.set(http::field::sec_websocket_protocol, header_protocol);
    request.set(header_from, config_.self);
    request.set(header_to, key_.peer);
    request.set(header_channel, std::string(channel_text(key_.channel)));
    request.set(header_cell, config_.cell);
  }));
  stream_.async_handshake(answer_, host, "/link", [self = shared_from_this()](ErrorCodeOf error) {
    if (self->state_ == State::ended) return;
    if (error == websocket::error::upgrade_declined) {
      return self->end(std::to_string(self->answer_.result_int()) + " " +
                       std::string(view(self->answer_.reason())));
    }
    if (error) return self->end("upgrade: " + error.message());
    self->go_up();
  });
}

void Session::accept() {
  ErrorCodeOf ignored;
  stream_.next_layer().set_option(tcp::no_delay(true), ignored);
  set_deadline(config_.handshake_timeout, "upgrade deadline passed");
  parser_ = std::make_unique<http::request_parser<http::empty_body>>();
  parser_->header_limit(upgrade_header_bytes_max);
  header_.max_size(upgrade_header_bytes_max);
  http::async_read(stream_.next_layer(), header_, *parser_,
                   [self = shared_from_this()](ErrorCodeOf error, std::size_t) { self->judge(error); });
}

void Session::judge(ErrorCodeOf error) {
  if (state_ == State::ended) return;
  if (error) return end("request: " + error.message());
  // Beast's accept has no place for bytes that came behind the request; an honest dialler waits for the
  // answer.
  if (header_.size() != 0) return refuse({http::status::bad_request, "bytes behind the request"});
  if (!websocket::is_upgrade(parser_->get())) {
    return refuse({http::status::upgrade_required, "this port speaks WebSocket links only"});
  }
  if (auto refusal = owner_->on_request(*this, parser_->get())) return refuse(*refusal);
  stream_.set_option(websocket::stream_base::decorator([](websocket::response_type& response) {
    response.set(http::field::sec_websocket_protocol, header_protocol);
  }));
  stream_.async_accept(parser_->get(), [self = shared_from_this()](ErrorCodeOf failure) {
    if (self->state_ == State::ended) return;
    if (failure) return self->end("upgrade: " + failure.message());
    self->go_up();
  });
}

void Session::refuse(const SessionOwner::Refusal& refusal) {
  refusal_ = std::make_unique<http::response<http::string_body>>(refusal.status, 11);
  refusal_->reason(refusal.reason);
  refusal_->body() = refusal.reason + "\n";
  refusal_->keep_alive(false);
  refusal_->prepare_payload();
  http::async_write(stream_.next_layer(), *refusal_,
                    [self = shared_from_this(), reason = refusal.reason](ErrorCodeOf, std::size_t) {
                      ErrorCodeOf ignored;
                      self->stream_.next_layer().shutdown(tcp::socket::shutdown_send, ignored);
                      self->end("refused: " + reason);
                    });
}

void Session::go_up() {
  state_ = State::up;
  parser_.reset();
  header_ = {};
  up_since_ = last_heard_ = next_beat_ = steady_now();
  incoming_.resize(read_bytes_min);
  const auto self = shared_from_this();
  owner_->on_up(self);
  if (state_ != State::up) return;
  read();
  on_watch();
}

void Session::read() {
  stream_.async_read_some(
      asio::buffer(incoming_),
      [self = shared_from_this()](ErrorCodeOf error, std::size_t bytes) { self->take_piece(error, bytes); });
}

void Session::take_piece(ErrorCodeOf error, std::size_t bytes) {
  if (state_ != State::up) return;
  if (error) return end(read_failure(error));
  last_heard_ = steady_now();
  spared_ = false;
  if (!stream_.got_binary()) return end("hostile: not a binary message");
  owner_->on_bytes(bytes);
  auto outcome = reader_.feed(BytesView(incoming_).substr(0, bytes), sink_);
  if (state_ != State::up) return;
  if (outcome == BatchReader::Outcome::fine && stream_.is_message_done()) outcome = reader_.end_batch();
  switch (outcome) {
    case BatchReader::Outcome::fine:
      break;
    case BatchReader::Outcome::too_long:
      return end("hostile: a message beyond the limit");
    case BatchReader::Outcome::torn:
      return end("hostile: a batch ends inside a message");
  }
  if (bytes == incoming_.size() && bytes < read_bytes_max) incoming_.resize(bytes * 4);
  read();
}

std::string Session::read_failure(ErrorCodeOf error) const {
  if (error == asio::error::eof || error == asio::error::connection_reset ||
      error == websocket::error::closed) {
    return "closed by peer";
  }
  return "read: " + error.message();
}

SendQueue::Pushed Session::send(BytesView message) {
  const auto pushed = queue_.push(message);
  if (pushed == SendQueue::Pushed::wake) {
    asio::post(stream_.get_executor(), [self = shared_from_this()] { self->flush(0, 0); });
  } else if (pushed == SendQueue::Pushed::full) {
    asio::post(stream_.get_executor(), [self = shared_from_this()] { self->end("send queue full"); });
  }
  return pushed;
}

void Session::flush(std::size_t bytes_before, int reposts) {
  if (state_ != State::up || writing_) return;
  const auto bytes = queue_.bytes();
  if (bytes > bytes_before && bytes < batch_bytes_max && reposts < flush_reposts_max) {
    asio::post(stream_.get_executor(),
               [self = shared_from_this(), bytes, reposts] { self->flush(bytes, reposts + 1); });
    return;
  }
  write_next();
}

void Session::write_next() {
  if (state_ != State::up || writing_) return;
  outgoing_ = queue_.take();
  if (outgoing_.empty()) return;
  outgoing_done_ = 0;
  write_piece();
}

void Session::write_piece() {
  writing_ = true;
  write_began_ = steady_now();
  const auto rest = BytesView(outgoing_).substr(outgoing_done_);
  const auto piece = rest.substr(0, batch_bytes_max);
  stream_.async_write_some(piece.size() == rest.size(), asio::buffer(piece.data(), piece.size()),
                           [self = shared_from_this(), bytes = piece.size()](ErrorCodeOf error, std::size_t) {
                             self->wrote_piece(error, bytes);
                           });
}

void Session::wrote_piece(ErrorCodeOf error, std::size_t bytes) {
  writing_ = false;
  if (state_ != State::up) return;
  if (error) return end("write: " + error.message());
  outgoing_done_ += bytes;
  if (outgoing_done_ < outgoing_.size()) return write_piece();
  queue_.written(outgoing_.size());
  owner_->on_written(outgoing_.size());
  // What was sent meanwhile has had the time of a write to gather; the queue is awake until take() finds it
  // empty.
  write_next();
}

void Session::watch() {
  timer_.expires_at(std::min(next_beat_, last_heard_ + config_.silence_timeout));
  timer_.async_wait([self = shared_from_this()](ErrorCodeOf error) {
    if (!error) self->on_watch();
  });
}

void Session::on_watch() {
  if (state_ != State::up) return;
  const auto now = steady_now();
  if (now >= last_heard_ + config_.silence_timeout) {
    ErrorCodeOf ignored;
    if (spared_ || stream_.next_layer().available(ignored) == 0) {
      return end("silent for " + std::to_string(config_.silence_timeout.count()) + " ms");
    }
    spared_ = true;
    last_heard_ = now;
  }
  if (writing_ && now >= write_began_ + config_.write_timeout) {
    return end("peer has not read for " + std::to_string(config_.write_timeout.count()) + " ms");
  }
  if (now >= next_beat_) {
    next_beat_ = now + config_.heartbeat_interval;
    // A write under way is itself a sign of life. The empty outgoing batch is the heartbeat.
    if (!writing_) {
      outgoing_.clear();
      outgoing_done_ = 0;
      write_piece();
    }
  }
  watch();
}

void Session::release() {
  state_ = State::ended;
  queue_.close();
  ErrorCodeOf ignored;
  timer_.cancel();
  resolver_.cancel();
  stream_.next_layer().close(ignored);
}

void Session::end(const std::string& why) {
  if (state_ == State::ended) return;
  release();
  owner_->on_ended(shared_from_this(), why);
}

void Session::abandon() {
  if (state_ != State::ended) release();
}

}  // namespace troupe::net
