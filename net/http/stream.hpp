#pragma once
// Only session.hpp includes this: one accepted connection, plain or under TLS, as Asio wants a stream.

#include <boost/asio/ssl/stream.hpp>
#include <optional>
#include <utility>

#include "net/http/tls_context.hpp"

namespace troupe::http {

/// On its strand. `Socket` is Asio's.
template <class Socket>
class Stream {
 public:
  using executor_type = typename Socket::executor_type;
  Stream(Socket socket, const TlsContext* tls) : socket_(std::move(socket)) {
    if (tls == nullptr) return;
    SSL_CTX_up_ref(tls->native());
    context_.emplace(tls->native());
    tls_.emplace(socket_, *context_);
  }

  executor_type get_executor() { return socket_.get_executor(); }
  Socket& socket() { return socket_; }
  bool is_tls() const { return tls_.has_value(); }
  /// Of TLS, once the handshake is done.
  std::string subject() { return tls_ ? verified_subject(tls_->native_handle()) : std::string(); }

  template <class Done>
  void async_handshake(Done done) {
    tls_->async_handshake(boost::asio::ssl::stream_base::server, std::move(done));
  }
  /// Tells the other side that nothing more comes.
  template <class Done>
  void async_shutdown(Done done) {
    tls_->async_shutdown(std::move(done));
  }
  template <class Buffers, class Done>
  void async_read_some(const Buffers& buffers, Done&& done) {
    tls_ ? tls_->async_read_some(buffers, std::forward<Done>(done))
         : socket_.async_read_some(buffers, std::forward<Done>(done));
  }
  template <class Buffers, class Done>
  void async_write_some(const Buffers& buffers, Done&& done) {
    tls_ ? tls_->async_write_some(buffers, std::forward<Done>(done))
         : socket_.async_write_some(buffers, std::forward<Done>(done));
  }

 private:
  Socket socket_;
  std::optional<boost::asio::ssl::context> context_;
  std::optional<boost::asio::ssl::stream<Socket&>> tls_;
};

}  // namespace troupe::http
