#!/usr/bin/env python3
"""Are the tests able to fail? Changes single operators, numbers, conditions and statements of both
headers, as many as asked for, and runs the unit tests that come by each of them: one of them must fail.

    tests/mutate.py [--count N] [--seed S] [--function REGEX] [--least PER_CENT]

Of all mutants that there are, N (300) are drawn by S (1), so that a run can be repeated; 0 takes all.
Each test is compiled once with many mutants in it, of which the environment chooses one. A mutant
that no unit test comes by is not counted; tests/coverage.py says what is not reached. Exit code 1 if
less than PER_CENT (0) of those that were reached were noticed. One that is not is printed: an
expectation is missing, a line isn't needed, or the change means the same.

Needs Debian's python3-clang; /usr/bin/python3 is tried, too.
"""

import argparse
import concurrent.futures
import glob
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import time

try:
    from clang.cindex import Config, CursorKind, Index, StorageClass, TypeKind
except ImportError:
    if os.path.realpath(sys.executable) != os.path.realpath("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])
    raise

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(TOP, "build", "mutate")
HEADERS = "aws.h", "aws_s3.h"
# A fault at each call of the port: slow, with few expectations that the other tests don't have. Tests of
# what is compiled with other macros. And a test of its own header's other tables.
LEFT_OUT = ("test_torture", "test_torture_calls", "test_checksum_small", "test_http_small",
            "test_xml_small", "test_dns")
OPERATORS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "&&": "||",
             "||": "&&", "+": "-", "-": "+", "*": "+", "/": "*", "&": "|", "|": "&", "<<": ">>",
             ">>": "<<"}
COMPARING = "<", "<=", ">", ">=", "==", "!=", "&&", "||"
STATEMENTS = (CursorKind.CALL_EXPR, CursorKind.COMPOUND_ASSIGNMENT_OPERATOR,
              CursorKind.UNARY_OPERATOR)
CONSTANT = CursorKind.CXX_UNARY_EXPR, CursorKind.ENUM_DECL, CursorKind.TYPE_REF  # sizeof and such
# What a mutant asks: is it the one? Who asked is noted, for a list at the end.
CHOOSER_H = """
extern unsigned char mutant_reached[];
extern int mutant_chosen;
static inline int mutant_is(int n)
{
    mutant_reached[n] = 1;
    return n == mutant_chosen;
}
"""
CHOOSER_C = """
#include <stdio.h>
#include <stdlib.h>
unsigned char mutant_reached[COUNT];
int mutant_chosen = -1;
__attribute__((constructor)) static void mutant_begin(void)
{
    if (getenv("MUTANT"))
        mutant_chosen = atoi(getenv("MUTANT"));
}
__attribute__((destructor)) static void mutant_list(void)
{
    FILE *file = getenv("REACHED") ? fopen(getenv("REACHED"), "w") : NULL;
    int i;
    for (i = 0; file && i < COUNT; i++)
        if (mutant_reached[i])
            fprintf(file, "%d\\n", i);
    if (file)
        fclose(file);
}
"""


class Mutant:
    """In one header: the text that takes the place of begin to end; {} is where its number goes."""

    def __init__(self, place, begin, end, text, what):
        self.header, self.function, line, code = place
        self.begin, self.end, self.text = begin, end, text
        self.title = f"{self.header}:{line}: {self.function}: {what}: {code}"


class Finder:
    """All mutants of one header."""

    def __init__(self, header, tree):
        self.header, self.mutants = header, []
        with open(os.path.join(TOP, header), "rb") as file:
            self.text = file.read()
        self.lines = self.text.decode().splitlines()
        for cursor in tree.get_children():
            inside = cursor.location.file and os.path.basename(cursor.location.file.name) == header
            if inside and cursor.kind == CursorKind.FUNCTION_DECL and cursor.is_definition():
                self.function = cursor.spelling
                self.visit(cursor)

    def span(self, cursor):
        return cursor.extent.start.offset, cursor.extent.end.offset

    def slice(self, begin, end):
        return self.text[begin:end].decode()

    def add(self, cursor, text, what):
        begin, end = self.span(cursor)
        line = cursor.extent.start.line
        place = self.header, self.function, line, self.lines[line - 1].strip()
        self.mutants.append(Mutant(place, begin, end, text, what))

    def operator(self, cursor):
        """What stands between the two operands; None inside of macros."""
        children = list(cursor.get_children())
        if cursor.kind != CursorKind.BINARY_OPERATOR or len(children) != 2:
            return None
        between = self.slice(children[0].extent.end.offset, children[1].extent.start.offset)
        between = re.sub(r"/\*.*?\*/|//[^\n]*", "", between, flags=re.S).strip()
        return between if between in OPERATORS or between == "=" else None

    def change_operator(self, cursor, operator):
        left, right = cursor.get_children()
        pointers = sum(one.type.get_canonical().kind in (TypeKind.POINTER, TypeKind.CONSTANTARRAY)
                       for one in (left, right))
        if operator in ("-", "+") and pointers:
            return
        left, right = self.slice(*self.span(left)), self.slice(*self.span(right))
        self.add(cursor, f"(mutant_is({{}}) ? ({left} {OPERATORS[operator]} {right}) : "
                         f"({left} {operator} {right}))", f"{operator} -> {OPERATORS[operator]}")

    def negate(self, cursor):
        if self.operator(cursor) not in COMPARING:
            self.add(cursor, f"((({self.slice(*self.span(cursor))}) != 0) != mutant_is({{}}))",
                     "condition negated")

    def visit(self, cursor):
        kind, children = cursor.kind, list(cursor.get_children())
        if kind in CONSTANT:
            return
        if kind == CursorKind.VAR_DECL and (cursor.storage_class == StorageClass.STATIC or
                                            cursor.type.kind == TypeKind.CONSTANTARRAY):
            return
        if kind == CursorKind.CASE_STMT:
            children = children[1:]
        if kind in (CursorKind.IF_STMT, CursorKind.WHILE_STMT, CursorKind.CONDITIONAL_OPERATOR):
            self.negate(children[0])
        operator = self.operator(cursor)
        if operator in OPERATORS:
            self.change_operator(cursor, operator)
        if kind == CursorKind.INTEGER_LITERAL:
            text = self.slice(*self.span(cursor))
            if re.fullmatch(r"(0x[0-9a-fA-F]+|\d+)[uUlL]*", text):
                one = "0" if text == "1" else f"{text} + 1"  # another truth, too
                self.add(cursor, f"(mutant_is({{}}) ? {one} : {text})", f"{text} -> {one}")
        for child in children:
            deletable = child.kind in STATEMENTS or self.operator(child) == "="
            if kind == CursorKind.COMPOUND_STMT and deletable:
                text = self.slice(*self.span(child))
                if self.text[child.extent.end.offset:child.extent.end.offset + 1] == b";":
                    self.add(child, f"if (!mutant_is({{}})) {text}", "deleted")
            self.visit(child)


def find_mutants():
    unit = os.path.join(BUILD, "unit.c")
    with open(unit, "w", encoding="utf-8") as file:
        file.write('#define AWS_IMPLEMENTATION\n#include "aws_s3.h"\n')
    if not glob.glob("/usr/lib/*/libclang-14*") and glob.glob("/usr/lib/llvm-*/lib/libclang.so*"):
        Config.set_library_file(sorted(glob.glob("/usr/lib/llvm-*/lib/libclang.so*"))[-1])
    tree = Index.create().parse(unit, ["-std=c99", "-I" + TOP])
    errors = [str(one) for one in tree.diagnostics if one.severity >= 3]
    if errors:
        sys.exit("mutate.py: libclang: " + errors[0])
    return [mutant for header in HEADERS for mutant in Finder(header, tree.cursor).mutants]


def generations(mutants):
    """Lists in which no two overlap."""
    result = []
    for mutant in sorted(mutants, key=lambda one: (one.header, one.begin, -one.end)):
        for one in result:
            if one[-1].header != mutant.header or one[-1].end <= mutant.begin:
                one.append(mutant)
                break
        else:
            result.append([mutant])
    return result


def write_sources(directory, mutants):
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    for folder in "tests", "port":
        shutil.copytree(os.path.join(TOP, folder), os.path.join(directory, folder),
                        ignore=shutil.ignore_patterns("*.py", "corpus", "servers", "__pycache__"))
    for header in HEADERS:
        with open(os.path.join(TOP, header), "rb") as file:
            text = file.read()
        chosen = [(n, one) for n, one in enumerate(mutants) if one.header == header]
        for number, mutant in reversed(chosen):
            put = mutant.text.replace("mutant_is({})", f"mutant_is({number})").encode()
            text = text[:mutant.begin] + put + text[mutant.end:]
        with open(os.path.join(directory, header), "wb") as file:
            file.write(text)
    for name, text in ("mutant.h", CHOOSER_H), ("mutant.c", CHOOSER_C):
        with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
            file.write(text)
    subprocess.run(["gcc", "-O2", f"-DCOUNT={len(mutants)}", "-c", "mutant.c"], cwd=directory,
                   check=True)


def limits():
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 20, 64 << 20))


def run(program, seconds, **environment):
    """Whether the test passed in time."""
    try:
        return subprocess.run([program], cwd=TOP, stdin=subprocess.DEVNULL, preexec_fn=limits,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
                              timeout=seconds, env={**os.environ, **environment}).returncode == 0
    except subprocess.TimeoutExpired:
        return False


class Test:
    """One unit test with a generation of mutants in it: its seconds, and whom it comes by."""

    def __init__(self, directory, name):
        self.name, self.program, self.reached = name, os.path.join(directory, name), set()
        source = os.path.join(directory, "tests", name + ".c")
        done = subprocess.run(["gcc", "-std=c99", "-O0", "-w", "-include", f"{directory}/mutant.h",
                               f"-I{directory}", source, f"{directory}/mutant.o", "-o",
                               self.program, "-lbearssl", "-lpthread", "-lm"], check=False,
                              stderr=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit(f"mutate.py: {name} does not compile:\n{done.stderr[:2000]}")
        begin, listing = time.monotonic(), self.program + ".reached"
        if not run(self.program, 300, REACHED=listing):
            sys.exit(f"mutate.py: {name} fails with no mutant chosen")
        self.seconds = time.monotonic() - begin
        with open(listing, encoding="utf-8") as file:
            self.reached = {int(line) for line in file}

    def notices(self, number):
        return not run(self.program, 20 + 5 * self.seconds, MUTANT=str(number))


def judge(tests, number, mutant):
    """True if a test noticed it, False if none did, None if none came by."""
    able = sorted((one for one in tests if number in one.reached), key=lambda one: one.seconds)
    verdict = any(one.notices(number) for one in able) if able else None
    if verdict is False:
        print("not noticed:", mutant.title, flush=True)
    return verdict


def report(verdicts, least):
    counted = [verdict for verdict in verdicts if verdict is not None]
    share = 100 * sum(counted) / max(len(counted), 1)
    print(f"{sum(counted)} of {len(counted)} mutants were noticed, {share:.1f} %; "
          f"{len(verdicts) - len(counted)} were not reached")
    if share < least:
        print(f"below {least:g} %")
    return 1 if share < least or not counted else 0


def main():
    parser = argparse.ArgumentParser(description="Are the tests able to fail?")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--function", default="")
    parser.add_argument("--least", type=float, default=0)
    options = parser.parse_args()
    os.makedirs(BUILD, exist_ok=True)
    mutants = [one for one in find_mutants() if re.search(options.function, one.function)]
    print(f"{len(mutants)} mutants, of which are drawn "
          f"{min(options.count or len(mutants), len(mutants))}", flush=True)
    if 0 < options.count < len(mutants):
        mutants = random.Random(options.seed).sample(mutants, options.count)
    names = {os.path.basename(path)[:-2] for path in glob.glob(f"{TOP}/tests/test_*.c")}
    names = sorted(names.difference(LEFT_OUT))
    verdicts = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as side_by_side:
        for number, generation in enumerate(generations(mutants)):
            directory = os.path.join(BUILD, f"generation{number}")
            write_sources(directory, generation)
            tests = list(side_by_side.map(lambda name, where=directory: Test(where, name), names))
            judged = side_by_side.map(lambda one, some=tests: judge(some, *one), enumerate(generation))
            verdicts += judged
    return report(verdicts, options.least)


if __name__ == "__main__":
    sys.exit(main())
