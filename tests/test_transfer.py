#!/usr/bin/env python3
"""examples/upload_resume.c is killed again and again, at any time, and gone on with.

    tests/test_transfer.py [own|rgw|rgw20] [--dir DIR] [--kills N] [--mib N]

own: tests/s3_server.py. Afterwards the object has the file's hash, no upload is left, and what was
sent twice is at most one part per connection and kill. Then tests/transfer_suite.c runs against
the same server.
"""

import argparse
import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile

TESTS = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(TESTS)
START = """
cd "$1"; . tests/common.sh; start_server "$2" "$3" || exit 1
echo "$HTTP $REGION $KEY $SECRET"; read -r _; stop_server
"""


def build(work, source):
    program = os.path.join(work, os.path.basename(source)[:-2])
    subprocess.run([*os.environ.get("CC", "cc -O1").split(), "-std=c99", "-I", ROOT, "-o",
                    program, os.path.join(ROOT, source), "-lbearssl"], check=True)
    return program


def kill_often(program, path, environment, kills):
    """Runs the upload with a kill -9 after a random time, so many times; then to its end."""
    command = [program, path, "resumed", "a b+c", "8", "5"]
    killed = 0
    while killed < kills:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        try:
            process.wait(random.uniform(0.01, 0.15))
            if process.returncode == 0:  # it was done: from the start
                killed += 1
                continue
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        killed += 1
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("server", nargs="?", default="own", choices=("own", "rgw", "rgw20"))
    parser.add_argument("--dir")
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--mib", type=int, default=32)
    options = parser.parse_args()
    work = tempfile.mkdtemp(prefix="transfer-")
    server = subprocess.Popen(["bash", "-c", START, "start", ROOT, options.server,
                               options.dir or os.path.join(work, "server")],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    failed = 0
    try:
        http, region, key, secret = server.stdout.readline().split()
        environment = {"PATH": os.environ["PATH"], "AWS_ENDPOINT_URL": f"http://127.0.0.1:{http}",
                       "AWS_REGION": region, "AWS_ACCESS_KEY_ID": key,
                       "AWS_SECRET_ACCESS_KEY": secret}
        client = build(work, "examples/s3.c")
        upload = build(work, "examples/upload_resume.c")
        suite = build(work, "tests/transfer_suite.c")
        path = os.path.join(work, "file")
        with open(path, "wb") as file:
            for _ in range(options.mib):
                file.write(random.randbytes(1 << 20))
        subprocess.run([client, "mb", "s3://resumed"], env=environment, check=True,
                       stdout=subprocess.DEVNULL)
        done = kill_often(upload, path, environment, options.kills)
        print("upload:", done.stdout.strip())
        failed += done.returncode != 0 or os.path.exists(path + ".upload")
        got = subprocess.run([client, "cat", "s3://resumed/a b+c"], env=environment,
                             stdout=subprocess.PIPE, check=False).stdout
        with open(path, "rb") as file:
            same = hashlib.sha256(got).digest() == hashlib.sha256(file.read()).digest()
        print("hash:", "the file's" if same else "ANOTHER ONE")
        failed += not same
        parts = ["32", "8", "transfers" if options.server == "own" else "all", "resumed"]
        done = subprocess.run([suite, *parts], env=environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        print(done.stdout.strip())
        failed += done.returncode != 0 or not re.search(r": [1-9]\d* passed, 0 failed", done.stdout)
    finally:
        server.communicate("\n")
        shutil.rmtree(work, ignore_errors=True)
    print(f"transfer {options.server}: {'FAILED' if failed else 'ok'}")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
