#include <CLI/CLI.hpp>

#include "cmd/troupe/cli_commands.hpp"

namespace troupe::cli {
namespace {

void add_audit_list(CLI::App& audit, Context& context) {
  auto* list = audit.add_subcommand("ls", "Who changed what, newest first");
  auto args = std::make_shared<AuditList>();
  list->add_option("--by", args->caller, "only this caller's");
  list->add_option("--about", args->subject, "only about this, such as job/ID, or a whole id alone");
  list->add_option("--command", args->command, "such as create_job");
  list->add_option("--request", args->request, "an Idempotency-Key");
  list->add_option("--outcome", args->outcome, "done or refused");
  list->add_option("--since", args->since, "how far back, such as 90s or 2h");
  list->add_option("--page-size", args->page_size, "entries of one page")
      ->check(CLI::Range(1, 5000))
      ->capture_default_str();
  list->add_flag("--all-pages", args->wants_all_pages, "every page; with --json one object per line");
  list->footer("Examples:\n  troupe audit ls --by ci-7 --since 2h\n  troupe audit ls --about job/$id --json");
  list->callback([args, &context] { finish_with(audit_list(context, *args)); });
}

void add_audit_verify(CLI::App& audit, Context& context) {
  auto* verify = audit.add_subcommand("verify", "Check that nothing in the audit was changed or left out");
  auto args = std::make_shared<AuditVerify>();
  verify->add_option("--against", args->against, "a file of heads saved earlier, kept outside the cell");
  auto* heads = verify->add_option("--signed", args->signed_heads,
                                   "heads that nodes signed (audit.heads of their folders), kept outside");
  auto* keys = verify->add_option("--key", args->keys, "the nodes' public keys (audit.pub), kept outside");
  heads->needs(keys);
  keys->needs(heads);
  verify->add_option("--save", args->save, "adds the head to this file, if all is well");
  verify->footer(
      "Examples:\n  troupe audit verify --against heads --save heads\n"
      "  troupe audit verify --signed node-1/audit.heads --key node-1/audit.pub");
  verify->callback([args, &context] { finish_with(audit_verify(context, *args)); });
}

}  // namespace

void add_policy_options(CLI::App& cell, Context& context) {
  auto* policy = cell.add_subcommand("policy", "Show the cell's limits and time-outs");
  policy->footer("Example:\n  troupe cell policy");
  policy->callback([&context] { finish_with(cell_policy(context)); });
  auto* set =
      cell.add_subcommand("set-policy", "Change the cell's limits, time-outs and rates; the rest stays");
  auto file = std::make_shared<std::string>();
  set->add_option("file", *file, "what changes, in JSON or YAML; - reads from stdin")->required();
  set->footer(
      "Examples:\n"
      "  echo 'callerJobsMax: 500' | troupe cell set-policy -\n"
      "  echo 'rates: [{name: ci, caller: \"ci-*\", endpoint: POST /api/v3/jobs, burst: 50, perMinute: "
      "600}]' |\n"
      "    troupe cell set-policy -");
  set->callback([file, &context] { finish_with(cell_set_policy(context, *file)); });
}

void add_limit_options(CLI::App& app, Context& context) {
  auto* sub = app.add_subcommand("limits", "Show what limits you, and how near you are");
  sub->footer("Example:\n  troupe limits --caller ci-7");
  sub->callback([&context] { finish_with(limits(context)); });
  auto* audit = app.add_subcommand("audit", "Who changed what, when and why: ls, verify");
  audit->require_subcommand(1);
  add_audit_list(*audit, context);
  add_audit_verify(*audit, context);
}

}  // namespace troupe::cli
