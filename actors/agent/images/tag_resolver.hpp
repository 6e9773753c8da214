#pragma once
// What a tag stands for, asked by a node when a job is submitted.

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "actors/agent/images/image_source.hpp"
#include "actors/agent/images/registry_reference.hpp"
#include "actors/node/image_resolver.hpp"

namespace troupe::agent {

struct TagResolverConfig {
  RegistriesConfig
      registries;  ///< nobody else is asked: users name servers, and nodes stand where those do not
  milliseconds age_max{
      200};  ///< a submission takes an answer that was asked for so long before it, not an older one
  milliseconds answer_max{4'000};    ///< for one answer, of all mirrors together
  std::size_t threads = 4;           ///< so many are asked for at once ...
  std::size_t threads_at_one = 2;    ///< ... of one registry: one that hangs does not hold up the others
  std::size_t waiting_max = 10'000;  ///< calls; beyond: overloaded
  std::size_t known_max = 10'000;    ///< tags whose answer is kept for others; beyond, all are forgotten
};

/// Asks the source on threads of its own, once for all who wait for the same tag. Nothing survives it.
class TagResolver final : public ImageResolver {
 public:
  /// `source` and `clock` outlive it.
  TagResolver(TagResolverConfig config, ImageSource& source, const Clock& clock);
  ~TagResolver() override;
  TagResolver(const TagResolver&) = delete;
  TagResolver& operator=(const TagResolver&) = delete;

  /// Of a configured registry, by tag alone.
  bool asks_for(const Image& image) const override;
  void resolve(const Image& image, Done done) override;

 private:
  struct Tag {
    std::string registry;
    ImageName name;
    std::string digest;     ///< empty: none, or too old to be of use
    Moment asked{};         ///< when the answer that is known, or on its way, was asked for
    bool is_asked = false;  ///< it is on its way
    bool is_queued = false;
    std::vector<Done> waiting;  ///< for what is on its way
    std::vector<Done> next;     ///< for what is to be asked for behind it
  };
  using Tags = std::map<std::string, Tag>;

  std::string registry_of(const Image& image) const;
  bool is_fresh(const Tag& tag) const;
  void enqueue(Tags::iterator tag);
  void work();
  bool take_one(std::unique_lock<std::mutex>& lock);
  Result<std::string> ask(const ImageName& name);

  const TagResolverConfig config_;
  ImageSource& source_;
  const Clock& clock_;
  mutable std::mutex mutex_;  ///< of all below
  std::condition_variable changed_;
  Tags tags_;  ///< by name:tag; one that is queued or asked for stays
  std::deque<Tags::iterator> queue_;
  std::map<std::string, std::size_t> busy_;  ///< threads, by registry
  std::size_t waiting_ = 0;
  bool ends_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace troupe::agent
