#include "cmd/troupe/console_editor.hpp"

#include <gmock/gmock.h>
#include <poll.h>
#include <pty.h>
#include <termios.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

#include "cmd/troupe/console_table.hpp"
#include "tests/storage/base/temp_folder.hpp"

namespace troupe::cli {
namespace {

using testing::HasSubstr;

/// A terminal whose keys a test presses before the editor reads them.
struct Terminal : testing::Test {
  Terminal() {
    setenv("TERM", "vt100", 1);
    EXPECT_EQ(openpty(&keys, &screen, nullptr, nullptr, nullptr), 0);
    // The terminal itself must not act on what is pressed before the editor has taken it over.
    termios mode{};
    tcgetattr(screen, &mode);
    mode.c_lflag &= ~static_cast<tcflag_t>(ISIG | ICANON);
    tcsetattr(screen, TCSANOW, &mode);
    in = fdopen(dup(screen), "r");
    out = fdopen(dup(screen), "w");
  }
  ~Terminal() override {
    std::fclose(in);
    std::fclose(out);
    close(keys);
    close(screen);
  }
  void press(const std::string& text) {
    EXPECT_EQ(write(keys, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  std::string shown() {
    std::fflush(out);
    std::string text;
    char part[4096];
    for (pollfd readable{keys, POLLIN, 0}; poll(&readable, 1, 0) > 0;) {
      const ssize_t size = ::read(keys, part, sizeof part);
      if (size <= 0) break;
      text.append(part, static_cast<std::size_t>(size));
    }
    return text;
  }
  int keys = -1, screen = -1;
  std::FILE* in = nullptr;
  std::FILE* out = nullptr;
};

TEST_F(Terminal, CompletesAndEditsALine) {
  LineEditor editor(in, out, out, console_completions, "");
  press("sho\tjo\t1x\b2\n");
  EXPECT_EQ(editor.read("> "), "show job/12");
}

TEST_F(Terminal, ShowsTheChoicesWhereSeveralFit) {
  LineEditor editor(in, out, out, console_completions, "");
  press("show \tg\tx\n");
  EXPECT_EQ(editor.read("> "), "show group/x");
  EXPECT_THAT(shown(), HasSubstr("job/  task/  host/  group/"));
}

TEST_F(Terminal, EndsWithTheInput) {
  LineEditor editor(in, out, out, console_completions, "");
  press("node\n");
  EXPECT_EQ(editor.read("> "), "node");
  close(std::exchange(keys, -1));
  EXPECT_EQ(editor.read("> "), std::nullopt);
}

TEST_F(Terminal, RemembersWhatWasTyped) {
  const TempFolder folder;
  const auto file = folder.file("history");
  {
    LineEditor editor(in, out, out, console_completions, file);
    press("shards\n");
    EXPECT_EQ(editor.read("> "), "shards");
  }
  LineEditor editor(in, out, out, console_completions, file);
  press("\x10\n");  // Control-P: the line before.
  EXPECT_EQ(editor.read("> "), "shards");
}

}  // namespace
}  // namespace troupe::cli
