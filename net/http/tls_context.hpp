#pragma once
// Only the .cpp files of this folder include this: OpenSSL ends here.

#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <string>

#include "net/http/tls.hpp"

namespace troupe::http {

struct SslFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

class TlsContext {
 public:
  explicit TlsContext(SSL_CTX* context) : context_(context) {}
  /// OpenSSL counts references through a pointer that is not const; nothing is changed after the making.
  SSL_CTX* native() const { return context_.get(); }
  /// Of a server: whether it knows whose certificates count.
  bool asks_for_certificate() const { return SSL_CTX_get_verify_mode(context_.get()) != SSL_VERIFY_NONE; }

 private:
  std::unique_ptr<SSL_CTX, SslFree> context_;
};

/// What OpenSSL says of the last failure on this thread; its queue is empty afterwards.
std::string tls_failure();
/// Whether that failure is the other side's alert about our certificate. The queue stays.
bool is_certificate_refused();
/// The subject of the certificate that the other side has proved to own, as RFC 2253 writes it
/// ("CN=ci,O=Example"), and which may be empty; nothing: there is no such certificate.
std::optional<std::string> verified_subject(const SSL* ssl);
/// A connection to this host (name or address), over a connected socket that does not block; whoever has it
/// closes the socket. Null: out of memory, or no possible host.
std::unique_ptr<SSL, SslFree> tls_connection(const TlsContext& context, int socket, const std::string& host);

/// Likewise, of a connection that was accepted. Null: out of memory.
std::unique_ptr<SSL, SslFree> tls_accepted(const TlsContext& context, int socket);

}  // namespace troupe::http
