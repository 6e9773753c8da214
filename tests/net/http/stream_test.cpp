#include <gmock/gmock.h>

#include "test_server.hpp"

namespace troupe::http {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view get_stream = "GET /stream HTTP/1.1\r\nhost: x\r\n\r\n";

TEST(HttpStream, ChunksArriveAsTheyAreWrittenAndEndProperly) {
  TestServer server;
  RawSocket socket(server.port());
  socket.send(get_stream);
  EXPECT_THAT(socket.read_until("hello"), HasSubstr("transfer-encoding: chunked"));
  auto reply = server.take_held();
  EXPECT_TRUE(reply->write(" world"));
  EXPECT_THAT(socket.read_until(" world"), HasSubstr("5\r\nhello\r\n6\r\n world"));
  reply->finish();
  EXPECT_THAT(socket.read_all(), EndsWith("\r\n0\r\n\r\n"));
  EXPECT_TRUE(server.closed.wait_for(1));
  reply.reset();
  EXPECT_EQ(server.closed.count(), 1);
}

TEST(HttpStream, AnOldClientGetsThePlainBytes) {
  TestServer server;
  RawSocket socket(server.port());
  socket.send("GET /stream HTTP/1.0\r\n\r\n");
  server.take_held()->finish();
  const std::string answer = socket.read_all();
  EXPECT_THAT(answer, EndsWith("\r\n\r\nhello"));
  EXPECT_THAT(answer, Not(HasSubstr("chunked")));
}

TEST(HttpStream, HeadOfAStreamIsItsHeaderOnly) {
  TestServer server;
  RawSocket socket(server.port());
  socket.send("HEAD /stream HTTP/1.1\r\nhost: x\r\n\r\n");
  auto reply = server.take_held();
  EXPECT_THAT(socket.read_all(), EndsWith("connection: close\r\n\r\n"));
  EXPECT_TRUE(server.closed.wait_for(1));
  EXPECT_FALSE(reply->write("x"));
  reply->finish();
}

TEST(HttpStream, AClientThatLeavesIsNoticedWithoutAWrite) {
  TestServer server;
  RawSocket socket(server.port());
  socket.send(get_stream);
  socket.read_until("hello");
  auto reply = server.take_held();
  socket.close();
  EXPECT_TRUE(server.closed.wait_for(1));
  EXPECT_FALSE(reply->write("x"));
  reply.reset();
  EXPECT_EQ(server.closed.count(), 1);
}

TEST(HttpStream, ASlowReaderIsClosedWhenItsQueueIsFull) {
  TestServer server(ServerConfig{.stream_queue_bytes_max = 100'000});
  RawSocket socket;
  socket.small_receive_buffer();
  socket.connect(server.port());
  socket.send(get_stream);
  auto reply = server.take_held();
  std::size_t written = 0;
  while (written < 100'000'000 && reply->write(Bytes(10'000, 'x'))) written += 10'000;
  EXPECT_LT(written, 100'000'000u);
  EXPECT_TRUE(server.closed.wait_for(1));
  EXPECT_FALSE(reply->write("x"));
  socket.read_all();
  EXPECT_TRUE(socket.was_closed());
  EXPECT_EQ(server.closed.count(), 1);
}

TEST(HttpStream, AReaderThatTakesNothingIsClosedWhenTheWriteTimeIsOver) {
  TestServer server(ServerConfig{.stream_queue_bytes_max = 50'000'000, .write_timeout = milliseconds(100)});
  RawSocket socket;
  socket.small_receive_buffer();
  socket.connect(server.port());
  socket.send(get_stream);
  auto reply = server.take_held();
  ASSERT_TRUE(reply->write(Bytes(30'000'000, 'x')));
  EXPECT_TRUE(server.closed.wait_for(1));
}

TEST(HttpStream, ADroppedStreamIsCutSoThatTheClientSeesItIsNotWhole) {
  TestServer server;
  RawSocket socket(server.port());
  socket.send(get_stream);
  socket.read_until("hello");
  server.take_held().reset();
  EXPECT_THAT(socket.read_all(), Not(HasSubstr("0\r\n\r\n")));
  EXPECT_TRUE(socket.was_closed());
  EXPECT_TRUE(server.closed.wait_for(1));
}

}  // namespace
}  // namespace troupe::http
