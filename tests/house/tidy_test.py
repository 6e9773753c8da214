"""Feeds the tidy check bad snippets and expects each complaint, and good ones and expects silence."""
import os
import tempfile
import unittest

import source
import tidy


def rules(path, text):
    return sorted(c.rule for c in tidy.check_file(path, text))


class Includes(unittest.TestCase):
    def test_a_layer_may_not_include_one_to_its_right(self):
        for path, header in [("storage/kv/a.hpp", "net/http/http.hpp"), ("net/link/a.cpp", "actors/agent/driver.hpp"),
                             ("actors/job/a.cpp", "cmd/troupe/main.hpp"), ("storage/raft/a.cpp", "cmd/x.hpp"),
                             ("cmd/troupe/a.cpp", "tests/storage/world.hpp")]:
            self.assertEqual(rules(path, f'#include "{header}"\n'), ["include"], path)

    def test_a_layer_may_include_itself_and_those_to_its_left(self):
        for path, header in [("net/link/a.cpp", "storage/base/id.hpp"), ("cmd/troupe/a.cpp", "actors/agent/driver.hpp"),
                             ("tests/storage/a.cpp", "cmd/embedded/cluster.hpp"), ("net/link/a.cpp", "net/link/link.hpp")]:
            self.assertEqual(rules(path, f'#include "{header}"\n'), [], path)

    def test_each_library_has_its_home(self):
        for path, header in [("storage/raft/a.cpp", "rocksdb/db.h"), ("actors/job/job_core.hpp", "caf/all.hpp"),
                             ("actors/cores/job.hpp", "caf/all.hpp"), ("cmd/troupe/main.cpp", "caf/all.hpp"),
                             ("storage/base/a.cpp", "boost/asio.hpp"), ("actors/agent/a.cpp", "boost/beast.hpp"),
                             ("actors/agent/a.cpp", "net/steady_point.hpp")]:
            self.assertEqual(rules(path, f"#include <{header}>\n"), ["include"], path)
        for path, header in [("storage/kv/rocks_store.cpp", "rocksdb/db.h"), ("actors/scheduler/job_actor.cpp", "caf/all.hpp"),
                             ("net/http/server.cpp", "boost/beast.hpp"), ("tests/net/a.cpp", "boost/asio.hpp")]:
            self.assertEqual(rules(path, f"#include <{header}>\n"), [], path)

    def test_public_headers_know_the_standard_library_only(self):
        public = "cmd/embedded/include/troupe/a.hpp"
        for header in ["storage/base/id.hpp", "fmt/core.h", "unistd.h", "world.hpp"]:
            self.assertEqual(rules(public, f"#include <{header}>\n"), ["include"], header)
        for header in ["source_location", "troupe/job.hpp"]:
            self.assertEqual(rules(public, f"#include <{header}>\n"), [], header)


class Calls(unittest.TestCase):
    def test_each_banned_call_is_found(self):
        for call in ["auto t = std::chrono::steady_clock::now();", "auto t = system_clock :: now();", "auto t = Steady::now();",
                     "int x = rand();",
                     "int x = std::rand();", "std::random_device d;", "time_t t = time(NULL);", "auto t = ::time(nullptr);",
                     "sleep(1);", "usleep(5);", "std::this_thread::sleep_for(1s);", "::sleep(1);", "clock_gettime(1, &t);"]:
            self.assertEqual(rules("net/http/a.cpp", call + "\n"), ["call"], call)

    def test_the_seam_and_end_to_end_tests_are_exempt(self):
        for path in ["storage/base/time.cpp", "tests/e2e/up_test.cpp"]:
            self.assertEqual(rules(path, "auto t = std::chrono::steady_clock::now();\n"), [])

    def test_words_that_only_look_like_calls_pass(self):
        for text in ["// never call sleep(1) here", 'log("sleep(1)");', "core.time(0);", "operand(3);", "run_time(0);",
                     "world.sleep(1);", 'auto s = R"(rand())";']:
            self.assertEqual(rules("net/http/a.cpp", text + "\n"), [], text)

    def test_replicated_code_has_neither_hash_order_nor_floating_point(self):
        for text in ["std::unordered_map<int, int> m;", "absl::flat_hash_map<int, int> m;", "double x = 1;", "float f;"]:
            self.assertEqual(rules("storage/state/a.cpp", text + "\n"), ["replicated"], text)
            self.assertEqual(rules("storage/model/a.hpp", text + "\n"), ["replicated"], text)
            self.assertEqual(rules("actors/scheduler/a.cpp", text + "\n"), [], text)

    def test_tests_make_their_folders_in_one_place(self):
        for text in ["auto f = testing::TempDir();", "auto f = fs::temp_directory_path();", "mkdtemp(name);"]:
            self.assertEqual(rules("tests/net/a_test.cpp", text + "\n"), ["temp-folder"], text)
            self.assertEqual(rules("tests/storage/base/temp_folder.hpp", text + "\n"), [], text)
            self.assertEqual(rules("cmd/embedded/a.cpp", text + "\n"), [], text)

    def test_what_is_used_counts_not_what_is_included(self):
        self.assertEqual(rules("storage/state/a.cpp", "#include <absl/container/flat_hash_map.h>\n"), [])

    def test_an_allowance_needs_its_reason(self):
        line = "absl::flat_hash_map<int, int> m;"
        good = f"{line}  // tidy: allow replicated because it is only looked up, never walked\n"
        self.assertEqual(rules("storage/state/a.cpp", good), [])
        self.assertEqual(rules("storage/state/a.cpp", f"{line}  // tidy: allow replicated\n"), ["allowance", "replicated"])
        self.assertEqual(rules("storage/state/a.cpp", f"{line}  // tidy: allow call because of rain\n"), ["replicated"])


class Words(unittest.TestCase):
    def test_each_stray_word_is_found(self):
        for word in ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK", "st" + "ub", "place" + "holder", "not imple" + "mented",
                     "not yet imple" + "mented"]:
            for path in ["net/a.cpp", "README.md", "cmd/dev/up", "CMakeLists.txt"]:
                self.assertEqual(rules(path, f"// {word}: later\n"), ["stray-word"], word)

    def test_harmless_words_pass(self):
        self.assertEqual(rules("net/page.html", '<input place' + 'holder="name"> mktemp XXXXXX stubborn\n'), [])

    def test_paths_of_one_machine_are_found(self):
        for prefix in ["/wo" + "rk/", "/fa" + "rm/"]:
            self.assertEqual(rules("cmd/dev/test", f"cd {prefix}main\n"), ["machine-path"])
        self.assertEqual(rules("net/a.cpp", "// see net/wo" + "rk/queue.hpp\n"), [])


class Lengths(unittest.TestCase):
    def test_a_long_file(self):
        self.assertEqual(rules("net/a.cpp", "\n" * 601), ["file-length"])
        self.assertEqual(rules("net/a.cpp", "\n" * 600), [])

    def test_a_long_function_in_every_shape(self):
        body = "  x();\n" * 70
        for head in ["void f() {", "auto C::f(int a) const noexcept -> int {", "TEST(A, B) {", "C::C(int a) : a_(a), b_{2} {",
                     "bool operator==(const A& a, const B& b) {", "void f(A a = {}) {", "namespace n { struct S { void f()\n{"]:
            tail = "}\n" * head.count("{")
            if "b_{2}" in head or "= {}" in head:
                tail = "}\n"
            self.assertIn("function-length", rules("net/a.cpp", head + "\n" + body + tail), head)

    def test_long_things_that_are_no_functions_pass(self):
        many = "  int f();\n" * 80
        for head in ["namespace a {", "class A final : public B {", "struct A : B<int(int)> {", "enum class E {",
                     "const std::vector<int> table = {"]:
            self.assertEqual(rules("net/a.cpp", head + "\n" + many + "};\n"), [], head)

    def test_a_macro_before_a_namespace_is_no_function(self):
        many = "  int f();\n" * 80
        self.assertEqual(rules("net/a.cpp", f"ALLOW(a::B)\nALLOW(a::C)\n\nnamespace a {{\n{many}}}\n"), [])
        self.assertEqual(rules("net/a.cpp", f"ALLOW(a::B)\nvoid f() {{\n{many}}}\n"), ["function-length"])

    def test_functions_are_found_with_their_lengths(self):
        text = 'int f(char c) {\n  if (c == \'{\') {\n    return 1;\n  }\n  auto g = [](int) { return "}"; };\n  return g(1\'000);\n}\n'
        text += "void h() {}\n"
        found = [(f.name, f.line, f.lines) for f in source.functions(source.blank(text))]
        self.assertEqual(found, [("f", 1, 7), ("h", 8, 1)])


class Tree(unittest.TestCase):
    def test_foreign_entries_and_missing_pages_are_found(self):
        found = [(c.path, c.rule) for c in tidy.check_shape(["net/a.cpp", "README.md"], ["net", "docs", ".ci", "build", "README.md"])]
        self.assertEqual(found, [("docs", "top-level"), ("net", "readme")])

    def test_a_tree_on_disk_is_read_whole(self):
        with tempfile.TemporaryDirectory() as root:
            os.makedirs(root + "/net/http")
            os.makedirs(root + "/build/x")
            for path, text in [("net/README.md", "# net\n"), ("net/http/a.cpp", "int x = rand();\n"), ("build/x/b.cpp", "rand();\n")]:
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write(text)
            complaints, lines = tidy.check_tree(root)
            self.assertEqual([(c.path, c.line, c.rule) for c in complaints], [("net/http/a.cpp", 1, "call")])
            self.assertEqual(lines, {"source": 1, "test": 0})


if __name__ == "__main__":
    unittest.main()
