#include "actors/agent/shim.hpp"

int main(int argc, char** argv) { return troupe::agent::run_shim(argc, argv); }
