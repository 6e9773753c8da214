// The server and the client under TLS, with certificates of this test's own making.

#include <gmock/gmock.h>

#include <filesystem>
#include <thread>

#include "tests/net/http/tls_scene.hpp"

namespace troupe::http {
namespace {

using testing::HasSubstr;

void replace_file(const std::string& path, const std::string& by) {
  std::filesystem::copy_file(by, path + ".new", std::filesystem::copy_options::overwrite_existing);
  std::filesystem::rename(path + ".new", path);
}

TEST_F(Tls, CallsAreAnsweredOnOneKeptConnection) {
  WhoServer who(server(ClientCertificates::none));
  Client client = who.client(this->client());
  for (int n = 0; n < 20; ++n) {
    const auto answer = client.call("POST", "/a", std::string(100'000, 'x'));
    ASSERT_TRUE(answer.ok()) << answer.error().message;
    EXPECT_EQ(answer.value().body.size(), 100'008U);
  }
  EXPECT_EQ(who.requests.count(), 20);
}

TEST_F(Tls, TheCallerIsTheSubjectOfItsVerifiedCertificate) {
  for (const auto asks : {ClientCertificates::optional, ClientCertificates::required}) {
    WhoServer who(server(asks));
    Client ci = who.client(client(people.sign({.common_name = "ci", .organisation = "Zoë, Inc"})));
    const auto answer = ci.call("GET", "/");
    ASSERT_TRUE(answer.ok()) << answer.error().message;
    EXPECT_EQ(answer.value().body, "<CN=ci,O=Zoë\\, Inc>");
  }
}

TEST_F(Tls, ACertificateWithoutASubjectIsShownAllTheSame) {
  WhoServer who(server(ClientCertificates::optional));
  const auto answer = who.client(client(people.sign({.common_name = ""}))).call("GET", "/");
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer.value().body, "<>") << "not nobody: a header would count then";
}

TEST_F(Tls, RequestsTellWhetherCertificatesCountHere) {
  for (const auto asks :
       {ClientCertificates::none, ClientCertificates::optional, ClientCertificates::required}) {
    WhoServer who(server(asks));
    ASSERT_TRUE(who.client(client(people.sign({.common_name = "ci"}))).call("GET", "/").ok());
    EXPECT_EQ(who.were_asked, asks != ClientCertificates::none);
  }
}

TEST_F(Tls, WithoutACertificateTheCallerIsNobodyOrIsNotLetIn) {
  WhoServer lenient(server(ClientCertificates::optional)), strict(server(ClientCertificates::required));
  const auto answer = lenient.client(client()).call("GET", "/");
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer.value().body, "<nobody>");
  const auto refused = strict.client(client()).call("POST", "/", "x");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::unauthenticated) << "it surely did not happen, and never will";
  EXPECT_THAT(refused.error().message, HasSubstr("certificate required"));
  EXPECT_EQ(strict.requests.count(), 0);
}

TEST_F(Tls, ACertificateOfAnotherAuthorityOrThatHasExpiredIsNotLetIn) {
  Authority impostors("people");
  for (const auto asks : {ClientCertificates::optional, ClientCertificates::required}) {
    WhoServer who(server(asks));
    EXPECT_EQ(who.client(client(impostors.sign({.common_name = "ci"}))).call("GET", "/").error().code,
              ErrorCode::unauthenticated);
    EXPECT_FALSE(who.client(client(nodes.sign({.common_name = "ci"}))).call("GET", "/").ok());
    EXPECT_FALSE(
        who.client(client(people.sign({.common_name = "ci", .has_expired = true}))).call("GET", "/").ok());
    EXPECT_FALSE(
        who.client(client(people.sign({.common_name = "ci", .for_host = "127.0.0.1"}))).call("GET", "/").ok())
        << "a server's certificate is no client's";
    EXPECT_EQ(who.requests.count(), 0);
  }
}

TEST_F(Tls, WhereNoCertificatesAreAskedForAShownOneSaysNothing) {
  WhoServer who(server(ClientCertificates::none));
  const auto answer = who.client(client(people.sign({.common_name = "ci"}))).call("GET", "/");
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer.value().body, "<nobody>");
}

TEST_F(Tls, TheClientTalksOnlyToTheHostThatItCalled) {
  WhoServer who(server(ClientCertificates::none));
  const auto refused = [&](const TlsContextPtr& tls, const std::string& host) {
    const auto answer = who.client(tls, host).call("GET", "/");
    EXPECT_FALSE(answer.ok());
    return answer.ok() ? std::string() : answer.error().message;
  };
  EXPECT_THAT(refused(client(), "localhost"), HasSubstr("hostname mismatch"));
  TlsFiles others;
  others.authorities = people.file();
  EXPECT_THAT(refused(good(tls_client(others)), "127.0.0.1"), HasSubstr("unable to get local issuer"));
  EXPECT_EQ(who.requests.count(), 0);
  node = nodes.sign({.common_name = "node-1", .for_host = "localhost"});
  WhoServer by_name(server(ClientCertificates::none));
  EXPECT_TRUE(by_name.client(client(), "localhost").call("GET", "/").ok());
}

TEST_F(Tls, APlainClientAndAPlainServerAreToldApartFromIt) {
  WhoServer who(server(ClientCertificates::none));
  const auto plain = who.client(nullptr).call("GET", "/");
  EXPECT_FALSE(plain.ok());
  EXPECT_EQ(who.requests.count(), 0);
  TestServer plain_server;
  ClientConfig config;
  config.port = plain_server.port();
  config.tls = client();
  const auto answer = Client(config).call("GET", "/");
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, ErrorCode::unavailable) << "nothing was sent";
  EXPECT_THAT(answer.error().message, HasSubstr("no TLS with 127.0.0.1"));
  EXPECT_THAT(answer.error().message, HasSubstr("wrong version number"));
}

TEST_F(Tls, ARequestThatIsTooLargeIsStillToldSo) {
  ServerConfig config;
  config.tls = server(ClientCertificates::none);
  config.body_bytes_max = 1'000;
  TestServer small(config);
  ClientConfig to;
  to.port = small.port();
  to.tls = client();
  const auto answer = Client(to).call("POST", "/a", std::string(8'000'000, 'x'));
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer.value().status, 413);
}

TEST_F(Tls, AStreamArrivesWholeAndTheClientKnowsItsEnd) {
  ServerConfig config;
  config.tls = server(ClientCertificates::none);
  TestServer server(config);
  ClientConfig to;
  to.port = server.port();
  to.tls = client();
  std::string heard;
  Result<Response> ended = Error{ErrorCode::internal, "not yet"};
  std::thread reader([&] {
    ended = Client(to).stream(
        "/stream", {},
        [&](std::string_view piece) {
          heard.append(piece);
          return true;
        },
        milliseconds(10'000));
  });
  const ReplyPtr reply = server.take_held();
  const std::string much(300'000, 'y');
  for (int n = 0; n < 3; ++n) EXPECT_TRUE(reply->write(much));
  reply->finish();
  reader.join();
  EXPECT_TRUE(ended.ok()) << ended.error().message;
  EXPECT_EQ(heard.size(), 5 + 3 * much.size());
  EXPECT_TRUE(server.closed.wait_for(1));
}

TEST_F(Tls, AClientThatLeavesAStreamIsNoticed) {
  ServerConfig config;
  config.tls = server(ClientCertificates::none);
  TestServer server(config);
  ClientConfig to;
  to.port = server.port();
  to.tls = client();
  EXPECT_TRUE(Client(to)
                  .stream(
                      "/stream", {}, [](std::string_view) { return false; }, milliseconds(10'000))
                  .ok());
  EXPECT_TRUE(server.closed.wait_for(1));
}

TEST_F(Tls, ClosingAServerEndsHandshakesAndIdleConnections) {
  auto who = std::make_unique<WhoServer>(server(ClientCertificates::none));
  RawSocket silent(who->server->port());
  Client client = who->client(this->client());
  ASSERT_TRUE(client.call("GET", "/").ok());
  who->server->close(milliseconds(5'000));
  silent.read_all();
  EXPECT_TRUE(silent.was_closed());
  EXPECT_FALSE(client.call("GET", "/").ok());
}

TEST_F(Tls, ARenewedCertificateCountsFromTheNextConnectionOn) {
  WhoServer who(server(ClientCertificates::optional));
  Client kept = who.client(client());
  ASSERT_TRUE(kept.call("GET", "/").ok());
  Authority next_nodes("next nodes"), next_people("next people");
  const TlsFiles next = next_nodes.sign({.common_name = "node-1", .for_host = "127.0.0.1"});
  TlsFiles new_client = next_people.sign({.common_name = "ann"});
  new_client.authorities = next_nodes.file();
  EXPECT_FALSE(who.client(good(tls_client(new_client))).call("GET", "/").ok()) << "not yet";
  replace_file(node.certificate, next.certificate);
  EXPECT_TRUE(who.client(client()).call("GET", "/").ok()) << "the new certificate's key has not come yet";
  replace_file(node.key, next.key);
  replace_file(people.file(), next_people.file());
  const auto answer = who.client(good(tls_client(new_client))).call("GET", "/");
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer.value().body, "<CN=ann>");
  EXPECT_FALSE(who.client(client()).call("GET", "/").ok());
  EXPECT_TRUE(kept.call("GET", "/").ok()) << "a connection that is there stays";
  EXPECT_THAT(who.all_told(), testing::ElementsAre(HasSubstr("no key of"), "renewed"));
}

TEST_F(Tls, FilesThatAreNoGoodAreNamed) {
  const auto complaint = [&](const TlsFiles& files) {
    const auto made = tls_server(files, ClientCertificates::required);
    EXPECT_FALSE(made.ok());
    return made.ok() ? std::string() : made.error().message;
  };
  TlsFiles files = node;
  files.authorities = people.file();
  ASSERT_TRUE(tls_server(files, ClientCertificates::required).ok());
  TlsFiles other = files;
  other.key = nodes.sign({.common_name = "other"}).key;
  EXPECT_THAT(complaint(other), HasSubstr(other.key));
  other = files;
  other.certificate = "/nowhere/node.pem";
  EXPECT_THAT(complaint(other), HasSubstr("/nowhere/node.pem"));
  other = files;
  other.authorities = files.key;
  EXPECT_THAT(complaint(other), HasSubstr(files.key));
  EXPECT_FALSE(tls_client({{}, {}, "/nowhere/ca.pem"}).ok());
}

}  // namespace
}  // namespace troupe::http
