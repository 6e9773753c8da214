#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "storage/base/msgpack.hpp"

namespace troupe {

/// A text that is nearly always empty, for records of which a million live at once: eight bytes instead of 32
/// while it is. Packed like a string.
class RareText {
 public:
  RareText() = default;
  RareText(std::string_view text) { *this = text; }
  RareText(const RareText& other) : RareText(other.view()) {}
  RareText(RareText&&) noexcept = default;
  ~RareText() = default;
  RareText& operator=(const RareText& other) { return *this = other.view(); }
  RareText& operator=(RareText&&) noexcept = default;
  RareText& operator=(std::string_view text) {
    text_ = text.empty() ? nullptr : std::make_unique<const std::string>(text);
    return *this;
  }

  bool empty() const { return text_ == nullptr; }
  std::string_view view() const { return text_ != nullptr ? std::string_view(*text_) : std::string_view(); }
  operator std::string_view() const { return view(); }
  void clear() { text_.reset(); }
  friend bool operator==(const RareText& a, const RareText& b) { return a.view() == b.view(); }
  friend bool operator==(const RareText& a, std::string_view b) { return a.view() == b; }

 private:
  std::unique_ptr<const std::string> text_;  ///< never an empty one
};

inline void pack(PackWriter& w, const RareText& value) { w.text(value.view()); }
inline void unpack(PackReader& r, RareText& value) { value = r.text(); }

}  // namespace troupe
