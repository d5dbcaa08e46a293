#!/usr/bin/env python3
"""test_json.py - what aws_json_parse takes and refuses, against Python's json.

SPDX-License-Identifier: MIT

Random documents and broken ones go through tests/json_driver.c, which writes them again from its
tokens: Python must read the same value from both, and refuse what we refuse. The seed is fixed.
"""
import decimal
import json
import os
import random
import subprocess
import sys

# coverage.py counts another build of it.
DRIVER = os.environ.get("DRIVERS", "build/sanitized") + "/json_driver"
DEPTH = 128
random.seed(20260102)


class Twice(ValueError):
    pass


def members(pairs):
    if len({name for name, _ in pairs}) != len(pairs):
        raise Twice("a name comes twice")
    return dict(pairs)


def no_constant(text):
    raise ValueError(text)


def depth_of(value):
    deepest, todo = 0, [(value, 1)]
    while todo:
        value, depth = todo.pop()
        deepest = max(deepest, depth)
        inner = value.values() if isinstance(value, dict) else value
        if isinstance(value, (dict, list)):
            todo += [(each, depth + 1) for each in inner if isinstance(each, (dict, list))]
    return deepest


def read(data):
    """The value, or None if it isn't one object as we want it."""
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=members,
                           parse_constant=no_constant, parse_float=decimal.Decimal)
        json.dumps(value, ensure_ascii=False, default=str).encode("utf-8")  # half of a surrogate pair
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and depth_of(value) <= DEPTH else None


TEXTS = ["", "a", "Item", "temperature", "21.5", "\u00e4\u20ac\U0001f600", "q\"b\\s/", "\b\f\n\r\t",
         "\x01\x1f\x7f", "\uffff", "\u0000", "N", "S", "-0", "{}", "[", "a.b"]
NUMBERS = ["0", "-0", "1", "-17", "3.25", "1e3", "1E+2", "2.5e-3", "9223372036854775807",
           "-9223372036854775808", "9223372036854775808", "1.694000000123E9", "123456789012345678901"]


def text():
    value = random.choice(TEXTS)
    if random.random() < 0.3:
        value += "".join(chr(random.choice((0x41, 0xe9, 0x20ac, 0x1f600))) for _ in range(3))
    return json.dumps(value, ensure_ascii=random.random() < 0.5)


def space():
    return random.choice(["", "", "", " ", "\n\t", "\r\n "])


def document(depth=0):
    kind = random.random() if depth else 0
    if kind < 0.35 and depth < 6:
        names, parts = set(), []
        for _ in range(random.randrange(5)):
            name = text()
            if json.loads(name) in names:
                continue
            names.add(json.loads(name))
            parts.append(space() + name + space() + ":" + space() + document(depth + 1) + space())
        return "{" + (",".join(parts) or space()) + "}"
    if kind < 0.5 and depth < 6:
        parts = [space() + document(depth + 1) + space() for _ in range(random.randrange(5))]
        return "[" + (",".join(parts) or space()) + "]"
    if kind < 0.7:
        return text()
    if kind < 0.85:
        return random.choice(NUMBERS)
    return random.choice(["true", "false", "null"])


def mutated(data):
    data = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        at = random.randrange(len(data))
        kind = random.randrange(5)
        if kind == 0:
            del data[at]
        elif kind == 1:
            data.insert(at, random.choice(b'{}[]",:\\u0dD8e-+.tnf \n\x00\x1f\xc3\xed\xa0\x80'))
        elif kind == 2:
            data[at] = random.choice(b'{}[]",:\\/bu019eE-+.tnf \xf4\x90')
        elif kind == 3:
            other = random.randrange(len(data))
            data[at:at] = data[min(at, other):max(at, other)][:20]
        else:
            data = data[:at]
        if not data:
            return b""
    return bytes(data)


FIXED = [b"", b" ", b"{}", b" {} ", b"{}{}", b"{}x", b"[]", b"1", b'"a"', b"{", b"}", b'{"a" "b"}',
         b'{"a"}', b'{"a":}', b'{"a":1,}', b'{,}', b'{"a":1 "b":2}', b'{"a"::1}', b'{:1}',
         b'{"a":[1,]}', b'{"a":[,1]}', b'{"a":[1 2]}', b'{"a":[1]]}', b'{"a":[1}', b'{"a":{]}',
         b'{a:1}', b"{'a':1}", b'{"a":01}', b'{"a":-}', b'{"a":1.}', b'{"a":.5}', b'{"a":1e}',
         b'{"a":+1}', b'{"a":0x1}', b'{"a":tru}', b'{"a":nulll}', b'{"a":NaN}', b'{"a":"\\x"}',
         b'{"a":"\\u12"}', b'{"a":"\\ud800"}', b'{"a":"\\ud800\\u0041"}', b'{"a":"\\udc00"}',
         b'{"a":"\\ud83d\\ude00"}', b'{"a":"\t"}', b'{"a":"\x00"}', b'{"a":"\xff"}',
         b'{"a":"\xc0\x80"}', b'{"a":"\xed\xa0\x80"}', b'{"a":"\xf4\x90\x80\x80"}',
         b'{"a":"\xe2\x82"}', b'{"a":1,"a":2}', b'{"a":1,"\\u0061":2}', b'{"\\ud83d\\ude00":1,'
         b'"\xf0\x9f\x98\x80":2}', b'{"a":{"a":{"a":1}}}', b'\xef\xbb\xbf{}', b'{"a":1}//', b'{"a":\x0b1}']
FIXED += [b'{"a":' * n + b"1" + b"}" * n for n in (2, DEPTH - 1, DEPTH, DEPTH + 1)]
FIXED += [b'{"a":' + b"[" * n + b"]" * n + b"}" for n in (DEPTH - 1, DEPTH)]


def main():
    subprocess.run(["make", "-s", DRIVER], check=True)
    documents = list(FIXED)
    for _ in range(1500):
        good = document().encode()
        documents += [good, mutated(good), mutated(good)]
    sent = b"".join(b"%d\n" % len(data) + data for data in documents)
    lines = subprocess.run([DRIVER], input=sent, stdout=subprocess.PIPE,
                           check=True).stdout.split(b"\n")[:-1]
    failed = accepted = again = 0
    if len(lines) != len(documents):
        sys.exit("%d documents, %d answers" % (len(documents), len(lines)))
    for data, line in zip(documents, lines):
        want, good = read(data), line.startswith(b"good")
        wrong = (want is not None) != good
        if good and not wrong:
            accepted += 1
            written = line.split(b" ", 2)[2]
            if written != b"-":
                again += 1
                wrong = read(written) != want
        if wrong:
            failed += 1
            if failed < 10:
                print("FAILED: %r: %r" % (data[:200], line[:200]))
    print("test_json.py: %d documents, %d of them good, %d written again; %d failed" % (
        len(documents), accepted, again, failed))
    return failed != 0 or accepted < 1500 or again < 1000


if __name__ == "__main__":
    sys.exit(main())
