#!/usr/bin/env python3
"""The names that the two headers give to a program: all begin with aws_ or AWS_, and none is one
that the AWS CRT's C libraries have, so that both can be in one program.

The CRT's names are read from ../shared/data/crt_identifiers.txt, or from the file that
CRT_IDENTIFIERS names; without it only the prefixes are checked, and a note says so.

Also, tests/rules.tsv: each test that it names is there. It names one for each rule of section 2 of
../shared/behaviour.md (or BEHAVIOUR), all of whose words belong to a rule; without that page only the
tests are looked for.
"""

import os
import re
import subprocess
import sys

BEHAVIOUR = os.environ.get("BEHAVIOUR", "../shared/behaviour.md")
LIST = os.environ.get("CRT_IDENTIFIERS", "../shared/data/crt_identifiers.txt")
OBJECT = "build/names.o"


def output(*command, text=""):
    return subprocess.run(command, input=text, stdout=subprocess.PIPE, check=True,
                          universal_newlines=True).stdout


def symbols(*options):
    """Of the object: with -g the external ones, else also static functions and data."""
    output("gcc", "-std=c99", "-I.", "-xc", "-c", "-", "-o", OBJECT,
           text='#define AWS_IMPLEMENTATION\n#include "aws_s3.h"\n')
    names = {line.split()[-1] for line in output("nm", "--defined-only", *options,
                                                 OBJECT).splitlines()}
    return {name for name in names if "." not in name}  # name.123 is inside a function


def is_ours(path):
    return os.path.basename(path) in ("aws.h", "aws_s3.h") or "port/" in path


def macros(define):
    """Those that remain after the headers, without the compiler's and libc's."""
    text = output("gcc", "-std=c99", "-I.", "-xc", "-E", "-dD", "-",
                  text=define + '#include "aws_s3.h"\n')
    found, ours = set(), False
    for line in text.splitlines():
        place = re.match(r'# \d+ "([^"]*)"', line)
        if place:
            ours = is_ours(place[1])
        words = line.split()
        if ours and line.startswith("#define"):
            found.add(words[1].split("(")[0])
        elif line.startswith("#undef"):
            found.discard(words[1])
    return found


def file_scope(text):
    """Without the bodies of functions and structs; those of enums stay."""
    outer, depth, keep = [], 0, False
    for token in re.findall(r""" "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])+' | \w+ | \s+ | . """, text,
                            re.VERBOSE):
        if token == "}":
            depth -= 1
        if depth == 0 or keep:
            outer.append(token)
        if token == "{":
            keep = depth == 0 and re.search(r"\benum\b[\w\s]*\{$", "".join(outer[-8:]))
            depth += 1
    return "".join(outer)


def declared(define):
    """Tags, types and enumerators."""
    text = output("gcc", "-std=c99", "-I.", "-xc", "-E", "-", text=define + '#include "aws_s3.h"\n')
    kept, ours = [], False
    for line in text.splitlines():
        place = re.match(r'# \d+ "([^"]*)"', line)
        if place:
            ours = is_ours(place[1])
        elif ours:
            kept.append(line)
    text = file_scope("\n".join(kept))
    found = set(re.findall(r"\b(?:struct|union|enum)\s+(\w+)\s*\{", text))
    found |= set(re.findall(r"\}\s*(\w+)\s*;", text))
    found |= set(re.findall(r"\btypedef\b[^;{]*?(\w+)\s*;", text))
    for body in re.findall(r"\benum\b[^{;]*\{([^}]*)\}", text):
        found |= set(re.findall(r"(?:^|,)\s*([A-Za-z_]\w*)", body))
    return found


def named_tests():
    """The rows of tests/rules.tsv, and what is wrong with their tests."""
    rows, wrong, sources = [], [], {}
    with open("tests/rules.tsv", encoding="utf-8") as file:
        for line in file:
            if not line.startswith("#"):
                rows.append(line.rstrip("\n").split("\t"))
    for rule, tests, _ in rows:
        for test in tests.split() if tests != "-" else ():
            name, function = test.split(":")
            if name not in sources:
                with open("tests/" + name, encoding="utf-8") as file:
                    sources[name] = file.read()
            form = rf"^static void (test_)?{function}\(void\)$" if name.endswith(".c") else rf"^def {function}\("
            if not re.search(form, sources[name], re.MULTILINE):
                wrong.append(f"rule {rule}: there is no test {test}")
    return rows, wrong


def rules():
    rows, wrong = named_tests()
    print(f"{len(rows)} rules, {sum(len(row[1].split()) for row in rows)} tests named for them")
    if not os.path.exists(BEHAVIOUR):
        print(f"NOTE: {BEHAVIOUR} is not there: the rules were NOT compared with it")
        return wrong
    with open(BEHAVIOUR, encoding="utf-8") as file:
        page = re.search(r"\n## 2\..*?\n(.*?)\n## 3\.", file.read(), re.DOTALL)[1]
    page = " ".join(page.split())
    left = list(page)
    for rule, _, words in rows:
        first, _, last = words.partition(" ... ")
        begin = page.find(first)
        end = page.find(last, begin + len(first)) + len(last) if last else begin + len(first)
        if begin < 0 or end < begin + len(first):
            wrong.append(f"rule {rule}: these words aren't in {BEHAVIOUR}: {words}")
        else:
            left[begin:end] = " " * (end - begin)
    return wrong + [f"no rule has the words: {words}" for words in
                    re.split(r" {3,}", "".join(left)) if re.search(r"\w", words)]


def main():
    os.makedirs("build", exist_ok=True)
    implementation = "#define AWS_IMPLEMENTATION\n"
    names = {"symbol": symbols("-g"), "static": symbols(),
             "macro": macros("") | macros(implementation),
             "declaration": declared("") | declared(implementation)}
    crt = set()
    if os.path.exists(LIST):
        with open(LIST, encoding="ascii") as file:
            crt = set(file.read().split())
    else:
        print(f"NOTE: {LIST} is not there: names were NOT compared with the AWS CRT's")
    wrong = rules()
    for kind, found in names.items():
        allowed = {"symbol": ("aws_",), "static": ("aws_", "br_")}.get(kind, ("aws_", "AWS_"))
        wrong += [f"{kind} {name} lacks the prefix" for name in sorted(found)
                  if not name.startswith(allowed) and name not in ("_POSIX_C_SOURCE", "SO_NOSIGPIPE")]
        wrong += [f"{kind} {name} is a name of the AWS CRT" for name in sorted(found & crt)]
        wrong += [f"{kind} {name} is reserved" for name in sorted(found) if "__" in name]
    print(", ".join(f"{len(found)} {kind} names" for kind, found in names.items()))
    if min(map(len, names.values())) < 20:
        wrong.append("too few names were found: is this script still right?")
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
