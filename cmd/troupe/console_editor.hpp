#pragma once
// A line from a person at a terminal, with editing, history and completion: libedit behind a plain face.

#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::cli {

/// Owns the terminal's mode while it reads. Not thread-safe.
class LineEditor {
 public:
  using Complete = std::function<std::vector<std::string>(std::string_view line)>;
  static constexpr int history_lines_max = 1000;

  /// The files outlive it. `history_file` is read now and written at the end; empty: none is kept.
  LineEditor(std::FILE* in, std::FILE* out, std::FILE* err, Complete complete, std::string history_file);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  /// Without its line break. Nothing: the input is over.
  std::optional<std::string> read(const std::string& prompt);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe::cli
