#include "storage/base/error.hpp"

#include <array>
#include <cstdlib>

namespace troupe {
namespace {

struct Row {
  std::string_view text;
  int status;
  Retry retry;
};

constexpr std::array rows{
#define X(name, status, retry) Row{#name, status, Retry::retry},
    TROUPE_ERRORS(X)
#undef X
};

const Row& row(ErrorCode code) {
  const auto at = static_cast<std::size_t>(code);
  if (at >= rows.size()) std::abort();
  return rows[at];
}

}  // namespace

std::string_view code_text(ErrorCode code) { return row(code).text; }
int http_status(ErrorCode code) { return row(code).status; }
Retry retry_class(ErrorCode code) { return row(code).retry; }

std::optional<ErrorCode> code_from_text(std::string_view text) {
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows[i].text == text) return static_cast<ErrorCode>(i);
  return std::nullopt;
}

}  // namespace troupe
