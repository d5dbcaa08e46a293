#!/usr/bin/env python3
"""TLS as it can go wrong: tests/tls_client.c against openssl s_server, against a peer made of
Python's ssl that is scripted byte by byte, and against BearSSL's own server. Certificates are made
here by openssl.

    tests/test_tls.py [NAME...]     the tests of these names only

Prints failures, and at last: test_tls: N passed, N failed
"""

import atexit
import glob
import os
import queue
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

TESTS = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(TESTS)
WORK = tempfile.mkdtemp(prefix="tls-")
atexit.register(shutil.rmtree, WORK, ignore_errors=True)

# aws.h's codes
PARAM, MEMORY, CLOCK, ENTROPY, CLOSED, TLS = -2, -3, -6, -7, -11, -13
CERTIFICATE, TRUNCATED = -14, -15

SMALL = 14336               # AWS_CLIENT_MEMORY_TLS_BOUNDED on 64 bits
FULL = 30720                # AWS_CLIENT_MEMORY_TLS
YEAR = 366 * 86400

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
# Certificates

def openssl(*words):
    subprocess.run(["openssl", *words], cwd=WORK, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.PIPE)


def path(name):
    return os.path.join(WORK, name)


KEYS = {"rsa": ("-newkey", "rsa:2048"),
        "ec": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
        "ec384": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384")}


def make_ca(name, kind):
    openssl("req", "-x509", *KEYS[kind], "-nodes", "-keyout", name + ".key", "-out", name + ".pem",
            "-days", "3650", "-subj", "/CN=" + name, "-addext", "keyUsage=critical,keyCertSign")


def make_leaf(name, kind, issuer, extensions="subjectAltName=DNS:localhost"):
    with open(path(name + ".ext"), "w", encoding="ascii") as file:
        file.write(extensions + "\n")
    openssl("req", *KEYS[kind], "-nodes", "-keyout", name + ".key", "-out", name + ".csr",
            "-subj", "/CN=" + name)
    openssl("x509", "-req", "-in", name + ".csr", "-CA", issuer + ".pem", "-CAkey", issuer + ".key",
            "-CAcreateserial", "-days", "3650", "-sha256", "-extfile", name + ".ext",
            "-out", name + ".pem")


def make_certificates():
    make_ca("ca", "rsa")
    make_ca("ecca", "ec")
    make_ca("stranger", "rsa")
    make_leaf("leaf", "rsa", "ca")
    make_leaf("ecleaf", "ec", "ecca")
    make_leaf("mixed", "ec", "ca")
    make_leaf("other", "rsa", "ca", "subjectAltName=DNS:other.example,IP:127.0.0.1")
    make_leaf("wild", "rsa", "ca", "subjectAltName=DNS:*.localhost")
    make_leaf("between", "rsa", "ca", "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign")
    make_leaf("under", "rsa", "between")
    make_leaf("nca", "rsa", "leaf")         # issued by what is no CA
    openssl("x509", "-in", "leaf.pem", "-outform", "DER", "-out", "leaf.der")
    openssl("rsa", "-in", "leaf.key", "-outform", "DER", "-out", "leafkey.der", "-traditional")


# ---------------------------------------------------------------------------------------------
# The client

def compile_client():
    subprocess.run([*os.environ.get("CC", "cc -O1").split(), "-std=c99", "-I", ROOT, "-o",
                    path("tls_client"), os.path.join(TESTS, "tls_client.c"), "-lbearssl"],
                   check=True)


class Result:
    """What an action of the client came to."""

    def __init__(self, head, text):
        self.action, *numbers = head.split()
        self.code, self.error, self.opens, self.sent = map(int, numbers)
        self.text = text
        needed = re.search(r"(\d+) bytes are needed", text)
        self.needed = int(needed.group(1)) if needed else 0


def client(port, *actions, host="localhost", **options):
    """Runs the client: a list of results. Options as in tls_client.c, _ for -."""
    options = {"endpoint": f"https://{host}:{port}", "ca": path("ca.pem"), **options}
    words = [word for name, value in options.items()
             for word in ("--" + name.replace("_", "-"), str(value))]
    done = subprocess.run([path("tls_client"), *words, *actions], stdout=subprocess.PIPE, text=True,
                          timeout=900, check=False)
    check_equal(done.returncode, 0, "the client's exit code")
    lines = done.stdout.splitlines()
    return [Result(*pair) for pair in zip(lines[::2], lines[1::2])]


def check_failure(result, code, error, text):
    check_equal((result.code, result.error), (code, error), "code and BearSSL's error")
    check_equal(result.text, text, "the failure's text")


def check_body(result, data):
    total = 0
    for byte in data:
        total = (total * 31 + byte) & 0xffffffff
    check_equal((result.code, result.text), (len(data), f"{len(data)} {total}"), "the body")


def ok_answer(data=b"hello", chunk=0):
    if not chunk:
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(data), data)
    pieces = [data[at:at + chunk] for at in range(0, len(data), chunk)]
    return (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
            b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n")


def wait_until(condition):
    """What it gives, once that is true."""
    for _ in range(6000):
        found = condition()
        if found:
            break
        time.sleep(0.01)
    return found


# ---------------------------------------------------------------------------------------------
# openssl s_server

class SServer:
    """openssl s_server: what comes is read up to a head's end, then `answer` goes to its input."""

    def __init__(self, leaf="leaf", answer=ok_answer(), extra=()):
        self.answer = answer
        self.process = subprocess.Popen(
            ["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", path(leaf + ".pem"), "-key", path(leaf + ".key"), "-quiet", *extra],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=WORK)
        threading.Thread(target=self.serve, daemon=True).start()
        self.port = wait_until(self.listens)
        if not self.port:
            sys.exit("openssl s_server does not listen")

    def listens(self):
        """The port that it was given; with -quiet it doesn't say which."""
        sockets = set()
        for each in glob.glob(f"/proc/{self.process.pid}/fd/*"):
            try:
                sockets.add(os.readlink(each))
            except OSError:  # closed meanwhile
                pass
        with open("/proc/net/tcp", encoding="ascii") as file:
            for row in map(str.split, list(file)[1:]):
                if row[3] == "0A" and f"socket:[{row[9]}]" in sockets:
                    return int(row[1].split(":")[1], 16)
        return 0

    def serve(self):
        head = b""
        while True:
            byte = self.process.stdout.read(1)
            if not byte:
                return
            head = (head + byte)[-4:]
            if head == b"\r\n\r\n":
                try:
                    self.process.stdin.write(self.answer)
                    self.process.stdin.flush()
                except OSError:
                    return

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


def s_server_get(leaf="leaf", extra=(), answer=ok_answer(), **options):
    with SServer(leaf, answer, extra) as server:
        return client(server.port, "get", **options)[0]


TLS12 = ("-tls1_2",)


def test_chains():
    """Right chains of several kinds."""
    check_body(s_server_get(), b"hello")
    check_body(s_server_get("ecleaf", ca=path("ecca.pem")), b"hello")
    check_body(s_server_get("mixed"), b"hello")
    check_body(s_server_get("under", ("-cert_chain", path("between.pem"))), b"hello")
    check_body(s_server_get("leaf", tls_name="localhost"), b"hello")
    for suite in ("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305",
                  "ECDHE-RSA-AES256-GCM-SHA384"):
        check_body(s_server_get("leaf", (*TLS12, "-cipher", suite)), b"hello")


def test_refused_certificates():
    text = "GetObject: the server's certificate was refused; "
    host = (text + "it is for another host than 'localhost': check the endpoint (BearSSL error 56)")
    clock = text + "it is expired or not yet valid: check the device's clock (BearSSL error 54)"
    unknown = (text + "it is not from a CA that is trusted here: give its CA by aws_config.trust "
               "(BearSSL error 62)")
    check_failure(s_server_get("other"), CERTIFICATE, 56, host)
    check_failure(s_server_get("wild"), CERTIFICATE, 56, host)
    check_failure(s_server_get("leaf", tls_name="example.com"), CERTIFICATE, 56,
                  host.replace("localhost", "example.com"))
    check_body(s_server_get("other", tls_name="other.example"), b"hello")
    check_failure(s_server_get(clock=20 * YEAR), CERTIFICATE, 54, clock)
    check_failure(s_server_get(clock=-20 * YEAR), CERTIFICATE, 54, clock)
    check_failure(s_server_get(ca=path("stranger.pem")), CERTIFICATE, 62, unknown)
    check_failure(s_server_get("under"), CERTIFICATE, 62, unknown)  # the one between is missing
    result = s_server_get("nca", ("-cert_chain", path("leaf.pem")))
    check(result.code == CERTIFICATE, f"issued by a leaf: {result.code} {result.text}")


def test_versions_and_suites():
    check_failure(s_server_get(extra=("-tls1_3",)), TLS, 326,
                  "GetObject: the TLS connection failed; the server does not speak TLS 1.2 "
                  "(BearSSL error 326)")
    suites = ("GetObject: the TLS connection failed; the server accepts none of our TLS 1.2 cipher "
              "suites (ECDHE with AES-GCM) (BearSSL error 296)")
    for suite in ("ECDHE-RSA-AES128-SHA256", "ECDHE-RSA-AES128-SHA", "AES128-GCM-SHA256"):
        check_failure(s_server_get(extra=(*TLS12, "-cipher", suite)), TLS, 296, suites)
    check_failure(s_server_get(extra=("-tls1_1", "-cipher", "ALL:@SECLEVEL=0")), TLS, 296, suites)


# ---------------------------------------------------------------------------------------------
# What is refused before a byte is sent

def test_refused_before_sending():
    def refused(code, text, action="get", **options):
        results = client(1, "get", **options)
        check_equal(len(results), 1, "actions")
        result = results[0]
        check_equal((result.action, result.code, result.opens, result.sent), (action, code, 0, 0),
                    "action, code, connections, bytes sent")
        check_equal(result.text, text, "the failure's text")

    refused(PARAM, "GetObject: an argument is wrong: '127.0.0.1' is an IP address, which no "
            "certificate can prove: use the host's name, or set aws_config.tls_name",
            host="127.0.0.1")
    refused(PARAM, "GetObject: an argument is wrong: '::1' is an IP address, which no "
            "certificate can prove: use the host's name, or set aws_config.tls_name", host="[::1]")
    refused(PARAM, "an argument is wrong: the endpoint 'https://:1' is not "
            "http[s]://host[:port] in lower case", "init", host="")
    refused(PARAM, "an argument is wrong: tls_name '' is not a host name", "init", tls_name="")
    refused(PARAM, "an argument is wrong: tls_name '127.0.0.1' is not a host name", "init",
            host="127.0.0.1", tls_name="127.0.0.1")
    refused(PARAM, "an argument is wrong: tls_name 'a b' is not a host name", "init",
            tls_name="a b")
    refused(CERTIFICATE, "GetObject: the server's certificate was refused: aws_config.trust has no "
            "CA in it: load one with aws_trust_load", ca="none")
    refused(CLOCK, "GetObject: the time is not known; give the port a clock, or set "
            "aws_config.clock_floor to the build time", clock="none")
    refused(ENTROPY, "GetObject: the port gave no random bytes; nothing was sent; check the port's "
            "entropy function", entropy=1)


def test_ip_with_name():
    with SServer() as server:
        check_body(client(server.port, "get", host="127.0.0.1", tls_name="localhost")[0], b"hello")


# ---------------------------------------------------------------------------------------------
# A peer that does exactly what a test says

class Connection:
    """One connection of a peer, TLS by memory BIOs: every byte that goes out is in our hands."""

    def __init__(self, peer, raw):
        self.raw = raw
        raw.settimeout(60)
        self.hello = b""
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = peer.context.wrap_bio(self.incoming, self.outgoing, server_side=True)

    def flush(self, piece=0):
        data = self.outgoing.read()
        if not piece:
            self.raw.sendall(data)
            return
        self.raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(data), piece):
            self.raw.sendall(data[at:at + piece])

    def receive(self):
        """More bytes of the client; False at the end."""
        try:
            data = self.raw.recv(65536)
        except OSError:
            data = b""
        if len(self.hello) < 512:
            self.hello += data
        if data:
            self.incoming.write(data)
        else:
            self.incoming.write_eof()
        return bool(data)

    def handshake(self):
        while True:
            try:
                self.tls.do_handshake()
                self.flush()
                return
            except ssl.SSLWantReadError:
                self.flush()
                if not self.receive():
                    raise

    def read_head(self):
        """A request's head and its body, if it has a length; b"" at the end."""
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self.read()
            if not piece:
                return b""
            data += piece
        head, _, rest = data.partition(b"\r\n\r\n")
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                while len(rest) < int(line.split(b":")[1]):
                    rest += self.read()
        return head

    def read(self):
        while True:
            try:
                return self.tls.read(65536)
            except ssl.SSLWantReadError:
                self.receive()
            except ssl.SSLZeroReturnError:
                return b""

    def send(self, data, record=0, piece=0):
        """In records of so many bytes, and in so many bytes at a time."""
        for at in range(0, len(data), record or len(data) or 1):
            self.tls.write(data[at:at + (record or len(data))])
        self.flush(piece)

    def notify(self):
        """close_notify; the other one's isn't awaited."""
        try:
            self.tls.unwrap()
        except ssl.SSLError:
            pass
        self.flush()

    def reset(self):
        self.raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.raw.close()


def end_listener(listener):
    """A thread that waits in accept must end, too: after a signal it would go on with the number of
    the file, which may be the next listener's by then."""
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


class Peer:
    """Accepts connections one after the other and plays `script(connection)` on each."""

    def __init__(self, script, leaf="leaf"):
        self.script = script
        self.seen = queue.Queue()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.context.options |= ssl.OP_NO_TICKET
        self.context.load_cert_chain(path(leaf + ".pem"), path(leaf + ".key"))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            connection = Connection(self, raw)
            try:
                connection.handshake()
                self.script(connection)
            except (OSError, ssl.SSLError) as error:
                self.seen.put(error)
            raw.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end_listener(self.listener)


def test_resumption_and_close_notify():
    seen = []

    def script(connection):
        while connection.read_head():
            connection.send(ok_answer())
        # read() gave b"" for SSLZeroReturnError only: the client sent close_notify
        seen.append((connection.tls.session_reused, "close_notify"))

    with Peer(script) as peer:
        results = client(peer.port, "get", "get", "close", "get")
        for result in (results[0], results[1], results[3]):
            check_body(result, b"hello")
        check_equal([result.opens for result in results], [1, 1, 1, 2], "connections")
        wait_until(lambda: len(seen) == 2)
        # closing a client forgets its session: both handshakes are whole ones
        check_equal(seen, [(False, "close_notify")] * 2, "resumed, how it ended")


def test_resumption_after_loss():
    """The server ends a kept connection, with a close_notify or without: the next one offers the
    session. (OpenSSL takes it up only after a close_notify: else it forgets the session itself.)"""
    for how in ("notify", "fin", "reset", "in the answer"):
        seen = []

        def script(connection):
            seen.append((connection.hello[43] != 0, connection.tls.session_reused))
            if connection.read_head():
                connection.send(ok_answer() if how != "in the answer" else ok_answer()[:-1])
                time.sleep(0.05)
                if how == "notify":
                    connection.notify()
                elif how == "reset":
                    connection.reset()

        with Peer(script) as peer:
            results = client(peer.port, *["get"] * 4)
            for result in results:
                if how == "in the answer":
                    check_equal(result.code, TRUNCATED, "code")
                else:
                    check_body(result, b"hello")
            check_equal(results[-1].opens, 4, "connections, " + how)
            check_equal(seen, [(False, False)] + [(True, how == "notify")] * 3,
                        f"resumed, {how}, {[(one.code, one.opens) for one in results]}, "
                        f"{peer.connections} connections, {list(peer.seen.queue)}")


def test_cut_everywhere():
    """An answer cut at every byte, ended in every way, is never a success."""
    answers = {"length": ok_answer(b"0123456789"), "chunked": ok_answer(b"0123456789", 4)}
    for kind, answer in answers.items():
        for how in ("notify", "fin", "reset"):
            cuts = iter(range(len(answer)))

            def script(connection):
                connection.read_head()
                connection.send(answer[:next(cuts)])
                if how == "notify":
                    connection.notify()
                elif how == "reset":
                    connection.reset()

            with Peer(script) as peer:
                results = client(peer.port, *["get"] * len(answer))
                for cut, result in enumerate(results):
                    check(result.code in (CLOSED, TRUNCATED),
                          f"{kind} cut at {cut} by {how}: {result.code} {result.text}")
                    check_equal(result.opens, cut + 1, "connections")
                in_body = results[-2].text
                check(results[-2].code == TRUNCATED or how == "reset",
                      f"in the body, by {how}: {in_body}")


def test_whole_then_cut():
    """Complete by its length, then the end without close_notify: that is a success."""
    for answer in (ok_answer(), ok_answer(b"hello", 2)):
        with Peer(lambda c, answer=answer: (c.read_head(), c.send(answer))) as peer:
            for result in client(peer.port, "get", "get"):
                check_body(result, b"hello")


def test_cut_in_handshake():
    """The peer leaves in the middle of the handshake."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        for _ in range(3):
            raw, _ = listener.accept()
            raw.recv(65536)
            raw.close()

    threading.Thread(target=serve, daemon=True).start()
    for result in client(listener.getsockname()[1], "get", "get", "get"):
        check_equal(result.code, CLOSED, "code")
    listener.close()


def test_records():
    """Records of 1 byte and of 16 KB, in pieces of 1 byte too, with much memory and with little."""
    data = bytes(range(256)) * 200
    for memory in (65536, FULL):
        for record, piece in ((1, 0), (16384, 0), (16384, 1000), (7, 3), (1000, 1)):
            body = data[:3000] if record < 10 or piece == 1 else data
            with Peer(lambda c: (c.read_head(), c.send(ok_answer(body), record, piece),
                                 c.read())) as peer:
                check_body(client(peer.port, "get", memory=memory)[0], body)


def extensions_of(hello):
    """{type: data} of a ClientHello."""
    body = hello[9:]                        # record and handshake header
    at = 2 + 32                             # version, random
    at += 1 + body[at]                      # session id
    at += 2 + int.from_bytes(body[at:at + 2], "big")
    at += 1 + body[at]
    found, at = {}, at + 2
    while at + 4 <= len(body):
        kind, size = (int.from_bytes(body[i:i + 2], "big") for i in (at, at + 2))
        found[kind] = body[at + 4:at + 4 + size]
        at += 4 + size
    return found


def test_max_fragment_length():
    """Offered only when memory is little, and then a server that honours it is served."""
    data = bytes(range(256)) * 400
    for memory, offered in ((SMALL, True), (20000, True), (FULL, False), (65536, False)):
        hellos = []
        with Peer(lambda c: (hellos.append(c.hello), c.read_head(), c.send(ok_answer(data)),
                             c.read())) as peer:
            check_body(client(peer.port, "get", memory=memory)[0], data)
        extensions = extensions_of(hellos[0])
        check_equal(1 in extensions, offered, f"max_fragment_length with {memory} bytes")
        if offered:
            value = extensions.get(1)
            check(value in (b"\1", b"\2", b"\3", b"\4"), f"its value {value}")
        check_equal(extensions.get(0, b"")[5:], b"localhost", "SNI")
    check_body(s_server_get("leaf", TLS12, ok_answer(data), memory=SMALL), data)


class BearServer:
    def __init__(self, mode):
        self.process = subprocess.Popen([path("tls_client"), "--serve", path("leaf.der"),
                                         path("leafkey.der"), mode],
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def result(self):
        text = self.process.communicate(timeout=120)[0]
        return text.strip()


def test_max_fragment_length_ignored():
    """A server whose records exceed what bounded memory takes: an error that says so."""
    for memory in (SMALL, 20000):
        server = BearServer("large")
        result = client(server.port, "get", memory=memory)[0]
        check_failure(result, MEMORY, 0,
                      "GetObject: the memory given is too small: a TLS record of the server is "
                      f"larger than the client's memory takes: {result.needed} bytes are needed")
        server.result()
        server = BearServer("large")
        check_body(client(server.port, "get", memory=result.needed)[0], b"x" * 20000)
        check_equal(server.result(), "sent 0", "the server")
    server = BearServer("large")
    check_body(client(server.port, "get", memory=FULL)[0], b"x" * 20000)
    check_equal(server.result(), "sent 0", "the server")


def test_renegotiation():
    """A wish for a new handshake is refused, upon which this server leaves."""
    server = BearServer("renegotiate")
    check_equal(client(server.port, "get")[0].code, CLOSED, "code")
    check_equal(server.result(), "failed 356", "the server")    # 256 + the alert no_renegotiation


def test_entropy_between_handshakes():
    """The second handshake has no random bytes: it doesn't begin, nothing is sent."""
    with Peer(lambda c: (c.read_head(), c.send(ok_answer()), c.notify())) as peer:
        first, second, third = client(peer.port, "get", "get", "get", entropy=2)
        check_body(first, b"hello")
        check_failure(second, ENTROPY, 0,
                      "GetObject: the port gave no random bytes; nothing was sent; check the "
                      "port's entropy function")
        check_equal(second.opens, 1, "connections")
        # at most the close_notify and the request on the connection that was lost
        check_body(third, b"hello")
        check_equal(peer.connections, 2, "connections that the peer saw")


# ---------------------------------------------------------------------------------------------
# A device without a clock

class OwnServer:
    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(TESTS, "s3_server.py"), "--dir", path("own"), "--parent",
             str(os.getpid())], stdout=subprocess.PIPE, text=True)
        words = dict(word.split("=", 1) for word in self.process.stdout.readline().split()[1:])
        self.http, self.port, self.ca = words["http"], words["https"], words["ca"]

    def admin(self, method, command, data=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.http}/_test/{command}", data,
                                         method=method)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            return answer.read().decode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def test_no_clock():
    """No clock but a floor: the certificate's notBefore lies in the floor's future and is taken,
    then the Date. The server checks the signature's time: a put that works proves ours right."""
    with OwnServer() as server:
        server.admin("POST", "fill?bucket=tls&count=0")
        floor = 1577836800                      # 2020, years before the certificate
        results = client(server.port, "put", "get", "put", ca=server.ca, clock="none", floor=floor)
        check_equal([result.code for result in results], [0, 5, 0], "codes")
        # the first handshake told notBefore, the second one is used for all
        check_equal([result.opens for result in results], [2, 2, 2], "connections")
        stats = server.admin("GET", "stats")
        check("x-amz-date" in stats, "no signed request")
        # two clients of the session meet the certificate at the same time
        results = client(server.port, "both", ca=server.ca, clock="none", floor=floor)
        check_equal([result.code for result in results], [0, 0], "two at once")
        # a floor that is right already costs no second connection
        results = client(server.port, "put", ca=server.ca, clock="none", floor=int(time.time()))
        check_equal((results[0].code, results[0].opens), (0, 1), "with a good floor")
        # a floor after the certificate's end can't be helped
        result = client(server.port, "put", ca=server.ca, clock="none",
                        floor=int(time.time()) + 100 * YEAR)[0]
        check_equal((result.code, result.error), (CERTIFICATE, 54), "a floor in the far future")
        # a server's Date before the floor is no time
        server.admin("POST", "fault",
                     b'{"op": "*", "times": -1, "action": {"date_offset": -90000}}')
        result = client(server.port, "put", ca=server.ca, clock="none", floor=int(time.time()))[0]
        check_equal(result.code, CLOCK, "a Date before the floor")


def test_no_clock_unknown_ca():
    """The time of a certificate that isn't trusted is not taken."""
    with Peer(lambda c: (c.read_head(), c.send(ok_answer()))) as peer:
        result = client(peer.port, "put", ca=path("stranger.pem"), clock="none",
                        floor=1577836800)[0]
        check_equal(result.code, CERTIFICATE, "code")
        check(result.sent < 2000, "a request went out")


def main():
    make_certificates()
    compile_client()
    for name, test in list(globals().items()):
        if name.startswith("test_") and (len(sys.argv) < 2 or name in sys.argv[1:]):
            start, before = time.time(), failed
            test()
            if len(sys.argv) > 1 or failed > before:
                print(f"  {name}: {failed - before} failed ({time.time() - start:.1f} s)",
                      flush=True)
    print(f"test_tls: {passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
