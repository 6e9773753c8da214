#pragma once
// A host's images: layers unpacked once and shared by all containers.
//
//   layers/HEX/fs      one layer, HEX of its diff id; appears whole or not at all
//   layers/HEX/bytes   what it takes; touched at each use
//   layers/HEX.tmp-N   being unpacked; rubbish after a crash
//   images/HEX         ImageConfig of the image of that manifest digest: all its layers were here once
//   names/HEX          the manifest digest that a name:tag had last; HEX of the name's sha256

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "actors/agent/images/image_source.hpp"
#include "actors/agent/images/unpack.hpp"

namespace troupe::agent {

struct ImageStoreConfig {
  std::string folder;  ///< its own; made if missing, closed to others: layers hold foreign set-user-id files
  std::string helper;  ///< absolute path of troupe-unpack
  LayerLimits limits;
  std::uint64_t bytes_high = 20ULL << 30;  ///< beyond this unused layers go, the longest unused first ...
  std::uint64_t bytes_low = 15ULL << 30;   ///< ... until this is left
  std::size_t layers_at_once = 3;          ///< of one image: fetched and unpacked in parallel
};

struct ReadyImage {
  std::string digest;  ///< of the manifest
  ImageConfig config;
  std::vector<std::string> layers;  ///< folders, lowest first
  bool was_fetched = false;         ///< something came to this host for it: a trim may be due
};

/// Calls may block for as long as an image takes and come from several threads; one image is fetched at a
/// time, and those that are here do not wait for it. A call ends soon after its image is no longer wanted,
/// but for layers that are being unpacked. Survives a crash: what is in place is whole, and was verified
/// against its digest when it came. Pins do not survive: whoever adopts containers pins again.
class ImageStore {
 public:
  ImageStore(ImageStoreConfig config, ImageSource& source) : config_(std::move(config)), source_(source) {}
  /// Makes the folders and drops what a crash left half done. Errors: io.
  Result<void> open();
  /// The image's layers, fetched if they are not here, and pinned for the caller. By digest nobody is asked
  /// for an image that is here. By tag its source is asked each time, and waited for only briefly if this
  /// host has resolved the tag before: then the last digest counts. Errors: invalid_argument (the image's
  /// fault, with the reason), not_found, unavailable, io, corrupt, or what `wanted` says (see Pull).
  Result<ReadyImage> ensure(const std::string& image, std::function<Result<void>()> wanted);
  Result<ReadyImage> ensure(const std::string& image) {
    return ensure(image, [] { return Result<void>(); });
  }
  /// Layer folders that a container uses: not deleted until they are unpinned as often.
  void pin(const std::vector<std::string>& layers);
  void unpin(const std::vector<std::string>& layers);
  /// Deletes unpinned layers by the water marks. Returns how many bytes are left.
  std::uint64_t trim();

 private:
  Result<std::string> manifest_digest(const ImageName& name, const std::string& image, Pull& pull);
  Result<void> fetch(const ImageName& name, const std::string& digest, Pull& pull);
  Result<ImageManifest> manifest_of(const ImageName& name, const std::string& digest, Pull& pull);
  Result<std::string> document(const ImageName& name, const BlobWish& wish, Pull& pull);
  Result<void> fetch_layers(const ImageName& name, const ImageManifest& manifest, const ImageConfig& config,
                            Pull& pull);
  Result<ReadyImage> pinned_if_here(const std::string& digest);
  Result<ReadyImage> known(const std::string& digest);
  Result<void> fetch_layer(const ImageName& name, const BlobLink& blob, const std::string& diff_id,
                           Pull& pull);
  std::string layer_folder(const std::string& diff_id) const;

  ImageStoreConfig config_;
  ImageSource& source_;
  std::timed_mutex fetching_;   ///< one fetch, or a trim; taken before deleting_
  std::shared_mutex deleting_;  ///< shared: looks for an image and pins it
  std::mutex names_;
  std::mutex pins_mutex_;
  std::map<std::string, std::size_t> pins_;
  std::atomic<std::uint64_t> next_temporary_ = 1;
};

}  // namespace troupe::agent
