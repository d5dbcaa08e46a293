#!/usr/bin/env python3
"""test_presign.py - presigned URLs and POST policies, compared with botocore's.

SPDX-License-Identifier: MIT

    python3 tests/test_presign.py [--seed N] [--count N] [--driver FILE]

Random arguments go to tests/sign_driver.c and to botocore with the same frozen time:
  - aws_s3_presign of any of S3's actions, and generate_presigned_url of botocore's client;
  - aws_presign, and botocore's SigV4QueryAuth (S3SigV4QueryAuth for s3).
  - aws_s3_presign_post, and botocore's generate_presigned_post: the policies say the same, and ours
    has the signature that botocore's S3SigV4PostAuth gives it.
Host, path and the set of parameters, the signature among them, have to be equal.
"""
import argparse
import base64
import datetime
import json
import os
import sys
import tempfile
from urllib.parse import parse_qsl, quote, urlsplit

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import test_botocore as tests  # noqa: E402  (says so and ends if there is no botocore)
from test_botocore import Draw, Driver, Theirs, check, configure, field  # noqa: E402

import botocore.auth  # noqa: E402
import botocore.signers  # noqa: E402
from botocore.awsrequest import AWSRequest  # noqa: E402
from botocore.credentials import Credentials  # noqa: E402


def parsed(url):
    """Everything but the order of parameters."""
    parts = urlsplit(url)
    return (parts.scheme, parts.netloc.removesuffix(":80" if parts.scheme == "http" else ":443"), parts.path or "/",
            sorted(pair for pair in parse_qsl(parts.query, keep_blank_values=True, errors="surrogateescape")
                   if pair[0] != "x-id"))  # newer SDKs' statistics: not given to them here


def without_signature(url):
    return tuple([pair for pair in part if pair[0] != "X-Amz-Signature"] if isinstance(part, list) else part
                 for part in parsed(url))


def lifetime(rng):
    return rng.choice((0, 1, 60, 3600, 604800, rng.randint(1, 604800)))


def regional(c):
    """Older botocores presign for the global host, which isn't ours: name the region's."""
    if c["endpoint"]:
        return c
    return dict(c, endpoint="https://" + tests.expected_host(c, None), addressing=c["addressing"] or 2)


# ---- aws_s3_presign ----

ACTIONS = {
    "get_object": tests.READ, "put_object": tests.STORED, "head_object": tests.READ[:5] + tests.SHARED,
    "delete_object": ("version_id",) + tests.SHARED, "list_buckets": (), "head_bucket": tests.SHARED[1:],
    "list_objects_v2": ("prefix", "delimiter", "start_after", "continuation_token", "max_keys") + tests.SHARED,
    "delete_bucket": tests.SHARED[1:], "create_bucket": ("acl",),
}


def random_action(draw, driver, c, theirs, number):
    rng = draw.rng
    action = rng.choice(sorted(ACTIONS) + ["get_object", "put_object"] * 3)
    arguments = {}
    if action != "list_buckets":
        arguments["Bucket"] = draw.rng.choice(("abc", "my-bucket", "x0-y9z"))
        driver.tell("bucket", field(arguments["Bucket"]))
    if action.endswith("_object"):
        arguments["Key"] = draw.odd_text(1, 40)
        driver.tell("key", field(arguments["Key"]))
    for member in rng.sample(ACTIONS[action], rng.randint(0, min(5, len(ACTIONS[action])))):
        if member in tests.NUMBERS:
            wire, low, high = tests.NUMBERS[member]
            arguments[wire] = rng.randint(low, high)
            driver.tell("number", member, str(arguments[wire]))
        else:
            arguments[tests.TEXTS[member][0]] = tests.TEXTS[member][1]
            driver.tell("set", member, field(tests.TEXTS[member][1]))
    if action == "put_object" and rng.random() < 0.4:
        arguments["Metadata"] = {"m%d-%s" % (i, rng.choice("abc")): "v  %d" % i for i in range(3)}
        for pair in arguments["Metadata"].items():
            driver.tell("meta", *map(field, pair))
    seconds = lifetime(rng)
    driver.tell("presign", str(seconds), action)
    code, url = driver.result()
    what = "%s %d" % (action, number)
    if not check(code > 0, what + ": result", code, url, arguments):
        return
    want = theirs.client.generate_presigned_url(action, arguments, ExpiresIn=seconds or 3600)
    got, wanted = parsed(url), parsed(want)
    if ("encoding-type", "url") in wanted[3]:  # boto3 adds it to listings, which we read otherwise
        got, wanted = without_signature(url), without_signature(want)
        wanted = wanted[:3] + ([pair for pair in wanted[3] if pair[0] != "encoding-type"],)
    check(code == len(url), what + ": length", code, len(url))
    check(got == wanted, what, got, wanted, c, arguments)


# ---- aws_presign ----

def random_plain(draw, driver, c, number):
    rng = draw.rng
    service = rng.choice(("s3", "s3", "sts", "iotdevicegateway", "polly"))
    method = rng.choice(("GET", "PUT", "POST", "DELETE"))
    path = "/" + "".join(rng.choice("abc/. +~%\u00e9") for _ in range(rng.randint(0, 12)))
    if path.endswith(("/.", "/..")):  # botocore drops the slash that RFC 3986 leaves there
        path += "a"
    names = rng.sample(("a", "A", "versionId", "x id", "X-Amz-Checksum-Mode", "X-Amz-Z", "X-A", "Z", "\u00e9", "~"), rng.randint(0, 5))
    query = [(name, "".join(rng.choice("ab /+%&=~\u00e9") for _ in range(rng.randint(0, 6)))) for name in names]
    headers = [("x-amz-meta-a", "1  2"), ("Content-Type", "text/plain"), ("range", " bytes=0-9 ")]
    headers = rng.sample(headers, rng.randint(0, 3)) + [("Host", rng.choice(("example.com", "h.example.com:81")))]
    rng.shuffle(headers)
    seconds = lifetime(rng)
    driver.tell("method", field(method))
    driver.tell("bucket", field(service))
    driver.tell("key", field(path))
    for name, value in query:
        driver.tell("query", field(name), field(value))
    for name, value in headers:
        driver.tell("header", field(name), field(value))
    driver.tell("presign", str(seconds), "raw")
    code, url = driver.result()
    what = "plain %d" % number
    if not check(code == len(url), what + ": result", code, url):
        return
    host = dict(headers)["Host"]
    given = "&".join("%s=%s" % (quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in query)
    request = AWSRequest(method=method, url="https://" + host + quote(path, safe="/-_.~") + ("?" + given if given else ""))
    for name, value in headers:
        request.headers.add_header(name, value)
    kind = botocore.auth.S3SigV4QueryAuth if service == "s3" else botocore.auth.SigV4QueryAuth
    kind(Credentials(c["key"], c["secret"], c["token"]), service, c["region"], expires=seconds or 3600).add_auth(request)
    check(parsed(url) == parsed(request.url), what, url, request.url, headers)


# ---- aws_s3_presign_post ----

class Clock:
    """The datetime module for botocore.signers, standing still."""
    timedelta = datetime.timedelta

    class datetime:
        @staticmethod
        def utcnow():
            return datetime.datetime.fromtimestamp(Clock.now_is, datetime.timezone.utc)


def freeze_signers(seconds):
    Clock.now_is = seconds
    botocore.signers.datetime = Clock
    botocore.signers.get_current_datetime = Clock.datetime.utcnow  # newer versions


def random_form(draw, driver, c, theirs, number):
    rng = draw.rng
    bucket = rng.choice(("abc", "my-bucket"))
    key = draw.odd_text(1, 20) + rng.choice(("", "", "${filename}"))
    fields = rng.sample((("acl", "private"), ("Content-Type", "text/\u00e9\t\"\\"), ("success_action_status", "201"),
                         ("x-amz-meta-a", "")), rng.randint(0, 4))
    prefixes = rng.sample((("Content-Disposition", "inline; "), ("x-amz-meta-tag", "")), rng.randint(0, 2))
    low, high = rng.choice(((0, 0), (1, 10), (0, 5 << 30), (5, 0)))
    seconds = rng.choice((0, 1, 3600, 10000000, rng.randint(1, 604800)))
    driver.tell("bucket", field(bucket))
    driver.tell("key", field(key))
    for pair in fields:
        driver.tell("meta", *map(field, pair))
    for pair in prefixes:
        driver.tell("extra", *map(field, pair))
    driver.tell("form", str(seconds), str(low), str(high))
    code, text = driver.result()
    what = "form %d" % number
    if not check(code == 0, what + ": result", text):
        return
    url, *texts = text.split(" ")
    texts = [bytes.fromhex(one).decode() for one in texts]
    got = dict(zip(texts[::2], texts[1::2]))
    conditions = [{name: value} for name, value in fields] + [["starts-with", "$" + name, value] for name, value in prefixes]
    if low or high:
        conditions.append(["content-length-range", low, high or 5 << 40])
    freeze_signers(c["time"])
    want = theirs.client.generate_presigned_post(bucket, key, None, conditions, seconds or 3600)
    check(url.rstrip("/") == want["url"].replace(":80/", "/").rstrip("/"), what + ": url", url, want["url"])
    ours, policy = (json.loads(base64.b64decode(one["policy"])) for one in (got, want["fields"]))
    late = c["time"] + seconds >= 1 << 32  # ours stays at the last second of 32 bits
    check(ours.keys() == policy.keys() and (late or ours["expiration"] == policy["expiration"]), what + ": expiration", ours, policy)
    check(sorted(map(repr, ours["conditions"])) == sorted(map(repr, policy["conditions"])), what + ": policy", ours, policy)
    auth = botocore.auth.S3SigV4PostAuth(Credentials(c["key"], c["secret"], c["token"]), "s3", c["region"])
    request = AWSRequest()
    request.context["timestamp"] = got["x-amz-date"]
    check(got.pop("x-amz-signature") == auth.signature(got.pop("policy"), request), what + ": signature")
    del want["fields"]["policy"], want["fields"]["x-amz-signature"]
    check(got == want["fields"], what + ": fields", got, want["fields"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=800)
    parser.add_argument("--driver")
    options = parser.parse_args()
    for name in list(os.environ):
        if name.startswith("AWS_"):
            del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    with tempfile.TemporaryDirectory() as folder:
        driver = Driver(options.driver or tests.build(folder), 1)  # nothing is ever sent
        draw = Draw(options.seed)
        for i in range(options.count):
            if i % 20 == 0:
                c = draw.config()
                good = configure(driver, c)
                theirs = Theirs(regional(c))
            if good and i % 4 == 3:
                random_form(draw, driver, c, theirs, i)
            elif good and i % 4 == 2:
                random_plain(draw, driver, c, i)
            elif good:
                random_action(draw, driver, c, theirs, i)
        check(driver.close() == 0, "the driver's end")
    print("test_presign: botocore %s, seed %d" % (tests.botocore.__version__, options.seed))
    print("test_presign: %d passed, %d failed" % (tests.passed, tests.failed))
    return 1 if tests.failed or not tests.passed else 0


if __name__ == "__main__":
    sys.exit(main())
