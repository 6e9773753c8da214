// What handshakes under TLS may cost a server: their number, their time, and the memory of who is turned
// away.

#include <openssl/ssl.h>

#include <atomic>

#include "tests/net/http/tls_scene.hpp"

namespace troupe::http {
namespace {

using Handshake = Tls;

/// The states that OpenSSL has made for connections of this process, of both sides, since it was first asked.
int states_made() {
  static std::atomic<int> count{0};
  static const auto add = [](void*, void*, CRYPTO_EX_DATA*, int, long, void*) { ++count; };
  static const int index = SSL_get_ex_new_index(0, nullptr, add, nullptr, nullptr);
  TROUPE_CHECK(index >= 0);
  return count;
}

TEST_F(Handshake, WhoDoesNotFinishItIsClosedInItsOwnTime) {
  ServerConfig config;
  config.handshake_timeout = milliseconds(200);
  config.read_timeout = milliseconds(60'000);
  WhoServer who(server(ClientCertificates::none), config);
  RawSocket silent(who.server->port()), garbage(who.server->port());
  ASSERT_TRUE(garbage.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n"));
  EXPECT_EQ(garbage.read_all(), "");
  EXPECT_TRUE(garbage.was_closed());
  silent.read_all();
  EXPECT_TRUE(silent.was_closed());
  EXPECT_EQ(who.requests.count(), 0);
}

TEST_F(Handshake, BeyondTheirNumberNobodyIsLetInUntilOneIsOver) {
  ServerConfig config;
  config.handshakes_max = 2;
  WhoServer who(server(ClientCertificates::none), config);
  RawSocket first(who.server->port()), second(who.server->port()), third(who.server->port());
  third.read_all();
  EXPECT_TRUE(third.was_closed());
  EXPECT_FALSE(who.client(client()).call("GET", "/").ok());
  ASSERT_TRUE(first.send("this is no handshake"));
  first.read_all();
  ASSERT_TRUE(first.was_closed());
  for (int n = 0; n < 5; ++n) {
    const auto answer = who.client(client()).call("GET", "/");
    EXPECT_TRUE(answer.ok()) << answer.error().message;
  }
}

TEST_F(Handshake, OneThatIsCutOrRunsOutOfTimeIsCountedNoMore) {
  ServerConfig config;
  config.handshakes_max = 1;
  config.handshake_timeout = milliseconds(200);
  WhoServer who(server(ClientCertificates::none), config);
  for (int n = 0; n < 3; ++n) {
    RawSocket silent(who.server->port());
    silent.read_all();
    ASSERT_TRUE(silent.was_closed());
  }
  const auto answer = who.client(client()).call("GET", "/");
  EXPECT_TRUE(answer.ok()) << answer.error().message;
}

TEST_F(Handshake, WhoIsTurnedAwayCostsNoStateOfTls) {
  ServerConfig config;
  config.connections_max = 1;
  WhoServer full(server(ClientCertificates::none), config);
  config.connections_max = 10;
  config.handshakes_max = 0;
  WhoServer closed(server(ClientCertificates::none), config);
  Client client = full.client(this->client());
  const int before = states_made();
  ASSERT_TRUE(client.call("GET", "/").ok());
  EXPECT_EQ(states_made(), before + 2);
  for (const auto* who : {&full, &closed}) {
    RawSocket late(who->server->port());
    late.read_all();
    EXPECT_TRUE(late.was_closed());
  }
  EXPECT_EQ(states_made(), before + 2);
}

}  // namespace
}  // namespace troupe::http
