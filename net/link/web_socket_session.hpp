#pragma once
// One connection of the WebSocket hub. Includes Beast (a minute to compile): only web_socket_hub.cpp includes
// this.

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "net/link/batch_codec.hpp"
#include "net/link/send_queue.hpp"
#include "net/link/web_socket_hub.hpp"
#include "net/steady_point.hpp"

namespace troupe::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using tcp = asio::ip::tcp;
using ErrorCodeOf = boost::system::error_code;
using Steady = std::chrono::steady_clock;

/// The one place that names the stream below WebSocket; TLS replaces it here.
using Wire = asio::basic_stream_socket<tcp, asio::io_context::executor_type>;
using Stream = websocket::stream<Wire, false>;  // false: compression is compiled out
using Timer = asio::basic_waitable_timer<Steady, asio::wait_traits<Steady>, asio::io_context::executor_type>;
using Request = http::request<http::empty_body>;

constexpr std::size_t read_bytes_min = std::size_t{4} * 1024;
constexpr std::size_t read_bytes_max = std::size_t{64} * 1024;
constexpr std::size_t upgrade_header_bytes_max = std::size_t{4} * 1024;
/// How often a flush gives way to a growing queue before it writes an unfilled batch.
constexpr int flush_reposts_max = 16;

class Session;

/// The hub as a session sees it. On the I/O thread.
class SessionOwner {
 public:
  struct Refusal {
    http::status status;
    std::string reason;
  };
  virtual ~SessionOwner() = default;
  /// Judges an upgrade request, names the session's link by Session::set_key, or refuses.
  virtual std::optional<Refusal> on_request(Session& session, const Request& request) = 0;
  virtual void on_up(const std::shared_ptr<Session>& session) = 0;
  virtual void on_bytes(std::size_t bytes) = 0;
  virtual void on_message(const LinkKey& key, Bytes message) = 0;
  virtual void on_written(std::size_t batch_bytes) = 0;
  /// Exactly once, unless the session was abandoned before.
  virtual void on_ended(const std::shared_ptr<Session>& session, const std::string& why) = 0;
};

/// Owned by its pending handlers and the hub; everything but send() runs on the I/O thread. One state for its
/// whole life:
///   connecting -> upgrading -> up -> ended      (dialled)
///                 upgrading -> up -> ended      (accepted)
class Session : public std::enable_shared_from_this<Session> {
 public:
  enum class State : std::uint8_t { connecting, upgrading, up, ended };
  enum class Side : std::uint8_t { dialled, accepted };

  Session(Wire wire, Side side, std::shared_ptr<SessionOwner> owner, const HubConfig& config);

  void dial(const LinkKey& key, const std::string& host, const std::string& port);
  void accept();
  /// From any thread.
  SendQueue::Pushed send(BytesView message);
  /// Ends it; the owner hears of it unless it is abandoned.
  void end(const std::string& why);
  void abandon();

  const LinkKey& key() const { return key_; }
  void set_key(LinkKey key) { key_ = std::move(key); }
  Side side() const { return side_; }
  State state() const { return state_; }
  /// Of one that was dialled and has ended.
  DialFailure dial_failure() const { return dial_failure_; }
  bool was_up() const { return up_since_ != SteadyPoint{}; }
  Steady::duration lived() const { return steady_now() - up_since_; }

 private:
  void set_deadline(milliseconds wait, std::string what);
  void connect(const tcp::resolver::results_type& endpoints);
  void upgrade(const std::string& host);
  void judge(ErrorCodeOf error);
  void refuse(const SessionOwner::Refusal& refusal);
  void go_up();
  void read();
  void take_piece(ErrorCodeOf error, std::size_t bytes);
  void flush(std::size_t bytes_before, int reposts);
  void write_next();
  void write_piece();
  void wrote_piece(ErrorCodeOf error, std::size_t bytes);
  void watch();
  void on_watch();
  void release();
  std::string read_failure(ErrorCodeOf error) const;

  Stream stream_;
  Timer timer_;
  tcp::resolver resolver_;
  const Side side_;
  State state_;
  DialFailure dial_failure_ = DialFailure::other;
  std::shared_ptr<SessionOwner> owner_;
  const HubConfig& config_;  // the owner's
  LinkKey key_;
  SendQueue queue_;
  BatchReader reader_;
  std::function<void(Bytes)> sink_;
  std::unique_ptr<http::request_parser<http::empty_body>> parser_;
  std::unique_ptr<http::response<http::string_body>> refusal_;
  websocket::response_type answer_;
  beast::flat_buffer header_;
  Bytes incoming_;
  Bytes outgoing_;
  std::size_t outgoing_done_ = 0;
  bool writing_ = false;
  bool spared_ = false;  // silence was forgiven once because bytes lay unread: we were the slow ones
  SteadyPoint up_since_{};
  SteadyPoint last_heard_{};
  SteadyPoint write_began_{};
  SteadyPoint next_beat_{};
};

}  // namespace troupe::net
