#include "cmd/troupe/backup_commands.hpp"

#include <ostream>

#include "cmd/troupe/cli_error.hpp"
#include "cmd/troupe/cli_nodes.hpp"
#include "cmd/troupe/cli_table.hpp"
#include "cmd/troupe/cli_value.hpp"
#include "net/json/writer.hpp"
#include "storage/kv/rocks_store.hpp"
#include "storage/log/log_store.hpp"
#include "storage/snapshot/backup_fetch.hpp"
#include "storage/state/keys.hpp"

namespace troupe::cli {
namespace {

constexpr std::string_view snapshots_url = "/api/v3/cell/snapshots";
/// Taking one reads the whole state of the node, and nothing is heard meanwhile.
constexpr milliseconds take_timeout{120'000};
/// How often one piece is asked for: a node may be busy for a moment.
constexpr int piece_attempts_max = 5;
constexpr milliseconds piece_pause{500};

Error said_error(const http::Response& response) {
  const auto body = json::parse(response.body);
  Error error{response.status == 404 ? ErrorCode::not_found : ErrorCode::unavailable,
              "the node answered " + std::to_string(response.status)};
  if (!body.ok()) return error;
  if (const auto code = code_from_text(text_at(body.value(), "code"))) error.code = *code;
  if (auto message = text_at(body.value(), "message"); !message.empty()) error.message = std::move(message);
  return error;
}

/// One snapshot of one node, let go at the end.
class NodeSnapshot final : public BackupSource {
 public:
  NodeSnapshot(Context& context, http::ClientConfig config)
      : context_(context), client_(std::move(config)), id_(new_key()) {}
  ~NodeSnapshot() override {
    // If this is lost, the node lets go of it when nobody has read it for a minute.
    if (taken_) (void)client_.call("DELETE", url(), {}, headers());
  }
  NodeSnapshot(const NodeSnapshot&) = delete;
  NodeSnapshot& operator=(const NodeSnapshot&) = delete;

  /// What the node says of it, as JSON.
  Result<Bytes> take() {
    auto headers = this->headers();
    headers.emplace("idempotency-key", id_);
    taken_ = true;  // Also when the answer is lost.
    return answered([&] { return client_.call("POST", snapshots_url, {}, headers); });
  }
  Result<Bytes> manifest() override {
    return answered([&] { return client_.call("GET", url(), {}, headers()); });
  }
  Result<Bytes> read(const SnapshotFile& file, std::uint64_t offset, std::size_t size) override {
    if (size == 0) return Bytes();
    const std::string target = url() + "/files/" + url_text(file.name) + "?offset=" + std::to_string(offset) +
                               "&limit=" + std::to_string(size);
    return answered([&] { return client_.call("GET", target, {}, headers()); });
  }

 private:
  std::string url() const { return std::string(snapshots_url) + '/' + url_text(id_); }
  http::Headers headers() const { return headers_of(context_.options); }
  template <class Call>
  Result<Bytes> answered(Call call) {
    for (int attempt = 1;; ++attempt) {
      Result<http::Response> response = call();
      if (response.ok() && response.value().status == 200) return std::move(response.value().body);
      Error error = response.ok() ? said_error(response.value()) : response.error();
      if (attempt == piece_attempts_max || retry_class(error.code) == Retry::never) return error;
      context_.io.pause(piece_pause);
    }
  }

  Context& context_;
  http::Client client_;
  const std::string id_;
  bool taken_ = false;
};

Result<std::unique_ptr<NodeSnapshot>> snapshot_of(Context& context, std::uint32_t node) {
  const auto address = address_of(context, node);
  if (!address.ok()) return address.error();
  auto config = config_of(address.value());
  if (!config.ok()) return config.error();
  config.value().timeout = take_timeout;
  config.value().tls = context.options.tls;
  return std::make_unique<NodeSnapshot>(context, std::move(config).value());
}

void print_manifest(Context& context, const SnapshotManifest& manifest, const std::string& folder) {
  if (context.options.wants_json) {
    json::Writer writer;
    writer.begin_object();
    const auto text = [&](std::string_view key, const std::string& value) {
      writer.key(key);
      writer.text(value);
    };
    text("folder", folder);
    text("cell", manifest.cell);
    text("index", to_text(manifest.index));
    text("term", to_text(manifest.term));
    text("bytes", std::to_string(manifest.bytes()));
    writer.key("files");
    writer.uint(manifest.files.size());
    writer.end_object();
    return print_json(context, writer.take());
  }
  Sheet sheet;
  sheet.add("folder", folder);
  sheet.add("cell", manifest.cell);
  sheet.add("index", to_text(manifest.index));
  sheet.add("term", to_text(manifest.term));
  sheet.add("bytes", std::to_string(manifest.bytes()));
  sheet.add("files", std::to_string(manifest.files.size()));
  sheet.print(context.io.out);
}

RestoreSeams real_seams() {
  return {
      [](const std::string& path) {
        return open_rocks({.path = path, .role = RocksConfig::Role::state, .tables = keys::table_names()});
      },
      [](const std::string& path) {
        return open_rocks({.path = path, .role = RocksConfig::Role::log, .tables = LogStore::tables()});
      }};
}

}  // namespace

int cell_snapshot(Context& context, const SnapshotTake& args) {
  auto snapshot = snapshot_of(context, args.node);
  if (!snapshot.ok()) return report(context.io.err, snapshot.error());
  const auto told = snapshot.value()->take();
  if (!told.ok()) return report(context.io.err, told.error());
  if (context.options.wants_json) {
    print_json(context, told.value());
    return exit_ok;
  }
  const auto value = json::parse(told.value());
  if (!value.ok()) return report(context.io.err, {ErrorCode::internal, "the node's answer is no JSON"});
  Sheet sheet;
  for (const char* name : {"node", "cell", "index", "term", "bytes", "files"})
    sheet.add(name, text_at(value.value(), name));
  sheet.print(context.io.out);
  return exit_ok;
}

int cell_backup(Context& context, const Backup& args) {
  auto snapshot = snapshot_of(context, args.node);
  if (!snapshot.ok()) return report(context.io.err, snapshot.error());
  if (const auto taken = snapshot.value()->take(); !taken.ok()) return report(context.io.err, taken.error());
  const auto fetched = fetch_backup(system_files(), *snapshot.value(), args.folder);
  if (!fetched.ok()) return report(context.io.err, fetched.error());
  print_manifest(context, fetched.value(), args.folder);
  return exit_ok;
}

int cell_restore(Context& context, const Restore& args) {
  const auto restored =
      restore_backup(system_files(), args.backup, args.folder, NodeId{args.node}, real_seams(), args.cell);
  if (!restored.ok()) return report(context.io.err, restored.error());
  print_manifest(context, restored.value(), args.folder);
  return exit_ok;
}

}  // namespace troupe::cli
