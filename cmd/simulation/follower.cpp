#include "cmd/simulation/follower.hpp"

#include "net/api/event_json.hpp"

namespace troupe::simulation {
namespace {

constexpr milliseconds silence_max{25'000};  // Keep-alives come every ten seconds.

std::string_view field_of(std::string_view frame, std::string_view name) {
  std::size_t at = 0;
  while (at < frame.size()) {
    const std::size_t end = std::min(frame.find('\n', at), frame.size());
    const std::string_view line = frame.substr(at, end - at);
    if (line.size() > name.size() + 1 && line.starts_with(name) && line[name.size()] == ':')
      return line.substr(name.size() + 2);
    at = end + 1;
  }
  return {};
}

}  // namespace

Follower::~Follower() {
  if (stream_) stream_->done = true;
}

void Follower::connect() {
  const std::vector<std::uint32_t> nodes = cluster_.nodes();
  const std::uint32_t node = nodes[random_.below(nodes.size())];
  http::Headers headers{{"x-titus-callerid", "follower"}};
  if (random_.chance(20)) position_.reset();
  if (position_) headers["last-event-id"] = api::event_id_text(*position_);
  stream_ = cluster_.ask(node, "GET", "/api/v3/events", {}, std::move(headers));
  read_ = 0;
  is_first_ = true;
  in_snapshot_ = false;
  opened_ = cluster_.now();
}

void Follower::poll() {
  if (!stream_) connect();
  read();
  const bool is_silent = cluster_.now() - opened_ > silence_max;
  if (!stream_->done && !is_silent) return;
  stream_->done = true;
  stream_.reset();
}

void Follower::read() {
  if (stream_->response.status != 200) return;
  std::string& body = stream_->response.body;
  for (std::size_t end = body.find("\n\n", read_); end != std::string::npos; end = body.find("\n\n", read_)) {
    take(std::string_view(body).substr(read_, end - read_));
    read_ = end + 2;
    opened_ = cluster_.now();
  }
  body.erase(0, read_);
  read_ = 0;
}

void Follower::take(std::string_view frame) {
  if (frame.starts_with(':')) return;
  const std::string_view name = field_of(frame, "event");
  const std::string_view id_text = field_of(frame, "id");
  if (name == api::job_snapshot_name || name == api::task_snapshot_name) {
    if (!is_first_ && !in_snapshot_) complain_("a snapshot begins in the middle of a stream");
    in_snapshot_ = true;
    is_first_ = false;
    return;
  }
  const auto id = api::parse_event_id(id_text);
  if (!id.ok()) return complain_("a frame has no id: " + std::string(frame.substr(0, 80)));
  if (name == api::snapshot_end_name) {
    in_snapshot_ = is_first_ = false;
    position_ = id.value();
    return;
  }
  if (in_snapshot_) complain_("an event comes before the snapshot's end");
  is_first_ = false;
  take_event(id.value());
}

void Follower::take_event(EventId id) {
  ++heard_;
  if (!position_) return complain_("a stream begins with an event, without a snapshot");
  const Event* next = ledger_.event_after(*position_, hint_);
  if (next == nullptr || next->id != id)
    complain_(
        "a follower heard event " + api::event_id_text(id) + " after " + api::event_id_text(*position_) +
        (next == nullptr ? ", which nobody told" : ", but " + api::event_id_text(next->id) + " is next"));
  position_ = id;
}

bool Follower::has_everything() const {
  std::size_t hint = 0;
  return position_ && !in_snapshot_ && ledger_.event_after(*position_, hint) == nullptr;
}

}  // namespace troupe::simulation
