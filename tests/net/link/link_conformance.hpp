#pragma once
// What every LinkHub must do; each program that has a world instantiates it for that world.

#include <gtest/gtest.h>

#include <memory>

#include "tests/net/link/link_world.hpp"

namespace troupe::net {

inline const LinkKey to_one{"node/1", Channel::mail};
inline const LinkKey to_two{"node/2", Channel::mail};

using MakeWorld = std::unique_ptr<LinkWorld> (*)();

class LinkConformance : public testing::TestWithParam<MakeWorld> {
 protected:
  LinkConformance() : world(GetParam()()) {
    one = world->open("node/1", heard_one, "");
    two = world->open("node/2", heard_two, "");
  }
  bool await_ups(Recorder& heard, int count) {
    return world->await(heard, [count](const Recorder& now) { return now.read_ups() >= count; });
  }
  bool await_downs(Recorder& heard, int count) {
    return world->await(heard, [count](const Recorder& now) { return now.read_downs() >= count; });
  }
  bool await_messages(Recorder& heard, std::size_t count) {
    return world->await(heard, [count](const Recorder& now) { return now.read_messages() >= count; });
  }
  void link() {
    one->dial(to_two, two->address());
    ASSERT_TRUE(await_ups(heard_one, 1));
    ASSERT_TRUE(await_ups(heard_two, 1));
  }

  std::unique_ptr<LinkWorld> world;
  Recorder heard_one;
  Recorder heard_two;
  std::unique_ptr<LinkHub> one;
  std::unique_ptr<LinkHub> two;
};

}  // namespace troupe::net
