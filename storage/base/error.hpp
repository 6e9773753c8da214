#pragma once
// The closed list of what can go wrong. A new code only where some caller would act differently.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// When may the same request be tried again?
enum class Retry : std::uint8_t {
  never,      ///< it would fail again alike
  elsewhere,  ///< another node can answer
  later,      ///< it surely did not happen; try again after a pause
  unknown,    ///< it may have happened: ask, or repeat with the same request id
};

// One declaration gives enum, stable text, HTTP status and retry class.
#define TROUPE_ERRORS(X)                \
  X(invalid_argument, 400, never)       \
  X(unauthenticated, 401, never)        \
  X(permission_denied, 403, never)      \
  X(not_found, 404, never)              \
  X(method_not_allowed, 405, never)     \
  X(request_timeout, 408, later)        \
  X(job_terminating, 409, never)        \
  X(task_terminating, 409, never)       \
  X(sequence_in_use, 409, never)        \
  X(conflict, 409, later)               \
  X(body_too_large, 413, never)         \
  X(unsupported_media_type, 415, never) \
  X(request_id_reused, 422, never)      \
  X(limit_exceeded, 429, later)         \
  X(header_too_large, 431, never)       \
  X(internal, 500, never)               \
  X(not_leader, 503, elsewhere)         \
  X(unavailable, 503, later)            \
  X(overloaded, 503, later)             \
  X(outcome_unknown, 504, unknown)      \
  X(fenced, 409, never)                 \
  X(precondition_failed, 409, never)    \
  X(corrupt, 500, never)                \
  X(io, 500, never)

enum class ErrorCode : std::uint8_t {
#define X(name, status, retry) name,
  TROUPE_ERRORS(X)
#undef X
};

constexpr ErrorCode max_value(ErrorCode) { return ErrorCode::io; }

std::string_view code_text(ErrorCode code);
int http_status(ErrorCode code);
Retry retry_class(ErrorCode code);
std::optional<ErrorCode> code_from_text(std::string_view text);

/// One complaint about a body: where, and what is wrong. Line and column are 1-based; 0 where unknown.
struct Violation {
  std::string path;  ///< JSON pointer-like: container.env.PATH
  std::string message;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  friend bool operator==(const Violation&, const Violation&) = default;
};

/// The limit that refused something.
struct LimitHit {
  std::string name;  ///< "cell.jobs", "capacityGroup.tasks", "caller.jobs", "rate", ...
  std::uint64_t max = 0;
  std::uint64_t used = 0;           ///< now, without what was refused
  std::int64_t retry_after_ms = 0;  ///< when it may be worth another try; 0: nobody knows
  friend bool operator==(const LimitHit&, const LimitHit&) = default;
};

struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;  ///< for people: what is wrong and what to do
  std::vector<Violation> violations{};
  std::shared_ptr<const LimitHit> limit{};  ///< of limit_exceeded, where it is known
  friend bool operator==(const Error&, const Error&) = default;
};

}  // namespace troupe
