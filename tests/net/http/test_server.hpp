#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>

#include "net/http/http.hpp"
#include "raw_socket.hpp"

namespace troupe::http {

/// A server with a few paths, and what its handlers saw.
class TestServer {
 public:
  explicit TestServer(ServerConfig config = {}) {
    auto served = serve(
        config, [this](Request request, ReplyPtr reply) { handle(std::move(request), std::move(reply)); });
    TROUPE_CHECK(served.ok());
    server = std::move(served).value();
  }
  ~TestServer() {
    server.reset();
    held = nullptr;
  }
  std::uint16_t port() const { return server->port(); }
  Client client() const { return Client(ClientConfig{"127.0.0.1", port(), milliseconds(10'000)}); }

  void handle(Request request, ReplyPtr reply) {
    requests.add();
    if (request.path == "/drop") return;
    if (request.path == "/hold") {
      {
        const std::lock_guard lock(mutex);
        held = std::move(reply);
      }
      return holding.add();
    }
    if (request.path == "/stream") return stream(std::move(reply));
    if (request.path == "/empty") return reply->send({204, {}, ""});
    if (request.path == "/split") return reply->send({200, {{"x-evil", "a\r\nset-cookie: b"}}, "x"});
    Response response{200, {{"content-type", "text/plain"}}, request.method + " " + request.path};
    for (const auto& [name, value] : request.query) response.body += " " + name + "=" + value;
    response.body += " " + (request.body.size() < 100 ? request.body : std::to_string(request.body.size()));
    reply->send(std::move(response));
  }
  void stream(ReplyPtr reply) {
    reply->open(200, {{"content-type", "text/event-stream"}}, [this] { closed.add(); });
    reply->write("hello");
    {
      const std::lock_guard lock(mutex);
      held = std::move(reply);
    }
    holding.add();
  }
  ReplyPtr take_held() {
    EXPECT_TRUE(holding.wait_for(1));
    const std::lock_guard lock(mutex);
    return std::move(held);
  }

  Tally requests;
  Tally holding;
  Tally closed;
  std::mutex mutex;
  ReplyPtr held;
  std::unique_ptr<Server> server;
};

}  // namespace troupe::http
