#include "net/link/link.hpp"

#include <algorithm>

#include "net/link/link_rules.hpp"

namespace troupe::net {

std::string_view channel_text(Channel channel) {
  switch (channel) {
    case Channel::consensus:
      return "consensus";
    case Channel::mail:
      return "mail";
    case Channel::bulk:
      return "bulk";
    case Channel::agent:
      return "agent";
  }
  return "unknown";
}

std::optional<Channel> channel_from_text(std::string_view text) {
  for (int number = 0; number <= static_cast<int>(max_value(Channel{})); ++number) {
    const auto channel = static_cast<Channel>(number);
    if (channel_text(channel) == text) return channel;
  }
  return std::nullopt;
}

bool is_name(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._-/").find(c) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= name_bytes_max && std::all_of(text.begin(), text.end(), allowed);
}

bool takes_arrival(std::string_view self, std::string_view peer, Standing standing) {
  switch (standing) {
    case Standing::none:
      return true;
    case Standing::accepted:
      return true;
    case Standing::connected:
    case Standing::dialled:
      return peer < self;
  }
  return false;
}

milliseconds Backoff::next(Random& random) {
  const auto wait = wait_;
  wait_ = std::min(wait_ * 2, max_);
  return milliseconds(random.between((wait.count() + 1) / 2, wait.count()));
}

}  // namespace troupe::net
