#!/usr/bin/env python3
"""test_packaging.py - port/cmake in a project of a user's: by add_subdirectory and by FetchContent.

SPDX-License-Identifier: MIT

    python3 tests/test_packaging.py
"""
import os
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

PROGRAM = r"""
#define AWS_IMPLEMENTATION
#include "aws_s3.h"
#include <stdio.h>

int main(void)
{
    static unsigned char memory[AWS_CLIENT_MEMORY];
    aws_config config = {0};
    aws_session session;
    aws_client s3;

    config.region = "eu/west";
    aws_session_init(&session, &config);
    aws_client_init(&s3, &session, &aws_s3_service, memory, sizeof memory);
    puts(aws_client_failure_text(&s3));
#ifdef AWS_NO_JSON
    puts("no JSON");
#endif
    return 0;
}
"""
PROJECT = """cmake_minimum_required(VERSION 3.18)
project(user C)
%s
add_executable(program program.c)
target_compile_features(program PRIVATE c_std_99)
target_link_libraries(program PRIVATE aws_h::aws_h)
"""
IN_TREE = 'add_subdirectory("%s/port/cmake" aws_h)'
FETCHED = """include(FetchContent)
FetchContent_Declare(aws_h GIT_REPOSITORY "file://%s" GIT_TAG HEAD SOURCE_SUBDIR port/cmake)
FetchContent_MakeAvailable(aws_h)"""
OWN_BEARSSL = """add_library(bearssl INTERFACE)
target_link_libraries(bearssl INTERFACE "-l:libbearssl.a")
set(BEARSSL_LIBRARY "/none" CACHE FILEPATH "")
"""


def run(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **options)
    return done.returncode, done.stdout


def build(place, how, *options):
    """The exit code and the output of the last step that was made."""
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place)
    with open(os.path.join(place, "program.c"), "w", encoding="utf-8") as file:
        file.write(PROGRAM)
    with open(os.path.join(place, "CMakeLists.txt"), "w", encoding="utf-8") as file:
        file.write(PROJECT % how)
    for command in (("cmake", "-S", place, "-B", place + "/build", *options),
                    ("cmake", "--build", place + "/build"), (place + "/build/program",)):
        code, text = run(*command)
        if code:
            break
    return code, text


def snapshot(place):
    """A repository of the tree as it stands, committed or not: what FetchContent clones."""
    os.makedirs(place)
    names = run("git", "ls-files", "-co", "--exclude-standard", cwd=TOP)[1].split("\n")
    for name in filter(None, names):
        if os.path.isfile(os.path.join(TOP, name)) and not name.startswith("tests/"):
            os.makedirs(os.path.dirname(os.path.join(place, name)), exist_ok=True)
            shutil.copy(os.path.join(TOP, name), os.path.join(place, name))
    for command in (("init", "-q"), ("add", "-A"),
                    ("-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-q", "-m", "t")):
        code, text = run("git", *command, cwd=place)
        if code:
            sys.exit("git %s: %s" % (command[0], text))


def main():
    passed = failed = 0
    with tempfile.TemporaryDirectory() as work:
        snapshot(work + "/aws.h")
        sentence = "the region 'eu/west' is not one"
        cases = [("add_subdirectory", IN_TREE % TOP, (), 0, sentence),
                 ("FetchContent", FETCHED % (work + "/aws.h"), (), 0, sentence),
                 ("a target of the user's", OWN_BEARSSL + IN_TREE % TOP, (), 0, sentence),
                 ("no jsmn", IN_TREE % TOP, ("-DJSMN_INCLUDE_DIR=",), 0, "no JSON"),
                 ("no BearSSL", IN_TREE % TOP, ("-DBEARSSL_LIBRARY=BEARSSL_LIBRARY-NOTFOUND",
                                                "-DCMAKE_FIND_LIBRARY_PREFIXES=none"), 1,
                  "AWS_H_BEARSSL")]
        for name, how, options, fails, said in cases:
            code, text = build(work + "/user", how, *options)
            if (code != 0) == bool(fails) and said in text:
                passed += 1
            else:
                failed += 1
                print("%s: exit code %d\n%s" % (name, code, text[-3000:]))
    print("test_packaging: %d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
