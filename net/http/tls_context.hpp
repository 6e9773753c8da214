#pragma once
// Only the .cpp files of this folder include this: OpenSSL ends here.

#include <openssl/ssl.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "net/http/tls.hpp"

namespace troupe::http {

/// What tells one version of a file from another.
struct FileStamp {
  std::uint64_t inode = 0;
  std::int64_t bytes = -1;
  std::int64_t modified_ns = 0;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

struct SslFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

using NativeTls = std::shared_ptr<SSL_CTX>;

class TlsContext {
 public:
  using Make = std::function<Result<NativeTls>()>;
  /// One whose files count once.
  explicit TlsContext(NativeTls native) : native_(std::move(native)) {}
  /// `make` reads these files, whose stamps were taken before the first reading.
  TlsContext(NativeTls native, Make make, std::vector<std::string> files, std::vector<FileStamp> stamps)
      : make_(std::move(make)),
        files_(std::move(files)),
        stamps_(std::move(stamps)),
        native_(std::move(native)) {}

  /// What the next connection goes by. Any thread.
  NativeTls native() const;
  /// Of a server: whether it knows whose certificates count.
  bool asks_for_certificate() const { return SSL_CTX_get_verify_mode(native().get()) != SSL_VERIFY_NONE; }
  /// Reads the files again if they are not those of the last reading: a few system calls otherwise. What is
  /// wrong with new ones is told once, and the earlier ones go on to count. nullopt: they have not changed.
  /// Any thread.
  std::optional<Result<void>> renew() const;

 private:
  const Make make_;  ///< empty: never again
  const std::vector<std::string> files_;
  mutable std::mutex mutex_;
  mutable std::vector<FileStamp> stamps_;
  mutable NativeTls native_;
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
