#!/usr/bin/env python3
"""Runs tests/services_suite.c against moto (many services, over https) or dynalite (DynamoDB), or
keys from AssumeRole against Ceph.

    tests/services_suite.py moto|dynalite|rgw|rgw20 [--dir DIR]

Starts tests/servers/NAME.sh in DIR, where what it installs is kept, compiles and runs the suite and
stops the server. A line for each service, and at last

    services NAME: N passed, N failed
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

from server_suite import ROOT, TESTS, Scripted, say


def environment(server, name):
    keep = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    scheme = "http" if name == "dynalite" else "https"
    return {**keep, "AWS_ACCESS_KEY_ID": server.key, "AWS_SECRET_ACCESS_KEY": server.secret,
            "AWS_REGION": server.region, "AWS_CA_BUNDLE": server.ca,
            "AWS_ENDPOINT_URL": "%s://localhost:%s" % (scheme, server.ports[scheme])}


def run(program, server, name):
    process = subprocess.Popen([program, name], stdout=subprocess.PIPE, text=True,
                               env=environment(server, name))
    passed = failed = 0
    for line in process.stdout:
        last = re.fullmatch(r"services_suite: (\d+) passed, (\d+) failed\n", line)
        if last:
            passed, failed = int(last[1]), int(last[2])
        else:
            say(" ", line.rstrip())
    if process.wait() != 0 and not failed:
        say(f"  ended with {process.returncode}")
        failed = 1
    return passed, failed


# After the suite: its instances and its stream are there.
EXAMPLES = {
    ("dynamodb", "readings"): r"at 3: 21\.53 degrees\n(page 1: 21\.5[01]? degrees\n){2}"
                              r"(page 2: 21\.5[23] degrees\n){2}page 3: 21\.54 degrees\n",
    ("ec2",): r"(i-[0-9a-f]+ +t2\.micro +running +[0-9.]+\n){3}",
    ("sqs", "example", "hello w\u00f6rld"): "hello w\u00f6rld\n",
    ("telemetry", "s", "2"): "2 readings sent, 0 lost\n",
}


def run_examples(work, server):
    passed = 0
    for arguments, want in EXAMPLES.items():
        program = os.path.join(work, arguments[0])
        subprocess.run([*os.environ.get("CC", "cc").split(), "-std=c99", "-O1", "-I", ROOT, "-o",
                        program, os.path.join(ROOT, "examples", arguments[0] + ".c"), "-lbearssl"],
                       check=True)
        done = subprocess.run([program, *arguments[1:]], env=environment(server, "moto"), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        good = done.returncode == 0 and re.fullmatch(want, done.stdout) is not None
        say("  examples/%s.c: %s" % (arguments[0], "ok" if good else "FAILED: " + done.stdout))
        passed += good
    return passed, len(EXAMPLES) - passed


def main():
    parser = argparse.ArgumentParser(description="The client against other services than S3.")
    parser.add_argument("server", choices=("moto", "dynalite", "rgw", "rgw20"))
    parser.add_argument("--dir", help="the server's directory; default: a temporary one")
    options = parser.parse_args()
    work = tempfile.mkdtemp(prefix="services-")
    directory = os.path.abspath(options.dir or os.path.join(work, "server"))
    server = None
    try:
        program = os.path.join(work, "services_suite")
        subprocess.run([*os.environ.get("CC", "cc").split(), "-std=c99", "-O1", "-g", "-I", ROOT,
                        "-o", program, os.path.join(TESTS, "services_suite.c"), "-lbearssl"],
                       check=True)
        server = Scripted(options.server, directory)
        passed, failed = run(program, server, options.server)
        if options.server == "moto":
            more = run_examples(work, server)
            passed, failed = passed + more[0], failed + more[1]
    finally:
        if server:
            server.stop()
        if not options.dir:
            stop = os.path.join(TESTS, "servers", "stop.sh")
            subprocess.run([stop, "-x", directory], check=False)
        shutil.rmtree(work, ignore_errors=True)
    say(f"services {options.server}: {passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
