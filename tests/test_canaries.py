#!/usr/bin/env python3
"""test_canaries.py - no secret is left in a program's memory once it has closed what it had.

SPDX-License-Identifier: MIT

tests/canaries.c takes its keys from each source in turn, signs heads, chunks, URLs and forms with
them, is refused, shows a password to a proxy and an SSE-C key to S3, closes everything and waits.
Then all of its writable memory is read (/proc/PID/mem: data, heap, mapped memory, and the stack, also
below the stack pointer) and searched for each 8 bytes in a row of
  - the secret keys, tokens of sessions, of instance metadata, of a container and of a web identity, the
    proxy's password, the SSE-C key, the device's EC key, TLS's master secrets (from OpenSSL's key log);
  - what is made of a secret key: kDate, kRegion, kService and the signing key, computed here by hmac,
    their HMAC pads, and SHA-256's states after these pads, which do as well as the key;
each plain, in base64 and hex, in the words of SHA-256 (4 bytes turned round), the EC key also in the
words of BearSSL's i15 and i31. They are random; the parent has them, and the child from its
environment, files and sockets; the program's own copies (environment, file buffers, the URL and form
it asked for) it wipes itself. What it printed, its log and error texts are searched, too.

Twice: gcc takes the processor's instructions for SHA-256, clang BearSSL's. Not searched: keys of TLS's
records. Linked with -z now, since ld.so's lazy binding puts the vector registers on the stack, with
what the last memcpy or strlen had in them; and optimised: of the 1.5 KB that gcc -O0 takes on the stack
for SHA-256 by instructions, aws_i_burn doesn't reach all.
"""
import base64
import datetime
import hashlib
import hmac
import os
import re
import secrets
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile

import test_threads

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
REGION = "eu-west-1"
PROGRAM = os.environ.get("PROGRAM")  # one that is compiled already
COMPILERS = ("gcc -O2", "clang -O2")

# ---- What to look for ----

PRIMES = [p for p in range(2, 312) if all(p % d for d in range(2, p))]


def root_bits(prime, power):
    """The first 32 bits behind the point of a root of a prime."""
    low, high = 0, prime << 32
    while low < high - 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle ** power <= prime << 32 * power else (low, middle)
    return low & 0xffffffff


K = [root_bits(p, 3) for p in PRIMES]
IV = [root_bits(p, 2) for p in PRIMES[:8]]


def sha256_state(block):
    """SHA-256's state after one block."""
    def turn(x, n):
        return (x >> n | x << 32 - n) & 0xffffffff
    w = list(struct.unpack(">16I", block))
    for i in range(16, 64):
        s0 = turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3
        s1 = turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10
        w.append((w[i - 16] + s0 + w[i - 7] + s1) & 0xffffffff)
    a, b, c, d, e, f, g, h = IV
    for i in range(64):
        t = h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + (e & f ^ ~e & g) + K[i] + w[i]
        u = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + (a & b ^ a & c ^ b & c)
        a, b, c, d, e, f, g, h = (t + u) & 0xffffffff, a, b, c, (d + t) & 0xffffffff, e, f, g
    return [(x + y) & 0xffffffff for x, y in zip(IV, (a, b, c, d, e, f, g, h))]


def turned(data):
    """As SHA-256 has it in its words."""
    data += bytes(-len(data) % 4)
    return b"".join(data[i:i + 4][::-1] for i in range(0, len(data), 4))


def words(data, bits):
    """The words of BearSSL's big integers, without their head."""
    number, form = int.from_bytes(data, "big"), "<I" if bits > 16 else "<H"
    return b"".join(struct.pack(form, number >> at & (1 << bits) - 1)
                    for at in range(0, number.bit_length(), bits))


class Needles:
    def __init__(self):
        self.found_by = {}

    def binary(self, name, data):
        for i in range(len(data) - 7):
            if len(set(data[i:i + 8])) > 3:  # no padding
                self.found_by.setdefault(data[i:i + 8], name)

    def add(self, name, data):
        if isinstance(data, str):
            data = data.encode()
        self.binary(name, data)
        for form, text in ((" in hex", data.hex()), (" in HEX", data.hex().upper())):
            self.binary(name + form, text.encode())
        for shift in range(3):
            self.binary(name + " in base64", base64.b64encode(bytes(shift) + data)[4 * (shift > 0):-4])

    def key(self, name, key):
        """Of HMAC-SHA256."""
        self.add(name, key)
        self.binary(name + " in words", turned(key))
        block = key + bytes(64 - len(key))
        for pad, byte in (("inner", 0x36), ("outer", 0x5c)):
            padded = bytes(x ^ byte for x in block)
            state = sha256_state(padded)
            self.binary(f"{name}, {pad} pad", padded[:len(key)])
            self.binary(f"{name}, {pad} pad in words", turned(padded[:len(key)]))
            self.binary(f"{name}, {pad} state", struct.pack("<8I", *state))
            self.binary(f"{name}, {pad} state's bytes", struct.pack(">8I", *state))

    def secret(self, name, secret):
        """A secret key and what is made of it today."""
        self.add(name, secret)
        top = b"AWS4" + secret.encode()
        self.key(name, top)
        now = datetime.datetime.now(datetime.timezone.utc)
        for date in {(now + datetime.timedelta(minutes=m)).strftime("%Y%m%d") for m in (-2, 0)}:
            for service in ("s3", "sts"):
                key = top
                for level, text in (("date", date), ("region", REGION), ("service", service),
                                    ("signing", "aws4_request")):
                    key = hmac.new(key, text.encode(), hashlib.sha256).digest()
                    self.key(f"{name}'s k{level}", key)

    def search(self, data):
        """(offset, name) of each that is there."""
        at = 0
        while at < len(data) - 7:
            if data[at:at + 64] == bytes(64):
                at += 57  # the last 7 may begin one
                continue
            for i in range(at, min(at + 57, len(data) - 7)):
                name = self.found_by.get(data[i:i + 8])
                if name:
                    yield i, name
            at += 57


def memory(pid):
    """Name, address and bytes of each writable mapping."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb") as file:
        for line in maps:
            span, mode, _, _, _, *name = line.split()
            if mode.startswith("rw"):
                begin, end = (int(text, 16) for text in span.split("-"))
                file.seek(begin)
                yield " ".join(name) or "mapped", begin, file.read(end - begin)


# ---- Servers ----

class Server(test_threads.Server):
    def begin(self, life):
        super().begin(life)
        self.secrets = []

    def keys(self):
        key, _, _, expiry = super().keys()
        secret, token = secrets.token_urlsafe(30), secrets.token_urlsafe(600)
        self.secrets.append((secret, token))
        return key, secret, token, expiry


class Handler(test_threads.Handler):
    def do_GET(self):
        self.path = re.sub("^http://[^/]*", "", self.path)
        if self.path == "/bucket/refused":
            token = self.headers.get("x-amz-security-token", "")
            return self.answer(403, f"<Error><Code>SignatureDoesNotMatch</Code><CanonicalRequest>GET\n{self.path}"
                                    f"\n\nhost:other\nx-amz-security-token:{token}\n</CanonicalRequest></Error>"
                               .encode())
        return super().do_GET()

    def do_PUT(self):
        self.path = re.sub("^http://[^/]*", "", self.path)
        if self.path == "/latest/api/token":
            return self.answer(200, self.server.imds.encode(),
                               **{"X-aws-ec2-metadata-token-ttl-seconds": "21600"})
        return super().do_PUT()

    def signed(self):
        if "PROXIED" in self.server.expected and not self.headers.get("Proxy-Authorization"):
            self.server.wrong.append("no password for the proxy")
        return True

    def do_CONNECT(self):
        if not self.headers.get("Proxy-Authorization"):
            self.server.wrong.append("no password for the proxy")
        host, port = self.path.split(":")
        with socket.create_connection((host, int(port))) as other:
            self.answer(200)
            pair = {self.connection: other, other: self.connection}
            while True:
                for ready in select.select(list(pair), [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        self.close_connection = True
                        return
                    pair[ready].sendall(data)


# ---- Cases ----

def left_by(command, environment, directory, server, fixed):
    """What it said, wrote to its log, and what was found; whether it is good."""
    server.begin(3600)
    with subprocess.Popen(command, env=environment, cwd=directory, text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        closed = child.stdout.readline().strip()
        needles = Needles()
        for name, secret in fixed.items():
            (needles.secret if name.startswith("secret") else needles.add)(name, secret)
        for secret, token in server.secrets:
            needles.secret("secret key given", secret)
            needles.add("session token", token)
        with open(os.path.join(directory, "keylog"), encoding="ascii") as log:
            for line in log:
                if line.startswith("CLIENT_RANDOM "):
                    needles.add("master secret", bytes.fromhex(line.split()[2]))
        for bits in (15, 31):
            needles.binary(f"device's key in i{bits}", words(fixed["device's key"], bits))
        left = {}
        for name, begin, data in memory(child.pid):
            for at, what in needles.search(data):
                left.setdefault((what, name), []).append(begin + at)
        out, text = child.communicate()
    for at, what in needles.search((out + text).encode()):
        left.setdefault((what, "what it printed"), []).append(at)
    good = closed == "closed 0" and not server.wrong and text.count("\n") > 5
    print(f"{' '.join(command[1:])} {server.expected}: {len(needles.found_by)} needles", end=" ")
    return left, good, text


def run(*arguments):
    left, good, text = left_by(*arguments)
    good = good and not left
    print("ok" if good else "FAILED", flush=True)
    if not good:
        print(text, *(f"{what}: {len(at) + 7} bytes at {at[0]:#x} of {where}"
                      for (what, where), at in left.items()), sep="\n", flush=True)
    return not good


# Of what isn't closed these must be found, or the search itself is wrong.
OPEN = {"secret key given", "secret key given's ksigning, inner state", "session token",
        "token of instance metadata", "device's key", "master secret", "password of the proxy",
        "the customer's key", "the customer's key in base64"}


def control(cases, *arguments):
    found = set()
    for command, environment in cases:
        left, good, _ = left_by(command, environment, *arguments)
        found |= {what for what, _ in left}
        print("(not closed)" if good else "FAILED", flush=True)
    if OPEN - found:
        print("not found although it wasn't closed:", *(OPEN - found), sep="\n")
    return bool(OPEN - found)


def device_key(directory):
    text = subprocess.run(["openssl", "pkey", "-in", os.path.join(directory, "ec.key"), "-noout", "-text"],
                          stdout=subprocess.PIPE, check=True, text=True).stdout
    return bytes.fromhex(re.sub(r"[\s:]", "", re.search(r"priv:([\s0-9a-f:]+)pub", text)[1]))


def build(work):
    programs = []
    for compiler in COMPILERS:
        if not shutil.which(compiler.split()[0]):
            print(f"NOTE: no {compiler}")
            continue
        programs.append(os.path.join(work, f"canaries-{len(programs)}"))
        subprocess.run([*compiler.split(), "-std=gnu99", "-g", "-I", ROOT, "-Wl,-z,now",
                        os.path.join(ROOT, "tests", "canaries.c"), "-o", programs[-1], "-lbearssl"],
                       check=True)
    return programs


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def main():
    server = Server(Handler)
    server.imds, server.expected, failed = secrets.token_urlsafe(30), "", 0
    at = f"http://127.0.0.1:{test_threads.start(server)}"
    with tempfile.TemporaryDirectory() as work:
        programs = [PROGRAM] if PROGRAM else build(work)
        test_threads.certificates(work)
        write(os.path.join(work, "keylog"), "")
        secure, context = Server(Handler), test_threads.context(work)
        context.keylog_filename = os.path.join(work, "keylog")
        secure.imds, secure.expected = server.imds, ""
        secure.socket = context.wrap_socket(secure.socket, server_side=True)
        over_tls = f"https://localhost:{test_threads.start(secure)}"

        own = {"secret of the program's": secrets.token_urlsafe(30),
               "secret in the environment": secrets.token_urlsafe(30),
               "secret in a file": secrets.token_urlsafe(30),
               "token in the environment": secrets.token_urlsafe(600),
               "token of a container": secrets.token_urlsafe(60),
               "token of a web identity": secrets.token_urlsafe(300),
               "token of instance metadata": server.imds,
               "password of the proxy": secrets.token_urlsafe(30),
               "the customer's key": secrets.token_bytes(32),
               "device's key": device_key(work)}
        write(os.path.join(work, "token"), own["token of a web identity"])
        write(os.path.join(work, "config"), f"[default]\nregion = {REGION}\n[profile role]\n"
              f"region = {REGION}\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n")
        write(os.path.join(work, "credentials"), f"[base]\naws_access_key_id = AKIDBASE\n"
              f"aws_secret_access_key = {own['secret in a file']}\n")
        base = {"PATH": os.environ["PATH"], "AWS_REGION": REGION, "AWS_ENDPOINT_URL": at, "IMDS": at,
                "IOT": test_threads.start_iot(work, server), "TOKEN_FILE": os.path.join(work, "token"),
                "AWS_CONFIG_FILE": os.path.join(work, "config"), "CA": os.path.join(work, "root.pem"),
                "AWS_SHARED_CREDENTIALS_FILE": os.path.join(work, "credentials"),
                "SECRET": own["secret of the program's"], "CUSTOMER": own["the customer's key"].hex(),
                "PROCESS": f"{sys.executable} -c 'import urllib.request as u;k=u.urlopen(\"{at}/keys\")."
                           "read().decode().replace(\"{\",\"{\\\"Version\\\":1,\",1)"
                           ".replace(\"Token\",\"SessionToken\");print(k)'"}
        keys = {"AWS_ACCESS_KEY_ID": "AKIDENV", "AWS_SECRET_ACCESS_KEY": own["secret in the environment"]}
        token = {"AWS_SESSION_TOKEN": own["token in the environment"]}
        agent = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": at + "/keys",
                 "AWS_CONTAINER_AUTHORIZATION_TOKEN": own["token of a container"]}
        proxy = {"PROXY": f"http://user:{own['password of the proxy']}@{at[7:]}"}
        tls = {"AWS_ENDPOINT_URL": over_tls}
        cases = [("fixed", {}), ("mine", {}), ("environment", {**keys, **token}), ("imds", {}),
                 ("container", agent), ("chain", {}), ("role", keys), ("web", {}), ("process", {}),
                 ("iot", {}), ("default", {"AWS_PROFILE": "role"}), ("default", agent),
                 ("fixed", tls), ("iot", tls), ("fixed", proxy), ("role", {**keys, **proxy}),
                 ("fixed", {**tls, **proxy})]
        for program in programs:
            for source, more in cases:
                server.expected = " ".join([*(["PROXIED"] if "PROXY" in more else []),
                                            *(["TLS"] if "AWS_ENDPOINT_URL" in more else [])])
                failed += run([program, source], {**base, **more}, work, server, own)
        server.expected = "PROXIED TLS"
        failed += control([([programs[0], source, "open"], {**base, **tls, **proxy})
                           for source in ("imds", "iot")], work, server, own)
    print(f"test_canaries: {len(programs) * len(cases) + 1} runs, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
