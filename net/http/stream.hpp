#pragma once
// Only session.hpp and its test include this: one accepted connection, plain or under TLS, as Asio wants a
// stream.

#include <openssl/err.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <optional>
#include <string>
#include <utility>

#include "net/http/tls_context.hpp"

namespace troupe::http {

/// On its strand, like every call; whoever waits for an operation keeps it alive. `Socket` is Asio's. OpenSSL
/// works on the descriptor itself: Asio's own TLS keeps four buffers for each connection, busy or idle.
template <class Socket>
class Stream {
 public:
  using executor_type = typename Socket::executor_type;
  using SystemError = boost::system::error_code;

  /// `tls` must outlive this; null: plain.
  Stream(Socket socket, const TlsContext* tls) : socket_(std::move(socket)), context_(tls) {}

  executor_type get_executor() { return socket_.get_executor(); }
  Socket& socket() { return socket_; }
  bool is_tls() const { return context_ != nullptr; }
  /// Whatever waits ends with operation_aborted, also if its socket was ready already: the descriptor's
  /// number may be another's from here on, and OpenSSL, which knows nothing but the number, is gone.
  void close() {
    SystemError ignored;
    socket_.close(ignored);
    tls_.reset();
  }
  /// Of TLS, once the handshake is done.
  std::optional<std::string> subject() const { return tls_ ? verified_subject(tls_.get()) : std::nullopt; }

  /// Of TLS, once. OpenSSL's memory is taken here: who is turned away before costs none.
  template <class Done>
  void async_handshake(Done done) {
    SystemError ignored;
    socket_.native_non_blocking(true, ignored);
    if (socket_.is_open()) tls_ = tls_accepted(*context_, socket_.native_handle());
    attempt([](SSL* tls) { return SSL_do_handshake(tls); },
            [done = std::move(done)](SystemError error, std::size_t) mutable { done(error); });
  }
  /// Tells the other side that nothing more comes. It need not answer.
  template <class Done>
  void async_shutdown(Done done) {
    attempt([](SSL* tls) { return SSL_shutdown(tls) < 0 ? -1 : 1; },
            [done = std::move(done)](SystemError error, std::size_t) mutable { done(error); });
  }
  template <class Buffers, class Done>
  void async_read_some(const Buffers& buffers, Done&& done) {
    if (!is_tls()) return (void)socket_.async_read_some(buffers, std::forward<Done>(done));
    const boost::asio::mutable_buffer to = first_of<boost::asio::mutable_buffer>(buffers);
    attempt([to](SSL* tls) { return SSL_read(tls, to.data(), int_size(to.size())); },
            std::forward<Done>(done));
  }
  template <class Buffers, class Done>
  void async_write_some(const Buffers& buffers, Done&& done) {
    if (!is_tls()) return (void)socket_.async_write_some(buffers, std::forward<Done>(done));
    const boost::asio::const_buffer from = first_of<boost::asio::const_buffer>(buffers);
    attempt([from](SSL* tls) { return SSL_write(tls, from.data(), int_size(from.size())); },
            std::forward<Done>(done));
  }

 private:
  static int int_size(std::size_t size) { return static_cast<int>(std::min<std::size_t>(size, 1U << 30U)); }
  template <class Buffer, class Buffers>
  static Buffer first_of(const Buffers& buffers) {
    for (auto at = boost::asio::buffer_sequence_begin(buffers);
         at != boost::asio::buffer_sequence_end(buffers); ++at)
      if (Buffer(*at).size() > 0) return *at;
    return {};
  }

  /// As often as the socket has to be waited for; `done` runs later, never in here.
  template <class Call, class Done>
  void attempt(Call call, Done done) {
    if (!socket_.is_open()) return finish(std::move(done), boost::asio::error::operation_aborted, 0);
    if (tls_ == nullptr) return finish(std::move(done), boost::asio::error::no_memory, 0);
    ERR_clear_error();  // What lies there is another connection's.
    const int result = call(tls_.get());
    if (result > 0) return finish(std::move(done), {}, static_cast<std::size_t>(result));
    switch (SSL_get_error(tls_.get(), result)) {
      case SSL_ERROR_WANT_READ:
        return wait(Socket::wait_read, std::move(call), std::move(done));
      case SSL_ERROR_WANT_WRITE:
        return wait(Socket::wait_write, std::move(call), std::move(done));
      case SSL_ERROR_ZERO_RETURN:
        return finish(std::move(done), boost::asio::error::eof, 0);
      default:
        return finish(std::move(done), boost::asio::error::connection_aborted, 0);
    }
  }
  template <class Call, class Done>
  void wait(typename Socket::wait_type what, Call call, Done done) {
    socket_.async_wait(what,
                       [this, call = std::move(call), done = std::move(done)](SystemError error) mutable {
                         if (error) return done(error, 0);
                         attempt(std::move(call), std::move(done));
                       });
  }
  template <class Done>
  void finish(Done done, SystemError error, std::size_t bytes) {
    boost::asio::post(socket_.get_executor(),
                      [done = std::move(done), error, bytes]() mutable { done(error, bytes); });
  }

  Socket socket_;
  const TlsContext* const context_;
  std::unique_ptr<SSL, SslFree> tls_;  ///< null under TLS: not begun, closed, or there was no memory
};

}  // namespace troupe::http
