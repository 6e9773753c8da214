#pragma once
// Where images come from.

#include <filesystem>
#include <string>
#include <vector>

#include "actors/agent/images/image_documents.hpp"
#include "actors/agent/process_tree.hpp"

namespace troupe::agent {

/// Calls may block and come from several threads. What they give is not verified: digests are the caller's
/// business.
class ImageSource {
 public:
  virtual ~ImageSource() = default;
  /// The manifest's digest (or an index's) of a name with a tag. Errors: not_found, invalid_argument, io,
  /// unavailable.
  virtual Result<BlobLink> resolve(const ImageName& name) = 0;
  /// A descriptor that yields the blob's bytes to its end. Errors: not_found, io, unavailable.
  virtual Result<Fd> open_blob(const ImageName& name, const std::string& digest) = 0;
};

/// Folders that hold one OCI image layout (image specification 1.0) per image name: FOLDER/NAME/index.json,
/// FOLDER/NAME/blobs/sha256/HEX. Tags are reference names of the index. The first folder that has it counts.
class LayoutSource final : public ImageSource {
 public:
  explicit LayoutSource(std::vector<std::string> folders) : folders_(std::move(folders)) {}
  Result<BlobLink> resolve(const ImageName& name) override;
  Result<Fd> open_blob(const ImageName& name, const std::string& digest) override;

 private:
  std::vector<std::string> folders_;
};

}  // namespace troupe::agent
