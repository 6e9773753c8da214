#pragma once
// TLS for the server and the client: whose certificates count, and which is one's own. OpenSSL stays inside
// the .cpp files.

#include <cstdint>
#include <memory>
#include <string>

#include "storage/base/result.hpp"

namespace troupe::http {

/// Files in PEM.
struct TlsFiles {
  std::string certificate;  ///< one's own, behind it those between it and its authority
  std::string key;          ///< of that certificate, without a password
  std::string authorities;  ///< who may have signed the other side's certificate
};

/// What a server asks of its clients.
enum class ClientCertificates : std::uint8_t {
  none,      ///< no certificate
  optional,  ///< one that is shown must be good
  required,  ///< no handshake without a good one
};

/// What one side needs for all of its connections; shared by threads. A server looks at its files with each
/// connection: renewed ones count from the next one on, without a restart. A client reads its own once.
class TlsContext;
using TlsContextPtr = std::shared_ptr<const TlsContext>;

/// TLS 1.2 or later; sessions are not resumed, so that each connection proves itself. Errors:
/// invalid_argument with the file and what is wrong with it.
Result<TlsContextPtr> tls_server(const TlsFiles& files, ClientCertificates clients);
/// The server's certificate must be for the host that is called, and signed by `authorities` (empty: by whom
/// the system trusts). Without `certificate` none is shown. Errors: invalid_argument.
Result<TlsContextPtr> tls_client(const TlsFiles& files);

}  // namespace troupe::http
