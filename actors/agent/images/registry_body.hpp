#pragma once
// What becomes of an answer's body: held to size and digest while it comes.

#include <optional>
#include <string>
#include <string_view>

#include "actors/agent/images/layer_file.hpp"
#include "actors/agent/images/registry_protocol.hpp"

namespace troupe::agent {

/// One thing that is wanted, over all attempts to get it. One thread.
class PulledBody {
 public:
  virtual ~PulledBody() = default;
  virtual bool is_document() const { return true; }  ///< small: it has a time-out
  virtual void begin() = 0;                          ///< an attempt
  virtual std::uint64_t first_byte() const { return 0; }
  /// A piece of an answer 200 or 206.
  virtual std::optional<PullFailure> take(const RegistryAnswer& head, std::string_view piece) = 0;
  /// That answer is over. Nothing: it is what was wanted.
  virtual std::optional<PullFailure> finish(const RegistryAnswer& head) = 0;
  virtual void forget() {}  ///< what came so far does not fit what the server has
};

/// A small one, in memory.
class PulledDocument final : public PulledBody {
 public:
  /// An empty digest: whatever it is; its own is said then.
  PulledDocument(std::string digest, std::optional<std::uint64_t> size)
      : digest_(std::move(digest)), size_(size) {}
  void begin() override { text_.clear(); }
  std::optional<PullFailure> take(const RegistryAnswer& head, std::string_view piece) override;
  std::optional<PullFailure> finish(const RegistryAnswer& head) override;
  const std::string& text() const { return text_; }
  const std::string& digest() const { return digest_; }

 private:
  std::string digest_;
  std::optional<std::uint64_t> size_;
  std::string text_;
};

/// Into a file, continued where an earlier attempt broke off.
class PulledLayer final : public PulledBody {
 public:
  explicit PulledLayer(LayerFile& file) : file_(file) {}
  void begin() override;
  std::uint64_t first_byte() const override { return file_.bytes(); }
  std::optional<PullFailure> take(const RegistryAnswer& head, std::string_view piece) override;
  std::optional<PullFailure> finish(const RegistryAnswer& head) override;
  bool is_document() const override { return false; }
  void forget() override { is_to_restart_ = true; }
  bool was_resumed() const { return was_resumed_; }  ///< by any attempt

 private:
  std::optional<PullFailure> take_head(const RegistryAnswer& head);
  LayerFile& file_;
  bool is_first_piece_ = true, is_to_restart_ = false;
  bool is_resumed_ = false, was_resumed_ = false;
};

}  // namespace troupe::agent
