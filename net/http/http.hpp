#pragma once
// HTTP as the rest of the program sees it; Beast stays inside server.cpp and client.cpp.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/http/tls.hpp"
#include "storage/base/bytes.hpp"
#include "storage/base/result.hpp"
#include "storage/base/time.hpp"

namespace troupe::http {

using Headers = std::map<std::string, std::string, std::less<>>;  ///< names in lower case

struct Request {
  std::string method;                                      ///< "GET"
  std::string path;                                        ///< decoded, without query
  std::vector<std::pair<std::string, std::string>> query;  ///< decoded, in order
  Headers headers;
  std::string body;
  std::string peer;  ///< "127.0.0.1:50312"
  /// "CN=ci,O=Example": the subject of the certificate that the client proved to own, and may be empty;
  /// nothing: it has shown none.
  std::optional<std::string> certificate;
  bool asks_for_certificate = false;  ///< whether the server knows authorities of its clients
  std::string_view header(std::string_view lower_name) const;  ///< empty if absent
  std::string_view parameter(std::string_view name) const;     ///< the first, empty if absent
};

struct Response {
  int status = 200;
  Headers headers;
  std::string body;
};

/// The answer to one request: exactly one send(), or open() and then write()s and finish(); a second answer
/// is a bug and stops the process. Thread-safe; dropping the last reference without an answer sends 500,
/// dropping an open stream cuts the connection, so that the client sees it is not whole. All calls return at
/// once.
class Reply {
 public:
  virtual ~Reply() = default;
  virtual void send(Response response) = 0;
  /// Starts a chunked answer (SSE, logs); its connection is closed afterwards. `on_close` runs exactly once,
  /// on an I/O thread, when the stream is over: client gone (also half-closed) or too slow, server closing,
  /// or finished.
  virtual void open(int status, Headers headers, std::function<void()> on_close) = 0;
  /// False: the client is gone or too slow (its queue was full and the connection is being closed), or it was
  /// a HEAD.
  virtual bool write(Bytes chunk) = 0;
  /// Runs `then` once, on an I/O thread, as soon as nothing written is queued any more: for writers that go
  /// at their reader's pace instead of being cut. Not at all once the stream is over. One at a time.
  virtual void when_drained(std::function<void()> then) = 0;
  virtual void finish() = 0;
};
using ReplyPtr = std::shared_ptr<Reply>;

/// Called on an I/O thread; must not block.
using Handler = std::function<void(Request, ReplyPtr)>;

/// An I/O thread that the servers of one process may share. It ends when the last of them is gone.
class IoThread {
 public:
  IoThread();
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  struct Loop;
  const std::shared_ptr<Loop>& loop() const { return loop_; }

 private:
  struct Running;
  std::shared_ptr<Loop> loop_;
  std::unique_ptr<Running> running_;
};

struct ServerConfig {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  ///< 0: any free one
  std::size_t header_bytes_max = 16 * 1024;
  std::size_t body_bytes_max = 4 * 1024 * 1024;
  std::size_t connections_max = 4096;                ///< beyond: accepted, answered 503, closed
  std::size_t stream_queue_bytes_max = 1024 * 1024;  ///< of one slow stream reader; beyond: closed
  std::size_t handshakes_max = 512;                  ///< of TLS, at once; beyond: closed without a word
  milliseconds handshake_timeout{5'000};             ///< of TLS, before the first request's time
  milliseconds read_timeout{30'000};                 ///< for one whole request
  milliseconds idle_timeout{120'000};                ///< between requests of a kept-alive connection
  milliseconds write_timeout{30'000};                ///< for the client to take what is being written
  std::size_t io_threads = 1;
  std::shared_ptr<IoThread> io_thread{};  ///< shared with others; empty: threads of its own
  TlsContextPtr tls{};                    ///< empty: plain HTTP
  /// The files of `tls` have changed: they count from now on, or could not be used and the earlier ones do.
  /// On an I/O thread. May be empty.
  std::function<void(const Result<void>& renewed)> on_tls_renewed{};
};

class Server {
 public:
  virtual ~Server() = default;
  virtual std::uint16_t port() const = 0;
  /// Stops accepting, waits up to `grace` for answers under way (streams too), closes. No handler runs
  /// afterwards. Not to be called from a handler. A Reply may outlive the server: its calls then do nothing.
  virtual void close(milliseconds grace) = 0;
};
/// Errors: io with the address and what to do (port in use).
Result<std::unique_ptr<Server>> serve(const ServerConfig& config, Handler handler);

/// A blocking client for the command line and tests, with one kept-alive connection. Not for use inside
/// actors; not thread-safe. Reconnects by itself only if nothing of the request was sent.
struct ClientConfig {
  std::string host = "127.0.0.1";
  std::uint16_t port = 7001;
  milliseconds timeout{10'000};
  TlsContextPtr tls{};  ///< empty: plain HTTP
};
class Client {
 public:
  explicit Client(ClientConfig config);
  ~Client();
  Client(Client&&) noexcept;
  /// Errors: unavailable (could not connect: it surely did not happen), outcome_unknown (sent, no answer),
  /// unauthenticated (TLS: the server does not take our certificate, or the want of one).
  Result<Response> call(std::string_view method, std::string_view target, std::string_view body = {},
                        const Headers& headers = {});
  /// Streams the body to `on_chunk` as it arrives, until the end or until it returns false. The Response has
  /// no body when the status is 200; otherwise the whole body, and on_chunk is not called. Uses a connection
  /// of its own. Errors: as call(), and unavailable if the stream breaks off or is silent for idle_timeout.
  Result<Response> stream(std::string_view target, const Headers& headers,
                          const std::function<bool(std::string_view)>& on_chunk, milliseconds idle_timeout);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe::http
