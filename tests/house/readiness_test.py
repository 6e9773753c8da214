"""The readiness table says what the tests prove, and nothing else."""
import unittest

import readiness


class Readiness(unittest.TestCase):
    def test_names_are_collected_from_every_kind_of_test(self):
        text = "TEST(Gateway, M7_alpha_a_bad_job_is_refused) {}\nTEST_F(Sim,\n     M16_beta_failover) {}\nTEST_P(S, M1_ga_x) {}\n"
        self.assertEqual(list(readiness.proofs(text)), [(7, 1), (16, 2), (1, 3)])

    def test_end_to_end_scripts_prove_by_their_methods(self):
        text = "class A:\n    def test_M7_alpha_bad_bodies(self):\n        pass\n    # def test_M8_alpha_x(self):\n    def test_y(self):\n"
        self.assertEqual(list(readiness.script_proofs(text)), [(7, 1)])

    def test_what_does_not_run_proves_nothing(self):
        text = "// TEST(A, M7_alpha_x) {}\n/* TEST(A, M7_ga_x) */\nTEST(A, DISABLED_M7_ga_x) {}\nTEST(A, M7_gamma_x) {}\n"
        self.assertEqual(list(readiness.proofs(text)), [])

    def test_an_unknown_row_is_refused(self):
        for row in (0, 29):
            with self.assertRaises(readiness.UnknownRow):
                list(readiness.proofs(f"TEST(A, M{row}_alpha_x) {{}}"))

    def test_a_row_shows_its_highest_level(self):
        lines = readiness.table([(2, 1), (2, 2), (2, 1), (28, 3)]).splitlines()
        self.assertEqual(len(lines), 2 + 28)
        self.assertTrue(lines[2].endswith("| none | 0 |"))
        self.assertTrue(lines[3].startswith("| M2 ") and lines[3].endswith("| beta | 3 |"))
        self.assertTrue(lines[29].endswith("| GA | 1 |"))

    def test_only_the_text_between_the_markers_changes(self):
        old = f"a\n{readiness.BEGIN}\nold\n{readiness.END}\nb\n"
        self.assertEqual(readiness.replaced(old, "new"), f"a\n{readiness.BEGIN}\nnew\n{readiness.END}\nb\n")


if __name__ == "__main__":
    unittest.main()
