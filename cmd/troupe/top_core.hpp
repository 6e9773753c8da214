#pragma once
// What `troupe top` shows and what keys do: no terminal, no cell, no clock. Pure.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/error.hpp"
#include "storage/base/time.hpp"

namespace troupe::cli {

/// One of the things that top looks at.
struct TopView {
  std::string_view name;                 ///< "hosts"
  char key;                              ///< that goes there
  bool takes_where;                      ///< can it be narrowed by a condition?
  std::vector<std::string_view> orders;  ///< fields, perhaps with " desc"; the first is the usual one
};
const std::vector<TopView>& top_views();
/// Nothing: there is none of that name.
std::optional<std::size_t> top_view(std::string_view name);

/// What is to be asked of the cell.
struct TopWish {
  std::size_t view = 0;
  std::string where{};
  std::string order{};   ///< a field; empty: as the cell lists them
  std::string entity{};  ///< "host/h1": its details as well; empty: none
  friend bool operator==(const TopWish&, const TopWish&) = default;
};

struct TopRow {
  std::string text;
  std::string entity;  ///< "host/h1"; empty: it has no details
};
/// What the cell said to a wish. Texts are printable.
struct TopAnswer {
  TopWish wish{};
  std::vector<std::string> head{};  ///< about the cell
  std::string columns{};
  std::vector<TopRow> rows{};
  std::int64_t total = 0;  ///< rows that there are
  std::vector<std::string> details{};
  std::optional<Error> problem{};  ///< why there is nothing new
  Instant at{};                    ///< when it was asked
  milliseconds took{0};
};

/// Keys beside characters.
enum class TopKey : std::uint8_t {
  character,
  up,
  down,
  page_up,
  page_down,
  home,
  end,
  enter,
  escape,
  erase,  ///< the character before the cursor
  left,   ///< the view before
  right,  ///< the next one
};
struct TopStroke {
  TopKey key = TopKey::character;
  char character = 0;
};

enum class TopStyle : std::uint8_t { plain, bold, reverse, warning };
struct TopLine {
  std::string text;
  TopStyle style = TopStyle::plain;
  friend bool operator==(const TopLine&, const TopLine&) = default;
};

class TopCore {
 public:
  explicit TopCore(TopWish begin) : wish_(std::move(begin)) {}

  void press(TopStroke stroke);
  /// One for another wish than the present one is ignored, but for a problem.
  void take(TopAnswer answer);
  const TopWish& wish() const { return wish_; }
  bool is_over() const { return is_over_; }
  bool is_held() const { return is_held_; }  ///< nothing is asked until it goes on
  /// True once after it was asked for: look now.
  bool wants_look();
  /// Exactly `height` lines of at most `width` characters; small screens show less.
  std::vector<TopLine> draw(std::size_t width, std::size_t height, Instant now) const;

 private:
  const TopView& view() const { return top_views()[wish_.view]; }
  void go(std::size_t view);
  void type(TopStroke stroke);
  void command(char key);
  void step(TopKey key);
  void next_order();
  void open();
  void close();
  std::size_t rows() const { return wish_.entity.empty() ? answer_.rows.size() : answer_.details.size(); }
  std::vector<TopLine> body(std::size_t height) const;
  TopLine tabs() const;
  TopLine foot(Instant now) const;

  TopWish wish_;
  TopAnswer answer_;
  std::string problem_;
  std::size_t selected_ = 0;
  std::size_t scrolled_ = 0;          ///< of details
  std::optional<std::string> typed_;  ///< a condition that is being typed
  bool is_over_ = false, is_held_ = false, is_helping_ = false, wants_look_ = false;
};

}  // namespace troupe::cli
