#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "storage/base/result.hpp"
#include "storage/base/time.hpp"

namespace troupe::gateway {

/// Who waits for an answer, by cookie. Each continuation runs exactly once: with its answer, or with the
/// caller's error once its deadline has passed; a later answer is dropped. One thread. The owner bounds the
/// number.
template <class T>
class Waits {
 public:
  using Done = std::function<void(Result<T>)>;

  std::uint64_t add(Moment deadline, Done done) {
    waiting_.emplace(++last_, Wait{deadline, std::move(done)});
    return last_;
  }
  void settle(std::uint64_t cookie, Result<T> answer) {
    const auto found = waiting_.find(cookie);
    if (found == waiting_.end()) return;
    const Done done = std::move(found->second.done);
    waiting_.erase(found);
    done(std::move(answer));
  }
  void expire(Moment now, const Error& error) {
    std::vector<std::uint64_t> over;  // A continuation may add waits.
    for (const auto& [cookie, wait] : waiting_)
      if (wait.deadline <= now) over.push_back(cookie);
    for (const std::uint64_t cookie : over) settle(cookie, error);
  }
  std::size_t size() const { return waiting_.size(); }

 private:
  struct Wait {
    Moment deadline;
    Done done;
  };
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, Wait> waiting_;
};

}  // namespace troupe::gateway
