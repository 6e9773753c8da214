#pragma once
// One row of a table for each entity of a list.

#include "cmd/troupe/cli_table.hpp"
#include "net/json/value.hpp"

namespace troupe::cli {

Table job_table();
void add_job_row(Table& table, const json::Value& job, Instant now);
Table task_table();
void add_task_row(Table& table, const json::Value& task, Instant now);
Table host_table();
void add_host_row(Table& table, const json::Value& host, Instant now);
Table actor_table();
void add_actor_row(Table& table, const json::Value& actor, Instant now);

Table group_table();
void add_group_row(Table& table, const json::Value& group);
Table node_table();
/// `all`: the answer of /api/v3/cell/status that it is part of.
void add_node_row(Table& table, const json::Value& node, const json::Value& all);

}  // namespace troupe::cli
