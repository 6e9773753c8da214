#include "storage/snapshot/death_book.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

namespace troupe {

struct DeathBook::Page {
  std::atomic<std::uint64_t> in_hand;  ///< the entry being applied; 0: none
  std::atomic<std::uint64_t> died_at;
  std::atomic<std::uint64_t> deaths;  ///< in a row, at died_at
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

Result<std::unique_ptr<DeathBook>> DeathBook::open(const std::string& file) {
  const auto failed = [&] {
    return Error{ErrorCode::io, "cannot open " + file + ": " + std::strerror(errno)};
  };
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) return failed();
  void* mapped = MAP_FAILED;
  if (::ftruncate(descriptor, sizeof(Page)) == 0)
    mapped = ::mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  ::close(descriptor);
  if (mapped == MAP_FAILED) return failed();
  auto* page = static_cast<Page*>(mapped);
  if (const std::uint64_t died_at = page->in_hand.exchange(0); died_at != 0) {
    page->deaths = page->died_at == died_at ? page->deaths + 1 : 1;
    page->died_at = died_at;
  }
  return std::unique_ptr<DeathBook>(new DeathBook(page));
}

DeathBook::~DeathBook() { ::munmap(page_, sizeof(Page)); }

void DeathBook::begin(Index entry) { page_->in_hand.store(entry.value, std::memory_order_relaxed); }
void DeathBook::end() { page_->in_hand.store(0, std::memory_order_relaxed); }

std::optional<Index> DeathBook::paused_before() const {
  return page_->deaths >= deaths_max ? std::optional(Index{page_->died_at}) : std::nullopt;
}

void DeathBook::forget() { page_->deaths = page_->died_at = 0; }

}  // namespace troupe
