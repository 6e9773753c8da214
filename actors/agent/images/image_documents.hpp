#pragma once
// The JSON documents of an OCI image (image specification 1.0, Docker's schema 2 alike), read strictly where
// something follows from them and leniently elsewhere. Pure; what they say is hostile until checked here.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/fields.hpp"
#include "storage/base/result.hpp"

namespace troupe::agent {

constexpr std::size_t document_bytes_max = 4 << 20;  ///< as registries limit manifests
constexpr std::size_t layers_max = 127;              ///< as other runtimes limit them

/// "sha256:" and 64 lower-case hex digits. Anything else is refused: it becomes a file's name.
bool is_sha256_digest(std::string_view text);
/// The hex part.
std::string_view digest_hex(std::string_view digest);

/// "name:tag" or "name@digest".
struct ImageName {
  std::string name, tag, digest;  ///< either tag or digest
  friend bool operator==(const ImageName&, const ImageName&) = default;
};
/// Errors: invalid_argument.
Result<ImageName> parse_image_name(std::string_view text);

struct BlobLink {
  std::string media_type, digest;
  std::uint64_t size = 0;
  static constexpr auto fields() {
    return field_list(field("media_type", &BlobLink::media_type), field("digest", &BlobLink::digest),
                      field("size", &BlobLink::size));
  }
  friend bool operator==(const BlobLink&, const BlobLink&) = default;
};

struct ImageManifest {
  BlobLink config;
  std::vector<BlobLink> layers;  ///< lowest first
};

struct ImageConfig {
  std::vector<std::string> env, entry_point, command;
  std::string folder, user;
  std::vector<std::string> diff_ids;  ///< of the layers, unpacked; lowest first
  static constexpr auto fields() {
    using C = ImageConfig;
    return field_list(field("env", &C::env), field("entry_point", &C::entry_point),
                      field("command", &C::command), field("folder", &C::folder), field("user", &C::user),
                      field("diff_ids", &C::diff_ids));
  }
};

/// An index (list of manifests): the one for this machine, and with a tag the one of that reference name.
/// Errors: not_found, invalid_argument.
Result<BlobLink> choose_manifest(std::string_view index, std::string_view tag);
bool is_index(std::string_view media_type);
/// Errors: invalid_argument.
Result<ImageManifest> parse_manifest(std::string_view text);
/// As many layers as the manifest has. Errors: invalid_argument.
Result<ImageConfig> parse_config(std::string_view text, std::size_t layers);

}  // namespace troupe::agent
