#pragma once

#include <optional>
#include <string>

#include "storage/kv/file_door.hpp"
#include "storage/model/audit_sign.hpp"

namespace troupe::embedded {

/// Signs heads of the audit: a line each in the log and in a file of the node's folder, from where they are
/// carried outside the cell. The key is made at the first start and stays with the folder. One thread at a
/// time.
///
///   audit.key    the secret, mode 0600
///   audit.pub    the public key, for `troupe audit verify --key`
///   audit.heads  signed heads, the oldest first; beyond `heads_bytes_max` it becomes audit.heads.1
class AuditSigner {
 public:
  static constexpr std::uint64_t heads_bytes_max = 16 * 1024 * 1024;

  /// Errors: io, corrupt (the key's file is none).
  static Result<AuditSigner> open(FileDoor& files, std::string folder, NodeId node, std::string cell);
  /// Errors: io.
  Result<void> sign(const AuditHead& head, Instant now);

 private:
  AuditSigner(FileDoor& files, std::string folder, NodeId node, std::string cell, SigningKey key)
      : files_(&files),
        folder_(std::move(folder)),
        node_(node),
        cell_(std::move(cell)),
        key_(std::move(key)) {}
  std::string path(std::string_view name) const { return folder_ + '/' + std::string(name); }

  FileDoor* files_;
  std::string folder_;
  NodeId node_;
  std::string cell_;
  SigningKey key_;
};

}  // namespace troupe::embedded
