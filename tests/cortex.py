#!/usr/bin/env python3
"""The unit tests of what parses, signs and computes, as bare-metal images for Cortex-M in QEMU.

    tests/cortex.py [CORE...]   of: m0 m3 m4; without one all of them

Picolibc gives the start-up code and, by semihosting, files and the exit code. Code for M0 runs on
an emulated M3, which has all its instructions: QEMU's only board with an M0 has 16 KB of RAM. Prints a
line for each test as tests/targets.sh does, and at last "N passed, N failed".
"""
import concurrent.futures
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import sizes  # noqa: E402

PLACE = os.path.join(sizes.ROOT, "build", "targets", "cortex")
# First what takes longest. With more flags: each document of XML at every split, but fewer at every two.
TESTS = {"xml": ["-DXML_PAIRS=40"], "xml_small": ["-DXML_PAIRS=40"], "http": [], "http_small": [],
         "sign": [], "presign": [], "endpoint": [], "bytes": [], "checksum": [], "checksum_small": [],
         "json": []}
# core -> (compiler's name, QEMU's machine, which of the libraries of tests/sizes.py)
CORES = {"m0": ("cortex-m0", "mps2-an385", "m0plus"), "m3": ("cortex-m3", "mps2-an385", "m0plus"),
         "m4": ("cortex-m4", "mps2-an386", "m4")}
SECONDS = 3600  # only against a hang


def one(job):
    """A test on a core: (name, whether it passed, the last line or the end of what was said)."""
    core, test = job
    cpu, machine, library = CORES[core]
    image = os.path.join(PLACE, "%s-%s.elf" % (core, test))
    sizes.run([sizes.ARM + "gcc", "--specs=picolibc.specs", "--oslib=semihost", "--crt0=hosted",
               "-std=c99", "-Os", "-ffunction-sections", "-fdata-sections", "-mthumb",
               "-mcpu=" + cpu, "-DAWS_NO_DEFAULT_PORT", "-isystem", sizes.include(), "-I.",
               *TESTS[test], "tests/test_%s.c" % test, sizes.bearssl(library), "-o", image,
               "-Wl,--gc-sections", "-Wl,--defsym=__flash=0", "-Wl,--defsym=__flash_size=0x400000",
               "-Wl,--defsym=__ram=0x20000000", "-Wl,--defsym=__ram_size=0x400000",
               "-Wl,--defsym=__stack_size=0x8000"], cwd=sizes.ROOT)
    command = ["qemu-system-arm", "-M", machine, "-display", "none", "-monitor", "none", "-serial",
               "none", "-semihosting-config", "enable=on,target=native,chardev=out,arg=test",
               "-chardev", "stdio,id=out", "-kernel", image]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, cwd=sizes.ROOT, timeout=SECONDS)
        code, said = done.returncode, done.stdout.strip()
    except subprocess.TimeoutExpired:
        code, said = 1, "it did not end in %d s" % SECONDS
    last = said.split("\n")[-1]
    passed = code == 0 and last.endswith(" 0 failed")
    return "%s/test_%s" % (core, test), passed, last if passed else said[-2000:]


def main():
    cores = sys.argv[1:] or list(CORES)
    os.makedirs(PLACE, exist_ok=True)
    sizes.include()
    for core in cores:
        sizes.bearssl(CORES[core][2])
    jobs = [(core, test) for core in cores for test in TESTS]
    counts = [0, 0]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, passed, text in pool.map(one, jobs):
            counts[passed] += 1
            print("%-6s %s: %s" % ("ok" if passed else "FAILED", name, text), flush=True)
    print("%d passed, %d failed" % (counts[1], counts[0]))
    sys.exit(1 if counts[0] else 0)


if __name__ == "__main__":
    main()
