#pragma once
// A broken invariant stops the process, in production too.

#include <cstdio>
#include <cstdlib>

#define TROUPE_CHECK(condition)                               \
  do {                                                        \
    if (!(condition)) [[unlikely]]                            \
      ::troupe::check_failed(#condition, __FILE__, __LINE__); \
  } while (false)

namespace troupe {

[[noreturn]] inline void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "check_failed condition=\"%s\" at=%s:%d\n", condition, file, line);
  std::abort();
}

}  // namespace troupe
