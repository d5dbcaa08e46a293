#!/usr/bin/env python3
"""A small S3 server for tests and demos: one file, standard library only, loopback only.

It checks every request the way AWS does (Signature Version 4, payload hash, checksums), keeps
objects in memory, and can misbehave on demand: see the admin interface under /_test/ (class
Admin) and the list of faults (class Faults).

Large objects cost no memory: a body over 16 MiB is kept only as its size, its hashes and the fact
whether it was the pattern stream P, whose byte i is

    (i * 167 + (i >> 8) * 59 + (i >> 16) * 31) & 255

P repeats after 16 MiB, so any part of such an object can be made again. A GET of a key named
gen-SIZE that nobody has stored yields SIZE bytes of P.

When the server is ready it prints one line: ready http=PORT https=PORT ca=FILE pid=PID
"""

import argparse
import base64
import binascii
import bisect
import calendar
import collections
import email.utils
import fcntl
import functools
import hashlib
import hmac
import http.client
import json
import os
import random
import re
import secrets
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
import traceback
import urllib.parse
import xml.etree.ElementTree
import zlib

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
ADMIN_PREFIX = "/_test/"
OWNER_ID = "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a"
HOST_ID = base64.b64encode(hashlib.sha384(b"s3_server.py").digest()).decode()

MIB = 1 << 20
KEEP_LIMIT = 16 * MIB           # larger bodies are not kept in memory
PUT_LIMIT = 5 * 1024 * MIB
DRAIN_LIMIT = 16 * MIB          # refused bodies up to here are read, so the connection survives
PIECE = 256 * 1024
HEAD_LIMIT = 64 * 1024
SMALL_ANSWER = 64 * 1024        # head and body up to here go out in one send
IDLE_SECONDS = 60
LINGER_SECONDS = 2
MAX_SKEW_SECONDS = 15 * 60
MAX_PRESIGN_SECONDS = 7 * 24 * 3600
MAX_KEY_BYTES = 1024
MAX_METADATA_BYTES = 2048
MAX_PARTS = 10000


# ---------------------------------------------------------------------------------------------
# Errors

ERRORS = {
    "AccessDenied": (403, "Access Denied"),
    "AuthorizationHeaderMalformed": (400, "The authorization header you provided is invalid."),
    "AuthorizationQueryParametersError": (400, "Error parsing the presigned query parameters."),
    "BadDigest": (400, "The Content-MD5 you specified did not match what we received."),
    "BadRequest": (400, "An error occurred when parsing the HTTP request."),
    "BucketAlreadyOwnedByYou": (409, "Your previous request to create the named bucket succeeded "
                                     "and you already own it."),
    "BucketNotEmpty": (409, "The bucket you tried to delete is not empty"),
    "EntityTooLarge": (400, "Your proposed upload exceeds the maximum allowed size"),
    "EntityTooSmall": (400, "Your proposed upload is smaller than the minimum allowed size"),
    "IncompleteBody": (400, "You did not provide the number of bytes specified by the "
                            "Content-Length HTTP header"),
    "InternalError": (500, "We encountered an internal error. Please try again."),
    "InvalidAccessKeyId": (403, "The AWS Access Key Id you provided does not exist in our "
                                "records."),
    "InvalidArgument": (400, "Invalid Argument"),
    "InvalidBucketName": (400, "The specified bucket is not valid."),
    "InvalidDigest": (400, "The Content-MD5 you specified was invalid."),
    "InvalidLocationConstraint": (400, "The specified location-constraint is not valid"),
    "InvalidPart": (400, "One or more of the specified parts could not be found. The part may not "
                         "have been uploaded, or the specified entity tag may not match the "
                         "part's entity tag."),
    "InvalidPartOrder": (400, "The list of parts was not in ascending order. Parts must be "
                              "ordered by part number."),
    "InvalidRange": (416, "The requested range is not satisfiable"),
    "InvalidRequest": (400, "Invalid Request"),
    "InvalidToken": (400, "The provided token is malformed or otherwise invalid."),
    "InvalidURI": (400, "Couldn't parse the specified URI."),
    "KeyTooLongError": (400, "Your key is too long"),
    "MalformedXML": (400, "The XML you provided was not well-formed or did not validate against "
                          "our published schema"),
    "MetadataTooLarge": (400, "Your metadata headers exceed the maximum allowed metadata size"),
    "MethodNotAllowed": (405, "The specified method is not allowed against this resource."),
    "MissingContentLength": (411, "You must provide the Content-Length HTTP header."),
    "NoSuchBucket": (404, "The specified bucket does not exist"),
    "NoSuchKey": (404, "The specified key does not exist."),
    "NoSuchUpload": (404, "The specified upload does not exist. The upload ID may be invalid, or "
                          "the upload may have been aborted or completed."),
    "NotImplemented": (501, "A header you provided implies functionality that is not implemented"),
    "PreconditionFailed": (412, "At least one of the pre-conditions you specified did not hold"),
    "RequestTimeTooSkewed": (403, "The difference between the request time and the current time "
                                  "is too large."),
    "RequestTimeout": (400, "Your socket connection to the server was not read from or written "
                            "to within the timeout period. Idle connections will be closed."),
    "SignatureDoesNotMatch": (403, "The request signature we calculated does not match the "
                                   "signature you provided. Check your key and signing method."),
    "SlowDown": (503, "Please reduce your request rate."),
    "XAmzContentSHA256Mismatch": (400, "The provided 'x-amz-content-sha256' header does not match "
                                       "what was computed."),
}

# What a fault with only a status says.
CODE_OF_STATUS = {400: "InvalidRequest", 403: "AccessDenied", 404: "NoSuchKey",
                  500: "InternalError", 503: "SlowDown"}


class S3Error(Exception):
    """An error answer: a code, a message and the extra elements of its XML."""

    def __init__(self, code, message=None, fields=None, status=None):
        known_status, known_message = ERRORS.get(code, (400, code))
        super().__init__(code)
        self.code = code
        self.status = status or known_status
        self.message = message or known_message
        self.fields = fields or {}


# ---------------------------------------------------------------------------------------------
# The pattern stream P, and the content of objects

BLOCK = 1 << 16
PERIOD = 1 << 24
BLOCK_OF_FIRST_BYTE = 223       # 223 * 31 = 1 (mod 256): a block's first byte names the block


@functools.lru_cache(maxsize=1)
def pattern_period():
    """One period of P. Its 256 blocks differ only by a constant added to every byte."""
    first = bytes((j * 167 + (j >> 8) * 59) & 255 for j in range(BLOCK))
    ring = bytes(range(256)) * 2
    shifts = (31 * block & 255 for block in range(256))
    return b"".join(first.translate(ring[shift:shift + 256]) for shift in shifts)


def pattern_pieces(offset, size):
    period = memoryview(pattern_period())
    while size > 0:
        start = offset % PERIOD
        count = min(size, PIECE, PERIOD - start)
        yield period[start:start + count]
        offset += count
        size -= count


class PatternMatcher:
    """Tells whether a stream is P from some block on; parts of an upload start inside P."""

    def __init__(self):
        self.phase = None
        self.count = 0
        self.matches = True

    def update(self, data):
        if self.phase is None:
            self.phase = data[0] * BLOCK_OF_FIRST_BYTE % 256 * BLOCK
        while data and self.matches:
            start = (self.phase + self.count) % PERIOD
            piece = data[:PERIOD - start]
            self.matches = pattern_period().startswith(piece, start)
            self.count += len(piece)
            data = data[len(piece):]


class Kept:
    """Content held in memory."""

    readable = True

    def __init__(self, data):
        self.data = data
        self.size = len(data)

    def pieces(self, start, stop):
        if stop > start:
            yield self.data if stop - start == self.size else memoryview(self.data)[start:stop]


class Pattern:
    """A stretch of P, made again whenever it is read."""

    readable = True

    def __init__(self, phase, size):
        self.phase = phase
        self.size = size

    def pieces(self, start, stop):
        return pattern_pieces(self.phase + start, stop - start)


class Lost:
    """Content that was too large to keep and was not P."""

    readable = False

    def __init__(self, size):
        self.size = size


class Joined:
    """The parts of a multipart upload, one after the other."""

    def __init__(self, parts):
        self.parts = parts
        self.size = sum(part.size for part in parts)
        self.readable = all(part.readable for part in parts)

    def pieces(self, start, stop):
        for part in self.parts:
            if start < part.size and stop > 0:
                yield from part.pieces(max(start, 0), min(stop, part.size))
            start -= part.size
            stop -= part.size


NOTHING = Kept(b"")


# ---------------------------------------------------------------------------------------------
# Checksums and the intake of a body

class Crc32:
    def __init__(self):
        self.value = 0

    def update(self, data):
        self.value = zlib.crc32(data, self.value)

    def digest(self):
        return struct.pack(">I", self.value)


@functools.lru_cache(maxsize=None)
def crc_table(polynomial):
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (polynomial if value & 1 else 0)
        table.append(value)
    return table


class TableCrc:
    """A reflected CRC, byte by byte: some 10 MB/s, enough for the bodies of tests."""

    def __init__(self, width, polynomial):
        self.bytes = width // 8
        self.mask = self.value = (1 << width) - 1
        self.table = crc_table(polynomial)

    def update(self, data):
        table, value = self.table, self.value
        for byte in data:
            value = table[(value ^ byte) & 255] ^ value >> 8
        self.value = value

    def digest(self):
        return (self.value ^ self.mask).to_bytes(self.bytes, "big")


CHECKSUMS = {
    "crc32": Crc32,
    "crc32c": functools.partial(TableCrc, 32, 0x82F63B78),
    "crc64nvme": functools.partial(TableCrc, 64, 0x9A6C9329AC4BC9B5),
    "sha1": hashlib.sha1,
    "sha256": hashlib.sha256,
}


def from_base64(text):
    """The bytes of strict base64 text, or None."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


class Intake:
    """Takes a request body piece by piece; keeps its hashes and as much of it as is sensible."""

    def __init__(self, algorithm=None, maybe_large=False, payload_hash=None):
        self.size = 0
        self.kept = []
        self.md5 = hashlib.md5()
        self.payload_hash = payload_hash
        self.sha256 = hashlib.sha256() if payload_hash else None    # the slowest of all
        self.algorithm = algorithm
        self.checksum = CHECKSUMS[algorithm]() if algorithm else None
        self.matcher = PatternMatcher() if maybe_large else None

    def update(self, data):
        self.size += len(data)
        self.md5.update(data)
        for sink in (self.sha256, self.checksum, self.matcher):
            if sink:
                sink.update(data)
        self.keep(data)

    def keep(self, data):
        if self.size <= KEEP_LIMIT:
            self.kept.append(data)
        else:
            self.kept = None        # bodies only grow: never used again

    def is_pattern(self):
        return self.matcher is not None and self.matcher.matches and self.size > BLOCK

    def content(self):
        if self.is_pattern():
            return Pattern(self.matcher.phase, self.size)
        return Lost(self.size) if self.kept is None else Kept(b"".join(self.kept))

    def data(self):
        """The whole body, for requests that carry XML."""
        if self.kept is None:
            raise S3Error("MalformedXML")
        return b"".join(self.kept)

    def verify(self, headers):
        """Compares the body with every hash that the request's head promised."""
        self.verify_payload_hash()
        self.verify_md5(headers.get("content-md5"))
        self.verify_checksum(headers)

    def verify_payload_hash(self):
        computed = self.sha256.hexdigest() if self.sha256 else None
        if computed != self.payload_hash:
            raise S3Error("XAmzContentSHA256Mismatch", fields={
                "ClientComputedContentSHA256": self.payload_hash,
                "S3ComputedContentSHA256": computed})

    def verify_md5(self, text):
        if text is None:
            return
        expected = from_base64(text)
        if expected is None or len(expected) != 16:
            raise S3Error("InvalidDigest", fields={"Content-MD5": text})
        if expected != self.md5.digest():
            calculated = base64.b64encode(self.md5.digest()).decode()
            raise S3Error("BadDigest", fields={"ExpectedDigest": text,
                                               "CalculatedDigest": calculated})

    def verify_checksum(self, headers):
        if not self.algorithm:
            return
        name = "x-amz-checksum-" + self.algorithm
        expected = from_base64(headers[name])
        if expected is None or len(expected) != len(self.checksum.digest()):
            raise S3Error("InvalidRequest", f"Value for {name} header is invalid.")
        if expected != self.checksum.digest():
            raise S3Error("BadDigest", f"The {self.algorithm.upper()} you specified did not match "
                                       "the calculated checksum.")

    def stored_checksum(self):
        """The (algorithm, base64 value) to keep with the object, or None."""
        if not self.algorithm:
            return None
        return self.algorithm, base64.b64encode(self.checksum.digest()).decode()


# ---------------------------------------------------------------------------------------------
# Times and XML

def iso_time(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(seconds))


@functools.lru_cache(maxsize=256)
def http_time(seconds):
    return email.utils.formatdate(seconds, usegmt=True)


def parse_http_time(text):
    try:
        return email.utils.parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError):
        return None


@functools.lru_cache(maxsize=64)
def parse_amz_time(text):
    if not re.fullmatch(r"\d{8}T\d{6}Z", text):
        return None
    try:
        return calendar.timegm(time.strptime(text, "%Y%m%dT%H%M%SZ"))
    except ValueError:
        return None


XML_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
XML_SPECIAL = re.compile('[&<>"\x00-\x1f\x7f-\x9f]')


def xml_reference(match):
    return XML_NAMED.get(match[0]) or f"&#x{ord(match[0]):x};"


def xml_escape(text):
    return XML_SPECIAL.sub(xml_reference, text)


def tag(name, value):
    return f"<{name}>{xml_escape(str(value))}</{name}>"


def group(name, *children):
    return f"<{name}>{''.join(children)}</{name}>"


def truth(value):
    return "true" if value else "false"


def parse_xml(data, root):
    """The children of the root element, which must have this name; namespaces are dropped."""
    try:
        tree = xml.etree.ElementTree.fromstring(data)
    except xml.etree.ElementTree.ParseError:
        raise S3Error("MalformedXML") from None
    for node in tree.iter():
        node.tag = node.tag.rpartition("}")[2]
    if tree.tag != root:
        raise S3Error("MalformedXML")
    return tree


# ---------------------------------------------------------------------------------------------
# Requests

TARGET = re.compile(r"/[!-~]*")
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
BAD_VALUE = re.compile("[\r\n\0]")
VIRTUAL_HOST = re.compile(r"(.+?)(?:\.aws)?\.localhost")


def decode_component(text):
    try:
        return urllib.parse.unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise S3Error("InvalidURI") from None


def encode_component(text, safe=""):
    return urllib.parse.quote(text, safe=safe + "-_.~")


def parse_query(text):
    pairs = []
    for item in text.split("&") if text else ():
        name, _, value = item.replace("+", " ").partition("=")
        pairs.append((decode_component(name), decode_component(value)))
    return pairs


def parse_header_lines(lines):
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not TOKEN.fullmatch(name) or BAD_VALUE.search(value):
            raise S3Error("BadRequest")
        name, value = name.lower(), value.strip(" \t")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


def virtual_bucket(host):
    """The bucket that a host name like bucket.localhost or bucket.aws.localhost names."""
    name = host.rpartition(":")[0] or host
    match = VIRTUAL_HOST.fullmatch(name)
    return match[1] if match and name != "aws.localhost" else None


def random_id():
    return f"{random.getrandbits(64):016X}"


class Request:
    """The head of a request, taken apart; paths are byte exact, decoded once and never tidied."""

    def __init__(self, head):
        self.id = random_id()
        self.head = head
        self.intake = None
        self.payload_hash = None
        self.coding = None          # AwsChunked
        lines = head.decode("latin-1").split("\r\n")
        self.parse_start(lines[0])
        self.headers = parse_header_lines(lines[1:])
        self.parse_framing()
        self.bucket = self.key = self.error = None
        self.pairs = []
        try:
            self.parse_resource()
            self.pairs = parse_query(self.raw_query)
        except S3Error as error:
            self.error = error      # the framing is fine, so this gets a normal answer
        self.query = dict(self.pairs)

    def parse_start(self, line):
        parts = line.split(" ")
        if len(parts) != 3 or not TOKEN.fullmatch(parts[0]) or not TARGET.fullmatch(parts[1]):
            raise S3Error("BadRequest")
        self.method, self.target, self.version = parts
        if self.version not in ("HTTP/1.1", "HTTP/1.0"):
            raise S3Error("BadRequest")
        self.path, _, self.raw_query = self.target.partition("?")

    def parse_framing(self):
        length = self.headers.get("content-length")
        coding = self.headers.get("transfer-encoding")
        self.chunked = coding is not None
        if (coding not in (None, "chunked") or (coding and length)
                or (length is not None and not re.fullmatch(r"[0-9]{1,19}", length))
                or "host" not in self.headers):
            raise S3Error("BadRequest")
        self.length = None if length is None else int(length)

    def parse_resource(self):
        self.bucket = virtual_bucket(self.headers["host"])
        key = self.path[1:]
        if self.bucket is None:
            bucket, _, key = key.partition("/")
            self.bucket = decode_component(bucket) or None
        self.key = decode_component(key) or None
        if self.key and len(self.key.encode()) > MAX_KEY_BYTES:
            raise S3Error("KeyTooLongError")

    def is_admin(self):
        return (self.path.startswith(ADMIN_PREFIX)
                and virtual_bucket(self.headers["host"]) is None)

    def has_body(self):
        return self.chunked or bool(self.length)

    def expects_continue(self):
        return self.headers.get("expect", "").lower() == "100-continue" and self.has_body()

    def wants_close(self):
        return self.version == "HTTP/1.0" or self.headers.get("connection", "").lower() == "close"

    def checksum_algorithm(self):
        """The algorithm of the x-amz-checksum-* header, if there is one."""
        names = [name for name in CHECKSUMS if "x-amz-checksum-" + name in self.headers
                 or self.headers.get("x-amz-trailer") == "x-amz-checksum-" + name]
        if len(names) > 1:
            raise S3Error("InvalidRequest", "Expecting a single x-amz-checksum- header")
        if not names and "x-amz-sdk-checksum-algorithm" in self.headers:
            raise S3Error("InvalidRequest", "x-amz-sdk-checksum-algorithm specified, but no "
                          "corresponding x-amz-checksum-* or x-amz-trailer headers were found.")
        return names[0] if names else None

    def number(self, name, default, largest):
        """A query parameter that is a number, cut to the largest allowed value."""
        text = self.query.get(name)
        if not text:
            return default
        if not re.fullmatch(r"[0-9]{1,10}", text):
            raise S3Error("InvalidArgument", f"Provided {name} not an integer or within integer "
                          "range", {"ArgumentName": name, "ArgumentValue": text})
        return min(int(text), largest)


# ---------------------------------------------------------------------------------------------
# Signature Version 4

SIGNING_ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
AUTHORIZATION = re.compile(
    SIGNING_ALGORITHM + r" +Credential=([^,\s]+), *SignedHeaders=([^,\s]+), *Signature=([^,\s]+)")


def hmac_sha256(key, text):
    return hmac.digest(key, text.encode("latin-1"), "sha256")


class Claim:
    """What a request says about its signature."""

    def __init__(self, credential, signed_headers, signature, timestamp, payload, presigned):
        self.malformed = ("AuthorizationQueryParametersError" if presigned
                          else "AuthorizationHeaderMalformed")
        parts = credential.rsplit("/", 4)
        if len(parts) != 5:
            raise S3Error(self.malformed, "The credential is malformed; expecting "
                          '"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".')
        self.access_key, self.date, self.region, self.service, self.terminator = parts
        self.scope = credential[len(self.access_key) + 1:]
        self.signed_headers = signed_headers
        self.signed = signed_headers.split(";")
        self.signature = signature
        self.timestamp = timestamp
        self.time = parse_amz_time(timestamp)
        self.payload = payload
        self.presigned = presigned


def header_claim(request):
    match = AUTHORIZATION.fullmatch(request.headers["authorization"])
    if not match:
        raise S3Error("AuthorizationHeaderMalformed")
    payload = request.headers.get("x-amz-content-sha256")
    if payload is None:
        raise S3Error("InvalidRequest",
                      "Missing required header for this request: x-amz-content-sha256")
    return Claim(*match.groups(), request.headers.get("x-amz-date", ""), payload, False)


def presigned_claim(request):
    names = ("X-Amz-Credential", "X-Amz-SignedHeaders", "X-Amz-Signature", "X-Amz-Date")
    values = [request.query.get(name) for name in names]
    if None in values or request.query.get("X-Amz-Algorithm") != SIGNING_ALGORITHM:
        raise S3Error("AuthorizationQueryParametersError", "Query-string authentication version 4 "
                      "requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, "
                      "X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.")
    payload = request.headers.get("x-amz-content-sha256", UNSIGNED)
    return Claim(*values, payload, True)


def find_claim(request):
    in_query = "X-Amz-Signature" in request.query or "X-Amz-Algorithm" in request.query
    if "authorization" in request.headers:
        if in_query:
            raise S3Error("InvalidArgument", "Only one auth mechanism allowed")
        return header_claim(request)
    if in_query:
        return presigned_claim(request)
    raise S3Error("AccessDenied")


def canonical_query(request):
    pairs = sorted((encode_component(name), encode_component(value))
                   for name, value in request.pairs if name != "X-Amz-Signature")
    return "&".join(f"{name}={value}" for name, value in pairs)


def canonical_path(request):
    """AWS decodes the path and encodes it anew, so a path encoded oddly does not verify."""
    return encode_component(urllib.parse.unquote_to_bytes(request.path), "/")


def canonical_request(request, claim):
    headers = "".join(f"{name}:{re.sub('  +', ' ', request.headers.get(name, ''))}\n"
                      for name in claim.signed)
    return "\n".join((request.method, canonical_path(request), canonical_query(request),
                      headers, claim.signed_headers, claim.payload))


def hex_bytes(text):
    return " ".join(f"{byte:02x}" for byte in text.encode("latin-1"))


STREAMING = ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
             "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER")
LEAST_CHUNK = 8192
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()


class AwsChunked:
    """Takes a body out of its chunks; checks their signatures, sizes and what is promised."""

    def __init__(self, request, claim, key):
        self.headers = request.headers
        self.signed = "AWS4" in claim.payload
        self.trailer = request.headers.get("x-amz-trailer")
        self.key = key
        self.start = [claim.timestamp, claim.scope]
        self.previous = claim.signature
        self.buffer = b""
        length = request.headers.get("x-amz-decoded-content-length", "")
        if "aws-chunked" not in request.headers.get("content-encoding", "").split(","):
            raise S3Error("InvalidRequest", "Content-Encoding is not aws-chunked")
        if claim.payload.endswith("-TRAILER") != bool(self.trailer):
            raise S3Error("InvalidRequest", "x-amz-trailer does not fit x-amz-content-sha256")
        if not re.fullmatch("[0-9]+", length):
            raise S3Error("MissingContentLength")
        self.length = int(length)

    def sign(self, kind, *lines):
        text = "\n".join([SIGNING_ALGORITHM + kind, *self.start, self.previous, *lines])
        return hmac_sha256(self.key, text).hex()

    def check(self, expected, given):
        if self.signed and expected != given:
            raise S3Error("SignatureDoesNotMatch", "The chunk signature does not match.")

    def read(self, count):
        while len(self.buffer) < count:
            self.buffer += self.more()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def line(self):
        while b"\r\n" not in self.buffer:
            if len(self.buffer) > 1024:
                raise S3Error("InvalidRequest", "The chunk's head is too long.")
            self.buffer += self.more()
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line.decode("latin-1")

    def more(self):
        for piece in self.pieces:
            return bytes(piece)
        raise S3Error("IncompleteBody")

    def decode(self, pieces):
        self.pieces = iter(pieces)
        total, short = 0, False
        while True:
            head = re.fullmatch("([0-9a-f]{1,8})" + (";chunk-signature=([0-9a-f]{64})"
                                                     if self.signed else "()"), self.line())
            if not head:
                raise S3Error("InvalidRequest", "The chunk's head is malformed.")
            size = int(head.group(1), 16)
            if size and short:
                raise S3Error("InvalidChunkSizeError", status=403)
            short = size < LEAST_CHUNK
            data = self.read(size)
            signature = self.sign("-PAYLOAD", EMPTY_SHA256, hashlib.sha256(data).hexdigest())
            self.check(signature, head.group(2))
            self.previous = signature
            if not size:
                break
            if self.read(2) != b"\r\n":
                raise S3Error("InvalidRequest", "The chunk does not end with CR LF.")
            total += size
            yield data
        self.end()
        if total != self.length or self.buffer or any(True for _ in self.pieces):
            raise S3Error("IncompleteBody")

    def end(self):
        if self.trailer:
            name, _, value = self.line().partition(":")
            if name != self.trailer:
                raise S3Error("MalformedTrailerError")
            self.headers[name] = value
            if self.signed:
                line = f"{name}:{value}\n".encode()
                name, _, given = self.line().partition(":")
                self.check(self.sign("-TRAILER", hashlib.sha256(line).hexdigest()), given)
        if self.line():
            raise S3Error("MalformedTrailerError")


EXPRESS_SUFFIX = "--x-s3"
# What is signed with the long-term keys there.
EXPRESS_PLAIN = frozenset(("CreateSession", "CreateBucket", "DeleteBucket", "GetBucketLocation",
                           "CopyObject"))
EXPRESS_SECONDS = 300


class ExpressSession:
    def __init__(self, bucket, access_key, secret, token):
        self.bucket, self.access_key, self.secret, self.token = bucket, access_key, secret, token
        self.expires = int(time.time()) + EXPRESS_SECONDS


class Authenticator:
    """Checks signatures against one key pair, independently of the code under test."""

    def __init__(self, access_key, secret, region, token=None):
        self.access_key = access_key
        self.secret = secret
        self.region = region
        self.token = token
        self.sessions = {}  # of directory buckets, by access key
        self.signing_key = functools.lru_cache(maxsize=16)(self.derive_key)

    def derive_key(self, date, secret, service):
        key = ("AWS4" + secret).encode()
        for part in (date, self.region, service, "aws4_request"):
            key = hmac_sha256(key, part)
        return key

    def create_session(self, bucket):
        number = len(self.sessions) + 1
        session = ExpressSession(bucket, f"ASIASESSION{number}", secrets.token_hex(20),
                                 f"session/{number}+=" + secrets.token_hex(400))
        self.sessions[session.access_key] = session
        return session

    def check(self, request):
        """Raises an S3Error, or leaves the hash that the body must have in the request."""
        claim = find_claim(request)
        express = (request.bucket or "").endswith(EXPRESS_SUFFIX)
        self.check_scope(claim, "s3express" if express else "s3")
        claim.secret = self.secret
        if express and operation_name(request) not in EXPRESS_PLAIN:
            self.check_session(request, claim)
        elif claim.access_key != self.access_key:
            raise S3Error("InvalidAccessKeyId", fields={"AWSAccessKeyId": claim.access_key})
        else:
            self.check_token(request)
        self.check_time(request, claim)
        self.check_signed_headers(request, claim)
        self.check_signature(request, claim)
        request.payload_hash = self.payload_rule(claim)
        if claim.payload in STREAMING:
            request.coding = AwsChunked(request, claim, self.key_of(claim))

    def key_of(self, claim):
        return self.signing_key(claim.date, claim.secret, claim.service)

    def check_session(self, request, claim):
        """A directory bucket takes the keys of a session of its own, with its token alone."""
        session = self.sessions.get(claim.access_key)
        if session is None or session.bucket != request.bucket:
            raise S3Error("InvalidAccessKeyId", fields={"AWSAccessKeyId": claim.access_key})
        token = request.headers.get("x-amz-s3session-token",
                                    request.query.get("X-Amz-S3session-Token"))
        if (token != session.token or "x-amz-security-token" in request.headers
                or "X-Amz-Security-Token" in request.query):
            raise S3Error("InvalidToken", fields={"Token-0": token or ""})
        if time.time() > session.expires:
            raise S3Error("ExpiredToken")
        claim.secret = session.secret

    def check_scope(self, claim, service):
        if claim.region != self.region:
            what = "Credential" if claim.presigned else "authorization header"
            raise S3Error(claim.malformed, f"The {what} is malformed; the region "
                          f"'{claim.region}' is wrong; expecting '{self.region}'",
                          {"Region": self.region})
        if claim.service != service or claim.terminator != "aws4_request":
            raise S3Error(claim.malformed, "incorrect service or terminator in the credential "
                          f"scope \"{claim.scope}\"")
        if claim.time is None:
            raise S3Error("AccessDenied", "AWS authentication requires a valid Date or "
                          "x-amz-date header")
        if claim.timestamp[:8] != claim.date:
            raise S3Error(claim.malformed, "Invalid credential date "
                          f"\"{claim.date}\"; it is not the date of the request.")

    def check_token(self, request):
        token = request.headers.get("x-amz-security-token",
                                    request.query.get("X-Amz-Security-Token"))
        if token != self.token:
            raise S3Error("InvalidToken", fields={"Token-0": token or ""})

    def check_time(self, request, claim):
        now = time.time()
        if claim.presigned:
            self.check_expiry(request, claim, now)
        elif abs(now - claim.time) > MAX_SKEW_SECONDS:
            raise S3Error("RequestTimeTooSkewed", fields={
                "RequestTime": claim.timestamp, "ServerTime": iso_time(now),
                "MaxAllowedSkewMilliseconds": MAX_SKEW_SECONDS * 1000})

    def check_expiry(self, request, claim, now):
        text = request.query.get("X-Amz-Expires", "")
        if not re.fullmatch(r"[0-9]{1,6}", text) or not 0 < int(text) <= MAX_PRESIGN_SECONDS:
            raise S3Error("AuthorizationQueryParametersError",
                          "X-Amz-Expires must be a number between 1 and 604800 seconds")
        if claim.time > now + MAX_SKEW_SECONDS:
            raise S3Error("AccessDenied", "Request is not yet valid")
        if now > claim.time + int(text):
            raise S3Error("AccessDenied", "Request has expired", {
                "X-Amz-Expires": text, "Expires": iso_time(claim.time + int(text)),
                "ServerTime": iso_time(now)})

    def check_signed_headers(self, request, claim):
        if claim.signed != sorted(set(claim.signed)):
            raise S3Error(claim.malformed, "SignedHeaders must be sorted and without doubles.")
        missing = [name for name in sorted(request.headers)
                   if (name == "host" or name.startswith("x-amz-")) and name not in claim.signed]
        if missing:
            raise S3Error("AccessDenied", "There were headers present in the request which were "
                          "not signed", {"HeadersNotSigned": ", ".join(missing)})

    def check_signature(self, request, claim):
        canonical = canonical_request(request, claim)
        digest = hashlib.sha256(canonical.encode("latin-1")).hexdigest()
        to_sign = "\n".join((SIGNING_ALGORITHM, claim.timestamp, claim.scope, digest))
        expected = hmac_sha256(self.key_of(claim), to_sign).hex()
        if not hmac.compare_digest(expected.encode(), claim.signature.encode()):
            raise S3Error("SignatureDoesNotMatch", fields={
                "AWSAccessKeyId": claim.access_key, "StringToSign": to_sign,
                "SignatureProvided": claim.signature, "StringToSignBytes": hex_bytes(to_sign),
                "CanonicalRequest": canonical, "CanonicalRequestBytes": hex_bytes(canonical)})

    @staticmethod
    def payload_rule(claim):
        if claim.payload == UNSIGNED:
            return None
        if re.fullmatch("[0-9a-f]{64}", claim.payload):
            return claim.payload
        if claim.payload in STREAMING:
            return None
        if claim.payload.startswith("STREAMING-"):
            raise S3Error("NotImplemented", fields={"Header": "x-amz-content-sha256"})
        raise S3Error("InvalidArgument", "x-amz-content-sha256 must be UNSIGNED-PAYLOAD or a valid "
                      "sha256 value.", {"ArgumentName": "x-amz-content-sha256",
                                        "ArgumentValue": claim.payload})


# ---------------------------------------------------------------------------------------------
# The store

STORED_HEADERS = ("cache-control", "content-disposition", "content-encoding", "content-language",
                  "content-type", "expires", "x-amz-storage-class",
                  "x-amz-website-redirect-location")
BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
GENERATED_KEY = re.compile(r"gen-([0-9]{1,18})")
LAST_CHARACTER = "\U0010ffff"


def stored_headers(headers):
    """The headers of an upload that come back with the object."""
    kept = {name: headers[name] for name in STORED_HEADERS if name in headers}
    kept.setdefault("content-type", "binary/octet-stream")
    codings = [text for text in kept.pop("content-encoding", "").split(",")
               if text.strip() not in ("", "aws-chunked")]
    if codings:
        kept["content-encoding"] = ",".join(codings)
    metadata = {name: value for name, value in headers.items() if name.startswith("x-amz-meta-")}
    if sum(len(name) - 11 + len(value) for name, value in metadata.items()) > MAX_METADATA_BYTES:
        raise S3Error("MetadataTooLarge")
    return {**kept, **metadata}


class Object:
    """A stored object or part; never changed once made, so answers can stream it unlocked."""

    __slots__ = ("content", "etag", "headers", "checksum", "modified", "modified_text")

    def __init__(self, content, etag, headers, checksum=None):
        self.content = content
        self.etag = f'"{etag}"'
        self.headers = headers
        self.checksum = checksum
        self.modified = int(time.time())
        self.modified_text = iso_time(self.modified)

    def checksum_headers(self):
        if not self.checksum:
            return {}
        algorithm, value = self.checksum
        kind = "COMPOSITE" if "-" in value else "FULL_OBJECT"
        return {"x-amz-checksum-" + algorithm: value, "x-amz-checksum-type": kind}

    def checksum_xml(self):
        return tag("Checksum" + self.checksum[0].upper(), self.checksum[1]) if self.checksum else ""


def generated_object(key):
    match = GENERATED_KEY.fullmatch(key)
    if not match:
        return None
    # The dash says that this ETag is no MD5 of the content.
    etag = hashlib.md5(key.encode()).hexdigest() + "-1"
    return Object(Pattern(0, int(match[1])), etag, stored_headers({}))


class Upload:
    """A multipart upload in progress."""

    def __init__(self, key, headers):
        self.id = base64.b64encode(random.randbytes(24)).decode()
        self.key = key
        self.headers = headers
        self.parts = {}
        self.initiated = iso_time(time.time())


def common_prefix(key, prefix, delimiter):
    """The part of a key up to the first delimiter after the prefix, or None."""
    end = key.find(delimiter, len(prefix)) if delimiter else -1
    return key[:end + len(delimiter)] if end >= 0 else None


class Bucket:
    """Objects by key, and the keys in order; Python orders text as S3 orders UTF-8."""

    def __init__(self, region):
        self.region = region
        self.created = iso_time(time.time())
        self.objects = {}
        self.keys = []
        self.uploads = {}

    def put(self, key, item):
        if key not in self.objects:
            bisect.insort(self.keys, key)
        self.objects[key] = item

    def delete(self, key):
        if self.objects.pop(key, None):
            del self.keys[bisect.bisect_left(self.keys, key)]

    def fill(self, keys, item):
        self.objects.update(dict.fromkeys(keys, item))
        self.keys = sorted(self.objects)

    def first_index(self, prefix, delimiter, after):
        """Where a listing begins; a common prefix as the marker skips all of its keys."""
        index = bisect.bisect_left(self.keys, prefix)
        if after and common_prefix(after, prefix, delimiter) == after:
            after += LAST_CHARACTER
        return max(index, bisect.bisect_right(self.keys, after)) if after else index

    def list(self, prefix, delimiter, after, limit):
        """Up to limit pairs (key, object) or (common prefix, None), and whether there are more."""
        entries = []
        index = self.first_index(prefix, delimiter, after)
        while limit and index < len(self.keys) and self.keys[index].startswith(prefix):
            if len(entries) == limit:
                return entries, True
            key = self.keys[index]
            folder = common_prefix(key, prefix, delimiter)
            if folder:
                entries.append((folder, None))
                index = bisect.bisect_left(self.keys, folder + LAST_CHARACTER, index)
            else:
                entries.append((key, self.objects[key]))
                index += 1
        return entries, False


def page_token(text):
    """An opaque token; plain base64 shows whether a client encodes its + / and =."""
    return base64.b64encode(b"\xfb\xff" + text.encode()).decode()


def page_marker(token):
    data = from_base64(token)
    if not data or not data.startswith(b"\xfb\xff"):
        raise S3Error("InvalidArgument", "The continuation token provided is incorrect",
                      {"ArgumentName": "continuation-token"})
    return data[2:].decode()


# ---------------------------------------------------------------------------------------------
# Answers

class Answer:
    """A status, headers, and a stretch of some content."""

    def __init__(self, status=200, headers=None, content=NOTHING, span=None):
        self.status = status
        self.headers = headers or {}
        self.content = content
        self.start, self.stop = span or (0, content.size)

    def size(self):
        return self.stop - self.start

    def pieces(self):
        return self.content.pieces(self.start, self.stop)


def xml_answer(root, *children, status=200, headers=None):
    text = f'{XML_DECLARATION}<{root} xmlns="{NAMESPACE}">{"".join(children)}</{root}>'
    return Answer(status, {"Content-Type": "application/xml", **(headers or {})},
                  Kept(text.encode()))


def json_answer(value, status=200):
    return Answer(status, {"Content-Type": "application/json"},
                  Kept(json.dumps(value).encode() + b"\n"))


def error_place(request, code):
    """The element that says where an error happened, as AWS picks it."""
    if code == "NoSuchKey" and request.key:
        return tag("Key", request.key)
    if "Bucket" in code and request.bucket:
        return tag("BucketName", request.bucket)
    return tag("Resource", urllib.parse.unquote(request.path))


def error_answer(request, error, status=None, white_space=""):
    """The XML of an error; request is None when its head could not be read."""
    # AWS writes the lines of StringToSign and CanonicalRequest as lines.
    fields = "".join(tag(name, value).replace("&#xa;", "\n")
                     for name, value in error.fields.items())
    place = error_place(request, error.code) if request else ""
    text = group("Error", tag("Code", error.code), tag("Message", error.message), fields, place,
                 tag("RequestId", request.id if request else random_id()), tag("HostId", HOST_ID))
    body = (XML_DECLARATION + white_space + text).encode("utf-8", "replace")
    return Answer(status or error.status, {"Content-Type": "application/xml"}, Kept(body))


# ---------------------------------------------------------------------------------------------
# Operations

# (method, query parameter or header that must be there, operation); the first match counts.
BUCKET_OPERATIONS = (
    ("GET", "session", "CreateSession"),
    ("GET", "location", "GetBucketLocation"),
    ("GET", "uploads", "ListMultipartUploads"),
    ("GET", "list-type", "ListObjectsV2"),
    ("GET", None, "ListObjects"),
    ("POST", "delete", "DeleteObjects"),
    ("PUT", None, "CreateBucket"),
    ("HEAD", None, "HeadBucket"),
    ("DELETE", None, "DeleteBucket"),
)
OBJECT_OPERATIONS = (
    ("GET", "uploadId", "ListParts"),
    ("GET", None, "GetObject"),
    ("HEAD", None, "HeadObject"),
    ("PUT", "uploadId", "UploadPart"),
    ("PUT", "x-amz-copy-source", "CopyObject"),
    ("PUT", None, "PutObject"),
    ("POST", "uploads", "CreateMultipartUpload"),
    ("POST", "uploadId", "CompleteMultipartUpload"),
    ("DELETE", "uploadId", "AbortMultipartUpload"),
    ("DELETE", None, "DeleteObject"),
)
# Sub-resources that AWS has and this server has not: never to be taken for a plain operation.
MISSING_SUBRESOURCES = frozenset((
    "accelerate", "acl", "analytics", "attributes", "cors", "encryption", "intelligent-tiering",
    "inventory", "legal-hold", "lifecycle", "logging", "metrics", "notification", "object-lock",
    "ownershipControls", "partNumber", "policy", "policyStatus", "publicAccessBlock",
    "replication", "requestPayment", "restore", "retention", "select", "tagging", "torrent",
    "versionId", "versioning", "versions", "website"))


def operation_name(request):
    """The operation that a request asks for, or None."""
    if request.bucket is None:
        return "ListBuckets" if request.method == "GET" else None
    for method, marker, name in OBJECT_OPERATIONS if request.key else BUCKET_OPERATIONS:
        if method == request.method and (marker is None or marker in request.query
                                         or marker in request.headers):
            if name != "UploadPart" and not MISSING_SUBRESOURCES.isdisjoint(request.query):
                return None
            return name
    return None


def unknown_operation(request):
    if MISSING_SUBRESOURCES.isdisjoint(request.query):
        return S3Error("MethodNotAllowed", fields={"Method": request.method})
    return S3Error("NotImplemented")


def handler_name(operation):
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).lower()


def etag_matches(header, etag):
    """Whether a list of entity tags names this one; AWS takes them without quotes too."""
    tags = [item.strip() for item in header.split(",")]
    return "*" in tags or etag in tags or etag.strip('"') in tags


def modified_since(header, item):
    limit = parse_http_time(header)
    return limit is None or item.modified > limit


def failed_condition(headers, item, prefix=""):
    """The name of the If- header that an object does not meet, or None."""
    def value(name):
        return headers.get(prefix + name)

    if value("if-match"):
        if not etag_matches(value("if-match"), item.etag):
            return "If-Match"
    elif value("if-unmodified-since") and modified_since(value("if-unmodified-since"), item):
        return "If-Unmodified-Since"
    if value("if-none-match"):
        if etag_matches(value("if-none-match"), item.etag):
            return "If-None-Match"
    elif value("if-modified-since") and not modified_since(value("if-modified-since"), item):
        return "If-Modified-Since"
    return None


def precondition_failed(condition):
    return S3Error("PreconditionFailed", fields={"Condition": condition})


def byte_range(header, size):
    """The (start, stop) that a Range header asks for; None when there is none to honour."""
    match = re.fullmatch(r"bytes=([0-9]*)-([0-9]*)", header or "")
    if not match or not (match[1] or match[2]):
        return None
    if match[1]:
        start = int(match[1])
        stop = int(match[2]) + 1 if match[2] else size
        if match[2] and stop <= start:
            return None
    else:
        start, stop = max(size - int(match[2]), 0), size
    if start >= size:
        raise S3Error("InvalidRange", fields={"RangeRequested": header, "ActualObjectSize": size})
    return start, min(stop, size)


def response_overrides(query):
    names = ("content-type", "content-language", "expires", "cache-control",
             "content-disposition", "content-encoding")
    return {name: query["response-" + name] for name in names if query.get("response-" + name)}


def url_encoder(request):
    """How the keys of a listing are written: as they are, or with encoding-type=url."""
    encoding = request.query.get("encoding-type")
    if encoding not in (None, "url"):
        raise S3Error("InvalidArgument", "Invalid Encoding Method specified in Request",
                      {"ArgumentName": "encoding-type", "ArgumentValue": encoding})
    return functools.partial(urllib.parse.quote_plus, safe="/*") if encoding else str


OWNER = group("Owner", tag("ID", OWNER_ID), tag("DisplayName", "test"))


def contents_xml(entries, encode, owner):
    rows = []
    for key, item in entries:
        if item is None:
            rows.append(group("CommonPrefixes", tag("Prefix", encode(key))))
        else:
            rows.append(group("Contents", tag("Key", encode(key)),
                              tag("LastModified", item.modified_text), tag("ETag", item.etag),
                              tag("Size", item.content.size), owner,
                              tag("StorageClass", item.headers.get("x-amz-storage-class", "STANDARD"))))
    return "".join(rows)


def optional_tag(name, value):
    return tag(name, value) if value else ""


class Operations:
    """The S3 operations; each method is one, named as in handler_name()."""

    def __init__(self, region, min_part, authenticator):
        self.region = region
        self.min_part = min_part
        self.authenticator = authenticator
        self.lock = threading.Lock()
        self.buckets = {}

    def perform(self, operation, request):
        with self.lock:
            return getattr(self, handler_name(operation))(request)

    def bucket(self, request):
        return self.bucket_named(request.bucket)

    def bucket_named(self, name):
        if name not in self.buckets:
            raise S3Error("NoSuchBucket")
        return self.buckets[name]

    def object_named(self, bucket, key):
        item = self.bucket_named(bucket).objects.get(key) or generated_object(key)
        if item is None:
            raise S3Error("NoSuchKey")
        return item

    # --- buckets

    def list_buckets(self, request):
        token = request.query.get("continuation-token")
        after = page_marker(token) if token else ""
        prefix = request.query.get("prefix", "")
        limit = request.number("max-buckets", 10000, 10000)
        names = [name for name in sorted(self.buckets)
                 if name > after and name.startswith(prefix)]
        rows = [group("Bucket", tag("Name", name), tag("CreationDate", self.buckets[name].created),
                      tag("BucketRegion", self.buckets[name].region or "us-east-1"))
                for name in names[:limit]]
        more = limit < len(names)
        return xml_answer("ListAllMyBucketsResult", OWNER, group("Buckets", *rows),
                          tag("ContinuationToken", page_token(names[limit - 1])) if more else "",
                          optional_tag("Prefix", prefix))

    def create_bucket(self, request):
        if not BUCKET_NAME.fullmatch(request.bucket):
            raise S3Error("InvalidBucketName")
        region = self.wanted_location(request.intake.data())
        if request.bucket not in self.buckets:
            self.buckets[request.bucket] = Bucket(region)
        elif self.region != "us-east-1":    # AWS is lenient in its oldest region only
            raise S3Error("BucketAlreadyOwnedByYou")
        return Answer(200, {"Location": "/" + request.bucket})

    def wanted_location(self, body):
        """The LocationConstraint; us-east-1 has none."""
        if not body:
            return "" if self.region == "us-east-1" else self.region
        region = parse_xml(body, "CreateBucketConfiguration").findtext("LocationConstraint") or ""
        if region == "us-east-1":
            raise S3Error("InvalidLocationConstraint", fields={"LocationConstraint": region})
        return region

    def head_bucket(self, request):
        return Answer(200, {"x-amz-bucket-region": self.bucket(request).region or "us-east-1",
                            "Content-Type": "application/xml"})

    def create_session(self, request):
        self.bucket(request)
        if not request.bucket.endswith(EXPRESS_SUFFIX):
            raise S3Error("MethodNotAllowed", fields={"Method": request.method})
        session = self.authenticator.create_session(request.bucket)
        return xml_answer("CreateSessionResult", group(
            "Credentials", tag("SessionToken", session.token), tag("SecretAccessKey", session.secret),
            tag("AccessKeyId", session.access_key), tag("Expiration", iso_time(session.expires))))

    def delete_bucket(self, request):
        if self.bucket(request).objects:
            raise S3Error("BucketNotEmpty")
        del self.buckets[request.bucket]
        return Answer(204)

    def get_bucket_location(self, request):
        return xml_answer("LocationConstraint", xml_escape(self.bucket(request).region))

    # --- listings

    def list_objects_v2(self, request):
        query = request.query
        token = query.get("continuation-token")
        if token == "":
            raise S3Error("InvalidArgument", "The continuation token provided is incorrect",
                          {"ArgumentName": "continuation-token"})
        start_after = query.get("start-after", "")
        after = page_marker(token) if token else start_after
        owner = OWNER if query.get("fetch-owner") == "true" else ""
        entries, more, encode = self.entries(request, after)
        return xml_answer(
            "ListBucketResult", *self.listing_head(request, more, encode),
            tag("ContinuationToken", token) if token else "",
            tag("NextContinuationToken", page_token(entries[-1][0])) if more else "",
            tag("KeyCount", len(entries)),
            tag("StartAfter", encode(start_after)) if start_after else "",
            contents_xml(entries, encode, owner))

    def list_objects(self, request):
        marker = request.query.get("marker", "")
        entries, more, encode = self.entries(request, marker)
        # AWS names the next marker only for listings with a delimiter.
        named = more and request.query.get("delimiter")
        return xml_answer(
            "ListBucketResult", *self.listing_head(request, more, encode),
            tag("Marker", encode(marker)),
            tag("NextMarker", encode(entries[-1][0])) if named else "",
            contents_xml(entries, encode, OWNER))

    def entries(self, request, after):
        encode = url_encoder(request)
        entries, more = self.bucket(request).list(
            request.query.get("prefix", ""), request.query.get("delimiter", ""), after,
            request.number("max-keys", 1000, 1000))
        return entries, more, encode

    @staticmethod
    def listing_head(request, more, encode):
        query = request.query
        delimiter = query.get("delimiter", "")
        return (tag("Name", request.bucket), tag("Prefix", encode(query.get("prefix", ""))),
                tag("MaxKeys", request.number("max-keys", 1000, 1000)),
                optional_tag("Delimiter", encode(delimiter)),
                optional_tag("EncodingType", query.get("encoding-type")),
                tag("IsTruncated", truth(more)))

    # --- objects

    def put_object(self, request):
        intake = request.intake
        item = Object(intake.content(), intake.md5.hexdigest(), stored_headers(request.headers),
                      intake.stored_checksum())
        self.store(request, item)
        return Answer(200, {"ETag": item.etag, **item.checksum_headers()})

    def store(self, request, item):
        bucket = self.bucket(request)
        old = bucket.objects.get(request.key)
        if old is None and request.headers.get("if-match"):
            raise S3Error("NoSuchKey")
        if old:
            condition = failed_condition(request.headers, old)
            if condition:
                raise precondition_failed(condition)
        bucket.put(request.key, item)

    def get_object(self, request):
        item = self.object_named(request.bucket, request.key)
        headers = {"Last-Modified": http_time(item.modified), "ETag": item.etag,
                   "Accept-Ranges": "bytes", **item.headers}
        condition = failed_condition(request.headers, item)
        if condition in ("If-None-Match", "If-Modified-Since"):
            return Answer(304, headers)
        if condition:
            raise precondition_failed(condition)
        if not item.content.readable and request.method == "GET":
            raise S3Error("InternalError", "The content of this object was not kept.")
        headers.update(response_overrides(request.query))
        return self.object_answer(request, item, headers)

    head_object = get_object

    @staticmethod
    def object_answer(request, item, headers):
        size = item.content.size
        span = byte_range(request.headers.get("range"), size)
        if span:
            headers["Content-Range"] = f"bytes {span[0]}-{span[1] - 1}/{size}"
            return Answer(206, headers, item.content, span)
        if request.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED":
            headers.update(item.checksum_headers())
        return Answer(200, headers, item.content)

    def delete_object(self, request):
        self.bucket(request).delete(request.key)
        return Answer(204)

    def delete_objects(self, request):
        bucket = self.bucket(request)
        if "content-md5" not in request.headers and not request.checksum_algorithm():
            raise S3Error("InvalidRequest",
                          "Missing required header for this request: Content-MD5")
        tree = parse_xml(request.intake.data(), "Delete")
        keys = [node.findtext("Key") for node in tree.findall("Object")]
        if not keys or len(keys) > 1000 or not all(keys):
            raise S3Error("MalformedXML")
        for key in keys:
            bucket.delete(key)
        quiet = tree.findtext("Quiet") == "true"
        return xml_answer("DeleteResult", *(group("Deleted", tag("Key", key))
                                            for key in keys if not quiet))

    def copy_source(self, request):
        path, _, version = request.headers["x-amz-copy-source"].partition("?versionId=")
        bucket, _, key = decode_component(path).removeprefix("/").partition("/")
        if version or not key:
            raise S3Error("InvalidArgument", "Copy Source must mention the source bucket and "
                          "key: sourcebucket/sourcekey", {"ArgumentName": "x-amz-copy-source"})
        item = self.object_named(bucket, key)
        condition = failed_condition(request.headers, item, "x-amz-copy-source-")
        if condition:
            raise precondition_failed("x-amz-copy-source-" + condition)
        return bucket, key, item

    def copy_object(self, request):
        bucket, key, source = self.copy_source(request)
        directive = request.headers.get("x-amz-metadata-directive", "COPY")
        if directive not in ("COPY", "REPLACE"):
            raise S3Error("InvalidArgument", "Unknown metadata directive.",
                          {"ArgumentName": "x-amz-metadata-directive"})
        if directive == "COPY" and (bucket, key) == (request.bucket, request.key):
            raise S3Error("InvalidRequest", "This copy request is illegal because it is trying to "
                          "copy an object to itself without changing the object's metadata, "
                          "storage class, website redirect location or encryption attributes.")
        headers = stored_headers(request.headers) if directive == "REPLACE" else source.headers
        item = Object(source.content, source.etag.strip('"'), headers, source.checksum)
        self.store(request, item)
        return xml_answer("CopyObjectResult", tag("LastModified", item.modified_text),
                          tag("ETag", item.etag), item.checksum_xml())

    # --- multipart uploads

    def upload(self, request):
        upload = self.bucket(request).uploads.get(request.query["uploadId"])
        if upload is None or upload.key != request.key:
            raise S3Error("NoSuchUpload", fields={"UploadId": request.query["uploadId"]})
        return upload

    def create_multipart_upload(self, request):
        upload = Upload(request.key, stored_headers(request.headers))
        self.bucket(request).uploads[upload.id] = upload
        return xml_answer("InitiateMultipartUploadResult", tag("Bucket", request.bucket),
                          tag("Key", request.key), tag("UploadId", upload.id))

    def upload_part(self, request):
        upload = self.upload(request)
        text = request.query.get("partNumber", "")
        if not re.fullmatch("[0-9]{1,5}", text) or not 1 <= int(text) <= MAX_PARTS:
            raise S3Error("InvalidArgument", "Part number must be an integer between 1 and 10000, "
                          "inclusive", {"ArgumentName": "partNumber", "ArgumentValue": text})
        if "x-amz-copy-source" in request.headers:
            return self.upload_part_copy(request, upload, int(text))
        intake = request.intake
        part = Object(intake.content(), intake.md5.hexdigest(), {}, intake.stored_checksum())
        upload.parts[int(text)] = part
        headers = part.checksum_headers()
        headers.pop("x-amz-checksum-type", None)
        return Answer(200, {"ETag": part.etag, **headers})

    def upload_part_copy(self, request, upload, number):
        _, _, source = self.copy_source(request)
        if not source.content.readable:
            raise S3Error("InternalError", "The content of the source was not kept.")
        size = source.content.size
        span = byte_range(request.headers.get("x-amz-copy-source-range"), size) or (0, size)
        intake = Intake(maybe_large=span[1] - span[0] > BLOCK)
        for piece in source.content.pieces(*span):
            intake.update(bytes(piece))
        part = Object(intake.content(), intake.md5.hexdigest(), {})
        upload.parts[number] = part
        return xml_answer("CopyPartResult", tag("LastModified", part.modified_text),
                          tag("ETag", part.etag))

    def complete_multipart_upload(self, request):
        upload = self.upload(request)
        tree = parse_xml(request.intake.data(), "CompleteMultipartUpload")
        parts = self.wanted_parts(upload, tree.findall("Part"))
        digests = b"".join(bytes.fromhex(part.etag.strip('"')) for part in parts)
        etag = f"{hashlib.md5(digests).hexdigest()}-{len(parts)}"
        content = Joined([part.content for part in parts])
        item = Object(content, etag, upload.headers, self.composite_checksum(parts))
        self.store(request, item)
        del self.bucket(request).uploads[upload.id]
        location = f"http://{request.headers['host']}{request.path}"
        return xml_answer("CompleteMultipartUploadResult", tag("Location", location),
                          tag("Bucket", request.bucket), tag("Key", request.key),
                          tag("ETag", item.etag), item.checksum_xml())

    def wanted_parts(self, upload, nodes):
        """The parts that the client lists, after every check that AWS makes."""
        numbers = [node.findtext("PartNumber") or "" for node in nodes]
        if not numbers or not all(re.fullmatch("[0-9]{1,5}", number) for number in numbers):
            raise S3Error("MalformedXML")
        numbers = [int(number) for number in numbers]
        if numbers != sorted(set(numbers)):
            raise S3Error("InvalidPartOrder")
        parts = [self.wanted_part(upload, *pair) for pair in zip(numbers, nodes)]
        for number, part in list(zip(numbers, parts))[:-1]:
            if part.content.size < self.min_part:
                raise S3Error("EntityTooSmall", fields={
                    "PartNumber": number, "ETag": part.etag.strip('"'),
                    "ProposedSize": part.content.size, "MinSizeAllowed": self.min_part})
        return parts

    @staticmethod
    def wanted_part(upload, number, node):
        part = upload.parts.get(number)
        etag = node.findtext("ETag") or ""
        if part is None or etag.strip('"') != part.etag.strip('"'):
            raise S3Error("InvalidPart", fields={"UploadId": upload.id, "PartNumber": number,
                                                 "ETag": etag})
        if part.checksum:
            given = node.findtext("Checksum" + part.checksum[0].upper())
            if given not in (None, part.checksum[1]):
                raise S3Error("InvalidPart", fields={"UploadId": upload.id, "PartNumber": number})
        return part

    @staticmethod
    def composite_checksum(parts):
        """The checksum of the parts' checksums, when all have the same kind."""
        algorithms = {part.checksum and part.checksum[0] for part in parts}
        if len(algorithms) > 1 or None in algorithms:
            return None
        algorithm = algorithms.pop()
        checksum = CHECKSUMS[algorithm]()
        for part in parts:
            checksum.update(base64.b64decode(part.checksum[1]))
        return algorithm, f"{base64.b64encode(checksum.digest()).decode()}-{len(parts)}"

    def abort_multipart_upload(self, request):
        del self.bucket(request).uploads[self.upload(request).id]
        return Answer(204)

    def list_parts(self, request):
        upload = self.upload(request)
        after = request.number("part-number-marker", 0, MAX_PARTS)
        limit = request.number("max-parts", 1000, 1000)
        numbers = [number for number in sorted(upload.parts) if number > after]
        shown = numbers[:limit]
        rows = [group("Part", tag("PartNumber", number),
                      tag("LastModified", upload.parts[number].modified_text),
                      tag("ETag", upload.parts[number].etag),
                      tag("Size", upload.parts[number].content.size),
                      upload.parts[number].checksum_xml()) for number in shown]
        return xml_answer(
            "ListPartsResult", tag("Bucket", request.bucket), tag("Key", request.key),
            tag("UploadId", upload.id), OWNER, tag("StorageClass", "STANDARD"),
            tag("PartNumberMarker", after), tag("NextPartNumberMarker", shown[-1] if shown else 0),
            tag("MaxParts", limit), tag("IsTruncated", truth(len(numbers) > len(shown))), *rows)

    def list_multipart_uploads(self, request):
        """Uploads under a prefix, by key and id; markers and pages, but no delimiter."""
        prefix = request.query.get("prefix", "")
        encode = url_encoder(request)
        after = (request.query.get("key-marker", ""), request.query.get("upload-id-marker", "\U0010ffff"))
        limit = request.number("max-uploads", 1000, 1000)
        left = sorted((upload for upload in self.bucket(request).uploads.values()
                       if upload.key.startswith(prefix) and (upload.key, upload.id) > after),
                      key=lambda upload: (upload.key, upload.id))
        uploads = left[:limit]
        last = uploads[-1] if len(left) > len(uploads) > 0 else None
        rows = [group("Upload", tag("Key", encode(upload.key)), tag("UploadId", upload.id), OWNER,
                      tag("StorageClass", "STANDARD"), tag("Initiated", upload.initiated))
                for upload in uploads]
        return xml_answer("ListMultipartUploadsResult", tag("Bucket", request.bucket),
                          optional_tag("EncodingType", request.query.get("encoding-type")),
                          optional_tag("NextKeyMarker", last and encode(last.key)),
                          optional_tag("NextUploadIdMarker", last and last.id),
                          tag("MaxUploads", limit), tag("IsTruncated", truth(bool(last))), *rows)


# ---------------------------------------------------------------------------------------------
# Statistics, faults and the admin interface

class Stats:
    """What happened since the last reset; traffic of the admin interface is left out."""

    def __init__(self):
        self.lock = threading.Lock()
        self.reset()

    def reset(self):
        with self.lock:
            self.counts = collections.Counter()
            self.operations = collections.Counter()
            self.heads = collections.deque(maxlen=20)

    def add(self, name, count=1):
        with self.lock:
            self.counts[name] += count

    def count_request(self, operation, head):
        with self.lock:
            self.counts["requests"] += 1
            self.operations[operation] += 1
            self.heads.append(head.decode("latin-1"))

    def snapshot(self):
        with self.lock:
            return {
                "connections": {"http": self.counts["http"], "https": self.counts["https"]},
                "tls_resumed": self.counts["tls_resumed"],
                "tls_failed": self.counts["tls_failed"],
                "requests": self.counts["requests"],
                "operations": dict(self.operations),
                "bytes_in": self.counts["bytes_in"],
                "bytes_out": self.counts["bytes_out"],
                "heads": list(self.heads),
            }


class Faults:
    """The faults in waiting. Each is {"op", "times", "skip", "action"}; keys of the action:

    instead of the operation
      status, code, message, headers   this error answer
      raw, keep       these bytes (base64) verbatim, then close unless keep; nothing is checked
      ok_error        status 200 with this error in the body, after white-space
      early           this status right after the head; the body is not read
      close_before    close right after the head
    after the operation
      lose_after      close without an answer
      headers         headers to add to the answer; null removes one
      date_offset     shifts the Date header by seconds
      flip            flips this bit of the body
      chunked         chunked transfer encoding, with chunks of this size
      no_length       neither length nor chunks, then close
    while sending
      continue        this many 100 Continue first (0: none, even if the client expects one)
      delay           seconds before the answer
      trickle         [bytes, seconds]: the answer in pieces
      cut, reset      this many bytes of the answer, then FIN or RST
      tls_cut         like cut, without TLS's close_notify
      close_idle      close silently after the answer, which does not announce it
    """

    KEYS = frozenset((
        "status", "code", "message", "headers", "raw", "keep", "ok_error", "early",
        "close_before", "lose_after", "date_offset", "flip", "chunked", "no_length", "continue",
        "delay", "trickle", "cut", "reset", "tls_cut", "close_idle"))

    def __init__(self):
        self.lock = threading.Lock()
        self.waiting = []

    def add(self, fault):
        unknown = set(fault.get("action", {})) - self.KEYS
        if unknown or not fault.get("action"):
            raise ValueError(f"unknown or no action: {sorted(unknown)}")
        with self.lock:
            self.waiting.append({"op": fault.get("op", "*"), "times": int(fault.get("times", 1)),
                                 "skip": int(fault.get("skip", 0)), "action": fault["action"]})

    def clear(self):
        with self.lock:
            self.waiting = []

    def take(self, operation):
        """The action for this request: of the first fault that matches and needs no skipping."""
        with self.lock:
            for fault in self.waiting:
                if fault["op"] not in ("*", operation):
                    continue
                if fault["skip"] > 0:
                    fault["skip"] -= 1
                    continue
                fault["times"] -= 1
                if fault["times"] == 0:
                    self.waiting.remove(fault)
                return fault["action"]
        return {}


class Admin:
    """The test interface under /_test/; its requests need no signature and meet no faults."""

    def __init__(self, operations, stats, faults):
        self.operations = operations
        self.stats = stats
        self.faults = faults

    def perform(self, request):
        name = request.method, request.path[len(ADMIN_PREFIX):]
        actions = {("POST", "reset"): self.reset, ("GET", "stats"): self.read_stats,
                   ("POST", "fill"): self.fill, ("POST", "fault"): self.add_fault,
                   ("DELETE", "fault"): self.clear_faults}
        if name not in actions:
            return json_answer({"error": "no such test command"}, 404)
        try:
            return json_answer(actions[name](request))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            return json_answer({"error": f"{type(error).__name__}: {error}"}, 400)

    def reset(self, _request):
        with self.operations.lock:
            self.operations.buckets.clear()
        self.faults.clear()
        self.stats.reset()
        return {}

    def read_stats(self, _request):
        return {**self.stats.snapshot(), "faults": self.faults.waiting}

    def fill(self, request):
        query = request.query
        count, width = int(query["count"]), int(query.get("width", 8))
        keys = [f"{query.get('prefix', '')}{number:0{width}}" for number in range(count)]
        item = Object(NOTHING, hashlib.md5(b"").hexdigest(), stored_headers({}))
        with self.operations.lock:
            bucket = self.operations.buckets.setdefault(query["bucket"], Bucket(""))
            bucket.fill(keys, item)
            return {"keys": len(bucket.keys)}

    def add_fault(self, request):
        self.faults.add(json.loads(request.intake.data()))
        return {"faults": len(self.faults.waiting)}

    def clear_faults(self, _request):
        self.faults.clear()
        return {}


# ---------------------------------------------------------------------------------------------
# The bytes of an answer: generators, one for each way to spoil it

def flipped(pieces, bit):
    """The same bytes with one bit the other way round."""
    position = bit >> 3
    for piece in pieces:
        if 0 <= position < len(piece):
            piece = bytearray(piece)
            piece[position] ^= 1 << (bit & 7)
        position -= len(piece)
        yield piece


def chunk_encoded(pieces, size):
    for piece in pieces:
        view = memoryview(piece)
        chunks = (view[at:at + size] for at in range(0, len(view), size))
        yield b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    yield b"0\r\n\r\n"


def limited(pieces, size):
    for piece in pieces:
        yield piece[:size]
        size -= len(piece)
        if size <= 0:
            return


def trickled(pieces, size, seconds):
    for piece in pieces:
        for at in range(0, len(piece), size):
            yield piece[at:at + size]
            time.sleep(seconds)


def joined_if_small(head, body, size):
    """Head and body together when they are small: one send, one packet."""
    if size <= SMALL_ANSWER:
        yield b"".join((head, *body))
    else:
        yield head
        yield from body


def encoded_head(status, headers):
    reason = http.client.responses.get(status, "Unknown")
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} {reason}\r\n{lines}\r\n".encode("latin-1", "replace")


def changed_headers(headers, changes):
    """The headers with some set or, where the new value is None, removed."""
    names = {name.lower() for name in changes}
    kept = {name: value for name, value in headers.items() if name.lower() not in names}
    kept.update((name, value) for name, value in changes.items() if value is not None)
    return kept


def answer_headers(request, answer, action, closing):
    headers = {"x-amz-id-2": HOST_ID, "x-amz-request-id": request.id if request else random_id(),
               "Date": http_time(int(time.time()) + action.get("date_offset", 0)),
               **answer.headers, "Server": "AmazonS3"}
    if "chunked" in action:
        headers["Transfer-Encoding"] = "chunked"
    elif "no_length" not in action and answer.status not in (204, 304):
        headers["Content-Length"] = answer.size()
    if closing:
        headers["Connection"] = "close"
    return changed_headers(headers, action.get("headers", {}))


def answer_body(request, answer, action):
    if (request and request.method == "HEAD") or answer.status in (204, 304):
        return ()
    body = answer.pieces()
    if "flip" in action:
        body = flipped(body, action["flip"])
    if "chunked" in action:
        body = chunk_encoded(body, action["chunked"])
    return body


def answer_pieces(request, answer, action, closing):
    """All bytes of an answer, with the changes of a fault but for those of sending."""
    if "raw" in action:
        return iter([base64.b64decode(action["raw"])])
    head = encoded_head(answer.status, answer_headers(request, answer, action, closing))
    return joined_if_small(head, answer_body(request, answer, action), answer.size())


def cut_length(action):
    for name in ("cut", "reset", "tls_cut"):
        if name in action:
            return action[name]
    return None


# ---------------------------------------------------------------------------------------------
# Connections

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Reader:
    """Buffered reading from a socket."""

    def __init__(self, sock):
        self.sock = sock
        self.buffer = b""
        self.count = 0

    def fill(self):
        """Adds to the buffer; False at the end of the stream."""
        data = self.sock.recv(PIECE)
        self.buffer = self.buffer + data if self.buffer else data
        self.count += len(data)
        return bool(data)

    def until(self, mark, limit):
        """The bytes before a mark, or None at the end of the stream."""
        while True:
            end = self.buffer.find(mark)
            if end >= 0:
                found, self.buffer = self.buffer[:end], self.buffer[end + len(mark):]
                return found
            if len(self.buffer) > limit:
                raise S3Error("BadRequest")
            if not self.fill():
                return None

    def exactly(self, size):
        """Pieces with this many bytes altogether."""
        while size > 0:
            if not self.buffer and not self.fill():
                raise ConnectionError("end of stream within a body")
            piece, self.buffer = self.buffer[:size], self.buffer[size:]
            size -= len(piece)
            yield piece

    def chunks(self):
        """The decoded pieces of a chunked body; trailers are dropped."""
        while True:
            line = self.until(b"\r\n", 1024)
            if line is None or not re.fullmatch(rb"[0-9A-Fa-f]{1,15}(;.*)?", line):
                raise S3Error("BadRequest")
            size = int(line.partition(b";")[0], 16)
            if size == 0:
                break
            yield from self.exactly(size)
            if self.until(b"\r\n", 2) != b"":
                raise S3Error("BadRequest")
        while self.until(b"\r\n", 1024):
            pass


class Connection:
    """One client: reads requests and writes answers until somebody wants to stop."""

    def __init__(self, server, sock, secure):
        self.server = server
        self.sock = sock
        self.secure = secure
        self.reader = Reader(sock)
        self.counted = False        # whether traffic goes into the statistics
        self.requests = 0
        self.silent = False         # close without TLS's close_notify
        self.abort = False          # close with RST
        self.linger = False         # let the client read the answer before closing

    def run(self):
        try:
            self.sock.settimeout(IDLE_SECONDS)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.secure:
                self.handshake()
            while self.serve_one():
                pass
        except OSError:
            pass                    # the client is gone, or too slow
        finally:
            self.close()

    def handshake(self):
        try:
            self.sock = self.server.context.wrap_socket(self.sock, server_side=True)
        except OSError:
            self.silent = True
            self.server.stats.add("tls_failed")
            raise
        self.reader = Reader(self.sock)
        if self.sock.session_reused:
            self.server.stats.add("tls_resumed")

    # --- one request

    def serve_one(self):
        """Reads and answers one request; False when the connection is to be closed."""
        request = None
        try:
            while self.reader.buffer.startswith(b"\r\n"):
                self.reader.buffer = self.reader.buffer[2:]
            head = self.reader.until(b"\r\n\r\n", HEAD_LIMIT)
            if head is None:
                return False
            request = Request(head)
        except S3Error as error:
            self.linger = True
            self.deliver(None, error_answer(None, error), {}, closing=True)
            return False
        return self.serve_admin(request) if request.is_admin() else self.serve_s3(request)

    def serve_admin(self, request):
        if self.requests == 0:      # a connection of the tests' own
            self.server.stats.add("https" if self.secure else "http", -1)
        self.requests += 1
        self.counted = False
        self.receive(request)
        return self.deliver(request, self.server.admin.perform(request), {})

    def serve_s3(self, request):
        self.requests += 1
        self.counted = True
        operation = operation_name(request)
        self.server.stats.count_request(operation or "Unknown", request.head)
        self.count_received()
        action = self.server.faults.take(operation or "Unknown")
        if "close_before" in action:
            return False
        if "early" in action:
            return self.answer_early(request, action)
        self.send(CONTINUE * action.get("continue", 0))
        answer = self.produce(request, operation, action)
        if "lose_after" in action:
            return False
        return self.deliver(request, answer, action)

    def answer_early(self, request, action):
        self.linger = True
        answer = fault_answer(request, {**action, "status": action["early"]})
        return self.deliver(request, answer, action, closing=True)

    def produce(self, request, operation, action):
        """The answer to a request; a fault of the raw kind needs no valid request."""
        try:
            if "raw" in action:
                self.receive(request, None, action.get("continue"))
                return None
            self.check_head(request, operation)
            self.receive(request, request.checksum_algorithm(), action.get("continue"))
            request.intake.verify(request.headers)
            return fault_answer(request, action) or self.server.operations.perform(
                operation, request)
        except S3Error as error:
            self.discard(request)
            return error_answer(request, error)
        except OSError:
            raise
        except Exception:           # a bug here must show as a 500, not as a silent close
            traceback.print_exc()
            self.discard(request)
            return error_answer(request, S3Error("InternalError"))

    def check_head(self, request, operation):
        """All that can be refused before the body is sent."""
        if request.error:
            raise request.error
        self.server.authenticator.check(request)
        if operation is None:
            raise unknown_operation(request)
        if (request.length or 0) > PUT_LIMIT:
            raise S3Error("EntityTooLarge", fields={"ProposedSize": request.length,
                                                    "MaxSizeAllowed": PUT_LIMIT})
        if (operation in ("PutObject", "UploadPart") and request.length is None
                and not request.chunked):
            raise S3Error("MissingContentLength")

    # --- bodies

    def body_pieces(self, request):
        return self.reader.chunks() if request.chunked else self.reader.exactly(request.length or 0)

    def receive(self, request, algorithm=None, continues=None):
        """Reads the body. The client is told to go on unless a fault has seen to that."""
        if request.expects_continue() and continues is None and not self.reader.buffer:
            self.send(CONTINUE)
        maybe_large = request.chunked or (request.length or 0) > BLOCK
        request.intake = Intake(algorithm, maybe_large, request.payload_hash)
        try:
            pieces = self.body_pieces(request)
            for piece in request.coding.decode(pieces) if request.coding else pieces:
                request.intake.update(piece)
        except TimeoutError:
            self.linger = True
            raise S3Error("RequestTimeout") from None
        except S3Error:
            self.linger = True      # the framing is lost
            raise
        self.count_received()

    def discard(self, request):
        """Gets rid of the body of a refused request, if that is cheap; else we must close."""
        if request.intake is not None or not request.has_body():
            return
        if request.expects_continue() or request.chunked or request.length > DRAIN_LIMIT:
            self.linger = True
            return
        for _ in self.body_pieces(request):
            pass
        self.count_received()

    def count_received(self):
        if self.counted:
            self.server.stats.add("bytes_in", self.reader.count)
        self.reader.count = 0

    # --- answers

    def deliver(self, request, answer, action, closing=False):
        """Sends an answer; False when the connection is to be closed after it."""
        closing = (closing or self.linger or request.wants_close() or "no_length" in action
                   or ("raw" in action and not action.get("keep")))
        self.server.log(request, answer)
        pieces = answer_pieces(request, answer, action, closing)
        length = cut_length(action)
        if length is not None:
            pieces = limited(pieces, length)
        if "trickle" in action:
            pieces = trickled(pieces, *action["trickle"])
        if "delay" in action:
            time.sleep(action["delay"])
        for piece in pieces:
            self.send(piece)
        self.silent = "tls_cut" in action
        self.abort = "reset" in action
        return not (closing or length is not None or "close_idle" in action)

    def send(self, data):
        if not data:
            return
        if self.counted:
            self.server.stats.add("bytes_out", len(data))
        self.sock.sendall(data)

    # --- the end

    def close(self):
        try:
            if self.abort:
                time.sleep(0.01)    # so that the client gets what was sent before the RST
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            elif self.linger:
                self.drain()
            elif self.secure and not self.silent:
                self.notify_close()
        except (OSError, ValueError):
            pass
        self.sock.close()

    def notify_close(self):
        """Sends close_notify without waiting for the client's; OpenSSL forgets the session of a
        connection that ends without."""
        self.sock.settimeout(0)
        self.sock.unwrap()

    def drain(self):
        """Unread bytes would turn the close into an RST, which can destroy the answer."""
        if self.secure:
            try:
                self.notify_close()
            except OSError:
                pass
        self.sock.shutdown(socket.SHUT_WR)
        end = time.monotonic() + LINGER_SECONDS
        plain = socket.socket(fileno=os.dup(self.sock.fileno()))
        with plain:
            while time.monotonic() < end:
                plain.settimeout(max(end - time.monotonic(), 0.01))
                if not plain.recv(PIECE):
                    break


def fault_answer(request, action):
    """The answer that a fault puts in the place of the operation's, or None."""
    if "ok_error" in action:
        error = S3Error(action["ok_error"], action.get("message"))
        return error_answer(request, error, status=200, white_space="\n  \n")
    if "status" in action:
        code = action.get("code") or CODE_OF_STATUS.get(action["status"], "InternalError")
        error = S3Error(code, action.get("message"), status=action["status"])
        return error_answer(request, error)
    return None


# ---------------------------------------------------------------------------------------------
# The server

class Server:
    """The listeners and all that connections share."""

    def __init__(self, options, context):
        self.verbose = options.verbose
        self.context = context
        self.authenticator = Authenticator(options.key, options.secret, options.region,
                                           options.token)
        self.operations = Operations(options.region, options.min_part, self.authenticator)
        self.stats = Stats()
        self.faults = Faults()
        self.admin = Admin(self.operations, self.stats, self.faults)

    def listen(self, port, secure):
        """Starts to accept connections; returns the port."""
        listener = socket.create_server(("127.0.0.1", port), backlog=256)
        start_thread(self.accept, listener, secure)
        return listener.getsockname()[1]

    def accept(self, listener, secure):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                time.sleep(0.05)    # out of file descriptors: connections will end
                continue
            self.stats.add("https" if secure else "http")
            start_thread(Connection(self, sock, secure).run)

    def log(self, request, answer):
        if self.verbose:
            what = f"{request.method} {request.target}" if request else "unreadable request"
            status = answer.status if answer else "raw bytes"
            print(f"{what} -> {status}", file=sys.stderr, flush=True)


def start_thread(function, *arguments):
    threading.Thread(target=function, args=arguments, daemon=True).start()


# ---------------------------------------------------------------------------------------------
# Certificates

OPENSSL_CONFIGURATION = """\
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = serverAuth
subjectAltName = @names
[names]
DNS.1 = localhost
DNS.2 = aws.localhost
DNS.3 = *.aws.localhost
DNS.4 = *.localhost
IP.1 = 127.0.0.1
"""
RSA_KEY = ("-newkey", "rsa:2048")
EC_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
CERTIFICATE_DAYS = ("-days", "3650", "-sha256")


def openssl(*arguments):
    done = subprocess.run(("openssl",) + arguments, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"openssl {arguments[0]} failed: {done.stderr}")


class Certificates:
    """A CA and a leaf in a directory, made once; the EC pair has files of its own."""

    def __init__(self, directory, elliptic):
        self.directory = directory
        self.key_arguments = EC_KEY if elliptic else RSA_KEY
        suffix = "-ec" if elliptic else ""
        self.ca = self.path(f"ca{suffix}.pem")
        self.ca_key = self.path(f"ca{suffix}.key")
        self.leaf = self.path(f"leaf{suffix}.pem")
        self.leaf_key = self.path(f"leaf{suffix}.key")
        self.leaf_request = self.path(f"leaf{suffix}.csr")
        self.configuration = self.path("openssl.cnf")

    def path(self, name):
        return os.path.join(self.directory, name)

    def ensure(self):
        """Makes what is missing; the lock is for servers that start at the same time."""
        with open(self.path("lock"), "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not os.path.exists(self.leaf):   # the last file that is written
                self.make()

    def make(self):
        with open(self.configuration, "w", encoding="ascii") as file:
            file.write(OPENSSL_CONFIGURATION)
        request = ("req", "-config", self.configuration, "-nodes", *self.key_arguments)
        openssl(*request, "-x509", "-extensions", "ca", "-subj", "/CN=S3 test CA",
                "-keyout", self.ca_key, "-out", self.ca, *CERTIFICATE_DAYS)
        openssl(*request, "-new", "-subj", "/CN=localhost",
                "-keyout", self.leaf_key, "-out", self.leaf_request)
        openssl("x509", "-req", "-in", self.leaf_request, "-CA", self.ca, "-CAkey", self.ca_key,
                "-set_serial", "0x" + random_id(), "-extfile", self.configuration,
                "-extensions", "leaf", "-out", self.leaf, *CERTIFICATE_DAYS)

    def context(self, tls13):
        """TLS 1.2 without tickets: embedded clients resume by session ID."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.maximum_version = ssl.TLSVersion.TLSv1_3 if tls13 else ssl.TLSVersion.TLSv1_2
        if not tls13:
            context.options |= ssl.OP_NO_TICKET
        # Without this OpenSSL 3 forgets the session of a client that ends without close_notify.
        context.options |= getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
        context.load_cert_chain(self.leaf, self.leaf_key)
        return context


# ---------------------------------------------------------------------------------------------
# Start and end

def process_runs(pid):
    """Whether a process is alive; a zombie is not, though signals can still be sent to it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return True     # no /proc on this system


def parse_arguments():
    parser = argparse.ArgumentParser(description="A small S3 server for tests.")
    parser.add_argument("--dir", required=True, help="where the certificates are kept")
    parser.add_argument("--http-port", type=int, default=0, metavar="P", help="0: any free port")
    parser.add_argument("--https-port", type=int, default=0, metavar="P", help="0: any free port")
    parser.add_argument("--key", default="AKIAIOSFODNN7EXAMPLE", metavar="AK")
    parser.add_argument("--secret", default="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                        metavar="SK")
    parser.add_argument("--token", metavar="T", help="session token that requests must carry")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--min-part", type=int, default=5 * MIB, metavar="BYTES",
                        help="smallest part of a multipart upload but for the last")
    parser.add_argument("--ec", action="store_true", help="EC P-256 certificates, not RSA-2048")
    parser.add_argument("--tls13", action="store_true", help="allow TLS 1.3")
    parser.add_argument("--parent", type=int, metavar="PID", help="end when this process is gone")
    parser.add_argument("--verbose", action="store_true", help="log requests to stderr")
    return parser.parse_args()


def wait_for_the_end(parent):
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while not stop.wait(0.5):
        if parent and not process_runs(parent):
            break


def main():
    options = parse_arguments()
    os.makedirs(options.dir, exist_ok=True)
    certificates = Certificates(options.dir, options.ec)
    certificates.ensure()
    server = Server(options, certificates.context(options.tls13))
    http_port = server.listen(options.http_port, secure=False)
    https_port = server.listen(options.https_port, secure=True)
    print(f"ready http={http_port} https={https_port} ca={certificates.ca} pid={os.getpid()}",
          flush=True)
    wait_for_the_end(options.parent)


if __name__ == "__main__":
    main()
