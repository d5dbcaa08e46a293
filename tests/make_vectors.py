#!/usr/bin/python3
"""make_vectors.py - make tests/vectors/sign.tsv with botocore (Debian's python3-botocore).

SPDX-License-Identifier: MIT

    /usr/bin/python3 tests/make_vectors.py > tests/vectors/sign.tsv

Each row: name, service, region, time, access key, secret, session token, mode, method, path,
query, headers, payload hash, canonical request, string to sign, Authorization. Texts are percent-encoded,
query and headers are name=value joined by &. mode: s3 (path encoded once, never normalised) or
other (normalised, encoded twice). A token goes with the headers. The seed is fixed: the same rows each time.
"""
import datetime
import random
import sys
from urllib.parse import quote

import botocore
import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

ACCESS, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


class Frozen(datetime.datetime):
    now_is = 0

    @classmethod
    def utcnow(cls):
        return datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=cls.now_is)


class FrozenModule:
    """botocore.auth's `datetime` module with another clock."""
    datetime = Frozen


def freeze(seconds):
    Frozen.now_is = seconds
    botocore.auth.datetime = FrozenModule
    if hasattr(botocore.auth, "get_current_datetime"):  # newer versions
        botocore.auth.get_current_datetime = lambda *a, **k: Frozen.utcnow()


def encode(text):
    return quote(text, safe=" /:;,+()*!'\"$@?<>[]{}|^`")


def joined(pairs):
    return "&".join(encode(name) + "=" + encode(value) for name, value in pairs)


def sign(mode, service, region, when, keys, method, path, query, headers, payload):
    """What botocore makes of it: canonical request, string to sign, Authorization."""
    freeze(when)
    url = "https://" + dict(headers)["host"] + quote(path, safe="/-_.~")
    if query:
        url += "?" + "&".join(quote(n, safe="-_.~") + "=" + quote(v, safe="-_.~") for n, v in query)
    request = AWSRequest(method=method, url=url)
    for name, value in headers:
        if name.lower() not in ("x-amz-date", "x-amz-security-token", "x-amz-content-sha256"):
            request.headers.add_header(name, value)
    base = botocore.auth.S3SigV4Auth if mode == "s3" else botocore.auth.SigV4Auth

    class Auth(base):
        def payload(self, request):
            return payload

        def canonical_request(self, request):
            self.seen_request = super().canonical_request(request)
            return self.seen_request

        def string_to_sign(self, request, canonical):
            self.seen_string = super().string_to_sign(request, canonical)
            return self.seen_string

    auth = Auth(Credentials(keys[0], keys[1], keys[2] or None), service, region)
    auth.add_auth(request)
    return auth.seen_request, auth.seen_string, request.headers["Authorization"]


def row(name, mode="s3", service=None, region="eu-west-1", when=1767323045, keys=(ACCESS, SECRET, ""),
        method="GET", path="/", query=(), headers=(), payload=EMPTY):
    service = service or ("s3" if mode == "s3" else "service")
    headers = list(headers) + [("host", "host.example.com")]
    stamp = (datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=when)).strftime("%Y%m%dT%H%M%SZ")
    headers.append(("X-Amz-Date", stamp))
    if mode == "s3":
        headers.append(("x-amz-content-sha256", payload))
    if keys[2]:
        headers.append(("X-Amz-Security-Token", keys[2]))
    out = sign(mode, service, region, when, keys, method, path, query, headers, payload)
    fields = [name, service, region, str(when), *map(encode, keys), mode, method, encode(path),
              joined(query), joined(headers), payload, *map(encode, out)]
    print("\t".join(fields))


def fixed():
    for when in (0, 86399, 951782400, 1440938160, 2147483647, 2147483648, 4107542399, 4107542400):
        row("time %d" % when, when=when)
    for secret in ("s", "k" * 59, "k" * 60, "k" * 61, "k" * 200, "a/b+c=%&\"'<>"):
        row("secret of %d" % len(secret), keys=(ACCESS, secret, ""))
    row("token", keys=(ACCESS, SECRET, "Fwo//+=" * 40))
    row("unsigned payload", method="PUT", path="/bucket/key", payload="UNSIGNED-PAYLOAD")
    row("other region", region="us-gov-west-1")
    row("service s3express", service="s3express")
    for path in ("/", "//", "/bucket", "/bucket/", "/bucket//", "/bucket/a//b", "/bucket/./a", "/bucket/../a",
                 "/bucket/..", "/bucket/a b", "/bucket/a+b", "/bucket/100%", "/bucket/%20", "/bucket/?", "/bucket/#",
                 "/bucket/a&b=c", "/bucket/\u00e9\u20ac\U0001f600", "/bucket/~-_.", "/bucket/!*'()", "/bucket/a:b@c,d;e",
                 "/bucket/\x01\x1f\x7f", "/bucket/\r\n\t", "/bucket/[]{}|\\^`\"<>", "/bucket/" + "k" * 1024):
        row("s3 path " + encode(path), path=path)
    for path in ("", "/", "//", "/a", "/a/", "//a//b//", "/./a", "/../a", "/a/./b", "/a/../b", "/a/b/../../c",
                 "/a/b/../../../c/", "/a b/\u00e9", "/a%20b", "/%2F", "/a+b:c", "/...", "/a/.../b", "/.a/..b/c../",
                 "/a/b/../c/../d/e/", "/a/..b/../c"):
        row("path " + encode(path), mode="other", path=path)
    q = [("b", "2"), ("a", "1")]
    for name, query in {
        "order": q, "no values": [("uploads", ""), ("acl", "")], "prefix of a name": [("ab", ""), ("a", "b"), ("a-b", "")],
        "same name": [("a", "z"), ("a", "b"), ("a", "")], "case": [("b", ""), ("B", ""), ("a", "")],
        "encoded names": [("a", "1"), ("\u00e9", "2"), ("a b", "3"), ("a+b", "4"), ("~", "5"), ("-", "6"), ("_", "7"), (".", "8"), ("0", "9")],
        "encoded values": [("a", "\u00e9"), ("a", "~"), ("a", " "), ("a", "+"), ("a", "%"), ("a", "/"), ("a", "="), ("a", "&")],
        "encoded prefix": [("a/b", "1"), ("a", "2"), ("a/", "3"), ("a0", "4"), ("aa", "5"), ("a%", "6")],
        "nul free bytes": [("k", "".join(map(chr, range(1, 128))))],
        "listing": [("list-type", "2"), ("prefix", "a/b c"), ("delimiter", "/"), ("max-keys", "1000"),
                    ("continuation-token", "1/+aZ=="), ("encoding-type", "url")],
    }.items():
        row("query " + name, query=query)
        row("query of a service, " + name, mode="other", query=query)
    for name, headers in {
        "case": [("X-AMZ-Meta-ABC", "Value"), ("Content-Type", "Text/Plain")],
        "order": [("x-b", "1"), ("x-a", "2"), ("x-aa", "3"), ("x-a-b", "4"), ("x-a.b", "5"), ("x-a_b", "6"), ("x-A0", "7")],
        "same name": [("x-a", "z"), ("X-B", "1"), ("X-A", "b"), ("x-a", "a")],
        "same name, first": [("a", "2"), ("A", "1")],
        "same name, last": [("z", "2"), ("y", "0"), ("Z", "1")],
        "spaces": [("x-a", "  a   b  c "), ("x-b", "   "), ("x-c", ""), ("x-d", "\"a  b\""), ("x-e", " x"), ("x-f", "y  ")],
        "tabs": [("x-a", "\ta\t"), ("x-b", " \t "), ("x-c", "a\tb"), ("x-d", "a \t b"), ("x-e", "a\t\tb")],
        "marks": [("x-a", "a,b;c:d=e/f?g&h%20\"'<>")],
        "unsigned ones": [("User-Agent", "me"), ("Expect", "100-continue"), ("X-Amzn-Trace-Id", "t"), ("x-a", "1")],
        # not transfer-encoding: only newer versions of botocore leave it out
    }.items():
        row("headers " + name, headers=headers)
        row("headers of a service, " + name, mode="other", headers=headers)


def drawn():
    rng = random.Random(20260102)
    letters = "abAB09-_.~ +%&=/?#:@!$'()*,;[]\u00e9\u20ac"

    def text(low, high):
        return "".join(rng.choice(letters) for _ in range(rng.randint(low, high)))

    for i in range(60):
        mode = rng.choice(("s3", "other"))
        path = "/" + "/".join(rng.choice(("", ".", "..", text(1, 4))) for _ in range(rng.randint(0, 5)))
        if mode == "other":
            path += rng.choice(("/end", "/"))  # see test_sign.c about dots at the end
        query = [(text(1, 3), text(0, 3)) for _ in range(rng.randint(0, 6))]
        headers = [("x-" + "".join(rng.choice("abAB0-") for _ in range(rng.randint(1, 3))),
                    "".join(rng.choice("ab  ,") for _ in range(rng.randint(0, 8)))) for _ in range(rng.randint(0, 6))]
        row("drawn %d" % i, mode=mode, path=path, query=query, headers=headers, when=rng.randrange(1 << 32),
            method=rng.choice(("GET", "PUT", "POST", "DELETE", "HEAD")), keys=(ACCESS, SECRET, rng.choice(("", "to/ken=="))),
            region=rng.choice(("us-east-1", "cn-north-1")), payload=rng.choice((EMPTY, "UNSIGNED-PAYLOAD", "%064x" % rng.getrandbits(256))))


if __name__ == "__main__":
    print("# botocore %s, by tests/make_vectors.py" % botocore.__version__)
    fixed()
    drawn()
    sys.stdout.flush()
