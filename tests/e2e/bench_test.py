"""The benches of the log at tiny size: they run, say what is documented, and the replicas agree. No time is judged."""
import json
import os
import signal
import subprocess
import tempfile
import unittest

from client import Broken, request
from cluster import TROUPE, Scratch, free_ports, until

LOG_FIGURES = {"commits_per_s", "transitions_per_s", "reads_per_s", "apply_us", "p50_us", "p99_us", "fsyncs", "bytes",
               "disk_sync_p50_us", "link_round_trip_p50_us"}
FAILOVER_FIGURES = {"p50_ms", "p99_ms", "max_ms", "first_start_p99_ms"}
SECONDS_MAX = 100


def troupe(*arguments):
    return subprocess.run([TROUPE, *arguments], capture_output=True, text=True, timeout=SECONDS_MAX, check=False)


class Bench(unittest.TestCase):
    def bench(self, name, *arguments, figures):
        done = troupe("bench", name, *arguments, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        line = json.loads(done.stdout)
        self.assertEqual(line["bench"], name)
        self.assertLessEqual(figures, set(line["figures"]))
        for figure, value in line["figures"].items():
            for number in value if isinstance(value, list) else [value]:
                self.assertIsInstance(number, (int, float), figure)
                self.assertGreaterEqual(number, 0, figure)
        return line

    def log(self, *arguments):
        line = self.bench("log", "--seconds", "1", "--live-tasks", "256", "--apply-transitions", "2000", *arguments,
                          figures=LOG_FIGURES)
        for figure in ("commits_per_s", "reads_per_s", "apply_us", "fsyncs", "bytes"):
            self.assertGreater(line["figures"][figure], 0, figure)
        hashes = line["state_hashes"]
        self.assertEqual((len(hashes), len(set(hashes))), (line["params"]["nodes"], 1), hashes)
        return line

    def test_log_in_one_process(self):
        self.assertEqual(self.log("--in-flight", "16")["params"]["processes"], 1)

    def test_log_over_three_processes(self):
        self.assertEqual(self.log("--in-flight", "16", "--processes", "3")["params"]["processes"], 3)

    def test_log_with_many_transitions_per_command(self):
        figures = self.log("--in-flight", "4", "--transitions-per-command", "64")["figures"]
        self.assertAlmostEqual(figures["transitions_per_s"] / figures["commits_per_s"], 64, delta=0.01)

    def test_log_of_one_node_with_one_writer(self):
        self.log("--nodes", "1", "--in-flight", "1")

    def test_log_refuses_processes_that_do_not_fit_to_the_nodes(self):
        done = troupe("bench", "log", "--nodes", "3", "--processes", "5")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("--processes", done.stderr)

    def test_placement_of_each_case(self):
        done = troupe("bench", "placement", "--case", "all", "--hosts", "40", "--tasks", "400", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertGreaterEqual(len(lines), 14)
        for line in lines:
            figures = line["figures"]
            own = "jobs_below_availability" if line["params"]["case"] == "preemption" else "explain_ms"
            self.assertLessEqual({"placements_per_s", "placed", "left_waiting", own}, set(figures))
            self.assertEqual(figures.get("jobs_below_availability", 0), 0)
            self.assertGreater(figures["placed"], 40, line["params"]["case"])

    def test_placement_on_a_trace_that_it_made(self):
        with tempfile.TemporaryDirectory() as folder:
            made = troupe("bench", "placement", "--make-trace", folder, "--hosts", "20", "--tasks", "300")
            self.assertEqual(made.returncode, 0, made.stderr)
            done = troupe("bench", "placement", "--trace", folder, "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
            figures = json.loads(done.stdout)["figures"]
            self.assertGreaterEqual(figures["placed"] * 100, figures["best_fit_placed"] * 95)
        self.assertIn("no csv", troupe("bench", "placement", "--trace", "/").stderr)

    def test_placement_refuses_a_case_that_there_is_not(self):
        self.assertIn("no case", troupe("bench", "placement", "--case", "moon").stderr)

    def test_restart(self):
        figures = self.bench("restart", "--live-tasks", "100", "--archived-tasks", "50", "--trials", "2",
                             figures={"seconds"})["figures"]
        self.assertGreater(figures["seconds"], 0)
        self.assertLessEqual(figures["seconds"], figures["max_seconds"])

    def test_healthy_jobs_beside_jobs_that_only_fail(self):
        figures = self.bench("failing", "--jobs", "20", "--tasks-per-job", "3", "--hosts", "3", "--healthy-per-s", "10",
                             "--seconds", "5", figures={"start_p99_rate", "start_p99_ms", "launches_per_s_max"})["figures"]
        self.assertEqual(figures["windows_over_budget"], 0)
        self.assertGreaterEqual(figures["launches"], 20 * 3 * 2)

    def test_submits_and_reads_through_the_doors(self):
        figures = self.bench("gateway", "--connections", "4", "--seconds", "1", "--mutations-per-s", "20",
                             "--idle-submits", "5", figures={"submits_per_s", "submit_p50_ms", "submit_p99_ms", "gets_per_s",
                                                             "get_p50_ms", "get_p99_ms", "idle_submit_p50_us"})["figures"]
        self.assertGreater(figures["submits_per_s"], 0)
        self.assertGreater(figures["gets_per_s"], 0)
        self.assertGreater(figures["mutations_per_s"], 0)

    def test_lists_of_all_tasks(self):
        figures = self.bench("list", "--tasks", "50", "--page", "20", "--hosts", "2", "--rounds", "2", "--seconds", "1",
                             figures={"total_s", "page_p99_ms", "submits_per_s", "beside_submits_per_s"})["figures"]
        self.assertGreater(figures["page_p50_ms"], 0)
        self.assertGreaterEqual(figures["page_p99_ms"], figures["page_p50_ms"])

    def test_streams_idle_and_beside_changes(self):
        figures = self.bench("streams", "--idle-streams", "20", "--changes", "3", "--busy-streams", "5",
                             "--mutations-per-s", "20", "--seconds", "1",
                             figures={"added_mb", "told_p99_ms", "cpu_cores", "events_per_s"})["figures"]
        self.assertEqual(figures["busy_streams_behind"], 0)
        self.assertGreater(figures["told_p99_ms"], 0)

    def failover(self, *arguments):
        figures = self.bench("failover", "--trials", "1", *arguments, figures=FAILOVER_FIGURES)["figures"]
        self.assertGreater(figures["p50_ms"], 0)
        self.assertLessEqual(figures["p50_ms"], figures["max_ms"])
        self.assertGreater(figures["acknowledged_looked_up"], 0)
        return figures

    def test_failover_of_a_killed_leader(self):
        self.assertGreater(self.failover("--kind", "kill", "--live-tasks", "100")["first_start_p99_ms"], 0)

    def test_failover_of_a_stopped_leader(self):
        self.failover("--kind", "stop")

    def test_failover_of_a_leader_that_is_cut_off(self):
        self.failover("--kind", "partition")

    def test_failover_of_an_owner(self):
        self.failover("--kind", "kill", "--victim", "owner")

    def test_catch_up_of_an_empty_node(self):
        figures = self.bench("catch-up", "--live-tasks", "100", "--archived-tasks", "50", "--seconds", "1",
                             figures={"seconds", "submit_p99_before_ms", "submit_p99_during_ms"})["figures"]
        self.assertGreater(figures["state_mb"], 0)
        self.assertLessEqual(figures["seconds"], figures["serves_seconds"])


class Fill(unittest.TestCase):
    def test_a_filled_cell_runs(self):
        with Scratch("bench.fill") as scratch:
            folder = f"{scratch.folder}/cell"
            done = troupe("fill", folder, "--live-tasks", "50", "--archived-tasks", "30", "--nodes", "3")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertRegex(done.stdout, r"^live_tasks=50 archived_tasks=30 index=\d+ hash=[0-9a-f]{16}$")
            self.assertEqual(sorted(os.listdir(folder)), ["node-1", "node-2", "node-3"])
            port = free_ports(1)[0]
            up = scratch.process("up", [TROUPE, "up", "--data", folder, "--http", f"127.0.0.1:{port}", "--hosts", "0"])
            up.start()
            until("it serves", lambda: self.serves(port), 20)
            tasks = request(port, "GET", "/api/v3/tasks?pageSize=100").body["items"]
            self.assertEqual([task["status"]["state"] for task in tasks], ["Started"] * 50)
            jobs = request(port, "GET", "/api/v3/jobs").body["items"]
            self.assertEqual(len(jobs), 1)
            self.assertEqual(up.signal(signal.SIGTERM), 0)
            scratch.passed = True

    def test_a_folder_with_nodes_is_left_alone(self):
        with Scratch("bench.refill") as scratch:
            folder = f"{scratch.folder}/cell"
            self.assertEqual(troupe("fill", folder, "--live-tasks", "1").returncode, 0)
            again = troupe("fill", folder, "--live-tasks", "1")
            self.assertNotEqual(again.returncode, 0)
            self.assertIn("exists already", again.stderr)
            scratch.passed = True

    @staticmethod
    def serves(port):
        try:
            return request(port, "GET", "/health", timeout=2).status == 200
        except Broken:
            return False


if __name__ == "__main__":
    unittest.main(verbosity=2)
