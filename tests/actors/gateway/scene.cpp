#include "tests/actors/gateway/scene.hpp"

#include <gtest/gtest.h>

#include <caf/scheduler/test_coordinator.hpp>
#include <cstdlib>
#include <fstream>

#include "actors/gateway/gateway_settings.hpp"
#include "actors/gateway/mailed_reply.hpp"
#include "net/json/writer.hpp"

namespace troupe {
namespace {

/// For contract_test.py, which holds every answer of these tests against the OpenAPI document.
void note_answer(const Seen& seen, const http::Response& response) {
  static const char* const path = std::getenv("TROUPE_ANSWERS");
  if (path == nullptr) return;
  json::Writer writer;
  writer.begin_object();
  writer.key("method");
  writer.text(seen.method);
  writer.key("target");
  writer.text(seen.target);
  writer.key("status");
  writer.integer(response.status);
  writer.key("type");
  const auto type = response.headers.find("content-type");
  writer.text(type == response.headers.end() ? std::string() : type->second);
  writer.key("body");
  writer.text(response.body);
  writer.end_object();
  std::ofstream(path, std::ios::app) << writer.take() + '\n';
}

class FakeReply final : public http::Reply {
 public:
  explicit FakeReply(SeenPtr seen) : seen_(std::move(seen)) {}
  ~FakeReply() override {
    if (!seen_->answered && !seen_->opened) send({500, {}, "dropped"});
    if (seen_->opened && !seen_->finished) {
      seen_->cut = true;
      close();
    }
  }
  void send(http::Response response) override {
    TROUPE_CHECK(!seen_->answered && !seen_->opened);
    seen_->answered = true;
    note_answer(*seen_, response);
    seen_->response = std::move(response);
  }
  void open(int status, http::Headers headers, std::function<void()> on_close) override {
    TROUPE_CHECK(!seen_->answered && !seen_->opened);
    seen_->opened = true;
    seen_->response.status = status;
    seen_->response.headers = std::move(headers);
    seen_->on_close = std::move(on_close);
  }
  bool write(Bytes chunk) override {
    TROUPE_CHECK(seen_->opened && !seen_->finished);
    if (seen_->gone) return false;
    seen_->body += chunk;
    ++seen_->chunks;
    return true;
  }
  void when_drained(std::function<void()> then) override {
    if (seen_->gone) return;
    if (seen_->reads_slowly)
      seen_->on_drained = std::move(then);
    else
      then();
  }
  void finish() override {
    seen_->finished = true;
    close();
  }

 private:
  void close() {
    if (const auto on_close = std::exchange(seen_->on_close, nullptr)) on_close();
  }
  SeenPtr seen_;
};

caf::scheduler::test_coordinator& scheduler(caf::actor_system& system) {
  return static_cast<caf::scheduler::test_coordinator&>(system.scheduler());
}

std::vector<std::string> lines_with(std::string_view text, std::string_view prefix) {
  std::vector<std::string> found;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = text.substr(at, end - at);
    if (line.starts_with(prefix)) found.emplace_back(line.substr(prefix.size()));
    at = end + 1;
  }
  return found;
}

}  // namespace

void Seen::take() {
  if (const auto then = std::exchange(on_drained, nullptr)) then();
}
void Seen::leave() {
  gone = true;
  if (const auto then = std::exchange(on_close, nullptr)) then();
}
std::string_view Seen::header(std::string_view name) const {
  const auto found = response.headers.find(name);
  return found == response.headers.end() ? std::string_view() : std::string_view(found->second);
}
json::Value Seen::json() const { return json::parse(response.body).value(); }
std::string Seen::code() const {
  const auto value = json();
  const auto* found = value.find("code");
  return found == nullptr ? "" : *found->text();
}
std::vector<std::string> Seen::names() const { return lines_with(body, "event: "); }
std::vector<std::string> Seen::ids() const { return lines_with(body, "id: "); }

Scene::Scene(const std::function<void(NodeContext&)>& change) {
  context->self = NodeId{1};
  context->life = 7;
  context->seed = 42;
  context->cell = "test";
  context->book.begin({{NodeId{1}, {}}, {NodeId{2}, {}}}, {{NodeId{1}, NodeId{2}}, {}, {}});
  context->clock = &clock;
  context->machine = cell.machine.get();
  context->status.term = 1;
  context->status.leader = 1;
  context->status.leased = true;
  context->status.commit = context->status.applied = cell.last.value;
  if (change) change(*context);
  config_.set("scheduler.policy", caf::atom("testing"));
  system_ = std::make_unique<caf::actor_system>(config_);
  replica_ = system_->spawn([this](caf::event_based_actor*) -> caf::behavior {
    return {[this](const Propose& request) { on_propose(request); },
            [this](const AwaitRead& request) { on_read(request); }};
  });
  post_ = system_->spawn([this](caf::event_based_actor*) -> caf::behavior {
    return {[this](const Ask& ask) { asked.push_back(ask); }};
  });
  backups_ = system_->spawn([this](caf::event_based_actor*) -> caf::behavior {
    return {[this](const AskBackup& ask) { backups_asked.push_back(ask); }};
  });
  gateway = spawn_gateway(*system_, context, replica_, post_, backups_, {&gateway::gateway_waiting_max});
  cell.on_applied = [this](const Applied& applied) {
    untold_.push_back(std::make_shared<const Applied>(applied));
    if (!holds_applied) tell_applied();
  };
  run();
}

Scene::~Scene() {
  cell.on_applied = nullptr;
  for (caf::actor* actor : {&gateway, &replica_, &post_, &backups_}) {
    caf::anon_send_exit(*actor, caf::exit_reason::kill);
    *actor = nullptr;
  }
  proposed.clear();
  asked.clear();
  backups_asked.clear();
  run();
  scheduler(*system_).clock().cancel_all();
  system_.reset();
}

void Scene::run() { scheduler(*system_).run(); }

void Scene::advance(milliseconds wait) {
  constexpr milliseconds step{100};
  for (milliseconds done{0}; done < wait; done += step) {
    clock.ms += step.count();
    scheduler(*system_).advance_time(step);
    run();
  }
}

void Scene::tell_applied() {
  for (const AppliedPtr& applied : std::exchange(untold_, {})) {
    context->status.applied = context->status.commit = applied->index.value;
    caf::anon_send(gateway, StateApplied{applied});
  }
}

void Scene::on_propose(const Propose& request) {
  proposed.push_back(request);
  const auto asker = caf::actor_cast<caf::actor>(request.asker);
  if (replica_does == Replica::fails) caf::anon_send(asker, ProposalDone{request.cookie, replica_error});
  if (replica_does == Replica::works)
    caf::anon_send(asker, ProposalDone{request.cookie, cell.apply(request.command).outcome});
}

void Scene::on_read(const AwaitRead& request) {
  ++reads_awaited;
  const auto asker = caf::actor_cast<caf::actor>(request.asker);
  if (replica_does == Replica::fails) caf::anon_send(asker, ReadDone{request.cookie, replica_error});
  if (replica_does == Replica::works)
    caf::anon_send(asker, ReadDone{request.cookie, cell.machine->applied()});
}

void Scene::answer(const Answer& answer) {
  TROUPE_CHECK(!asked.empty());
  const Ask ask = asked.front();
  asked.pop_front();
  caf::anon_send(caf::actor_cast<caf::actor>(ask.asker), Answered{ask.cookie, answer});
  run();
}

void Scene::answer_backup(const Answer& answer) {
  TROUPE_CHECK(!backups_asked.empty());
  const AskBackup ask = backups_asked.front();
  backups_asked.pop_front();
  caf::anon_send(caf::actor_cast<caf::actor>(ask.asker), Answered{ask.cookie, answer});
  run();
}

SeenPtr Scene::start(std::string_view method, std::string_view target, std::string body,
                     http::Headers headers, bool reads_slowly) {
  http::Request request;
  request.method = std::string(method);
  request.path = std::string(target.substr(0, target.find('?')));
  std::string_view rest = target.substr(request.path.size());
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const auto pair = rest.substr(0, rest.find('&'));
    const auto equals = pair.find('=');
    request.query.emplace_back(pair.substr(0, equals), equals == pair.npos ? "" : pair.substr(equals + 1));
    rest.remove_prefix(pair.size());
  }
  request.headers = std::move(headers);
  request.body = std::move(body);
  request.peer = "10.0.0.7:50312";
  request.certificate = certificate;
  request.asks_for_certificate = asks_for_certificate;
  auto seen = std::make_shared<Seen>();
  seen->reads_slowly = reads_slowly;
  seen->method = std::string(method);
  seen->target = std::string(target);
  caf::anon_send(gateway,
                 HttpCall{std::move(request), gateway::MailedReply::of(std::make_shared<FakeReply>(seen))});
  return seen;
}

SeenPtr Scene::call(std::string_view method, std::string_view target, std::string body,
                    http::Headers headers) {
  auto seen = start(method, target, std::move(body), std::move(headers));
  run();
  return seen;
}

std::string job_body(std::string_view application, int size) {
  return R"({"owner":{"teamEmail":"a@example.com"},"applicationName":")" + std::string(application) +
         R"(","container":{"resources":{"cpu":1,"memoryMB":512,"diskMB":100,"networkMbps":10},)" +
         R"("image":{"name":"busybox","tag":"latest"},"command":["true"]},"batch":{"size":)" +
         std::to_string(size) + R"(,"runtimeLimitSec":3600,"retryPolicy":{"immediate":{"retries":0}}}})";
}

}  // namespace troupe
