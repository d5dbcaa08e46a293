#!/usr/bin/env python3
"""Branch coverage of both headers by all of tests/test_*.c and by the tool against the embedded
server. Fails below a limit, in per cent, for either header.

    tests/coverage.py [LIMIT]

build/coverage/unreached.txt lists every branch that was not taken, with its line.
"""

import concurrent.futures
import glob
import json
import os
import re
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(TOP, "build", "coverage")
HEADERS = "aws.h", "aws_s3.h"


def run(*command, **options):
    return subprocess.run(command, cwd=TOP, check=True, **options)


def run_one(name, command, environment):
    """None, or what is wrong."""
    if not os.path.exists(command[0]):
        return f"{name} does not compile"
    with open(os.path.join(BUILD, f"{name}.log"), "w", encoding="utf-8") as log:
        try:
            done = subprocess.run(command, cwd=TOP, stdin=subprocess.DEVNULL, stdout=log,
                                  stderr=log, check=False, timeout=2400, env=environment)
        except subprocess.TimeoutExpired:
            return f"{name} does not end"
    if not done.returncode:
        return None
    with open(os.path.join(BUILD, f"{name}.log"), encoding="utf-8", errors="replace") as log:
        return f"{name} fails:\n  " + "  ".join(log.readlines()[-25:])


def run_programs():
    """Counts of the programs go to BUILD, next to their objects. What is wrong, as a list: a figure
    counts only if all programs passed."""
    programs = [os.path.basename(path)[:-2] for path in sorted(glob.glob(f"{TOP}/tests/test_*.c"))]
    # Have functions of the same names in other lines, which gcovr can't add up.
    programs = [name for name in programs if not re.fullmatch("test_.+_small", name)]
    targets = [f"build/coverage/{name}"
               for name in programs + ["s3", "stream", "event_loop", "sign_driver"]]
    subprocess.run(["make", "-s", "-k", f"-j{os.cpu_count()}", *targets], cwd=TOP, check=False)
    # The examples' own test and those that have drivers, with these builds of them. First what
    # takes longest.
    commands = {f"test_{name}.py": [sys.executable, f"tests/test_{name}.py"]
                for name in ("examples", "bounded", "credentials", "json", "services", "tls", "attempts",
                             "iot")}
    for name in "botocore", "operations", "presign":
        commands[f"test_{name}.py"] = [sys.executable, f"tests/test_{name}.py", "--driver",
                                       os.path.join(BUILD, "sign_driver")]
    commands.update({name: [os.path.join(BUILD, name)] for name in programs})
    environment = {**os.environ, "EXAMPLES": BUILD, "CC": f"gcc --coverage -dumpdir {BUILD}/",
                   "DRIVERS": "build/coverage"}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as side_by_side:
        wrong = list(side_by_side.map(lambda one: run_one(*one, environment), commands.items()))
    return [text for text in wrong if text]


def measure():
    report = os.path.join(BUILD, "report.json")
    # The limit: with several jobs it doesn't end after an error.
    run("gcovr", "-j", str(os.cpu_count()), "--root", TOP, "--filter", r"aws\.h$", "--filter",
        r"aws_s3\.h$", "--filter", r"port/(posix|sockets|default_session)\.h$", "--json", report,
        BUILD, timeout=600)
    with open(report, encoding="utf-8") as file:
        return {os.path.basename(one["file"]): [line for line in one["lines"]
                                                if not line.get("gcovr/noncode")]
                for one in json.load(file)["files"]}


def main():
    limit = float(sys.argv[1]) if len(sys.argv) > 1 else 0
    shutil.rmtree(BUILD, ignore_errors=True)
    os.makedirs(BUILD)
    wrong = run_programs()
    with open(os.path.join(BUILD, "unreached.txt"), "w", encoding="utf-8") as unreached:
        for name, lines in sorted(measure().items()):
            path = name if name in HEADERS else f"port/{name}"
            with open(os.path.join(TOP, path), encoding="utf-8") as file:
                text = file.read().splitlines()
            branches = taken = 0
            for line in lines:
                for index, branch in enumerate(line["branches"]):
                    branches += 1
                    taken += branch["count"] > 0
                    if not branch["count"]:
                        unreached.write(f"{path}:{line['line_number']}: branch {index} of "
                                        f"{text[line['line_number'] - 1].strip()}\n")
            hit = sum(line["count"] > 0 for line in lines)
            share = 100 * taken / max(branches, 1)
            print(f"{path}: {100 * hit / len(lines):.1f} % of {len(lines)} lines, "
                  f"{share:.1f} % of {branches} branches")
            if name in HEADERS and share < limit:
                wrong.append(f"{path}: below {limit:g} % of branches")
    print("what was not reached: build/coverage/unreached.txt")
    for text in wrong:
        print(text)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
