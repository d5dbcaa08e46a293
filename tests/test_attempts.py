#!/usr/bin/env python3
"""Requests that fail and what becomes of them, over real sockets: tests/attempts_client.c against
tests/s3_server.py with its faults, and through a proxy made here.

    tests/test_attempts.py [NAME...]     the tests of these names only

Prints failures, and at last: test_attempts: N passed, N failed
"""

import atexit
import base64
import json
import os
import shutil
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import urllib.request

TESTS = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(TESTS)
WORK = tempfile.mkdtemp(prefix="attempts-")
atexit.register(shutil.rmtree, WORK, ignore_errors=True)

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SERVICE, CREDENTIALS, CONNECT, CLOSED, TIMEOUT, CERTIFICATE = -19, -8, -10, -11, -12, -14

passed = failed = 0


def check(held, what):
    global passed, failed
    if held:
        passed += 1
    else:
        failed += 1
        frame = sys._getframe(1)
        while frame.f_code.co_name.startswith("check"):
            frame = frame.f_back
        print(f"{__file__}:{frame.f_lineno}: {what}", file=sys.stderr)
    return held


def check_equal(got, want, what=""):
    return check(got == want, f"{what} is\n  {got!r}, not\n  {want!r}")


# ---------------------------------------------------------------------------------------------
# The server

class Server:
    def __init__(self, *options):
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(TESTS, "s3_server.py"), "--dir", WORK, "--key", KEY,
             "--secret", SECRET, "--parent", str(os.getpid()), *options],
            stdout=subprocess.PIPE, text=True)
        words = dict(word.split("=", 1) for word in self.process.stdout.readline().split()[1:])
        self.http, self.https, self.ca = int(words["http"]), int(words["https"]), words["ca"]
        atexit.register(self.process.terminate)

    def admin(self, method, name, data=None):
        url = f"http://127.0.0.1:{self.http}/_test/{name}"
        request = urllib.request.Request(url, data, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=120) as answer:
            return json.load(answer)

    def begin(self, *faults):
        """A bucket with the object "key", no counts, and these faults."""
        self.admin("POST", "reset")
        self.admin("POST", "fill?bucket=bucket&count=1&size=5&prefix=unused")
        for fault in faults:
            self.admin("POST", "fault", json.dumps({"op": "*", **fault}).encode())

    def stats(self):
        return self.admin("GET", "stats")


class Result:
    def __init__(self, head, text):
        self.action, *numbers = head.split()
        self.code, self.attempts, self.ms = map(int, numbers)
        self.text = text


def run(*words, env=None, secure=False, endpoint=None):
    url = endpoint or (f"https://localhost:{server.https}" if secure
                       else f"http://127.0.0.1:{server.http}")
    environment = {"PATH": os.environ["PATH"], "AWS_ACCESS_KEY_ID": KEY,
                   "AWS_SECRET_ACCESS_KEY": SECRET, **(env or {})}
    words = ("--endpoint", url, "--ca", server.ca, *words)
    if "--region" not in words:
        words = ("--region", "us-east-1", *words)
    done = subprocess.run([os.path.join(WORK, "client"), *words], env=environment, timeout=900,
                          stdout=subprocess.PIPE, text=True)
    check_equal(done.returncode, 0, "the client's exit code")
    lines = done.stdout.splitlines()
    return [Result(*pair) for pair in zip(lines[::2], lines[1::2])]


def check_codes(results, *codes):
    return check_equal([result.code for result in results], list(codes),
                       "codes (" + "; ".join(result.text for result in results) + ")")


def requests():
    return server.stats()["requests"]


# ---------------------------------------------------------------------------------------------
# Regions, clocks, tokens

def test_redirect_malformed_authorization():
    """The server wants us-east-1 and says so; the signature over it is then accepted."""
    for secure in (False, True):
        server.begin()
        check_codes(run("--region", "eu-west-1", "--attempts", "1", "put", "get", "delete",
                        secure=secure), 0, 5, 0)
        check_equal(requests(), 4, "requests")  # one more for the first


def test_redirect_header():
    server.begin({"times": 1, "action": {"status": 301, "code": "PermanentRedirect",
                                         "headers": {"x-amz-bucket-region": "us-east-1"}}},)
    check_codes(run("--attempts", "1", "put"), SERVICE)  # it is ours: nothing to change
    check_equal(requests(), 1, "requests")


def test_skew():
    """Two hours before and after: each refused once, and then right for the session."""
    for shift in ("-7200", "7200", "-100000000"):
        for secure in (False, True):
            if secure and shift != "7200":
                continue        # the certificate isn't valid yet
            server.begin()
            check_codes(run("--shift", shift, "--attempts", "1", "put", "get", "head",
                            secure=secure), 0, 5, 0)
            check_equal(requests(), 4, "requests")


def test_skew_of_date_alone():
    """A Date that is off doesn't move the clock unless the server refuses."""
    server.begin({"times": 2, "action": {"date_offset": 7200}})
    check_codes(run("put", "get", "get"), 0, 5, 5)
    check_equal(requests(), 3, "requests")


def test_expired_token():
    """The first token is refused, the provider's next one isn't."""
    global server
    usual, server = server, Server("--token", "TOKEN")
    try:
        server.begin({"times": 1, "action": {"raw": base64.b64encode(
            b"HTTP/1.1 400 Bad Request\r\nContent-Length: 47\r\n\r\n"
            b"<Error><Code>ExpiredToken</Code></Error>       ").decode(), "keep": 1}})
        check_codes(run("--provider", "1", "--attempts", "1", "put", "get"), 0, 5)
        check_equal(requests(), 3, "requests")
    finally:
        server.process.terminate()
        server = usual


# ---------------------------------------------------------------------------------------------
# Expect: 100-continue

def test_expect_continue():
    for secure in (False, True):
        server.begin()
        results = run("large", *(["stream"] if secure else []), secure=secure)
        check_codes(results, *[0] * len(results))
        heads = server.stats()["heads"]
        check(all("expect: 100-continue\r\n" in head for head in heads), "no Expect")


def test_expect_refused():
    """The refusal comes before the body: hardly a byte of it is sent."""
    for secure in (False, True):
        server.begin({"action": {"early": 403}})
        check_codes(run("--slow", "100", "large", secure=secure), SERVICE)
        check(server.stats()["bytes_in"] < 10000, "the body was sent")


def test_expect_silence():
    """No 100 within a second: the body goes all the same."""
    for secure in (False, True):
        server.begin({"action": {"continue": 0}})
        results = run("large", secure=secure)
        check_codes(results, 0)
        check(results[0].ms >= 1000, f"{results[0].ms} ms")


def test_expect_saves_a_stream():
    """A body that can't be read twice survives a throttling answer."""
    server.begin({"times": 1, "action": {"early": 503}})
    check_codes(run("--slow", "100", "stream", secure=True), 0)
    check_equal(requests(), 2, "requests")


# ---------------------------------------------------------------------------------------------
# Retries

def test_storm():
    """A server that only says 503: 120 calls make 120 requests and the quota's 100 retries.
    (Without pauses, which would take minutes.)"""
    server.begin({"times": 100000, "action": {"status": 503}})
    check_codes(run("--eager", "1", *["head"] * 120), *[SERVICE] * 120)
    check_equal(requests(), 120 + 100, "requests")


def test_storm_legacy():
    server.begin({"times": 4, "action": {"status": 503}})
    results = run("put", "get", env={"AWS_RETRY_MODE": "legacy"})
    check_codes(results, 0, 5)
    check_equal(requests(), 6, "requests")


def test_slow_answers():
    server.begin({"times": 1, "skip": 1, "action": {"trickle": [1, 0.002]}})
    check_codes(run("put", "get"), 0, 5)
    for action, *limit in (({"delay": 5}, "--read-timeout", "500", "--attempts", "1"),
                           ({"trickle": [1, 0.02]}, "--call-timeout", "700")):
        server.begin({"times": 1, "skip": 1, "action": action})
        check_codes(run("put"), 0)  # not within the limit, which is short for a busy machine
        check_codes(run(*limit, "get"), TIMEOUT)


# ---------------------------------------------------------------------------------------------
# Proxies

class Proxy(socketserver.ThreadingTCPServer):
    """CONNECT, and GET http://...; user and password on demand. Keeps the heads that it got."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, authorization=None, answer=None):
        super().__init__(("127.0.0.1", 0), Exchange)
        self.port = self.server_address[1]
        self.authorization, self.answer, self.heads = authorization, answer, []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Exchange(socketserver.BaseRequestHandler):
    def handle(self):
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self.request.recv(65536)
            if not piece:
                return
            data += piece
        head = data.split(b"\r\n\r\n")[0].decode()
        self.server.heads.append(head)
        wanted = self.server.authorization
        if wanted and f"proxy-authorization: {wanted}" not in head.split("\r\n"):
            self.request.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                                 b"Proxy-Authenticate: Basic\r\nContent-Length: 2\r\n\r\nno")
            return
        if self.server.answer is not None:
            self.request.sendall(self.server.answer)
            return
        method, target, _ = head.split("\r\n")[0].split(" ")
        place = target if method == "CONNECT" else target.split("/")[2]
        host, port = place.rsplit(":", 1)
        host = "127.0.0.1" if host.endswith(".test") else host
        peer = socket.create_connection((host, int(port)))
        if method == "CONNECT":
            self.request.sendall(b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")
        else:
            start = target.index("/", 7)
            data = data.replace(target.encode(), target[start:].encode(), 1)
            peer.sendall(data)
        threading.Thread(target=self.pump, args=(peer, self.request), daemon=True).start()
        self.pump(self.request, peer)

    @staticmethod
    def pump(source, sink):
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def test_proxy_connect():
    """TLS in the tunnel is with the endpoint: its host is checked, nobody else sees the request."""
    proxy = Proxy()
    server.begin()
    check_codes(run("--proxy", f"http://127.0.0.1:{proxy.port}", "put", "get", "large", "stream",
                    secure=True), 0, 5, 0, 0)
    check_equal(len(proxy.heads), 1, "connections")
    check(proxy.heads[0].startswith(f"CONNECT localhost:{server.https} HTTP/1.1\r\n"), "CONNECT")
    check("authorization" not in proxy.heads[0], "what the proxy sees")
    check_equal(requests(), 4, "requests")
    # a certificate for another host is refused in the tunnel too
    results = run("--proxy", f"http://127.0.0.1:{proxy.port}", "--attempts", "1", "get",
                  endpoint=f"https://other.test:{server.https}")
    check_codes(results, CERTIFICATE)


def test_proxy_user():
    wanted = "Basic " + base64.b64encode(b"us er:p@ss:w\xc3\xb6rd").decode()
    proxy = Proxy(wanted)
    server.begin()
    url = f"http://us%20er:p%40ss%3Aw%c3%B6rd@127.0.0.1:{proxy.port}"
    check_codes(run("--proxy", url, "put", "get", secure=True), 0, 5)
    heads = server.stats()["heads"]
    check(all(" /" in head and "proxy-authorization" not in head for head in heads), heads)
    results = run("--proxy", url.replace("ss", "sx"), "get", secure=True)
    check_codes(results, CREDENTIALS)
    check("w%c3" not in results[0].text and "wörd" not in results[0].text, "a secret in a text")
    check_equal(len(proxy.heads), 2, "connections")  # it isn't tried again


def test_proxy_environment():
    proxy = Proxy()
    server.begin()
    env = {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}"}
    check_codes(run("--proxy", "env", "put", secure=True, env=env), 0)
    check_equal(len(proxy.heads), 1, "connections")
    check_codes(run("--proxy", "env", "put", secure=True, env={**env, "NO_PROXY": "localhost"}), 0)
    check_codes(run("put", secure=True, env=env), 0)
    check_codes(run("--proxy", "env", "put", secure=True, env={**env, "https_proxy": ""}), 0)
    check_equal(len(proxy.heads), 1, "connections")
    # without http://, as botocore takes it
    env = {"HTTPS_PROXY": f"a%3Ab:c@127.0.0.1:{proxy.port}"}
    check_codes(run("--proxy", "env", "put", secure=True, env=env), 0)
    said = "proxy-authorization: Basic " + base64.b64encode(b"a:b:c").decode()
    check(said in proxy.heads[1].split("\r\n"), proxy.heads[1])


def test_proxy_http():
    proxy = Proxy()
    server.begin()
    check_codes(run("--proxy", f"http://127.0.0.1:{proxy.port}", "put"), 0)
    check(proxy.heads[0].startswith(f"PUT http://127.0.0.1:{server.http}/bucket/key HTTP/1.1\r\n"),
          proxy.heads[0])


def test_proxy_refuses():
    for answer, code in ((b"HTTP/1.1 403 Forbidden\r\n\r\n", CONNECT), (b"", CLOSED),
                         (b"HTTP/1.1 200 OK\r\n\r", CLOSED)):
        proxy = Proxy(answer=answer)
        results = run("--proxy", f"http://127.0.0.1:{proxy.port}", "--attempts", "1", "get",
                      secure=True)
        check_codes(results, code)
        check("127.0.0.1" in results[0].text, results[0].text)


def compile_client():
    subprocess.run([*os.environ.get("CC", "cc -O1").split(), "-std=c99", "-I", ROOT, "-o",
                    os.path.join(WORK, "client"), os.path.join(TESTS, "attempts_client.c"),
                    "-lbearssl"], check=True)


def main():
    global server
    compile_client()
    server = Server()
    tests = [(name[5:], function) for name, function in globals().items()
             if name.startswith("test_")]
    for name, function in tests:
        if len(sys.argv) > 1 and name not in sys.argv[1:]:
            continue
        before = failed
        function()
        if failed != before:
            print(f"^ in test {name}", file=sys.stderr)
    print(f"test_attempts: {passed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
