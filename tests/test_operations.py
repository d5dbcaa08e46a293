#!/usr/bin/env python3
"""test_operations.py - all of S3's operations, compared with botocore and with the list of them.

SPDX-License-Identifier: MIT

    python3 tests/test_operations.py [--driver FILE] [--only NAME]

tests/sign_driver.c prints the table of aws_s3.h, so none can be forgotten. Each operation that
the installed botocore knows is called by both with the fewest and with all members of botocore's
model, at AWS with the bucket in the host, at AWS with it in the path, and at an http endpoint:
method, URL, headers and body are the same, but for what EXPLAINED lists, and so is the signature
wherever the same is signed. Bodies go through our XML writer, or are made by us.
Each of the 116 is compared with data/s3_operations.tsv (../shared, or the file that S3_OPERATIONS
names), if it is there: method, URI, number of members, checksums, whether the answer is XML.
"""
import argparse
import base64
import binascii
import csv
import datetime
import hashlib
import os
import sys
import tempfile
from urllib.parse import parse_qsl, urlsplit
from xml.parsers import expat

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import test_botocore as tb  # noqa: E402
from test_botocore import check, field, tree  # noqa: E402
import botocore.session  # noqa: E402

LIST = os.environ.get("S3_OPERATIONS", os.path.join(HERE, "../../shared/data/s3_operations.tsv"))

# Headers that differ on purpose, or are none of the operation's business.
EXPLAINED = {
    "user-agent": "each names itself",
    "authorization": "compared apart",
    "content-length": "botocore's HTTP library adds it after the signature; checked here against the body",
    "amz-sdk-invocation-id": "botocore's statistics",
    "amz-sdk-request": "botocore's statistics",
    "expect": "100-continue: not a matter of the operation; see tests/test_attempts.c",
}
# Query parameters that botocore adds by itself; we leave them to the caller.
ADDED_QUERY = {("encoding-type", "url"): "the iterators do so, calls don't"}
# Operations at another endpoint of S3, which addressing decides.
OTHER_HOSTS = {"ListDirectoryBuckets": "s3express-control.<region>: directory buckets"}
# Members of botocore's model that can't be given, and why.
NOT_MEMBERS = {"Content-Length": "it is args.body_size"}
# Members that are newer than some botocore; an old one lacks many.
OLD = tuple(map(int, botocore.__version__.split(".")[:2])) < (1, 43)
NEWER = {"CopyObject": {"x-amz-annotation-directive"}}

SECRET_KEY = b"0123456789abcdefghijklmnopqrstuv"
WHEN = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
HTTP_DATE, ISO_DATE = "Fri, 02 Jan 2026 03:04:05 GMT", "2026-01-02T03:04:05Z"


class Member:
    def __init__(self, text):
        self.name, self.wire, self.place, must = text.split(":")
        self.must = must == "1"
        self.in_query = self.place != "header"

    def key(self):
        return self.in_query, self.wire


class Operation:
    def __init__(self, line):
        parts = line.split(",")
        self.name, self.aws_name, self.method, query, flags = parts[:5]
        self.query = [tuple(pair.split("=", 1)) for pair in query.split("&") if pair]
        self.flags = flags.split("+")
        self.members = {m.key(): m for m in map(Member, parts[5:])}

    def has(self, flag):
        return flag in self.flags


def read_table(driver):
    driver.tell("list")
    driver.process.stdin.flush()
    table = []
    while True:
        line = driver.process.stdout.readline().decode().rstrip("\n")
        if not line:
            return table
        table.append(Operation(line))


# ---- The list ----

def compare_with_list(table):
    if not os.path.exists(LIST):
        print("NOTE: no %s: not compared with it" % LIST)
        return
    with open(LIST, newline="") as file:
        rows = {row["name"]: row for row in csv.DictReader(file, delimiter="\t")}
    check(set(rows) == {op.aws_name for op in table}, "the list's operations",
          set(rows) ^ {op.aws_name for op in table})
    for op in table:
        row, what = rows[op.aws_name], op.name + " in the list"
        path, _, query = row["requestUri"].partition("?")
        check(op.method == row["method"], what + ": method")
        check(sorted(op.query) == sorted(parse_qsl(query, keep_blank_values=True)), what + ": query", op.query, query)
        check(op.has("bucket") == ("{Bucket}" in path), what + ": bucket")
        check(op.has("key") == ("{Key+}" in path), what + ": key")
        made = op.aws_name == "DeleteObjects"  # its body is always made by us, its answer read
        check(op.has("body") == (row["request_body"] != "none") or made, what + ": body")
        is_xml = row["output_payload"].startswith("xml:") or row["output_payload"].endswith(":structure")
        check(op.has("xml") == is_xml or made, what + ": answer")
        check(op.has("checksum") == bool(row["request_algorithm_member"]), what + ": checksum")
        check(op.has("required") == (row["checksum_required"] == "yes"), what + ": checksum required")
        headers = sum(not m.in_query for m in op.members.values())
        # user metadata and Content-Length have fields of their own
        headers += op.aws_name in ("PutObject", "CopyObject", "CreateMultipartUpload", "WriteGetObjectResponse")
        headers += op.aws_name in ("PutObject", "UploadPart", "WriteGetObjectResponse")
        check(headers == int(row["n_header_members"]), what + ": headers", headers, row["n_header_members"])
        check(sum(m.in_query for m in op.members.values()) == int(row["n_query_members"]), what + ": query members")


# ---- Arguments ----

def value_of(name, shape):
    """A value for botocore, and what it is on the wire."""
    if shape.type_name == "boolean":
        return True, "true"
    if shape.type_name in ("integer", "long"):
        return 7, "7"
    if shape.type_name == "timestamp":
        return WHEN, ISO_DATE if shape.serialization.get("timestampFormat") == "iso8601" else HTTP_DATE
    if shape.type_name == "list":
        return [shape.member.enum[0], shape.member.enum[1]] if len(shape.member.enum) > 1 else [shape.member.enum[0]], \
            ",".join(shape.member.enum[:2])
    if name.endswith("SSECustomerKey"):  # botocore encodes it for some operations if no MD5 is given
        return (base64.b64encode(SECRET_KEY).decode(),) * 2
    if name.endswith("SSECustomerKeyMD5"):
        return (base64.b64encode(hashlib.md5(SECRET_KEY).digest()).decode(),) * 2
    if name == "CopySource":
        return "other-bucket/a b?versionId=v1", "other-bucket/a b?versionId=v1"
    if name == "ContentMD5":
        return None, None  # see arguments()
    if name == "RequestRoute":
        return "io-cell1-abc", "io-cell1-abc"
    if getattr(shape, "enum", None):
        return shape.enum[0], shape.enum[0]
    return "v 1/+%s" % name[:3], "v 1/+%s" % name[:3]


def sample(shape, every, depth=0):
    """A value of any shape in a body."""
    kind = shape.type_name
    if kind == "structure":
        if shape.metadata.get("union"):
            name = list(shape.members)[0]
            return {name: sample(shape.members[name], every, depth + 1)}
        names = list(shape.members) if every else shape.required_members or list(shape.members)[:1]
        return {name: sample(shape.members[name], every, depth + 1) for name in names}
    if kind == "list":
        return [sample(shape.member, every, depth + 1)] * (2 if every else 1)
    if kind == "map":
        return {"k": sample(shape.value, every, depth + 1)}
    if kind == "boolean":
        return True
    if kind in ("integer", "long"):
        return 12
    if kind == "timestamp":
        return WHEN
    if kind == "blob":
        return b"blob"
    if getattr(shape, "enum", None):
        return shape.enum[0]
    return "a<b>&\"c\" 'd' \u00e9".ljust(shape.metadata.get("min", 0), "x")


class Call:
    """One operation's arguments, for botocore and for the driver."""

    def __init__(self, op, model, every):
        self.op, self.arguments, self.told = op, {}, []
        shape = model.input_shape
        members = shape.members if shape else {}
        payload = shape.serialization.get("payload") if shape else None
        required = set(shape.required_members) if shape else set()
        seen = set()
        self.metadata = False
        for name, member in members.items():
            place = member.serialization.get("location")
            if name in ("Bucket", "Key"):
                self.arguments[name] = "a-bucket" if name == "Bucket" else "a key/\u00e9+"
                self.told.append((name.lower(), field(self.arguments[name])))
            elif place == "headers":
                self.metadata = True
                if every:
                    self.arguments[name] = {"one": "1  x", "two": "2"}
                    self.told += [("meta", field("one"), field("1  x")), ("meta", field("two"), field("2"))]
            elif place in ("header", "querystring"):
                self.add(op, name, member, place, name in required, every, seen)
        missing = {m.wire for m in op.members.values() if m.key() not in seen}
        check(OLD or missing <= NEWER.get(op.aws_name, set()), op.name + ": members that botocore hasn't", missing)
        self.has_body = False
        self.payload(model, members, payload, every)

    def add(self, op, name, member, place, must, every, seen):
        wire = member.serialization["name"]
        if wire in NOT_MEMBERS:
            return
        key = place == "querystring", wire if place == "querystring" else wire.lower()
        ours = op.members.get(key)
        if not check(ours is not None, op.name + ": botocore has member " + wire):
            return
        seen.add(key)
        check(ours.must == must, op.name + ": must be given: " + wire, ours.must, must)
        theirs, text = value_of(name, member)
        # checksums can be given, but only one and a true one: the driver's body isn't known to them
        if not (every or must) or text is None or name.startswith("Checksum"):
            return
        if theirs is not None:
            self.arguments[name] = theirs
        if ours.place == "number":
            self.told.append(("number", ours.name, "1" if text == "true" else text))
        else:
            self.told.append(("set", ours.name, field(text)))

    def payload(self, model, members, payload, every):
        op = self.op
        self.streams = bool(payload) and members[payload].type_name == "blob"
        if payload and members[payload].type_name == "structure":
            must = payload in model.input_shape.required_members or op.aws_name not in (
                "PutBucketAcl", "PutObjectAcl", "RestoreObject", "CreateBucket")
            if must or every:
                self.arguments[payload] = sample(members[payload], every)
                self.has_body = True
        elif payload and members[payload].type_name == "blob":
            self.arguments[payload] = b"the body"
            self.has_body = True
        elif payload:  # a policy
            self.arguments[payload] = "{\"Version\":\"2012-10-17\"}"
            self.has_body = True
        elif op.has("body"):  # SelectObjectContent: its members are the body
            for name, member in members.items():
                if not member.serialization.get("location") and (every or name in model.input_shape.required_members):
                    self.arguments[name] = sample(member, every)
            self.has_body = True
        if op.aws_name == "DeleteObjects":
            entry = {"Key": "a<b>\r\n", "VersionId": "v&1"}
            self.arguments["Delete"] = {"Objects": [{"Key": "k"}, entry], **({"Quiet": True} if every else {})}
            self.told += [("object", field("k"), "-"), ("object", field(entry["Key"]), field("v&1"))]
            self.told += [("quiet",)] if every else []
            self.has_body = False
        elif op.aws_name == "CompleteMultipartUpload":
            parts = [{"ETag": "\"e1\"", "PartNumber": 1}, {"ETag": "\"e<2\"", "PartNumber": 10000}]
            if every:
                parts[1]["ChecksumCRC32C"] = "AAAA+/=="
            self.arguments["MultipartUpload"] = {"Parts": parts}
            self.told += [("part", "1", field(parts[0]["ETag"]), "-", "-"),
                          ("part", "10000", field(parts[1]["ETag"]),
                           *((field("AAAA+/=="), field("CRC32C")) if every else ("-", "-")))]
            self.has_body = False
        elif op.aws_name.endswith("Tagging") and self.has_body:
            pairs = [("a", "1"), ("<b>", "x&")]
            self.arguments["Tagging"] = {"TagSet": [{"Key": k, "Value": v} for k, v in pairs]}
            self.told += [("tag", field(k), field(v)) for k, v in pairs]
            self.has_body = False
        elif op.aws_name == "CreateBucket" and not every:
            self.arguments["CreateBucketConfiguration"] = {"LocationConstraint": "eu-north-1"}
            self.told.append(("constraint", field("eu-north-1")))
            self.has_body = False


def tell_document(driver, body):
    """A document, piece by piece, by our writer."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.ordered_attributes = True

    def start(name, attributes):
        driver.tell("open", field(name))
        for i in range(0, len(attributes), 2):
            driver.tell("attribute", field(attributes[i]), field(attributes[i + 1]))
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda name: driver.tell("close")
    parser.CharacterDataHandler = lambda text: driver.tell("text", field(text))
    parser.Parse(body, True)


# ---- Comparing ----

STYLES = {
    "default": {"endpoint": None, "addressing": 0},
    "path style": {"endpoint": None, "addressing": 1},
    "http endpoint": {"endpoint": "http://localhost:8080", "addressing": 0},
}
counts = {"signatures": 0, "same signature": 0, "same bytes": 0, "calls": 0}


def configuration(style, is_lambda):
    return {"region": "eu-west-1", "key": "AKIDEXAMPLE", "secret": "secret/+=", "token": None, "time": 1767323045,
            "sign_payload": 0, "lambda": is_lambda, **STYLES[style]}


def configure(driver, c):
    driver.tell("config", field(c["region"]), field(c["endpoint"]), field(c["key"]), field(c["secret"]), "-",
                str(c["time"]), str(c["addressing"]), str(c["sign_payload"]), *(["lambda"] if c["lambda"] else []))
    code, text = driver.result()
    tb.freeze(c["time"])
    return check(code == 0, "configuration", text, c)


def same_document(a, b):
    """The members of a structure come in any order; only our own bodies make use of that."""
    def walk(node):
        tag, text, children = node
        return tag, text, sorted(map(walk, children)) if tag.endswith("}Part") else list(map(walk, children))
    return walk(tree(a)) == walk(tree(b))


def compare(what, c, call, ours, request):
    line, pairs, body = ours
    method, target, _ = line.decode().split(" ")
    mine = {name.decode().lower(): value.decode("latin-1") for name, value in pairs}
    theirs = {name.lower(): tb.text_of(value) for name, value in request.headers.items()}
    wanted = request.body or b""
    wanted = bytes(wanted if isinstance(wanted, (bytes, bytearray)) else wanted.encode() if isinstance(wanted, str)
                   else wanted.read())
    parts = urlsplit(request.url)
    path, _, query = target.partition("?")
    check(method == request.method, what + ": method", method, request.method)
    if call.op.aws_name not in OTHER_HOSTS or c["endpoint"]:
        check(mine["host"] == parts.netloc, what + ": host", mine["host"], parts.netloc)
    check(path == (parts.path or "/"), what + ": path", path, parts.path)
    given = sorted(parse_qsl(query, keep_blank_values=True))
    asked = sorted(pair for pair in parse_qsl(parts.query, keep_blank_values=True)
                   if pair not in ADDED_QUERY or pair in given)
    check(given == asked, what + ": query", given, asked)
    check(same_document(body, wanted) if body[:1] == b"<" else body == wanted, what + ": body", body, wanted)
    check(int(mine.get("content-length", "0")) == len(body), what + ": length")
    same = body == wanted
    counts["same bytes"] += same
    authorizations = mine["authorization"], theirs["authorization"]
    same = check_sums(what, call, mine, theirs, body, same)
    streams = call.streams and tb.is_secure(c) and mine.get("x-amz-content-sha256") == "UNSIGNED-PAYLOAD"
    if streams and theirs["x-amz-content-sha256"] != "UNSIGNED-PAYLOAD":
        theirs["x-amz-content-sha256"] = "UNSIGNED-PAYLOAD"  # botocore hashes a body without checksum header
        same = False
    if not same and "x-amz-content-sha256" in theirs:
        check(mine["x-amz-content-sha256"] in (hashlib.sha256(body).hexdigest(), streams and "UNSIGNED-PAYLOAD"),
              what + ": hash")
        mine.pop("x-amz-content-sha256")
        theirs.pop("x-amz-content-sha256")
    if "ContentType" not in call.arguments and theirs.pop("content-type", None):
        same = False  # botocore adds a default of its own
    mine.pop("host")
    theirs.pop("host", None)
    left = {k: " ".join(v.split()) for k, v in mine.items() if k not in EXPLAINED}
    right = {k: " ".join(v.split()) for k, v in theirs.items() if k not in EXPLAINED}
    if OLD and left.pop("x-amz-checksum-mode", None):
        same = False  # it didn't ask for checksums
    if "ClientToken" not in call.arguments and right.pop("x-amz-client-token", None):
        same = False  # botocore draws one
    if OLD and left != right:  # it wrote "True"
        same, right = False, {k: "true" if v == "True" else v for k, v in right.items()}
    check(left == right, what + ": headers", sorted(set(left.items()) - set(right.items())),
          sorted(set(right.items()) - set(left.items())))
    if same and given == sorted(parse_qsl(parts.query, keep_blank_values=True)) and call.op.aws_name not in OTHER_HOSTS:
        check(authorizations[0] == authorizations[1], what + ": Authorization", *authorizations)
        counts["same signature"] += 1


def check_sums(what, call, mine, theirs, body, same):
    """Checksums: each of the true body. Of the same body, and by the same algorithm, they stay
    among the headers to be compared, and 1 is returned."""
    names = "content-md5", "x-amz-checksum-crc32", "x-amz-sdk-checksum-algorithm"
    md5, crc = mine.get(names[0]), mine.get(names[1])
    if md5:
        check(md5 == base64.b64encode(hashlib.md5(body).digest()).decode(), what + ": MD5")
    if crc:
        check(crc == base64.b64encode(binascii.crc32(body).to_bytes(4, "big")).decode(), what + ": CRC32")
    if call.op.has("required") and body:
        check(md5 or crc, what + ": no checksum")
    if same and [name in mine for name in names] == [name in theirs for name in names]:
        return True
    check(not same or OLD or call.streams or not body, what + ": the checksum's form", mine, theirs)
    for name in names:
        theirs.pop(name, None)
        mine.pop(name, None)
    return False


def check_signature(what, c, ours):
    """botocore's signature of the very request that we sent."""
    line, pairs, _ = ours
    method, target, _ = line.decode().split(" ")
    headers = [(name.decode(), value.decode("latin-1")) for name, value in pairs]
    lower = {name.lower(): value for name, value in headers}
    url = ("https://" if tb.is_secure(c) else "http://") + lower["host"] + target
    signer = "s3-object-lambda" if c["lambda"] else "s3"
    request = tb.AWSRequest(method=method, url=url)
    for name, value in headers:
        if name.lower() not in ("authorization", "content-length", "x-amz-date", "x-amz-content-sha256"):
            request.headers.add_header(name, value)

    class Auth(tb.botocore.auth.S3SigV4Auth):
        def payload(self, request):
            return lower["x-amz-content-sha256"]
    Auth(tb.Credentials(c["key"], c["secret"]), signer, c["region"]).add_auth(request)
    check(lower["authorization"] == request.headers["Authorization"], what + ": signature")
    counts["signatures"] += 1


def run(driver, capture, op, model, theirs, c, style, every):
    what = "%s (%s, %s)" % (op.name, style, "all" if every else "fewest")
    call = Call(op, model, every)
    request = theirs.call(tb.botocore.xform_name(op.aws_name), call.arguments)
    if not check(request is not None, what + ": botocore sends"):
        return
    for told in call.told:
        driver.tell(*told)
    wanted = request.body or b""
    wanted = wanted if isinstance(wanted, (bytes, bytearray)) else wanted.encode() if isinstance(wanted, str) \
        else wanted.read()
    request.body = bytes(wanted)
    if call.has_body and request.body[:1] == b"<":
        tell_document(driver, request.body)
    elif call.has_body:
        driver.tell("body", field(request.body))
    before = len(capture.requests)
    code, text = driver.go(op.name)
    if not check(code == 0, what + ": result", code, text) or not check(
            len(capture.requests) == before + 1, what + ": sent"):
        return
    compare(what, c, call, capture.requests[-1], request)
    check_signature(what, c, capture.requests[-1])
    counts["calls"] += 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--driver")
    parser.add_argument("--only")
    options = parser.parse_args()
    for name in list(os.environ):
        if name.startswith("AWS_"):
            del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    service = botocore.session.Session().get_service_model("s3")
    with tempfile.TemporaryDirectory() as folder:
        capture = tb.Capture()
        driver = tb.Driver(options.driver or tb.build(folder), capture.port)
        table = read_table(driver)
        check(len(table) == 116, "116 operations", len(table))
        compare_with_list(table)
        known = [op for op in table if op.aws_name in service.operation_names]
        check(set(service.operation_names) <= {op.aws_name for op in table}, "botocore's operations",
              set(service.operation_names) - {op.aws_name for op in table})
        for style in STYLES:
            for is_lambda in (False, True):
                c = configuration(style, is_lambda)
                configure(driver, c)
                clients = tb.Theirs(c, "when_supported"), tb.Theirs(c)
                for op in known:
                    if (op.aws_name == "WriteGetObjectResponse") != is_lambda or options.only not in (None, op.name):
                        continue
                    model = service.operation_model(op.aws_name)
                    # over https botocore sends the checksum of an object behind it, in a trailer
                    theirs = clients[tb.is_secure(c) and model.has_streaming_input]
                    for every in (False, True):
                        run(driver, capture, op, model, theirs, c, style, every)
        check(driver.close() == 0, "the driver's end")
        without = sorted(op.aws_name for op in table if op not in known)
        print("test_operations: botocore %s knows %d of %d operations; %d calls, %d bodies byte for byte, %d times "
              "the same is signed" % (botocore.__version__, len(known), len(table), counts["calls"],
                                      counts["same bytes"], counts["same signature"]))
        if without:
            print("test_operations: without botocore, by the list alone: " + ", ".join(without))
    print("test_operations: %d passed, %d failed" % (tb.passed, tb.failed))
    return 1 if tb.failed or not tb.passed else 0


if __name__ == "__main__":
    sys.exit(main())
