#include "actors/agent/images/unpack.hpp"

int main(int argc, char** argv) { return troupe::agent::run_unpack(argc, argv); }
