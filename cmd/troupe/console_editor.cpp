#include "cmd/troupe/console_editor.hpp"

#include <histedit.h>

#include <algorithm>
#include <string_view>

namespace troupe::cli {

struct LineEditor::Impl {
  EditLine* edit = nullptr;
  History* history = nullptr;
  std::FILE* out = nullptr;
  std::string prompt;
  std::string history_file;
  Complete complete;

  static Impl& of(EditLine* edit) {
    void* self = nullptr;
    el_get(edit, EL_CLIENTDATA, &self);
    return *static_cast<Impl*>(self);
  }
  static char* on_prompt(EditLine* edit) { return of(edit).prompt.data(); }
  static unsigned char on_complete(EditLine* edit, int) { return of(edit).complete_word(); }
  unsigned char complete_word();
};

namespace {

std::string common_beginning(const std::vector<std::string>& words) {
  std::string common = words.front();
  for (const auto& word : words) {
    const auto [ours, theirs] = std::mismatch(common.begin(), common.end(), word.begin(), word.end());
    common.erase(ours, common.end());
  }
  return common;
}

}  // namespace

unsigned char LineEditor::Impl::complete_word() {
  const LineInfo* line = el_line(edit);
  const std::string_view before(line->buffer, static_cast<std::size_t>(line->cursor - line->buffer));
  const auto words = complete(before);
  if (words.empty()) return CC_ERROR;
  const auto blank = before.rfind(' ');
  const std::size_t typed = before.size() - (blank == before.npos ? 0 : blank + 1);
  std::string more = common_beginning(words).substr(typed);
  // A beginning such as "job/" or "attributes." wants more; a whole word is followed by the next.
  if (words.size() == 1 && words.front().back() != '/' && words.front().back() != '.') more += ' ';
  if (!more.empty()) return el_insertstr(edit, more.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
  std::fputc('\n', out);
  for (const auto& word : words) std::fprintf(out, "%s  ", word.c_str());
  std::fputc('\n', out);
  return CC_REDISPLAY;
}

LineEditor::LineEditor(std::FILE* in, std::FILE* out, std::FILE* err, Complete complete,
                       std::string history_file)
    : impl_(std::make_unique<Impl>()) {
  impl_->out = out;
  impl_->history_file = std::move(history_file);
  impl_->complete = std::move(complete);
  impl_->edit = el_init("troupe", in, out, err);
  impl_->history = history_init();
  HistEvent event;
  history(impl_->history, &event, H_SETSIZE, history_lines_max);
  history(impl_->history, &event, H_SETUNIQUE, 1);
  if (!impl_->history_file.empty()) history(impl_->history, &event, H_LOAD, impl_->history_file.c_str());
  el_set(impl_->edit, EL_CLIENTDATA, impl_.get());
  el_set(impl_->edit, EL_PROMPT, &Impl::on_prompt);
  el_set(impl_->edit, EL_EDITOR, "emacs");
  el_set(impl_->edit, EL_HIST, history, impl_->history);
  el_set(impl_->edit, EL_ADDFN, "troupe-complete", "complete the word", &Impl::on_complete);
  el_set(impl_->edit, EL_BIND, "^I", "troupe-complete", nullptr);
  el_set(impl_->edit, EL_BIND, "^R", "em-inc-search-prev", nullptr);
}

LineEditor::~LineEditor() {
  HistEvent event;
  if (!impl_->history_file.empty()) history(impl_->history, &event, H_SAVE, impl_->history_file.c_str());
  el_end(impl_->edit);
  history_end(impl_->history);
}

std::optional<std::string> LineEditor::read(const std::string& prompt) {
  impl_->prompt = prompt;
  int size = 0;
  const char* text = el_gets(impl_->edit, &size);
  if (text == nullptr || size <= 0) return std::nullopt;
  std::string line(text, static_cast<std::size_t>(size));
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
  HistEvent event;
  if (!line.empty()) history(impl_->history, &event, H_ENTER, line.c_str());
  return line;
}

}  // namespace troupe::cli
