#!/usr/bin/env python3
"""test_botocore.py - what our client sends, compared with botocore.

SPDX-License-Identifier: MIT

    python3 tests/test_botocore.py [--seed N] [--count N] [--driver FILE]

Random requests (odd keys, queries, headers in any order) are described to tests/sign_driver.c,
which performs them with aws.h and aws_s3.h against a server here that keeps the bytes.
  - Calls of any kind: path and query are those of an independent encoder, the payload hash is the
    body's, and the Authorization header is botocore's for that request, byte for byte.
  - S3's operations: method, host, path, query, headers and body are those of botocore's own S3
    client with the same arguments, but for the differences in EXPLAINED.
The Python must have botocore (Debian: python3-botocore); /usr/bin/python3 is tried, too.
"""
import argparse
import base64
import hashlib
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import zlib
from urllib.parse import parse_qsl, quote, quote_from_bytes, urlsplit
from xml.etree import ElementTree

try:
    import botocore
    import botocore.auth
    import botocore.session
    from botocore.awsrequest import AWSRequest, AWSResponse
    from botocore.config import Config
    from botocore.credentials import Credentials
except ImportError:
    if os.path.realpath(sys.executable) != os.path.realpath("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])
    print("NOTE: no botocore (Debian: python3-botocore): not tested")
    print("test_botocore: 0 passed, 0 failed")
    sys.exit(0)

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from make_vectors import freeze  # noqa: E402

# Differences from botocore's S3 client that are on purpose, or none of the signature's business.
EXPLAINED = {
    "user-agent", "authorization", "content-length", "host",  # host is compared apart
    "amz-sdk-invocation-id", "amz-sdk-request",  # botocore's statistics
    "expect",  # 100-continue isn't there yet
    "content-md5",  # of older ones; newer ones make a CRC32
    "x-amz-content-sha256",  # likewise; checked here
    "content-type",  # botocore adds application/octet-stream or the like to some requests
    # DeleteObjects' body is written in another way, older ones have none; checked here
    "x-amz-sdk-checksum-algorithm", "x-amz-checksum-crc32",
    "x-amz-checksum-mode",  # older ones have none; checked here
}

passed = failed = 0


def check(good, what, *details):
    global passed, failed
    if good:
        passed += 1
        return True
    failed += 1
    if failed <= 20:
        print("FAILED: %s" % what, *(str(detail)[:700] for detail in details), sep="\n    ", file=sys.stderr)
    return False


# ---- The server: keeps the bytes of each request, always content ----

class Capture:
    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.requests = []
        self.connections = 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            self.connections += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        data = b""
        while True:
            while b"\r\n\r\n" not in data:
                piece = connection.recv(65536)
                if not piece:
                    return
                data += piece
            head, _, data = data.partition(b"\r\n\r\n")
            lines = head.split(b"\r\n")
            size = sum(int(line[15:]) for line in lines if line.lower().startswith(b"content-length:"))
            while len(data) < size:
                data += connection.recv(65536)
            self.requests.append((lines[0], [tuple(line.split(b": ", 1)) for line in lines[1:]], data[:size]))
            data = data[size:]
            body = b"" if head.startswith(b"HEAD ") else b"<a/>"
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" + body)


# ---- The driver ----

class Driver:
    def __init__(self, path, port):
        self.process = subprocess.Popen([path, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def tell(self, word, *fields):
        self.process.stdin.write(" ".join([word, *fields]).encode() + b"\n")

    def result(self):
        self.process.stdin.flush()
        line = self.process.stdout.readline().decode("latin-1").rstrip("\n")
        code, _, text = line.partition(" ")
        return int(code or -1000), text

    def go(self, what):
        self.tell("go", what)
        return self.result()

    def close(self):
        self.process.stdin.close()
        return self.process.wait()


def field(text):
    if text is None:
        return "-"
    return (text if isinstance(text, bytes) else text.encode()).hex()


def build(folder):
    """Compile the driver with the compiler that CC names."""
    path = os.path.join(folder, "sign_driver")
    subprocess.run([os.environ.get("CC", "cc"), "-std=c99", "-O1", "-g", "-I", os.path.dirname(HERE),
                    os.path.join(HERE, "sign_driver.c"), "-lbearssl", "-o", path], check=True)
    return path


# ---- Random material ----

class Draw:
    def __init__(self, seed):
        self.rng = random.Random(seed)

    def odd_bytes(self, low, high):
        """Any bytes but NUL; often those that encoders get wrong."""
        pick = self.rng.choice
        hard = b"//..%%++  ~-_&=?#:;@!$'()*,[]{}|\\^`\"<>\r\n\t\x01\x7f\x80\xc3\xa9\xe2\x82\xac\xff"
        plain = b"abcABC0129"
        return bytes(pick(hard if self.rng.random() < 0.5 else plain) if self.rng.random() < 0.9
                     else self.rng.randint(1, 255) for _ in range(self.rng.randint(low, high)))

    def odd_text(self, low, high):
        return self.odd_bytes(low, high).decode("utf-8", "ignore") or "k"

    def header_value(self):
        return "".join(self.rng.choice("ab  \t\t,;=/%\"'<>~Z09") for _ in range(self.rng.randint(0, 12)))

    def header_name(self):
        return "x-" + "".join(self.rng.choice("abAB01-_.!") for _ in range(self.rng.randint(1, 4)))

    def bucket(self):
        letters = "abcxyz0189"
        name = "".join(self.rng.choice(letters) for _ in range(self.rng.randint(3, 12)))
        return self.rng.choice((name, name, name + "-" + name, name + "." + name, name.upper(), name + "_x", "a1"))

    def config(self):
        rng = self.rng
        https = rng.random() < 0.5
        endpoint = rng.choice((None, "%s://localhost:%d" % ("https" if https else "http", rng.randint(1, 65535)),
                               "https://s3.example.com" if https else "http://s3.example.com", "http://10.0.0.9:81"))
        # a token is signed but rarely there
        return {"region": rng.choice(("us-east-1", "eu-west-1", "cn-north-1", "snow")), "endpoint": endpoint,
                "key": "AKID" + str(rng.randint(0, 999)),
                "secret": "".join(rng.choice("abcXYZ019/+=") for _ in range(rng.choice((1, 40, 60, 61, 80)))),
                "token": rng.choice((None, None, "Fwo//+=" * rng.randint(1, 200))),
                "time": rng.choice((1, 951782399, 2147483648, rng.randrange(1 << 32))),
                "addressing": rng.choice((0, 1, 2)), "sign_payload": rng.choice((0, 1))}


def configure(driver, c):
    driver.tell("config", field(c["region"]), field(c["endpoint"]), field(c["key"]), field(c["secret"]),
                field(c["token"]), str(c["time"]), str(c["addressing"]), str(c["sign_payload"]))
    code, text = driver.result()
    freeze(c["time"])
    return check(code == 0, "configuration", text, c)


# ---- What must be sent ----

def is_secure(c):
    return not c["endpoint"] or c["endpoint"].startswith("https:")


def is_virtual(c, bucket):
    """behaviour of addressing, stated anew: bucket in the host or in the path."""
    host = urlsplit(c["endpoint"]).hostname if c["endpoint"] else None
    if c["addressing"] == 1 or (host and c["addressing"] != 2) or host == "10.0.0.9":
        return False
    if not 3 <= len(bucket) <= 63 or bucket.lower() != bucket or "_" in bucket:
        return False
    if bucket.split(".")[-1].isdigit():
        return False
    return "." not in bucket or (host is not None and not is_secure(c))


def expected_host(c, bucket):
    if c["endpoint"]:
        host = urlsplit(c["endpoint"]).netloc
    else:
        host = "s3.%s.amazonaws.com%s" % (c["region"], ".cn" if c["region"].startswith("cn-") else "")
    return (bucket + "." + host) if bucket and is_virtual(c, bucket) else host


def check_payload(c, headers, body, what):
    """Over https the caller's body isn't hashed unless asked for; one that we write always is."""
    written = what.startswith(("create_bucket", "delete_objects"))
    hashed = not body or written or c["sign_payload"] or not is_secure(c)
    want = hashlib.sha256(body).hexdigest() if hashed else "UNSIGNED-PAYLOAD"
    return headers.get("x-amz-content-sha256") == want


def botocore_authorization(c, method, url, headers):
    """botocore's Authorization for exactly this request."""
    request = AWSRequest(method=method, url=url)
    payload = dict(headers)["x-amz-content-sha256"]
    for name, value in headers:
        if name.lower() not in ("authorization", "content-length", "x-amz-date", "x-amz-security-token",
                                "x-amz-content-sha256"):
            request.headers.add_header(name, value)

    class Auth(botocore.auth.S3SigV4Auth):
        def payload(self, request):
            return payload

        def canonical_request(self, request):
            self.seen = super().canonical_request(request)
            return self.seen

    auth = Auth(Credentials(c["key"], c["secret"], c["token"]), "s3", c["region"])
    auth.add_auth(request)
    return request.headers["Authorization"], auth.seen


def check_signature(c, line, pairs, body, what):
    """The request as it came, signed once more by botocore."""
    method, target, version = line.split(b" ")
    headers = [(name.decode(), value.decode("latin-1")) for name, value in pairs]
    lower = {name.lower(): value for name, value in headers}
    host = lower["host"]
    url = ("https://" if is_secure(c) else "http://") + host + target.decode()
    want, canonical = botocore_authorization(c, method.decode(), url, headers)
    check(version == b"HTTP/1.1", what + ": version", line)
    check(lower["authorization"] == want, what + ": signature", line, lower["authorization"], want, repr(canonical))
    check(check_payload(c, lower, body, what), what + ": payload hash", lower.get("x-amz-content-sha256"), c)
    check(lower.get("x-amz-security-token") == c["token"], what + ": token")
    check(int(lower.get("content-length", "0")) == len(body), what + ": length")
    names = [name for name, _ in headers if name.lower() in ("authorization", "host", "content-length", "user-agent")]
    check(len(names) == len(set(names)) == (4 if "content-length" in lower else 3), what + ": once", names)
    return lower


# ---- Calls of any kind ----

def random_call(draw, driver, capture, c):
    rng = draw.rng
    method = rng.choice(("GET", "PUT", "POST", "DELETE", "HEAD"))
    bucket = draw.bucket() if rng.random() < 0.9 else None
    key = draw.odd_bytes(1, rng.choice((6, 40, 400))) if rng.random() < 0.8 else None
    query = [(draw.odd_bytes(1, 4), rng.choice((None, draw.odd_bytes(0, 8)))) for _ in range(rng.randint(0, 8))]
    headers = [(draw.header_name(), draw.header_value()) for _ in range(rng.randint(0, 8))]
    if headers and rng.random() < 0.4:
        headers.append((headers[0][0].swapcase(), draw.header_value()))
    rng.shuffle(headers)
    body = draw.odd_bytes(0, 300) if method in ("PUT", "POST") else b""

    driver.tell("method", field(method))
    driver.tell("bucket", field(bucket))
    driver.tell("key", field(key))
    for name, value in query:
        driver.tell("query", field(name), field(value))
    for name, value in headers:
        driver.tell("header", field(name), field(value))
    if body:
        driver.tell("body", field(body))
    before = len(capture.requests)
    code, text = driver.go("raw")
    what = "call %d" % before
    if not check(code == 0, what + ": result", text) or not check(len(capture.requests) == before + 1, what + ": sent"):
        return
    line, pairs, sent_body = capture.requests[-1]
    lower = check_signature(c, line, pairs, sent_body, what)

    # the independent encoder
    path = "/" if not bucket or is_virtual(c, bucket) else "/" + bucket + ("/" if key is not None else "")
    path += quote_from_bytes(key or b"", safe="/-_.~")
    encoded = sorted((quote_from_bytes(n, safe="-_.~"), quote_from_bytes(v or b"", safe="-_.~")) for n, v in query)
    want = path + ("?" if encoded else "") + "&".join("%s=%s" % pair for pair in encoded)
    check(line == ("%s %s HTTP/1.1" % (method, want)).encode(), what + ": request line", line, want)
    check(sent_body == body, what + ": body")
    check(lower["host"] == expected_host(c, bucket), what + ": host", lower["host"], c, bucket)
    for name in {name.lower() for name, _ in headers}:
        sent = [v.decode("latin-1").strip(" \t") for n, v in pairs if n.decode().lower() == name]
        given = [v.strip(" \t") for n, v in headers if n.lower() == name]
        check(sent == given, what + ": header " + name, sent, given)


# ---- S3's operations, as botocore's client sends them ----

TEXTS = {
    "cache_control": ("CacheControl", "max-age=60,  private"), "content_type": ("ContentType", "text/plain; charset=utf-8"),
    "content_disposition": ("ContentDisposition", "attachment; filename=\"a b\""),
    "content_encoding": ("ContentEncoding", "gzip"), "content_language": ("ContentLanguage", "de, en"),
    "if_match": ("IfMatch", "\"0123456789abcdef\""), "if_none_match": ("IfNoneMatch", "*"),
    "range": ("Range", "bytes=0-9"), "storage_class": ("StorageClass", "STANDARD_IA"),
    "tagging": ("Tagging", "a=b&c=d%20e"), "acl": ("ACL", "private"), "request_payer": ("RequestPayer", "requester"),
    "website_redirect_location": ("WebsiteRedirectLocation", "/a b?c"), "metadata_directive": ("MetadataDirective", "REPLACE"),
    "tagging_directive": ("TaggingDirective", "COPY"), "expected_bucket_owner": ("ExpectedBucketOwner", "123456789012"),
    "server_side_encryption": ("ServerSideEncryption", "AES256"), "version_id": ("VersionId", "3/L4+kqt=&"),
    "response_cache_control": ("ResponseCacheControl", "no cache; +%"),
    "response_content_type": ("ResponseContentType", "text/x; a=\u00e9"),
    "response_content_disposition": ("ResponseContentDisposition", "inline; a=\"b/c\""),
    "copy_source_if_match": ("CopySourceIfMatch", "\"abc\""), "copy_source_if_none_match": ("CopySourceIfNoneMatch", "\"d\""),
    "prefix": ("Prefix", "a/b c+\u00e9%&="), "delimiter": ("Delimiter", "/"), "start_after": ("StartAfter", "~ \u20ac"),
    "continuation_token": ("ContinuationToken", "1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM="),
}
NUMBERS = {"part_number": ("PartNumber", 1, 10000), "max_keys": ("MaxKeys", 1, 1000)}
SHARED = ("request_payer", "expected_bucket_owner")
STORED = ("acl", "cache_control", "content_disposition", "content_encoding", "content_language", "content_type",
          "storage_class", "tagging", "website_redirect_location", "server_side_encryption") + SHARED
READ = ("if_match", "if_none_match", "range", "version_id", "part_number", "response_cache_control",
        "response_content_disposition", "response_content_type") + SHARED
OPERATIONS = {
    "put_object": ("put_object", STORED), "get_object": ("get_object", READ), "head_object": ("head_object", READ[:5] + SHARED),
    "delete_object": ("delete_object", ("version_id",) + SHARED), "head_bucket": ("head_bucket", SHARED[1:]),
    "delete_bucket": ("delete_bucket", SHARED[1:]), "create_bucket": ("create_bucket", ("acl",)), "list_buckets": ("list_buckets", ()),
    "get_bucket_location": ("get_bucket_location", SHARED[1:]),
    "list_objects_v2": ("list_objects_v2", ("prefix", "delimiter", "start_after", "continuation_token", "max_keys") + SHARED),
    "copy": ("copy_object", STORED + ("copy_source_if_match", "copy_source_if_none_match", "metadata_directive",
                                      "tagging_directive")),
    "delete_objects": ("delete_objects", SHARED),
}


class Theirs:
    """botocore's client, stopped before it sends."""

    def __init__(self, c, checksums="when_required"):
        session = botocore.session.Session()
        newer = {"request_checksum_calculation": checksums, "response_checksum_validation": checksums}
        try:
            Config(**newer)
        except TypeError:  # Debian's doesn't add checksums
            newer = {}
        style = {0: "path" if c["endpoint"] else "virtual", 1: "path", 2: "virtual"}[c["addressing"]]
        self.client = session.create_client(
            "s3", region_name=c["region"], endpoint_url=c["endpoint"], aws_access_key_id=c["key"],
            aws_secret_access_key=c["secret"], aws_session_token=c["token"],
            config=Config(signature_version="s3v4", s3={"addressing_style": style, "us_east_1_regional_endpoint": "regional"},
                          retries={"max_attempts": 0}, **newer))
        self.client.meta.events.register("before-send.s3", self.keep)

    def keep(self, request, **_):
        self.request = request
        response = AWSResponse(request.url, 200, {}, None)
        response._content = b"<a/>"
        return response

    def call(self, name, arguments):
        self.request = None
        try:
            getattr(self.client, name)(**arguments)
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError,
                botocore.parsers.ResponseParserError, AttributeError, KeyError):
            if self.request is None:
                raise
        return self.request


def text_of(value):
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def tree(body):
    """XML without its form: tags, texts, children in order; a list of objects keeps its order."""
    def walk(node):
        text = (node.text or "") if not len(node) else ""
        children = [walk(child) for child in node]
        return (node.tag, text, sorted(children) if node.tag.endswith("}Object") else children)
    try:
        return walk(ElementTree.fromstring(body)) if body else None
    except ElementTree.ParseError as error:
        return (str(error), body)


def random_operation(draw, driver, capture, c, theirs):
    rng = draw.rng
    ours = rng.choice(sorted(OPERATIONS))
    name, members = OPERATIONS[ours]
    arguments = {}
    if ours != "list_buckets":
        arguments["Bucket"] = draw.bucket()
        driver.tell("bucket", field(arguments["Bucket"]))
    if "object" in name and ours not in ("list_objects_v2", "delete_objects"):
        arguments["Key"] = draw.odd_text(1, 30)
        driver.tell("key", field(arguments["Key"]))
    for member in rng.sample(members, rng.randint(0, min(5, len(members)))):
        if member in NUMBERS:
            wire, low, high = NUMBERS[member]
            arguments[wire] = rng.randint(low, high)
            driver.tell("number", member, str(arguments[wire]))
        else:
            arguments[TEXTS[member][0]] = TEXTS[member][1]
            driver.tell("set", member, field(TEXTS[member][1]))
    if ours == "put_object":
        arguments["Body"] = draw.odd_bytes(1, 100)
        driver.tell("body", field(arguments["Body"]))
    if ours in ("put_object", "copy") and rng.random() < 0.5:
        arguments["Metadata"] = {"m%d-%s" % (i, rng.choice("abc")): "v  %d \"%s\"" % (i, rng.choice("xyz")) for i in range(3)}
        for pair in arguments["Metadata"].items():
            driver.tell("meta", *map(field, pair))
    if ours == "copy":
        source = draw.bucket(), draw.odd_text(1, 20).replace("?versionId=", "")
        version = rng.choice((None, "v/1+x="))
        arguments["CopySource"] = {"Bucket": source[0], "Key": source[1], **({"VersionId": version} if version else {})}
        driver.tell("set", "copy_source", field("/".join(source) + ("?versionId=" + version if version else "")))
    if ours == "delete_objects":
        objects = [{"Key": "k" + draw.odd_text(1, 9).translate({1: None, 0x7f: None, **{i: None for i in range(2, 9)},
                    **{i: None for i in range(0x0b, 0x20) if i != 0x0d}}), **({"VersionId": "v<&>"} if rng.random() < 0.3 else {})}
                   for _ in range(rng.randint(1, 9))]
        arguments["Delete"] = {"Objects": objects}
        for entry in objects:
            driver.tell("object", field(entry["Key"]), field(entry.get("VersionId")))
    if ours == "create_bucket" and rng.random() < 0.7:
        arguments["CreateBucketConfiguration"] = {"LocationConstraint": "eu-north-1"}
        driver.tell("constraint", field("eu-north-1"))

    before = len(capture.requests)
    code, text = driver.go(ours)
    what = "%s %d" % (ours, before)
    check(code == 0, what + ": result", text, arguments)
    if not check(len(capture.requests) == before + 1, what + ": sent", text):
        return
    line, pairs, body = capture.requests[-1]
    lower = check_signature(c, line, pairs, body, what)
    request = theirs.call(name, arguments)
    compare(c, what, arguments, line.decode(), lower, body, request)


def compare(c, what, arguments, line, lower, body, request):
    """Our request and botocore's."""
    method, target, _ = line.split(" ")
    parts = urlsplit(request.url)
    path, _, query = target.partition("?")
    check(method == request.method, what + ": method", method, request.method)
    if "list_buckets" in what or "get_bucket_location" in what or is_virtual(c, arguments["Bucket"]) == (
            parts.netloc.startswith(arguments["Bucket"] + ".")):
        check(path == (parts.path or "/"), what + ": path", path, parts.path)
        if "get_bucket_location" not in what:
            check(lower["host"] == parts.netloc.replace(":80", "") or lower["host"] == parts.netloc, what + ": host",
                  lower["host"], parts.netloc)
    else:  # e.g. dots over plain http: only the place of the bucket may differ
        check((lower["host"].split(".")[-1] + path).endswith(parts.path.rsplit("/", 1)[-1]), what + ": path's end")
    given = parse_qsl(query, keep_blank_values=True)
    wanted = parse_qsl(parts.query, keep_blank_values=True)
    wanted = [pair for pair in wanted if pair != ("x-id", method)]  # newer SDKs' statistics
    wanted = [(n, v) for n, v in wanted if n != "x-id" and (n, v) != ("encoding-type", "url")]
    check(sorted(given) == sorted(wanted), what + ": query", given, wanted)
    theirs = {name.lower(): " ".join(text_of(value).split()) for name, value in request.headers.items()
              if name.lower() not in EXPLAINED}
    mine = {name: " ".join(value.split()) for name, value in lower.items() if name not in EXPLAINED}
    check(mine == theirs, what + ": headers", mine, theirs)
    if "ContentType" in arguments:
        check(lower["content-type"] == arguments["ContentType"], what + ": content-type")
    wanted_body = request.body or b""
    wanted_body = wanted_body if isinstance(wanted_body, (bytes, bytearray)) else wanted_body.read()
    if "put_object" in what:
        check(body == arguments["Body"], what + ": body")
    else:
        check(tree(body) == tree(bytes(wanted_body)), what + ": XML", body, wanted_body)
    if "delete_objects" in what or "put_object" in what:
        crc = base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
        check(lower.get("x-amz-checksum-crc32") == crc, what + ": CRC32")
        check(lower.get("x-amz-sdk-checksum-algorithm") == "CRC32", what + ": algorithm")
    check(lower.get("x-amz-checksum-mode") == ("ENABLED" if " get_object" in " " + what else None),
          what + ": checksum mode")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--driver")
    options = parser.parse_args()
    for name in list(os.environ):
        if name.startswith("AWS_"):
            del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    with tempfile.TemporaryDirectory() as folder:
        capture = Capture()
        driver = Driver(options.driver or build(folder), capture.port)
        draw = Draw(options.seed)
        calls = options.count * 7 // 10
        for i in range(options.count):
            if i % 20 == 0:  # kept connections and signing keys in between
                c = draw.config()
                good = configure(driver, c)
                theirs = Theirs(c) if i >= calls else None
            if not good:
                continue
            if i < calls:
                random_call(draw, driver, capture, c)
            else:
                if theirs is None:
                    theirs = Theirs(c)
                random_operation(draw, driver, capture, c, theirs)
        check(driver.close() == 0, "the driver's end")
        check(len(capture.requests) == options.count, "all were sent", len(capture.requests))
        print("test_botocore: botocore %s, seed %d, %d requests on %d connections"
              % (botocore.__version__, options.seed, len(capture.requests), capture.connections))
    print("test_botocore: %d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
