#!/usr/bin/env python3
"""README.md's first program, as it stands there: it compiles without a warning, as C, runs against
the embedded server, and does what the text around it says. Its command lines exist, too."""

import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import test_examples  # noqa: E402

TOP = test_examples.TOP
PROGRAM = os.path.join(TOP, "build", "readme")


def blocks(language):
    with open(os.path.join(TOP, "README.md"), encoding="utf-8") as file:
        return re.findall(rf"^```{language}\n(.*?)^```", file.read(), re.MULTILINE | re.DOTALL)


class Readme(unittest.TestCase):
    def test_program(self):
        os.makedirs(os.path.dirname(PROGRAM), exist_ok=True)
        source = blocks("c")[0]
        with open(PROGRAM + ".c", "w", encoding="utf-8") as file:
            file.write(source)
        lines = [line for line in source.splitlines() if line.strip()]
        self.assertLessEqual(len(lines), 25)
        subprocess.run(["cc", "-std=c99", "-O1", *test_examples.STRICT, "-I.", PROGRAM + ".c",
                        "-lbearssl", "-o", PROGRAM], cwd=TOP, check=True)
        with test_examples.Server("--region", "eu-west-1") as server:
            server.admin("POST", "fill?bucket=telemetry&count=2&prefix=2026/")
            environment = {**os.environ, "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
                           "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                           "AWS_ENDPOINT_URL": server.http}
            run = subprocess.run([PROGRAM], env=environment, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
            self.assertEqual((run.returncode, run.stderr), (0, b""))
            self.assertEqual(run.stdout.decode(), "           0 2026/00000000\n"
                                                  "           0 2026/00000001\n")
            self.assertEqual(server.admin("GET", "stats")["operations"].get("PutObject"), 1)
            # The built-in trust: this server's CA isn't Amazon's.
            environment["AWS_ENDPOINT_URL"] = server.https
            run = subprocess.run([PROGRAM], env=environment, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
            self.assertIn(b"certificate was refused", run.stderr)

    def test_other_blocks_compile(self):
        """The fragments, each inside a function."""
        for number, block in enumerate(blocks("c")[1:]):
            path = f"{PROGRAM}_{number}.c"
            with open(path, "w", encoding="utf-8") as file:
                file.write('#define AWS_IMPLEMENTATION\n#include "aws_s3.h"\n#include <stdio.h>\n'
                           "#include <pthread.h>\n" + block)
            subprocess.run(["cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-I.", "-c", path,
                            "-o", path[:-2] + ".o"], cwd=TOP, check=True)

    def test_commands_exist(self):
        with open(os.path.join(TOP, "Makefile"), encoding="utf-8") as file:
            targets = set(re.findall(r"^([\w-]+):", file.read(), re.MULTILINE))
        named = set()
        for block in blocks("sh"):
            named |= set(re.findall(r"^make ([\w-]+)", block, re.MULTILINE))
        self.assertTrue(named)
        self.assertLessEqual(named, targets)


if __name__ == "__main__":
    unittest.main()
