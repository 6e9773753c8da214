#pragma once
// What a node's console understands, declared once: the actor dispatches by it, the command line makes help
// and completion of it. Needs nothing but the standard library, so that a client may include it.

#include <array>
#include <string_view>

namespace troupe {

struct ConsoleCommand {
  std::string_view name;
  std::string_view arguments;  ///< as help prints them; empty: takes none
  std::string_view choices;    ///< beginnings of the first argument, separated by blanks; for completion
  std::string_view about;
  std::string_view example;
};

inline constexpr std::array<ConsoleCommand, 10> node_commands{{
    {"help", "", "", "list the commands of a node", "help"},
    {"node", "", "", "what the node is: role, log, lease, proposals, shards, links, stores", "node"},
    {"shards", "", "", "every shard: its owner, epoch, and how many duties are due now", "shards"},
    {"actors", "[KIND]", "job task host group node",
     "how many actors of each kind are awake on the node, how full their mailboxes are, the fullest by name",
     "actors job"},
    {"actor", "ENTITY | where CONDITION [limit N]", "job/ task/ host/ group/ where",
     "one entity's actor, if it is awake on the node; or those of which a condition holds, fullest first",
     "actor where mailbox > 100 and kind = task"},
    {"show", "ENTITY", "job/ task/ host/ group/",
     "everything about an entity: record, shard, duty, what its actor would do next, the actor on its owner",
     "show host/host-1"},
    {"duties", "[SHARD]", "", "what is to be done next, and when", "duties 17"},
    {"requests", "", "", "how many request ids are remembered, and how many may be", "requests"},
    {"set-aside", "[POSITION]", "", "quarantined entities, one stretch of the walk from this position on",
     "set-aside"},
    {"trace", "start ID MESSAGES SECONDS ENTITY | show ID | stop ID", "start show stop",
     "this node's part of a trace; `troupe trace` asks all nodes", "trace show 81d05f6b2c3a4e10"},
}};

}  // namespace troupe
