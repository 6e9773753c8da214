#pragma once
// One layer from its packed stream to a folder: the work of `troupe-unpack`, a process of its own that can
// reach nothing but that folder, and the caller's side of it.

#include <string>
#include <vector>

#include "actors/agent/images/layer_check.hpp"
#include "storage/base/fields.hpp"

namespace troupe::agent {

struct UnpackOrder {
  std::string helper;       ///< absolute path of troupe-unpack
  std::string folder;       ///< exists and is empty
  int blob_fd = -1;         ///< the packed stream
  std::string blob_digest;  ///< of the packed stream: gzip, zstd or plain tar
  std::string diff_id;      ///< of the unpacked one
  LayerLimits limits;
};

/// What the helper says when it ends.
struct UnpackOutcome {
  std::string refusal;              ///< why the layer is not taken; empty: it is
  bool is_hosts_fault = false;      ///< of a refusal: the disk, not the image
  std::uint64_t bytes = 0;          ///< of all files
  std::vector<std::string> opaque;  ///< folders that hide those of lower layers, relative
  static constexpr auto fields() {
    using O = UnpackOutcome;
    return field_list(field("refusal", &O::refusal), field("is_hosts_fault", &O::is_hosts_fault),
                      field("bytes", &O::bytes), field("opaque", &O::opaque));
  }
};
constexpr std::size_t unpack_outcome_bytes_max = 16 << 20;

/// Blocks until the layer is in its folder, marked for overlay. Errors: invalid_argument (the image's fault,
/// with the reason), io. On an error the folder holds rubbish.
Result<UnpackOutcome> unpack_layer(const UnpackOrder& order);
/// Inside the helper: stdin is the blob, the working directory the folder, stdout takes the outcome.
int run_unpack(int argc, char** argv);

}  // namespace troupe::agent
