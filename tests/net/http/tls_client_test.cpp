// The blocking client under TLS when a connection breaks, and what is left behind then.

#include <gmock/gmock.h>
#include <openssl/err.h>
#include <poll.h>

#include <array>
#include <thread>

#include "tests/net/http/tls_scene.hpp"

namespace troupe::http {
namespace {

using TlsClient = Tls;

/// Carries the bytes between one client and a server, until it is told to break off.
class Between {
 public:
  explicit Between(std::uint16_t server)
      : server_(server), listening_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    TROUPE_CHECK(::bind(listening_, reinterpret_cast<const sockaddr*>(&at), size) == 0);
    TROUPE_CHECK(::listen(listening_, 1) == 0);
    TROUPE_CHECK(::getsockname(listening_, reinterpret_cast<sockaddr*>(&at), &size) == 0);
    TROUPE_CHECK(::pipe(told_.data()) == 0);
    port_ = ntohs(at.sin_port);
    carrier_ = std::thread([this] { carry(); });
  }
  ~Between() {
    if (carrier_.joinable()) break_off({});
    for (const int fd : {listening_, told_[0], told_[1]}) ::close(fd);
  }
  Between(const Between&) = delete;
  Between& operator=(const Between&) = delete;
  std::uint16_t port() const { return port_; }

  /// The client hears this and then the end; answers what it said from here on until it closed.
  std::string break_off(std::string last_words) {
    last_words_ = std::move(last_words);
    TROUPE_CHECK(::write(told_[1], "x", 1) == 1);
    carrier_.join();
    return heard_;
  }

 private:
  static constexpr int wait_ms_max = 10'000;

  void carry() {
    if (!is_ready(listening_)) return;
    const int client = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(server_);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    TROUPE_CHECK(::connect(server, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
    carry_on(client, server);
    TROUPE_CHECK(::send(client, last_words_.data(), last_words_.size(), MSG_NOSIGNAL) >= 0);
    ::shutdown(client, SHUT_WR);
    while (is_ready(client) && pass(client, -1)) {
    }
    ::close(client);
    ::close(server);
  }
  static bool is_ready(int fd) {
    pollfd one{fd, POLLIN, 0};
    return ::poll(&one, 1, wait_ms_max) > 0;
  }
  void carry_on(int client, int server) {
    for (;;) {
      std::array<pollfd, 3> ends{{{told_[0], POLLIN, 0}, {client, POLLIN, 0}, {server, POLLIN, 0}}};
      if (::poll(ends.data(), ends.size(), wait_ms_max) <= 0 || ends[0].revents != 0) return;
      if (ends[1].revents != 0 && !pass(client, server)) return;
      if (ends[2].revents != 0 && !pass(server, client)) return;
    }
  }
  /// False: it has closed.
  bool pass(int from, int to) {
    std::array<char, 4096> bytes{};
    const ssize_t got = ::recv(from, bytes.data(), bytes.size(), 0);
    if (got <= 0) return false;
    const auto size = static_cast<std::size_t>(got);
    if (to < 0)
      heard_.append(bytes.data(), size);
    else
      TROUPE_CHECK(::send(to, bytes.data(), size, MSG_NOSIGNAL) == got);
    return true;
  }

  const std::uint16_t server_;
  const int listening_;
  std::array<int, 2> told_{};
  std::uint16_t port_ = 0;
  std::thread carrier_;
  std::string last_words_;
  std::string heard_;
};

/// A call that is under way when its connection breaks off.
struct Broken {
  ErrorCode code = ErrorCode::internal;
  unsigned long left_behind = 0;  ///< in OpenSSL's queue of the caller's thread
  std::string said;               ///< after the break
};

Broken call_broken_off(const TlsContextPtr& server_tls, const TlsContextPtr& client_tls,
                       std::string last_words) {
  ServerConfig config;
  config.tls = server_tls;
  TestServer server(config);
  Between between(server.port());
  Broken seen;
  std::thread caller([&] {
    {
      ClientConfig to;
      to.port = between.port();
      to.tls = client_tls;
      const auto answer = Client(to).call("POST", "/hold", "x");
      if (!answer.ok()) seen.code = answer.error().code;
    }
    seen.left_behind = ERR_peek_error();
  });
  EXPECT_TRUE(server.holding.wait_for(1));
  seen.said = between.break_off(std::move(last_words));
  caller.join();
  return seen;
}

TEST_F(TlsClient, SaysNothingMoreWhenItsConnectionWasCut) {
  const Broken seen = call_broken_off(server(ClientCertificates::none), client(), "");
  EXPECT_EQ(seen.code, ErrorCode::outcome_unknown);
  EXPECT_EQ(seen.said.size(), 0U) << "a goodbye on a broken connection";
  EXPECT_EQ(seen.left_behind, 0U);
}

TEST_F(TlsClient, LeavesNoErrorBehindWhenWhatItHearsIsNoTls) {
  const Broken seen = call_broken_off(server(ClientCertificates::none), client(), "HTTP/1.1 200 OK\r\n\r\n");
  EXPECT_EQ(seen.code, ErrorCode::outcome_unknown);
  EXPECT_EQ(seen.left_behind, 0U);
}

TEST_F(TlsClient, DoesNotTakeAnErrorThatLiesOnItsThreadForItsOwn) {
  WhoServer who(server(ClientCertificates::none));
  Client client = who.client(this->client());
  ASSERT_TRUE(client.call("GET", "/").ok());
  ERR_raise(ERR_LIB_USER, 1);
  const auto answer =
      client.call("POST", "/", std::string(3'000'000, 'x'));  // Has to wait, at least for the answer.
  EXPECT_TRUE(answer.ok()) << answer.error().message;
  ERR_clear_error();
}

}  // namespace
}  // namespace troupe::http
