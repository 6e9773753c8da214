// One road over real sockets: the server, the gateway on CAF's own threads, the client.

#include <gmock/gmock.h>

#include <future>

#include "actors/gateway/gateway_actor.hpp"
#include "net/http/http.hpp"
#include "net/json/value.hpp"
#include "tests/actors/gateway/scene.hpp"

namespace troupe {
namespace {

using testing::HasSubstr;

/// Applies what is proposed and tells the gateway, on one thread as the real applier.
caf::behavior small_replica(caf::event_based_actor* self, Cell* cell, ContextPtr context,
                            std::shared_ptr<caf::actor> gateway) {
  cell->on_applied = [self, context, gateway](const Applied& applied) {
    context->status.applied = context->status.commit = applied.index.value;
    self->send(*gateway, StateApplied{std::make_shared<const Applied>(applied)});
  };
  return {
      [self, cell](const Propose& request) {
        self->send(caf::actor_cast<caf::actor>(request.asker),
                   ProposalDone{request.cookie, cell->apply(request.command).outcome});
      },
      [self, cell](const AwaitRead& request) {
        self->send(caf::actor_cast<caf::actor>(request.asker),
                   ReadDone{request.cookie, cell->machine->applied()});
      },
  };
}

struct Road {
  Road() {
    context->self = NodeId{1};
    context->seed = 1;
    context->clock = &clock;
    context->machine = cell.machine.get();
    context->status.leader = 1;
    context->status.leased = true;
    config.set("scheduler.policy", caf::atom("sharing"));
    config.set("scheduler.max-threads", 2);
    system = std::make_unique<caf::actor_system>(config);
    system->await_actors_before_shutdown(false);
    replica = system->spawn(small_replica, &cell, context, handle);
    gateway = spawn_gateway(*system, context, replica, replica, caf::actor{}, {});
    *handle = gateway;
    server = http::serve({}, [door = gateway](http::Request request, http::ReplyPtr reply) {
               caf::anon_send(door, HttpCall{std::move(request), std::move(reply)});
             }).value();
  }
  ~Road() {
    server->close(milliseconds(1'000));
    caf::scoped_actor waiter(*system);
    for (const caf::actor& actor : {gateway, replica}) caf::anon_send_exit(actor, caf::exit_reason::kill);
    waiter->wait_for(gateway, replica);
    cell.on_applied = nullptr;
    *handle = nullptr;
  }
  http::Client client() { return http::Client({.port = server->port()}); }

  SystemClock clock;
  Cell cell;
  ContextPtr context = std::make_shared<NodeContext>();
  std::shared_ptr<caf::actor> handle = std::make_shared<caf::actor>();
  caf::actor_system_config config;
  std::unique_ptr<caf::actor_system> system;
  caf::actor replica;
  caf::actor gateway;
  std::unique_ptr<http::Server> server;
};

TEST(GatewayRoad, AJobIsPostedReadAndWatchedOverRealSockets) {
  Road road;
  auto client = road.client();
  const auto made = client.call("POST", "/api/v3/jobs", job_body(), {{"content-type", "application/json"}});
  ASSERT_TRUE(made.ok());
  ASSERT_EQ(made.value().status, 202) << made.value().body;
  const std::string url = made.value().headers.at("location");
  const auto read = client.call("GET", url);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read.value().status, 200);
  EXPECT_THAT(client.call("GET", "/metrics").value().body, HasSubstr("troupe_jobs_live 1"));
  EXPECT_EQ(client.call("GET", "/health").value().status, 200);
  EXPECT_EQ(client.call("PATCH", url).value().headers.at("allow"), "GET, DELETE");

  std::string stream;
  auto watcher = road.client();
  const auto watched = watcher.stream(
      url + "/events", {},
      [&](std::string_view chunk) {
        stream += chunk;
        // The marker has come: now something happens, and the stream must tell it.
        if (stream.find("snapshotEnd") != stream.npos && stream.find("jobChanged") == stream.npos) {
          EXPECT_EQ(client.call("DELETE", url).value().status, 200);
        }
        return stream.find("jobChanged") == stream.npos;
      },
      milliseconds(10'000));
  ASSERT_TRUE(watched.ok());
  EXPECT_THAT(stream, HasSubstr("event: jobSnapshot"));
  EXPECT_THAT(stream, HasSubstr("event: jobChanged"));
}

http::Headers from(const std::string& caller, const std::string& reason = "") {
  return {{"content-type", "application/json"}, {"x-titus-callerid", caller}, {"x-titus-callreason", reason}};
}

TEST(GatewayRoad, M6_alpha_ARunAwaySubmitterIsHeldBackAndTheOthersDoNotNotice) {
  Road road;
  auto client = road.client();
  const auto policy = [&](const std::string& body) {
    return client.call("PUT", "/api/v3/cell/policy", body, from("operator")).value().status;
  };
  ASSERT_EQ(
      policy(R"({"callerTasksMax":4,"rates":[{"name":"ci","caller":"ci-*","endpoint":"POST /api/v3/jobs",)"
             R"("burst":3,"perMinute":1}]})"),
      200);
  int taken = 0;
  for (int n = 0; n < 30; ++n) {
    const auto answer = client.call("POST", "/api/v3/jobs", job_body(), from("ci-7")).value();
    taken += answer.status == 202 ? 1 : 0;
    if (answer.status == 202) continue;
    ASSERT_EQ(answer.status, 429);
    EXPECT_GT(std::stoi(answer.headers.at("retry-after")), 0);
    EXPECT_THAT(answer.body, HasSubstr("\"limit\":{\"name\":\"rate.ci\",\"max\":3"));
  }
  EXPECT_EQ(taken, 3);
  // The others go on, up to the cap of each, which says what it is and how much of it is used.
  EXPECT_EQ(client.call("POST", "/api/v3/jobs", job_body("app", 3), from("people")).value().status, 202);
  const auto full = client.call("POST", "/api/v3/jobs", job_body("app", 2), from("people")).value();
  EXPECT_EQ(full.status, 429);
  EXPECT_THAT(full.body, HasSubstr("\"limit\":{\"name\":\"caller.tasks\",\"max\":4,\"used\":3"));
  EXPECT_THAT(client.call("GET", "/api/v3/limits", {}, from("people")).value().body,
              HasSubstr("\"tasks\":{\"used\":3,\"max\":4,\"left\":1}"));
}

TEST(GatewayRoad, M10_alpha_WhoDidWhatAndWhyIsToldRefusalsToo) {
  Road road;
  auto client = road.client();
  const auto made = client.call("POST", "/api/v3/jobs", job_body(), from("ann", "release 7")).value();
  ASSERT_EQ(made.status, 202);
  const std::string url = made.headers.at("location");
  EXPECT_EQ(client.call("DELETE", url, {}, from("bob")).value().status, 200);
  EXPECT_EQ(client.call("DELETE", url, {}, from("cid")).value().status, 409);
  const auto page = json::parse(client.call("GET", "/api/v3/audit?order=oldest").value().body).value();
  std::vector<std::string> told;
  for (const auto& entry : *page.find("items")->array()) {
    EXPECT_EQ("/api/v3/" + std::string("jobs/") + entry.find("subject")->text()->substr(4), url);
    told.push_back(*entry.find("caller")->text() + ' ' + *entry.find("command")->text() + ' ' +
                   *entry.find("outcome")->text() + ' ' + *entry.find("callReason")->text());
  }
  EXPECT_THAT(told, testing::ElementsAre("ann create_job done release 7", "bob kill_job done ",
                                         "cid kill_job refused "));
  std::string ownerless = job_body();
  ownerless.replace(ownerless.find(R"("owner":{"teamEmail":"a@example.com"},)"), 38, "");
  EXPECT_EQ(client.call("POST", "/api/v3/jobs", ownerless, from("ann")).value().status, 400);
}

TEST(GatewayRoad, ASnapshotLargerThanAReadersQueueArrivesWhole) {
  Road road;
  auto client = road.client();
  constexpr int jobs = 1'500;  // About two megabytes; a reader's queue holds one.
  for (int i = 0; i < jobs; ++i)
    ASSERT_EQ(client.call("POST", "/api/v3/jobs", job_body()).value().status, 202);
  std::string stream;
  const auto watched = client.stream(
      "/api/v3/events", {},
      [&](std::string_view chunk) {
        stream += chunk;
        return stream.find("event: snapshotEnd") == stream.npos;
      },
      milliseconds(10'000));
  ASSERT_TRUE(watched.ok());
  EXPECT_GT(stream.size(), 1'100'000U);
  std::size_t found = 0;
  for (auto at = stream.find("event: jobSnapshot"); at != stream.npos;
       at = stream.find("event: jobSnapshot", at + 1))
    ++found;
  EXPECT_EQ(found, static_cast<std::size_t>(jobs));
}

}  // namespace
}  // namespace troupe
