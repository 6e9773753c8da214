#pragma once
// A small HTTP server on loopback that answers as a test says: also half-way, with lies, and not at all.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace troupe::agent {

struct LoopbackRequest {
  std::string path;
  std::map<std::string, std::string> headers;  ///< names in small letters
  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  }
};

struct LoopbackAnswer {
  int status = 200;
  std::vector<std::string> headers;  ///< "Name: value"
  std::string body;
  std::size_t cut_after = std::string::npos;  ///< of the body: then the connection breaks
  bool is_silent = false;                     ///< nothing is said until the client goes away
  bool has_length = true;
};

/// One connection and one request at a time per thread; ends in its destructor.
class LoopbackServer {
 public:
  using Handler = std::function<LoopbackAnswer(const LoopbackRequest&)>;
  explicit LoopbackServer(Handler handler, int port = 0) : handler_(std::move(handler)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int yes = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    socklen_t size = sizeof address;
    is_listening_ =
        bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0 && listen(listener_, 64) == 0;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~LoopbackServer() {
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int connection : open_) shutdown(connection, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
    close(listener_);
  }
  bool is_listening() const { return is_listening_; }
  int port() const { return port_; }
  std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
  std::vector<LoopbackRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void accept_all() {
    for (;;) {
      const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) return;
      {
        const std::lock_guard lock(mutex_);
        open_.push_back(connection);
      }
      threads_.emplace_back([this, connection] { serve(connection); });
    }
  }

  void serve(int connection) {
    std::string text;
    char block[4'096];
    while (text.find("\r\n\r\n") == std::string::npos) {
      const ssize_t count = recv(connection, block, sizeof block, 0);
      if (count <= 0) break;
      text.append(block, static_cast<std::size_t>(count));
    }
    if (text.find("\r\n\r\n") != std::string::npos) {
      const LoopbackRequest request = parsed(text);
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      const LoopbackAnswer answer = handler_(request);
      if (answer.is_silent)
        while (recv(connection, block, sizeof block, 0) > 0) continue;
      else
        say(connection, answer);
    }
    const std::lock_guard lock(mutex_);
    std::erase(open_, connection);
    close(connection);
  }

  static LoopbackRequest parsed(const std::string& text) {
    LoopbackRequest request;
    const std::size_t blank = text.find(' ');
    request.path = text.substr(blank + 1, text.find(' ', blank + 1) - blank - 1);
    for (std::size_t at = text.find("\r\n") + 2; at < text.size();) {
      const std::size_t end = text.find("\r\n", at);
      const std::size_t colon = text.find(": ", at);
      if (end == at || end == std::string::npos) break;
      std::string name = text.substr(at, colon - at);
      for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
      request.headers[name] = text.substr(colon + 2, end - colon - 2);
      at = end + 2;
    }
    return request;
  }

  static void say(int connection, const LoopbackAnswer& answer) {
    std::string text = "HTTP/1.1 " + std::to_string(answer.status) + " X\r\nConnection: close\r\n";
    for (const std::string& header : answer.headers) text += header + "\r\n";
    if (answer.has_length) text += "Content-Length: " + std::to_string(answer.body.size()) + "\r\n";
    text += "\r\n" + answer.body.substr(0, answer.cut_after);
    for (std::size_t at = 0; at < text.size();) {
      const ssize_t count = send(connection, text.data() + at, text.size() - at, MSG_NOSIGNAL);
      if (count <= 0) return;
      at += static_cast<std::size_t>(count);
    }
    shutdown(connection, SHUT_WR);
  }

  Handler handler_;
  int listener_ = -1, port_ = 0;
  bool is_listening_ = false;
  mutable std::mutex mutex_;
  std::vector<int> open_;
  std::vector<LoopbackRequest> requests_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace troupe::agent
