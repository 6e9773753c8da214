#pragma once
// A client that may do everything wrong. All waits are bounded.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>

namespace troupe::http {

class RawSocket {
 public:
  explicit RawSocket(std::uint16_t port) : RawSocket() { connect(port); }
  RawSocket() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    wait_at_most(std::chrono::milliseconds(10'000));
  }
  ~RawSocket() { close(); }
  RawSocket(RawSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  RawSocket& operator=(RawSocket&&) = delete;

  void connect(std::uint16_t port) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  }
  void wait_at_most(std::chrono::milliseconds wait) {
    timeval time{wait.count() / 1000, (wait.count() % 1000) * 1000};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
  }
  void small_receive_buffer() {
    const int size = 4096;
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  }
  /// False: the server closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void end_sending() { ::shutdown(fd_, SHUT_WR); }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  /// Until the text appears, the server closes, or the time is over.
  std::string read_until(std::string_view text) {
    std::array<char, 4096> bytes{};
    while (received_.find(text) == std::string::npos) {
      const ssize_t got = ::recv(fd_, bytes.data(), bytes.size(), 0);
      closed_ = got == 0 || (got < 0 && errno != EAGAIN);
      if (got <= 0) break;
      received_.append(bytes.data(), static_cast<std::size_t>(got));
    }
    return received_;
  }
  std::string read_all() { return read_until("no server says this \x01\x02"); }
  bool was_closed() const { return closed_; }

 private:
  int fd_;
  std::string received_;
  bool closed_ = false;
};

/// A count that a test can wait for.
class Tally {
 public:
  void add() {
    const std::lock_guard lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  int count() {
    const std::lock_guard lock(mutex_);
    return count_;
  }
  bool wait_for(int wanted) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return count_ >= wanted; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

}  // namespace troupe::http
