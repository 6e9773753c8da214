#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/time.h>

#include <fstream>
#include <set>

#include "net/json/value.hpp"
#include "net/steady_point.hpp"
#include "test_server.hpp"

namespace troupe::http {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view get_a = "GET /a HTTP/1.1\r\nhost: x\r\n\r\n";

/// The answer is an error of the project's shape, and the connection ends behind it.
void expect_refused(RawSocket& socket, int status, std::string_view code) {
  const std::string answer = socket.read_all();
  EXPECT_TRUE(socket.was_closed());
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + std::to_string(status) + " "));
  EXPECT_THAT(answer, HasSubstr("connection: close\r\n"));
  const auto body = json::parse(answer.substr(std::min(answer.size(), answer.find("\r\n\r\n") + 4)));
  ASSERT_TRUE(body.ok()) << answer;
  EXPECT_EQ(*body.value().find("statusCode")->integer(), status);
  EXPECT_EQ(*body.value().find("code")->text(), code);
  EXPECT_FALSE(body.value().find("message")->text()->empty());
  EXPECT_EQ(body.value().find("violations"), nullptr) << "there are none";
  EXPECT_FALSE(body.value().find("hint")->text()->empty());
  EXPECT_FALSE(body.value().find("retry")->text()->empty()) << "as errors of the API have it";
}

TEST(HttpServer, PipelinedRequestsAreAnsweredInOrderOnOneConnection) {
  TestServer server;
  RawSocket socket(server.port());
  std::string requests;
  for (int i = 0; i < 50; ++i)
    requests += "POST /p" + std::to_string(i) + " HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc";
  ASSERT_TRUE(socket.send(requests));
  const std::string answers = socket.read_until("POST /p49 abc");
  std::size_t at = 0;
  for (int i = 0; i < 50; ++i) {
    at = answers.find("POST /p" + std::to_string(i) + " abc", at);
    ASSERT_NE(at, std::string::npos) << i;
  }
  EXPECT_EQ(server.requests.count(), 50);
}

TEST(HttpServer, ARequestMayArriveByteByByte) {
  TestServer server;
  RawSocket socket(server.port());
  for (const char c : std::string(
           "POST /slow?q=1 HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"))
    ASSERT_TRUE(socket.send(std::string_view(&c, 1)));
  EXPECT_THAT(socket.read_until("abc"), HasSubstr("POST /slow q=1 abc"));
}

TEST(HttpServer, TooLargeAHeaderIs431) {
  TestServer server;
  RawSocket socket(server.port());
  socket.send("GET / HTTP/1.1\r\nhost: x\r\nx-long: " + std::string(20'000, 'a') + "\r\n\r\n");
  expect_refused(socket, 431, "header_too_large");
  EXPECT_EQ(server.requests.count(), 0);
}

TEST(HttpServer, TooLargeABodyIs413AndReachesAClientThatSendsItAll) {
  TestServer server;
  RawSocket socket(server.port());
  ASSERT_TRUE(socket.send("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10485760\r\n\r\n"));
  ASSERT_TRUE(socket.send(std::string(10'485'760, 'x')));
  socket.end_sending();
  expect_refused(socket, 413, "body_too_large");
}

TEST(HttpServer, TooLargeAChunkedBodyIs413) {
  TestServer server(ServerConfig{.body_bytes_max = 1000});
  RawSocket socket(server.port());
  socket.send("POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
  for (int i = 0; i < 11; ++i) socket.send("64\r\n" + std::string(100, 'x') + "\r\n");
  socket.end_sending();
  expect_refused(socket, 413, "body_too_large");
  EXPECT_EQ(server.requests.count(), 0);
}

class HttpServerMalformed : public testing::TestWithParam<std::string_view> {};

TEST_P(HttpServerMalformed, Is400AndCloses) {
  TestServer server;
  RawSocket socket(server.port());
  socket.send(GetParam());
  socket.end_sending();
  expect_refused(socket, 400, "invalid_argument");
  EXPECT_EQ(server.requests.count(), 0);
}

INSTANTIATE_TEST_SUITE_P(
    Bytes, HttpServerMalformed,
    testing::Values(
        "\x16\x03\x01\x02\x00garbage of TLS\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\nhost: x\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n",
        "GET / HTTP/1.1\r\nhost x\r\n\r\n", "GET /%zz HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /a%2 HTTP/1.1\r\nhost: x\r\n\r\n", "GET /%00 HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /%ff HTTP/1.1\r\nhost: x\r\n\r\n", "GET /?a=%g1 HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET a HTTP/1.1\r\nhost: x\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc"));

TEST(HttpServer, DecodesPathAndQuery) {
  TestServer server;
  const auto answer = server.client().call("GET", "/a%20b/%C3%A9?x=1+2&y=%26%3D&z&x=3");
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer.value().body, "GET /a b/\xc3\xa9 x=1 2 y=&= z= x=3 ");
}

TEST(HttpServer, ASlowHeaderIs408WhenItsTimeIsOver) {
  TestServer server(ServerConfig{.read_timeout = milliseconds(100)});
  RawSocket socket(server.port());
  socket.send("GET / HTTP/1.1\r\nhost:");
  expect_refused(socket, 408, "request_timeout");
}

TEST(HttpServer, ABodyThatDripsDoesNotProlongItsTime) {
  TestServer server(ServerConfig{.read_timeout = milliseconds(100)});
  RawSocket socket(server.port());
  const auto start = steady_now();
  socket.send("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n");
  socket.wait_at_most(milliseconds(10));
  while (socket.read_until("408").find("408") == std::string::npos && !socket.was_closed() &&
         steady_now() - start < std::chrono::seconds(10))
    socket.send("x");
  EXPECT_THAT(socket.read_all(), HasSubstr("request_timeout"));
}

TEST(HttpServer, ASilentConnectionIsClosed) {
  TestServer server(ServerConfig{.read_timeout = milliseconds(50), .idle_timeout = milliseconds(50)});
  RawSocket silent(server.port());
  EXPECT_EQ(silent.read_all(), "");
  EXPECT_TRUE(silent.was_closed());
  RawSocket idle(server.port());
  idle.send(get_a);
  EXPECT_THAT(idle.read_all(), HasSubstr("GET /a"));
  EXPECT_TRUE(idle.was_closed());
}

TEST(HttpServer, BeyondTheConnectionCapIs503WithRetryAfter) {
  TestServer server(ServerConfig{.connections_max = 2});
  RawSocket first(server.port());
  RawSocket second(server.port());
  first.send(get_a);
  second.send(get_a);
  first.read_until("GET /a");
  second.read_until("GET /a");
  RawSocket third(server.port());
  EXPECT_THAT(third.read_until("}"), HasSubstr("retry-after: "));
  third.end_sending();
  expect_refused(third, 503, "overloaded");
  first.send(get_a);
  EXPECT_THAT(first.read_until("GET /a"), HasSubstr("200 OK"));
}

TEST(HttpServer, ExpectContinueIsGrantedOrRefusedBeforeTheBody) {
  TestServer server;
  RawSocket socket(server.port());
  socket.send("POST /b HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n");
  EXPECT_EQ(socket.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  socket.send("abc");
  EXPECT_THAT(socket.read_until("abc"), HasSubstr("POST /b abc"));
  RawSocket large(server.port());
  large.send("POST /b HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 99999999\r\n\r\n");
  EXPECT_THAT(large.read_until("}"), StartsWith("HTTP/1.1 413"));
}

TEST(HttpServer, HeadHasTheLengthButNoBody) {
  TestServer server;
  RawSocket socket(server.port());
  socket.send("HEAD /h HTTP/1.1\r\nhost: x\r\n\r\nGET /next HTTP/1.1\r\nhost: x\r\n\r\n");
  const std::string answer = socket.read_until("GET /next");
  EXPECT_THAT(answer, HasSubstr("content-length: 8\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("HEAD /h")));
  EXPECT_THAT(answer, HasSubstr("\r\n\r\nHTTP/1.1 200 OK"));
}

TEST(HttpServer, NoContentHasNoLength) {
  TestServer server;
  RawSocket socket(server.port());
  socket.send("GET /empty HTTP/1.1\r\nhost: x\r\n\r\n");
  EXPECT_THAT(socket.read_until("\r\n\r\n"), Not(HasSubstr("content-length")));
}

TEST(HttpServer, AHeaderCannotSplitTheAnswer) {
  TestServer server;
  EXPECT_EQ(server.client().call("GET", "/split").value().headers.count("set-cookie"), 0u);
}

TEST(HttpServer, OldClientsGetTheirConnectionClosed) {
  TestServer server;
  RawSocket socket(server.port());
  socket.send("GET /a HTTP/1.0\r\n\r\n");
  EXPECT_THAT(socket.read_until("GET /a"), HasSubstr("connection: close"));
  socket.end_sending();
  socket.read_all();
  EXPECT_TRUE(socket.was_closed());
}

TEST(HttpServer, AHalfClosedClientStillGetsItsAnswer) {
  TestServer server;
  RawSocket socket(server.port());
  socket.send(get_a);
  socket.end_sending();
  EXPECT_THAT(socket.read_all(), HasSubstr("GET /a"));
  EXPECT_TRUE(socket.was_closed());
}

TEST(HttpServer, AReplyMayComeFromAnotherThread) {
  TestServer server;
  RawSocket socket(server.port());
  socket.send("GET /hold HTTP/1.1\r\nhost: x\r\n\r\n");
  std::thread([reply = server.take_held()] { reply->send({201, {}, "late"}); }).join();
  EXPECT_THAT(socket.read_until("late"), StartsWith("HTTP/1.1 201 Created"));
}

TEST(HttpServer, ADroppedReplyIs500AndTheConnectionGoesOn) {
  TestServer server;
  auto client = server.client();
  const auto dropped = client.call("GET", "/drop");
  ASSERT_TRUE(dropped.ok());
  EXPECT_EQ(dropped.value().status, 500);
  EXPECT_THAT(dropped.value().body, HasSubstr("\"code\":\"internal\""));
  EXPECT_EQ(client.call("GET", "/a").value().status, 200);
}

TEST(HttpServer, APortInUseIsAnErrorThatSaysWhatToDo) {
  TestServer server;
  const auto second = serve(ServerConfig{.port = server.port()}, [](Request, ReplyPtr) {});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::io);
  EXPECT_THAT(second.error().message, HasSubstr("Choose another port"));
}

TEST(HttpServer, TwoHundredKeptConnectionsAreServedSideBySide) {
  TestServer server(ServerConfig{.io_threads = 2});
  std::vector<RawSocket> sockets;
  for (int i = 0; i < 200; ++i) sockets.emplace_back(server.port());
  for (int round = 0; round < 5; ++round) {
    const std::string path = "/r" + std::to_string(round);
    for (auto& socket : sockets) ASSERT_TRUE(socket.send("GET " + path + " HTTP/1.1\r\nhost: x\r\n\r\n"));
    for (auto& socket : sockets) ASSERT_THAT(socket.read_until("GET " + path), HasSubstr("GET " + path));
  }
  EXPECT_EQ(server.requests.count(), 1000);
}

std::size_t resident_kb() {
  std::ifstream status("/proc/self/statm");
  std::size_t all = 0;
  std::size_t resident = 0;
  status >> all >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) / 1024;
}

TEST(HttpServer, AThousandBadRequestsLeaveNoMemoryBehind) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "freed memory stays in the sanitizer's quarantine";
#endif
  TestServer server;
  const auto round = [&](int count) {
    for (int i = 0; i < count; ++i) {
      RawSocket socket(server.port());
      if (i % 3 == 0) socket.send("rubbish\r\n\r\n");
      if (i % 3 == 1) socket.send("GET / HTTP/1.1\r\nhost: x\r\nx: " + std::string(30'000, 'a'));
      if (i % 3 == 2)
        socket.send("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4000000\r\n\r\n" +
                    std::string(50'000, 'b'));
      socket.end_sending();
      EXPECT_THAT(socket.read_all(), StartsWith("HTTP/1.1 4"));
    }
  };
  round(100);
  const std::size_t before = resident_kb();
  round(1000);
  EXPECT_LT(resident_kb(), before + 4096);
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](timeval t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

TEST(HttpServer, RunningOutOfDescriptorsNeitherSpinsNorEndsTheListener) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer itself needs the descriptors that this test takes";
#endif
  TestServer server;
  RawSocket socket;  // Nobody else is connected: a connection ending now would give its descriptor back.
  rlimit original{};
  getrlimit(RLIMIT_NOFILE, &original);
  rlimit low = original;
  low.rlim_cur = 64;
  setrlimit(RLIMIT_NOFILE, &low);
  std::vector<int> hoard;
  for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) hoard.push_back(fd);
  socket.connect(server.port());
  socket.send(get_a);
  socket.wait_at_most(milliseconds(300));
  const double before = cpu_seconds();
  EXPECT_EQ(socket.read_until("200 OK"), "");
  EXPECT_LT(cpu_seconds() - before, 0.1);
  for (const int fd : hoard) ::close(fd);
  setrlimit(RLIMIT_NOFILE, &original);
  socket.wait_at_most(milliseconds(10'000));
  EXPECT_THAT(socket.read_until("GET /a"), HasSubstr("200 OK"));
}

// ---- closing ----

TEST(HttpServerClose, AnswersUnderWayAreFinishedAndIdleConnectionsClosed) {
  TestServer server;
  RawSocket idle(server.port());
  idle.send(get_a);
  idle.read_until("GET /a");
  RawSocket busy(server.port());
  busy.send("GET /hold HTTP/1.1\r\nhost: x\r\n\r\n");
  auto reply = server.take_held();
  std::thread closer([&] { server.server->close(milliseconds(10'000)); });
  idle.read_all();
  EXPECT_TRUE(idle.was_closed());  // So the closing has begun.
  reply->send({200, {}, "finished"});
  EXPECT_THAT(busy.read_until("finished"), HasSubstr("connection: close"));
  busy.close();
  closer.join();
}

TEST(HttpServerClose, WhoDoesNotFinishIsCutAtTheDeadline) {
  TestServer server;
  RawSocket busy(server.port());
  busy.send("GET /hold HTTP/1.1\r\nhost: x\r\n\r\n");
  auto reply = server.take_held();
  server.server->close(milliseconds(20));
  EXPECT_EQ(busy.read_all(), "");
  EXPECT_TRUE(busy.was_closed());
  server.server.reset();
  reply->send({200, {}, "too late"});  // The server is gone; nothing happens.
}

TEST(HttpServerClose, StreamsAreCutAtTheDeadlineAndToldOnce) {
  TestServer server;
  RawSocket socket(server.port());
  socket.send("GET /stream HTTP/1.1\r\nhost: x\r\n\r\n");
  socket.read_until("hello");
  auto reply = server.take_held();
  server.server->close(milliseconds(20));
  EXPECT_EQ(server.closed.count(), 1);
  EXPECT_FALSE(reply->write("x"));
  reply->finish();
  reply.reset();
  EXPECT_EQ(server.closed.count(), 1);
}

TEST(HttpServerClose, OneOfThoseThatShareAThreadLeavesTheOthersAlone) {
  ServerConfig config;
  config.io_thread = std::make_shared<IoThread>();
  TestServer stays(config);
  auto kept = stays.client();
  ReplyPtr late;
  for (int round = 0; round < 5; ++round) {
    TestServer goes(config);
    ASSERT_TRUE(goes.client().call("GET", "/a").ok());
    RawSocket stream(goes.port());
    stream.send("GET /stream HTTP/1.1\r\nhost: x\r\n\r\n");
    late = goes.take_held();
    auto refused = goes.client();
    goes.server->close(milliseconds(0));
    EXPECT_EQ(goes.closed.count(), 1);
    EXPECT_FALSE(refused.call("GET", "/a").ok());
    ASSERT_TRUE(kept.call("GET", "/b").ok()) << "the other one answers on";
  }
  EXPECT_FALSE(late->write("to nobody"));
  config.io_thread.reset();
  ASSERT_TRUE(kept.call("GET", "/c").ok());
}

TEST(HttpServerClose, AnOpenAfterTheEndIsToldAtOnce) {
  TestServer server;
  RawSocket socket(server.port());
  socket.send("GET /hold HTTP/1.1\r\nhost: x\r\n\r\n");
  auto reply = server.take_held();
  server.server.reset();
  reply->open(200, {}, [&] { server.closed.add(); });
  EXPECT_EQ(server.closed.count(), 1);
  EXPECT_FALSE(reply->write("x"));
}

}  // namespace
}  // namespace troupe::http
