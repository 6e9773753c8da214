#include "actors/agent/images/image_source.hpp"

#include <fcntl.h>

#include <cerrno>
#include <cstring>

#include "actors/agent/images/blob_text.hpp"

namespace troupe::agent {

bool LayoutSource::has(const ImageName& name) const {
  std::error_code problem;
  for (const std::string& folder : folders_)
    if (std::filesystem::exists(folder + "/" + name.name + "/index.json", problem)) return true;
  return false;
}

Result<BlobLink> LayoutSource::resolve(const ImageName& name, Pull&) {
  for (const std::string& folder : folders_) {
    const std::string path = folder + "/" + name.name + "/index.json";
    Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.is_open()) continue;
    auto text = read_document(file);
    if (!text.ok()) return text.error();
    return choose_manifest(text.value(), name.tag);
  }
  return Error{ErrorCode::not_found, "no folder of images has '" + name.name + "'"};
}

Result<Fd> LayoutSource::open_blob(const ImageName& name, const BlobWish& wish, Pull&) {
  for (const std::string& folder : folders_) {
    const std::string path =
        folder + "/" + name.name + "/blobs/sha256/" + std::string(digest_hex(wish.digest));
    Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.is_open()) return file;
    if (errno != ENOENT) return Error{ErrorCode::io, "cannot open " + path + ": " + std::strerror(errno)};
  }
  return Error{ErrorCode::not_found, "no folder of images has the blob " + wish.digest};
}

}  // namespace troupe::agent
