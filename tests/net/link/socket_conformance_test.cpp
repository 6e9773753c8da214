#include "tests/net/link/link_conformance.hpp"
#include "tests/net/link/socket_world.hpp"

namespace troupe::net {
namespace {

INSTANTIATE_TEST_SUITE_P(Sockets, LinkConformance, testing::Values([]() -> std::unique_ptr<LinkWorld> {
                           return std::make_unique<SocketWorld>();
                         }));

}  // namespace
}  // namespace troupe::net
