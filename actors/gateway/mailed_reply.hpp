#pragma once

#include "net/http/error_response.hpp"
#include "net/http/http.hpp"

namespace troupe::gateway {

/// Around a reply while its call lies in the gateway's mailbox. A call that is dropped there, since the node
/// stops, surely did not happen: the client gets 503 and may try again at once. The gateway takes the reply
/// out when it reads the call.
class MailedReply final : public http::Reply {
 public:
  static http::ReplyPtr of(http::ReplyPtr reply) { return std::make_shared<MailedReply>(std::move(reply)); }
  /// Of any reply; one that was not mailed is answered as it is.
  static http::ReplyPtr opened(http::ReplyPtr reply) {
    auto* mailed = dynamic_cast<MailedReply*>(reply.get());
    return mailed == nullptr ? std::move(reply) : std::exchange(mailed->reply_, nullptr);
  }

  explicit MailedReply(http::ReplyPtr reply) : reply_(std::move(reply)) {}
  ~MailedReply() override {
    if (reply_)
      reply_->send(
          http::error_response({ErrorCode::unavailable, "this node stopped before it read the request"}));
  }
  MailedReply(const MailedReply&) = delete;
  MailedReply& operator=(const MailedReply&) = delete;

  void send(http::Response response) override { std::exchange(reply_, nullptr)->send(std::move(response)); }
  void open(int status, http::Headers headers, std::function<void()> on_close) override {
    reply_->open(status, std::move(headers), std::move(on_close));
  }
  bool write(Bytes chunk) override { return reply_->write(std::move(chunk)); }
  void when_drained(std::function<void()> then) override { reply_->when_drained(std::move(then)); }
  void finish() override { reply_->finish(); }

 private:
  http::ReplyPtr reply_;
};

}  // namespace troupe::gateway
