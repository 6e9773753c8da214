#include "cmd/troupe/cli_error.hpp"

#include <ostream>

#include "cmd/troupe/cli.hpp"
#include "net/http/error_response.hpp"

namespace troupe::cli {

int exit_code_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::not_found:
      return exit_not_found;
    case ErrorCode::request_timeout:
    case ErrorCode::conflict:
    case ErrorCode::limit_exceeded:
    case ErrorCode::overloaded:
    case ErrorCode::outcome_unknown:
      return exit_try_again;
    case ErrorCode::not_leader:
    case ErrorCode::unavailable:
      return exit_unavailable;
    case ErrorCode::internal:
    case ErrorCode::corrupt:
    case ErrorCode::io:
      return exit_internal;
    case ErrorCode::invalid_argument:
    case ErrorCode::unauthenticated:
    case ErrorCode::permission_denied:
    case ErrorCode::method_not_allowed:
    case ErrorCode::job_terminating:
    case ErrorCode::task_terminating:
    case ErrorCode::sequence_in_use:
    case ErrorCode::body_too_large:
    case ErrorCode::unsupported_media_type:
    case ErrorCode::request_id_reused:
    case ErrorCode::header_too_large:
    case ErrorCode::fenced:
    case ErrorCode::precondition_failed:
      return exit_refused;
  }
  return exit_internal;
}

int report(std::ostream& err, const Error& error) {
  err << "troupe: " << code_text(error.code) << ": " << error.message << '\n';
  for (const auto& violation : error.violations) {
    err << "  " << (violation.path.empty() ? "(whole)" : violation.path);
    if (violation.line != 0) err << " (line " << violation.line << ", column " << violation.column << ')';
    err << ": " << violation.message << '\n';
  }
  err << "  hint: " << http::hint_of(error.code) << '\n';
  return exit_code_of(error);
}

}  // namespace troupe::cli
