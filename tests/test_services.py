#!/usr/bin/env python3
"""test_services.py - requests and errors of every protocol, against the peers' vectors and botocore.

SPDX-License-Identifier: MIT

    python3 tests/test_services.py [--driver FILE]

tests/service_driver.c performs what is described here over a port in memory and prints what was
sent and understood.
  - protocol_errors.jsonl: code and message of each error answer.
  - protocol_input.jsonl: each request, its parts given to us undone (path, query and form decoded),
    must come out as it was. What doesn't apply is listed with its reason.
  - service_endpoint_rules.jsonl: the host of each service in each region.
  - botocore: real actions of the ready services; method, host, path, headers, body, signature.
"""
import argparse
import collections
import json
import os
import re
import subprocess
import sys
from urllib.parse import parse_qsl, unquote, urlsplit

try:
    import botocore.session
    from botocore.config import Config
except ImportError:
    if os.path.realpath(sys.executable) != os.path.realpath("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])
    botocore = None

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

VECTORS = os.environ.get("AWS_TEST_VECTORS", "../shared/vectors")
ACCESS, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
NOW = 1767323045
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n<a/>"
passed = failed = 0
Answer = collections.namedtuple("Answer", "result host port sent status code message request_id stored text")


def check(good, what, *details):
    global passed, failed
    if good:
        passed += 1
        return True
    failed += 1
    if failed <= 20:
        print("FAILED: %s" % what, *(str(detail)[:700] for detail in details), sep="\n    ", file=sys.stderr)
    return False


def rows(name):
    path = os.path.join(VECTORS, name)
    if not os.path.exists(path):
        print("NOTE: the peers' vectors %s aren't there: NOT tested" % path)
        return []
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


class Driver:
    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def tell(self, word, *fields):
        self.process.stdin.write((" ".join([word, *fields]) + "\n").encode())

    def config(self, region="us-east-1", endpoint=None, token=None):
        self.tell("config", field(region), field(endpoint), field(ACCESS), field(SECRET), field(token), str(NOW))

    def go(self, answer=OK):
        self.tell("answer", field(answer))
        self.tell("go")
        self.process.stdin.flush()
        words = self.process.stdout.readline().decode().split()
        texts = [bytes.fromhex(word[:-1]) if word.endswith("-") else int(word) for word in words]
        return Answer(*(t.decode("utf-8", "replace") if isinstance(t, bytes) and i not in (3, 8) else t
                        for i, t in enumerate(texts)))

    def close(self):
        self.process.stdin.close()
        return self.process.wait()


def field(text):
    if text is None:
        return "-"
    return (text if isinstance(text, bytes) else text.encode()).hex() or "."


def split(sent):
    """Method, target, headers in lower case, body."""
    head, _, body = sent.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    method, target, _ = lines[0].split(" ")
    return method, target, {n.lower(): v for n, v in (line.split(": ", 1) for line in lines[1:])}, body


def protocol_name(metadata):
    name = metadata["protocol"]
    if name == "json":
        return "json_" + metadata.get("jsonVersion", "1.0").replace(".", "_")
    return name.replace("-", "_")


# ---- Errors ----

def test_errors(driver):
    for row in rows("protocol_errors.jsonl"):
        response = row["response"]
        body = response["body"].encode()
        headers = "".join("%s: %s\r\n" % pair for pair in response["headers"].items())
        answer = ("HTTP/1.1 %d x\r\n%sContent-Length: %d\r\n\r\n" % (response["status_code"], headers, len(body))
                  ).encode() + body
        driver.tell("own", protocol_name(row["metadata"]), field("v"), "0")
        driver.config()
        driver.tell("operation", field(row["op"]))
        got = driver.go(answer)
        want = row["errorCode"], row["errorMessage"] or row["error"].get("Message") or ""
        check((got.code, got.message) == want and got.result == -19 and got.status == response["status_code"],
              "error %s %s" % (row["src"], row["case"]), got, want)


# ---- Requests ----

# Rows that want something else than we send.
OTHER_BODY = {
    "sends_requests_to_slash": "an old row without a body: {} is sent, as newer rows want it",
    "includes_x_amz_target_and_content_type": "an old row without a body: {} is sent, as newer rows want it",
}
LITERAL = {"RestJsonToleratesRegexCharsInSegments": ("/ReDosLiteral/{s}/(a+)+", {"s": "abc"})}


def input_reason(row):
    """Why a row says nothing about us."""
    serialized = row["serialized"]
    if row["metadata"]["protocol"] == "smithy-rpc-v2-cbor":
        return "CBOR: no ready service needs it, boto3 itself prefers JSON"
    if "host" in serialized:
        return "host prefixes by a trait: the endpoint is the program's"
    if "Content-Encoding" in serialized.get("headers", {}) or "Content-MD5" in serialized.get("headers", {}):
        return "compression or checksum of the body: the program's"
    return None


def test_input(driver):
    reasons = collections.Counter()
    for row in rows("protocol_input.jsonl"):
        reason = input_reason(row)
        if reason:
            reasons[reason] += 1
            continue
        one_input(driver, row, reasons)
    for reason, count in sorted(reasons.items()):
        print("not applicable: %3d rows of protocol_input.jsonl: %s" % (count, reason))


def describe_path(driver, uri):
    """The path as a template with each segment a label, and the query, decoded."""
    path, _, query = uri.partition("?")
    template = []
    for i, segment in enumerate(path.split("/")[1:]):
        template.append("{s%d}" % i if segment else "")
        if segment:
            driver.tell("label", field("s%d" % i), field(unquote(segment)))
    driver.tell("path", field("/" + "/".join(template)))
    for name, value in parse_qsl(query, keep_blank_values=True):
        driver.tell("query", field(name), field(value))
    return path, query


def one_input(driver, row, reasons):
    serialized, protocol = row["serialized"], row["metadata"]["protocol"]
    headers = dict(serialized.get("headers", {}))
    body = serialized.get("body", "")
    uri = serialized.get("uri", "/")
    form = protocol in ("query", "ec2")
    version = row["metadata"].get("apiVersion" if form else "targetPrefix")
    driver.tell("own", protocol_name(row["metadata"]), field(version),
                "2" if headers.pop("X-Amzn-Query-Mode", headers.pop("x-amzn-query-mode", None)) else "0")
    driver.config()
    driver.tell("operation", field(row["op"]))
    driver.tell("method", field(serialized.get("method", "POST")))
    if row["id"] in LITERAL:  # signs in the template itself aren't encoded
        (template, labels), path, query = LITERAL[row["id"]], uri, ""
        driver.tell("path", field(template))
        for label in labels.items():
            driver.tell("label", *map(field, label))
    else:
        path, query = describe_path(driver, uri)
    expected_type = headers.pop("Content-Type", None)
    target = headers.pop("X-Amz-Target", None)
    for name, value in headers.items():
        driver.tell("header", field(name), field(value))
    if form:
        for name, value in parse_qsl(body, keep_blank_values=True)[2:]:
            driver.tell("form", field(name), field(value))
    elif body not in ("", "{}") or (body and protocol == "rest-json"):
        driver.tell("body", field(body))
        if expected_type:
            driver.tell("type", field(expected_type))
    got = driver.go()
    name = "request %s %s %s" % (row["src"], row["id"], row["case"])
    if not check(got.sent, name + " was sent", got.text):
        return
    method, sent_target, sent, sent_body = split(got.sent)
    sent_path, _, sent_query = sent_target.partition("?")
    check(method == serialized.get("method", "POST"), name + ": method", method)
    check(sent_path == path, name + ": path", sent_path, path)
    check(sorted(parse_qsl(sent_query, True)) == sorted(parse_qsl(query, True)), name + ": query", sent_query, query)
    for header, value in headers.items():
        check(sent.get(header.lower()) == value.strip(), name + ": header " + header, sent.get(header.lower()), value)
    check(sent.get("x-amz-target") == target, name + ": target", sent.get("x-amz-target"), target)
    if form:
        check(parse_qsl(sent_body.decode(), True) == parse_qsl(body, True), name + ": form", sent_body, body)
    elif row["id"] in OTHER_BODY:
        reasons[OTHER_BODY[row["id"]]] += 1
        check((body, sent_body) == ("", b"{}"), name + ": body", sent_body, body)
    else:
        check(sent_body.decode() == body, name + ": body", sent_body, body)
    if expected_type:
        check(sent.get("content-type", "").split(";")[0] == expected_type.split(";")[0], name + ": type",
              sent.get("content-type"), expected_type)


# ---- Hosts ----

NAMES = {"iot-data": "iot_data"}


def endpoint_reason(row):
    params = row["params"]
    if "Endpoint" in params and "dual-stack endpoints" in row["expect"].get("error", ""):
        return "an endpoint override of a dual-stack host: taken, as it is the program's word"
    return None


# (service, region) -> why our host is another one
OTHER_HOST = {
    ("iot-data", "cn-north-1"): "data.ats.iot in one region of China: give the account's own endpoint",
}


def test_endpoints(driver):
    reasons = collections.Counter()
    for row in rows("service_endpoint_rules.jsonl"):
        params, expect = row["params"], row["expect"]
        flags = bool(params.get("UseDualStack")) + 2 * bool(params.get("UseFIPS"))
        reason = endpoint_reason(row) or not flags and OTHER_HOST.get((row["service"], params.get("Region")))
        if reason:
            reasons[reason] += 1
            continue
        driver.tell("service", NAMES.get(row["service"], row["service"]))
        driver.config(params.get("Region"), params.get("Endpoint"))
        if flags or row["n"] % 2:
            driver.tell("addresses", ("service", "s3")[row["n"] % 2], str(flags))
        driver.tell("operation", field("Op"))
        got = driver.go()
        name = "host %s %s" % (row["service"], params)
        if "error" in expect:
            why = "Endpoint" in params and params.get("Region") and "dual-stack, FIPS and accelerate"
            check(got.result == -2 and (why or "no region") in got.text, name, got.text, expect)
            continue
        if not params.get("Region"):
            reasons["an endpoint without a region: we need one to sign for"] += 1
            check("no region" in got.text, name, got.text)
            continue
        check(got.host == urlsplit(expect["endpoint"]["url"]).netloc, name, got.host, got.text, expect)
        for scheme in expect["endpoint"].get("properties", {}).get("authSchemes", []):
            check("/%s/" % scheme["signingRegion"] in split(got.sent)[2]["authorization"], name + ": region")
    for reason, count in sorted(reasons.items()):
        print("not applicable: %3d rows of service_endpoint_rules.jsonl: %s" % (count, reason))


# ---- botocore ----

def actions():
    """Service of ours, botocore's name of it, action, arguments, and path template with labels."""
    key = {"id": {"S": "a\u00e4\"\\"}}
    odd = "x y+/%&=\u20ac~*'()!"
    return [
        ("dynamodb", "dynamodb", "PutItem", {"TableName": "t", "Item": {"n": {"N": "1.5"}, **key}}, None, {}),
        ("dynamodb", "dynamodb", "ListTables", {}, None, {}),
        ("sqs", "sqs", "SendMessage", {"QueueUrl": "https://q/1/q", "MessageBody": odd}, None, {}),
        ("kinesis", "kinesis", "PutRecord", {"StreamName": "s", "Data": b"\0\xff", "PartitionKey": "p"}, None, {}),
        ("logs", "logs", "DescribeLogGroups", {"limit": 3}, None, {}),
        ("secretsmanager", "secretsmanager", "GetSecretValue", {"SecretId": "s"}, None, {}),
        ("ssm", "ssm", "GetParameter", {"Name": "/a/b", "WithDecryption": True}, None, {}),
        ("kms", "kms", "Encrypt", {"KeyId": "k", "Plaintext": b"secret"}, None, {}),
        ("ec2", "ec2", "DescribeInstances", {"InstanceIds": ["i-1", "i-2"], "MaxResults": 5,
                                             "Filters": [{"Name": "tag:a b", "Values": [odd, "2"]}]}, None, {}),
        ("sts", "sts", "AssumeRole", {"RoleArn": "arn:aws:iam::123456789012:role/r", "RoleSessionName": "s1",
                                      "Tags": [{"Key": "k", "Value": odd}]}, None, {}),
        ("sts", "sts", "GetCallerIdentity", {}, None, {}),
        ("iam", "iam", "CreateUser", {"UserName": "u", "Path": "/p/"}, None, {}),
        ("sns", "sns", "Publish", {"TopicArn": "arn:aws:sns:us-east-1:1:t", "Message": odd, "MessageAttributes": {
            "a": {"DataType": "String", "StringValue": "v"}}}, None, {}),
        ("lambda", "lambda", "Invoke", {"FunctionName": "arn:aws:lambda:us-east-1:1:function:f", "Payload": b"{}",
                                        "InvocationType": "Event", "Qualifier": "$LATEST"},
         "/2015-03-31/functions/{f}/invocations", {"f": "arn:aws:lambda:us-east-1:1:function:f"}),
        ("lambda", "lambda", "ListFunctions", {"MaxItems": 3, "Marker": odd}, "/2015-03-31/functions", {}),
        ("iot", "iot", "CreateThing", {"thingName": "a:b", "attributePayload": {"attributes": {"k": "v"}}},
         "/things/{t}", {"t": "a:b"}),
        ("iot", "iot", "ListThings", {"maxResults": 2, "attributeName": odd}, "/things", {}),
        ("iot_data", "iot-data", "Publish", {"topic": "a/b " + odd, "payload": b"\0hello", "qos": 1},
         "/topics/{t}", {"t": "a/b " + odd}),
        ("iot_data", "iot-data", "GetThingShadow", {"thingName": "t"}, "/things/{t}/shadow", {"t": "t"}),
    ]


class Sent(Exception):
    pass


def ask_botocore(name, action, arguments, region, token):
    from make_vectors import freeze
    freeze(NOW)
    session = botocore.session.get_session()
    client = session.create_client(name, region_name=region, aws_access_key_id=ACCESS, aws_secret_access_key=SECRET,
                                   aws_session_token=token, config=Config(retries={"max_attempts": 0}))
    kept = []

    def keep(request, **_):
        kept.append(request)
        raise Sent

    client.meta.events.register("before-send", keep)
    try:
        client._make_api_call(action, arguments)
    except Sent:
        pass
    return kept[0]


def test_botocore(driver):
    if not botocore:
        print("NOTE: no botocore (Debian: python3-botocore): NOT compared with it")
        return
    for ours, name, action, arguments, template, labels in actions():
        for region, token in (("us-east-1", None), ("eu-west-1", "To/ken+=")):
            try:
                want = ask_botocore(name, action, arguments, region, token)
            except Exception as error:  # an old botocore that doesn't know the action
                print("NOTE: botocore can't %s %s: %r" % (name, action, error))
                continue
            one_action(driver, ours, action, template, labels, region, token, want)


def one_action(driver, ours, action, template, labels, region, token, want):
    url = urlsplit(want.url)
    headers = {n.lower(): v if isinstance(v, str) else v.decode() for n, v in want.headers.items()}
    body = want.body if isinstance(want.body, bytes) else (want.body or "").encode()
    form = headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    name = "%s %s in %s" % (ours, action, region)
    driver.tell("service", ours)
    driver.config(region, None, token)
    driver.tell("operation", field(action))
    if template:
        driver.tell("method", field(want.method))
        driver.tell("path", field(template))
    for label, value in labels.items():
        driver.tell("label", field(label), field(value))
    for pair in parse_qsl(url.query, keep_blank_values=True):
        driver.tell("query", *map(field, pair))
    old_sqs = ours == "sqs" and form  # botocore of 2022 spoke the query protocol to SQS
    if form and not old_sqs:
        for pair in parse_qsl(body.decode(), keep_blank_values=True)[2:]:
            driver.tell("form", *map(field, pair))
    elif body and not old_sqs:
        driver.tell("body", field(body))
        driver.tell("type", field(headers.get("content-type", "")))
    for header in ("x-amz-invocation-type",):
        if header in headers:
            driver.tell("header", field(header), field(headers[header]))
    got = driver.go()
    if not check(got.sent, name + " was sent", got.text) or old_sqs:
        return
    method, target, sent, sent_body = split(got.sent)
    check(method == want.method, name + ": method", method)
    if (ours, region) != ("sts", "us-east-1"):  # old botocore: the global host, deliberately not ours
        check(got.host == url.netloc, name + ": host", got.host, url.netloc)
    check(target.partition("?")[0] == url.path, name + ": path", target, want.url)
    check(sorted(parse_qsl(urlsplit(target).query, True)) == sorted(parse_qsl(url.query, True)), name + ": query",
          target, want.url)
    check(parse_qsl(sent_body.decode(), True) == parse_qsl(body.decode(), True) if form else sent_body == body,
          name + ": body", sent_body, body)
    for header in ("content-type", "x-amz-target", "x-amz-date", "x-amz-security-token", "x-amz-invocation-type"):
        check(sent.get(header) == headers.get(header), name + ": " + header, sent.get(header), headers.get(header))
    same = sent_body == body and got.host == url.netloc and urlsplit(target).query == url.query
    signature = re.compile(r"Signature=([0-9a-f]{64})")
    if same:
        check(sent["authorization"] == headers["authorization"], name + ": signature", sent["authorization"],
              headers["authorization"])
    else:
        check(signature.search(sent["authorization"]), name + ": signed")
        signed_by_botocore(name, method, got, target, sent, sent_body, region, token)


def signed_by_botocore(name, method, got, target, sent, body, region, token):
    """botocore's signature of the request that we sent."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    scope = sent["authorization"].split("Credential=")[1].split(",")[0].split("/")
    request = AWSRequest(method=method, url="https://" + got.host + target, data=body)
    for header in sent["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";"):
        if header not in ("host", "x-amz-date", "x-amz-security-token"):
            request.headers[header] = sent[header]
    SigV4Auth(Credentials(ACCESS, SECRET, token), scope[3], scope[2]).add_auth(request)
    check(request.headers["Authorization"] == sent["authorization"], name + ": signature", sent["authorization"],
          request.headers["Authorization"])


# ---- A third party's service ----

def test_third_party():
    with open(os.path.join(HERE, "third_party.h"), encoding="utf-8") as file:
        text = file.read()
    with open(os.path.join(HERE, "..", "aws.h"), encoding="utf-8") as file:
        public = file.read().split("/* ---- Private from here on")[0]
    names = set(re.findall(r"\b(?:aws|AWS)_\w+", text)) - {"aws_h"}
    services = re.findall(r"^ +X\((\w+), \"", public, re.M)
    known = set(re.findall(r"\b(?:aws|AWS)_\w+", public)) | {"aws_" + name for name in ("json_1_1", *services)}
    check(names and names <= known, "third_party.h needs only what is public", names - known)
    check(not any(name.startswith("aws_i_") or name.startswith("AWS_I_") for name in names), "no private names")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--driver")
    path = parser.parse_args().driver
    if not path:
        path = os.environ.get("DRIVERS", "build/plain") + "/service_driver"
        subprocess.run(["make", "-s", path], check=True)
    driver = Driver(path)
    test_errors(driver)
    test_input(driver)
    test_endpoints(driver)
    test_botocore(driver)
    test_third_party()
    check(driver.close() == 0, "the driver ended well")
    print("test_services.py: %d passed, %d failed" % (passed, failed))
    return failed != 0 or passed == 0


if __name__ == "__main__":
    sys.exit(main())
