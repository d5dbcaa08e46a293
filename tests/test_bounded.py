#!/usr/bin/env python3
"""Answers that must fit a small buffer: tests/bounded_client.c behind a TLS front that writes
records as a test wants them, before tests/s3_server.py; and (--servers) behind nginx and haproxy,
and against Ceph's gateway.

    tests/test_bounded.py [NAME...]            the quick part, or tests of these names only
    tests/test_bounded.py --servers    nginx, haproxy and Ceph's gateway, which it starts

max_fragment_length is suppressed by the client's test program, so that each server ignores it.
Prints failures, and at last: test_bounded: N passed, N failed
"""

import functools
import html
import http.server
import json
import os
import random
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

import botocore.config
import botocore.session

import server_suite
import test_tls as tls
from test_tls import check, check_equal

MEMORY, SERVICE, PARAM, PROTOCOL, CHECKSUM = -3, -19, -2, -16, -25
LEAST, FULL = 11576, 28920      # set by find_sizes(): the client's minimum, and for full records
REASONS = {}


def compile_client():
    compiler = os.environ.get("CC", "cc -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all")
    subprocess.run([*compiler.split(), "-std=c99", "-I", tls.ROOT, "-o", tls.path("bounded_client"),
                    os.path.join(tls.TESTS, "bounded_client.c"), "-lbearssl"], check=True)


def find_sizes():
    """The sizes of a client's block between which answers are bounded; the records' room is the
    block less a constant."""
    global LEAST, FULL
    source = """
#define AWS_IMPLEMENTATION
#include "aws_s3.h"
#include <stdio.h>
int main(void)
{
    printf("%zu %zu %d %d\\n", aws_client_memory(NULL, AWS_MEMORY_TLS_BOUNDED),
           aws_client_memory(NULL, AWS_MEMORY_TLS), AWS_REASON_CHANGED, AWS_REASON_RECORD);
    return 0;
}
"""
    with open(tls.path("sizes.c"), "w", encoding="ascii") as file:
        file.write(source)
    subprocess.run([*os.environ.get("CC", "cc").split(), "-std=c99", "-I", tls.ROOT, "-o",
                    tls.path("sizes"), tls.path("sizes.c"), "-lbearssl"], check=True)
    words = subprocess.run([tls.path("sizes")], stdout=subprocess.PIPE, check=True).stdout.split()
    LEAST, FULL, REASONS["changed"], REASONS["record"] = map(int, words)


def client(endpoint, ca, *actions, patience=1200, **options):
    options = {"endpoint": endpoint, "ca": ca, **options}
    words = [word for name, value in options.items()
             for word in ("--" + name.replace("_", "-"), str(value))]
    done = subprocess.run([tls.path("bounded_client"), *words, *actions], stdout=subprocess.PIPE,
                          timeout=patience, check=False)
    check_equal(done.returncode, 0, "the client's exit code")
    return [json.loads(line) for line in done.stdout.decode("utf-8", "replace").splitlines()]


def pattern(size):
    block = bytes((i * 167 + (i >> 8) * 59) & 255 for i in range(1 << 16))
    return b"".join(bytes((b + 31 * k) & 255 for b in block) if k else block
                    for k in range((size >> 16) + 1))[:size]


@functools.lru_cache(maxsize=64)
def sum_of(data):
    total = 0
    for byte in data:
        total = (total * 31 + byte) & 0xffffffff
    return total


# ---------------------------------------------------------------------------------------------
# A TLS front that decides what comes in one record

class Front:
    """Accepts TLS, passes requests on to a server of plain http, and writes its answers in the
    records that `shape` says: joined, separate, varying, or a function (head, body) -> pieces."""

    def __init__(self, backend, shape="joined"):
        self.backend = backend
        self.shape = shape
        self.requests = []          # (method, target, headers) of each
        self.heads = []             # of the answers
        self.connections = 0
        self.before = lambda number: None   # called with the number of the request
        self.change = lambda number, head, body: (head, body)
        self.random = random.Random(5)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.context.options |= ssl.OP_NO_TICKET
        self.context.load_cert_chain(tls.path("leaf.pem"), tls.path("leaf.key"))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.endpoint = f"https://localhost:{self.port}"
        self.ca = tls.path("ca.pem")
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.converse, args=(raw,), daemon=True).start()

    def converse(self, raw):
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        behind = socket.create_connection(("127.0.0.1", self.backend))
        try:
            with self.context.wrap_socket(raw, server_side=True) as outer:
                while self.exchange(outer, behind):
                    pass
        except (OSError, ssl.SSLError):
            pass
        finally:
            behind.close()
            raw.close()

    def exchange(self, outer, behind):
        head, rest = self.read_head(outer)
        if not head:
            return False
        lines = head.decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ", 2)
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        number = len(self.requests)
        self.requests.append((method, target, headers))
        self.before(number)
        behind.sendall(head + rest)
        left = int(headers.get("content-length", 0)) - len(rest)
        if "expect" in headers:
            outer.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            interim, _ = self.read_head(behind)
        while left > 0:
            data = outer.recv(65536)
            left -= len(data)
            behind.sendall(data)
        head, body = self.read_answer(behind, method)
        self.heads.append(head)
        changed = self.change(number, head, body)
        if changed is None:
            return False
        for piece in self.pieces(*changed):
            outer.sendall(piece)
        return True

    @staticmethod
    def read_head(sock):
        data = b""
        while b"\r\n\r\n" not in data:
            piece = sock.recv(65536)
            if not piece:
                return b"", b""
            data += piece
        at = data.index(b"\r\n\r\n") + 4
        return data[:at], data[at:]

    def read_answer(self, sock, method):
        head, body = self.read_head(sock)
        text = head.decode("latin-1").lower()
        if method == "HEAD" or " 204" in text[:13] or " 304" in text[:13]:
            return head, b""
        found = re.search(r"\r\ncontent-length: (\d+)", text)
        while (len(body) < int(found.group(1)) if found else not body.endswith(b"0\r\n\r\n")):
            body += sock.recv(65536)
        return head, body

    def pieces(self, head, body):
        shape = self.shape
        if shape == "varying":
            shape = self.random.choice(("joined", "separate", "cut"))
        if callable(shape):
            return shape(head, body)
        if shape == "joined":
            return [head + body]
        if shape == "separate":
            return [piece for piece in (head, body) if piece]
        at = self.random.randrange(1, len(head + body))
        return [(head + body)[:at], (head + body)[at:]]

    def gets(self):
        return [target for method, target, _ in self.requests if method == "GET"]

    def forget(self):
        self.requests.clear()
        self.connections = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        tls.end_listener(self.listener)


OWN = None      # tests/s3_server.py, for all tests


def front(shape="joined"):
    return Front(int(OWN.http), shape)


def store(size, key=None, **options):
    """An object of the pattern in the server: its key."""
    key = key or f"object-{size}"
    done = client(f"https://localhost:{OWN.port}", OWN.ca, f"put={key}", memory=65536, size=size,
                  **options)[0]
    check_equal(done["code"], 0, f"put of {key}: {done['text']}")
    return key


def check_get(done, data, what="", start=0, of=None):
    """Whole or a range: as a plain GET has it."""
    size = len(data)
    facts = {"bytes": size, "sum": sum_of(data), "size": size, "type": "text/bounded",
             "meta": "value of it", "length": str(size), "received": size,
             "range": "" if of is None else f"bytes {start}-{start + size - 1}/{of}",
             "status": 200 if of is None else 206}
    if size:
        facts.update(done=size, total=size)
    return (check(done["code"] == 0 or done["code"] == size, f"{what}: {done['code']} {done['text']}")
            and check_equal({name: done[name] for name in facts}, facts, what))


# ---------------------------------------------------------------------------------------------

def test_sizes():
    """Objects of all sizes, in all ways to take them, in all sizes of memory, from all servers."""
    sizes = (0, 1, 300, 5000, 70000)
    for size in sizes:
        store(size)
    for shape in ("joined", "separate", "varying"):
        with front(shape) as server:
            for memory in [LEAST, LEAST + 300, *range(LEAST + 1200, FULL, 5500)]:
                room = memory - LEAST + 837 - 29
                chosen = [size for size in sizes if size < 60 * room]
                actions = [f"{how}=object-{size}" for size in chosen for how in ("get", "sink", "read")]
                server.forget()
                done = client(server.endpoint, server.ca, *actions, memory=memory)
                check_equal(len(done), len(actions), "actions")
                for result, action in zip(done, actions):
                    size = int(action.rsplit("-")[-1])
                    check_get(result, pattern(size), f"{shape} {memory} {action}")
                check_equal(server.connections, 1, f"connections, {shape}, {memory}")


def test_exactly_the_range():
    """Objects around what one range holds: no request for nothing, no byte lost."""
    with front() as server:
        key = store(20000, "around")
        client(server.endpoint, server.ca, f"get={key}", memory=LEAST + 1000)
        ranges = [headers["range"] for method, _, headers in server.requests if method == "GET"]
        first = int(ranges[0].split("-")[1]) + 1
        counts = []
        for size in range(first - 2, first + 5):    # its head is a bit shorter: one digit less
            store(size, "around")
            server.forget()
            done = client(server.endpoint, server.ca, "get=around", "read=around", memory=LEAST + 1000)
            for result in done:
                check_get(result, pattern(size), f"{size} of {first}")
            counts.append(len(server.requests))
            check(all(int(h["range"].split("-")[1]) < size for _, _, h in server.requests[1:2]),
                  "a range beyond the end")
        check_equal((counts[0], counts[-1], sorted(counts)), (4, 6, counts), "requests")


def test_requests():
    """One HEAD, then ranges under its ETag, that fill the buffer and none of it twice."""
    with front() as server:
        key = store(100000)
        for memory in (LEAST + 500, LEAST + 3000, LEAST + 12000):
            server.forget()
            done = client(server.endpoint, server.ca, f"sink={key}", memory=memory)[0]
            check_get(done, pattern(100000), f"{memory}")
            check_equal([method for method, _, _ in server.requests].index("GET"), 1, "HEADs")
            at = 0
            for _, _, headers in server.requests[1:]:
                check_equal(headers.get("if-match"), done["etag"].lower(), "If-Match")
                start, end = map(int, headers["range"][6:].split("-"))
                check_equal(start, at, "a range's start")
                at = end + 1
            room = memory - LEAST + 837 - 29
            gets = len(server.requests) - 1
            # a head has about 500 bytes
            check(gets <= 100000 / (room - 620) + 2, f"{gets} requests with {room} bytes")
            check_equal(done["sums"] != "", True, "the whole object's checksum is in the head")


def test_figures():
    """What the README says an object of 1 MB costs, from a server whose records hold head and body."""
    key = store(1 << 20)
    counts = []
    for record in (1024, 2048, 4096, 8192):
        with front() as server:
            done = client(server.endpoint, server.ca, f"sink={key}", memory=LEAST - 837 + record)[0]
            check_get(done, pattern(1 << 20), f"{record}")
            check_equal(server.connections, 1, "connections")
            counts.append(len(server.requests))
            heads = {len(head) for head in server.heads}
    check(min(heads) > 400 and max(heads) < 450, f"heads of {sorted(heads)} bytes")
    row = "| requests for 1 MB | " + " | ".join(f"{count:,}" for count in counts) + " |"
    with open(os.path.join(tls.ROOT, "README.md"), encoding="utf-8") as file:
        check(row in file.read().splitlines(), f"README.md hasn't the row '{row}'")


def test_honoured():
    """A server that accepts max_fragment_length is asked for all at once."""
    with front() as server:
        key = store(100000)
        for memory in range(LEAST, FULL, 5000):
            server.forget()
            done = client(server.endpoint, server.ca, f"get={key}", "get=object-0", f"read={key}",
                          "list=object", memory=memory, honour=1)
            check_get(done[0], pattern(100000), f"{memory}")
            check_get(done[2], pattern(100000), f"{memory}")
            check_equal([method for method, _, _ in server.requests], ["GET"] * 4, "requests")
            check(not any("range" in headers for _, _, headers in server.requests), "a Range")
            check("max-keys=1000" in server.requests[3][1], server.requests[3][1])
        server.forget()
        done = client(server.endpoint, server.ca, f"get={key}", memory=FULL)
        check_get(done[0], pattern(100000), "with full records")
        check_equal(server.gets(), [server.requests[0][1]], "requests with full records")


def test_own_range():
    """The caller's Range, in parts of its own."""
    size = 30000
    data = pattern(size)
    key = store(size, "own")
    store(0)
    ranges = {"bytes=0-": (0, size), "bytes=5-5": (5, 6), "bytes=100-9999": (100, 10000),
              "bytes=29000-99999": (29000, size), "bytes=-7000": (23000, size),
              "bytes=-99999": (0, size)}
    for shape in ("joined", "separate"):
        with front(shape) as server:
            for how in ("get", "sink", "read"):
                done = client(server.endpoint, server.ca, *[f"{how}={key} {text}" for text in ranges],
                              memory=LEAST + 1500)
                for result, (text, (start, end)) in zip(done, ranges.items()):
                    check_get(result, data[start:end], f"{how} {text}", start, size)
            for text in ("bytes=30000-", "bytes=40000-50000"):
                done = client(server.endpoint, server.ca, f"get={key} {text}", memory=LEAST + 1500)[0]
                check_equal((done["code"], done["status"]), (SERVICE, 416), text)
                check("InvalidRange" in done["text"], done["text"])
            done = client(server.endpoint, server.ca, "get=object-0 bytes=-5", "get=object-0 bytes=0-9",
                          memory=LEAST + 1500)
            for result in done:
                check(result["status"] in (200, 416), f"{result}")


def test_errors():
    """What a plain GET says: the service's own words, a buffer that is too small, a bad checksum."""
    with front() as server:
        done = client(server.endpoint, server.ca, "get=missing", "read=missing", "sink=missing",
                      memory=LEAST + 1500)
        for result in done:
            check_equal((result["code"], result["status"]), (SERVICE, 404), "missing")
            check("NoSuchKey" in result["text"] and "does not exist" in result["text"], result["text"])
        key = store(20000)
        done = client(server.endpoint, server.ca, f"get={key}", memory=LEAST + 1500, room=19999)[0]
        check_equal((done["code"], done["needed"]), (MEMORY, 20000), "a small buffer")
        done = client(server.endpoint, server.ca, f"get={key}", memory=LEAST + 1500, room=20000)[0]
        check_get(done, pattern(20000), "a buffer that is just right")

        def flip(number, head, body):
            return head, body[:-1] + bytes((body[-1] ^ 1,)) if number == 2 else body

        for how in ("get", "sink", "read"):
            server.forget()
            server.change = flip
            done = client(server.endpoint, server.ca, f"{how}={key}", memory=LEAST + 1500, attempts=1)[0]
            check_equal(done["code"], CHECKSUM, f"a flipped bit, {how}")
        server.change = lambda number, head, body: (head, body)
        done = client(server.endpoint, server.ca, f"get={store(9000, 'crc64', checksum='crc64nvme')}",
                      memory=LEAST + 1500)[0]
        check_get(done, pattern(9000), "CRC64NVME")


def test_without_verification():
    """No HEAD then: the first range is small, and tells the rest."""
    with front() as server:
        for size in (0, 1, 150, 20000):
            key = store(size)
            server.forget()
            for how in ("get", "read"):
                done = client(server.endpoint, server.ca, f"{how}={key}", memory=LEAST + 1000, verify=0)[0]
                check_get(done, pattern(size), f"{size}")
            check_equal({method for method, _, _ in server.requests}, {"GET"}, "methods")
        done = client(server.endpoint, server.ca, "get=missing", memory=LEAST + 1500, verify=0)[0]
        check("NoSuchKey" in done["text"], done["text"])


def test_changed():
    """The object is replaced in the middle, by one of the same size, too."""
    for size, how in ((20000, "get"), (20000, "sink"), (20000, "read"), (100, "get"), (100, "read")):
        store(20000, "changing")
        with front() as server:
            def replace(number, size=size):
                if number == 3:
                    store(size, "changing", reversed=1)

            server.before = replace
            done = client(server.endpoint, server.ca, f"{how}=changing", memory=LEAST + 1500)[0]
            # what is read had told its status before
            check_equal((done["code"], done["reason"], done["status"]),
                        (SERVICE, REASONS["changed"], 200 if how == "read" else 412),
                        f"{size} {how}: {done['text']}")
            check("changed while it was transferred" in done["text"], done["text"])
    # a server that ignores If-Match: its ETag tells
    store(20000, "changing")
    with front() as server:
        def other(number, head, body):
            return re.sub(rb'(?i)etag: "[^"]*"', b'ETag: "other"', head) if number == 3 else head, body

        server.change = other
        done = client(server.endpoint, server.ca, "sink=changing", memory=LEAST + 1500, attempts=1)[0]
        check_equal((done["code"], done["reason"]), (SERVICE, REASONS["changed"]), done["text"])


def test_faults():
    """Connections that end at every place of a range's answer; what came isn't asked for twice."""
    key = store(8000)
    for how in ("get", "sink", "read"):
        for keep in (0, 1, 100, 600, 700):
            with front() as server:
                def cut(number, head, body, keep=keep):
                    return (head, body) if number % 3 != 2 else ((head + body)[:keep] or None, b"")

                def shaped(head, body):
                    yield head + body
                    if not body and not head.endswith(b"\r\n\r\n"):
                        raise OSError
                server.change = lambda n, h, b, cut=cut: (cut(n, h, b) if cut(n, h, b)[0] else None)
                server.shape = shaped
                done = client(server.endpoint, server.ca, f"{how}={key}", memory=LEAST + 2000)[0]
                check_get(done, pattern(8000), f"{how} cut at {keep}")
                check(server.connections > 1, "one connection")
    # an error in between, whose document isn't the object's
    slow = b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"
    for how in ("get", "sink", "read"):
        with front() as server:
            server.change = lambda n, head, body: (
                b"HTTP/1.1 503 Slow\r\nContent-Length: %d\r\n\r\n" % len(slow),
                slow) if n == 3 else (head, body)
            done = client(server.endpoint, server.ca, f"{how}={key}", memory=LEAST + 2000)[0]
            check_get(done, pattern(8000), f"{how} after a 503")
    # without end: as many attempts as there are, and an error
    with front() as server:
        server.change = lambda number, head, body: (head, body) if number < 3 else None
        for how in ("get", "sink", "read"):
            server.forget()
            done = client(server.endpoint, server.ca, f"{how}={key}", memory=LEAST + 2000, attempts=2)[0]
            check_equal((done["code"], done["attempts"]), (tls.CLOSED, 2), f"{how}: {done['text']}")
    # answers that aren't the range that was asked for
    wrong = (lambda head: head.replace(b"/8000", b"/9000"),
             lambda head: re.sub(rb"(?i)content-range: bytes \d+", b"Content-Range: bytes 0", head),
             lambda head: re.sub(rb"(?i)content-range:", b"X-Other:", head),
             lambda head: head.replace(b"206", b"200"))
    for number, change in enumerate(wrong):
        with front() as server:
            server.change = lambda n, head, body, change=change: (change(head) if n == 3 else head, body)
            for how in ("get", "read"):
                server.forget()
                done = client(server.endpoint, server.ca, f"{how}={key}", memory=LEAST + 2000,
                              attempts=1)[0]
                check(done["code"] in (PROTOCOL, SERVICE), f"wrong range {number}: {done['text']}")


def test_too_large():
    """A head that grows in the middle: the record doesn't fit, half of the range then does. One
    that never fits is an error that says which memory would do - and with that it does."""
    key = store(20000)

    def grown(bytes_, at):
        return lambda number, head, body: (
            head[:-2] + b"X-Filler: " + b"f" * bytes_ + b"\r\n\r\n" if at(number) else head, body)

    for how in ("get", "sink", "read"):
        with front() as server:
            server.change = grown(300, lambda number: number == 3)
            done = client(server.endpoint, server.ca, f"{how}={key}", memory=LEAST + 2000)[0]
            check_get(done, pattern(20000), how)
            check_equal(server.connections, 2, f"connections, {how}")
            sizes = [int(h["range"].split("-")[1]) + 1 - int(h["range"][6:].split("-")[0])
                     for _, _, h in server.requests[1:]]
            check(sizes[3] <= sizes[2] // 2 + 1, f"ranges {sizes}")
        for at in (0, 1, 3):
            with front() as server:
                server.change = grown(4000, lambda number, at=at: number >= at)
                done = client(server.endpoint, server.ca, f"{how}={key}", memory=LEAST + 2000)[0]
                check_equal((done["code"], done["reason"]), (MEMORY, REASONS["record"]), done["text"])
                needed = done["needed"]
                check(LEAST + 2000 < needed < LEAST + 6500, f"needed {needed}")
                check(f"{needed} bytes are needed" in done["text"], done["text"])
        if how == "get":
            with front() as server:
                server.change = grown(1000, lambda number: True)
                done = client(server.endpoint, server.ca, "head=object-1", memory=LEAST)[0]
                for memory, code in ((done["needed"], 0), (done["needed"] - 9, MEMORY)):
                    done = client(server.endpoint, server.ca, "head=object-1", memory=memory)[0]
                    check_equal(done["code"], code, f"with {memory} bytes: {done['text']}")


def test_again():
    """AWS_AGAIN at every second step; calls that are cancelled, and what follows them."""
    key = store(20000)
    for how in ("get", "sink", "read"):
        with front("varying") as server:
            done = client(server.endpoint, server.ca, f"{how}={key}", f"{how}=object-0", "list=object",
                          memory=LEAST + 3000, again=1)
            check_get(done[0], pattern(20000), how)
            check_get(done[1], b"", how)
            check(done[0]["again"] > 50, "AWS_AGAIN")
    with front() as server:
        for count in (1, 700, 1400, 5000, 19999):
            done = client(server.endpoint, server.ca, f"readn{count}={key}", f"get={key}",
                          memory=LEAST + 3000, part=100)
            check_get(done[1], pattern(20000), f"after a cancel at {count}")


def test_deadline():
    """The time for the whole call is for all of its ranges."""
    with front() as server:
        key = store(20000)
        server.before = lambda number: time.sleep(0.1)
        for _ in range(5):  # a machine may have stood still
            begin = time.time()
            done = client(server.endpoint, server.ca, f"get={key}", f"read={key}", memory=LEAST + 1000,
                          timeout=700)
            for result in done:
                check_equal(result["code"], -12, result["text"])
            if time.time() - begin < 8:
                break
        check(time.time() - begin < 8, "time")


def test_download():
    """A managed transfer: its parts are ranges themselves."""
    size = (5 << 20) // 2
    key = store(size)
    with front() as server:
        done = client(server.endpoint, server.ca, f"download={key}", memory=FULL - 1000)[0]
        check_equal((done["code"], done["bytes"], done["sum"]), (0, size, sum_of(pattern(size))),
                    done["text"])
        check_equal([method for method, _, _ in server.requests].count("HEAD"), 1, "HEADs")
        check_equal(server.connections, 1, "connections")


def keys_sum(keys):
    return sum_of(b"".join(key + b"\0" for key in keys))


def test_list():
    """Listings in pages that fit; a key of 1,000 bytes that aren't ASCII among them."""
    OWN.admin("POST", "fill?bucket=bounded-list&count=400&prefix=key/")
    keys = [b"key/%08d" % number for number in range(400)]
    for shape in ("joined", "separate", "varying"):
        with front(shape) as server:
            for memory in (LEAST + 800, LEAST + 2500, LEAST + 9000):
                server.forget()
                done = client(server.endpoint, server.ca, "list=", "list=key/0000039", memory=memory,
                              bucket="bounded-list")
                check_equal((done[0]["code"], done[0]["entries"], done[0]["sum"]),
                            (0, 400, keys_sum(keys)), f"{shape} {memory} {done[0]['text']}")
                check_equal((done[1]["code"], done[1]["entries"]), (0, 10), "a prefix")
                # a head and what is around the keys have about 900 bytes, a key has 350
                least = max(1, ((memory - LEAST + 808) * 7 // 8 - 1000) // 400)
                check(len(server.requests) < 400 / least + 20,
                      f"{len(server.requests)} requests with {memory}")
                check(server.connections <= 4, f"{server.connections} connections")
            done = client(server.endpoint, server.ca, "list=", memory=LEAST + 2500, bucket="bounded-list",
                          delimiter="/")[0]
            check_equal((done["code"], done["entries"]), (0, 1), "with a delimiter")
            done = client(server.endpoint, server.ca, "list=", memory=LEAST + 4000, again=1,
                          bucket="bounded-list")[0]
            check_equal((done["code"], done["entries"], done["sum"]), (0, 400, keys_sum(keys)), "again")


def long_keys(prefix):
    """Some with 1,000 bytes that are no ASCII."""
    return [f"{prefix}{letter}".encode() + "\u20ac".encode() * 332 for letter in "abc"]


def test_list_long_key():
    OWN.admin("POST", "fill?bucket=bounded-long&count=20&prefix=a/")
    keys = [b"a/%08d" % number for number in range(20)]
    long = long_keys("b/")
    for key in long:
        store_key(f"https://localhost:{OWN.port}", OWN.ca, "bounded-long", key)
    keys += long
    OWN.admin("POST", "fill?bucket=bounded-long&count=20&prefix=c/")
    keys += [b"c/%08d" % number for number in range(20)]
    for shape in ("joined", "separate"):
        with front(shape) as server:
            for extra in (3500, 6000, 12000):
                server.forget()
                done = client(server.endpoint, server.ca, "list=", memory=LEAST + extra,
                              bucket="bounded-long")[0]
                check_equal((done["code"], done["entries"], done["sum"]), (0, 43, keys_sum(keys)),
                            f"{shape} {extra} {done['text']}")
            done = client(server.endpoint, server.ca, "list=", memory=LEAST + 300, bucket="bounded-long")[0]
            check_equal((done["code"], done["reason"]), (MEMORY, REASONS["record"]), done["text"])


# ---------------------------------------------------------------------------------------------
# Versions, uploads and parts, made by botocore and listed by it, too

def botocore_client(port):
    return botocore.session.get_session().create_client(
        "s3", region_name="us-east-1", endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        config=botocore.config.Config(s3={"addressing_style": "path"}))


LETTERS = [f"{letter}" + "\u20ac" * 332 for letter in "abc"]   # 1,000 bytes with a prefix of 3


def fill_versions(s3, bucket):
    """Keys with several versions and deletions, some of 1,000 bytes that aren't ASCII."""
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for key in [f"k/{number:04}" for number in range(30)] + ["k/m" + text for text in LETTERS] + ["k/z"]:
        for body in (b"1", b"22"):
            s3.put_object(Bucket=bucket, Key=key, Body=body)
        if key.endswith(("1", "2", "\u20ac")):
            s3.delete_object(Bucket=bucket, Key=key)


def fill_uploads(s3, bucket):
    """Uploads of such keys, and one with many parts: its key and id."""
    for key in [f"u/{number:04}" for number in range(20)] * 2 + ["u/m" + text for text in LETTERS]:
        s3.create_multipart_upload(Bucket=bucket, Key=key)
    key = "u/z" + LETTERS[0]
    upload = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    for number in range(1, 61):
        s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=b"x" * number)
    return key, upload


def entry_line(key="", entry_id="", number=0, size=0, etag="", latest=0, marker=0):
    return f"{key} {entry_id} {number} {size} {etag} {latest:d}{marker:d}\n".encode()


def version_lines(s3, bucket):
    """action -> the lines that the client must have, by botocore."""
    lines = []
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix="k/"):
        for item in page.get("Versions", []) + page.get("DeleteMarkers", []):
            lines.append(entry_line(item["Key"], item["VersionId"], 0, item.get("Size", 0),
                                    item.get("ETag", ""), item["IsLatest"], "ETag" not in item))
    return {"versions=k/": lines}


def upload_lines(s3, bucket, key, upload):
    uploads = [entry_line(item["Key"], item["UploadId"]) for page in
               s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix="u/")
               for item in page["Uploads"]]
    parts = [entry_line(number=item["PartNumber"], size=item["Size"], etag=item["ETag"]) for page in
             s3.get_paginator("list_parts").paginate(Bucket=bucket, Key=key, UploadId=upload)
             for item in page["Parts"]]
    return {"uploads=u/": uploads, f"parts={key} {upload}": parts}


def check_entries(name, endpoint, ca, bucket, lines, memory, **options):
    """What the client lists is what botocore lists, whose answers have versions and delete markers
    apart: the sums don't depend on the order."""
    done = client(endpoint, ca, *lines, memory=memory, bucket=bucket, **options)
    for result, (action, wanted) in zip(done, lines.items()):
        check_equal((result["code"], result["entries"], result["sum"]),
                    (0, len(wanted), sum(map(sum_of, wanted)) & 0xffffffff),
                    f"{name}, {memory} bytes, {action[:9]}: {result['text']}")
    return done


class Versions(http.server.BaseHTTPRequestHandler):
    """ListObjectVersions, which tests/s3_server.py hasn't, of this list in S3's order."""
    protocol_version = "HTTP/1.1"
    rows = [(f"k/{number:04}", f"id{number}.{turn}") for number in range(30) for turn in (2, 1)] + [
        ("k/m" + text, f"long.{turn}") for text in LETTERS for turn in (3, 2, 1)] + [("k/z", "null")]

    @staticmethod
    def marker(row):
        return row[1].endswith(".3")

    @classmethod
    def lines(cls):
        first = {}
        for key, entry_id in cls.rows:
            first.setdefault(key, entry_id)
        return [entry_line(row[0], row[1], 0, 0 if cls.marker(row) else 7,
                           "" if cls.marker(row) else '"e"', first[row[0]] == row[1], cls.marker(row))
                for row in cls.rows]

    def do_GET(self):
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        code = urllib.parse.quote if query.get("encoding-type") == "url" else html.escape
        after = (query.get("key-marker"), query.get("version-id-marker"))
        start = self.rows.index(after) + 1 if after[0] else 0
        page = self.rows[start:start + int(query.get("max-keys", 1000))]
        latest = {}
        for key, entry_id in self.rows:
            latest.setdefault(key, entry_id)
        text = "<ListVersionsResult><Prefix>k/</Prefix>" + (
            "<EncodingType>url</EncodingType>" if "encoding-type" in query else "")
        if after[0]:
            text += f"<KeyMarker>{code(after[0])}</KeyMarker><VersionIdMarker>{after[1]}</VersionIdMarker>"
        if page and page[-1] != self.rows[-1]:
            text += (f"<IsTruncated>true</IsTruncated><NextKeyMarker>{code(page[-1][0])}</NextKeyMarker>"
                     f"<NextVersionIdMarker>{page[-1][1]}</NextVersionIdMarker>")
        else:
            text += "<IsTruncated>false</IsTruncated>"
        for row in page:
            tag = "DeleteMarker" if self.marker(row) else "Version"
            text += (f"<{tag}><Key>{code(row[0])}</Key><VersionId>{row[1]}</VersionId><IsLatest>"
                     f"{str(latest[row[0]] == row[1]).lower()}</IsLatest><LastModified>2026-01-02T"
                     "03:04:05.000Z</LastModified>" + ("" if tag[0] == "D" else
                     "<ETag>&quot;e&quot;</ETag><Size>7</Size>") + f"</{tag}>")
        body = (text + "</ListVersionsResult>").encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_entries():
    """Uploads, parts and versions in short pages, from servers that join head and body, too."""
    s3 = botocore_client(OWN.http)
    s3.create_bucket(Bucket="bounded-entries")
    key, upload = fill_uploads(s3, "bounded-entries")
    lines = upload_lines(s3, "bounded-entries", key, upload)
    check_equal([len(wanted) for wanted in lines.values()], [44, 60], "entries")
    other = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Versions)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    for backend, kind in ((int(OWN.http), lines), (other.server_port, {"versions=k/": Versions.lines()})):
        for shape in ("joined", "separate", "varying"):
            with Front(backend, shape) as server:
                for extra in (4500, 8000, 14000):
                    server.forget()
                    check_entries(shape, server.endpoint, server.ca, "bounded-entries", kind, LEAST + extra)
                    total = sum(map(len, kind.values()))
                    check(len(server.gets()) > total * 200 / (LEAST + extra), f"{len(server.gets())} pages")
                    check(server.connections <= 20, f"{server.connections} connections")
        with Front(backend) as server:
            check_entries("again", server.endpoint, server.ca, "bounded-entries", kind, LEAST + 6000,
                          again=1)
            # not even one entry fits: the error says what would do, and that does
            action = next(iter(kind)).replace("/", "/m")
            done = client(server.endpoint, server.ca, action, memory=LEAST + 900,
                          bucket="bounded-entries")[0]
            check_equal((done["code"], done["reason"]), (MEMORY, REASONS["record"]), done["text"])
            check(f"{done['needed']} bytes are needed" in done["text"], done["text"])
    other.shutdown()


def store_key(endpoint, ca, bucket, key):
    done = subprocess.run([tls.path("bounded_client"), "--endpoint", endpoint, "--ca", ca, "--memory",
                           "65536", "--bucket", bucket, b"put=" + key], stdout=subprocess.PIPE,
                          check=True)
    check_equal(json.loads(done.stdout)["code"], 0, "put of a long key")


# ---------------------------------------------------------------------------------------------
# Servers that nobody here wrote

NGINX = """
daemon off; worker_processes 1; pid {dir}/nginx.pid; error_log {dir}/nginx.log;
events {{ worker_connections 64; }}
http {{
    access_log off; client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
    server {{
        listen 127.0.0.1:{port} ssl; ssl_certificate {dir}/leaf.pem;
        ssl_certificate_key {dir}/leaf.key; ssl_protocols TLSv1.2; client_max_body_size 64m;
        ignore_invalid_headers off; keepalive_requests 100000;
        location / {{
            proxy_pass http://127.0.0.1:{backend}; proxy_set_header Host $http_host;
            proxy_http_version 1.1; proxy_set_header Connection "";
        }}
    }}
}}
"""
HAPROXY = """
global
    maxconn 64
defaults
    mode http
    timeout connect 10s
    timeout client 60s
    timeout server 60s
frontend tls
    bind 127.0.0.1:{port} ssl crt {dir}/both.pem ssl-max-ver TLSv1.2
    default_backend s3
backend s3
    server s3 127.0.0.1:{backend}
"""


def start_proxy(name):
    """nginx or haproxy before tests/s3_server.py: process, endpoint."""
    port = server_suite.free_ports()
    text = (NGINX if name == "nginx" else HAPROXY).format(dir=tls.WORK, port=port, backend=OWN.http)
    with open(tls.path(name + ".conf"), "w", encoding="ascii") as file:
        file.write(text)
    with open(tls.path("both.pem"), "w", encoding="ascii") as file:
        for part in ("leaf.pem", "leaf.key"):
            with open(tls.path(part), encoding="ascii") as other:
                file.write(other.read())
    command = {"nginx": ["/usr/sbin/nginx", "-p", tls.WORK, "-c", tls.path("nginx.conf")],
               "haproxy": ["/usr/sbin/haproxy", "-db", "-f", tls.path("haproxy.conf")]}[name]
    os.chmod(tls.WORK, 0o755)       # nginx's worker is nobody
    with open(tls.path(name + ".said"), "w", encoding="utf-8") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
    for _ in range(1200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return process, f"https://localhost:{port}"
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.1)
    with open(tls.path(name + ".said"), encoding="utf-8") as said:
        sys.exit(f"FAILED: {name} does not listen on port {port}: {said.read()[-1000:]}")


def check_server(name, endpoint, ca):
    """Objects of 0 bytes to 20 MB, and 3,000 keys, one of them with 1,000 bytes that aren't ASCII."""
    sizes = (0, 1, 1 << 20, 20 << 20)
    made = client(endpoint, ca, "put=first", memory=65536, size=1)
    check_equal(made[0]["code"], 0, f"{name}: a put: {made[0]['text']}")
    for size in sizes:
        client(endpoint, ca, f"put=object-{size}", memory=65536, size=size)
    for extra in (600, 3000, 9000, 15000):
        chosen = [size for size in sizes if size <= 1 << 20 or extra == 15000]
        actions = [f"{how}=object-{size}" for size in chosen for how in ("get", "read")]
        begin = time.time()
        done = client(endpoint, ca, *actions, memory=LEAST + extra)
        for result, action in zip(done, actions):
            size = int(action.rsplit("-")[-1])
            check_get(result, pattern(size), f"{name} {extra} {action}")
        done = client(endpoint, ca, "get=object-1048576 bytes=1000-200000", memory=LEAST + extra)
        check_get(done[0], pattern(1 << 20)[1000:200001], f"{name} {extra}", 1000, 1 << 20)
        print(f"  {name}: {LEAST + extra} bytes of memory, {time.time() - begin:.1f} s", flush=True)
    done = client(endpoint, ca, "list=", memory=LEAST + 3500, bucket="bounded-list")[0]
    check_equal((done["code"], done["entries"]), (0, 3001), f"{name}: a listing: {done['text']}")
    print(f"  {name}: 3,001 keys in {done['opens']} connections", flush=True)


def main_servers():
    key = long_keys("m/")[0]
    OWN.admin("POST", "fill?bucket=bounded-list&count=3000&prefix=key/")
    store_key(f"https://localhost:{OWN.port}", OWN.ca, "bounded-list", key)
    for name in ("nginx", "haproxy"):
        process, endpoint = start_proxy(name)
        try:
            check_server(name, endpoint, tls.path("ca.pem"))
        finally:
            process.terminate()
            process.wait()
    where = tempfile.mkdtemp(prefix="bounded-")
    server, before = None, tls.failed
    try:
        server = server_suite.start("rgw", where)
        endpoint, ca, plain = f"https://localhost:{server.ports['https']}", server.ca, int(server.ports["http"])
        for bucket in ("bounded", "bounded-list"):
            client(endpoint, ca, "bucket=", memory=65536, bucket=bucket)
        client(endpoint, ca, *[f"put=key/{n:08}" for n in range(3000)], memory=65536,
               bucket="bounded-list")
        store_key(endpoint, ca, "bounded-list", key)
        check_server("rgw", endpoint, ca)
        check_ceph_entries(plain, endpoint, ca)
        if tls.failed > before:
            server.last_words()
    finally:
        subprocess.run([os.path.join(tls.TESTS, "servers", "stop.sh"), "-x", where], check=False)


def check_ceph_entries(plain, endpoint, ca):
    """Ceph's versions, uploads and parts; by its own TLS and by a front that joins head and body."""
    s3 = botocore_client(plain)
    s3.create_bucket(Bucket="bounded-entries")
    fill_versions(s3, "bounded-entries")
    key, upload = fill_uploads(s3, "bounded-entries")
    lines = {**version_lines(s3, "bounded-entries"), **upload_lines(s3, "bounded-entries", key, upload)}
    check_equal([len(wanted) for wanted in lines.values()], [77, 44, 60], "entries")
    with Front(plain) as server:
        for where, authority in ((endpoint, ca), (server.endpoint, server.ca)):
            for extra in (4500, 8000, 14000):
                check_entries("rgw", where, authority, "bounded-entries", lines, LEAST + extra)
        check(len(server.gets()) > 60, f"{len(server.gets())} pages")
    print(f"  rgw: versions, uploads and parts in {len(server.gets())} pages", flush=True)


def main():
    global OWN
    names = sys.argv[1:]
    tls.make_certificates()
    compile_client()
    find_sizes()
    with tls.OwnServer() as OWN:
        OWN.admin("POST", "fill?bucket=bounded&count=0")
        if names == ["--servers"]:
            names = ["none of the others"]
            main_servers()
        for name, test in list(globals().items()):
            if name.startswith("test_") and (not names or name in names):
                start, before = time.time(), tls.failed
                test()
                if names or tls.failed > before:
                    print(f"  {name}: {tls.failed - before} failed ({time.time() - start:.1f} s)",
                          flush=True)
    print(f"test_bounded: {tls.passed} passed, {tls.failed} failed")
    return 1 if tls.failed or not tls.passed else 0


if __name__ == "__main__":
    sys.exit(main())
