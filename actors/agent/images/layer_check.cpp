#include "actors/agent/images/layer_check.hpp"

namespace troupe::agent {
namespace {

constexpr std::size_t path_bytes_max = 4'000;  // Linux takes 4,095 with whatever goes before
constexpr std::size_t component_bytes_max = 255;
constexpr std::string_view whiteout_prefix = ".wh.";
constexpr std::string_view opaque_name = ".wh..wh..opq";
constexpr std::size_t shown_bytes_max = 128;

Error refusal(std::string_view path, const std::string& why) {
  return {ErrorCode::invalid_argument, "'" + std::string(path.substr(0, shown_bytes_max)) + "' " + why};
}

std::string_view last_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace

std::string whiteout_target(std::string_view path) {
  const std::string_view name = last_name(path);
  return std::string(path.substr(0, path.size() - name.size())) +
         std::string(name.substr(whiteout_prefix.size()));
}

Result<std::string> clean_layer_path(std::string_view path) {
  if (path.empty()) return refusal(path, "is an empty path");
  if (path.front() == '/') return refusal(path, "is an absolute path");
  if (path.size() > path_bytes_max) return refusal(path, "is too long a path");
  std::string clean;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view part = path.substr(at, end - at);
    at = end + 1;
    if (part.empty() || part == ".") continue;
    if (part == "..") return refusal(path, "leads out of the layer");
    if (part.size() > component_bytes_max) return refusal(path, "has too long a name");
    clean.append(clean.empty() ? "" : "/").append(part);
  }
  return clean;
}

Result<LayerStep> LayerCheck::take(const LayerEntry& entry) {
  using Kind = LayerEntry::Kind;
  if (++entries_ > limits_.entries_max)
    return refusal(entry.path,
                   "is one entry more than the " + std::to_string(limits_.entries_max) + " allowed");
  auto path = clean_layer_path(entry.path);
  if (!path.ok()) return path.error();
  if (entry.kind == Kind::device) return refusal(entry.path, "is a device node");
  if (entry.kind == Kind::other) return refusal(entry.path, "is of a kind that no container needs");
  if (entry.kind == Kind::hardlink) {
    const auto target = clean_layer_path(entry.target);
    if (!target.ok()) return refusal(entry.path, "is a hard link: " + target.error().message);
    if (target.value().empty()) return refusal(entry.path, "is a hard link to the layer's root");
  }
  if (entry.kind == Kind::symlink && (entry.target.empty() || entry.target.size() > path_bytes_max))
    return refusal(entry.path, "is a symbolic link without a possible target");
  if (path.value().empty() && entry.kind != Kind::folder)
    return refusal(entry.path, "replaces the layer's root");
  bytes_ += entry.bytes;
  if (entry.bytes > limits_.bytes_max || bytes_ > limits_.bytes_max)
    return refusal(entry.path, "makes the layer larger than " + std::to_string(limits_.bytes_max) + " bytes");
  const std::string_view name = last_name(path.value());
  if (name == opaque_name) return LayerStep::opaque;
  if (!name.starts_with(whiteout_prefix)) return LayerStep::write;
  const std::string_view hidden = name.substr(whiteout_prefix.size());
  if (hidden.empty() || hidden == "." || hidden == ".." || hidden.starts_with(whiteout_prefix))
    return refusal(entry.path, "is no whiteout that anybody defines");
  return LayerStep::whiteout;
}

Result<void> LayerCheck::flowed(std::uint64_t packed_bytes, std::uint64_t unpacked_bytes) const {
  // An archive's own padding and headers are part of the stream: twice the files' limit is beyond doubt.
  if (unpacked_bytes / 2 > limits_.bytes_max)
    return Error{ErrorCode::invalid_argument, "its stream is larger than a layer of " +
                                                  std::to_string(limits_.bytes_max) + " bytes can be"};
  if (unpacked_bytes > limits_.ratio_free_bytes && unpacked_bytes / limits_.ratio_max > packed_bytes)
    return Error{ErrorCode::invalid_argument,
                 "it grows to more than " + std::to_string(limits_.ratio_max) + " times its packed size"};
  return {};
}

}  // namespace troupe::agent
