#!/usr/bin/env python3
"""Managed transfers, killed at every stage of every request and gone on with; and with faults at
random between client and server.

    tests/test_cuts.py [hash|own|rgw|rgw20|swift] [--dir DIR] [--mib N] [--big] [--seed N]

hash is tests/hash_server.c, which keeps no bytes: what arrives is hashed, what is asked for is
generated. tests/cuts_client.c uploads, copies and downloads a pattern with 8 clients in one thread;
tests/fault_proxy.c between them stops at a request before it is passed on, in the middle of its
body, once the server has answered, and once the client has the answer: then the client is killed
(kill -9) and started again. Each time the object must have the right hash (computed here), no upload
may be left, and what was sent twice is at most one part per client. Then requests fail at random
(503, reset, slow, cut, lost, a flipped bit, 200 with an error): the hash is right, or there is a
clear error.

--big: 20 GiB (hash) or 6 GiB (the others), with --kills kills at random instead of all stages.
"""

import argparse
import hashlib
import http.client
import os
import random
import select
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse

TESTS = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(TESTS)
CLIENTS, BLOCK = 8, 1 << 16
START = """
cd "$1"; . tests/common.sh; start_server "$2" "$3" || exit 1
echo "$HTTP $REGION $KEY $SECRET"; read -r how; [ "$how" = well ] || server_words >&2; stop_server
"""
FAULTS = ("503", "reset", "reset in the body", "lost", "cut", "slow", "200 with an error", "flipped")


def say(*words):
    print(*words, flush=True)


def build(work, name, *libraries):
    program = os.path.join(work, os.path.basename(name))
    subprocess.run([*os.environ.get("CC", "cc").split(), "-std=gnu99", "-O2", "-I", ROOT, "-o",
                    program, os.path.join(TESTS, name + ".c"), *libraries], check=True)
    return program


def pattern(size):
    """What tests/pattern.h makes, block by block."""
    x, base = 1, bytearray()
    for _ in range(BLOCK):
        x = (x * 1664525 + 1013904223) & 0xffffffff
        base.append(x >> 24)
    rest = bytes(base[8:])
    for number in range((size + BLOCK - 1) // BLOCK):
        block = number.to_bytes(8, "little") + rest
        yield block if (number + 1) * BLOCK <= size else block[:size - number * BLOCK]


def pattern_hash(size, part_size):
    """The SHA-256 of the object; with part_size, that of its parts' SHA-256s."""
    whole, part, at = hashlib.sha256(), hashlib.sha256(), 0
    for block in pattern(size):
        (part if part_size else whole).update(block)
        at += len(block)
        if part_size and (at % part_size == 0 or at == size):
            whole.update(part.digest())
            part = hashlib.sha256()
    return whole.hexdigest()


class Proxy:
    def __init__(self, program, port):
        self.process = subprocess.Popen([program, port], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1)
        self.port = self.line().split()[1]

    def line(self):
        return self.process.stdout.readline().strip()

    def tell(self, command):
        """The answer's numbers: requests, bytes of parts, faults; "stopped" may come before it."""
        self.process.stdin.write(command + "\n")
        words = self.line().split()
        if words == ["stopped"]:
            words = self.line().split()
        return [int(word) for word in words[1:]]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Test:
    def __init__(self, options, work):
        self.options, self.work = options, work
        self.bytes = options.mib << 20
        # an odd end: the last part is not as long as the others
        self.bytes += 0 if options.big else 12345
        self.part = options.part << 20
        self.failed = self.kills = self.twice = self.most_twice = 0
        self.names = 0
        self.server = self.proxy = None

    def check(self, held, *words):
        if not held:
            self.failed += 1
            say("FAILED:", *words)
        return held

    def start(self):
        self.proxy_program = build(self.work, "fault_proxy", "-lpthread")
        self.client = build(self.work, "cuts_client", "-lbearssl")
        self.presign = build(self.work, "../examples/presign", "-lbearssl")
        if self.options.server == "hash":
            program = build(self.work, "hash_server", "-lcrypto", "-lpthread")
            self.server = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                           text=True)
            self.port, region, key, secret = (self.server.stdout.readline().split()[1], "us-east-1",
                                              "K", "s")
        else:
            self.server = subprocess.Popen(
                ["bash", "-c", START, "start", ROOT, self.options.server,
                 self.options.dir or os.path.join(self.work, "server")],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            line = self.server.stdout.readline()
            if not line:
                sys.exit(f"FAILED: {self.options.server} did not start")
            self.port, region, key, secret = line.split()
        self.proxy = Proxy(self.proxy_program, self.port)
        self.environment = {"PATH": os.environ["PATH"], "AWS_REGION": region,
                            "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}
        if self.options.server == "swift":
            self.environment["SWIFT"] = "1"
        self.hash = pattern_hash(self.bytes, self.part if self.options.server == "hash" else 0)

    def stop(self):
        if self.proxy:
            self.proxy.close()
        if self.server:
            self.server.communicate("badly\n" if self.failed else "well\n")

    def run(self, *arguments, port=None):
        return subprocess.run([self.client, *arguments], env=self.to(port or self.port), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)

    def to(self, port):
        return {**self.environment, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}

    def command(self, kind, key, state):
        return [self.client, kind, "cuts", key, str(self.bytes), str(CLIENTS),
                str(self.options.part), state, "cuts/source"]

    def begin(self, kind, key, state):
        return subprocess.Popen(self.command(kind, key, state), env=self.to(self.proxy.port),
                                text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def new_names(self):
        self.names += 1
        return f"object-{self.names}", os.path.join(self.work, f"state-{self.names}")

    def forget(self, key, state):
        self.run("delete", "cuts", key)
        for name in (".checkpoint", ".marks", ".new"):
            if os.path.exists(state + name):
                os.remove(state + name)

    # ---- What is there ----

    def object_hash(self, key):
        """None if there is no object. Read by Python; only hash_server takes no signature."""
        connection = http.client.HTTPConnection("127.0.0.1", int(self.port), timeout=600)
        if self.options.server == "hash":
            connection.request("GET", f"/cuts/{key}?hash")
        else:
            done = subprocess.run([self.presign, "get", "cuts", key], env=self.to(self.port),
                                  text=True, stdout=subprocess.PIPE, check=True)
            url = urllib.parse.urlsplit(done.stdout.strip())
            connection.request("GET", url.path + "?" + url.query)
        answer = connection.getresponse()
        if answer.status == 404:
            return None
        whole = hashlib.sha256()
        while block := answer.read(1 << 20):
            if self.options.server == "hash":
                return block.decode()
            whole.update(block)
        return whole.hexdigest()

    def is_right(self, key):
        return self.object_hash(key) == self.hash

    def uploads(self):
        return self.run("uploads", "cuts", "x").stdout.strip()

    # ---- Killed at every stage ----

    def ends_well(self, kind, key, state, what, kills):
        """Go on until the end without further kills."""
        if kind != "down" and not os.path.exists(state + ".checkpoint") and self.is_right(key):
            # it was done, and there is nothing left to go on with
            self.check(self.uploads() == "0", what, "uploads are left")
            return "it was done"
        process = self.begin(kind, key, state)
        out, text = process.communicate()
        good = self.check(process.returncode == 0, what, text)
        moved = self.proxy.tell("count")[1]
        if kind != "down":
            good &= self.check(self.is_right(key), what, "ANOTHER OBJECT")
            good &= self.check(self.uploads() == "0", what, "uploads are left:", self.uploads())
        if kind == "up":
            self.most_twice = max(self.most_twice, moved - self.bytes)
            self.twice += moved - self.bytes
            good &= self.check(moved - self.bytes <= kills * CLIENTS * self.part, what,
                               f"{moved - self.bytes} bytes were sent twice")
        good &= self.check(not os.path.exists(state + ".checkpoint"), what, "the checkpoint is left")
        return out.strip() if good else None

    def kill_at(self, kind, number, stage):
        """False if there are fewer requests."""
        key, state = self.new_names()
        self.proxy.tell("clear")
        self.proxy.tell(f"stop {number} {stage}")
        process = self.begin(kind, "source-8" if kind == "down" else key, state)
        # it ends, or the proxy stops it
        reached = wait_for(process, self.proxy)
        if reached:
            process.kill()
            process.wait()
            self.proxy.tell("go")
            self.kills += 1
        what = f"{kind}, killed at request {number}, stage {stage}:"
        if reached:
            self.ends_well(kind, "source-8" if kind == "down" else key, state, what, 1)
        else:
            self.check(process.returncode == 0, what, process.stderr.read())
        self.forget(key, state)
        return reached

    def all_stages(self, kind):
        number = kills = 0
        reached = True
        begun, self.twice, self.most_twice, before = time.time(), 0, 0, self.failed
        while reached:
            number += 1
            reached = False
            for stage in range(4):
                one = self.kill_at(kind, number, stage)
                reached |= one
                kills += one
        sent = f", sent twice {self.most_twice / self.part:.2f} parts at most" if kind == "up" else ""
        say(f"{kind}: {kills} kills at the stages of {number - 1} requests{sent}, "
            f"{self.failed - before} failed ({time.time() - begun:.0f} s)")

    # ---- Faults at random ----

    def faults(self, kind, per, runs):
        wrong = errors = lost = 0
        begun, happened, before = time.time(), [0] * len(FAULTS), self.failed
        for number in range(runs):
            key, state = self.new_names()
            target = "source-8" if kind == "down" else key
            self.proxy.tell("clear")
            self.proxy.tell(f"faults {per} {self.options.seed + number}")
            what = f"{kind} with faults, seed {self.options.seed + number}:"
            for again in range(60):
                process = self.begin(kind, target, state)
                text = process.communicate()[1].strip()
                if process.returncode == 0:
                    break
                errors += 1
                self.check(process.returncode == 1 and len(text) > 20 and "\n" not in text, what,
                           f"ended with {process.returncode}: {text}")
                if os.environ.get("VERBOSE"):
                    say("   ", text)
                if kind != "down":
                    there = self.object_hash(key)
                    wrong += there not in (None, self.hash)
            self.check(process.returncode == 0, what, "does not end")
            happened = [a + b for a, b in zip(happened, self.proxy.tell("count")[2:])]
            self.proxy.tell("clear")
            if kind != "down":
                wrong += not self.is_right(key)
            self.forget(key, state)
            lost += int(self.run("sweep", "cuts", "x").stdout)
        # only CreateMultipartUpload, done although its answer didn't come, leaves one: asked again, the
        # server begins another
        self.check(lost <= sum(happened), f"{lost} uploads are left")
        self.check(not wrong, f"{wrong} wrong objects")
        say(f"{kind}: {runs} transfers with {sum(happened)} faults in {per} of 1,000 requests ("
            + ", ".join(f"{n} {name}" for n, name in zip(happened, FAULTS)) +
            f"), {errors} clear errors gone on from, {wrong} wrong objects, {lost} uploads "
            f"begun twice, "
            f"{self.failed - before} failed ({time.time() - begun:.0f} s)")

    # ---- Large ----

    def large(self, kind, key):
        """Killed at random stages of random requests; figures."""
        _, state = self.new_names()
        requests = (self.bytes + self.part - 1) // self.part + 2
        self.proxy.tell("clear")
        begun, kills, twice = time.time(), 0, self.most_twice
        self.twice = 0
        for _ in range(self.options.kills):
            at = self.proxy.tell("count")[0]
            left = max(requests * (kills + 1) // (self.options.kills + 1) - at, 1)
            self.proxy.tell(f"stop {at + random.randint(1, left)} {random.randrange(4)}")
            process = self.begin(kind, key, state)
            if not wait_for(process, self.proxy):
                break
            process.kill()
            process.wait()
            self.proxy.tell("go")
            kills += 1
        out = self.ends_well(kind, key, state, f"{kind} of {self.bytes} bytes:", max(kills, 1))
        sent = f", {self.twice} bytes sent twice ({self.twice / self.part / max(kills, 1):.2f} parts " \
               "a kill)" if kind == "up" else ""
        self.most_twice = twice
        say(f"{kind}: {self.bytes} bytes in parts of {self.options.part} MiB with {CLIENTS} clients, "
            f"{kills} kills, {time.time() - begun:.0f} s{sent}; the last run: {out}")

    def plain(self, kind, key):
        """Without a kill, straight to the server: how fast."""
        _, state = self.new_names()
        done = subprocess.run(self.command(kind, key, state), env=self.to(self.port), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        self.check(done.returncode == 0, kind, done.stderr)
        if kind == "up":
            self.check(self.is_right(key), kind, "ANOTHER OBJECT")
            self.check(self.uploads() == "0", kind, "uploads are left")
        say(f"{kind}: {done.stdout.strip()}")


def wait_for(process, proxy):
    """True when the proxy says "stopped", False when the process has ended by itself."""
    while True:
        ready = select.select([proxy.process.stdout], [], [], 0.02)[0]
        if ready:
            return proxy.line() == "stopped"
        if process.poll() is not None:
            return False


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("server", nargs="?", default="hash",
                        choices=("hash", "own", "rgw", "rgw20", "swift"))
    parser.add_argument("--dir")
    parser.add_argument("--mib", type=int)
    parser.add_argument("--part", type=int, help="MiB of a part")
    parser.add_argument("--big", action="store_true")
    parser.add_argument("--kills", type=int, default=12, help="of --big")
    parser.add_argument("--faults", type=int, default=5, help="transfers with faults of each kind")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    kept = options.server != "hash"  # S3's parts have 5 MiB
    if options.mib is None:
        options.mib = (6144 if kept else 20480) if options.big else 50 if kept else 10
    options.part = options.part or (8 if options.big else 5 if kept else 1)
    random.seed(options.seed)
    return options


def main():
    options = parse()
    work = tempfile.mkdtemp(prefix="cuts-")
    test = Test(options, work)
    ended = False
    try:
        test.start()
        test.run("bucket", "cuts", "x")
        if options.big:
            test.plain("up", "source-8")
            test.plain("down", "source-8")
            test.forget("source-8", os.path.join(work, "x"))
            if options.server.startswith("rgw"):
                time.sleep(30)  # until its memory is free again
            test.large("up", "source-8")
            test.large("down", "source-8")
        else:
            test.plain("up", "source-8")
            test.plain("up", "source")
            for kind in ("up", "down") if options.server == "hash" else ("up", "down", "copy"):
                test.all_stages(kind)
                test.faults(kind, 60, options.faults)
                test.faults(kind, 250, options.faults)
        ended = True
    finally:
        test.failed += not ended
        test.stop()
        shutil.rmtree(work, ignore_errors=True)
    say(f"cuts {options.server}: {'FAILED' if test.failed else 'ok'}")
    return test.failed != 0


if __name__ == "__main__":
    sys.exit(main())
