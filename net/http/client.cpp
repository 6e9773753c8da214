#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>

#include "net/http/http.hpp"
#include "net/http/tls_context.hpp"
#include "net/steady_point.hpp"

namespace troupe::http {
namespace {

namespace beast = boost::beast;
using SystemError = boost::system::error_code;

constexpr std::size_t response_body_bytes_max = 256 * 1024 * 1024;
constexpr std::uint32_t response_header_bytes_max = 64 * 1024;

/// Body bytes go to a function as they arrive; when it returns false, parsing stops with
/// error::end_of_stream.
struct SinkBody {
  using value_type = std::function<bool(std::string_view)>;
  class reader {
   public:
    template <bool is_request, class Fields>
    reader(beast::http::header<is_request, Fields>&, value_type& sink) : sink_(sink) {}
    void init(const boost::optional<std::uint64_t>&, SystemError& error) { error = {}; }
    template <class Buffers>
    std::size_t put(const Buffers& buffers, SystemError& error) {
      std::size_t size = 0;
      error = {};
      for (auto at = boost::asio::buffer_sequence_begin(buffers);
           at != boost::asio::buffer_sequence_end(buffers); ++at) {
        const boost::asio::const_buffer bytes(*at);
        if (!sink_({static_cast<const char*>(bytes.data()), bytes.size()}))
          error = beast::http::error::end_of_stream;
        size += bytes.size();
      }
      return size;
    }
    void finish(SystemError& error) { error = {}; }

   private:
    value_type& sink_;
  };
};
using Parser = beast::http::response_parser<SinkBody>;

/// One connection with deadlines, plain or under TLS. Owns its descriptor.
class Wire {
 public:
  Wire() = default;
  ~Wire() { close(); }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  enum class Outcome : std::uint8_t { ok, timeout, ended, failed };

  bool is_open() const { return fd_ >= 0; }
  void close() {
    if (tls_ != nullptr && is_sound_) say_goodbye();
    tls_.reset();
    is_sound_ = false;
    is_refused_ = false;
    failure_.clear();
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

  /// Tries each address of the host. Error: unavailable.
  Result<void> connect(const ClientConfig& config, SteadyPoint deadline) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const std::string port = std::to_string(config.port);
    if (const int failure = getaddrinfo(config.host.c_str(), port.c_str(), &hints, &found); failure != 0)
      return unreachable(config, gai_strerror(failure));
    std::string why = "no address";
    for (const addrinfo* address = found; address && !is_open(); address = address->ai_next)
      if (const int error = connect_to(*address, deadline); error != 0) why = std::strerror(error);
    freeaddrinfo(found);
    if (!is_open()) return unreachable(config, why);
    return config.tls == nullptr ? Result<void>() : greet(config, deadline);
  }

  /// The other side closed (or broke the protocol by talking first): nothing can be sent here any more.
  bool is_stale() const {
    char byte = 0;
    const ssize_t got = ::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
  }

  Outcome send(std::string_view bytes, SteadyPoint deadline, std::size_t& sent) {
    while (sent < bytes.size()) {
      const std::string_view rest = bytes.substr(sent);
      const Done done =
          tls_ ? under_tls([&](SSL* tls) { return SSL_write(tls, rest.data(), int_size(rest.size())); })
               : plainly(::send(fd_, rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT), POLLOUT);
      sent += done.bytes;
      if (done.outcome != Outcome::ok) return Outcome::failed;
      if (done.wants != 0 && !wait(done.wants, deadline)) return Outcome::timeout;
    }
    return Outcome::ok;
  }

  Outcome receive(std::string& into, SteadyPoint deadline) {
    std::array<char, 16 * 1024> bytes{};
    for (;;) {
      const Done done =
          tls_ ? under_tls([&](SSL* tls) { return SSL_read(tls, bytes.data(), int_size(bytes.size())); })
               : plainly(::recv(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT), POLLIN);
      into.append(bytes.data(), done.bytes);
      if (done.bytes > 0 || done.outcome != Outcome::ok) return done.outcome;
      if (done.wants != 0 && !wait(done.wants, deadline)) return Outcome::timeout;
    }
  }

  /// The other side does not take our certificate, or the want of one: it may say so when a request is on its
  /// way already, of which it has heard nothing then.
  std::optional<Error> refusal() const {
    if (!is_refused_) return std::nullopt;
    return Error{ErrorCode::unauthenticated,
                 "the node asks for a client certificate that it trusts: " + failure_};
  }

 private:
  /// Of one call: some bytes, or what to wait for, or neither (it was interrupted), or the end.
  struct Done {
    Outcome outcome = Outcome::ok;
    std::size_t bytes = 0;
    short wants = 0;
  };
  static int int_size(std::size_t size) { return static_cast<int>(std::min<std::size_t>(size, 1U << 30U)); }
  static Done plainly(ssize_t done, short wants) {
    if (done > 0) return {Outcome::ok, static_cast<std::size_t>(done), 0};
    if (done == 0) return {Outcome::ended, 0, 0};
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {Outcome::ok, 0, wants};
    return {errno == EINTR ? Outcome::ok : Outcome::failed, 0, 0};
  }
  /// Whether it failed is judged by OpenSSL's queue too: what lies there is another connection's.
  template <class Call>
  Done under_tls(Call call) {
    ERR_clear_error();
    const int done = call(tls_.get());
    if (done > 0) return {Outcome::ok, static_cast<std::size_t>(done), 0};
    switch (SSL_get_error(tls_.get(), done)) {
      case SSL_ERROR_WANT_READ:
        return {Outcome::ok, 0, POLLIN};
      case SSL_ERROR_WANT_WRITE:
        return {Outcome::ok, 0, POLLOUT};
      case SSL_ERROR_ZERO_RETURN:
        return {Outcome::ended, 0, 0};
      default:
        return broken();
    }
  }
  /// Nothing may be said here any more, not even goodbye.
  Done broken() {
    is_sound_ = false;
    is_refused_ = is_certificate_refused();
    failure_ = tls_failure();
    return {Outcome::failed, 0, 0};
  }
  /// One way: nobody waits for the answer.
  void say_goodbye() {
    ERR_clear_error();
    SSL_shutdown(tls_.get());
  }

  /// Nothing of a request has been sent: whatever fails here, it surely did not happen.
  Result<void> greet(const ClientConfig& config, SteadyPoint deadline) {
    tls_ = tls_connection(*config.tls, fd_, config.host);
    while (tls_ != nullptr) {
      const Done done = under_tls([](SSL* tls) { return SSL_do_handshake(tls); });
      is_sound_ = done.bytes > 0;
      if (is_sound_) return {};
      if (done.outcome != Outcome::ok || done.wants == 0 || !wait(done.wants, deadline)) break;
    }
    if (const auto refused = refusal()) {
      close();
      return *refused;
    }
    const long verified = tls_ == nullptr ? X509_V_OK : SSL_get_verify_result(tls_.get());
    const std::string why = verified == X509_V_OK ? why_no_tls() : X509_verify_cert_error_string(verified);
    close();
    return Error{ErrorCode::unavailable, "no TLS with " + config.host + ":" + std::to_string(config.port) +
                                             ": " + why + "; is it a node with TLS, and of this authority?"};
  }

  std::string why_no_tls() const {
    if (tls_ == nullptr) return tls_failure();
    return failure_.empty() ? "time ran out" : failure_;
  }

  static Error unreachable(const ClientConfig& config, const std::string& why) {
    return Error{ErrorCode::unavailable, "cannot connect to " + config.host + ":" +
                                             std::to_string(config.port) + ": " + why +
                                             "; is the node running?"};
  }

  /// 0 or errno.
  int connect_to(const addrinfo& address, SteadyPoint deadline) {
    fd_ =
        ::socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, address.ai_protocol);
    if (fd_ < 0) return errno;
    int error = ::connect(fd_, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
      error = ETIMEDOUT;
      socklen_t size = sizeof error;
      if (wait(POLLOUT, deadline)) getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    }
    const int on = 1;
    if (error == 0)
      setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    else
      close();
    return error;
  }

  bool wait(short events, SteadyPoint deadline) const {
    for (;;) {
      const auto left = std::chrono::ceil<milliseconds>(deadline - steady_now());
      if (left.count() <= 0) return false;
      pollfd one{fd_, events, 0};
      if (::poll(&one, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 1'000'000))) > 0) return true;
    }
  }

  int fd_ = -1;
  std::unique_ptr<SSL, SslFree> tls_;
  bool is_sound_ = false;  ///< of TLS: the handshake is done and nothing has failed
  bool is_refused_ = false;
  std::string failure_;  ///< of TLS, in OpenSSL's words
};

std::string request_text(const ClientConfig& config, std::string_view method, std::string_view target,
                         std::string_view body, const Headers& headers) {
  std::string out(method);
  out.append(" ").append(target).append(" HTTP/1.1\r\nhost: ").append(config.host);
  out += ":" + std::to_string(config.port) + "\r\n";
  for (const auto& [name, value] : headers) out.append(name).append(": ").append(value).append("\r\n");
  if (!body.empty() || (method != "GET" && method != "HEAD"))
    out += "content-length: " + std::to_string(body.size()) + "\r\n";
  return out.append("\r\n").append(body);
}

bool is_one_line(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

/// What would make two requests out of one.
bool is_acceptable(std::string_view method, std::string_view target, const Headers& headers) {
  bool good = is_one_line(method) && is_one_line(target) && method.find(' ') == std::string_view::npos &&
              target.find(' ') == std::string_view::npos && target.starts_with('/');
  for (const auto& [name, value] : headers) good = good && is_one_line(name) && is_one_line(value);
  return good;
}

Headers headers_of(const Parser& parser) {
  Headers out;
  for (const auto& field : parser.get()) {
    std::string name(field.name_string().data(), field.name_string().size());
    for (char& c : name)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    std::string& value = out[name];
    if (!value.empty()) value += ", ";
    value.append(field.value().data(), field.value().size());
  }
  return out;
}

Error no_answer(std::string_view why) {
  return Error{ErrorCode::outcome_unknown, "the request was sent but not answered: " + std::string(why)};
}

/// How waiting for more of the answer goes on: one deadline for all of it, or a pause allowed before each
/// piece.
struct Patience {
  SteadyPoint deadline;
  std::optional<milliseconds> each;
  SteadyPoint next() const { return each ? steady_now() + *each : deadline; }
};

enum class End : std::uint8_t { whole, stopped };

/// Reads one answer from the wire. Where a body piece goes is decided by `sink`, given the status.
class Answer {
 public:
  using Sink = std::function<bool(int status, std::string_view piece)>;
  enum class Kind : std::uint8_t { whole, stream };
  Answer(Wire& wire, std::string_view method, Kind kind, Sink sink)
      : wire_(wire), method_(method), sink_(std::move(sink)), kind_(kind) {
    begin();
  }

  /// Errors: outcome_unknown before the header is complete, afterwards unavailable for streams.
  Result<End> read(const Patience& patience) {
    for (;;) {
      if (auto end = parse()) return *end;
      const Wire::Outcome outcome = wire_.receive(pending_, patience.next());
      if (outcome == Wire::Outcome::ok) continue;
      if (const auto refused = wire_.refusal()) return *refused;
      if (outcome == Wire::Outcome::ended && at_end_of_connection()) return End::whole;
      return broken(outcome == Wire::Outcome::timeout ? "time ran out" : "the connection was lost");
    }
  }
  bool keep_alive() const { return parser_->keep_alive() && pending_.empty(); }
  Response response() const {
    Response out;
    out.status = static_cast<int>(parser_->get().result_int());
    out.headers = headers_of(*parser_);
    return out;
  }

 private:
  void begin() {
    parser_.emplace();
    parser_->eager(true);
    parser_->header_limit(response_header_bytes_max);
    parser_->body_limit(response_body_bytes_max);
    if (method_ == "HEAD") parser_->skip(true);
    parser_->get().body() = [this](std::string_view piece) {
      return sink_(static_cast<int>(parser_->get().result_int()), piece);
    };
  }

  std::optional<Result<End>> parse() {
    while (!pending_.empty()) {
      SystemError error;
      const std::size_t used = parser_->put(boost::asio::buffer(pending_), error);
      pending_.erase(0, used);
      if (error == beast::http::error::end_of_stream) return Result<End>(End::stopped);
      if (error == beast::http::error::need_more) break;
      if (error) return Result<End>(broken(error.message()));
      if (parser_->is_done() && parser_->get().result_int() < 200)
        begin();  // 100 Continue and its like.
      else if (parser_->is_done())
        return Result<End>(End::whole);
      else if (used == 0)
        break;
    }
    return std::nullopt;
  }

  bool at_end_of_connection() {
    SystemError error;
    if (parser_->got_some()) parser_->put_eof(error);
    return !error && parser_->is_done();
  }

  Error broken(std::string_view why) const {
    if (!parser_->is_header_done() || kind_ == Kind::whole) return no_answer(why);
    return Error{ErrorCode::unavailable, "the stream broke off: " + std::string(why)};
  }

  Wire& wire_;
  std::string_view method_;
  Sink sink_;
  std::optional<Parser> parser_;
  std::string pending_;
  Kind kind_;
};

}  // namespace

struct Client::Impl {
  explicit Impl(ClientConfig c) : config(std::move(c)) {}

  /// Sends on the kept connection or a new one. A kept one that turns out dead before a byte left is
  /// replaced, once.
  Result<void> send(Wire& to, const std::string& text, SteadyPoint deadline) {
    if (to.is_open() && to.is_stale()) to.close();
    for (bool was_kept = to.is_open();; was_kept = false) {
      if (!to.is_open())
        if (auto connected = to.connect(config, deadline); !connected.ok()) return connected;
      std::size_t sent = 0;
      const Wire::Outcome outcome = to.send(text, deadline, sent);
      if (outcome == Wire::Outcome::ok) return {};
      const auto refused = to.refusal();
      to.close();
      if (refused) return *refused;
      if (sent > 0) return no_answer("the connection was lost while sending");
      if (!was_kept) return Error{ErrorCode::unavailable, "the connection was lost before anything was sent"};
    }
  }

  ClientConfig config;
  Wire wire;
};

Client::Client(ClientConfig config) : impl_(std::make_unique<Impl>(std::move(config))) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;

Result<Response> Client::call(std::string_view method, std::string_view target, std::string_view body,
                              const Headers& headers) {
  if (!is_acceptable(method, target, headers))
    return Error{ErrorCode::invalid_argument, "the method, target or headers cannot be sent as HTTP"};
  const SteadyPoint deadline = steady_now() + impl_->config.timeout;
  const std::string text = request_text(impl_->config, method, target, body, headers);
  if (auto sent = impl_->send(impl_->wire, text, deadline); !sent.ok()) return sent.error();
  std::string gathered;
  Answer answer(impl_->wire, method, Answer::Kind::whole, [&](int, std::string_view piece) {
    gathered.append(piece);
    return true;
  });
  const auto end = answer.read({deadline, std::nullopt});
  if (!end.ok() || !answer.keep_alive()) impl_->wire.close();
  if (!end.ok()) return end.error();
  Response response = answer.response();
  response.body = std::move(gathered);
  return response;
}

Result<Response> Client::stream(std::string_view target, const Headers& headers,
                                const std::function<bool(std::string_view)>& on_chunk,
                                milliseconds idle_timeout) {
  if (!is_acceptable("GET", target, headers))
    return Error{ErrorCode::invalid_argument, "the target or headers cannot be sent as HTTP"};
  Wire wire;
  const std::string text = request_text(impl_->config, "GET", target, {}, headers);
  const SteadyPoint deadline = steady_now() + impl_->config.timeout;
  if (auto sent = impl_->send(wire, text, deadline); !sent.ok()) return sent.error();
  std::string gathered;
  Answer answer(wire, "GET", Answer::Kind::stream, [&](int status, std::string_view piece) {
    if (status == 200) return on_chunk(piece);
    gathered.append(piece);
    return true;
  });
  if (const auto end = answer.read({deadline, idle_timeout}); !end.ok()) return end.error();
  Response response = answer.response();
  response.body = std::move(gathered);
  return response;
}

}  // namespace troupe::http
