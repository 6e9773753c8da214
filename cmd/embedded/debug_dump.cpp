#include "cmd/embedded/debug_dump.hpp"

#include <condition_variable>
#include <mutex>
#include <optional>

#include "actors/diagnosis/debug_lines.hpp"
#include "actors/diagnosis/node_sections.hpp"
#include "actors/runtime/logging.hpp"
#include "net/http/error_response.hpp"

namespace troupe::embedded {
namespace {

/// Awaited by one thread, filled by another; the answer may come when nobody waits any more.
struct Awaited {
  std::mutex mutex;
  std::condition_variable came;
  std::optional<http::Response> response;
};

class AwaitedReply final : public http::Reply {
 public:
  explicit AwaitedReply(std::shared_ptr<Awaited> awaited) : awaited_(std::move(awaited)) {}
  ~AwaitedReply() override {
    send(http::error_response({ErrorCode::unavailable, "the node dropped the question"}));
  }
  AwaitedReply(const AwaitedReply&) = delete;
  AwaitedReply& operator=(const AwaitedReply&) = delete;

  void send(http::Response response) override {
    const std::lock_guard lock(awaited_->mutex);
    if (awaited_->response) return;
    awaited_->response = std::move(response);
    awaited_->came.notify_all();
  }
  // A debug document is no stream.
  void open(int, http::Headers, std::function<void()> on_close) override { on_close(); }
  bool write(Bytes) override { return false; }
  void when_drained(std::function<void()>) override {}
  void finish() override {}

 private:
  const std::shared_ptr<Awaited> awaited_;
};

std::optional<http::Response> ask(Node& node, milliseconds patience) {
  http::Request request;
  request.method = "GET";
  request.path = "/api/v3/debug";
  request.headers = {{"x-titus-callerid", "troupe/signal"}};
  const auto awaited = std::make_shared<Awaited>();
  node.handle(std::move(request), std::make_shared<AwaitedReply>(awaited));
  std::unique_lock lock(awaited->mutex);
  awaited->came.wait_for(lock, patience, [&] { return awaited->response.has_value(); });
  return awaited->response;
}

}  // namespace

void debug_to_log(Node& node, NodeId self, milliseconds patience) {
  auto response = ask(node, patience);
  std::string document;
  if (response && response->status == 200) {
    document = std::move(response->body);
  } else {
    const std::string why =
        response ? "the node answered: " + response->body : "the node's actors did not answer in time";
    document = debug_json_alone(self, node.status(), SystemClock().wall(), why);
  }
  const std::vector<std::string> lines = debug_lines(document);
  for (const std::string& line : lines) logging::info("debug_dump node={} {}", self.value, line);
  logging::info("debug_dump_done node={} lines={}", self.value, lines.size());
}

}  // namespace troupe::embedded
