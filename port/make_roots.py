#!/usr/bin/env python3
# make_roots.py - CA certificates as BearSSL trust anchors in C.
#
# SPDX-License-Identifier: MIT
#
#   python3 port/make_roots.py > port/amazon_roots.h       the five roots of Amazon
#   python3 port/make_roots.py NAME FILE.pem... > name.h   any certificates: NAME[NAME_COUNT]
#
# The latter is for an endpoint of your own: include bearssl.h, then the file, and set
# trust.anchors = NAME; trust.count = NAME_COUNT; config.trust = &trust.
# Needs nothing but Python. The five come from Debian's package ca-certificates.

import base64
import os
import re
import sys

FOLDERS = ("/usr/share/ca-certificates/mozilla/%s.crt", "/etc/ssl/certs/%s.pem")
AMAZON = ("Amazon_Root_CA_1", "Amazon_Root_CA_2", "Amazon_Root_CA_3", "Amazon_Root_CA_4",
          "Starfield_Services_Root_Certificate_Authority_-_G2")
RSA = "2a864886f70d010101"
EC = "2a8648ce3d0201"
CURVES = {"2a8648ce3d030107": "BR_EC_secp256r1", "2b81040022": "BR_EC_secp384r1",
          "2b81040023": "BR_EC_secp521r1"}
BASIC_CONSTRAINTS = bytes.fromhex("0603551d13")


# A union's second member can be initialised by its name only, which C++ before 2020 has as an
# extension; and BearSSL's pointers aren't const.
PUSH = """\
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wunknown-warning-option"
#pragma clang diagnostic ignored "-Wcast-qual"
#pragma clang diagnostic ignored "-Wc99-extensions"
#pragma clang diagnostic ignored "-Wc++20-designator"
#elif defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-qual"
#if __GNUC__ >= 12 && defined(__cplusplus)
#pragma GCC diagnostic ignored "-Wc++20-extensions"
#else
#pragma GCC diagnostic ignored "-Wpedantic"
#endif
#endif
"""
POP = """\
#if defined(__clang__)
#pragma clang diagnostic pop
#elif defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
"""


def elements(der):
    """The DER elements of a string: (tag, content, whole)."""
    found = []
    at = 0
    while at < len(der):
        start, tag, length = at, der[at], der[at + 1]
        at += 2
        if length >= 0x80:
            size = length & 0x7F
            length = int.from_bytes(der[at:at + size], "big")
            at += size
        if at + length > len(der):
            raise ValueError("DER is cut short")
        found.append((tag, der[at:at + length], der[start:at + length]))
        at += length
    return found


def certificate(der):
    """Subject (whole), key, and whether it is a CA."""
    fields = elements(elements(elements(der)[0][1])[0][1])
    if fields[0][0] == 0xA0:  # version: absent in version 1
        fields = fields[1:]
    subject, key = fields[4][2], elements(fields[5][1])
    algorithm = [content.hex() for _, content, _ in elements(key[0][1])]
    bits = key[1][1][1:]  # after the count of unused bits
    if algorithm[0] == RSA:
        n, e = (content.lstrip(b"\0") for _, content, _ in elements(elements(bits)[0][1]))
        public = ("RSA", n, e)
    elif algorithm[0] == EC and algorithm[1] in CURVES:
        public = ("EC", CURVES[algorithm[1]], bits)
    else:
        raise ValueError("neither RSA nor one of BearSSL's curves")
    # A root of version 1 has no extensions and is taken for a CA.
    extensions = [content for tag, content, _ in fields[6:] if tag == 0xA3]
    authority = not extensions
    for _, extension, _ in elements(elements(extensions[0])[0][1]) if extensions else ():
        if extension.startswith(BASIC_CONSTRAINTS):
            value = elements(elements(extension)[-1][1])[0][1]
            authority = any(tag == 1 and flag == b"\xff" for tag, flag, _ in elements(value))
    return subject, public, authority


def read(path):
    """The certificates of a PEM file, as DER."""
    with open(path, encoding="ascii", errors="replace") as file:
        text = file.read()
    found = re.findall("-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", text, re.S)
    if not found:
        raise ValueError("no certificate in it")
    return [base64.b64decode(body) for body in found]


def label(subject):
    """The common name, or the last part of the name, for a comment."""
    sets = elements(elements(subject)[0][1])
    parts = [elements(elements(content)[0][1]) for _, content, _ in sets]
    names = [part[1][1] for part in parts if part[0][1].hex() == "550403"] or [parts[-1][1][1]]
    return re.sub("[^ -~]", "?", names[0].decode("utf-8", "replace")).replace("*/", "?")


def array(name, data):
    lines = ["static const unsigned char %s[] = {" % name]
    for at in range(0, len(data), 16):
        lines.append("    " + ", ".join("0x%02x" % b for b in data[at:at + 16]) + ",")
    return "\n".join(lines) + "\n};\n"


def table(name, certificates):
    """Arrays of data, then the array of trust anchors."""
    text, rows = [], []
    for i, (subject, public, authority) in enumerate(certificates):
        def field(part):
            return "(unsigned char *)%s_%s%d, sizeof %s_%s%d" % (name, part, i, name, part, i)
        text.append("/* %s */" % label(subject))
        text.append(array("%s_dn%d" % (name, i), subject))
        if public[0] == "RSA":
            text.append(array("%s_n%d" % (name, i), public[1]))
            text.append(array("%s_e%d" % (name, i), public[2]))
            key = "{BR_KEYTYPE_RSA,\n      {.rsa = {%s,\n               %s}}}" % (
                field("n"), field("e"))
        else:
            text.append(array("%s_q%d" % (name, i), public[2]))
            key = "{BR_KEYTYPE_EC,\n      {.ec = {%s,\n              %s}}}" % (
                public[1], field("q"))
        rows.append("    {{%s},\n     %s,\n     %s}," % (
            field("dn"), "BR_X509_TA_CA" if authority else "0", key))
    text.append("static const br_x509_trust_anchor %s[%d] = {" % (name, len(rows)))
    return "\n".join(text + rows) + "\n};\n"


def main():
    if len(sys.argv) == 2 or (len(sys.argv) > 2 and not sys.argv[1].isidentifier()):
        sys.exit("make_roots.py: give no argument, or a C name and PEM files")
    name = sys.argv[1] if len(sys.argv) > 2 else "aws_i_amazon_roots"
    paths = sys.argv[2:] or [
        next((folder % root for folder in FOLDERS if os.path.exists(folder % root)),
             FOLDERS[0] % root) for root in AMAZON]
    found = []
    for path in paths:
        try:
            found += [certificate(der) for der in read(path)]
        except (OSError, ValueError, IndexError) as error:
            sys.exit("make_roots.py: %s: %s" % (path, error))
    guard = "AWS_AMAZON_ROOTS_INCLUDED" if len(sys.argv) == 1 else name.upper() + "_INCLUDED"
    if len(sys.argv) == 1:
        print("/* amazon_roots.h - the certificate authorities of AWS: Amazon Root CA 1-4 and\n"
              " * Starfield Services Root G2, as trust anchors for BearSSL.\n"
              " *\n"
              " * Made by: python3 port/make_roots.py > port/amazon_roots.h\n"
              " * (from Debian's ca-certificates). Names and public keys, no code. aws.h includes\n"
              " * it in its implementation, after bearssl.h. The casts are there because\n"
              " * BearSSL's struct has pointers to non-const, which it only reads.\n"
              " */")
    else:
        print("/* Trust anchors for BearSSL, made by make_roots.py. Include bearssl.h first. */")
    print("#ifndef %s\n#define %s\n" % (guard, guard))
    if len(sys.argv) > 1:
        print("#define %s_COUNT %d\n" % (name, len(found)))
    print(PUSH)
    print(table(name, found))
    print(POP)
    print("#endif /* %s */" % guard)


main()
