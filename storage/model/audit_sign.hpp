#pragma once
// Heads of the audit's chain, signed by the nodes' keys and kept outside the cell: whoever rewrites an entry
// and all later hashes cannot sign anew what was signed before.

#include <memory>
#include <string>
#include <string_view>

#include "storage/base/result.hpp"
#include "storage/model/records.hpp"

namespace troupe {

struct SignedHead {
  std::uint64_t ordinal = 0;  ///< of the last entry
  std::string chain;          ///< up to it
  Instant at;                 ///< the node's time
  NodeId node;
  std::string cell;
  std::string signature;  ///< Ed25519 over the line before it, in hex
};

/// "ORDINAL CHAIN MS NODE CELL SIGNATURE", without its line end.
std::string line_of(const SignedHead& head);
/// Error: invalid_argument. The signature is not looked at.
Result<SignedHead> parse_signed_head(std::string_view line);

/// An Ed25519 key. A copyable value.
class SigningKey {
 public:
  /// A new one, from the system's randomness. Errors: io.
  static Result<SigningKey> make();
  /// As `secret()` gave it. Errors: invalid_argument.
  static Result<SigningKey> of_secret(std::string_view hex);
  std::string secret() const { return secret_; }  ///< 64 hexadecimal digits
  std::string public_key() const;                 ///< likewise
  SignedHead sign(SignedHead head) const;

 private:
  explicit SigningKey(std::string secret) : secret_(std::move(secret)) {}
  std::string secret_;
};

/// By the owner of that public key?
bool is_signed(const SignedHead& head, std::string_view public_key);

}  // namespace troupe
