// What a registry or a folder says of an image, the names in its archives, and what the unpacker answers.

#include "actors/agent/images/image_documents.hpp"
#include "actors/agent/images/layer_check.hpp"
#include "actors/agent/images/unpack.hpp"
#include "actors/agent/oci/cgroup_plan.hpp"
#include "storage/base/msgpack.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace troupe;

namespace {

void check_documents(BytesView text) {
  if (const auto manifest = agent::parse_manifest(text); manifest.ok()) {
    fuzz::must(!manifest.value().layers.empty() && manifest.value().layers.size() <= agent::layers_max);
    for (const agent::BlobLink& layer : manifest.value().layers)
      fuzz::must(agent::is_sha256_digest(layer.digest));
  }
  if (const auto link = agent::choose_manifest(text, "v1"); link.ok())
    fuzz::must(agent::is_sha256_digest(link.value().digest));
  for (const std::size_t layers : {0U, 1U, 2U})
    if (const auto config = agent::parse_config(text, layers); config.ok())
      fuzz::must(config.value().diff_ids.size() == layers);
}

/// A name that is taken stays below its folder.
void check_names(BytesView text) {
  if (const auto name = agent::parse_image_name(text); name.ok()) {
    const std::string& path = name.value().name;
    fuzz::must(!path.empty() && path.front() != '/' && path.find("..") == std::string::npos);
    fuzz::must(name.value().tag.empty() != name.value().digest.empty());
  }
  if (const auto path = agent::clean_layer_path(text); path.ok()) {
    const std::string around = "/" + path.value() + "/";
    fuzz::must(path.value().empty() || path.value().front() != '/');
    fuzz::must(around.find("/../") == std::string::npos);
  }
  agent::LayerEntry entry;
  entry.path = text;
  agent::LayerCheck check{agent::LayerLimits{}};
  const auto step = check.take(entry);
  if (!step.ok() || step.value() != agent::LayerStep::whiteout) return;
  const std::string hidden = "/" + agent::whiteout_target(agent::clean_layer_path(text).value()) + "/";
  fuzz::must(hidden.find("/../") == std::string::npos && hidden.find("//") == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView bytes = fuzz::view(data, size);
  check_documents(bytes);
  check_names(bytes);
  (void)unpacked<agent::UnpackOutcome>(bytes);
  (void)agent::cgroup_layout(bytes, bytes);
  (void)agent::oom_kills_in(bytes);
  return 0;
}
