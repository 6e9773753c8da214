#include "storage/model/placement_terms.hpp"

#include <charconv>

namespace troupe {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

struct Halves {
  std::string_view left, right;
  bool has_right = false;
};
Halves cut(std::string_view text, char at) {
  const std::size_t found = text.find(at);
  if (found == std::string_view::npos) return {trimmed(text), {}, false};
  return {trimmed(text.substr(0, found)), trimmed(text.substr(found + 1)), true};
}

/// Reads each term of a list.
template <class Term, class Read>
Result<std::vector<Term>> read_terms(std::string_view text, char divider, Read read) {
  std::vector<Term> terms;
  for (bool is_last = false; !is_last;) {
    const std::size_t end = text.find(',');
    is_last = end == std::string_view::npos;
    const Halves term = cut(text.substr(0, end), divider);
    if (term.left.empty()) return Error{ErrorCode::invalid_argument, "has an empty term"};
    if (terms.size() == placement_terms_max)
      return Error{ErrorCode::invalid_argument,
                   "has more than " + std::to_string(placement_terms_max) + " terms"};
    auto made = read(term);
    if (!made.ok()) return made.error();
    terms.push_back(std::move(made).value());
    if (!is_last) text.remove_prefix(end + 1);
  }
  return terms;
}

}  // namespace

Result<std::vector<SpreadTerm>> parse_spread(std::string_view text) {
  return read_terms<SpreadTerm>(text, ':', [](const Halves& term) -> Result<SpreadTerm> {
    SpreadTerm made{std::string(term.left)};
    if (!term.has_right) return made;
    const auto* end = term.right.data() + term.right.size();
    const auto [at, error] = std::from_chars(term.right.data(), end, made.skew);
    if (error == std::errc() && at == end && made.skew >= 1 && made.skew <= skew_max) return made;
    return Error{ErrorCode::invalid_argument,
                 "needs a skew of 1 to " + std::to_string(skew_max) + " behind " + made.place + ":"};
  });
}

Result<std::vector<NeighbourTerm>> parse_neighbours(std::string_view text) {
  return read_terms<NeighbourTerm>(text, '=', [](const Halves& term) -> Result<NeighbourTerm> {
    NeighbourTerm made{std::string(term.left), {}};
    if (!term.has_right) return made;
    const auto job = parse_uuid<JobId>(term.right);
    if (!job.ok()) return Error{ErrorCode::invalid_argument, "needs a job's id behind " + made.place + "="};
    made.job = job.value();
    return made;
  });
}

Result<std::vector<Toleration>> parse_tolerations(std::string_view text) {
  return read_terms<Toleration>(text, '=', [](const Halves& term) -> Result<Toleration> {
    return Toleration{std::string(term.left), std::string(term.right)};
  });
}

}  // namespace troupe
