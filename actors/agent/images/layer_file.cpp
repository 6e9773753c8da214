#include "actors/agent/images/layer_file.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "storage/base/hex.hpp"

namespace troupe::agent {
namespace {

constexpr std::size_t read_back_bytes = 256 * 1024;

Error file_problem(const std::string& path) {
  return {ErrorCode::io, "cannot keep what comes of a layer in " + path + ": " + std::strerror(errno)};
}

}  // namespace

struct RunningDigest::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

RunningDigest::RunningDigest() : state_(std::make_unique<State>()) { restart(); }
RunningDigest::~RunningDigest() = default;
void RunningDigest::restart() { EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr); }
void RunningDigest::add(std::string_view bytes) {
  EVP_DigestUpdate(state_->context, bytes.data(), bytes.size());
}

std::string RunningDigest::text() const {
  const State copy;
  unsigned char raw[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_MD_CTX_copy_ex(copy.context, state_->context);
  EVP_DigestFinal_ex(copy.context, raw, &size);
  return "sha256:" + hex_of({raw, size});
}

Result<void> LayerFile::open() {
  file_ = Fd(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  struct stat status {};
  if (!file_.is_open() || fstat(file_.get(), &status) != 0) return file_problem(path_);
  if (static_cast<std::uint64_t>(status.st_size) > size_) return restart();
  return read_back();
}

Result<void> LayerFile::read_back() {
  sum_.restart();
  bytes_ = 0;
  std::string block(read_back_bytes, '\0');
  for (;;) {
    const ssize_t count = read(file_.get(), block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return file_problem(path_);
    if (count == 0) return {};
    sum_.add({block.data(), static_cast<std::size_t>(count)});
    bytes_ += static_cast<std::uint64_t>(count);
  }
}

Result<void> LayerFile::append(std::string_view piece) {
  if (piece.size() > size_ - bytes_)
    return Error{ErrorCode::invalid_argument,
                 "more bytes come than the " + std::to_string(size_) + " of its manifest"};
  while (!piece.empty()) {
    const ssize_t count = write(file_.get(), piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return file_problem(path_);
    sum_.add(piece.substr(0, static_cast<std::size_t>(count)));
    bytes_ += static_cast<std::uint64_t>(count);
    piece.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Result<void> LayerFile::restart() {
  if (ftruncate(file_.get(), 0) != 0 || lseek(file_.get(), 0, SEEK_SET) != 0) return file_problem(path_);
  sum_.restart();
  bytes_ = 0;
  return {};
}

void LayerFile::discard() {
  if (unlink(path_.c_str()) == 0) file_.reset();
}

Result<Fd> LayerFile::take() {
  if (lseek(file_.get(), 0, SEEK_SET) != 0 || unlink(path_.c_str()) != 0) return file_problem(path_);
  return std::move(file_);
}

}  // namespace troupe::agent
