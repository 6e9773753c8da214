#pragma once
// A layer on its way from a registry, on this host's disk.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "actors/agent/process_tree.hpp"
#include "storage/base/result.hpp"

namespace troupe::agent {

/// A sum that goes on with the bytes.
class RunningDigest {
 public:
  RunningDigest();
  ~RunningDigest();
  void restart();
  void add(std::string_view bytes);
  std::string text() const;  ///< "sha256:..." of what came so far

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// PATH holds the first bytes of a layer and never more than its size. One thread; one object per file. What
/// a crash left in it may be damaged: whoever continued it and got the wrong digest begins anew.
class LayerFile {
 public:
  LayerFile(std::string path, std::string digest, std::uint64_t size)
      : path_(std::move(path)), digest_(std::move(digest)), size_(size) {}
  /// Makes the file, or hashes again what is in it. Errors: io.
  Result<void> open();
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t size() const { return size_; }
  bool is_whole() const { return bytes_ == size_; }
  bool is_sound() const { return sum_.text() == digest_; }
  /// Errors: io (also: no space), invalid_argument (more than its size).
  Result<void> append(std::string_view piece);
  /// From nothing. Errors: io.
  Result<void> restart();
  /// What is in it is of no use to anybody.
  void discard();
  /// For reading from its beginning. The name is gone: the bytes live as long as the descriptor. Errors: io.
  Result<Fd> take();

 private:
  Result<void> read_back();
  std::string path_, digest_;
  std::uint64_t size_, bytes_ = 0;
  RunningDigest sum_;
  Fd file_;
};

}  // namespace troupe::agent
