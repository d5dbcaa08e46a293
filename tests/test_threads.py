#!/usr/bin/env python3
"""test_threads.py - a session shared by clients on eight threads, with each source of credentials.

SPDX-License-Identifier: MIT

tests/threads.c, compiled with -fsanitize=thread, uses one session with the lock of port/README.md.
A server of this program's plays S3, STS, instance metadata, a container's agent and AWS IoT Core,
which wants the device's certificate. With keys for an hour, one request for keys must do for all
threads; with keys that are always about to expire each call may ask, one at a time. S3 takes only
keys that were given and haven't expired. Afterwards no secret is left in the memory of sessions,
clients and sources.
"""
import datetime
import http.server
import json
import os
import re
import ssl
import subprocess
import sys
import tempfile
import threading
import time

import test_iot

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CALLS = 15


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, handler=None):
        super().__init__(("127.0.0.1", 0), handler or Handler)
        self.lock = threading.Lock()
        self.begin(3600)

    def begin(self, life):
        self.life, self.given, self.objects, self.wrong, self.mine = life, {}, {}, [], False

    def keys(self):
        with self.lock:
            number = len(self.given) + 1
            expiry = time.time() + self.life
            self.given[f"AKID{number}"] = expiry
        text = datetime.datetime.fromtimestamp(expiry, datetime.timezone.utc)
        return f"AKID{number}", f"CANARY/{number}", f"CANARYtoken{number}", text.strftime("%Y-%m-%dT%H:%M:%SZ")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def json(self):
        key, secret, token, expiry = self.server.keys()
        self.answer(200, f'{{"Code":"Success","AccessKeyId":"{key}","SecretAccessKey":"{secret}",'
                         f'"Token":"{token}","Expiration":"{expiry}"}}'.encode())

    def signed(self):
        """Whether a key that S3 knows is named."""
        found = re.search(r"Credential=([^/]+)/", self.headers.get("Authorization", ""))
        key = found[1] if found else "none"
        token = self.headers.get("x-amz-security-token", "")
        server = self.server
        good = key in ("AKIDFIXED", "AKIDENV") or key in server.given and server.given[key] > time.time() \
            and token == key.replace("AKID", "CANARYtoken") or server.mine and re.fullmatch("AKID[0-3]", key)
        if not good:
            server.wrong.append(f"{self.path} by {key}, token {token}")
        return good

    def do_GET(self):
        if self.path == "/keys":
            return self.json()
        if self.path.startswith("/latest/"):
            return self.answer(200, b"role") if self.path.endswith("credentials/") else self.json()
        if not self.signed():
            return self.answer(403, b"<Error><Code>AccessDenied</Code></Error>")
        return self.answer(200, self.server.objects.get(self.path, b"nothing"))

    def do_PUT(self):
        body = self.body()
        if self.path == "/latest/api/token":
            return self.answer(200, b"imds-token", **{"X-aws-ec2-metadata-token-ttl-seconds": "21600"})
        if not self.signed():
            return self.answer(403, b"<Error><Code>AccessDenied</Code></Error>")
        self.server.objects[self.path] = body
        return self.answer(200)

    def do_POST(self):
        name = "AssumeRoleWithWebIdentity" if b"WithWebIdentity" in self.body() else "AssumeRole"
        key, secret, token, expiry = self.server.keys()
        self.answer(200, f"<{name}Response><{name}Result><Credentials><AccessKeyId>{key}</AccessKeyId>"
                         f"<SecretAccessKey>{secret}</SecretAccessKey><SessionToken>{token}</SessionToken>"
                         f"<Expiration>{expiry}</Expiration></Credentials></{name}Result></{name}Response>"
                    .encode())


class Iot(Handler):
    """AWS IoT Core's provider of credentials; its certificates are those of certificates()."""

    def do_GET(self):
        subject = dict(pair for part in self.connection.getpeercert()["subject"] for pair in part)
        if (subject["commonName"], self.path) != ("ec", "/role-aliases/alias/credentials"):
            self.server.s3.wrong.append(f"IoT: {subject} {self.path}")
        key, secret, token, expiry = self.server.s3.keys()
        self.answer(200, json.dumps({"credentials": {
            "accessKeyId": key, "secretAccessKey": secret, "sessionToken": token,
            "expiration": expiry}}).encode())


def certificates(directory):
    before = os.getcwd()
    os.chdir(directory)
    test_iot.authority("root")
    test_iot.leaf("server", "root", "P-256")
    test_iot.leaf("ec", "root", "P-256")
    os.chdir(before)


def context(directory):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(os.path.join(directory, "server.pem"), os.path.join(directory, "server.key"))
    return made


def start(server):
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def start_iot(directory, s3):
    """Its URL; the keys that it gives are those of s3."""
    server, made = Server(Iot), context(directory)
    made.load_verify_locations(os.path.join(directory, "root.pem"))
    made.verify_mode = ssl.CERT_REQUIRED
    server.socket = made.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None
    server.s3 = s3
    return f"https://localhost:{start(server)}"


def main():
    server = Server()
    at = f"http://127.0.0.1:{start(server)}"
    failed = 0
    with tempfile.TemporaryDirectory() as work:
        program = os.path.join(work, "threads")
        subprocess.run(["gcc", "-std=gnu99", "-O1", "-g", "-fsanitize=thread", "-I", ROOT,
                        os.path.join(ROOT, "tests", "threads.c"), "-o", program, "-lbearssl",
                        "-lpthread"], check=True)
        with open(os.path.join(work, "token"), "w", encoding="ascii") as file:
            file.write("identity")
        with open(os.path.join(work, "config"), "w", encoding="ascii") as file:
            file.write("[default]\nregion = eu-west-1\n[profile base]\naws_access_key_id = AKIDENV\n"
                       "aws_secret_access_key = CANARY/file\n[profile role]\nregion = eu-west-1\n"
                       "role_arn = arn:aws:iam::1:role/r\nsource_profile = base\n")
        certificates(work)
        base = {"PATH": os.environ["PATH"], "SECRET": "CANARY/own",
                "IOT": start_iot(work, server),
                "AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": at, "IMDS": at,
                "TOKEN_FILE": os.path.join(work, "token"), "AWS_CONFIG_FILE": os.path.join(work, "config"),
                "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "TSAN_OPTIONS": "halt_on_error=0",
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": at + "/keys",
                "PROCESS": f"{sys.executable} -c 'import urllib.request as u;k=u.urlopen(\"{at}/keys\").read()."
                           "decode().replace(\"{\",\"{\\\"Version\\\":1,\",1).replace(\"Token\",\"SessionToken\");"
                           "print(k)'"}
        keys = {"AWS_ACCESS_KEY_ID": "AKIDENV", "AWS_SECRET_ACCESS_KEY": "CANARY/env"}
        cases = [("fixed", {}, 0), ("environment", keys, 0), ("mine", {}, 0), ("imds", {}, 1),
                 ("container", {}, 1), ("chain", {}, 1), ("role", keys, 1), ("web", {}, 1), ("iot", {}, 1),
                 ("process", {}, 1), ("default", {"AWS_PROFILE": "role"}, 1), ("default", {}, 1)]
        for source, more, asks in cases:
            for life in (3600, 300) if asks else (3600,):
                server.begin(life)
                server.mine = source == "mine"
                calls = 4 if source == "process" and life == 300 else CALLS
                begun = time.time()
                done = subprocess.run([program, source, str(calls)], env={**base, **more}, text=True,
                                      cwd=work,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1200,
                                      check=False)
                given = len(server.given)
                good = done.returncode == 0 and not server.wrong and len(server.objects) == 8 * calls and \
                    "WARNING" not in done.stdout and "CANARY" not in done.stdout
                good &= given == asks if life == 3600 else 1 <= given <= 16 * calls + 8
                failed += not good
                print(f"{source} {more.get('AWS_PROFILE', '')}: 8 threads, {16 * calls} calls, keys for "
                      f"{life} s: asked {given} times, {time.time() - begun:.1f} s: "
                      f"{'ok' if good else 'FAILED'}", flush=True)
                if not good:
                    print(done.stdout[-3000:], server.wrong[:3], len(server.objects), flush=True)
    print(f"test_threads: {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
