// One accepted connection and its descriptor, whose number is another's as soon as it is closed.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "net/http/stream.hpp"
#include "storage/base/check.hpp"
#include "tests/net/http/certificates.hpp"

namespace troupe::http {
namespace {

namespace asio = boost::asio;
using Strand = asio::strand<asio::io_context::executor_type>;
using LocalSocket = asio::basic_stream_socket<asio::local::stream_protocol, Strand>;
using SystemError = boost::system::error_code;

/// Two ends of a connection that nobody else uses, without Asio.
struct Ends {
  Ends() { TROUPE_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0); }
  ~Ends() {
    for (const int fd : fds) ::close(fd);
  }
  Ends(const Ends&) = delete;
  Ends& operator=(const Ends&) = delete;
  static std::string read(int fd) {
    char bytes[4096];
    const ssize_t got = ::read(fd, bytes, sizeof bytes);
    return {bytes, got > 0 ? static_cast<std::size_t>(got) : 0};
  }
  int fds[2]{};
};

class TlsSocket : public testing::TestWithParam<bool> {
 protected:
  TlsSocket() {
    LocalSocket accepted(strand);
    asio::local::connect_pair(accepted, client);
    stream.emplace(std::move(accepted), GetParam() ? tls.get() : nullptr);
  }
  ~TlsSocket() override {
    if (taken >= 0) ::close(taken);
  }

  /// What is ready by now is handed to the strand, and runs after `then`.
  void once_ready(const std::function<void()>& then) {
    asio::post(strand, [&] {
      std::thread([&] { io.poll(); }).join();
      then();
    });
    io.restart();
    io.run();
  }
  /// Closes the stream; its number is then an end of another connection, which has something to read.
  void close_and_take_its_number() {
    const int number = stream->socket().native_handle();
    stream->close();
    TROUPE_CHECK(::fcntl(number, F_GETFD) < 0);
    TROUPE_CHECK(::write(others.fds[1], "secret", 6) == 6);
    taken = ::dup3(others.fds[0], number, O_CLOEXEC);
    TROUPE_CHECK(taken == number);
  }
  void expect_the_other_untouched() {
    EXPECT_EQ(Ends::read(others.fds[0]), "secret") << "something read from another's descriptor";
    EXPECT_EQ(Ends::read(others.fds[1]), "") << "something wrote to another's descriptor";
  }
  auto note() {
    return [this](SystemError error, std::size_t = 0) { seen.push_back(error); };
  }

  Authority authority{"nodes"};
  TlsContextPtr tls =
      tls_server(authority.sign({.common_name = "node", .for_host = "127.0.0.1"}), ClientCertificates::none)
          .value();
  Ends others;
  asio::io_context io;
  Strand strand = asio::make_strand(io);
  asio::local::stream_protocol::socket client{io};
  std::optional<Stream<LocalSocket>> stream;
  std::vector<SystemError> seen;
  int taken = -1;
};

TEST_P(TlsSocket, AReadWhoseWaitIsOverWhenItIsClosedLeavesTheNumberAlone) {
  std::array<char, 100> into{};
  if (GetParam())
    stream->async_handshake(note());
  else
    stream->async_read_some(asio::buffer(into), note());
  io.poll();
  ASSERT_TRUE(seen.empty());
  asio::write(client, asio::buffer("x", 1));
  once_ready([&] { close_and_take_its_number(); });
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0], GetParam() ? SystemError(asio::error::operation_aborted) : SystemError());
  expect_the_other_untouched();
}

TEST_P(TlsSocket, WhatBeginsAfterTheCloseLeavesTheNumberAlone) {
  std::array<char, 100> into{};
  if (GetParam()) stream->async_handshake(note());
  io.poll();
  close_and_take_its_number();
  stream->async_read_some(asio::buffer(into), note());
  stream->async_write_some(asio::buffer("hello", 5), note());
  if (GetParam()) stream->async_shutdown(note());
  io.restart();
  io.run();
  ASSERT_EQ(seen.size(), GetParam() ? 4U : 2U);
  for (const SystemError& error : seen) EXPECT_TRUE(error);
  expect_the_other_untouched();
}

TEST_P(TlsSocket, WhatWaitsWhenItIsClosedEndsAtOnce) {
  std::array<char, 100> into{};
  if (GetParam())
    stream->async_handshake(note());
  else
    stream->async_read_some(asio::buffer(into), note());
  stream->close();
  io.run();
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0], asio::error::operation_aborted);
}

INSTANTIATE_TEST_SUITE_P(PlainAndTls, TlsSocket, testing::Bool(),
                         [](const auto& which) { return which.param ? "Tls" : "Plain"; });

}  // namespace
}  // namespace troupe::http
