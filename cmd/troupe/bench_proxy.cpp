#include "cmd/troupe/bench_proxy.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace troupe::cli {
namespace {

constexpr std::size_t piece_bytes = 64 * 1024;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void set_options(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::fcntl(socket, F_SETFL, O_NONBLOCK);
}

/// Bytes on their way in one direction.
struct Flow {
  std::array<char, piece_bytes> bytes;
  std::size_t from = 0, to = 0;

  bool empty() const { return from == to; }
  /// Both false when the connection is over.
  bool fill(int socket) {
    const ssize_t count = ::recv(socket, bytes.data(), bytes.size(), 0);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    from = 0, to = static_cast<std::size_t>(count);
    return count > 0;
  }
  bool drain(int socket) {
    const ssize_t count = ::send(socket, bytes.data() + from, to - from, MSG_NOSIGNAL);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    from += static_cast<std::size_t>(count);
    return true;
  }
};

}  // namespace

struct BenchProxy::Road {
  int listener = -1;
  std::uint16_t target = 0;
  std::atomic<bool> is_cut{false};
};

struct BenchProxy::Connection {
  std::size_t road = 0;
  std::array<int, 2> ends{-1, -1};  ///< who dialled, the target
  std::array<Flow, 2> flows;        ///< out of ends[0], out of ends[1]

  ~Connection() {
    for (const int end : ends) ::close(end);
  }
  short wanted(std::size_t end) const {
    const bool reads = flows[end].empty(), writes = !flows[1 - end].empty();
    return static_cast<short>((reads ? POLLIN : 0) | (writes ? POLLOUT : 0));
  }
  /// False: over.
  bool move(std::size_t end, short ready) {
    if ((ready & POLLOUT) != 0 && !flows[1 - end].drain(ends[end])) return false;
    if ((ready & (POLLIN | POLLHUP | POLLERR)) == 0 || !flows[end].empty()) return true;
    if (!flows[end].fill(ends[end])) return false;
    return flows[end].empty() || flows[end].drain(ends[1 - end]);
  }
};

BenchProxy::BenchProxy() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

BenchProxy::~BenchProxy() {
  stopping_ = true;
  wake();
  if (thread_.joinable()) thread_.join();
  for (const auto& road : roads_) ::close(road->listener);
  ::close(wake_);
}

Result<std::size_t> BenchProxy::add_road(std::uint16_t port, std::uint16_t target) {
  auto road = std::make_unique<Road>();
  road->target = target;
  road->listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  ::setsockopt(road->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in address = loopback(port);
  const bool listens =
      ::bind(road->listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      ::listen(road->listener, 64) == 0;
  roads_.push_back(std::move(road));
  if (!listens) return Error{ErrorCode::io, "cannot listen on port " + std::to_string(port)};
  return roads_.size() - 1;
}

void BenchProxy::start() {
  thread_ = std::thread([this] { run(); });
}

void BenchProxy::cut(std::size_t road) {
  roads_[road]->is_cut = true;
  wake();
}

void BenchProxy::heal(std::size_t road) {
  roads_[road]->is_cut = false;
  wake();
}

void BenchProxy::wake() const {
  const std::uint64_t one = 1;
  (void)!::write(wake_, &one, sizeof one);
}

void BenchProxy::accept_from(std::size_t road) {
  const int dialled = ::accept4(roads_[road]->listener, nullptr, nullptr, SOCK_CLOEXEC);
  if (dialled < 0) return;
  auto connection = std::make_unique<Connection>();
  connection->road = road;
  connection->ends = {dialled, ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const sockaddr_in target = loopback(roads_[road]->target);
  if (::connect(connection->ends[1], reinterpret_cast<const sockaddr*>(&target), sizeof target) != 0) return;
  for (const int end : connection->ends) set_options(end);
  connections_.push_back(std::move(connection));
}

void BenchProxy::run() {
  std::vector<pollfd> polled;
  while (!stopping_) {
    polled.assign(1, {wake_, POLLIN, 0});
    for (const auto& road : roads_)
      polled.push_back({road->listener, static_cast<short>(road->is_cut ? 0 : POLLIN), 0});
    for (const auto& connection : connections_) {
      const bool is_cut = roads_[connection->road]->is_cut;
      // A negative descriptor is passed over: a cut road does not even hear an end.
      for (const std::size_t end : {0U, 1U})
        polled.push_back({is_cut ? -1 : connection->ends[end], connection->wanted(end), 0});
    }
    if (::poll(polled.data(), polled.size(), -1) < 0) continue;
    std::uint64_t count = 0;
    (void)!::read(wake_, &count, sizeof count);
    const std::size_t first = 1 + roads_.size(), known = connections_.size();
    for (std::size_t n = 0; n < known; ++n)
      for (const std::size_t end : {0U, 1U}) {
        const short ready = polled[first + 2 * n + end].revents;
        if (ready != 0 && connections_[n] != nullptr && !connections_[n]->move(end, ready))
          connections_[n].reset();
      }
    std::erase(connections_, nullptr);
    for (std::size_t n = 0; n < roads_.size(); ++n)
      if (polled[1 + n].revents != 0) accept_from(n);
  }
  connections_.clear();
}

}  // namespace troupe::cli
