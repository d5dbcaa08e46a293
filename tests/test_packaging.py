#!/usr/bin/env python3
"""test_packaging.py - the packages in a project of a user's.

SPDX-License-Identifier: MIT

    test_packaging.py                  port/cmake: by add_subdirectory and by FetchContent
    test_packaging.py rtos PLACE       port/esp-idf and port/zephyr, against stand-ins for their build
                                       systems (tests/packages)

The latter is for tests/lwip/run.sh, which has built lwIP for it: PLACE has objects, a list of its files,
and anchors.h, the CA of a server of which AWS_ENDPOINT_URL and the keys are in the environment.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

import sizes

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



RTOS_PROGRAM = r"""
#include "aws_s3.h"
#include "port/lwip_sockets.h"
#include <bearssl.h>
#include "anchors.h"
#include <stdio.h>
#include <stdlib.h>

static unsigned char memory[AWS_CLIENT_MEMORY];

void ENTRY
{
    static const char text[] = "21.5 degrees";
    char back[sizeof text];
    aws_config config = {0};
    aws_trust trust = {0};
    aws_session session;
    aws_client s3;
    aws_s3_bucket bucket;
    int r;

    trust.anchors = anchors;
    trust.count = anchors_COUNT;
    config.trust = &trust;
    config.port = aws_lwip_sockets_port();
    config.region = "us-east-1";
    config.endpoint = getenv("AWS_ENDPOINT_URL");
    config.access_key_id = getenv("AWS_ACCESS_KEY_ID");
    config.secret_access_key = getenv("AWS_SECRET_ACCESS_KEY");
    config.features = FEATURES;
    aws_session_init(&session, &config);
    aws_client_init(&s3, &session, &aws_s3_service, memory, sizeof memory);
    aws_s3_bucket_init(&bucket, &s3, "packages");
    r = aws_s3_bucket_create(&bucket, NULL);
    if (r < 0 && aws_client_failure(&s3)->http_status == 409)
        r = 0;
    if (r == 0)
        r = aws_s3_bucket_put(&bucket, "reading", text, sizeof text - 1, NULL);
    if (r == 0)
        r = aws_s3_bucket_get(&bucket, "reading", back, sizeof back, NULL);
    if (r >= 0)
        printf("read %.*s\n", r, back);
    else
        puts(aws_client_failure_text(&s3));
#ifdef AWS_SMALL
    puts("small");
#endif
#ifdef AWS_NO_JSON
    puts("no JSON");
#endif
    aws_client_close(&s3);
    aws_session_close(&session);
    RETURN
}
"""
# As their README pages say.
IDF = """cmake_minimum_required(VERSION 3.16)
set(EXTRA_COMPONENT_DIRS %(top)s/port/esp-idf)
set(AWS_H_BEARSSL %(bearssl)s)
%(jsmn)s
include($ENV{IDF_PATH}/tools/cmake/project.cmake)
project(user)
"""
IDF_MAIN = 'idf_component_register(SRCS "program.c" INCLUDE_DIRS "%s")\n'
IDF_SETTINGS = """%s"""
ZEPHYR = """cmake_minimum_required(VERSION 3.20)
list(APPEND ZEPHYR_EXTRA_MODULES %(top)s/port/zephyr)
find_package(Zephyr REQUIRED HINTS $ENV{ZEPHYR_BASE})
project(user)
target_sources(app PRIVATE program.c)
target_include_directories(app PRIVATE %(place)s)
"""
ZEPHYR_SETTINGS = """CONFIG_NET_SOCKETS=y
CONFIG_NET_TCP=y
CONFIG_DNS_RESOLVER=y
CONFIG_ENTROPY_GENERATOR=y
CONFIG_POSIX_TIMERS=y
CONFIG_AWS_H=y
CONFIG_AWS_H_BEARSSL="%(bearssl)s"
%(more)s
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


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def build_rtos(place, system, lwip, settings, bearssl, jsmn="", more=""):
    """As build. more: what the stand-in links with the program."""
    values = {"top": TOP, "place": lwip, "bearssl": bearssl, "more": settings,
              "jsmn": 'set(AWS_H_JSMN "%s")' % jsmn if jsmn else ""}
    small = "AWS_H_SMALL=y" in settings
    program = RTOS_PROGRAM.replace("FEATURES", "&features" if small else "NULL")
    if small:
        program = program.replace("\nvoid ENTRY", "\nstatic const aws_features features = {0};\n"
                                  "\nvoid ENTRY")
    options = ["-DSTAND_IN_MORE=" + more]
    shutil.rmtree(place, ignore_errors=True)
    if system == "idf":
        program = program.replace("ENTRY", "app_main(void)").replace("RETURN", "")
        options += ["-DSTAND_IN_OBJECTS=" + lwip + "/objects",
                    "-DSTAND_IN_LWIP=" + sizes.fetch_lwip()]
        write(place + "/CMakeLists.txt", IDF % values)
        write(place + "/main/CMakeLists.txt", IDF_MAIN % lwip)
        write(place + "/main/program.c", "void app_main(void);\n" + program)
        write(place + "/sdkconfig.defaults", settings)
    else:
        program = program.replace("void ENTRY", "int main(void)").replace("RETURN", "return 0;")
        write(place + "/CMakeLists.txt", ZEPHYR % values)
        write(place + "/program.c", program)
        write(place + "/prj.conf", ZEPHYR_SETTINGS % values)
    environment = dict(os.environ, IDF_PATH=TOP + "/tests/packages/idf",
                       ZEPHYR_BASE=TOP + "/tests/packages/zephyr")
    for command in (("cmake", "-S", place, "-B", place + "/build", *options),
                    ("cmake", "--build", place + "/build", "-j", str(os.cpu_count())),
                    (place + "/build/program",)):
        code, text = run(*command, env=environment)
        if code:
            break
    return code, text


def rtos(lwip, work):
    """The cases of port/esp-idf and port/zephyr. Once each BearSSL is compiled from its source; in
    the others Debian's library takes its place, which is faster."""
    lwip = os.path.abspath(lwip)
    bearssl = sizes.fetch_bearssl()
    write(work + "/bearssl/src/empty.c", "extern int empty; int empty;\n")
    os.symlink(bearssl + "/inc", work + "/bearssl/inc")
    jsmn = {"idf": "", "zephyr": 'CONFIG_AWS_H_JSMN="/usr/include"\n'}
    works = "read 21.5 degrees\n"
    for system in ("idf", "zephyr"):
        yield system, works + "no JSON\n", 0, (system, lwip, "", bearssl), {}
        yield (system + ", options", works + "small\n", 0,
               (system, lwip, jsmn[system] + "CONFIG_AWS_H_ROOTS=n\nCONFIG_AWS_H_SMALL=y\n",
                work + "/bearssl"), {"jsmn": "/usr/include", "more": "bearssl"})
        yield system + ", no BearSSL", "no BearSSL in '/none'", 1, (system, lwip, "", "/none"), {}


def page(system):
    """The program on the package's page compiles as it stands there."""
    folder = {"idf": "esp-idf"}.get(system, system)
    with open(f"{TOP}/port/{folder}/README.md", encoding="utf-8") as file:
        program = re.search(r"^```c\n(.*?)^```", file.read(), re.MULTILINE | re.DOTALL)[1]
    return run("gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-I" + TOP, "-DAWS_NO_DEFAULT_PORT",
               "-fsyntax-only", "-xc", "-", input=program)


def report(name, code, fails, text, said):
    """1 if it is as it should be."""
    if (code != 0) == bool(fails) and (said == text if said.endswith("\n") else said in text):
        return 1
    print("%s: exit code %d\n%s" % (name, code, text[-3000:]))
    return 0


def main_rtos(lwip):
    passed = failed = 0
    with tempfile.TemporaryDirectory() as work:
        for system in ("idf", "zephyr"):
            code, text = page(system)
            fine = report(system + ", page", code, 0, text, "")
            passed += fine
            failed += 1 - fine
        for name, said, fails, arguments, options in rtos(lwip, work):
            code, text = build_rtos(work + "/user", *arguments, **options)
            fine = report(name, code, fails, text, said)
            passed += fine
            failed += 1 - fine
    print("test_packaging: %d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


def main():
    if sys.argv[1:2] == ["rtos"]:
        return main_rtos(sys.argv[2])
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
            fine = report(name, code, fails, text, said)
            passed += fine
            failed += 1 - fine
    print("test_packaging: %d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
