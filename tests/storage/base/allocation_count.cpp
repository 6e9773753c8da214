#include "tests/storage/base/allocation_count.hpp"

#include <cstdlib>
#include <new>

namespace {
std::size_t allocated = 0;
}

void* operator new(std::size_t size) {
  allocated += size;
  if (void* room = std::malloc(size)) return room;
  throw std::bad_alloc();
}
void operator delete(void* room) noexcept { std::free(room); }
void operator delete(void* room, std::size_t) noexcept { std::free(room); }

std::size_t troupe::allocated_bytes() { return allocated; }
