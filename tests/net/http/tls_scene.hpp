#pragma once
// A server under TLS that says whom it takes the caller for, and certificates for both sides.

#include <gtest/gtest.h>

#include <mutex>

#include "tests/net/http/certificates.hpp"
#include "tests/net/http/test_server.hpp"

namespace troupe::http {

inline TlsContextPtr good(Result<TlsContextPtr> made) {
  EXPECT_TRUE(made.ok()) << made.error().message;
  return made.ok() ? std::move(made).value() : nullptr;
}

/// Says who the server takes the caller for.
class WhoServer {
 public:
  explicit WhoServer(TlsContextPtr tls, ServerConfig config = {}) {
    config.tls = std::move(tls);
    config.on_tls_renewed = [this](const Result<void>& renewed) {
      const std::lock_guard lock(told_mutex);
      told.push_back(renewed.ok() ? "renewed" : renewed.error().message);
    };
    auto served = serve(config, [this](Request request, ReplyPtr reply) {
      were_asked = request.asks_for_certificate;
      requests.add();
      reply->send({200, {}, "<" + request.certificate.value_or("nobody") + ">" + request.body});
    });
    TROUPE_CHECK(served.ok());
    server = std::move(served).value();
  }
  Client client(TlsContextPtr tls, std::string host = "127.0.0.1") const {
    ClientConfig config;
    config.host = std::move(host);
    config.port = server->port();
    config.tls = std::move(tls);
    return Client(std::move(config));
  }
  /// What has been said of renewed files.
  std::vector<std::string> all_told() {
    const std::lock_guard lock(told_mutex);
    return told;
  }
  Tally requests;
  std::mutex told_mutex;
  std::vector<std::string> told;
  std::atomic<bool> were_asked{false};
  std::unique_ptr<Server> server;
};

struct Tls : testing::Test {
  Authority nodes{"nodes"}, people{"people"};
  TlsFiles node = nodes.sign({.common_name = "node-1", .for_host = "127.0.0.1"});
  TlsContextPtr server(ClientCertificates clients) {
    TlsFiles files = node;
    files.authorities = people.file();
    return good(tls_server(files, clients));
  }
  /// Trusts the nodes' authority, and shows this.
  TlsContextPtr client(const TlsFiles& own = {}) {
    TlsFiles files = own;
    files.authorities = nodes.file();
    return good(tls_client(files));
  }
};

}  // namespace troupe::http
