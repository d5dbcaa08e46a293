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
import subprocess
import sys

from server_suite import beside, build, run, say


def environment(server, name):
    keep = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    scheme = "http" if name == "dynalite" else "https"
    return {**keep, "AWS_ACCESS_KEY_ID": server.key, "AWS_SECRET_ACCESS_KEY": server.secret,
            "AWS_REGION": server.region, **({"AWS_CA_BUNDLE": server.ca} if scheme == "https" else {}),
            "AWS_ENDPOINT_URL": "%s://localhost:%s" % (scheme, server.ports[scheme])}


READINGS = {
    ("dynamodb", "readings"): r"at 3: 21\.53 degrees\n(page 1: 21\.5[01]? degrees\n){2}"
                              r"(page 2: 21\.5[23] degrees\n){2}page 3: 21\.54 degrees\n",
}
# After the suite: its instances and its stream are there.
EXAMPLES = {
    "dynalite": READINGS,
    "moto": {
        **READINGS,
        ("ec2",): r"(i-[0-9a-f]+ +t2\.micro +running +[0-9.]+\n){3}",
        ("sqs", "example", "hello w\u00f6rld"): "hello w\u00f6rld\n",
        ("telemetry", "s", "2"): "2 readings sent, 0 lost\n",
    },
}


def run_examples(work, server, name):
    passed = 0
    examples = EXAMPLES.get(name, {})
    for arguments, want in examples.items():
        program = build(work, f"examples/{arguments[0]}.c")
        done = subprocess.run([program, *arguments[1:]], env=environment(server, name), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        good = done.returncode == 0 and re.fullmatch(want, done.stdout) is not None
        say("  examples/%s.c: %s" % (arguments[0], "ok" if good else "FAILED: " + done.stdout))
        passed += good
    return passed, len(examples) - passed


def main():
    parser = argparse.ArgumentParser(description="The client against other services than S3.")
    parser.add_argument("server", choices=("moto", "dynalite", "rgw", "rgw20"))
    parser.add_argument("--dir", help="the server's directory; default: a temporary one")
    options = parser.parse_args()
    with beside("tests/services_suite.c", options.server, options.dir) as (work, program, server):
        passed, failed = run([program, options.server], environment(server, options.server))
        more = run_examples(work, server, options.server)
        passed, failed = passed + more[0], failed + more[1]
        if failed:
            server.last_words()
    say(f"services {options.server}: {passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
