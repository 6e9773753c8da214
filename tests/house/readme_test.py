"""The README test runs what is shown, notices what fails, and lets nothing escape."""
import os
import tempfile
import unittest

import readme


def sh(*lines, kind="sh"):
    return f"```{kind}\n" + "\n".join(lines) + "\n```\n"


CELL = "trap 'echo ended >cell_end; exit 0' TERM; echo gateway http://127.0.0.1:7001; while :; do read -t 1 <> <(:) || :; done"


class Readme(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = self.folder.name
        self.addCleanup(self.folder.cleanup)

    def run_text(self, text):
        return readme.execute(text, self.root)

    def test_blocks_run_in_order_from_the_root(self):
        self.assertEqual(self.run_text(sh("echo one >a") + "and\n" + sh("test \"$(cat a)\" = one", "rm a")), (2, None))
        self.assertEqual(os.listdir(self.root), [])

    def test_any_failing_command_fails(self):
        for lines in [["false"], ["false", "true"], ["false | true"], ["no-such-command-here"], ["echo $unset_variable"]]:
            count, failure = self.run_text(sh("true") + sh(*lines))
            self.assertEqual(count, 1)
            self.assertIn("status", failure, lines)

    def test_what_would_not_be_executed_is_refused(self):
        for text in ["```\nls\n```\n", "```bash\nls\n```\n", "```console\n$ ls\n```\n", "see:\n\n    ls\n", "```sh\nls\n"]:
            self.assertEqual(self.run_text(text)[0], 0)
            self.assertIsNotNone(self.run_text(text)[1], text)

    def test_examples_are_shown_only(self):
        self.assertEqual(self.run_text("```text\nfalse\n```\n```json\n{}\n```\n"), (0, None))

    def test_a_cell_runs_beside_the_blocks_and_is_ended(self):
        text = sh(CELL, kind="sh cell") + sh("test ! -e cell_end", "echo \"$TROUPE_HTTP\" 127.0.0.1:7001 >port")
        self.assertEqual(self.run_text(text), (2, None))
        with open(self.root + "/port", encoding="utf-8") as file:
            first, second = file.read().split()
        self.assertEqual(first, second)
        self.assertNotEqual(first, readme.ADDRESS)
        self.assertTrue(os.path.exists(self.root + "/cell_end"))

    def test_a_cell_that_dies_fails(self):
        count, failure = self.run_text(sh("echo sorry; exit 3", kind="sh cell") + sh("true"))
        self.assertEqual(count, 0)
        self.assertIn("sorry", failure)

    def test_a_cell_that_ends_badly_fails(self):
        bad = CELL.replace("exit 0", "exit 7")
        self.assertIn("status 7", self.run_text(sh(bad, kind="sh cell"))[1])


if __name__ == "__main__":
    unittest.main()
