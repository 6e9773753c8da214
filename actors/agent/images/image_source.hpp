#pragma once
// Where images come from.

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "actors/agent/images/image_documents.hpp"
#include "actors/agent/images/registry_backoff.hpp"
#include "actors/agent/process_tree.hpp"

namespace troupe::agent {

/// One image on its way to this host: who waits for it, and how long it may take.
struct Pull {
  /// An error when nobody waits any more; it becomes the pull's. Asked often, from several threads.
  std::function<Result<void>()> wanted = [] { return Result<void>(); };
  enum class Patience : std::uint8_t {
    brief,  ///< one attempt and a short time-out: there is something to fall back to
    full,
  };
  Patience patience = Patience::full;
  std::optional<PullBudget> budget{};  ///< the source's, under its lock
};

/// What is wanted of an image's name.
struct BlobWish {
  enum class Kind : std::uint8_t { manifest, config, layer };
  Kind kind = Kind::manifest;
  std::string digest;
  std::optional<std::uint64_t> size{};  ///< as its manifest says
};

/// Calls may block and come from several threads. What they give is not verified: digests are the caller's
/// business.
class ImageSource {
 public:
  virtual ~ImageSource() = default;
  /// The manifest's digest (or an index's) of a name with a tag. Errors: not_found, invalid_argument, io,
  /// unavailable, or what `wanted` says.
  virtual Result<BlobLink> resolve(const ImageName& name, Pull& pull) = 0;
  /// A descriptor that yields the blob's bytes to its end. Errors: not_found, invalid_argument, corrupt, io,
  /// unavailable, or what `wanted` says.
  virtual Result<Fd> open_blob(const ImageName& name, const BlobWish& wish, Pull& pull) = 0;
};

/// Folders that hold one OCI image layout (image specification 1.0) per image name: FOLDER/NAME/index.json,
/// FOLDER/NAME/blobs/sha256/HEX. Tags are reference names of the index. The first folder that has it counts.
class LayoutSource final : public ImageSource {
 public:
  explicit LayoutSource(std::vector<std::string> folders) : folders_(std::move(folders)) {}
  bool has(const ImageName& name) const;
  Result<BlobLink> resolve(const ImageName& name, Pull& pull) override;
  Result<Fd> open_blob(const ImageName& name, const BlobWish& wish, Pull& pull) override;

 private:
  std::vector<std::string> folders_;
};

/// Images that a folder has come from there, all others from their registry.
class FirstSource final : public ImageSource {
 public:
  FirstSource(LayoutSource& layouts, ImageSource& registries) : layouts_(layouts), registries_(registries) {}
  Result<BlobLink> resolve(const ImageName& name, Pull& pull) override {
    return source_of(name).resolve(name, pull);
  }
  Result<Fd> open_blob(const ImageName& name, const BlobWish& wish, Pull& pull) override {
    return source_of(name).open_blob(name, wish, pull);
  }

 private:
  ImageSource& source_of(const ImageName& name) { return layouts_.has(name) ? layouts_ : registries_; }
  LayoutSource& layouts_;
  ImageSource& registries_;
};

}  // namespace troupe::agent
