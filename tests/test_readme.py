#!/usr/bin/env python3
"""README.md's first program, as it stands there: it compiles without a warning, as C, runs against
the embedded server, and does what the text around it says. Its command lines exist, too, and so do
the options that it names of the tool; the code in the manuals at the top of the headers compiles."""

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


def manual_blocks(header):
    """The code in the comment that a header begins with: what is indented and has a semicolon."""
    with open(os.path.join(TOP, header), encoding="utf-8") as file:
        manual = file.read().split("*/")[0]
    found = re.findall(r"(?:^ \*     .*\n| \*\n(?= \*     ))+", manual, re.MULTILINE)
    found = [re.sub(r"^ \*", "", block, flags=re.MULTILINE) for block in found]
    return [block for block in found if re.search(r";(\s*//.*)?$", block, re.MULTILINE)]


# What the manuals' code has from before it.
BEFORE = """#define AWS_IMPLEMENTATION
#include "aws_s3.h"
#include <stdio.h>
static unsigned char memory[AWS_CLIENT_MEMORY], firmware[9], etags[AWS_S3_PART_MEMORY];
static char body[99], answer[99];
static aws_session session;
static aws_config config;
static aws_client client, db;
static aws_s3_bucket bucket;
static aws_s3_object object;
static aws_s3_args args;
static aws_json json;
static aws_json_token tokens[64];
static int64_t centi;
"""


class Readme(unittest.TestCase):
    def test_manuals(self):
        path = PROGRAM + "_manual.c"
        for header, count in ("aws.h", 4), ("aws_s3.h", 4):
            found = manual_blocks(header)
            self.assertEqual(len(found), count, found)
            with open(path, "w", encoding="utf-8") as file:
                file.write(BEFORE)
                for number, block in enumerate(found):
                    block = re.sub(r"^ *#.*$", "", block, flags=re.MULTILINE)
                    file.write(f"int block_{number}(void);\n"
                               f"int block_{number}(void)\n{{\n{block}    return 0;\n}}\n")
                file.write("void *used[] = {memory, firmware, etags, body, answer, &session, &config,"
                           "&client, &db, &bucket, &object, &args, &json, tokens, &centi};\n")
            subprocess.run(["cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-Wno-unused-variable",
                            "-Wno-unused-but-set-variable", "-I.", "-c", path, "-o", path[:-2] + ".o"],
                           cwd=TOP, check=True)

    def test_options_exist(self):
        """What README says of the tool's options is in its help, which has all that it takes."""
        with open(os.path.join(TOP, "examples", "s3.c"), encoding="utf-8") as file:
            source = file.read()
        shown = set(re.findall(r"--([a-z][a-z-]+)", source[source.index("help[]"):
                                                           source.index("/* ---- All the memory")]))
        tables = source[source.index("flags[] = {{"):source.index("static int parse_number(")]
        taken = set(re.findall(r'\{"([a-z-]+)", &(?!no_)', tables))
        same = {"endpoint-url", "ca-bundle", "expected-size"}  # awscli's names of what has another
        self.assertEqual(shown - taken, {"help", "version"})
        self.assertEqual(taken - shown, same)

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
