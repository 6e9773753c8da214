#include <algorithm>

#include "net/api/selection_tokens.hpp"
#include "net/api/selection_values.hpp"
#include "net/json/nearest.hpp"

namespace troupe::api {
namespace {

using Token = SelectionToken;

bool is_keyword(const Token& token, std::string_view keyword) {
  if (token.kind != Token::Kind::word || token.text.size() != keyword.size()) return false;
  for (std::size_t n = 0; n < keyword.size(); ++n)
    if ((token.text[n] | 0x20) != keyword[n]) return false;
  return true;
}

bool is_reserved(const Token& token) {
  for (const char* keyword : {"and", "or", "not", "in", "is", "order", "limit"})
    if (is_keyword(token, keyword)) return true;
  return false;
}

std::string found_text(const Token& token) {
  switch (token.kind) {
    case Token::Kind::end:
      return "the end";
    case Token::Kind::word:
    case Token::Kind::quoted:
      return selection_quote(token.text);
    case Token::Kind::open:
    case Token::Kind::close:
    case Token::Kind::comma:
    case Token::Kind::equal:
    case Token::Kind::unequal:
    case Token::Kind::less:
    case Token::Kind::at_most:
    case Token::Kind::more:
    case Token::Kind::at_least:
    case Token::Kind::like:
      return "another sign";
  }
  return {};
}

bool is_ordered(FieldType type) {
  return type == FieldType::number || type == FieldType::megabytes || type == FieldType::seconds ||
         type == FieldType::time || type == FieldType::map;
}

std::string comparisons_of(FieldType type) {
  if (type == FieldType::flag) return "=, != or `is set`";
  if (type == FieldType::map) return "=, !=, <, <=, >, >=, in (...), ~ or `is set`";
  return is_ordered(type) ? "=, !=, <, <=, >, >=, in (...) or `is set`" : "=, !=, in (...), ~ or `is set`";
}

}  // namespace

/// Recursive descent over the tokens; the depth is bounded before each descent.
class SelectionParser {
 public:
  SelectionParser(SelectionKind kind, std::vector<Token> tokens) : tokens_(std::move(tokens)) {
    condition_.kind_ = kind;
  }

  Result<Condition> condition_alone() {
    if (const auto read = either(); !read.ok()) return read.error();
    if (now().kind != Token::Kind::end) return expected("and, or, or the end");
    return std::move(condition_);
  }

  /// What follows `KIND`.
  Result<Selection> rest(std::string_view text) {
    Selection selection;
    if (!take_keyword("where")) return expected("where");
    const std::size_t begin = now().offset;
    if (const auto read = either(); !read.ok()) return read.error();
    selection.where = text.substr(begin, now().offset - begin);
    while (!selection.where.empty() && selection.where.back() == ' ') selection.where.pop_back();
    if (const auto read = order(selection); !read.ok()) return read.error();
    if (const auto read = limit(selection); !read.ok()) return read.error();
    if (now().kind != Token::Kind::end) return expected("and, or, order by, limit, or the end");
    selection.condition = std::move(condition_);
    return selection;
  }

 private:
  const Token& now() const { return tokens_[at_]; }
  void step() {
    if (now().kind != Token::Kind::end) ++at_;
  }
  bool take(Token::Kind kind) {
    if (now().kind != kind) return false;
    step();
    return true;
  }
  bool take_keyword(std::string_view keyword) {
    if (!is_keyword(now(), keyword)) return false;
    step();
    return true;
  }
  Error expected(std::string_view what) const {
    return selection_error(now().column, "expected " + std::string(what) + ", found " + found_text(now()));
  }

  Result<void> either() {
    if (auto read = both(); !read.ok()) return read;
    while (take_keyword("or")) {
      if (auto read = both(); !read.ok()) return read;
      condition_.joined_.either();
    }
    return {};
  }

  Result<void> both() {
    if (auto read = factor(); !read.ok()) return read;
    while (take_keyword("and")) {
      if (auto read = factor(); !read.ok()) return read;
      condition_.joined_.both();
    }
    return {};
  }

  Result<void> factor() {
    const bool is_negation = is_keyword(now(), "not");
    if (!is_negation && now().kind != Token::Kind::open) return term();
    if (depth_ == Condition::depth_max)
      return selection_error(now().column, "is nested deeper than " + std::to_string(Condition::depth_max));
    step();
    ++depth_;
    auto read = is_negation ? factor() : either();
    --depth_;
    if (!read.ok()) return read;
    if (is_negation)
      condition_.joined_.negation();
    else if (!take(Token::Kind::close))
      return expected("and, or, or )");
    return {};
  }

  /// Takes a name; its field's place among all.
  Result<std::size_t> field_of(std::string& key) {
    const bool is_name =
        now().kind == Token::Kind::quoted || (now().kind == Token::Kind::word && !is_reserved(now()));
    const std::string kind = (condition_.kind_ == SelectionKind::actor ? "an " : "a ") +
                             std::string(selection_kind_text(condition_.kind_));
    if (!is_name) return expected("the name of a field of " + kind + ", not, or (");
    const SelectionField* field = selection_field(condition_.kind_, now().text);
    if (field == nullptr)
      return selection_error(now().column, "there is no field " + selection_quote(now().text) + " of " +
                                               kind + field_hint(condition_.kind_, now().text));
    if (field->type == FieldType::map) key = now().text.substr(field->name.size() + 1);
    step();
    return static_cast<std::size_t>(field - selection_fields(condition_.kind_).data());
  }

  Result<void> term() {
    Condition::Term term;
    const auto place = field_of(term.key);
    if (!place.ok()) return place.error();
    term.field = place.value();
    const SelectionField& field = selection_fields(condition_.kind_)[term.field];
    if (auto read = comparison(field, term); !read.ok()) return read;
    condition_.joined_.term(condition_.terms_.size());
    condition_.terms_.push_back(std::move(term));
    return count_value();
  }

  Result<void> comparison(const SelectionField& field, Condition::Term& term) {
    using Test = Condition::Test;
    const bool is_plain_list = field.type == FieldType::list;
    switch (now().kind) {
      case Token::Kind::equal:
      case Token::Kind::unequal:
        term.is_negated = now().kind == Token::Kind::unequal;
        step();
        return value(field, term);
      case Token::Kind::less:
        return ordered(field, term, Test::less);
      case Token::Kind::at_most:
        return ordered(field, term, Test::at_most);
      case Token::Kind::more:
        return ordered(field, term, Test::more);
      case Token::Kind::at_least:
        return ordered(field, term, Test::at_least);
      case Token::Kind::like:
        if (!is_plain_list && field.type != FieldType::map && field.type != FieldType::text &&
            field.type != FieldType::word)
          return expected(comparisons_of(field.type));
        step();
        term.test = Test::like;
        return pattern(term);
      case Token::Kind::word:
        if (take_keyword("is")) return is_set(term);
        if (take_keyword("in")) return any_of(field, term);
        if (is_keyword(now(), "not") && is_keyword(tokens_[at_ + 1], "in")) {
          step();
          step();
          term.is_negated = true;
          return any_of(field, term);
        }
        break;
      case Token::Kind::end:
      case Token::Kind::quoted:
      case Token::Kind::open:
      case Token::Kind::close:
      case Token::Kind::comma:
        break;
    }
    if (field.type != FieldType::flag) return expected(comparisons_of(field.type));
    term.texts.emplace_back("true");
    return {};
  }

  Result<void> ordered(const SelectionField& field, Condition::Term& term, Condition::Test test) {
    if (!is_ordered(field.type))
      return selection_error(
          now().column, std::string(field.name) + " has no order: it takes " + comparisons_of(field.type));
    step();
    term.test = test;
    const std::uint32_t column = now().column;
    if (auto read = value(field, term); !read.ok()) return read;
    if (term.amounts.empty()) return selection_error(column, "expected a number beside < and >");
    return {};
  }

  Result<void> is_set(Condition::Term& term) {
    term.is_negated = take_keyword("not");
    if (!take_keyword("set")) return expected("set or not set");
    term.test = Condition::Test::set;
    return {};
  }

  Result<void> any_of(const SelectionField& field, Condition::Term& term) {
    if (!take(Token::Kind::open)) return expected("( and values");
    do {
      if (auto read = value(field, term); !read.ok()) return read;
      if (auto counted = count_value(); !counted.ok()) return counted;
    } while (take(Token::Kind::comma));
    if (!take(Token::Kind::close)) return expected(", or )");
    return {};
  }

  bool is_value() const {
    return now().kind == Token::Kind::quoted || (now().kind == Token::Kind::word && !is_reserved(now()));
  }

  Result<void> pattern(Condition::Term& term) {
    if (!is_value()) return expected("a pattern such as flex-*");
    term.texts.push_back(now().text);
    step();
    return {};
  }

  Result<void> value(const SelectionField& field, Condition::Term& term) {
    if (!is_value()) return expected(expected_value(field.type));
    const Token word = now();
    if (auto fits = check_word(field, word); !fits.ok()) return fits;
    const auto amount = amount_of(field.type, word.text);
    const bool needs_amount = is_ordered(field.type) && field.type != FieldType::map;
    if (needs_amount && !amount) return expected(expected_value(field.type));
    if (amount) term.amounts.push_back(*amount);
    term.texts.push_back(word.text);
    step();
    if (amount && amount->is_ago) take_keyword("ago");
    return {};
  }

  Result<void> check_word(const SelectionField& field, const Token& word) const {
    if (field.type == FieldType::flag && word.text != "true" && word.text != "false")
      return expected(expected_value(field.type));
    if (field.type != FieldType::word ||
        std::find(field.choices.begin(), field.choices.end(), word.text) != field.choices.end())
      return {};
    json::Nearest nearest(word.text);
    std::string all;
    for (const std::string_view choice : field.choices) {
      nearest.consider(choice);
      all.append(all.empty() ? "" : ", ").append(choice);
    }
    return selection_error(word.column, selection_quote(word.text) + " is no " + std::string(field.name) +
                                            ": there are " + all + nearest.hint());
  }

  Result<void> count_value() {
    if (++values_ <= Condition::values_max) return {};
    return selection_error(now().column, "there are more than " + std::to_string(Condition::values_max) +
                                             " comparisons and values");
  }

  Result<void> order(Selection& selection) {
    if (!take_keyword("order")) return {};
    if (!take_keyword("by")) return expected("by");
    std::string key;
    const Token name = now();
    const auto place = field_of(key);
    if (!place.ok()) return place.error();
    if (selection_fields(condition_.kind_)[place.value()].type == FieldType::list)
      return selection_error(name.column, selection_quote(name.text) + " is a list: it has no order");
    selection.order_by = name.text;
    selection.is_descending = take_keyword("desc");
    return {};
  }

  Result<void> limit(Selection& selection) {
    if (!take_keyword("limit")) return {};
    const auto number = now().kind == Token::Kind::word ? decimal_of(now().text) : std::nullopt;
    if (!number || *number < 1 || *number > selection_limit_max ||
        *number != static_cast<double>(static_cast<std::uint32_t>(*number)))
      return expected("a whole number from 1 to " + std::to_string(selection_limit_max));
    selection.limit = static_cast<std::uint32_t>(*number);
    step();
    return {};
  }

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::size_t values_ = 0;
  Condition condition_;
};

Result<Condition> Condition::parse(SelectionKind kind, std::string_view text) {
  auto tokens = selection_tokens(text, bytes_max);
  if (!tokens.ok()) return tokens.error();
  return SelectionParser(kind, std::move(tokens).value()).condition_alone();
}

Result<Selection> parse_selection(std::string_view text) {
  auto read = selection_tokens(text, Condition::bytes_max);
  if (!read.ok()) return read.error();
  std::vector<SelectionToken> tokens = std::move(read).value();
  for (const SelectionKind kind :
       {SelectionKind::job, SelectionKind::task, SelectionKind::host, SelectionKind::actor}) {
    if (!is_keyword(tokens.front(), selection_kind_text(kind))) continue;
    tokens.erase(tokens.begin());
    return SelectionParser(kind, std::move(tokens)).rest(text);
  }
  return selection_error(tokens.front().column,
                         "expected job, task, host or actor, found " + found_text(tokens.front()));
}

}  // namespace troupe::api
