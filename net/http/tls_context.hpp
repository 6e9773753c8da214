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
  std::int64_t modified_ns = 0, changed_ns = 0;  ///< what is in it; or who may read it
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
  explicit TlsContext(NativeTls native) : TlsContext(std::move(native), {}, {}, {}) {}
  /// `make` reads these files, whose stamps were taken before the first reading.
  TlsContext(NativeTls native, Make make, std::vector<std::string> files, std::vector<FileStamp> stamps)
      : make_(std::move(make)),
        files_(std::move(files)),
        asks_(SSL_CTX_get_verify_mode(native.get()) != SSL_VERIFY_NONE),
        stamps_(std::move(stamps)),
        native_(std::move(native)) {}

  /// What the next connection goes by. Any thread.
  NativeTls native() const;
  /// Of a server: whether it knows whose certificates count.
  bool asks_for_certificate() const { return asks_; }
  /// Reads the files again if they are not those that count: a few system calls otherwise. What is wrong with
  /// new ones is told once, the earlier ones go on to count, and the new ones are tried again at each call.
  /// nullopt: nothing is new, or another thread reads them. Any thread.
  std::optional<Result<void>> renew() const;

 private:
  const Make make_;  ///< empty: never again
  const std::vector<std::string> files_;
  const bool asks_;
  mutable std::mutex renewing_;  ///< of the stamps; held while files are read
  mutable std::vector<FileStamp> stamps_, told_;
  mutable std::mutex mutex_;
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
