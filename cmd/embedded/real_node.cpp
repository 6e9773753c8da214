#include "cmd/embedded/real_node.hpp"

#include <charconv>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <thread>

#include "actors/runtime/logging.hpp"
#include "cmd/embedded/audit_signer.hpp"
#include "cmd/embedded/debug_dump.hpp"
#include "cmd/embedded/fault_seams.hpp"
#include "cmd/embedded/node_images.hpp"
#include "net/http/error_response.hpp"
#include "storage/base/random.hpp"
#include "storage/kv/rocks_store.hpp"
#include "storage/log/log_writer.hpp"
#include "storage/snapshot/death_book.hpp"
#include "storage/snapshot/self_repair.hpp"
#include "storage/snapshot/skip.hpp"
#include "storage/state/keys.hpp"

namespace troupe::embedded {
namespace {

constexpr milliseconds close_grace{1'000};
constexpr std::size_t small_log_buffer = std::size_t{8} << 20;
constexpr std::size_t small_state_buffer = std::size_t{8} << 20;

class RunningNode final : public RealNode {
 public:
  explicit RunningNode(RealNodeConfig config) : config_(std::move(config)) {
    if (!config_.faults) config_.faults = std::make_shared<NodeFaults>();
  }
  ~RunningNode() override { stop(); }

  Result<void> start();
  void stop() override {
    if (http_) http_->close(close_grace);
    await_install();
    if (node_) (void)node_->flush();
    release();
  }
  void crash() override {
    if (http_) http_->close(milliseconds(0));
    await_install();
    release();
  }
  void fail_writes() override { log_->fail_writes(); }
  void fail_syncs() override { log_->fail_syncs(); }
  Node& node() override {
    const std::shared_lock lock(life_);
    return *node_;
  }
  void debug_to_log() override {
    const std::shared_lock lock(life_, std::try_to_lock);
    if (lock && node_) return embedded::debug_to_log(*node_, config_.node.self);
    logging::warn("debug_dump_refused node={} why=\"it installs a snapshot\"", config_.node.self.value);
  }
  std::uint16_t http_port() const override { return http_->port(); }
  std::string peer_address() const override { return node_->peer_address(); }
  KvStore::Counters log_counters() const override { return log_->counters(); }

 private:
  Result<std::unique_ptr<FaultyStore>> open_store(const std::string& path, RocksConfig::Role role,
                                                  std::vector<std::string> tables,
                                                  std::size_t small_buffer) const;
  Result<void> open_folder();
  Result<void> mend_folder();
  Result<void> repair(const std::string& why);
  RepairSeams repair_seams() const;
  Result<void> start_node();
  NodeSeams seams();
  void install_soon();
  void install();
  void await_install() {
    if (installer_.joinable()) installer_.join();
  }
  Result<void> serve_http();
  void release() {
    node_.reset();
    http_.reset();
    state_.reset();
    log_.reset();
  }

  RealNodeConfig config_;
  std::optional<NodeFolder> folder_;
  std::vector<SkippedEntry> skipped_;
  std::unique_ptr<DeathBook> deaths_;
  std::optional<AuditSigner> signer_;
  std::shared_mutex life_;  ///< held alone while a snapshot takes the place of the state; node_ may be null
  std::thread installer_;
  std::unique_ptr<FaultyStore> log_, state_;
  std::unique_ptr<Node> node_;
  std::unique_ptr<http::Server> http_;
};

Result<std::unique_ptr<FaultyStore>> RunningNode::open_store(const std::string& path, RocksConfig::Role role,
                                                             std::vector<std::string> tables,
                                                             std::size_t small_buffer) const {
  RocksConfig rocks;
  rocks.path = path;
  rocks.role = role;
  rocks.tables = std::move(tables);
  if (role == RocksConfig::Role::state) rocks.unread_tables = keys::unread_tables();
  // What a crash would lose is lost when this object goes, too: stop() flushes before.
  rocks.lose_unflushed_on_close = true;
  if (config_.small_buffers) rocks.write_buffer_bytes = small_buffer;
  auto store = open_rocks(rocks);
  if (!store.ok()) return store.error();
  return std::make_unique<FaultyStore>(std::move(store).value());
}

/// What an earlier life left: a fault that a peer must repair, deaths at one entry, an operator's word.
Result<void> RunningNode::open_folder() {
  auto folder = NodeFolder::open(system_files(), config_.data);
  if (!folder.ok()) return folder.error();
  folder_ = std::move(folder).value();
  if (auto mended = mend_folder(); !mended.ok()) return mended;
  auto skipped = folder_->skipped();
  if (!skipped.ok()) return skipped.error();
  skipped_ = std::move(skipped).value();
  auto deaths = DeathBook::open(folder_->death_book_path());
  if (!deaths.ok()) return deaths.error();
  deaths_ = std::move(deaths).value();
  auto signer = AuditSigner::open(system_files(), config_.data, config_.node.self, config_.node.cell);
  if (!signer.ok()) return signer.error();
  signer_.emplace(std::move(signer).value());
  return check_deaths(deaths_->paused_before(), skipped_);
}

Result<void> RunningNode::mend_folder() {
  if (auto resumed = resume_repair(*folder_, repair_seams()); !resumed.ok()) return resumed;
  const auto fault = folder_->fault();
  if (!fault.ok()) return fault.error();
  if (!fault.value()) return {};
  if (*fault.value() == NodeFolder::unfinished_restore) return Error{ErrorCode::corrupt, *fault.value()};
  return repair(*fault.value());
}

/// With the databases closed.
Result<void> RunningNode::repair(const std::string& why) {
  logging::warn("node_repairs_itself node={} why=\"{}\"", config_.node.self.value, why);
  if (auto noted = folder_->note_fault(why); !noted.ok()) return noted;
  if (auto repaired = repair_folder(*folder_, why, repair_seams()); !repaired.ok())
    return Error{repaired.error().code, why + "; " + repaired.error().message};
  return {};
}

RepairSeams RunningNode::repair_seams() const {
  const auto open = [this](RocksConfig::Role role, std::vector<std::string> tables, std::size_t buffer) {
    return [this, role, tables = std::move(tables),
            buffer](const std::string& path) -> Result<std::unique_ptr<KvStore>> {
      auto store = open_store(path, role, tables, buffer);
      if (!store.ok()) return store.error();
      return std::unique_ptr<KvStore>(std::move(store).value());
    };
  };
  return {open(RocksConfig::Role::log, LogStore::tables(), small_log_buffer),
          open(RocksConfig::Role::state, keys::table_names(), small_state_buffer)};
}

Result<void> RunningNode::start() {
  if (!config_.node.images)
    config_.node.images = make_image_resolver(config_.registries, config_.node.settings);
  if (auto opened = open_folder(); !opened.ok()) return opened;
  auto started = start_node();
  if (!started.ok() && started.error().code == ErrorCode::corrupt) {
    state_.reset();
    log_.reset();
    if (auto repaired = repair(started.error().message); !repaired.ok()) return repaired;
    started = start_node();
  }
  if (!started.ok()) return started;
  return serve_http();
}

Result<void> RunningNode::start_node() {
  if (auto cleaned = folder_->remove_leftovers(); !cleaned.ok()) return cleaned;
  auto log = open_store(folder_->log_path(), RocksConfig::Role::log, LogStore::tables(), small_log_buffer);
  if (!log.ok()) return log.error();
  log_ = std::move(log).value();
  auto state =
      open_store(folder_->state_path(), RocksConfig::Role::state, keys::table_names(), small_state_buffer);
  if (!state.ok()) return state.error();
  state_ = std::move(state).value();
  Random random = Random::from_system();
  config_.node.seed = random.next();
  config_.node.life = random.next();
  auto node = Node::start(config_.node, seams());
  if (!node.ok()) return node.error();
  node_ = std::move(node).value();
  return {};
}

// Asked on one of the node's own threads, which cannot end the node.
void RunningNode::install_soon() {
  await_install();
  installer_ = std::thread([this] { install(); });
}

void RunningNode::install() {
  const std::unique_lock lock(life_);
  node_.reset();
  state_.reset();
  log_.reset();
  auto done = folder_->switch_to_incoming();
  if (done.ok()) done = start_node();
  if (done.ok() || !config_.on_failure) return;
  config_.on_failure("the snapshot cannot be installed: " + done.error().message);
}

NodeSeams RunningNode::seams() {
  NodeSeams seams;
  seams.clock = &config_.faults->clock;
  seams.log = log_.get();
  seams.state = state_.get();
  seams.state_options.skipped = skipped_;
  seams.state_options.guard = deaths_.get();
  // A mark that cannot be written is found out again by the next report.
  seams.note_fault = [this](const std::string& why) { (void)folder_->note_fault(why); };
  seams.sign_audit = [this](const AuditHead& head, Instant now) {
    // The node's work does not hang on it: the next head stands for this one, too.
    if (auto done = signer_->sign(head, now); !done.ok())
      logging::warn("audit_head_not_written why=\"{}\"", done.error().message);
  };
  seams.open_hub = [this](net::LinkListener& listener) {
    net::HubConfig hub;
    hub.self = peer_name(config_.node.self);
    hub.cell = config_.node.cell;
    hub.listen_address = config_.peer_listen;
    hub.io_thread = config_.io_thread;
    hub.seed = config_.node.seed;
    hub.backoff_max = milliseconds(250);
    hub.wait_longer(config_.link_patience);
    const CuttableHub::Open open = [hub](net::LinkListener& inner) -> Result<std::unique_ptr<net::LinkHub>> {
      auto opened = net::open_hub(hub, inner);
      if (!opened.ok()) return opened.error();
      return std::unique_ptr<net::LinkHub>(std::move(opened).value());
    };
    return CuttableHub::open(open, listener, {config_.faults, &config_.faults->cuts}, CutLinks::look_alive);
  };
  seams.make_log_writer = [](LogStore& log, LogWriter::Done done) {
    return std::make_unique<ThreadLogWriter>(log, std::move(done));
  };
  seams.folder = &*folder_;
  seams.look = [](const std::string& folder) {
    RocksConfig rocks;
    rocks.path = folder;
    rocks.role = RocksConfig::Role::state;
    rocks.tables = keys::table_names();
    return open_rocks_read_only(rocks);
  };
  seams.on_snapshot = [this] { install_soon(); };
  seams.on_failure = config_.on_failure;
  return seams;
}

Result<void> RunningNode::serve_http() {
  auto listen = parse_host_port(config_.http_listen);
  if (!listen.ok()) return listen.error();
  http::ServerConfig server;
  server.address = listen.value().host;
  server.port = listen.value().port;
  server.io_thread = config_.http_thread;
  server.tls = config_.http_tls;
  server.on_tls_renewed = [node = config_.node.self.value](const Result<void>& renewed) {
    if (renewed.ok()) return logging::info("tls_renewed node={}", node);
    logging::error("tls_not_renewed node={} why=\"{}\"", node, renewed.error().message);
  };
  auto served = http::serve(server, [this](http::Request request, http::ReplyPtr reply) {
    const std::shared_lock lock(life_, std::try_to_lock);
    if (lock && node_) return node_->handle(std::move(request), std::move(reply));
    reply->send(http::error_response(
        {ErrorCode::unavailable, "this node is installing a snapshot; ask another one"}));
  });
  if (!served.ok()) return served.error();
  http_ = std::move(served).value();
  return {};
}

}  // namespace

Result<std::unique_ptr<RealNode>> RealNode::start(RealNodeConfig config) {
  auto node = std::make_unique<RunningNode>(std::move(config));
  if (auto started = node->start(); !started.ok()) return started.error();
  return std::unique_ptr<RealNode>(std::move(node));
}

Result<HostPort> parse_host_port(std::string_view text) {
  const Error bad{ErrorCode::invalid_argument, "'" + std::string(text) + "' is not host:port"};
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return bad;
  HostPort result{std::string(text.substr(0, colon)), 0};
  const std::string_view digits = text.substr(colon + 1);
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), result.port);
  if (problem != std::errc{} || end != digits.data() + digits.size()) return bad;
  return result;
}

}  // namespace troupe::embedded
