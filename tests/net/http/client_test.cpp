#include <gmock/gmock.h>

#include <thread>

#include "test_server.hpp"

namespace troupe::http {
namespace {

using testing::HasSubstr;

/// A server of one's own for what a real one would never do: accepts and leaves the rest to the test.
class RawListener {
 public:
  RawListener() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    TROUPE_CHECK(::bind(fd_, reinterpret_cast<const sockaddr*>(&at), size) == 0 && ::listen(fd_, 8) == 0);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size);
    port_ = ntohs(at.sin_port);
  }
  ~RawListener() { ::close(fd_); }
  std::uint16_t port() const { return port_; }
  /// Accepts once, waits for the end of a header, sends `answer`, closes.
  std::thread serve_once(std::string answer) {
    return std::thread([this, answer = std::move(answer)] {
      const int peer = ::accept(fd_, nullptr, nullptr);
      std::string got;
      std::array<char, 1024> bytes{};
      while (got.find("\r\n\r\n") == std::string::npos) {
        const ssize_t size = ::recv(peer, bytes.data(), bytes.size(), 0);
        if (size <= 0) break;
        got.append(bytes.data(), static_cast<std::size_t>(size));
      }
      EXPECT_EQ(::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL),
                static_cast<ssize_t>(answer.size()));
      ::close(peer);
    });
  }
  Client client(milliseconds timeout = milliseconds(10'000)) const {
    return Client({"127.0.0.1", port_, timeout});
  }

 private:
  int fd_;
  std::uint16_t port_ = 0;
};

TEST(HttpClient, KeepsItsConnection) {
  TestServer server(ServerConfig{.connections_max = 1});
  auto client = server.client();
  for (int i = 0; i < 20; ++i) {
    const auto answer = client.call("POST", "/x", "body");
    ASSERT_TRUE(answer.ok());
    ASSERT_EQ(answer.value().status, 200);  // A second connection would get 503.
    ASSERT_EQ(answer.value().body, "POST /x body");
  }
}

TEST(HttpClient, ConnectsAgainWhenTheServerClosedTheIdleConnection) {
  auto server = std::make_unique<TestServer>();
  const std::uint16_t port = server->port();
  auto client = server->client();
  ASSERT_TRUE(client.call("GET", "/a").ok());
  server.reset();
  TestServer again(ServerConfig{.port = port});
  const auto answer = client.call("GET", "/b");
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer.value().body, "GET /b ");
  EXPECT_EQ(again.requests.count(), 1);
}

TEST(HttpClient, NobodyListeningIsUnavailable) {
  auto server = std::make_unique<TestServer>();
  auto client = server->client();
  server.reset();
  const auto answer = client.call("POST", "/a", "x");
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, ErrorCode::unavailable);
}

TEST(HttpClient, SentAndThenCutIsOutcomeUnknown) {
  RawListener listener;
  for (const char* answer :
       {"", "HTTP/1.1 20", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc", "nonsense\r\n\r\n"}) {
    std::thread peer = listener.serve_once(answer);
    const auto result = listener.client().call("POST", "/a");
    peer.join();
    ASSERT_FALSE(result.ok()) << answer;
    EXPECT_EQ(result.error().code, ErrorCode::outcome_unknown) << answer;
  }
}

TEST(HttpClient, NoAnswerInTimeIsOutcomeUnknown) {
  TestServer server;
  Client client({"127.0.0.1", server.port(), milliseconds(50)});
  const auto result = client.call("POST", "/hold", "x");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::outcome_unknown);
  EXPECT_TRUE(client.call("GET", "/a").ok());  // The late answer cannot be taken for this one's.
}

TEST(HttpClient, UnderstandsInterimAnswersChunksAndBodiesThatEndWithTheConnection) {
  RawListener listener;
  for (const char* answer :
       {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nabc"}) {
    std::thread peer = listener.serve_once(answer);
    const auto result = listener.client().call("GET", "/a");
    peer.join();
    ASSERT_TRUE(result.ok()) << answer << result.error().message;
    EXPECT_EQ(result.value().body, "abc");
  }
}

TEST(HttpClient, HeadAndEmptyAnswersDoNotConfuseTheNext) {
  TestServer server(ServerConfig{.connections_max = 1});
  auto client = server.client();
  EXPECT_EQ(client.call("HEAD", "/h").value().body, "");
  EXPECT_EQ(client.call("GET", "/empty").value().status, 204);
  EXPECT_EQ(client.call("GET", "/a").value().body, "GET /a ");
}

TEST(HttpClient, RefusesToSendWhatWouldBeTwoRequests) {
  TestServer server;
  auto client = server.client();
  EXPECT_EQ(client.call("GET", "/a HTTP/1.1\r\nx: y").error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(client.call("GET", "/a", {}, {{"x", "1\r\ny: 2"}}).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(server.requests.count(), 0);
}

TEST(HttpClient, ALargeBodyThatIsRefusedYieldsTheRefusal) {
  TestServer server;
  const auto result = server.client().call("POST", "/a", std::string(10'000'000, 'x'));
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result.value().status, 413);
}

TEST(HttpClientStream, EndsEarlyWhenOnChunkSaysSo) {
  TestServer server;
  std::string got;
  const auto result = server.client().stream(
      "/stream", {},
      [&](std::string_view chunk) {
        got += chunk;
        return false;
      },
      milliseconds(10'000));
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(got, "hello");
  EXPECT_TRUE(server.closed.wait_for(1));
}

TEST(HttpClientStream, ReadsToTheEnd) {
  TestServer server;
  std::thread producer([&] {
    const auto reply = server.take_held();
    for (int i = 0; i < 100; ++i) reply->write(std::to_string(i) + ",");
    reply->finish();
  });
  std::string got;
  const auto result = server.client().stream(
      "/stream", {},
      [&](std::string_view chunk) {
        got += chunk;
        return true;
      },
      milliseconds(10'000));
  producer.join();
  ASSERT_TRUE(result.ok());
  EXPECT_THAT(got, HasSubstr("hello0,1,2,"));
  EXPECT_THAT(got, testing::EndsWith("98,99,"));
}

TEST(HttpClientStream, AnythingBut200ComesAsAWholeResponse) {
  TestServer server;
  const auto result = server.client().stream(
      "/drop", {},
      [&](std::string_view) {
        ADD_FAILURE();
        return true;
      },
      milliseconds(10'000));
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result.value().status, 500);
  EXPECT_THAT(result.value().body, HasSubstr("internal"));
}

TEST(HttpClientStream, SilenceAndACutAreUnavailable) {
  TestServer server;
  const auto ignore = [](std::string_view) { return true; };
  auto client = server.client();
  EXPECT_EQ(client.stream("/stream", {}, ignore, milliseconds(50)).error().code, ErrorCode::unavailable);
  std::thread cutter([&] {
    EXPECT_TRUE(server.holding.wait_for(2));
    server.take_held().reset();
  });
  EXPECT_EQ(client.stream("/stream", {}, ignore, milliseconds(10'000)).error().code, ErrorCode::unavailable);
  cutter.join();
}

}  // namespace
}  // namespace troupe::http
