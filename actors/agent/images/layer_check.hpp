#pragma once
// What a layer's archive may contain. Pure: the unpacker asks before it writes anything.

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/result.hpp"

namespace troupe::agent {

struct LayerLimits {
  std::uint64_t bytes_max = 16ULL << 30;  ///< of all files, unpacked
  std::uint64_t entries_max = 1'000'000;
  std::uint64_t ratio_max = 250;  ///< unpacked to packed bytes ...
  std::uint64_t ratio_free_bytes = 256
                                   << 20;  ///< ... beyond this many unpacked ones: small zeros are harmless
};

struct LayerEntry {
  enum class Kind : std::uint8_t { file, folder, symlink, hardlink, fifo, device, other };
  std::string path;
  Kind kind = Kind::file;
  std::string target;       ///< of links
  std::uint64_t bytes = 0;  ///< as the archive claims
};

enum class LayerStep : std::uint8_t {
  write,     ///< as it is
  whiteout,  ///< hides the lower layers' entry of this name (see whiteout_target)
  opaque,    ///< hides all that lower layers have in its folder
};

/// The path that a whiteout ".wh.NAME" hides.
std::string whiteout_target(std::string_view path);
/// "a/b/c" of "./a//b/./c". Errors: invalid_argument: absolute, "..", empty, too long.
Result<std::string> clean_layer_path(std::string_view path);

/// One layer's; errors are invalid_argument and say which entry and why.
class LayerCheck {
 public:
  explicit LayerCheck(const LayerLimits& limits) : limits_(limits) {}
  Result<LayerStep> take(const LayerEntry& entry);
  /// So far, of the archive's stream itself.
  Result<void> flowed(std::uint64_t packed_bytes, std::uint64_t unpacked_bytes) const;

 private:
  LayerLimits limits_;
  std::uint64_t entries_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace troupe::agent
