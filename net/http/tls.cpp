#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>

#include "net/http/tls_context.hpp"

namespace troupe::http {
namespace {

Error refuse(const std::string& what, const std::string& file) {
  return {ErrorCode::invalid_argument, "TLS: " + what + " " + file + ": " + tls_failure()};
}

Result<NativeTls> context_of(const SSL_METHOD* method) {
  ERR_clear_error();
  NativeTls context(SSL_CTX_new(method), SSL_CTX_free);
  if (context == nullptr || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1)
    return Error{ErrorCode::internal, "TLS cannot be used: " + tls_failure()};
  SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context.get(), 0);
  // An idle connection must not hold the memory of a busy one; what is written may lie elsewhere by then.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return context;
}

Result<void> use_own(SSL_CTX* context, const TlsFiles& files) {
  if (SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1)
    return refuse("no certificate in", files.certificate);
  if (SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1)
    return refuse("no key of " + files.certificate + " in", files.key);
  // Of another kind than the certificate's, it would stand beside it.
  if (SSL_CTX_check_private_key(context) != 1)
    return refuse("no key of " + files.certificate + " in", files.key);
  return {};
}

Result<void> use_authorities(SSL_CTX* context, const std::string& file) {
  if (SSL_CTX_load_verify_file(context, file.c_str()) != 1)
    return refuse("no certificates of authorities in", file);
  return {};
}

// ---- a socket as OpenSSL sees it: its own kind would raise SIGPIPE ----

int socket_of(BIO* bio) { return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio))); }

int passed_on(BIO* bio, ssize_t done, int retry) {
  BIO_clear_retry_flags(bio);
  if (done < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
    BIO_set_flags(bio, retry | BIO_FLAGS_SHOULD_RETRY);
  return static_cast<int>(done);
}

const BIO_METHOD* socket_method() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "troupe socket");
    BIO_meth_set_write(made, [](BIO* bio, const char* bytes, int size) {
      return passed_on(
          bio, ::send(socket_of(bio), bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL | MSG_DONTWAIT),
          BIO_FLAGS_WRITE);
    });
    BIO_meth_set_read(made, [](BIO* bio, char* bytes, int size) {
      return passed_on(bio, ::recv(socket_of(bio), bytes, static_cast<std::size_t>(size), MSG_DONTWAIT),
                       BIO_FLAGS_READ);
    });
    BIO_meth_set_ctrl(made, [](BIO*, int command, long, void*) -> long { return command == BIO_CTRL_FLUSH; });
    BIO_meth_set_create(made, [](BIO* bio) {
      BIO_set_init(bio, 1);
      return 1;
    });
    return made;
  }();
  return method;
}

}  // namespace

std::string tls_failure() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0) return "it gives no reason";
  if (ERR_SYSTEM_ERROR(code)) return "the file cannot be read";
  const char* text = ERR_reason_error_string(code);
  return text == nullptr ? "error " + std::to_string(code) : text;
}

bool is_certificate_refused() {
  constexpr int alerts_from = SSL_AD_REASON_OFFSET;
  const int alert = ERR_GET_REASON(ERR_peek_last_error()) - alerts_from;
  // A signature that is not its authority's is told as decrypt_error.
  return (alert >= SSL_AD_BAD_CERTIFICATE && alert <= SSL_AD_UNKNOWN_CA) ||
         alert == SSL_AD_CERTIFICATE_REQUIRED || alert == SSL_AD_HANDSHAKE_FAILURE ||
         alert == SSL_AD_DECRYPT_ERROR;
}

namespace {

Result<NativeTls> server_context(const TlsFiles& files, ClientCertificates clients) {
  auto made = context_of(TLS_server_method());
  if (!made.ok()) return made.error();
  SSL_CTX* context = made.value().get();
  if (auto own = use_own(context, files); !own.ok()) return own.error();
  if (clients == ClientCertificates::none) return made;
  if (auto trusted = use_authorities(context, files.authorities); !trusted.ok()) return trusted.error();
  SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(files.authorities.c_str()));
  SSL_CTX_set_verify(context,
                     clients == ClientCertificates::required
                         ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
                         : SSL_VERIFY_PEER,
                     nullptr);
  return made;
}

std::int64_t nanoseconds_of(const timespec& at) { return at.tv_sec * 1'000'000'000 + at.tv_nsec; }

std::vector<FileStamp> stamps_of(const std::vector<std::string>& files) {
  std::vector<FileStamp> stamps;
  for (const std::string& file : files) {
    struct stat found {};
    FileStamp stamp;
    if (::stat(file.c_str(), &found) == 0)
      stamp = {found.st_ino, found.st_size, nanoseconds_of(found.st_mtim), nanoseconds_of(found.st_ctim)};
    stamps.push_back(stamp);
  }
  return stamps;
}

}  // namespace

NativeTls TlsContext::native() const {
  const std::lock_guard lock(mutex_);
  return native_;
}

std::optional<Result<void>> TlsContext::renew() const {
  const std::unique_lock renewing(renewing_, std::try_to_lock);
  if (!make_ || !renewing) return std::nullopt;
  // Before they are read: what changes meanwhile is another version again.
  auto stamps = stamps_of(files_);
  if (stamps == stamps_) return std::nullopt;
  auto made = make_();
  if (!made.ok()) {
    const bool is_told = std::exchange(told_, stamps) == stamps;
    return is_told ? std::nullopt : std::optional<Result<void>>(made.error());
  }
  stamps_ = std::move(stamps);
  const std::lock_guard lock(mutex_);
  native_ = std::move(made).value();
  return Result<void>();
}

Result<TlsContextPtr> tls_server(const TlsFiles& files, ClientCertificates clients) {
  std::vector<std::string> read{files.certificate, files.key};
  if (clients != ClientCertificates::none) read.push_back(files.authorities);
  auto stamps = stamps_of(read);
  auto make = [files, clients] { return server_context(files, clients); };
  auto made = make();
  if (!made.ok()) return made.error();
  return std::make_shared<const TlsContext>(std::move(made).value(), make, std::move(read),
                                            std::move(stamps));
}

Result<TlsContextPtr> tls_client(const TlsFiles& files) {
  auto made = context_of(TLS_client_method());
  if (!made.ok()) return made.error();
  SSL_CTX* context = made.value().get();
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  if (files.authorities.empty()) {
    SSL_CTX_set_default_verify_paths(context);
  } else if (auto trusted = use_authorities(context, files.authorities); !trusted.ok()) {
    return trusted.error();
  }
  if (!files.certificate.empty())
    if (auto own = use_own(context, files); !own.ok()) return own.error();
  return std::make_shared<const TlsContext>(std::move(made).value());
}

std::optional<std::string> verified_subject(const SSL* ssl) {
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(ssl), X509_free);
  if (certificate == nullptr || SSL_get_verify_result(ssl) != X509_V_OK) return std::nullopt;
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
  constexpr unsigned long utf8 = ASN1_STRFLGS_ESC_MSB;  // Not \C3\A9 for a letter.
  if (out == nullptr ||
      X509_NAME_print_ex(out.get(), X509_get_subject_name(certificate.get()), 0, XN_FLAG_RFC2253 & ~utf8) < 0)
    return std::string();  // Nobody: not "none", after which a header would count.
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

namespace {

std::unique_ptr<SSL, SslFree> over_socket(const TlsContext& context, int socket) {
  std::unique_ptr<SSL, SslFree> ssl(SSL_new(context.native().get()));
  BIO* bio = ssl == nullptr ? nullptr : BIO_new(socket_method());
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(socket)));
  SSL_set_bio(ssl.get(), bio, bio);
  return ssl;
}

}  // namespace

std::unique_ptr<SSL, SslFree> tls_accepted(const TlsContext& context, int socket) {
  auto ssl = over_socket(context, socket);
  if (ssl != nullptr) SSL_set_accept_state(ssl.get());
  return ssl;
}

std::unique_ptr<SSL, SslFree> tls_connection(const TlsContext& context, int socket, const std::string& host) {
  auto ssl = over_socket(context, socket);
  if (ssl == nullptr) return nullptr;
  const bool is_address = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), host.c_str()) == 1;
  if (!is_address &&
      (SSL_set1_host(ssl.get(), host.c_str()) != 1 || SSL_set_tlsext_host_name(ssl.get(), host.c_str()) != 1))
    return nullptr;
  SSL_set_connect_state(ssl.get());
  return ssl;
}

}  // namespace troupe::http
