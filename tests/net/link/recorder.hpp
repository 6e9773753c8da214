#pragma once
// A listener that remembers, and waits for what must come with a bound that only a broken hub reaches.

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "net/link/link.hpp"

namespace troupe::net {

constexpr std::chrono::seconds patience{20};

class Recorder final : public LinkListener {
 public:
  void on_link_up(const LinkKey& link) override {
    record([&] {
      log_.push_back("up " + link.peer);
      ++ups_;
    });
    if (when_up) when_up(link);
  }
  void on_link_down(const LinkKey& link, std::string_view why) override {
    record([&] {
      log_.push_back("down " + link.peer + ": " + std::string(why));
      ++downs_;
      last_why_ = why;
    });
  }
  void on_dial_failed(const LinkKey&, DialFailure how, std::string_view) override {
    record([&] { ++failed_dials_, last_failure_ = how; });
  }
  void on_message(const LinkKey& link, Bytes message) override {
    if (when_message) when_message(link, message);
    record([&] {
      bytes_ += message.size();
      ++messages_;
      if (keep_messages) kept_.push_back(std::move(message));
    });
  }

  bool await(const std::function<bool(const Recorder&)>& reached) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return reached(*this); });
  }
  bool await_ups(int count) {
    return await([count](const Recorder& self) { return self.ups_ >= count; });
  }
  bool await_downs(int count) {
    return await([count](const Recorder& self) { return self.downs_ >= count; });
  }
  bool await_messages(std::size_t count) {
    return await([count](const Recorder& self) { return self.messages_ >= count; });
  }

  template <class Look>
  auto read(Look look) const {
    const std::lock_guard lock(mutex_);
    return look(*this);
  }
  std::vector<std::string> log() const {
    return read([](const Recorder& self) { return self.log_; });
  }
  std::vector<Bytes> kept() const {
    return read([](const Recorder& self) { return self.kept_; });
  }
  std::string last_why() const {
    return read([](const Recorder& self) { return self.last_why_; });
  }
  std::size_t messages() const {
    return read([](const Recorder& self) { return self.messages_; });
  }
  int ups() const {
    return read([](const Recorder& self) { return self.ups_; });
  }
  int downs() const {
    return read([](const Recorder& self) { return self.downs_; });
  }

  // Within a predicate of await, which holds the lock.
  int read_ups() const { return ups_; }
  int read_downs() const { return downs_; }
  int read_failed_dials() const { return failed_dials_; }
  DialFailure read_last_failure() const { return last_failure_; }
  std::size_t read_messages() const { return messages_; }

  bool keep_messages = true;
  std::function<void(const LinkKey&)> when_up{};                     // set before the hub opens
  std::function<void(const LinkKey&, const Bytes&)> when_message{};  // likewise

 private:
  template <class Change>
  void record(Change change) {
    const std::lock_guard lock(mutex_);
    change();
    changed_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> log_;
  std::vector<Bytes> kept_;
  std::string last_why_;
  std::size_t messages_ = 0;
  std::size_t bytes_ = 0;
  int ups_ = 0;
  int downs_ = 0;
  int failed_dials_ = 0;
  DialFailure last_failure_ = DialFailure::other;
};

}  // namespace troupe::net
