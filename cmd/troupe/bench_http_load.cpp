#include "cmd/troupe/bench_http_load.hpp"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <deque>
#include <optional>

namespace troupe::cli {
namespace {

constexpr std::size_t read_bytes = 64 * 1024;
constexpr int events_at_once = 256;

Error failed(std::string_view what) {
  return {ErrorCode::io, fmt::format("{}: {}", what, std::strerror(errno))};
}

/// Connected, blocking. Error: io.
Result<int> connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed("a socket");
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) return fd;
  const Error error = failed("connect");
  ::close(fd);
  return error;
}

Result<void> send_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return failed("send");
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<void> watch(int epoll, int fd, std::uint64_t number) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = number;
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) return failed("epoll");
  return {};
}

std::optional<std::size_t> length_of(std::string_view head) {
  constexpr std::string_view name = "content-length:";
  const auto found = std::search(head.begin(), head.end(), name.begin(), name.end(),
                                 [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
  if (found == head.end()) return std::nullopt;
  std::string_view digits = head.substr(static_cast<std::size_t>(found - head.begin()) + name.size());
  digits.remove_prefix(std::min(digits.find_first_not_of(' '), digits.size()));
  std::size_t length = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  return read.ec == std::errc() ? std::optional(length) : std::nullopt;
}

struct Connection {
  int fd = -1;
  std::string in;
  std::optional<Moment> since;  ///< a request is under way
};

class Load {
 public:
  explicit Load(const LoadPlan& plan) : plan_(plan) {}
  ~Load() {
    for (const Connection& connection : connections_) ::close(connection.fd);
    if (epoll_ >= 0) ::close(epoll_);
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  Result<LoadFigures> run() {
    if (auto opened = open(); !opened.ok()) return opened.error();
    begin_ = clock_.steady();
    while (!is_over()) {
      if (auto begun = begin_due(); !begun.ok()) return begun.error();
      if (auto took = take_answers(); !took.ok()) return took.error();
    }
    figures_.seconds = std::chrono::duration<double>(clock_.steady() - begin_).count();
    return std::move(figures_);
  }

 private:
  Result<void> open() {
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    if (epoll_ < 0) return failed("epoll");
    for (std::uint32_t n = 0; n < plan_.connections; ++n) {
      auto fd = connect_to(plan_.ports[n % plan_.ports.size()]);
      if (!fd.ok()) return fd.error();
      connections_.push_back({fd.value(), {}, {}});
      if (auto watched = watch(epoll_, fd.value(), n); !watched.ok()) return watched;
      idle_.push_back(n);
    }
    return {};
  }
  bool is_time_over() const { return plan_.time.count() > 0 && clock_.steady() - begin_ >= plan_.time; }
  bool is_begun_enough() const { return is_time_over() || (plan_.requests != 0 && begun_ >= plan_.requests); }
  bool is_over() const { return is_begun_enough() && idle_.size() == connections_.size(); }
  Moment due(std::uint64_t n) const {
    return begin_ + std::chrono::nanoseconds(std::uint64_t{1'000'000'000} * n / plan_.per_s);
  }

  Result<void> begin_due() {
    while (!idle_.empty() && !is_begun_enough()) {
      const Moment now = clock_.steady();
      if (plan_.per_s != 0 && due(begun_) > now) return {};
      Connection& connection = connections_[idle_.front()];
      connection.since = plan_.per_s != 0 ? due(begun_) : now;
      idle_.pop_front();
      if (auto sent = send_all(connection.fd, plan_.request(begun_++)); !sent.ok()) return sent;
    }
    return {};
  }

  int wait_ms() const {
    constexpr int no_longer_than = 10;
    if (plan_.per_s == 0 || idle_.empty()) return no_longer_than;
    const auto left = std::chrono::duration_cast<milliseconds>(due(begun_) - clock_.steady()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, no_longer_than));
  }

  Result<void> take_answers() {
    std::array<epoll_event, events_at_once> events{};
    const int ready = ::epoll_wait(epoll_, events.data(), events_at_once, wait_ms());
    if (ready < 0 && errno != EINTR) return failed("epoll");
    for (int n = 0; n < ready; ++n)
      if (auto took = take(events[static_cast<std::size_t>(n)].data.u64); !took.ok()) return took;
    return {};
  }

  Result<void> take(std::uint64_t number) {
    Connection& connection = connections_[number];
    const std::size_t before = connection.in.size();
    connection.in.resize(before + read_bytes);
    const ssize_t got = ::recv(connection.fd, connection.in.data() + before, read_bytes, MSG_DONTWAIT);
    connection.in.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return {};
    if (got <= 0) return Error{ErrorCode::io, "a connection ended before its answer"};
    const auto head = connection.in.find("\r\n\r\n");
    if (head == std::string::npos) return {};
    const auto length = length_of(std::string_view(connection.in).substr(0, head));
    if (!length) return Error{ErrorCode::io, "an answer without its length"};
    constexpr std::size_t blank_line = 4;
    if (connection.in.size() < head + blank_line + *length) return {};
    count(connection);
    connection.in.clear();
    connection.since.reset();
    idle_.push_back(number);
    return {};
  }

  void count(const Connection& connection) {
    constexpr std::size_t status_at = 9;  // behind "HTTP/1.1 "
    if (connection.in.size() > status_at && connection.in[status_at] == '2') {
      ++figures_.answers;
      figures_.ms.push_back(
          std::chrono::duration<double, std::milli>(clock_.steady() - *connection.since).count());
    } else {
      ++figures_.refused;
      figures_.refusal = connection.in;
    }
  }

  const LoadPlan& plan_;
  SystemClock clock_;
  int epoll_ = -1;
  std::vector<Connection> connections_;
  std::deque<std::uint64_t> idle_;
  std::uint64_t begun_ = 0;
  Moment begin_;
  LoadFigures figures_;
};

}  // namespace

std::string request_text(std::string_view method, std::string_view target, std::string_view body,
                         std::string_view key) {
  std::string text = fmt::format("{} {} HTTP/1.1\r\nhost: 127.0.0.1\r\n", method, target);
  if (!key.empty()) text += fmt::format("idempotency-key: {}\r\n", key);
  if (!body.empty())
    text += fmt::format("content-type: application/json\r\ncontent-length: {}\r\n", body.size());
  text += "\r\n";
  return text.append(body);
}

Result<LoadFigures> run_load(const LoadPlan& plan) { return Load(plan).run(); }

StreamReaders::StreamReaders() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}

StreamReaders::~StreamReaders() {
  for (const int fd : sockets_) ::close(fd);
  if (epoll_ >= 0) ::close(epoll_);
}

Result<void> StreamReaders::open(std::uint16_t port, std::string_view target) {
  auto fd = connect_to(port);
  if (!fd.ok()) return fd.error();
  const std::size_t number = sockets_.size();
  sockets_.push_back(fd.value());
  tails_.emplace_back();
  readers_.emplace_back();
  if (auto watched = watch(epoll_, fd.value(), number); !watched.ok()) return watched;
  return send_all(fd.value(), request_text("GET", target));
}

void StreamReaders::read(milliseconds span, const std::function<bool()>& done) {
  const Moment end = clock_.steady() + span;
  for (Moment now = clock_.steady(); now < end; now = clock_.steady()) {
    std::array<epoll_event, events_at_once> events{};
    const auto left = std::chrono::duration_cast<milliseconds>(end - now).count() + 1;
    const int ready = ::epoll_wait(epoll_, events.data(), events_at_once, static_cast<int>(left));
    for (int n = 0; n < ready; ++n)
      take(static_cast<std::size_t>(events[static_cast<std::size_t>(n)].data.u64));
    if (done && ready > 0 && done()) return;
  }
}

void StreamReaders::take(std::size_t number) {
  std::array<char, read_bytes> bytes;
  const ssize_t got = ::recv(sockets_[number], bytes.data(), bytes.size(), MSG_DONTWAIT);
  Reader& reader = readers_[number];
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    reader.is_cut = true;
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, sockets_[number], nullptr);
    return;
  }
  constexpr std::string_view mark = "\ndata:", cut = "\nevent: cutOff";
  std::string text = std::move(tails_[number]);
  text.append(bytes.data(), static_cast<std::size_t>(got));
  std::uint64_t found = 0;
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + mark.size())) ++found;
  reader.is_cut |= text.find(cut) != std::string::npos;
  reader.events += found;
  if (found > 0) reader.last = clock_.steady();
  // Shorter than the mark, so that none is counted twice.
  tails_[number] = text.substr(text.size() - std::min(text.size(), mark.size() - 1));
}

}  // namespace troupe::cli
