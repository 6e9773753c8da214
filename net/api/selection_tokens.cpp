#include "net/api/selection_tokens.hpp"

#include <algorithm>
#include <optional>

#include "net/json/utf8.hpp"

namespace troupe::api {
namespace {

using Kind = SelectionToken::Kind;

constexpr std::size_t quoted_chars_max = 64;

bool is_word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_.-/:@+*?%").find(c) != std::string_view::npos;
}

/// Also those of ISO 6429's upper half, which some terminals obey in UTF-8, too.
bool is_control(std::string_view text, std::size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte < 0x20 || byte == 0x7f) return true;
  if (byte != 0xc2 || at + 1 == text.size()) return false;
  return static_cast<unsigned char>(text[at + 1]) < 0xa0;
}

std::uint32_t column_at(std::string_view text, std::size_t offset) {
  const auto before = text.substr(0, offset);
  return 1 + static_cast<std::uint32_t>(
                 std::count_if(before.begin(), before.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Result<std::vector<SelectionToken>> run() {
    while (true) {
      while (at_ < text_.size() && text_[at_] == ' ') ++at_;
      SelectionToken token;
      token.offset = at_;
      token.column = column_at(text_, at_);
      if (at_ == text_.size()) {
        tokens_.push_back(std::move(token));
        return std::move(tokens_);
      }
      if (const auto taken = take(token); !taken.ok()) return taken.error();
      tokens_.push_back(std::move(token));
    }
  }

 private:
  Result<void> take(SelectionToken& token) {
    const char c = text_[at_];
    if (c == '"' || c == '\'') return take_quoted(token, c);
    if (is_word_char(c)) {
      const std::size_t begin = at_;
      while (at_ < text_.size() && is_word_char(text_[at_])) ++at_;
      token.kind = Kind::word;
      token.text = text_.substr(begin, at_ - begin);
      return {};
    }
    if (const auto sign = sign_at()) {
      token.kind = sign->first;
      at_ += sign->second;
      return {};
    }
    return selection_error(token.column,
                           "expected a name, a value or a sign such as = or (; other characters "
                           "stand in quotes");
  }

  /// The sign here, and how long it is.
  std::optional<std::pair<Kind, std::size_t>> sign_at() const {
    const bool has_equal = at_ + 1 < text_.size() && text_[at_ + 1] == '=';
    switch (text_[at_]) {
      case '(':
        return std::pair(Kind::open, 1);
      case ')':
        return std::pair(Kind::close, 1);
      case ',':
        return std::pair(Kind::comma, 1);
      case '~':
        return std::pair(Kind::like, 1);
      case '=':
        return std::pair(Kind::equal, has_equal ? 2 : 1);
      case '<':
        return has_equal ? std::pair(Kind::at_most, 2) : std::pair(Kind::less, 1);
      case '>':
        return has_equal ? std::pair(Kind::at_least, 2) : std::pair(Kind::more, 1);
      case '!':
        if (has_equal) return std::pair(Kind::unequal, 2);
        return std::nullopt;
      default:
        return std::nullopt;
    }
  }

  Result<void> take_quoted(SelectionToken& token, char quote) {
    token.kind = Kind::quoted;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == quote) {
        ++at_;
        return {};
      }
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      token.text += text_[at_];
    }
    return selection_error(token.column, "these quotes do not end");
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<SelectionToken> tokens_;
};

}  // namespace

Error selection_error(std::uint32_t column, const std::string& what) {
  Error error{ErrorCode::invalid_argument, "column " + std::to_string(column) + ": " + what};
  error.violations.push_back({"where", what, 1, column});
  return error;
}

std::string selection_quote(std::string_view text) {
  std::size_t end = std::min(text.size(), quoted_chars_max);
  while (end < text.size() && end > 0 && (text[end] & 0xc0) == 0x80) --end;  // No half character.
  return '\'' + std::string(text.substr(0, end)) + (end < text.size() ? "...'" : "'");
}

Result<std::vector<SelectionToken>> selection_tokens(std::string_view text, std::size_t bytes_max) {
  if (text.size() > bytes_max)
    return selection_error(1, "has " + std::to_string(text.size()) + " bytes, at most " +
                                  std::to_string(bytes_max) + " are allowed");
  if (!json::is_utf8(text)) return selection_error(1, "is no UTF-8");
  for (std::size_t at = 0; at < text.size(); ++at)
    if (is_control(text, at))
      return selection_error(column_at(text, at), "a control character does not belong here");
  return Lexer(text).run();
}

}  // namespace troupe::api
