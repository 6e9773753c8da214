#include "cmd/troupe/inspect_report.hpp"

#include <fmt/core.h>

#include "cmd/troupe/cli.hpp"

namespace troupe::cli {
namespace {

struct Verdict {
  std::string verdict;
  std::uint64_t problems = 0;
  static constexpr auto fields() {
    return field_list(field("verdict", &Verdict::verdict), field("problems", &Verdict::problems));
  }
};

}  // namespace

int InspectReport::finish() {
  const bool is_sound = problems_ == 0;
  const Verdict verdict{is_sound ? "sound" : "damaged", problems_};
  row("verdict", is_sound ? "sound" : fmt::format("damaged: {} problems", problems_), verdict);
  return is_sound ? exit_ok : exit_failed;
}

int InspectReport::fail(const Error& error) {
  if (error.code == ErrorCode::corrupt || error.code == ErrorCode::unavailable) {
    problem(error.message);
    return finish();
  }
  output_.err << "troupe: " << error.message << '\n';
  return error.code == ErrorCode::not_found ? exit_not_found : exit_internal;
}

}  // namespace troupe::cli
