#include "storage/model/audit_sign.hpp"

#include <openssl/evp.h>

#include <array>
#include <charconv>
#include <vector>

#include "storage/base/check.hpp"
#include "storage/base/hex.hpp"

namespace troupe {
namespace {

constexpr std::size_t key_bytes = 32;
constexpr std::size_t signature_bytes = 64;
constexpr std::size_t parts_of_line = 6;

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// Empty: it is not so many bytes in hex.
std::vector<unsigned char> bytes_of(std::string_view hex, std::size_t size) {
  std::vector<unsigned char> bytes;
  if (hex.size() != 2 * size) return bytes;
  for (std::size_t n = 0; n < hex.size(); n += 2) {
    const int high = digit_of(hex[n]), low = digit_of(hex[n + 1]);
    if (high < 0 || low < 0) return {};
    bytes.push_back(static_cast<unsigned char>(high * 16 + low));
  }
  return bytes;
}

Key private_key(std::string_view secret) {
  const auto bytes = bytes_of(secret, key_bytes);
  if (bytes.empty()) return {nullptr, EVP_PKEY_free};
  return {EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes.data(), bytes.size()), EVP_PKEY_free};
}

/// What is signed.
std::string claim_of(const SignedHead& head) {
  return std::to_string(head.ordinal) + ' ' + head.chain + ' ' + std::to_string(head.at.ms) + ' ' +
         to_text(head.node) + ' ' + head.cell;
}

const unsigned char* raw(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

template <class Number>
bool take_number(std::string_view text, Number& number) {
  const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  return fault == std::errc{} && stop == text.data() + text.size();
}

}  // namespace

std::string line_of(const SignedHead& head) { return claim_of(head) + ' ' + head.signature; }

Result<SignedHead> parse_signed_head(std::string_view line) {
  std::vector<std::string_view> parts;
  for (std::string_view rest = line;;) {
    const auto space = rest.find(' ');
    parts.push_back(rest.substr(0, space));
    if (space == std::string_view::npos) break;
    rest.remove_prefix(space + 1);
  }
  SignedHead head;
  const bool is_one = parts.size() == parts_of_line && take_number(parts[0], head.ordinal) &&
                      take_number(parts[2], head.at.ms) && take_number(parts[3], head.node.value);
  if (!is_one) return Error{ErrorCode::invalid_argument, "this is no signed head"};
  head.chain = parts[1];
  head.cell = parts[4];
  head.signature = parts[5];
  return head;
}

Result<SigningKey> SigningKey::make() {
  EVP_PKEY* made = nullptr;
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, nullptr), EVP_PKEY_CTX_free);
  if (!context || EVP_PKEY_keygen_init(context.get()) != 1 || EVP_PKEY_keygen(context.get(), &made) != 1)
    return Error{ErrorCode::io, "no key could be made"};
  const Key key(made, EVP_PKEY_free);
  std::array<unsigned char, key_bytes> secret{};
  std::size_t size = secret.size();
  if (EVP_PKEY_get_raw_private_key(key.get(), secret.data(), &size) != 1)
    return Error{ErrorCode::io, "no key could be made"};
  return SigningKey(hex_of(secret));
}

Result<SigningKey> SigningKey::of_secret(std::string_view hex) {
  if (!private_key(hex)) return Error{ErrorCode::invalid_argument, "this is no signing key"};
  return SigningKey(std::string(hex));
}

std::string SigningKey::public_key() const {
  std::array<unsigned char, key_bytes> bytes{};
  std::size_t size = bytes.size();
  TROUPE_CHECK(EVP_PKEY_get_raw_public_key(private_key(secret_).get(), bytes.data(), &size) == 1);
  return hex_of(bytes);
}

SignedHead SigningKey::sign(SignedHead head) const {
  const std::string claim = claim_of(head);
  const Key key = private_key(secret_);
  const Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  std::array<unsigned char, signature_bytes> signature{};
  std::size_t size = signature.size();
  TROUPE_CHECK(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1);
  TROUPE_CHECK(EVP_DigestSign(context.get(), signature.data(), &size, raw(claim), claim.size()) == 1);
  head.signature = hex_of(signature);
  return head;
}

bool is_signed(const SignedHead& head, std::string_view public_key) {
  const auto bytes = bytes_of(public_key, key_bytes);
  const auto signature = bytes_of(head.signature, signature_bytes);
  if (bytes.empty() || signature.empty()) return false;
  const Key key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes.data(), bytes.size()),
                EVP_PKEY_free);
  const Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  const std::string claim = claim_of(head);
  return key && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), raw(claim), claim.size()) == 1;
}

}  // namespace troupe
