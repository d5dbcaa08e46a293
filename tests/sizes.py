#!/usr/bin/env python3
"""Flash, RAM, stack and instructions of the headers on Cortex-M4 and M0+, measured by linking and
running.

    tests/sizes.py            measure, write the tables into README.md and tests/sizes.json
    tests/sizes.py --check    measure, compare with tests/sizes.json, fail if a size has grown by
                              more than 1 % (a growth that is wanted: run without --check, commit)
    tests/sizes.py --quick    only Cortex-M4, print, write nothing
    tests/sizes.py --functions [PARTS]   what each function and table costs in that program

A goal that is missed is a failure, but for those that were never reached (OPEN).

Needs gcc-arm-none-eabi, picolibc-arm-none-eabi, qemu-system-arm, and BearSSL's source, which it
takes by apt-get source with a package list of its own. Everything is made below build/.
"""
import concurrent.futures
import glob
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, "build", "sizes")
JSON = os.path.join(ROOT, "tests", "sizes.json")
README = os.path.join(ROOT, "README.md")
ARM = "arm-none-eabi-"
CORES = {"m4": ["-mthumb", "-mcpu=cortex-m4"], "m0plus": ["-mthumb", "-mcpu=cortex-m0plus"]}
NAMES = {"m4": "Cortex-M4", "m0plus": "Cortex-M0+"}
SECTIONS = ["-Os", "-ffunction-sections", "-fdata-sections"]
PLAIN, SMALL = ["-DAWS_NO_TLS"], ["-DAWS_TLS_SMALL"]
SIGN, PUT, GET, HEAD, DELETE, LIST, TEXT, MANY, COPY, BUCKETS, STREAM, NAMED, PRESIGN, IOT = (
    1 << i for i in range(14))
FIVE = PUT | GET | HEAD | DELETE | LIST
DEVICE = ("put, get, head, delete, list, presigned URLs, retries, keys of AWS IoT Core, with "
          "AWS_SMALL")
MAIN, MAIN_SMALL = "put, get, head, delete, list", "the same with AWS_SMALL"
KINDS = (PLAIN, PLAIN + ["-DAWS_SMALL"], SMALL, SMALL + ["-DAWS_SMALL"])  # of objects
# name -> (what it calls, defines); the first ones are the figures of the README's table
PROGRAMS = {
    "signing alone (aws_sign)": (SIGN, PLAIN),
    "put": (PUT, PLAIN),
    "put, get": (PUT | GET, PLAIN),
    "put, get, head, delete": (PUT | GET | HEAD | DELETE, PLAIN),
    MAIN: (FIVE, PLAIN),
    MAIN_SMALL: (FIVE, PLAIN + ["-DAWS_SMALL"]),
    "the same with AWS_SMALL and all features but checksums": (
        FIVE | NAMED, PLAIN + ["-DAWS_SMALL"]),
    DEVICE: (
        FIVE | PRESIGN | IOT, PLAIN + ["-DAWS_SMALL"]),
    "the same with failure texts": (FIVE | TEXT, PLAIN),
    "the same with streams, copy, delete_objects, buckets": (
        FIVE | TEXT | MANY | COPY | BUCKETS | STREAM, PLAIN),
    "put, get, head, delete, list with TLS": (FIVE, SMALL),
    "the same with TLS and AWS_SMALL": (FIVE, SMALL + ["-DAWS_SMALL"]),
    "the same with TLS and failure texts": (FIVE | TEXT, SMALL),
}
# More programs: what they name, linked from the object of FIVE without its own start.
CLIENT = "aws_session_init aws_client_init aws_client_close aws_request_run "
JSON_WRITER = """aws_json_begin aws_json_open_object aws_json_open_array aws_json_close
    aws_json_put_string aws_json_put_number aws_json_put_quoted aws_json_put_bool aws_json_put_null
    aws_json_put_base64 aws_json_put_raw aws_json_end """
JSON_READER = """aws_json_parse aws_json_find aws_json_each aws_json_string aws_json_int64
    aws_json_number aws_json_bool aws_json_base64 aws_json_is """
XML_WRITER = """aws_xml_begin aws_xml_open aws_xml_set aws_xml_text aws_xml_close aws_xml_put
    aws_xml_put_number aws_xml_put_bool aws_xml_end """
MULTIPART = """aws_s3_create_multipart_upload aws_s3_upload_part aws_s3_complete_multipart_upload
    aws_s3_abort_multipart_upload """
ALONE = {
    "an S3 client that only presigns URLs": """aws_session_init aws_client_init aws_s3_service
        aws_s3_presign aws_s3_get_object aws_s3_put_object""",
    "a DynamoDB client, JSON written and read": CLIENT + JSON_WRITER + JSON_READER +
        "aws_dynamodb_service",
    "an STS client, XML read by path": CLIENT + "aws_sts_service aws_xml_get",
    "an EC2 client, its listings page by page": CLIENT + "aws_ec2_service aws_xml_get "
        "aws_pages_xml",
}
# What a program of FIVE pays for naming these, too.
ADDED = {
    "an action without a body (head_bucket)": "aws_s3_head_bucket",
    "an action of which we make the body (delete_objects)": "aws_s3_delete_objects",
    "multipart by hand: create, upload, complete, abort": MULTIPART,
    "managed uploads": "aws_s3_upload_begin aws_s3_transfer_step",
    "managed uploads, downloads, copies": """aws_s3_upload_begin aws_s3_download_begin
        aws_s3_copy_begin aws_s3_transfer_step""",
    "the same, resumed after a power cut": """aws_s3_upload_resume aws_s3_download_resume
        aws_s3_copy_resume aws_s3_transfer_step""",
    "tags of objects: get, put, delete": """aws_s3_get_object_tagging aws_s3_put_object_tagging
        aws_s3_delete_object_tagging""",
    "access control lists of objects: get, put": "aws_s3_get_object_acl aws_s3_put_object_acl",
    "a bucket's lifecycle: get, put, delete": """aws_s3_get_bucket_lifecycle_configuration
        aws_s3_put_bucket_lifecycle_configuration aws_s3_delete_bucket_lifecycle""",
    "copy": "aws_s3_copy",
    "iterators over versions, uploads and parts": """aws_s3_versions_begin aws_s3_uploads_begin
        aws_s3_parts_begin aws_s3_entries_next""",
    "all of S3's actions": None,
    "bodies and answers by write and read": "aws_client_write aws_client_read aws_client_finish",
    "waiters": """aws_s3_wait_bucket_exists aws_s3_wait_bucket_not_exists
        aws_s3_wait_object_exists aws_s3_wait_object_not_exists""",
    "presigned URLs (aws_s3_presign)": "aws_s3_presign",
    "presigned URLs of anything (aws_presign)": "aws_presign",
    "presigned POST forms": "aws_s3_presign_post",
    "failure texts": "aws_client_failure_text",
    "explained signatures": "aws_explain_signature",
    "FIPS and dual-stack hosts (aws_service_addresses)": "aws_service_addresses",
    "those of S3, ARNs, S3 Express (aws_s3_addresses)": "aws_s3_addresses",
    "aws_config.proxy": "aws_proxy_http",
    "aws_config.hook that reads and adds headers": "aws_client_target aws_call_header",
    "CRC32C": "aws_crc32c",
    "CRC64NVME": "aws_crc64nvme",
    "SHA-1": "aws_sha1",
    "SHA-256": "aws_sha256",
    "MD5": "aws_content_md5",
    "trailers and signed chunks": "aws_chunked_bodies",
    "all of them: aws_dialect_aws": "aws_dialect_aws",
    "XML writer": XML_WRITER,
    "XML by path": "aws_xml_get",
    "JSON writer": JSON_WRITER,
    "JSON reader": JSON_READER,
    "another service, of JSON": "aws_request_run aws_dynamodb_service",
    "another service, of the query protocol": "aws_request_run aws_sns_service",
    "listings of JSON page by page, and read": "aws_request_run aws_dynamodb_service "
        "aws_pages_json",
    "keys from a chain of sources": "aws_keys_environment aws_keys_fixed_init "
        "aws_keys_chain_init",
    "keys and settings from profiles": "aws_settings_read aws_settings_endpoint",
    "keys from instance metadata": "aws_keys_imds_init",
    "keys from a container's agent": "aws_keys_container_init",
    "keys from AssumeRole": "aws_keys_role_init",
    "keys from AssumeRoleWithWebIdentity": "aws_keys_web_identity_init",
    "keys from AWS IoT Core": "aws_keys_iot_init",
}
# The same with AWS_SMALL: what else it may name.
WITH_SMALL = {
    "repetition of failed attempts (aws_feature_retries)": "aws_feature_retries",
    "bodies that aren't in memory, large ones announced (aws_feature_bodies)": "aws_feature_bodies",
    "refresh of keys by a provider (aws_feature_refresh)": "aws_feature_refresh",
    "the server's time (aws_feature_clock)": "aws_feature_clock",
    "environment variables (aws_feature_environment)": "aws_feature_environment",
    "the log (aws_feature_log)": "aws_feature_log",
    "checksums of bodies and answers (aws_feature_checksums)": "aws_feature_checksums",
    "members of actions (aws_s3_members)": "aws_s3_members",
    "buckets of other regions (aws_call_bucket_region)": "aws_call_bucket_region",
    "other calls in a listing's loop, delimiters, directory buckets (aws_s3_paging)":
        "aws_s3_paging",
}
# What tests/instructions.c counts: the README's name for it, its own.
COUNTS = (
    ("`aws_sign`: the day's key and a signature", "aws_sign"),
    ("of a request: its signature, by the day's key that the client keeps", "http signature"),
    ("http: get", "http get"), ("http: put", "http put"), ("http: head", "http head"),
    ("http: delete", "http delete"), ("http: list, one key", "http list"),
    ("http: each further key", "http key"),
    ("http in `AWS_CLIENT_MEMORY`: get", "large get"),
    ("http in `AWS_CLIENT_MEMORY`: put", "large put"),
    ("https: handshake, ECDHE-ECDSA, P-256", "ecdsa handshake"),
    ("https: handshake, ECDHE-RSA, P-256 and RSA of 2,048 bits", "rsa handshake"),
    ("https: handshake, resumed", "ecdsa resumed handshake"),
    ("https: get", "ecdsa get"),
    ("of it TLS, BearSSL alone for the same bytes", "ecdsa get, BearSSL alone"),
    ("of it these headers", "ecdsa get over TLS"),
    ("these, with picolibc built for speed, which takes 0.6 KB more", "fast ecdsa get over TLS"),
    ("https: put", "ecdsa put"), ("https: list, one key", "ecdsa list"),
    ("https: each further key", "ecdsa key"),
    ("https, bounded answers: get", "bounded get"),
)
ALONE_TLS = (("", "ecdsa handshake, BearSSL alone"), ("", "rsa handshake, BearSSL alone"))
BYTES = (("http, put: SHA-256, CRC32", "http byte put"), ("http, got", "http byte got"),
         ("https, put: AES-128-GCM, CRC32", "ecdsa byte put"), ("https, got", "ecdsa byte got"),
         ("https, got, bounded answers", "bounded byte got"))
# What the headers may take from libc: nothing that allocates or prints.
LIBC = re.compile(r"^(mem(cpy|set|cmp|move|chr)|str(len|cmp|ncmp|chr|str|spn|cspn|pbrk|rchr)|"
                  r"__aeabi_\w+|__gnu_thumb1_case_\w+|br_\w+)$")
# The last is what the core took (26,589) before all actions and other services came, and 1 KB.
GOALS = {"m4": {"signing alone (aws_sign)": 4096, MAIN_SMALL: 16384, DEVICE: 22528,
                "the same with AWS_SMALL and all features but checksums": 27613}}
OPEN = set()  # of them, aren't reached yet, and only reported
SIGNING_STACK = 1228  # 1.2 KB
PEAK_STACK = 6144
COUNT_GOALS = {"m4": {"http signature": 45000, "ecdsa get over TLS": 60000}}


def run(command, **options):
    """Run a command; its output, or the end of the program with what it said."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          **options)
    if done.returncode:
        sys.exit("sizes.py: %s\n%s" % (" ".join(command), done.stdout[-3000:]))
    return done.stdout


def install():
    if not (shutil.which(ARM + "gcc") and shutil.which("qemu-system-arm")
            and os.path.isdir("/usr/lib/picolibc/arm-none-eabi")):
        run([os.path.join(ROOT, "tests", "install.sh"), "build", "arm"])


# ---- BearSSL for the target ----

def mirrors():
    """Mirror and suite of each main archive that this machine uses, as apt says."""
    text = run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME) $(COMPONENT)",
                "Created-By: Packages"])
    seen = []
    for line in text.split("\n"):
        words = line.split()
        if len(words) == 3 and words not in seen and "security" not in words[0]:
            seen.append(words)
    return seen


def fetch_once(package, place):
    listed = os.path.join(place, "apt", "list")
    os.makedirs(os.path.join(place, "apt", "lists", "partial"), exist_ok=True)
    os.makedirs(os.path.join(place, "apt", "cache"), exist_ok=True)
    keys = sorted(glob.glob("/usr/share/keyrings/*archive-keyring.gpg"))
    if not keys:
        sys.exit("sizes.py: there is no archive keyring in /usr/share/keyrings")
    with open(listed, "w", encoding="utf-8") as file:
        for uri, suite, component in mirrors():
            file.write("deb-src [signed-by=%s] %s %s %s\n" % (",".join(keys), uri, suite, component))
    apt = ["apt-get", "-qq", "-o", "Acquire::Retries=3", "-o", "Dir::Etc::sourcelist=" + listed,
           "-o", "Dir::Etc::sourceparts=/nonexistent",
           "-o", "Dir::State::lists=" + os.path.join(place, "apt", "lists"),
           "-o", "Dir::Cache=" + os.path.join(place, "apt", "cache"),
           "-o", "APT::Sandbox::User=root"]
    run(apt + ["update"])
    run(apt + ["source", package], cwd=place)
    shutil.rmtree(os.path.join(place, "apt"))


def fetch_source(package, file_of_it):
    """A package's source directory, by apt-get source with a package list of its own. A mirror may
    fail for a moment: three times."""
    place = os.path.join(BUILD, "source")
    wanted = os.path.join(place, package + "-*", file_of_it)
    for pause in (10, 60, None):
        if glob.glob(wanted):
            break
        try:
            fetch_once(package, place)
        except SystemExit as why:
            if not pause:
                raise
            print(why, file=sys.stderr)
            time.sleep(pause)
            # apt's own list may be missing, or just be renewed
            subprocess.run(["apt-get", "-qq", "update"], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, check=False)
    return os.path.dirname(glob.glob(wanted)[0])


def fetch_bearssl():
    return fetch_source("bearssl", "Makefile")


def fetch_lwip():
    return fetch_source("lwip", "README")


def bearssl(core):
    """The static library for a core."""
    source = fetch_bearssl()
    place = os.path.join(BUILD, "bearssl-" + core)
    library = os.path.join(place, "libbearssl.a")
    if not os.path.exists(library):
        flags = SECTIONS + CORES[core] + ["-DBR_USE_UNIX_TIME=0"]
        if core == "m0plus":
            flags.append("-DBR_ARMEL_CORTEXM_GCC=1")
        shutil.rmtree(place, ignore_errors=True)
        run(["make", "-j2", "lib", "CONF=Unix", "BUILD=" + place,
             "CC=%sgcc --specs=picolibc.specs" % ARM, "AR=%sar" % ARM, "CFLAGS=" + " ".join(flags)],
            cwd=source)
    return library


def include():
    """BearSSL's headers and jsmn's, and no others of this machine."""
    place = os.path.join(BUILD, "include")
    if not os.path.exists(os.path.join(place, "jsmn.h")):
        os.makedirs(place, exist_ok=True)
        headers = glob.glob(os.path.join(fetch_bearssl(), "inc", "*.h"))
        for header in headers + ["/usr/include/jsmn.h"]:
            # In one move each: another program of this folder may be about to compile with them.
            new = os.path.join(place, "%s.%d" % (os.path.basename(header), os.getpid()))
            shutil.copy(header, new)
            os.rename(new, new.rpartition(".")[0])
    return place


# ---- Link and measure ----

def tag(name, core):
    return os.path.join(BUILD, core + "-" + re.sub(r"\W+", "-", name))


def compile_for(core, base, defines, source="sizes.c"):
    """base.o of a file of tests/."""
    run([ARM + "gcc", "--specs=picolibc.specs", "-std=c99"] + SECTIONS + CORES[core] +
        ["-isystem", include()] + list(defines) +
        ["-c", os.path.join(ROOT, "tests", source), "-o", base + ".o"], cwd=BUILD)
    return base


def compile_program(name, core, parts, defines):
    return compile_for(core, tag(name, core), ["-DPARTS=%d" % parts] + defines)


def headers(core, defines):
    """Where the object of both headers is, without ".o"; one for all programs with these macros."""
    return tag("headers " + " ".join(defines), core)


def compile_headers(job):
    core, defines = job
    return compile_for(core, headers(core, defines), ["-DSIZES_HEADERS"] + defines +
                       ["-fstack-usage", "-fcallgraph-info=su"])


def link(base, core, defines, extra=()):
    run([ARM + "gcc", "--specs=picolibc.specs"] + CORES[core] + [
        "-Wl,--gc-sections", "-Wl,-Map=" + base + ".map", "-Wl,--defsym=__flash=0",
        "-Wl,--defsym=__flash_size=0x100000", "-Wl,--defsym=__ram=0x20000000",
        "-Wl,--defsym=__ram_size=0x40000"] + list(extra) + [
            base + ".o", headers(core, defines) + ".o", bearssl(core), "-o", base + ".elf"])


def sections(base):
    """(section, size, file) of all that the linker kept."""
    with open(base + ".map", encoding="utf-8") as file:
        text = file.read()
    text = text[text.index("Linker script and memory map"):]
    text = re.sub(r"\n (\.\S+)\n\s+0x", r"\n \1 0x", text)
    kept = re.findall(r"^ (\.(?:text|rodata|data)\S*)\s+0x[0-9a-f]+\s+0x([0-9a-f]+)\s+(\S+)", text,
                      re.M)
    return [(section, int(size, 16), file) for section, size, file in kept if int(size, 16)]


def by_part(base, core, defines):
    ours = headers(core, defines) + ".o"
    total = {"headers": 0, "text": 0, "rodata": 0, "roots": 0, "bearssl": 0, "libc": 0}
    for section, size, file in sections(base):
        if file == ours and "amazon_roots" in section:
            total["roots"] += size
        elif file == base + ".o":
            pass  # the program's own few instructions and texts
        elif file == ours:
            total["headers"] += size
            total["text" if section.startswith(".text") else "rodata"] += size
        elif "libbearssl" in file:
            total["bearssl"] += size
        else:
            total["libc"] += size
    total["flash"] = total["headers"] + total["roots"] + total["bearssl"] + total["libc"]
    return total


def stray_literals(base, ours):
    """String sections of functions that aren't in the program. A literal is put with those of the
    first function that has it, and comes with all of them: give it a name where that isn't core. In
    the map the first of them has the size of all."""
    kept = {section for section, size, file in sections(base) if file == ours + ".o"}
    sizes = re.findall(r"^ +\d+ (\.rodata\S*str1\.\d) +([0-9a-f]+)",
                       run([ARM + "objdump", "-hw", ours + ".o"]), re.M)
    for section, size in sorted(sizes):
        owner = re.fullmatch(r"\.rodata\.(?:(.+)\.)?str1\.\d", section)
        if section in kept and ".text.%s" % owner[1] not in kept and int(size, 16) > 24:
            yield "literals of what isn't used: " + section


def actions():
    """The functions of all of S3's actions, from the list in aws_s3.h."""
    with open(os.path.join(ROOT, "aws_s3.h"), encoding="utf-8") as file:
        text = file.read().split("#define AWS_S3_OPERATIONS(X)", 1)[1].split("\n\n", 1)[0]
    return ["aws_s3_" + name for name in re.findall(r"^    X\((\w+),", text, re.M)]


def relink(job):
    """An object once more with other names that have to be there; it starts at the first one."""
    core, name, program, names = job
    defines = PROGRAMS[program][1]
    base = tag(name, core)
    shutil.copy(tag(program, core) + ".o", base + ".o")
    link(base, core, defines, ["-nostartfiles", "-Wl,-e," + names[0]] +
         ["-Wl,--require-defined=" + name for name in names])
    return by_part(base, core, defines)


def capabilities(pool, cores):
    """What ALONE, ADDED and WITH_SMALL say: (core, name, program, names), and the sizes of it."""
    jobs = []
    for core in cores:
        jobs += [(core, name, MAIN, names.split()) for name, names in ALONE.items()]
        jobs += [(core, "added " + name, program,
                  ["start"] + (names.split() if names else actions()))
                 for program, added in ((MAIN, ADDED), (MAIN_SMALL, WITH_SMALL))
                 for name, names in added.items()]
    return zip(jobs, pool.map(relink, jobs))


def struct_sizes():
    """sizeof of the public structs: {name: [ARM, x86-64]}."""
    found = {}
    base = compile_program("structs", "m4", SIGN, PLAIN)
    host = os.path.join(BUILD, "structs-host.o")
    run(["gcc", "-std=c99", "-Os", "-DPARTS=1", "-DAWS_NO_TLS", "-isystem",
         include(), "-c", os.path.join(ROOT, "tests", "sizes.c"),
         "-o", host])
    for nm, path in ((ARM + "nm", base + ".o"), ("nm", host)):
        for size, name in re.findall(r"^\S+ (\S+) \w size_of_(\w+)$", run([nm, "-S", path]), re.M):
            found.setdefault(name, []).append(int(size, 16))
    return found


# ---- Stack ----

def frames(base):
    """The frames of an object from -fstack-usage: [(bytes, function)], and what isn't static."""
    rows, dynamic = [], []
    with open(base + ".su", encoding="utf-8") as file:
        for line in file:
            place, size, kind = line.rstrip("\n").split("\t")
            name = place.split(":")[-1]
            rows.append((int(size), name))
            if kind != "static":
                dynamic.append(name)
    return sorted(rows, reverse=True), dynamic


def recursion(base):
    """Functions that can call themselves, from -fcallgraph-info (calls by pointer not followed)."""
    with open(base + ".ci", encoding="utf-8") as file:
        text = file.read()
    calls = {}
    for source, target in re.findall(r'sourcename: "([^"]*)" targetname: "([^"]*)"', text):
        calls.setdefault(source, set()).add(target)
    def reaches(start):
        seen, todo = set(), list(calls.get(start, ()))
        while todo:
            at = todo.pop()
            if at not in seen:
                seen.add(at)
                todo.extend(calls.get(at, ()))
        return start in seen
    return sorted(name.split(":")[-1] for name in calls if reaches(name))


def check_object(base):
    """No VLA, no recursion, nothing of libc that allocates or prints: a list of what is wrong."""
    wrong = ["frame of variable size: " + name for name in frames(base)[1]]
    wrong += ["recursive: " + name for name in recursion(base)]
    undefined = re.findall(r"^\s+U (\S+)$", run([ARM + "nm", "-u", base + ".o"]), re.M)
    wrong += ["unexpected symbol: " + name for name in undefined if not LIBC.match(name)]
    mutable = re.findall(r"^\S+ \S+ [bBdDC] (aws_\w+)", run([ARM + "nm", "-S", base + ".o"]), re.M)
    wrong += ["mutable global: " + name for name in mutable]
    return wrong


def qemu(core, image, more=()):
    """What an image says."""
    machine = {"m4": "mps2-an386", "m0plus": "mps2-an385"}[core]  # an M3 runs all that an M0+ does
    return run(["qemu-system-arm", "-M", machine, "-display", "none", "-monitor", "none", "-serial",
                "none", "-semihosting-config", "enable=on,target=native,chardev=out", "-chardev",
                "stdio,id=out", *more, "-kernel", image], timeout=1200, stdin=subprocess.DEVNULL)


def emulate(name, core, parts, defines):
    """Run a program on QEMU: {word: number} of its lines."""
    base = compile_program("run " + name, core, parts, defines + ["-DSIZES_RUN"])
    link(base, core, defines,
         ["--oslib=semihost", "--crt0=hosted", "-Wl,--defsym=__stack_size=0x8000"])
    text = qemu(core, base + ".elf")
    if "error" in text or "clear" not in text:
        sys.exit("sizes.py: the emulated program says:\n" + text)
    return {" ".join(words[:-1]): int(words[-1]) for words in map(str.split, text.splitlines())
            if words}


def samples():
    """BearSSL's sample certificates and keys, with the anchors of its sample client."""
    place = os.path.join(BUILD, "samples")
    source = os.path.join(fetch_bearssl(), "samples")
    os.makedirs(place, exist_ok=True)
    for name in ("chain-ec.h", "chain-rsa.h", "key-ec.h", "key-rsa.h"):
        shutil.copy(os.path.join(source, name), place)
    with open(os.path.join(source, "client_basic.c"), encoding="utf-8") as file:
        anchors = re.search(r"^static const unsigned char TA0_DN.*?^};\n\n#define TAs_NUM",
                            file.read(), re.M | re.S)[0]
    with open(os.path.join(place, "anchors.h"), "w", encoding="utf-8") as file:
        file.write(anchors.rsplit("\n", 1)[0] + "\n")
    with open(os.path.join(place, "roots.h"), "w", encoding="utf-8") as file:
        for name in ("ec", "rsa"):
            with open(os.path.join(source, "cert-root-%s.pem" % name), encoding="utf-8") as pem:
                der = ssl.PEM_cert_to_DER_cert(pem.read())
            file.write("static const unsigned char root_%s[] = {%s};\n" % (
                name, ", ".join(map(str, der))))
    return place


def fast_libc(core):
    """Picolibc built for speed: its memcpy, memset and strlen take words."""
    where = run([ARM + "gcc"] + CORES[core] + ["-print-multi-directory"]).strip()
    return os.path.join("/usr/lib/picolibc/arm-none-eabi/lib/release", where, "libc.a")


def counts(text):
    """What tests/instructions.c says, as numbers."""
    found = {"count": {}, "stack": {}, "ram": {}, "hundredth": {}}
    for kind, what, value in re.findall(r"^(\w+) (.+) (\d+)$", text, re.M):
        found[kind][what] = int(value)
    count = found["count"]
    if "ecdsa get, BearSSL alone" not in count or not found["ram"]:
        sys.exit("sizes.py: tests/instructions.c says:\n" + text)
    count["ecdsa get over TLS"] = count["ecdsa get"] - count["ecdsa get, BearSSL alone"]
    return found


def instructions(core):
    """tests/instructions.c, run: {"count", "stack", "ram", "hundredth": {what: number}}."""
    base = compile_for(core, tag("instructions", core), SMALL + ["-isystem", samples()],
                       "instructions.c")
    said = []
    for name, more in (("", []), ("-fast", [fast_libc(core)])):
        run([ARM + "gcc", "--specs=picolibc.specs", "--oslib=semihost", "--crt0=hosted"] +
            CORES[core] + [
                "-Wl,--gc-sections", "-Wl,--defsym=__flash=0", "-Wl,--defsym=__flash_size=0x400000",
                "-Wl,--defsym=__ram=0x20000000", "-Wl,--defsym=__ram_size=0x400000",
                "-Wl,--defsym=__stack_size=0x8000", base + ".o", bearssl(core), *more,
                "-o", base + name + ".elf"])
        said.append(counts(qemu(core, base + name + ".elf", ["-icount", "shift=6"])))
    said[0]["count"]["fast ecdsa get over TLS"] = said[1]["count"]["ecdsa get over TLS"]
    return said[0]


# ---- A peer ----

def mbedtls(core):
    """Debian's Mbed TLS as tests/peer_mbedtls.h configures it: its library, and its headers."""
    source = fetch_source("mbedtls", "ChangeLog")
    place = os.path.join(BUILD, "mbedtls-" + core)
    library = os.path.join(place, "libmbedtls.a")
    more = ["-isystem", os.path.join(source, "include"),
            '-DMBEDTLS_CONFIG_FILE="%s"' % os.path.join(ROOT, "tests", "peer_mbedtls.h")]
    if not os.path.exists(library):
        os.makedirs(place, exist_ok=True)
        run([ARM + "gcc", "--specs=picolibc.specs", "-std=c99", "-w"] + SECTIONS + CORES[core] +
            more + ["-c"] + sorted(glob.glob(os.path.join(source, "library", "*.c"))), cwd=place)
        run([ARM + "ar", "rcs", library] + sorted(glob.glob(os.path.join(place, "*.o"))))
    return library, more


def peer(core):
    """Flash, RAM, stack and instructions of TLS by Mbed TLS: {what: number}."""
    library, more = mbedtls(core)
    base = compile_for(core, tag("peer", core), SMALL + more + ["-isystem", samples()],
                       "peer_mbedtls.c")
    run([ARM + "gcc", "--specs=picolibc.specs", "--oslib=semihost", "--crt0=hosted"] +
        CORES[core] + ["-Wl,--gc-sections", "-Wl,-Map=" + base + ".map", "-Wl,--defsym=__flash=0",
                       "-Wl,--defsym=__flash_size=0x400000", "-Wl,--defsym=__ram=0x20000000",
                       "-Wl,--defsym=__ram_size=0x400000", "-Wl,--defsym=__stack_size=0x8000",
                       base + ".o", library, bearssl(core), "-o", base + ".elf"])
    text = qemu(core, base + ".elf", ["-icount", "shift=6"])
    found = {"%s %s" % (kind, what): int(value)
             for kind, what, value in re.findall(r"^(\w+) (.+) (\d+)$", text, re.M)}
    if "ram static" not in found:
        sys.exit("sizes.py: tests/peer_mbedtls.c says:\n" + text)
    found["flash"] = sum(size for _, size, file in sections(base) if "libmbedtls" in file)
    return found


# ---- All of it ----

def build(job):
    core, name, parts, defines = job
    base = compile_program(name, core, parts, defines)
    link(base, core, defines, ["-nostartfiles", "-Wl,-e,start"])
    return base



def measure(cores):
    result = {"flash": {}, "added": {}, "stack": {}, "frames": {}, "memory": {}, "ram": {},
              "instructions": {}, "hundredths": {},
              "structs": struct_sizes()}
    wrong = []
    for core in cores:
        bearssl(core)
    jobs = [(core, name, parts, defines) for core in cores
            for name, (parts, defines) in PROGRAMS.items()]
    kinds = [(core, defines) for core in cores for defines in KINDS]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for (core, defines), ours in zip(kinds, pool.map(compile_headers, kinds)):
            wrong += ["%s, %s: %s" % (core, " ".join(defines), what)
                      for what in check_object(ours)]
        bases = list(pool.map(build, jobs))
        more = list(capabilities(pool, cores))
        beside = pool.submit(peer, "m4")
        counted = dict(zip(cores, pool.map(instructions, cores)))
        result["peer"] = beside.result()
    for (core, name, parts, defines), base in zip(jobs, bases):
        ours = headers(core, defines)
        result["flash"].setdefault(core, {})[name] = by_part(base, core, defines)
        if parts == FIVE:
            wrong += ["%s, %s: %s" % (core, name, what) for what in stray_literals(base, ours)]
        kept = {section.split(".", 2)[-1] for section, _, file in sections(base)
                if file == ours + ".o"}
        rows = [row for row in frames(ours)[0] if row[1] in kept]
        result["frames"].setdefault(core, {})[name] = [list(row) for row in rows[:5]]
    for (core, name, program, _), parts in more:
        if name in ALONE:
            result["flash"][core][name] = parts
        else:
            five = result["flash"][core][program]
            result["added"].setdefault(core, {})[name[len("added "):]] = {
                key: parts[key] - five[key] for key in parts}
    for core in cores:
        said = emulate("sign", core, SIGN, PLAIN)
        said.update({"call put": emulate("put", core, PUT, PLAIN)["stack call"]})
        said.update(emulate("all", core, LIST | TEXT, PLAIN))
        said.update({"tls " + key: value for key, value in
                     emulate("tls", core, PUT, SMALL).items() if key.startswith("memory")})
        result["stack"][core] = {
            "aws_sign": said["stack sign"], "put": said["call put"], "list": said["stack call"],
            "failing list with its text": said["stack failing"]}
        found = counted[core]
        for name, what in (("http: put, waiting", "http put"), ("http: list, waiting", "http list"),
                           ("https: get with the handshake, ECDHE-ECDSA", "ecdsa handshake"),
                           ("of it BearSSL alone, ECDHE-ECDSA", "ecdsa handshake, BearSSL alone"),
                           ("https: get with the handshake, ECDHE-RSA", "rsa handshake"),
                           ("https: the same, bounded answers", "bounded handshake"),
                           ("https: put on the kept connection", "ecdsa put")):
            result["stack"][core][name] = found["stack"][what]
        result["stack"][core]["of it BearSSL alone, ECDHE-RSA"] = found["stack"][
            "rsa handshake, BearSSL alone"]
        result["ram"] = static_ram(found["ram"])
        result["instructions"][core] = {
            what: found["count"][what] for _, what in COUNTS + ALONE_TLS}
        result["hundredths"][core] = {what: found["hundredth"][what] for _, what in BYTES}
        result["memory"][core] = {
            "http": said["memory http"], "TLS, bounded records": said["tls memory bounded"],
            "TLS, full records": said["tls memory tls"]}
    return result, wrong


def static_ram(ram):
    """What a program declares: {profile: [all, of it the client's block]}."""
    rest = ram["session"] + ram["client"]
    return {name: [rest + size, size] for name, size in (
        ("http", ram["http"]), ("TLS, bounded answers", ram["bounded"]),
        ("TLS, full records", ram["tls"]))} | {
            "an iterator over a listing, in addition": [ram["listing"], 0]}


def goals(result):
    """The goals that are missed: (whether it has been reached before, what is wrong)."""
    for core, limits in GOALS.items():
        for name, limit in limits.items():
            size = result["flash"].get(core, {}).get(name, {}).get("headers", 0)
            if size > limit:
                yield name not in OPEN, "%s, %s: %d bytes of ours, the goal is %d" % (
                    core, name, size, limit)
    for core, depths in result["stack"].items():
        if depths["aws_sign"] > SIGNING_STACK:
            yield True, "%s: signing takes %d bytes of stack, the goal is %d" % (
                core, depths["aws_sign"], SIGNING_STACK)
        deepest = max(depths.values())
        if deepest > PEAK_STACK:
            yield True, "%s: a call takes %d bytes of stack, the goal is %d" % (
                core, deepest, PEAK_STACK)
    for core, counts in result["instructions"].items():
        for what, limit in COUNT_GOALS.get(core, {}).items():
            if counts[what] > limit:
                yield True, "%s, %s: %d instructions, the goal is %d" % (
                    core, what, counts[what], limit)


def number(value):
    return "{:,}".format(value)


def instruction_tables(result, cores):
    """What tests/instructions.c counts."""
    lines = ["", "Instructions, counted by the emulator. Requests are signed, carry 5 bytes and go"
             " over a kept connection; http in `AWS_CLIENT_MEMORY_HTTP`, https in"
             " `AWS_CLIENT_MEMORY`. The other end is BearSSL's server, which isn't counted.", "",
             "| instructions | %s |" % " | ".join(NAMES[core] for core in cores),
             "|---|%s" % ("--:|" * len(cores))]
    for name, what in COUNTS:
        lines.append("| %s | %s |" % (name, " | ".join(number(result["instructions"][core][what])
                                                       for core in cores)))
    lines += ["", "| instructions per byte of a body | %s |" %
              " | ".join(NAMES[core] for core in cores), "|---|%s" % ("--:|" * len(cores))]
    for name, what in BYTES:
        lines.append("| %s | %s |" % (name, " | ".join(
            "%.1f" % (result["hundredths"][core][what] / 100) for core in cores)))
    return lines


def peer_table(result):
    """What others take, beside ours. Figures that stand here as such: see (*)."""
    flash, stack = result["flash"]["m4"], result["stack"]["m4"]
    count, other = result["instructions"]["m4"], result["peer"]
    tls = "put, get, head, delete, list with TLS"
    rows = (
        ("`aws_sign`", flash["signing alone (aws_sign)"]["flash"], "", number(stack["aws_sign"]),
         number(count["aws_sign"])),
        ("AWS's SigV4 library (*)", 5043, "", "4,424", "115,000"),
        (MAIN, flash[MAIN]["flash"], number(result["ram"]["http"][0]),
         number(stack["http: put, waiting"]), ""),
        (MAIN_SMALL, flash[MAIN_SMALL]["flash"], "", "", ""),
        ("coreHTTP with llhttp, SigV4, coreJSON (*): no S3, XML, retries", 22330 + 5043 + 2500, "",
         "", ""),
        ("TLS by BearSSL, handshake ECDHE-ECDSA", flash[tls]["bearssl"],
         number(result["ram"]["TLS, full records"][1]),
         number(stack["of it BearSSL alone, ECDHE-ECDSA"]),
         number(count["ecdsa handshake, BearSSL alone"])),
        ("the same by Mbed TLS 2.28", other["flash"],
         number(other["ram static"] + other["ram ecdsa heap"]),
         number(other["stack ecdsa handshake"]), number(other["count ecdsa handshake"])),
        ("TLS by BearSSL, handshake ECDHE-RSA", flash[tls]["bearssl"],
         number(result["ram"]["TLS, full records"][1]),
         number(stack["of it BearSSL alone, ECDHE-RSA"]),
         number(count["rsa handshake, BearSSL alone"])),
        ("the same by Mbed TLS 2.28", other["flash"],
         number(other["ram static"] + other["ram rsa heap"]),
         number(other["stack rsa handshake"]), number(other["count rsa handshake"])),
        ("a get's bytes by BearSSL", "", "", "", number(count["ecdsa get, BearSSL alone"])),
        ("the same by Mbed TLS 2.28", "", "", "", number(other["count ecdsa get"])))
    lines = ["", "| beside others, %s | flash | RAM | peak stack | instructions |" % NAMES["m4"],
             "|---|--:|--:|--:|--:|"]
    for name, size, *more in rows:
        lines.append("| %s | %s | %s |" % (name, number(size) if size else "", " | ".join(more)))
    return lines + ["", "Mbed TLS is Debian's, with the same compiler, flags, cipher suites, curve"
                    " and size of records (`tests/peer_mbedtls.h`), its heap counted as RAM; its AES"
                    " takes tables, BearSSL's takes the same time for all keys. BearSSL's RAM is the"
                    " whole block of a client. (*) measured before, in the same way, and not"
                    " again by `make sizes`: Debian and npm don't have their source."]


def tables(result):
    lines = ["Made by `make sizes` (tests/sizes.py) with `-Os --gc-sections`; bytes.", ""]
    for core, programs in result["flash"].items():
        lines += ["| flash, %s | these headers | BearSSL | libc | CA roots | all |" % NAMES[core],
                  "|---|--:|--:|--:|--:|--:|"]
        for name, part in programs.items():
            lines.append("| %s | %s | %s | %s | %s | %s |" % (
                name, number(part["headers"]), number(part["bearssl"]), number(part["libc"]),
                number(part["roots"]) if part["roots"] else "", number(part["flash"])))
        lines.append("")
    cores = list(result["flash"])
    for added, program in ((ADDED, MAIN), (WITH_SMALL, "these with AWS_SMALL")):
        lines += ["| flash that naming more adds to %s | %s |" % (
            program, " | ".join(NAMES[core] + " | with BearSSL, libc" for core in cores)),
                  "|---|%s" % ("--:|" * 2 * len(cores))]
        for name in added:
            lines.append("| %s | %s |" % (name, " | ".join(
                number(part["headers"]) + " | " + number(part["flash"])
                for part in (result["added"][core][name] for core in cores))))
        lines.append("")
    lines += ["| peak stack, painted, with BearSSL's frames | %s |" %
              " | ".join(NAMES[core] for core in cores), "|---|%s" % ("--:|" * len(cores))]
    for name in result["stack"][cores[0]]:
        lines.append("| %s | %s |" % (name, " | ".join(number(result["stack"][core][name])
                                                       for core in cores)))
    lines += ["", "| a client's memory, at least (connection area of 8 bytes) | %s |" %
              " | ".join(NAMES[core] for core in cores), "|---|%s" % ("--:|" * len(cores))]
    for name in result["memory"][cores[0]]:
        lines.append("| %s | %s |" % (name, " | ".join(number(result["memory"][core][name])
                                                       for core in cores)))
    lines += ["", "| static RAM, at least: session, client and its block | all | the block |",
              "|---|--:|--:|"]
    for name, (size, block) in result["ram"].items():
        lines.append("| %s | %s | %s |" % (name, number(size), number(block) if block else ""))
    lines += instruction_tables(result, cores) + peer_table(result)
    lines += ["", "| sizeof | 32-bit ARM | x86-64 |", "|---|--:|--:|"]
    for name, (arm, host) in sorted(result["structs"].items(), key=lambda item: -item[1][0]):
        lines.append("| `%s` | %s | %s |" % (name, number(arm), number(host)))
    big = result["frames"][cores[0]]["the same with failure texts"]
    lines += ["", "Largest stack frames of ours on %s: %s. No recursion, no variable-length array,"
              " no allocation." % (NAMES[cores[0]], ", ".join("`%s` %d" % (name, size)
                                                              for size, name in big))]
    return "\n".join(lines) + "\n"


def write_readme(text):
    begin, end = "<!-- sizes -->", "<!-- /sizes -->"
    old = ""
    if os.path.exists(README):
        with open(README, encoding="utf-8") as file:
            old = file.read()
    if begin not in old or end not in old:
        old += "\n%s\n%s\n" % (begin, end)
    head, rest = old.split(begin, 1)
    with open(README, "w", encoding="utf-8") as file:
        file.write(head + begin + "\n" + text + end + rest.split(end, 1)[1])


def flatten(value, path=()):
    if isinstance(value, dict):
        for key, item in value.items():
            yield from flatten(item, path + (key,))
    elif isinstance(value, int):
        yield path, value
    elif path[0] in ("structs", "ram"):
        for name, item in zip(("ARM", "x86-64") if path[0] == "structs" else ("all", "block"),
                              value):
            yield path + (name,), item


def compare(result):
    """What has grown by more than 1 % (and 16 bytes) since tests/sizes.json."""
    with open(JSON, encoding="utf-8") as file:
        old = dict(flatten(json.load(file)))
    grown = []
    for path, value in flatten(result):
        before = old.get(path)
        if path[0] == "peer" or (path[0] in ("flash", "added") and
                                 path[-1] not in ("headers", "flash")):
            continue
        if before is not None and value > before + max(16, before // 100):
            grown.append("%s: %s -> %s" % (", ".join(path), number(before), number(value)))
    return grown


def functions(parts):
    ours = compile_headers(("m4", PLAIN)) + ".o"
    base = build(("m4", "functions", parts, PLAIN))
    for section, size, file in sorted(sections(base), key=lambda row: -row[1]):
        print("%6d  %-44s %s" % (size, section, "" if file == ours else os.path.basename(file)))
    print(by_part(base, "m4", PLAIN))


def main():
    options = sys.argv[1:]
    os.makedirs(BUILD, exist_ok=True)
    install()
    if options == ["--bearssl-source"]:  # for other scripts
        print(fetch_bearssl())
        return
    if options == ["--lwip-source"]:
        print(fetch_lwip())
        return
    if options[:1] == ["--functions"]:
        functions(int(options[1], 0) if options[1:] else FIVE)
        return
    result, wrong = measure(["m4"] if options == ["--quick"] else list(CORES))
    text = tables(result)
    print(text)
    if options == ["--check"]:
        grown = compare(result)
        for line in grown:
            print("grown:", line)
        wrong += grown
    elif not options:
        write_readme(text)
        with open(JSON, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1, sort_keys=True)
            file.write("\n")
    for held, line in goals(result):
        print("goal missed:", line)
        if held:
            wrong.append("goal missed: " + line)
    for line in wrong:
        print("sizes.py:", line, file=sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
