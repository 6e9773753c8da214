#pragma once
// A boolean expression over numbered terms, in the order in which a recursive descent leaves it.

#include <bitset>
#include <cstddef>
#include <vector>

namespace troupe {

/// Built by a parser, then immutable. Evaluating it allocates nothing: it is done for a million entities at a
/// time.
class Postfix {
 public:
  /// Of parentheses and negations, which a parser has to bound: each level holds at most one operand for `or`
  /// and one for `and`.
  static constexpr std::size_t depth_max = 24;

  void term(std::size_t number) { steps_.push_back({Join::term, number}); }
  void negation() { steps_.push_back({Join::negation}); }
  void both() { steps_.push_back({Join::both}); }
  void either() { steps_.push_back({Join::either}); }

  /// `holds(number)` answers for a term. Of an expression without any: true.
  template <class Holds>
  bool evaluate(Holds holds) const {
    std::bitset<2 * (depth_max + 1) + 1> operands;
    std::size_t count = 0;
    for (const Step& step : steps_) {
      if (step.join == Join::term) {
        operands[count++] = holds(step.term);
      } else if (step.join == Join::negation) {
        operands.flip(count - 1);
      } else {
        const bool last = operands[--count];
        const bool first = operands[count - 1];
        operands[count - 1] = step.join == Join::both ? first && last : first || last;
      }
    }
    return count == 0 || operands[0];
  }

 private:
  enum class Join : unsigned char { term, negation, both, either };
  struct Step {
    Join join;
    std::size_t term = 0;
  };
  std::vector<Step> steps_;
};

}  // namespace troupe
