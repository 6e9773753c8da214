#include "actors/agent/images/image_documents.hpp"

#include <algorithm>

#include "net/json/value.hpp"

namespace troupe::agent {
namespace {

using json::Value;
constexpr std::string_view digest_prefix = "sha256:";
constexpr std::size_t digest_hex_digits = 64;
constexpr std::size_t name_bytes_max = 255;
#if defined(__aarch64__)
constexpr std::string_view architecture = "arm64";
#else
constexpr std::string_view architecture = "amd64";
#endif
constexpr std::string_view reference_annotation = "org.opencontainers.image.ref.name";

Error bad(const std::string& what) { return {ErrorCode::invalid_argument, "the image's " + what}; }

std::string text_of(const Value* value) { return value && value->text() ? *value->text() : std::string(); }

Result<Value> read_json(std::string_view text, const char* what) {
  if (text.size() > document_bytes_max) return bad(std::string(what) + " is too large");
  auto parsed = json::parse(text);
  if (!parsed.ok()) return bad(std::string(what) + " is no JSON: " + parsed.error().message);
  if (!parsed.value().object()) return bad(std::string(what) + " is no object");
  return parsed;
}

Result<BlobLink> read_link(const Value* value, const char* what) {
  if (!value || !value->object()) return bad(std::string(what) + " is missing");
  BlobLink link;
  link.media_type = text_of(value->find("mediaType"));
  link.digest = text_of(value->find("digest"));
  if (!is_sha256_digest(link.digest)) return bad(std::string(what) + " has no sha256 digest");
  const Value* size = value->find("size");
  if (!size || !size->integer() || *size->integer() < 0) return bad(std::string(what) + " has no size");
  link.size = static_cast<std::uint64_t>(*size->integer());
  return link;
}

/// Absent or null: empty. Errors: anything but a list of strings.
Result<std::vector<std::string>> read_words(const Value* value, const char* what) {
  std::vector<std::string> words;
  if (!value || value->is_null()) return words;
  if (!value->array()) return bad(std::string(what) + " is no list");
  for (const Value& item : *value->array()) {
    if (!item.text()) return bad(std::string(what) + " holds something that is no string");
    words.push_back(*item.text());
  }
  return words;
}

bool is_for_this_machine(const Value& entry) {
  const Value* platform = entry.find("platform");
  if (!platform || !platform->object()) return true;
  return text_of(platform->find("os")) == "linux" && text_of(platform->find("architecture")) == architecture;
}

bool has_reference(const Value& entry, std::string_view tag) {
  const Value* annotations = entry.find("annotations");
  return tag.empty() || (annotations && text_of(annotations->find(reference_annotation)) == tag);
}

bool is_name(std::string_view text) {
  if (text.empty() || text.size() > name_bytes_max || text.find("..") != std::string_view::npos) return false;
  if (text.front() == '/' || text.back() == '/') return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '/' || c == '_' || c == '-' || c == ':';
  });
}

}  // namespace

bool is_sha256_digest(std::string_view text) {
  if (!text.starts_with(digest_prefix) || text.size() != digest_prefix.size() + digest_hex_digits)
    return false;
  return std::all_of(text.begin() + digest_prefix.size(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string_view digest_hex(std::string_view digest) { return digest.substr(digest_prefix.size()); }

Result<ImageName> parse_image_name(std::string_view text) {
  ImageName name;
  const Error wrong{ErrorCode::invalid_argument,
                    "'" + std::string(text.substr(0, 128)) + "' is no image: name:tag or name@sha256:..."};
  if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
    name.name = text.substr(0, at);
    name.digest = text.substr(at + 1);
    if (!is_sha256_digest(name.digest)) return wrong;
  } else {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return wrong;
    name.name = text.substr(0, colon);
    name.tag = text.substr(colon + 1);
    if (!is_name(name.tag) || name.tag.find('/') != std::string::npos) return wrong;
  }
  if (!is_name(name.name)) return wrong;
  return name;
}

bool is_index(std::string_view media_type) {
  return media_type == "application/vnd.oci.image.index.v1+json" ||
         media_type == "application/vnd.docker.distribution.manifest.list.v2+json";
}

Result<BlobLink> choose_manifest(std::string_view index, std::string_view tag) {
  auto parsed = read_json(index, "index");
  if (!parsed.ok()) return parsed.error();
  const Value* manifests = parsed.value().find("manifests");
  if (!manifests || !manifests->array()) return bad("index has no manifests");
  for (const Value& entry : *manifests->array())
    if (has_reference(entry, tag) && is_for_this_machine(entry)) return read_link(&entry, "manifest");
  return Error{ErrorCode::not_found, tag.empty() ? "the image is not for this kind of machine"
                                                 : "the image has no tag '" + std::string(tag) + "'"};
}

Result<ImageManifest> parse_manifest(std::string_view text) {
  auto parsed = read_json(text, "manifest");
  if (!parsed.ok()) return parsed.error();
  auto config = read_link(parsed.value().find("config"), "configuration");
  if (!config.ok()) return config.error();
  ImageManifest manifest{config.value(), {}};
  const Value* layers = parsed.value().find("layers");
  if (!layers || !layers->array()) return bad("manifest has no layers");
  if (layers->array()->empty()) return bad("manifest has no layer");
  if (layers->array()->size() > layers_max)
    return bad("manifest has more than " + std::to_string(layers_max) + " layers");
  for (const Value& entry : *layers->array()) {
    auto layer = read_link(&entry, "layer");
    if (!layer.ok()) return layer.error();
    manifest.layers.push_back(std::move(layer).value());
  }
  return manifest;
}

Result<ImageConfig> parse_config(std::string_view text, std::size_t layers) {
  auto parsed = read_json(text, "configuration");
  if (!parsed.ok()) return parsed.error();
  ImageConfig config;
  const Value* root = parsed.value().find("rootfs");
  auto diff_ids = read_words(root ? root->find("diff_ids") : nullptr, "list of layer digests");
  if (!diff_ids.ok()) return diff_ids.error();
  config.diff_ids = std::move(diff_ids).value();
  if (config.diff_ids.size() != layers)
    return bad("configuration and manifest differ in the number of layers");
  for (const std::string& id : config.diff_ids)
    if (!is_sha256_digest(id)) return bad("configuration names a layer by no sha256 digest");
  const Value* run = parsed.value().find("config");
  if (!run || !run->object()) return config;
  const std::pair<const char*, std::vector<std::string>*> lists[] = {
      {"Env", &config.env}, {"Entrypoint", &config.entry_point}, {"Cmd", &config.command}};
  for (const auto& [name, target] : lists) {
    auto words = read_words(run->find(name), name);
    if (!words.ok()) return words.error();
    for (const std::string& word : words.value())
      if (word.find('\0') != std::string::npos) return bad("configuration holds a NUL byte");
    *target = std::move(words).value();
  }
  config.folder = text_of(run->find("WorkingDir"));
  config.user = text_of(run->find("User"));
  return config;
}

}  // namespace troupe::agent
