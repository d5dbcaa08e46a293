#!/usr/bin/env python3
"""presigned.py - what examples/presign.c signs, used by curl against a real server.

SPDX-License-Identifier: MIT

    python3 tests/presigned.py --endpoint https://localhost:8443 --ca ca.pem [--region R --key K --secret S] [--no-post]

PUT, GET and (not with Swift, which has none) a POST form of a file, for keys that are hard to encode;
what was tampered with, is for something else, or has expired is refused. Its last line has the counts.
"""
import argparse
import os
import shlex
import subprocess
import sys
import tempfile
import time
from urllib.parse import urlsplit

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
KEYS = ("plain.txt", "a b+c/\u00e9%41~.txt", "dots/../x", "a//b", "q?x=1&y#z", "'\"<>")

passed = failed = 0


def check(good, what, *details):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print("FAILED:", what, *details)


class Server:
    def __init__(self, options, folder):
        self.folder = folder
        self.ca = ["--cacert", options.ca] if options.ca and options.endpoint.startswith("https:") else []
        self.environment = {**{n: v for n, v in os.environ.items() if not n.startswith("AWS_")},
                            "AWS_ENDPOINT_URL": options.endpoint, "AWS_REGION": options.region,
                            "AWS_ACCESS_KEY_ID": options.key, "AWS_SECRET_ACCESS_KEY": options.secret,
                            **({"AWS_CA_BUNDLE": options.ca} if options.ca else {})}
        for name in "presign", "s3":
            subprocess.run([*os.environ.get("CC", "cc").split(), "-std=c99", "-O1", "-I", ROOT, "-o", self.file(name),
                            os.path.join(ROOT, "examples", name + ".c"), "-lbearssl"], check=True)

    def file(self, name):
        return os.path.join(self.folder, name)

    def say(self, *command):
        return subprocess.run([self.file(command[0]), *command[1:]], env=self.environment, check=True,
                              stdout=subprocess.PIPE, text=True).stdout.rstrip("\n")

    def curl(self, *arguments):
        """The status, and the answer."""
        out = self.file("answer")
        run = subprocess.run(["curl", "-s", *self.ca, "--path-as-is", "--noproxy", "*", "-o", out, "-w", "%{http_code}",
                              *arguments], stdout=subprocess.PIPE, text=True, check=False, cwd=self.folder)
        with open(out, "rb") as file:
            return run.stdout, file.read()


def exchange(server, bucket):
    for number, key in enumerate(KEYS):
        data = b"body %d\r\n" % number * 100
        with open(server.file("sent"), "wb") as file:
            file.write(data)
        status, said = server.curl("-T", "sent", server.say("presign", "put", bucket, key))
        check(status == "200", "PUT", key, status, said)
        url = server.say("presign", "get", bucket, key, "604800")
        check(server.curl(url) == ("200", data), "GET", key)
    return url


def refusals(server, bucket):
    url = server.say("presign", "get", bucket, "plain.txt", "1")  # expires meanwhile
    good = server.say("presign", "get", bucket, "plain.txt")
    parts = urlsplit(good)
    for what, other in (("another key", good.replace("plain.txt", "a%20b", 1)),
                        ("a longer life", good.replace("X-Amz-Expires=3600", "X-Amz-Expires=3601")),
                        ("one parameter more", good + "&versionId=null"),
                        ("another signature", good[:-1] + ("0" if good[-1] != "0" else "1"))):
        check(other != good and server.curl(other)[0] == "403", what, server.curl(other), parts.netloc)
    check(server.curl("-T", "sent", good)[0] == "403", "PUT with a GET's URL")
    check(server.curl(good)[0] == "200", "the true one, still")
    for _ in range(10):
        time.sleep(1)
        status, said = server.curl(url)
        if status == "403":
            break
    check(status == "403", "expired", status, said)


def forms(server, bucket):
    data = os.urandom(2000)
    for name, content in (("sent", data), ("large", bytes(1000001))):
        with open(server.file(name), "wb") as file:
            file.write(content)

    def post(allowed, name, key=None):
        command = shlex.split(server.say("presign", "post", bucket, allowed))[2:]
        fields = [("key=" + key if key and one.startswith("key=") else one)
                  .replace("@FILE", "@" + name) for one in command]
        return server.curl(*fields)

    check(post("in/${filename}", "sent")[0] == "204", "a form", post("in/${filename}", "sent"))
    check(server.curl(server.say("presign", "get", bucket, "in/sent")) == ("200", data), "what the form brought")
    check(post("one", "sent")[0] == "204", "one key")
    check(post("one", "large")[0] in ("400", "403", "413"), "a file that is too large", post("one", "large"))
    check(post("one", "sent", key="two")[0] == "403", "another key", post("one", "sent", key="two"))
    check(post("in/${filename}", "sent", key="out/x")[0] == "403", "another prefix")
    check(server.curl(server.say("presign", "get", bucket, "two"))[0] == "404", "nothing was stored")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--ca")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--key", default="AKIAIOSFODNN7EXAMPLE")
    parser.add_argument("--secret", default="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    parser.add_argument("--no-post", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(options, folder)
        bucket = "presigned-" + os.path.basename(folder)[3:].lower().replace("_", "x")
        server.say("s3", "mb", "s3://" + bucket)
        exchange(server, bucket)
        refusals(server, bucket)
        if not options.no_post:
            forms(server, bucket)
    print("presigned: %d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
