#include "cmd/troupe/bench_cell.hpp"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "cmd/troupe/cli_value.hpp"
#include "storage/base/random.hpp"

namespace troupe::cli {
namespace {

constexpr milliseconds health_patience{1'000};

bool is_free(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool free = ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(socket);
  return free;
}

/// Below the range of outgoing connections: none of those can take the port while its node is dead.
Result<std::uint16_t> quiet_port(Random& random) {
  constexpr int tries = 200;
  for (int n = 0; n < tries; ++n) {
    const auto port = static_cast<std::uint16_t>(random.between(10'000, 32'000));
    if (is_free(port)) return port;
  }
  return Error{ErrorCode::io, "no free TCP port on the loopback address"};
}

}  // namespace

Result<std::unique_ptr<BenchCell>> BenchCell::make(const std::string& folder, std::uint32_t nodes,
                                                   Roads roads, std::set<std::uint32_t> joining,
                                                   std::vector<std::string> settings) {
  std::unique_ptr<BenchCell> cell(new BenchCell(folder, nodes, std::move(joining), std::move(settings)));
  if (auto chosen = cell->choose_ports(roads); !chosen.ok()) return chosen.error();
  if (auto written = cell->write_files(); !written.ok()) return written.error();
  cell->proxy_.start();
  return cell;
}

Result<void> BenchCell::choose_ports(Roads roads) {
  Random random = Random::from_system();
  std::set<std::uint16_t> taken;
  const auto next = [&]() -> Result<std::uint16_t> {
    while (true) {
      auto port = quiet_port(random);
      if (!port.ok() || taken.insert(port.value()).second) return port;
    }
  };
  for (std::uint32_t n = 1; n <= nodes_; ++n)
    for (auto* ports : {&peer_, &http_}) {
      auto port = next();
      if (!port.ok()) return port.error();
      (*ports)[n] = port.value();
    }
  return roads == Roads::proxied ? build_roads(next) : Result<void>();
}

Result<void> BenchCell::build_roads(const std::function<Result<std::uint16_t>()>& next_port) {
  for (std::uint32_t from = 1; from <= nodes_; ++from)
    for (std::uint32_t to = 1; to <= nodes_; ++to) {
      if (from == to) continue;
      auto port = next_port();
      if (!port.ok()) return port.error();
      auto road = proxy_.add_road(port.value(), peer_[to]);
      if (!road.ok()) return road.error();
      road_ports_[{from, to}] = port.value();
      roads_[{from, to}] = road.value();
    }
  return {};
}

std::string BenchCell::file_of(std::uint32_t node) const {
  return fmt::format("{}/node-{}.yaml", folder_, node);
}

Result<void> BenchCell::write_files() const {
  std::error_code ignored;
  std::filesystem::create_directories(folder_, ignored);
  for (std::uint32_t n = 1; n <= nodes_; ++n) {
    std::string text = fmt::format("node: {}\ncell: troupe\ndata: {}/node-{}\n", n, folder_, n);
    text += joining_.contains(n) ? "join: true\nnodes:\n" : "nodes:\n";
    for (std::uint32_t m = 1; m <= nodes_; ++m) {
      if (m != n && joining_.contains(m)) continue;
      text += fmt::format("  - {{id: {}, peer: '127.0.0.1:{}', http: '127.0.0.1:{}'}}\n", m,
                          roads_.contains({n, m}) ? road_ports_.at({n, m}) : peer_.at(m), http_.at(m));
    }
    if (!settings_.empty()) text += "settings:\n";
    for (const std::string& setting : settings_) {
      const auto equals = std::min(setting.find('='), setting.size());
      text += "  " + setting.substr(0, equals) + ": '" +
              setting.substr(std::min(equals + 1, setting.size())) + "'\n";
    }
    std::ofstream file(file_of(n));
    file << text;
    if (!file.flush()) return Error{ErrorCode::io, "cannot write " + file_of(n)};
  }
  return {};
}

Result<void> BenchCell::start(std::uint32_t node) {
  auto process =
      BenchProcess::start({"node", "--config", file_of(node)}, fmt::format("{}/node-{}.log", folder_, node));
  if (!process.ok()) return process.error();
  processes_[node] = std::move(process).value();
  return {};
}

void BenchCell::kill(std::uint32_t node) { processes_.erase(node); }
void BenchCell::stop(std::uint32_t node) { processes_.at(node)->send_signal(SIGSTOP); }
void BenchCell::resume(std::uint32_t node) { processes_.at(node)->send_signal(SIGCONT); }

void BenchCell::cut_off(std::uint32_t node) {
  for (const auto& [pair, road] : roads_)
    if (pair.first == node || pair.second == node) proxy_.cut(road);
}

void BenchCell::heal(std::uint32_t node) {
  for (const auto& [pair, road] : roads_)
    if (pair.first == node || pair.second == node) proxy_.heal(road);
}

double BenchCell::rss_mb(std::uint32_t node) const {
  const auto found = processes_.find(node);
  return found == processes_.end() ? 0 : cli::rss_mb(found->second->pid());
}

std::optional<NodeHealth> BenchCell::health(std::uint32_t node) {
  auto& client = clients_[node];
  if (client == nullptr) {
    http::ClientConfig config;
    config.port = http_.at(node);
    config.timeout = health_patience;
    client = std::make_unique<http::Client>(config);
  }
  const auto answer = client->call("GET", "/health");
  if (!answer.ok()) {
    client.reset();
    return std::nullopt;
  }
  const auto body = json::parse(answer.value().body);
  if (!body.ok()) return std::nullopt;
  return NodeHealth{text_at(body.value(), "status") == "SERVING",
                    static_cast<std::uint32_t>(integer_at(body.value(), "leader")),
                    static_cast<std::uint64_t>(integer_at(body.value(), "term"))};
}

std::uint32_t BenchCell::leader() {
  std::uint32_t leader = 0;
  std::uint64_t term = 0;
  for (std::uint32_t n = 1; n <= nodes_; ++n) {
    const auto said = health(n);
    if (said && said->leader == n && said->term > term) leader = n, term = said->term;
  }
  return leader;
}

bool BenchCell::await_serving(std::uint32_t node, milliseconds patience) {
  return await_.until(
      [&] {
        const auto said = health(node);
        return said && said->serves;
      },
      patience);
}

bool BenchCell::await_serving(milliseconds patience) {
  for (std::uint32_t n = 1; n <= nodes_; ++n)
    if (!await_serving(n, patience)) return false;
  return true;
}

Result<json::Value> get_json(http::Client& client, const std::string& target) {
  auto answer = client.call("GET", target);
  if (!answer.ok()) return answer.error();
  if (answer.value().status != 200) return Error{ErrorCode::internal, target + ": " + answer.value().body};
  return json::parse(answer.value().body);
}

}  // namespace troupe::cli
