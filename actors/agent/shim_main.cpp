#include <cstring>

#include "actors/agent/oci/container_init.hpp"
#include "actors/agent/shim.hpp"

// The same small static program is the shim on the host and the first process in a container.
int main(int argc, char** argv) {
  if (argc > 2 && std::strcmp(argv[1], "--init") == 0) return troupe::agent::run_container_init(argv + 2);
  return troupe::agent::run_shim(argc, argv);
}
