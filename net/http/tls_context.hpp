#pragma once
// Only the .cpp files of this folder include this: OpenSSL ends here.

#include <openssl/ssl.h>

#include <memory>
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

 private:
  std::unique_ptr<SSL_CTX, SslFree> context_;
};

/// What OpenSSL says of the last failure on this thread; its queue is empty afterwards.
std::string tls_failure();
/// What the other side's alert says, if it is about our certificate; empty: there is none, or it is about
/// something else. OpenSSL's queue is empty afterwards.
std::string certificate_refusal();
/// The subject of the certificate that the other side has proved to own, as RFC 2253 writes it
/// ("CN=ci,O=Example"); empty: none.
std::string verified_subject(const SSL* ssl);
/// A connection to this host (name or address), over a connected socket that does not block; whoever has it
/// closes the socket. Null: out of memory, or no possible host.
std::unique_ptr<SSL, SslFree> tls_connection(const TlsContext& context, int socket, const std::string& host);

/// Likewise, of a connection that was accepted. Null: out of memory.
std::unique_ptr<SSL, SslFree> tls_accepted(const TlsContext& context, int socket);

}  // namespace troupe::http
