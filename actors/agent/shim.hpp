#pragma once
// The process between an agent and one task: it holds the task, its output and its end while agents come and
// go.

namespace troupe::agent {

/// `... --dir DIR [--fd N] [--segment-bytes N] [--segments-max N]`; other arguments are ignored, so that it
/// can be called with all of a program's. Runs the task whose `spec` is in DIR (task_folder.hpp), exactly
/// once: whoever finds `exit` or an earlier shim's traces there leaves at once. fd N is a connected driver.
/// Single-threaded; meant to be a process of its own, started by exec; returns its exit code, which says
/// nothing about the task's.
int run_shim(int argc, char** argv);

}  // namespace troupe::agent
