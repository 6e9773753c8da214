#include "cmd/embedded/audit_signer.hpp"

#include <sys/stat.h>

#include "actors/runtime/logging.hpp"

namespace troupe::embedded {
namespace {

constexpr std::size_t key_file_bytes_max = 256;
constexpr std::string_view key_name = "audit.key";
constexpr std::string_view heads_name = "audit.heads";

std::string_view without_line_end(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

}  // namespace

Result<AuditSigner> AuditSigner::open(FileDoor& files, std::string folder, NodeId node, std::string cell) {
  const std::string path = folder + '/' + std::string(key_name);
  const auto there = read_small_file(files, path, key_file_bytes_max);
  if (!there.ok() && there.error().code != ErrorCode::not_found) return there.error();
  auto key = there.ok() ? SigningKey::of_secret(without_line_end(there.value())) : SigningKey::make();
  if (!key.ok()) return Error{ErrorCode::corrupt, path + ": " + key.error().message};
  if (!there.ok()) {
    // Nobody else may read it, not even for a moment: made so before anything is in it.
    const mode_t before = umask(0077);
    auto written = replace_small_file(files, folder, std::string(key_name), key.value().secret() + '\n');
    umask(before);
    if (!written.ok()) return written.error();
  }
  if (auto written = replace_small_file(files, folder, "audit.pub", key.value().public_key() + '\n');
      !written.ok())
    return written.error();
  return AuditSigner(files, std::move(folder), node, std::move(cell), std::move(key).value());
}

Result<void> AuditSigner::sign(const AuditHead& head, Instant now) {
  const std::string line = line_of(key_.sign({head.last, head.chain, now, node_, cell_, {}}));
  logging::info("audit_head {}", line);
  const std::string heads = path(heads_name);
  auto size = files_->size_of(heads);
  if (!size.ok() && size.error().code != ErrorCode::not_found) return size.error();
  std::uint64_t end = size.ok() ? size.value() : 0;
  if (end > heads_bytes_max) {
    if (auto moved = files_->rename(heads, heads + ".1"); !moved.ok()) return moved;
    end = 0;
  }
  if (auto written = files_->write(heads, end, line + '\n'); !written.ok()) return written;
  return files_->sync(heads);
}

}  // namespace troupe::embedded
