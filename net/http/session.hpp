#pragma once
// Only server.cpp and session.cpp include this: Asio and Beast end here.

#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>  // Must precede asio under C++20 in this version.

#include "net/http/http.hpp"
#include "net/http/stream.hpp"
#include "net/steady_point.hpp"

namespace troupe::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
using tcp = asio::ip::tcp;
using SystemError = boost::system::error_code;
using Strand = asio::strand<asio::io_context::executor_type>;
using Socket = asio::basic_stream_socket<tcp, Strand>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, Strand>;

constexpr std::size_t first_read_bytes = 2048;        ///< what an idle connection holds ready
constexpr std::size_t read_bytes_max = 64 * 1024;     ///< at once
constexpr std::size_t refused_connections_max = 256;  ///< being told 503; beyond: closed without a word
constexpr std::size_t linger_bytes_max = 64 * 1024 * 1024;
constexpr milliseconds linger_timeout{2'000};
constexpr milliseconds accept_pause{100};  ///< after a failed accept, which would fail again at once (EMFILE)

class Session;

struct IoThread::Loop {
  asio::io_context io;
  /// What was posted near the end finds closed sessions; left there it would keep itself alive for ever.
  void drain() {
    io.restart();
    io.poll();
  }
};

/// What all connections of a server share. Outlives the server while somebody holds a Reply.
struct Core {
  /// Does not hold a shared thread: a late reply would end it, perhaps on itself.
  Core(ServerConfig c, Handler h)
      : loop(c.io_thread ? c.io_thread->loop() : std::make_shared<IoThread::Loop>()),
        config((c.io_thread.reset(), std::move(c))),
        handler(std::move(h)) {}

  /// Runs `work` on the strand. False, and `work` untouched, once the server is gone.
  template <class Work>
  bool post(const Strand& strand, Work& work) {
    const std::lock_guard lock(gate_mutex_);
    if (!gate_shut_) asio::post(strand, std::move(work));
    return !gate_shut_;
  }
  /// False: the server is full; such a session may only refuse. Nothing: no room even for that.
  std::optional<bool> admit(const std::shared_ptr<Session>& session);
  void remove(const Session* session);
  std::vector<std::shared_ptr<Session>> sessions();
  /// False: too many are being made; this one may not be.
  bool begin_handshake();
  void end_handshake() { --handshakes_; }
  /// When all sessions are closed: nothing is posted any more.
  void shut_gate();
  bool wait_until_empty(SteadyPoint deadline);

  const std::shared_ptr<IoThread::Loop> loop;
  const ServerConfig config;
  const Handler handler;
  asio::io_context& io = loop->io;
  std::atomic<bool> closing{false};

 private:
  std::mutex gate_mutex_;
  bool gate_shut_ = false;
  std::atomic<std::size_t> handshakes_{0};
  std::mutex sessions_mutex_;
  std::condition_variable emptied_;
  std::unordered_map<const Session*, std::weak_ptr<Session>> sessions_;
};

/// Shared by a stream's Reply (any thread) and its session (strand).
struct Flow {
  std::atomic<std::size_t> queued_bytes{0};
  std::atomic<bool> gone{false};
};

//   greeting ──> awaiting                                              of TLS, its handshake; counted
//   awaiting ──> reading ──> handling ──> writing ──> awaiting        the ring of a kept-alive connection
//      │            │           └──> streaming ──┐        │
//      │            └──> (error) writing ────────┴────────┴──> lingering ──> closed
//      └──────────────────────────────────────────────────────────────────────^      (from any state)
enum class SessionState : std::uint8_t {
  greeting,
  awaiting,
  reading,
  handling,
  writing,
  streaming,
  lingering,
  closed
};

/// One connection. Lives on its strand; whoever has an operation or a Reply under way keeps it alive. One
/// request is handled at a time, so pipelined requests are answered in order. The deadline covers the state
/// it was set in.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(std::shared_ptr<Core> core, Socket socket);

  // Any thread.
  Core& core() { return *core_; }
  const Strand& strand() const { return strand_; }

  // On the strand.
  void start();
  void refuse_full();
  void begin_closing();
  void close_now();
  void answer(Response response);
  void open_stream(int status, const Headers& headers, std::function<void()> on_close,
                   std::shared_ptr<Flow> flow);
  void queue_chunk(Bytes chunk);
  void when_drained(std::function<void()> then);
  void finish_stream();

 private:
  void greet();
  void await_first_request();
  void await_request();
  void read_more();
  void on_read(SystemError error, std::size_t size);
  void consume();
  bool wants_continue() const;
  void send_continue();
  void on_parse_error(SystemError error);
  void handle();
  std::optional<Error> fill_request(Request& request);
  void refuse(ErrorCode code, std::string message);
  void write_answer(Response response);
  void on_answer_written(SystemError error);
  void flush_stream();
  void end_stream();
  void linger();
  void say_goodbye();
  void end_sending();
  void drain();
  void set_deadline(milliseconds wait);
  void clear_deadline() { deadline_.reset(); }
  void wait_for_deadline();
  void on_deadline();

  const std::shared_ptr<Core> core_;  // First, so that the sockets' io_context dies last.
  const Strand strand_;
  Stream<Socket> stream_;
  Timer timer_;
  SteadyPoint timer_at_ = SteadyPoint::max();
  std::optional<SteadyPoint> deadline_;
  SessionState state_ = SessionState::awaiting;
  beast::flat_buffer buffer_;
  std::optional<beast::http::request_parser<beast::http::string_body>> parser_;
  std::string peer_;
  std::optional<std::string> certificate_;
  std::string head_;  ///< of the answer being written
  std::string body_;
  bool keep_alive_ = true;
  bool is_head_ = false;
  bool is_http_10_ = false;
  // The open stream.
  std::shared_ptr<Flow> flow_;
  std::function<void()> on_close_;
  std::function<void()> on_drained_;
  std::string queue_;  ///< framed, not yet being written
  std::string writing_;
  std::size_t queue_bytes_ = 0;  ///< as counted in Flow
  std::size_t writing_bytes_ = 0;
  bool finishing_ = false;
  bool draining_ = false;  ///< a read is pending whose bytes nobody wants
  std::size_t drained_bytes_ = 0;
  std::array<char, 4096> waste_{};
};

}  // namespace troupe::http
