#include "actors/agent/images/tag_resolver.hpp"

#include <algorithm>

#include "actors/runtime/logging.hpp"

namespace troupe::agent {
namespace {

const Error ended{ErrorCode::unavailable, "this node is stopping"};

}  // namespace

TagResolver::TagResolver(TagResolverConfig config, ImageSource& source, const Clock& clock)
    : config_(std::move(config)), source_(source), clock_(clock) {
  for (std::size_t i = 0; i < config_.threads; ++i) threads_.emplace_back([this] { work(); });
}

TagResolver::~TagResolver() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  for (auto& [key, tag] : tags_)
    for (const Done& done : tag.next) done(ended);
}

std::string TagResolver::registry_of(const Image& image) const {
  if (image.tag.empty() || !image.digest.empty()) return {};
  const auto reference = parse_reference(image.name + ':' + image.tag);
  if (!reference.ok() || !reference.value().digest.empty()) return {};
  const RegistriesConfig& known = config_.registries;
  const std::string& registry =
      reference.value().registry.empty() ? known.default_registry : reference.value().registry;
  const bool is_known =
      registry == known.default_registry ||
      std::ranges::any_of(known.registries, [&](const auto& one) { return one.name == registry; });
  return is_known ? registry : std::string();
}

bool TagResolver::asks_for(const Image& image) const { return !registry_of(image).empty(); }

bool TagResolver::is_fresh(const Tag& tag) const { return clock_.steady() - tag.asked <= config_.age_max; }

void TagResolver::resolve(const Image& image, Done done) {
  const std::string registry = registry_of(image);
  if (registry.empty())
    return done(Error{ErrorCode::invalid_argument, "no registry of this cell has " + image.name});
  std::unique_lock lock(mutex_);
  if (ends_ || waiting_ >= config_.waiting_max) {
    const bool is_over = ends_;
    lock.unlock();
    return done(is_over ? ended : Error{ErrorCode::overloaded, "too many images are being asked for"});
  }
  if (tags_.size() >= config_.known_max)
    std::erase_if(tags_, [](const auto& one) { return !one.second.is_asked && !one.second.is_queued; });
  const auto [found, is_new] = tags_.try_emplace(image.name + ':' + image.tag);
  Tag& tag = found->second;
  if (is_new) tag.registry = registry, tag.name = {image.name, image.tag, ""};
  if (!tag.is_asked && !tag.digest.empty() && is_fresh(tag)) {
    const std::string digest = tag.digest;
    lock.unlock();
    return done(digest);
  }
  ++waiting_;
  if (tag.is_asked && is_fresh(tag)) return tag.waiting.push_back(std::move(done));
  tag.next.push_back(std::move(done));
  if (!tag.is_asked) enqueue(found);
}

void TagResolver::enqueue(Tags::iterator tag) {
  if (std::exchange(tag->second.is_queued, true)) return;
  queue_.push_back(tag);
  changed_.notify_one();
}

void TagResolver::work() {
  std::unique_lock lock(mutex_);
  while (!ends_)
    if (!take_one(lock)) changed_.wait(lock);
}

/// The first whose registry has not all its threads. False: there is none.
bool TagResolver::take_one(std::unique_lock<std::mutex>& lock) {
  const auto next = std::ranges::find_if(
      queue_, [&](Tags::iterator one) { return busy_[one->second.registry] < config_.threads_at_one; });
  if (next == queue_.end()) return false;
  const auto taken = *next;
  queue_.erase(next);
  Tag& tag = taken->second;
  tag.is_queued = false;
  tag.is_asked = true;
  tag.asked = clock_.steady();
  tag.waiting = std::exchange(tag.next, {});
  ++busy_[tag.registry];
  lock.unlock();
  const auto digest = ask(tag.name);
  lock.lock();
  if (--busy_[tag.registry] == 0) busy_.erase(tag.registry);
  tag.is_asked = false;
  tag.digest = digest.ok() ? digest.value() : std::string();
  const std::vector<Done> answered = std::exchange(tag.waiting, {});
  waiting_ -= answered.size();
  if (!tag.next.empty()) enqueue(taken);
  changed_.notify_one();  // This registry has a thread to spare.
  lock.unlock();
  for (const Done& done : answered) done(digest);
  lock.lock();
  return true;
}

Result<std::string> TagResolver::ask(const ImageName& name) {
  Pull pull;
  pull.patience = Pull::Patience::brief;
  pull.wanted = [this, until = clock_.steady() + config_.answer_max]() -> Result<void> {
    const std::lock_guard lock(mutex_);
    if (ends_) return ended;
    if (clock_.steady() > until) return Error{ErrorCode::unavailable, "the registry answers too slowly"};
    return {};
  };
  const auto link = source_.resolve(name, pull);
  if (link.ok()) return link.value().digest;
  logging::warn("image_not_resolved image={}:{} why=\"{}\"", name.name, name.tag, link.error().message);
  return link.error();
}

}  // namespace troupe::agent
