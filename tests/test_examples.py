#!/usr/bin/env python3
"""The examples: each compiles by the line in its first comment, and without a warning; each does
what it says against the embedded server, over https with the certificate checked and over http;
none touches the heap.

tests/demo.sh shows what s3.c does when all goes well; here is what else it promises.
"""

import glob
import hashlib
import json
import os
import pty
import re
import shlex
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

from test_attempts import Proxy

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(TOP, "build", "examples")
PROGRAMS = os.environ.get("EXAMPLES", BUILD)  # other builds of some of them: tests/coverage.py
HEAP = os.path.join(BUILD, "heap.so")
STDIO = "put_get", "list", "event_loop", "presign"
STRICT = ("-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes "
          "-Wmissing-prototypes -Wundef -Wcast-qual -Werror").split()


def compile_line(path):
    """The command in the first comment, such as: cc -I. examples/x.c -lbearssl -o x"""
    with open(path, encoding="utf-8") as file:
        comment = file.read().split("*/")[0]
    found = re.search(r"^ \*\s+(cc .*)$", comment, re.MULTILINE)
    assert found, f"{path}: no compile line in the first comment"
    return found[1].split()


def setUpModule():
    os.makedirs(BUILD, exist_ok=True)
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "tests/heap.c", "-o", HEAP, "-ldl"], cwd=TOP,
                   check=True)
    for path in sorted(glob.glob(os.path.join(TOP, "examples", "*.c"))):
        line = compile_line(path)
        assert line[-2] == "-o", line
        line[-1] = os.path.join(BUILD, line[-1])
        subprocess.run(line[:1] + STRICT + line[1:], cwd=TOP, check=True)


class Server:
    """The embedded server; options are its own."""

    def __init__(self, *options):
        self.options = options

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="aws-examples.")
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(TOP, "tests", "s3_server.py"), "--dir", self.folder.name,
             "--parent", str(os.getpid()), *self.options], stdout=subprocess.PIPE, universal_newlines=True)
        words = dict(word.split("=", 1) for word in self.process.stdout.readline().split()[1:])
        self.http = f"http://localhost:{words['http']}"
        self.https = f"https://localhost:{words['https']}"
        self.port = words["https"]
        self.ca = words["ca"]
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
        self.folder.cleanup()

    def admin(self, method, command, body=None):
        request = urllib.request.Request(f"{self.http}/_test/{command}", method=method,
                                         data=json.dumps(body).encode() if body else None)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request) as answer:
            return json.load(answer)


class Examples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server().__enter__()
        cls.addClassCleanup(cls.server.__exit__)

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="aws-examples.")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.server.admin("POST", "reset")
        self.ok("s3", "mb", "s3://bucket")

    def program(self, name):
        other = os.path.join(PROGRAMS, name)
        return other if os.path.exists(other) else os.path.join(BUILD, name)

    def environment(self, endpoint=None, **more):
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith("AWS_") and not name.lower().endswith("_proxy")}
        return {**kept, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
                "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                "AWS_ENDPOINT_URL": endpoint or self.server.https, "AWS_CA_BUNDLE": self.server.ca,
                "HOME": self.server.folder.name, "AWS_EC2_METADATA_DISABLED": "true",
                **more}

    def start(self, program, *arguments, endpoint=None, stdin=b"", prefix=(), **more):
        return subprocess.run([*prefix, self.program(program), *arguments], cwd=self.folder,
                              env=self.environment(endpoint, **more), input=stdin,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=1200)

    def ok(self, *command, heap=True, **options):
        """Runs to its end, says nothing on stderr, never calls malloc: but for stdio, which does
        so once for stdout's buffer, in the examples that use it as it comes."""
        report = os.path.join(self.folder, ".heap")
        heap = heap and self.program(command[0]).startswith(BUILD)
        if heap:
            options.update(LD_PRELOAD=HEAP, HEAP_REPORT=report)
        run = self.start(*command, **options)
        self.assertEqual((run.returncode, run.stderr), (0, b""), command)
        if heap:
            with open(report, encoding="ascii") as file:
                self.assertIn(f"heap calls: {int(command[0] in STDIO)} ", file.read(), command)
            os.remove(report)
        return run.stdout

    def fails(self, code, text, *command, **options):
        run = self.start(*command, **options)
        self.assertEqual(run.returncode, code, (command, run.stderr))
        self.assertIn(text, run.stderr.decode())
        return run.stdout

    def write(self, name, data):
        with open(os.path.join(self.folder, name), "wb") as file:
            file.write(data)
        return data

    def read(self, name):
        with open(os.path.join(self.folder, name), "rb") as file:
            return file.read()

    # ---- The counter of heap calls itself ----

    def test_heap_counter_counts(self):
        report = os.path.join(self.folder, "heap")
        subprocess.run([sys.executable, "-c", ""], check=True,
                       env={**os.environ, "LD_PRELOAD": HEAP, "HEAP_REPORT": report})
        with open(report, encoding="ascii") as file:
            self.assertGreater(int(file.read().split()[2]), 100)

    # ---- put_get, list, cares ----

    def test_put_get(self):
        for endpoint in self.server.https, self.server.http:
            said = self.ok("put_get", "bucket", endpoint=endpoint).decode()
            self.assertEqual(said, '21.5 degrees\n13 bytes of text/plain, ETag '
                                   '"a5640f7544368137704304d2602e471f"\n')
            self.assertEqual(self.ok("list", "bucket"), b"0 objects, 0 bytes\n")
        self.fails(1, "NoSuchBucket", "put_get", "missing")
        self.fails(1, "SignatureDoesNotMatch", "put_get", "bucket", AWS_SECRET_ACCESS_KEY="no")
        self.fails(2, "usage", "put_get")

    def test_list(self):
        self.server.admin("POST", "fill?bucket=bucket&count=2500&prefix=k/")
        lines = self.ok("list", "bucket").decode().splitlines()
        self.assertEqual(len(lines), 2501)
        self.assertEqual(lines[0], "           0 k/00000000")
        self.assertEqual(lines[-1], "2500 objects, 0 bytes")
        self.assertEqual(self.ok("list", "bucket", "k/0000001").count(b"\n"), 11)
        self.fails(1, "NoSuchBucket", "list", "missing")

    def test_cares(self):
        self.server.admin("POST", "fill?bucket=bucket&count=3")
        said = self.ok("cares", "bucket", endpoint=self.server.http, heap=False)
        self.assertIn(b"00000002", said)

    # ---- presign; tests/presigned.py does more, with curl ----

    def test_presign(self):
        for endpoint in self.server.https, self.server.http:
            context = ssl.create_default_context(cafile=self.server.ca)
            handlers = urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
            opened = urllib.request.build_opener(*handlers).open
            url = self.ok("presign", "put", "bucket", "a b/\u00e9", endpoint=endpoint).decode().strip()
            opened(urllib.request.Request(url, method="PUT", data=b"hello")).close()
            url = self.ok("presign", "get", "bucket", "a b/\u00e9", "60", endpoint=endpoint).decode().strip()
            self.assertIn("&X-Amz-Expires=60&", url)
            with opened(url) as answer:
                self.assertEqual(answer.read(), b"hello")
            with self.assertRaises(urllib.error.HTTPError) as refused:
                opened(url.replace("Expires=60", "Expires=61"))
            self.assertEqual(refused.exception.code, 403)
            refused.exception.close()
        said = self.ok("presign", "post", "bucket", "in/${filename}").decode()
        self.assertRegex(said, r"^curl -f -F 'key=in/\$\{filename\}' .* -F 'policy=[A-Za-z0-9+/=]+' .*\n$")
        self.fails(1, "604,800", "presign", "get", "bucket", "key", "604801")
        self.fails(2, "usage", "presign", "get", "bucket")
        self.fails(2, "usage", "presign", "head", "bucket", "key")

    # ---- telemetry; the rest of it is in tests/services_suite.py ----

    def test_telemetry_rests(self):
        """What fails is tried again in a second, not at once."""
        before = self.server.admin("GET", "stats")["requests"]
        run = self.start("telemetry", "missing", "100", endpoint=self.server.http,
                         prefix=("timeout", "4"))
        requests = self.server.admin("GET", "stats")["requests"] - before
        self.assertEqual(run.returncode, 124)
        self.assertTrue(2 <= requests - 1 <= 6, requests)

    # ---- stream ----

    def test_stream(self):
        data = os.urandom(1000003)
        self.ok("stream", "put", "bucket", "key", str(len(data)), stdin=data)
        self.assertEqual(self.ok("stream", "get", "bucket", "key"), data)
        self.assertEqual(self.ok("stream", "get", "bucket", "key", endpoint=self.server.http), data)
        self.ok("stream", "put", "bucket", "empty", "0")
        self.assertEqual(self.ok("stream", "get", "bucket", "empty"), b"")
        for size in len(data) - 1, len(data) + 1:
            self.fails(1, "body", "stream", "put", "bucket", "bad", str(size), stdin=data)
        self.fails(1, "NoSuchKey", "stream", "get", "bucket", "bad")
        self.ok("stream", "put", "bucket", "chunks", str(len(data)), stdin=data,
                endpoint=self.server.http)
        self.assertEqual(self.ok("stream", "get", "bucket", "chunks"), data)

    def test_stream_memory_is_constant(self):
        """256 MiB down, and down and up at once, in 16 MB of address space."""
        size = 256 << 20
        script = 'ulimit -v 16384; "$0" get bucket gen-%d | ' % size
        digest = self.ok("stream", heap=False, prefix=("bash", "-c", script + "sha256sum"))
        self.ok("stream", heap=False,
                prefix=("bash", "-c", script + '"$0" put bucket big %d' % size))
        self.assertEqual(digest, self.ok("stream", heap=False, prefix=(
            "bash", "-c", 'ulimit -v 16384; "$0" get bucket big | sha256sum')))
        self.assertIn("%12d big" % size, self.ok("list", "bucket").decode())

    # ---- event_loop ----

    def test_event_loop(self):
        line = "{0} clients: {0} put, {0} got and compared, {0} deleted, {0} closed, 0 failed\n"
        self.assertEqual(self.ok("event_loop", "bucket").decode(), line.format(64))
        self.assertEqual(self.ok("event_loop", "bucket", "1000", endpoint=self.server.http).decode(),
                         line.format(1000))
        self.assertEqual(self.ok("list", "bucket"), b"0 objects, 0 bytes\n")
        run = self.start("event_loop", "missing", "3")
        self.assertEqual(run.returncode, 1)
        self.assertEqual(run.stderr.count(b"NoSuchBucket"), 3)
        self.assertIn(b"3 closed, 3 failed", run.stdout)

    def test_event_loop_never_blocks(self):
        """Only poll waits: sockets don't block, nobody sleeps."""
        trace = os.path.join(self.folder, "trace")
        self.ok("event_loop", "bucket", "64", "localhost", heap=False,
                endpoint=f"https://127.0.0.1:{self.server.port}",
                prefix=("strace", "-f", "-o", trace, "-e",
                        "trace=network,poll,ppoll,select,pselect6,nanosleep,clock_nanosleep,read"))
        with open(trace, encoding="utf-8", errors="replace") as file:
            calls = file.read()
        sockets = re.findall(r"socket\(([^)]*)\)", calls)
        self.assertGreaterEqual(len(sockets), 64)
        for one in sockets:
            self.assertRegex(one, r"AF_INET6?, SOCK_STREAM\|SOCK_CLOEXEC\|SOCK_NONBLOCK")
        self.assertNotRegex(calls, r"select\(|nanosleep\(")
        self.assertRegex(calls, r"poll\(\[\{fd=\d+, events=POLL")

    # ---- s3: addresses, names, exit codes ----

    def test_s3_put_names(self):
        data = self.write("file name.bin", b"data")
        for target, key in (("s3://bucket", "file name.bin"), ("s3://bucket/", "file name.bin"),
                            ("s3://bucket/a/", "a/file name.bin"), ("s3://bucket/b", "b")):
            self.ok("s3", "put", "file name.bin", target)
            self.assertEqual(self.ok("s3", "cat", "s3://bucket/" + key), data)

    def test_s3_get_names(self):
        data = self.write("f", os.urandom(70001))
        os.mkdir(os.path.join(self.folder, "d"))
        self.ok("s3", "put", "f", "s3://bucket/x/y")
        for arguments, file in (((), "y"), (("d",), "d/y"), (("d/",), "d/y"), (("z",), "z"),
                                (("z",), "z")):
            self.ok("s3", "get", "s3://bucket/x/y", *arguments)
            self.assertEqual(self.read(file), data)
            os.remove(os.path.join(self.folder, file)) if file != "z" else None
        self.assertEqual(self.ok("s3", "get", "s3://bucket/x/y", "-"), data)
        self.ok("s3", "get", "s3://bucket/x/y", "/dev/null")
        self.assertFalse(os.path.isfile("/dev/null"))
        self.ok("s3", "put", "f", "s3://bucket/x/..")
        self.fails(252, "no file can be named", "s3", "get", "s3://bucket/x/..")
        self.ok("s3", "get", "s3://bucket/x/y", "new/file")
        self.fails(1, "Not a directory", "s3", "get", "s3://bucket/x/y", "f/file")
        self.assertEqual(sorted(os.listdir(self.folder)), ["d", "f", "new", "z"])

    def test_s3_standard_input(self):
        self.ok("s3", "put", "-", "s3://bucket/k", "--size", "5", stdin=b"12345")
        self.assertEqual(self.ok("s3", "cat", "s3://bucket/k"), b"12345")
        self.ok("s3", "put", "-", "s3://bucket/k", "--sse", "--follow-symlinks", "--page-size", "9",
                "--output=json", stdin=b"1")
        self.assertEqual(self.ok("s3", "cat", "s3://bucket/k"), b"1")
        self.fails(252, "no name", "s3", "put", "-", "s3://bucket/", "--size=1", stdin=b"1")
        for size in "4", "6", "0":
            self.fails(1, "", "s3", "put", "-", "s3://bucket/bad",
                       "--size", size, stdin=b"12345")
        self.fails(1, "404", "s3", "cat", "s3://bucket/bad")
        self.ok("s3", "put", "-", "s3://bucket/chunks", "--size=5", stdin=b"12345",
                endpoint=self.server.http)
        self.assertEqual(self.ok("s3", "cat", "s3://bucket/chunks"), b"12345")
        self.write("f", b"from a file")
        with open(os.path.join(self.folder, "f"), "rb") as file:
            run = subprocess.run([self.program("s3"), "put", "-", "s3://bucket/f"],
                                 stdin=file, env=self.environment(), stdout=subprocess.PIPE)
        self.assertEqual(run.returncode, 0)
        self.assertEqual(self.ok("s3", "cat", "s3://bucket/f"), b"from a file")

    def test_s3_ls(self):
        self.write("f", b"12")
        for key in "a", "d/a", "d/b", "d/e/f":
            self.ok("s3", "put", "f", "s3://bucket/" + key)
        names = [line.split()[-1] for line in
                 self.ok("s3", "ls", "s3://bucket").decode().splitlines()]
        self.assertEqual(sorted(names), ["a", "d/"])
        names = [line.split()[-1] for line in
                 self.ok("s3", "ls", "s3://bucket/d/").decode().splitlines()]
        self.assertEqual(sorted(names), ["a", "b", "e/"])
        listing = self.ok("s3", "ls", "--recursive", "s3://bucket").decode()
        self.assertRegex(listing, r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d          2 a\n")
        self.assertEqual([line.split()[-1] for line in listing.splitlines()],
                         ["a", "d/a", "d/b", "d/e/f"])
        self.assertRegex(self.ok("s3", "ls").decode(), r"^[-\d]{10} [:\d]{8} bucket\n$")
        self.fails(1, "", "s3", "ls", "s3://bucket/x")

    def test_s3_rm(self):
        self.server.admin("POST", "fill?bucket=bucket&count=1500&prefix=k/")
        self.server.admin("POST", "fill?bucket=bucket&count=2&prefix=l/")
        self.assertEqual(self.ok("s3", "rm", "--recursive", "s3://bucket/k/").count(b"delete:"),
                         1500)
        self.assertEqual(self.ok("list", "bucket").count(b"\n"), 3)
        self.ok("s3", "rm", "s3://bucket/not-there")
        self.fails(1, "BucketNotEmpty", "s3", "rb", "s3://bucket")
        self.ok("s3", "rb", "--force", "s3://bucket")
        self.fails(254, "NoSuchBucket", "s3", "ls", "s3://bucket")

    def heads(self, *command, **options):
        """The heads of the requests that a command makes, the last 20."""
        before = self.server.admin("GET", "stats")["requests"]
        self.ok(*command, **options)
        stats = self.server.admin("GET", "stats")
        return stats["heads"][-(stats["requests"] - before):]

    def test_s3_proxy(self):
        """Through a proxy that the environment names, all clients of a transfer, and around it."""
        proxy = Proxy()
        self.addCleanup(proxy.server_close)
        self.addCleanup(proxy.shutdown)
        named = {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}"}
        data = self.write("f", os.urandom(20_000_000))
        self.ok("s3", "cp", "f", "s3://bucket/f", **named)
        self.ok("s3", "cp", "s3://bucket/f", "back", "--threshold", "20000000", **named)
        self.assertEqual(self.read("back"), data)
        self.assertEqual({head.split("\r\n")[0] for head in proxy.heads},
                         {f"CONNECT localhost:{self.server.port} HTTP/1.1"})
        self.assertGreaterEqual(len(proxy.heads), 3)
        before = len(proxy.heads)
        self.ok("s3", "ls", "s3://bucket", NO_PROXY="example.com,localhost", **named)
        self.ok("s3", "ls", "s3://bucket", endpoint=self.server.http, **named)
        self.assertEqual(len(proxy.heads), before)
        self.ok("s3", "ls", "s3://bucket", endpoint=self.server.http,
                http_proxy=f"127.0.0.1:{proxy.port}")
        self.assertTrue(proxy.heads[-1].startswith(f"GET {self.server.http}/bucket?"), proxy.heads)
        self.fails(255, "127.0.0.1", "s3", "ls", HTTPS_PROXY="http://127.0.0.1:1")
        self.fails(253, "is not http://", "s3", "ls", HTTPS_PROXY="socks5://127.0.0.1:1")

    def test_s3_dialect(self):
        self.write("f", b"12")
        for dialect in "aws", "minio", "ceph", "swift", "r2", "b2", "gcs":
            for endpoint in self.server.https, self.server.http:
                heads = self.heads("s3", "cp", "f", "s3://bucket/f", "--dialect", dialect,
                                   endpoint=endpoint)
                self.assertEqual(len(heads), 1)
                self.assertEqual("x-amz-checksum-crc32:" in heads[0],
                                 dialect not in ("r2", "b2", "gcs"), dialect)
        heads = self.heads("s3", "cp", "s3://bucket/f", "back", "--dialect=b2")
        self.assertNotIn("x-amz-checksum-mode", heads[-1])
        self.assertIn("x-amz-checksum-mode", self.heads("s3", "cp", "s3://bucket/f", "back")[-1])
        self.fails(252, "--dialect is aws,", "s3", "--dialect", "azure", "ls")

    def test_s3_request_payer(self):
        """Every request says who pays, as those of `aws s3` do."""
        self.write("f", os.urandom(9_000_000))
        self.write("g", b"12")
        for command in (("cp", "f", "s3://bucket/d/f", "--checkpoints="), ("cp", "g", "s3://bucket/d/g"),
                        ("cp", "-", "s3://bucket/input"), ("ls", "s3://bucket"),
                        ("cp", "s3://bucket/d/", "down", "--recursive"),
                        ("sync", "s3://bucket/d", "s3://bucket/e"),
                        ("cp", "s3://bucket/d/f", "s3://bucket/h", "--threshold=5000000"),
                        ("cat", "s3://bucket/d/g"), ("stat", "s3://bucket/d/g"),
                        ("rm", "s3://bucket/d", "--recursive")):
            stdin = bytes(9_000_000) if "-" in command else b""
            heads = self.heads("s3", *command, "--request-payer", stdin=stdin)
            self.assertTrue(heads)
            for head in heads:
                self.assertEqual(head.count("x-amz-request-payer: requester\r\n"), 1, (command, head))
                self.assertRegex(head, "SignedHeaders=[^,]*x-amz-request-payer")

    def test_s3_page_size(self):
        self.server.admin("POST", "fill?bucket=bucket&count=25&prefix=k/")
        for command in ("ls", "s3://bucket", "--recursive"), ("rm", "s3://bucket", "--recursive",
                                                              "--dryrun"):
            heads = self.heads("s3", *command, "--page-size", "10")
            self.assertEqual(len(heads), 3)
            self.assertTrue(all("max-keys=10" in head for head in heads), heads)

    def test_s3_debug(self):
        run = self.start("s3", "--debug", "ls", "s3://bucket")
        self.assertEqual(run.returncode, 0)
        self.assertRegex(run.stderr.decode(), r"(?m)^s3: .*\b200\b")
        self.assertNotIn(b"wJalr", run.stderr)

    def test_s3_timeouts(self):
        """A server that takes the connection and says nothing."""
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            for scheme, option in ("http", "--cli-read-timeout"), ("https", "--cli-connect-timeout"):
                begin = time.monotonic()
                self.fails(255, "", "s3", "ls", option, "1", AWS_MAX_ATTEMPTS="1",
                           endpoint=f"{scheme}://localhost:{port}")
                self.assertLess(time.monotonic() - begin, 30)

    def test_s3_wrong_use(self):
        for text, *command in (
                ("usage:",), ("unknown command 'x'", "x"), ("wants 2 arguments", "put", "f"),
                ("not an address", "mb", "bucket"), ("names no bucket", "mb", "s3://"),
                ("has a key", "mb", "s3://bucket/k"), ("has no key", "cat", "s3://bucket"),
                ("has no key", "rm", "s3://bucket/"), ("unknown option", "--x", "ls"),
                ("wants a value", "ls", "--region"), ("wants a number", "ls", "--memory", "1k"),
                ("wants a number", "ls", "--memory", "99999999999999999999"),
                ("at most 419424", "ls", "--memory", "419440"),
                ("1 to 16", "ls", "--parallel", "17"), ("wants a number", "ls", "--parallel=x"),
                ("onto itself", "mv", "s3://bucket/k", "s3://bucket/"),
                ("single cp", "mv", "-", "s3://bucket/k"),
                ("one of both", "cp", "f", "g"), ("604800", "presign", "s3://bucket/k",
                                                  "--expires-in", "0"),
                ("bytes are needed", "ls", "--memory", "0"),
                ("bytes are needed", "ls", "--memory", "10000"),
                ("No such file", "put", "nothing", "s3://bucket/k"),
                ("is a directory", "put", ".", "s3://bucket/k"),
                ("CA certificates", "--ca", "nothing", "ls"),
                ("endpoint 'ftp://x'", "--endpoint", "ftp://x", "ls"),
                ("region 'a/b'", "--region", "a/b", "ls")):
            run = self.start("s3", *command)
            self.assertIn(run.returncode, (1, 253, 255) if "file" in text or "dir" in text or "ndpoint" in text or
                          "region" in text or "CA" in text else (252,), command)
            self.assertIn(text, run.stderr.decode(), command)
            self.assertEqual(run.stdout, b"")
        self.assertIn(b"usage", self.ok("s3", "--help"))

    def test_s3_exit_codes(self):
        self.fails(254, "SignatureDoesNotMatch", "s3", "ls", AWS_SECRET_ACCESS_KEY="no")
        self.fails(254, "InvalidAccessKeyId", "s3", "ls", AWS_ACCESS_KEY_ID="no")
        self.fails(253, "no usable credentials", "s3", "ls", AWS_SECRET_ACCESS_KEY="")
        self.fails(255, "connection", "s3", "ls", endpoint="http://localhost:1",
                   AWS_MAX_ATTEMPTS="1")
        self.fails(255, "certificate", "s3", "ls", AWS_CA_BUNDLE=self.other_ca())
        self.fails(1, "No space left", "s3", "get", "s3://bucket/gen-100", "/dev/full")
        self.fails(1, "404", "s3", "get", "s3://bucket/missing")
        self.fails(254, "404", "s3", "stat", "s3://bucket/missing")
        self.fails(1, "NoSuchBucket", "s3", "rb", "s3://missing")
        self.fails(1, "No space left", "s3", "--help", prefix=("sh", "-c", '"$@" >/dev/full', "-"))

    def other_ca(self):
        path = os.path.join(self.folder, "other.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=test CA", "-keyout",
                        "/dev/null", "-out", path], check=True, stderr=subprocess.DEVNULL)
        return path

    # ---- s3: never a wrong file, never a wrong object ----

    def test_s3_get_is_all_or_nothing(self):
        data = self.write("f", os.urandom(300000))
        self.ok("s3", "put", "f", "s3://bucket/k")
        self.write("old", b"old")
        for action in {"cut": 100000}, {"reset": 100000}, {"tls_cut": 100000}, {"status": 503}:
            self.server.admin("POST", "fault", {"op": "GetObject", "times": 3, "action": action})
            self.fails(1, "", "s3", "get", "s3://bucket/k", "old")
            self.assertEqual(self.read("old"), b"old")
            self.assertEqual(sorted(os.listdir(self.folder)), ["f", "old"])
        self.server.admin("DELETE", "fault")
        # One cut only: the file is started over.
        self.server.admin("POST", "fault", {"op": "GetObject", "action": {"cut": 100000}})
        self.ok("s3", "get", "s3://bucket/k", "old")
        self.assertEqual(self.read("old"), data)
        # What has gone to a pipe can't be taken back: no second try.
        self.server.admin("POST", "fault", {"op": "GetObject", "action": {"cut": 100000}})
        said = self.fails(1, "", "s3", "cat", "s3://bucket/k")
        self.assertLess(len(said), 100000)
        self.assertEqual(said, data[:len(said)])

    def test_s3_interrupted(self):
        """SIGINT in the middle of a download: the temporary file goes, the old one stays."""
        self.write("old", b"old")
        process = subprocess.Popen([self.program("s3"), "get", "--checkpoints", "",
                                    f"s3://bucket/gen-{4 << 30}", "old"], cwd=self.folder,
                                   env=self.environment())
        for _ in range(2400):
            time.sleep(0.05)
            files = sorted(os.listdir(self.folder))
            if len(files) == 2 and os.path.getsize(os.path.join(self.folder, files[1])) > 0:
                break
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(), 128 + signal.SIGINT)
        self.assertEqual(os.listdir(self.folder), ["old"])
        self.assertEqual(self.read("old"), b"old")

    def test_s3_file_that_changes(self):
        """More or less than was announced: no object."""
        self.write("f", b"x" * 100000)
        for size in "99999", "100001":
            with open(os.path.join(self.folder, "f"), "rb") as file:
                run = subprocess.run([self.program("s3"), "put", "-", "s3://bucket/k",
                                      "--size", size], stdin=file, env=self.environment(),
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertEqual(run.returncode, 1)
            self.assertIn(b"nothing was stored", run.stderr)
        self.assertEqual(self.ok("list", "bucket"), b"0 objects, 0 bytes\n")

    # ---- s3: trees; tests/tool_suite.py compares them with awscli's ----

    def tree(self, *paths):
        for path in paths:
            os.makedirs(os.path.dirname(os.path.join(self.folder, path)), exist_ok=True)
            self.write(path, path.encode())
            os.utime(os.path.join(self.folder, path), (1700000000,) * 2)

    def test_s3_sync(self):
        self.tree("t/a/b", "t/a.b", "t/a-b", "t/c/d/e", "t/x.txt")
        said = self.ok("s3", "sync", "t", "s3://bucket/p")
        self.assertEqual(sorted(said.decode().splitlines())[0],
                         "upload: t/a-b to s3://bucket/p/a-b")
        self.assertEqual(said.count(b"\n"), 5)
        self.assertEqual(self.ok("s3", "sync", "t", "s3://bucket/p"), b"")
        self.ok("s3", "sync", "s3://bucket/p", "u")
        self.assertEqual(subprocess.run(["diff", "-r", "t", "u"], cwd=self.folder).returncode, 0)
        self.assertEqual(self.ok("s3", "sync", "s3://bucket/p", "u"), b"")
        os.remove(os.path.join(self.folder, "t/a-b"))
        self.assertEqual(self.ok("s3", "sync", "--delete", "--dryrun", "t", "s3://bucket/p"),
                         b"(dryrun) delete: s3://bucket/p/a-b\n")
        self.assertEqual(self.ok("s3", "sync", "--delete", "--exclude", "a*", "t", "s3://bucket/p"), b"")
        self.ok("s3", "sync", "--delete", "t", "s3://bucket/p")
        self.ok("s3", "sync", "--delete", "s3://bucket/p", "s3://bucket/q")
        self.ok("s3", "sync", "--delete", "s3://bucket/q", "u")
        self.assertEqual(subprocess.run(["diff", "-r", "t", "u"], cwd=self.folder).returncode, 0)

    def test_s3_many_files(self):
        """More names in a directory than there is memory for: it is read again, in order."""
        for number in range(9000):
            self.tree(f"t/{number * 7919 % 9000:05}")
        said = self.ok("s3", "sync", "--dryrun", "t", "s3://bucket").decode().split()
        names = [word for word in said if word.startswith("s3://")]
        self.assertEqual(names, [f"s3://bucket/{number:05}" for number in range(9000)])

    def test_s3_names_that_lead_out(self):
        self.write("f", b"data")
        self.ok("s3", "put", "f", "s3://bucket/p/../../out")
        self.ok("s3", "put", "f", "s3://bucket/p/in")
        self.fails(2, "leads out", "s3", "cp", "--recursive", "s3://bucket/p", "d/e")
        self.assertEqual(os.listdir(os.path.join(self.folder, "d")), ["e"])
        self.assertEqual(os.listdir(os.path.join(self.folder, "d/e")), ["in"])
        self.assertFalse(os.path.exists(os.path.join(self.folder, "out")))

    def test_s3_times(self):
        self.write("f", b"data")
        self.ok("s3", "put", "f", "s3://bucket/f")
        self.server.admin("POST", "fault", {"op": "GetObject", "action": {"delay": 1.1}})
        self.ok("s3", "get", "s3://bucket/f", "g")
        listed = self.ok("s3", "ls", "s3://bucket/f").decode()[:19]
        stamp = os.stat(os.path.join(self.folder, "g")).st_mtime
        self.assertEqual(time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(stamp)), listed)

    def gets(self, operation="GetObject"):
        return self.server.admin("GET", "stats")["operations"].get(operation, 0)

    def killed(self, command, requests, operation="GetObject"):
        """Kill the command after so many requests that it made."""
        before = self.gets(operation)
        process = subprocess.Popen([self.program("s3"), *command], cwd=self.folder,
                                   env=self.environment(), stdout=subprocess.DEVNULL)
        while self.gets(operation) - before < requests and process.poll() is None:
            time.sleep(0.02)
        process.kill()
        self.assertEqual(process.wait(), -signal.SIGKILL)

    def slow(self, operation, count, action):
        """So many requests are slow; the next ones have no answer, for the kill must come first."""
        for times, what in (count, action), (1000, {"delay": 3600}):
            self.server.admin("POST", "fault", {"op": operation, "times": times, "action": what})

    def test_s3_resumes(self):
        """Killed in the middle of its parts, the same command moves only what is left."""
        data = self.write("f", os.urandom(60 << 20))
        trickle = {"trickle": [1 << 20, 0.1]}
        get = ["get", "s3://bucket/f", "g", "--part-size", "5242880", "--parallel", "2"]
        self.ok("s3", "put", "f", "s3://bucket/f", "--parallel", "8")
        self.slow("GetObject", 6, trickle)
        self.killed(get, 5)
        left = [name for name in os.listdir(self.folder) if ".s3-" in name]
        self.assertEqual(len(left), 1)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "g")))
        self.server.admin("DELETE", "fault")
        before = self.gets()
        self.ok("s3", *get)
        self.assertEqual(self.read("g"), data)
        self.assertLess(self.gets() - before, 12)
        self.assertEqual([name for name in os.listdir(self.folder) if ".s3-" in name], [])
        # an upload
        put = ["put", "f", "s3://bucket/up", "--part-size", "5242880", "--parallel", "2"]
        self.slow("UploadPart", 7, {"delay": 0.3})
        self.killed(put, 6, "UploadPart")
        self.server.admin("DELETE", "fault")
        self.ok("s3", *put)
        self.assertLessEqual(self.gets("UploadPart"), 8 + 12 + 3)
        self.assertEqual(self.gets("CreateMultipartUpload"), 2)
        self.assertEqual(self.ok("s3", "cat", "s3://bucket/up"), data)
        # without its file a checkpoint is worth nothing
        self.slow("GetObject", 6, trickle)
        self.killed(get, 5)
        self.server.admin("DELETE", "fault")
        for name in os.listdir(self.folder):
            if ".s3-" in name:
                os.remove(os.path.join(self.folder, name))
        self.ok("s3", *get)
        self.assertEqual(self.read("g"), data)

    def interrupted(self, number, after, command, data=None, **environment):
        """A signal once so many parts are under way: nothing stays in the bucket."""
        before, aborted = self.gets("UploadPart"), self.gets("AbortMultipartUpload")
        process = subprocess.Popen([self.program("s3"), *command], cwd=self.folder,
                                   env=self.environment(**environment), stdin=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        if data:
            process.stdin.write(data)
            process.stdin.flush()
        for _ in range(6000):
            if self.gets("UploadPart") - before >= after or process.poll() is not None:
                break
            time.sleep(0.02)
        process.send_signal(number)
        self.assertEqual(process.wait(600), 128 + number)
        self.assertIn(b"interrupted; nothing was stored", process.stderr.read())
        process.stdin.close()
        process.stderr.close()
        self.assertEqual(self.gets("AbortMultipartUpload") - aborted, 1)
        self.assertEqual(self.gets("CompleteMultipartUpload"), 0)

    def test_s3_interrupted_input(self):
        data = os.urandom(9 << 20)
        # while it waits for more
        self.interrupted(signal.SIGINT, 1, ["cp", "-", "s3://bucket/k"], data)
        self.interrupted(signal.SIGTERM, 1, ["cp", "-", "s3://bucket/k", "--size", str(20 << 20)], data)
        # while it sends
        self.server.admin("POST", "fault", {"op": "UploadPart", "times": 10, "action": {"delay": 1}})
        self.interrupted(signal.SIGINT, 1, ["cp", "-", "s3://bucket/k"], data)
        self.server.admin("DELETE", "fault")
        # a file, if it isn't noted how far that came; the signal must come before its end
        self.server.admin("POST", "fault", {"op": "UploadPart", "times": 10, "action": {"delay": 15}})
        self.write("f", data * 3)
        self.interrupted(signal.SIGINT, 2, ["cp", "f", "s3://bucket/k", "--checkpoints", ""])
        self.server.admin("DELETE", "fault")
        self.fails(1, "404", "s3", "cat", "s3://bucket/k")

    def test_s3_input_that_fails(self):
        """A connection that is reset after a part."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            theirs = socket.create_connection(listener.getsockname())
            ours = listener.accept()[0]
        process = subprocess.Popen([self.program("s3"), "cp", "-", "s3://bucket/k"], stdin=theirs,
                                   cwd=self.folder, env=self.environment(), stderr=subprocess.PIPE)
        theirs.close()
        ours.sendall(os.urandom(9 << 20))
        while not self.gets("UploadPart") and process.poll() is None:
            time.sleep(0.02)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        ours.close()
        self.assertEqual(process.wait(600), 1)
        self.assertIn(b"standard input: Connection reset", process.stderr.read())
        process.stderr.close()
        self.assertEqual(self.gets("AbortMultipartUpload"), 1)
        self.assertEqual(self.gets("CompleteMultipartUpload"), 0)

    # ---- s3: on a terminal ----

    def on_terminal(self, *command):
        """What stderr and stdout say when both are a terminal."""
        master, slave = pty.openpty()
        process = subprocess.Popen([self.program("s3"), *command], cwd=self.folder,
                                   env=self.environment(), stdout=slave, stderr=slave)
        os.close(slave)
        said = b""
        try:
            while True:
                piece = os.read(master, 65536)
                if not piece:
                    break
                said += piece
        except OSError:  # Linux's end of a terminal
            pass
        os.close(master)
        self.assertEqual(process.wait(), 0, said)
        return said.decode()

    def test_s3_progress(self):
        self.write("f", os.urandom(15 << 20))
        said = self.on_terminal("put", "f", "s3://bucket/k")
        self.assertIn("f [##############################] 15.0 MiB of 15.0 MiB", said)
        self.assertIn("upload: ./f to s3://bucket/k", said)
        self.server.admin("POST", "fault", {"op": "GetObject",
                                            "action": {"trickle": [1 << 20, 0.05]}})
        said = self.on_terminal("get", "s3://bucket/k", "g")
        self.assertRegex(said, r"k \[#+\.+\] [\d.]+ [KM]iB of 15\.0 MiB, [\d.]+ [KM]iB/s")
        self.assertIn("k [##############################] 15.0 MiB of 15.0 MiB", said)
        self.assertEqual(self.on_terminal("--quiet", "get", "s3://bucket/k", "g"), "")

    def test_s3_control_characters(self):
        """Keys can't steer the terminal, but go unchanged into a file."""
        self.write("f", b"")
        self.ok("s3", "put", "f", "s3://bucket/a\033[2Jb")
        self.assertIn("a?[2Jb", self.on_terminal("ls", "s3://bucket"))
        self.assertIn(b"a\033[2Jb", self.ok("s3", "ls", "s3://bucket"))

    def test_s3_stats(self):
        run = self.start("s3", "--stats", "--memory", "31000", "ls")
        self.assertRegex(run.stderr.decode(),
                         r"^memory in bytes: client block 31000, of them 5 at most, session \d+, ")


if __name__ == "__main__":
    unittest.main()
