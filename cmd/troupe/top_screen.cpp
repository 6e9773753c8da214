#include "cmd/troupe/top_screen.hpp"

#define NCURSES_NOMACROS  // They have names such as erase.
#include <curses.h>

#include <algorithm>
#include <array>

namespace troupe::cli {
namespace {

constexpr int tenths_of_a_second = 1;
constexpr int escape_wait_ms = 25;
constexpr int key_of_escape = 27;
constexpr int key_of_delete = 127;
constexpr int key_of_redraw = 'L' - '@';  // control and L, as everywhere
constexpr short warning_colour = 1;

struct KeyOf {
  int code;
  TopKey key;
};
constexpr std::array keys{KeyOf{KEY_UP, TopKey::up},           KeyOf{KEY_DOWN, TopKey::down},
                          KeyOf{KEY_PPAGE, TopKey::page_up},   KeyOf{KEY_NPAGE, TopKey::page_down},
                          KeyOf{KEY_HOME, TopKey::home},       KeyOf{KEY_END, TopKey::end},
                          KeyOf{KEY_LEFT, TopKey::left},       KeyOf{KEY_RIGHT, TopKey::right},
                          KeyOf{KEY_ENTER, TopKey::enter},     KeyOf{'\n', TopKey::enter},
                          KeyOf{'\r', TopKey::enter},          KeyOf{KEY_BACKSPACE, TopKey::erase},
                          KeyOf{'\b', TopKey::erase},          KeyOf{key_of_delete, TopKey::erase},
                          KeyOf{key_of_escape, TopKey::escape}};

chtype look_of(TopStyle style) {
  switch (style) {
    case TopStyle::bold:
      return A_BOLD;
    case TopStyle::reverse:
      return A_REVERSE;
    case TopStyle::warning:
      return static_cast<chtype>(COLOR_PAIR(warning_colour)) | A_BOLD;
    case TopStyle::plain:
      break;
  }
  return A_NORMAL;
}

}  // namespace

TopScreen::TopScreen() {
  initscr();
  noecho();
  keypad(stdscr, true);
  set_escdelay(escape_wait_ms);
  halfdelay(tenths_of_a_second);
  curs_set(0);
  if (!has_colors()) return;
  start_color();
  use_default_colors();
  init_pair(warning_colour, COLOR_RED, -1);
}

TopScreen::~TopScreen() { endwin(); }

std::pair<std::size_t, std::size_t> TopScreen::size() const {
  return {static_cast<std::size_t>(std::max(0, getmaxx(stdscr))),
          static_cast<std::size_t>(std::max(0, getmaxy(stdscr)))};
}

void TopScreen::show(const std::vector<TopLine>& lines) {
  erase();
  for (std::size_t n = 0; n < lines.size(); ++n) {
    attrset(static_cast<int>(look_of(lines[n].style)));
    mvaddnstr(static_cast<int>(n), 0, lines[n].text.data(), static_cast<int>(lines[n].text.size()));
  }
  attrset(A_NORMAL);
  refresh();
}

std::optional<TopStroke> TopScreen::key() {
  const int code = getch();
  if (code == key_of_redraw) clearok(curscr, true);
  const auto found =
      std::find_if(keys.begin(), keys.end(), [&](const KeyOf& one) { return one.code == code; });
  if (found != keys.end()) return TopStroke{found->key, 0};
  if (code >= ' ' && code < key_of_delete) return TopStroke{TopKey::character, static_cast<char>(code)};
  return std::nullopt;
}

}  // namespace troupe::cli
