#include "actors/agent/sim_script.hpp"

#include <charconv>
#include <limits>

namespace troupe::agent {
namespace {

constexpr std::size_t script_bytes_max = 4'096;
constexpr std::int64_t time_ms_max = 366LL * 24 * 3'600 * 1'000;

// Recursive descent; the first problem sticks.
class Parser {
 public:
  Parser(std::string_view text, const SimSubject& subject) : text_(text), subject_(subject) {}

  Result<SimScript> parse() {
    if (text_.size() > script_bytes_max) fail("the script is longer than 4096 bytes");
    // Twice: general clauses first, so that selected ones override them wherever they stand.
    pass(Pass::general);
    pass(Pass::selected);
    if (!problem_.empty()) return Error{ErrorCode::invalid_argument, problem_};
    if (!is_run_given_ && is_end_given_) script_.run = milliseconds(0);
    return script_;
  }

 private:
  enum class Pass : std::uint8_t { general, selected };
  struct Scope {
    bool is_general = true;
    bool holds = true;  ///< for this subject
  };

  void pass(Pass which) {
    at_ = 0;
    while (problem_.empty()) {
      const Scope scope = selectors();
      const bool is_wanted = which == Pass::general ? scope.is_general : !scope.is_general && scope.holds;
      SimScript ignored = script_;
      const bool run = is_run_given_, end = is_end_given_;
      items();
      if (!is_wanted) script_ = ignored, is_run_given_ = run, is_end_given_ = end;
      if (at_ >= text_.size()) return;
      if (!take(';') && problem_.empty()) fail("expected ';' or a blank");
    }
  }

  Scope selectors() {
    Scope scope;
    for (blanks(); problem_.empty(); blanks()) {
      const std::size_t before = at_;
      const std::string_view what = word();
      if (what == "slot")
        scope.holds &= is_among(subject_.slot);
      else if (what == "attempt")
        scope.holds &= is_among(subject_.attempt);
      else if (what == "host")
        scope.holds &= name() == subject_.host;
      else if (what == "group")
        scope.holds &= name() == subject_.host_group;
      else {
        at_ = before;
        break;
      }
      scope.is_general = false;
      if (take(':')) return scope;
    }
    if (!scope.is_general && problem_.empty()) fail("expected ':' after the selectors");
    return scope;
  }

  bool is_among(std::uint32_t number_wanted) {
    constexpr std::int64_t most = std::numeric_limits<std::uint32_t>::max();
    blanks();
    const std::int64_t low = number(0, most);
    std::int64_t high = low;
    if (take('-'))
      high = at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9' ? number(low, most) : most;
    return low <= number_wanted && number_wanted <= high;
  }

  std::string_view name() {
    blanks();
    const std::size_t from = at_;
    while (at_ < text_.size() && text_[at_] != ' ' && text_[at_] != ':' && text_[at_] != ';') ++at_;
    if (at_ == from) fail("expected a name");
    return text_.substr(from, at_ - from);
  }

  void items() {
    for (blanks(); problem_.empty() && at_ < text_.size() && text_[at_] != ';'; blanks()) {
      item_at_ = at_;
      const std::string_view name = word();
      if (take('='))
        value(name);
      else
        flag(name);
      if (problem_.empty() && at_ < text_.size() && text_[at_] != ' ' && text_[at_] != ';')
        fail("expected ';' or a blank");
    }
  }

  void flag(std::string_view name) {
    if (name == "crash")
      end_by_signal(11);
    else if (name == "hang")
      script_.hangs = true;
    else if (name == "fail")
      script_.fails = true;
    else if (name == "forget")
      script_.forgets = true;
    else if (name == "ignore_term")
      script_.ignores_term = true;
    else
      unknown(name);
  }

  void value(std::string_view name) {
    if (name == "prepare")
      script_.prepare = time();
    else if (name == "start")
      script_.start = time();
    else if (name == "run")
      run();
    else if (name == "exit")
      end_by_exit(static_cast<int>(number(0, 255)));
    else if (name == "signal")
      end_by_signal(static_cast<int>(number(1, 64)));
    else if (name == "stop")
      script_.stop = time();
    else if (name == "output")
      script_.line = line() + "\n";
    else if (name == "every")
      every();
    else
      unknown(name);
  }

  void unknown(std::string_view name) {
    at_ = item_at_;
    fail("unknown item '" + std::string(name) +
         "'; there are prepare= start= run= exit= signal= crash hang fail forget stop= ignore_term output= " +
         "every=");
  }

  void run() {
    is_run_given_ = true;
    const std::size_t before = at_;
    if (word() == "forever") {
      script_.run.reset();
      return;
    }
    at_ = before;
    script_.run = time();
  }

  void every() {
    script_.every = time();
    if (script_.every->count() == 0) fail("every= must be above zero");
  }

  void end_by_exit(int code) {
    script_.exit_code = code;
    script_.signal = 0;
    is_end_given_ = true;
  }

  void end_by_signal(int number) {
    script_.signal = number;
    script_.exit_code = 0;
    is_end_given_ = true;
  }

  std::string line() {
    if (!take('\'')) {
      const std::size_t from = at_;
      while (at_ < text_.size() && text_[at_] != ' ' && text_[at_] != ';') ++at_;
      return std::string(text_.substr(from, at_ - from));
    }
    const std::size_t end = text_.find('\'', at_);
    if (end == std::string_view::npos) {
      fail("the quote is never closed");
      return {};
    }
    const std::string quoted(text_.substr(at_, end - at_));
    at_ = end + 1;
    return quoted;
  }

  milliseconds time() {
    const std::int64_t count = number(0, time_ms_max);
    const std::size_t before = at_;
    const std::string_view unit = word();
    const std::int64_t factor = unit == "ms" ? 1 : unit == "s" ? 1'000 : unit == "m" ? 60'000 : 0;
    at_ = factor == 0 ? before : at_;
    if (factor == 0)
      fail("a time needs its unit: ms, s or m");
    else if (count > time_ms_max / factor)
      fail("the time is longer than a year");
    return milliseconds(count * factor);
  }

  std::int64_t number(std::int64_t low, std::int64_t high) {
    std::int64_t value = 0;
    const char* from = text_.data() + at_;
    const auto [end, error] = std::from_chars(from, text_.data() + text_.size(), value);
    if (end == from || error != std::errc{} || value < low || value > high) {
      fail("expected a whole number from " + std::to_string(low) + " to " + std::to_string(high));
      return low;
    }
    at_ += static_cast<std::size_t>(end - from);
    return value;
  }

  std::string_view word() {
    const std::size_t from = at_;
    while (at_ < text_.size() && ((text_[at_] >= 'a' && text_[at_] <= 'z') || text_[at_] == '_')) ++at_;
    return text_.substr(from, at_ - from);
  }

  void blanks() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }

  bool take(char wanted) {
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  void fail(std::string message) {
    if (problem_.empty())
      problem_ = "troupe.sim, column " + std::to_string(at_ + 1) + ": " + std::move(message);
  }

  std::string_view text_;
  const SimSubject& subject_;
  std::size_t at_ = 0;
  std::size_t item_at_ = 0;
  std::string problem_;
  SimScript script_;
  bool is_run_given_ = false;
  bool is_end_given_ = false;
};

}  // namespace

Result<SimScript> parse_sim_script(std::string_view text, const SimSubject& subject) {
  return Parser(text, subject).parse();
}

std::string_view find_sim_script(const std::map<std::string, std::string>& attributes,
                                 const std::map<std::string, std::string>& env) {
  if (const auto found = attributes.find("troupe.sim"); found != attributes.end()) return found->second;
  if (const auto found = env.find("TROUPE_SIM"); found != env.end()) return found->second;
  return {};
}

}  // namespace troupe::agent
