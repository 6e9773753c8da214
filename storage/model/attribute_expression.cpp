#include "storage/model/attribute_expression.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace troupe {
namespace {

bool is_word_part(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("._-/:").find(c) != std::string_view::npos;
}

std::optional<std::int64_t> whole_number(const std::string& text) {
  std::int64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || at != end) return std::nullopt;
  return number;
}

bool compares(const std::string& has, const std::string& wants, AttributeExpression::Test test) {
  const auto left = whole_number(has);
  const auto right = whole_number(wants);
  if (!left || !right) return false;
  if (test == AttributeExpression::Test::less) return *left < *right;
  if (test == AttributeExpression::Test::at_most) return *left <= *right;
  if (test == AttributeExpression::Test::more) return *left > *right;
  return *left >= *right;
}

bool term_holds(const AttributeExpression::Term& term, const StringMap& attributes) {
  using Test = AttributeExpression::Test;
  const auto found = attributes.find(term.key);
  const bool is_there = found != attributes.end();
  if (term.test == Test::has) return is_there;
  if (term.test == Test::any_of || term.test == Test::none_of) {
    const bool is_among =
        is_there && std::find(term.values.begin(), term.values.end(), found->second) != term.values.end();
    return is_among == (term.test == Test::any_of);
  }
  return is_there && compares(found->second, term.values.front(), term.test);
}

}  // namespace

static_assert(AttributeExpression::depth_max <= int{Postfix::depth_max});

/// Recursive descent; each function leaves what it has read in postfix order.
class ExpressionParser {
 public:
  explicit ExpressionParser(std::string_view text) : text_(text) {}

  Result<AttributeExpression> run() {
    if (text_.size() > AttributeExpression::bytes_max)
      complain("has more than " + std::to_string(AttributeExpression::bytes_max) + " bytes");
    if (!is_wrong()) either(0);
    skip_blanks();
    if (!is_wrong() && at_ != text_.size()) complain("has something behind its end");
    if (is_wrong()) return Error{ErrorCode::invalid_argument, complaint_};
    return std::move(out_);
  }

 private:
  using Test = AttributeExpression::Test;

  bool is_wrong() const { return !complaint_.empty(); }
  void complain(const std::string& what) {
    if (!is_wrong())
      complaint_ = "the expression " + what + " (at character " + std::to_string(at_ + 1) + ")";
  }
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }
  bool take(std::string_view sign) {
    skip_blanks();
    if (text_.substr(at_, sign.size()) != sign) return false;
    at_ += sign.size();
    return true;
  }
  bool take_word(std::string_view word) {
    skip_blanks();
    const std::size_t end = at_ + word.size();
    if (text_.substr(at_, word.size()) != word || (end < text_.size() && is_word_part(text_[end])))
      return false;
    at_ = end;
    return true;
  }

  void either(int depth) {
    both(depth);
    while (!is_wrong() && take("||")) {
      both(depth);
      out_.joined_.either();
    }
  }
  void both(int depth) {
    unary(depth);
    while (!is_wrong() && take("&&")) {
      unary(depth);
      out_.joined_.both();
    }
  }
  void unary(int depth) {
    if (depth >= AttributeExpression::depth_max) return complain("is nested too deeply");
    if (take("!")) {
      unary(depth + 1);
      out_.joined_.negation();
    } else if (take("(")) {
      either(depth + 1);
      if (!is_wrong() && !take(")")) complain("lacks a )");
    } else {
      term();
    }
  }

  void term() {
    AttributeExpression::Term made;
    made.key = word("an attribute's name");
    if (is_wrong()) return;
    if (take_word("not")) {
      if (!take_word("in")) return complain("lacks `in` behind `not`");
      made.test = Test::none_of;
      list(made);
    } else if (take_word("in")) {
      made.test = Test::any_of;
      list(made);
    } else if (const auto test = comparison()) {
      made.test = *test;
      made.values.push_back(word("a value"));
    }
    if (is_wrong()) return;
    out_.joined_.term(out_.terms_.size());
    out_.terms_.push_back(std::move(made));
  }
  std::optional<Test> comparison() {
    if (take("==") || take("=")) return Test::any_of;
    if (take("!=")) return Test::none_of;
    if (take("<=")) return Test::at_most;
    if (take(">=")) return Test::at_least;
    if (take("<")) return Test::less;
    if (take(">")) return Test::more;
    return std::nullopt;
  }
  void list(AttributeExpression::Term& made) {
    if (!take("(")) return complain("lacks a ( behind `in`");
    do made.values.push_back(word("a value"));
    while (!is_wrong() && take(","));
    if (!is_wrong() && !take(")")) complain("lacks a )");
  }
  std::string word(const char* what) {
    skip_blanks();
    if (at_ < text_.size() && text_[at_] == '"') return quoted();
    const std::size_t from = at_;
    while (at_ < text_.size() && is_word_part(text_[at_])) ++at_;
    if (at_ == from) complain(std::string("lacks ") + what);
    return std::string(text_.substr(from, at_ - from));
  }
  std::string quoted() {
    const std::size_t end = text_.find('"', at_ + 1);
    if (end == std::string_view::npos) {
      complain("lacks a closing quote");
      return {};
    }
    std::string inside(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return inside;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string complaint_;
  AttributeExpression out_;
};

Result<AttributeExpression> AttributeExpression::parse(std::string_view text) {
  return ExpressionParser(text).run();
}

bool AttributeExpression::holds(const StringMap& attributes) const {
  return joined_.evaluate([&](std::size_t term) { return term_holds(terms_[term], attributes); });
}

std::vector<std::string> AttributeExpression::keys() const {
  std::vector<std::string> all;
  for (const Term& term : terms_) all.push_back(term.key);
  return all;
}

}  // namespace troupe
