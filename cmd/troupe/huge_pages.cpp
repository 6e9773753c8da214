#include "cmd/troupe/huge_pages.hpp"

#include <unistd.h>

#include <cstdlib>

namespace troupe::cli {

void prefer_huge_pages(char** arguments) {
  constexpr const char* name = "MALLOC_CONF";
  if (std::getenv(name) != nullptr || ::setenv(name, "thp:always", 0) != 0) return;
  ::execv("/proc/self/exe", arguments);
  ::unsetenv(name);  // It goes on as it is.
}

}  // namespace troupe::cli
