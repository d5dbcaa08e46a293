#!/usr/bin/env python3
"""Runs tests/server_suite.c against one S3 server, over http and https.

    tests/server_suite.py own|rgw|rgw20|swift [--dir DIR] [--full] [options] [PART...]

Starts the server (own: tests/s3_server.py; the others: tests/servers/NAME.sh in DIR, where what
they install is kept), compiles and runs the suite and stops the server. A line for each part, and
at last

    server NAME: N passed, N failed

The default is what CI has time for; --full is all of it: 100,000 keys listed, 10,000 deletions in
the loop, objects of 4 GiB. One that runs in DIR already is used as it is and left running.
"""

import argparse
import collections
import contextlib
import fcntl
import glob
import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

TESTS = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(TESTS)
# keys to list, deletions in the loop; an hour of Swift is not worth its while in CI
DEFAULTS = {"own": (100000, 10000), "rgw": (30000, 3000), "rgw20": (10000, 1000),
            "swift": (100000, 200)}
FILLERS = 16
# Logs that say nothing of a server that has started.
QUIET = ("install.log", "openssl.log", "unpack.log", "rings.log", "cluster.log", "client.admin.log")


def parse_arguments():
    parser = argparse.ArgumentParser(description="The client against a real S3 server.")
    parser.add_argument("server", choices=DEFAULTS)
    parser.add_argument("--dir", help="the server's directory; default: a temporary one")
    parser.add_argument("--full", action="store_true", help="everything, whatever time it takes")
    parser.add_argument("--big", action="store_true", help="objects of 4 GiB (--full: too)")
    parser.add_argument("--keys", type=int, help="keys to list, 0: not this part")
    parser.add_argument("--churn", type=int, help="deletions in the loop")
    parser.add_argument("--port", default="plain", help="plain, again or blocking")
    parser.add_argument("--memory", type=int, help="bytes of the client's block")
    parser.add_argument("--scheme", action="append", choices=("http", "https"),
                        help="default: both")
    parser.add_argument("parts", nargs="*", metavar="PART")
    options = parser.parse_intermixed_args()
    keys, churn = (100000, 10000) if options.full else DEFAULTS[options.server]
    options.keys = keys if options.keys is None else options.keys
    options.churn = churn if options.churn is None else options.churn
    options.big = options.big or options.full
    options.scheme = options.scheme or ["http", "https"]
    return options


def say(*words):
    print(*words, flush=True)


# ---------------------------------------------------------------------------------------------
# Servers

LOCKS = []  # of the ports that are ours as long as this program runs


def free_ports():
    """The first of 8 free ports in a row: some servers want neighbours. Below the ephemeral range: a
    server's own outgoing connections would take one of them before it listens there. Locked, since
    tests that run at the same time look for ports, too: tests/common.sh in the same way."""
    folder = os.path.join(tempfile.gettempdir(), f"aws-test-ports-{os.getuid()}")
    os.makedirs(folder, exist_ok=True)
    for _ in range(1000):
        first, sockets = 20000 + 8 * random.randrange(1500), []
        lock = open(os.path.join(folder, str(first)), "w", encoding="ascii")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for number in range(8):
                sockets.append(socket.create_server(("127.0.0.1", first + number)))
            LOCKS.append(lock)
            return first
        except OSError:
            lock.close()
        finally:
            for each in sockets:
                each.close()
    sys.exit("no free ports")


class Server:
    """What a server's "ready" line says, and how it is stopped."""

    def __init__(self, line):
        words = dict(word.split("=", 1) for word in line.split()[1:])
        self.ports = {"http": words["http"], "https": words["https"]}
        self.ca = words["ca"]
        self.region = words.get("region", "us-east-1")
        self.key = words.get("key", "AKIAIOSFODNN7EXAMPLE")
        self.secret = words.get("secret", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")

    def stop(self):
        pass

    def last_words(self):
        """For a test that fails: what the server's logs end with."""

    def allow_stale(self):
        return False

    def fill(self, suite, keys):
        """Keys put by many at a time."""
        run = [*suite, "--keys", str(keys)]
        subprocess.run([*suite, "--keys", "0", "fill"], check=True, stdout=subprocess.DEVNULL)
        fillers = [subprocess.Popen([*run, "--slice", str(number), "fill"],
                                    stdout=subprocess.DEVNULL) for number in range(FILLERS)]
        return sum(filler.wait() != 0 for filler in fillers)


class Own(Server):
    def __init__(self, directory):
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(TESTS, "s3_server.py"), "--dir", directory,
             "--parent", str(os.getpid())], stdout=subprocess.PIPE, text=True)
        super().__init__(self.process.stdout.readline())

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def admin(self, method, path, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports['http']}/_test/{path}",
                                         method=method, data=body and json.dumps(body).encode())
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            return json.load(answer)

    def fill(self, suite, keys):
        self.admin("POST", f"fill?bucket=suite-keys&count={keys}&width=6&prefix=s/")
        return 0

    def allow_stale(self):
        """Close silently after the first and the third answer to a PutObject."""
        action = {"close_idle": True}
        self.admin("POST", "fault", {"op": "PutObject", "action": action})
        self.admin("POST", "fault", {"op": "PutObject", "skip": 1, "action": action})
        return True


class Scripted(Server):
    """A server of tests/servers."""

    def __init__(self, name, directory):
        self.directory = directory
        self.was_running = os.path.exists(os.path.join(directory, "ready"))
        names = {"rgw": ("RGW_HTTP_PORT", "RGW_HTTPS_PORT", "RGW_MON_PORT"),
                 "moto": ("MOTO_HTTP_PORT", "MOTO_HTTPS_PORT"), "dynalite": ("DYNALITE_PORT",),
                 "swift": ("SWIFT_PORT", "SWIFT_HTTPS_PORT", "", "SWIFT_BASE_PORT")}
        script = os.path.join(TESTS, "servers", name + ".sh")
        # A mirror may fail for a moment, and ports may be taken all the same: three times.
        for pause in (20, 60, None):
            first = free_ports()
            ports = {variable: str(first + number)
                     for number, variable in enumerate(names[name.replace("20", "")]) if variable}
            started = subprocess.run([script, directory], env={**os.environ, **ports}, check=False,
                                     stdout=subprocess.PIPE, text=True)
            if started.returncode == 0:
                break
            self.last_words()
            if not pause:
                sys.exit(f"FAILED: {name} did not start")
            say(f"{name} did not start; once more in {pause} s")
            time.sleep(pause)
        super().__init__(started.stdout.splitlines()[-1])

    def last_words(self):
        for path in sorted(glob.glob(os.path.join(self.directory, "*.log"))):
            with open(path, encoding="utf-8", errors="replace") as file:
                lines = collections.deque(file, 6)
            if lines and os.path.basename(path) not in QUIET:
                say(f"    the end of {os.path.basename(path)}:")
                for line in lines:
                    say("    |", line.rstrip()[:200])

    def stop(self):
        if not self.was_running:
            subprocess.run([os.path.join(TESTS, "servers", "stop.sh"), self.directory], check=False)


class Swift(Scripted):
    def fill(self, suite, keys):
        subprocess.run([*suite, "--keys", "1", "fill"], check=True, stdout=subprocess.DEVNULL)
        path = os.path.join(self.directory, "py") + ":" + os.path.join(TESTS, "servers")
        filled = subprocess.run(
            ["/usr/bin/python3", "-B", "run.py", os.path.realpath(self.directory), "swift_fill",
             "dev/d1", "suite-keys", str(keys)], cwd=self.directory, check=False,
            env={**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "ignore"},
            stdout=subprocess.DEVNULL)
        return filled.returncode != 0


def start(name, directory):
    if name == "own":
        return Own(directory)
    return (Swift if name == "swift" else Scripted)(name, directory)


# ---------------------------------------------------------------------------------------------
# The suite

def build(directory, source, *options):
    """The program of a file below the project's directory."""
    program = os.path.join(directory, os.path.basename(source)[:-2])
    subprocess.run([*os.environ.get("CC", "cc").split(), "-std=c99", "-O2", *options, "-I", ROOT, "-o",
                    program, os.path.join(ROOT, source), "-lbearssl"], check=True)
    return program


@contextlib.contextmanager
def beside(source, name, directory=None):
    """A directory, the program of a test and a server of tests/servers that runs meanwhile, in the
    directory or a temporary one."""
    work, server = tempfile.mkdtemp(prefix="suite-"), None
    place = os.path.abspath(directory or os.path.join(work, "server"))
    try:
        program = build(work, source)
        server = Scripted(name, place)
        try:
            yield work, program, server
        except BaseException:
            server.last_words()
            raise
    finally:
        if server:
            server.stop()
        if not directory:
            subprocess.run([os.path.join(TESTS, "servers", "stop.sh"), "-x", place], check=False)
        shutil.rmtree(work, ignore_errors=True)


def run(command, environment=None):
    """Shows the parts' lines; the counts of the last one."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    passed = failed = 0
    for line in process.stdout:
        last = re.fullmatch(r"(?:\w+_suite|presigned): (\d+) passed, (\d+) failed\n", line)
        if last:
            passed, failed = int(last[1]), int(last[2])
        else:
            say(" ", line.rstrip())
    if process.wait() != 0 and not failed:
        say(f"  ended with {process.returncode}")
        failed = 1
    return passed, failed


def suite_command(program, server, options, scheme):
    command = [program, "--flavour", options.server, "--region", server.region,
               "--port", options.port, "--ca", server.ca,
               "--endpoint", f"{scheme}://localhost:{server.ports[scheme]}",
               "--key", server.key, "--secret", server.secret, "--churn", str(options.churn)]
    if options.memory:
        command += ["--memory", str(options.memory)]
    return command


def presigned_command(server, options, scheme):
    """URLs and forms, used by curl; only Ceph's take forms."""
    return [sys.executable, os.path.join(TESTS, "presigned.py"), "--endpoint",
            f"{scheme}://localhost:{server.ports[scheme]}", "--ca", server.ca, "--region", server.region,
            "--key", server.key, "--secret", server.secret,
            *([] if options.server.startswith("rgw") else ["--no-post"])]


def run_suite(program, server, options):
    """All parts over each scheme: what passed and what failed."""
    counts = []
    listing = options.keys and (not options.parts or "listing" in options.parts)
    for number, scheme in enumerate(options.scheme):
        command = suite_command(program, server, options, scheme)
        if listing and number == 0:
            say(f"filling a bucket with {options.keys} keys")
            counts.append((0, int(server.fill(command, options.keys))))
        command += ["--keys", str(options.keys)]
        say(f"{options.server}, {scheme}")
        parts = [part for part in options.parts if part != "stale"]
        if parts or not options.parts:
            counts.append(run([*command, *(["--big"] if options.big else []), *parts]))
        if not options.parts:
            say(f"{options.server}, {scheme}, presigned")
            counts.append(run(presigned_command(server, options, scheme)))
        if parts == options.parts and parts:
            continue
        if server.allow_stale():
            counts.append(run([*command, "stale"]))
    return [sum(column) for column in zip(*counts)]


def main():
    options = parse_arguments()
    work = tempfile.mkdtemp(prefix="suite-")
    directory = os.path.abspath(options.dir or os.path.join(work, "server"))
    server, failed = None, 1  # unless the suite comes to its end
    try:
        program = build(work, "tests/server_suite.c")
        server = start(options.server, directory)
        passed, failed = run_suite(program, server, options)
    finally:
        if server and failed:
            server.last_words()
        if server:
            server.stop()
        if not options.dir and options.server != "own":
            stop = os.path.join(TESTS, "servers", "stop.sh")
            subprocess.run([stop, "-x", directory], check=False)
        shutil.rmtree(work, ignore_errors=True)
    say(f"server {options.server}: {passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
