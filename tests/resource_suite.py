#!/usr/bin/env python3
"""Runs tests/resource_suite.c against a server: each row of boto3's table of S3 resources is a call
of ours that works there, or the server says that it can't (those rows are named).

    tests/resource_suite.py rgw|rgw20 [--dir DIR] [--many N]

The table is data/s3_resources.tsv in ../shared, or the file that S3_RESOURCES names: no row may be
missing here, none may be here that isn't there. Where it isn't, that is said, and the rows are run
all the same. --many: and so many thousand objects are listed, filtered, limited and deleted in
batches.
"""

import argparse
import csv
import os
import re
import subprocess
import sys

from server_suite import ROOT, beside, say

TABLE = os.environ.get("S3_RESOURCES", os.path.join(ROOT, "../shared/data/s3_resources.tsv"))


def wanted_rows():
    """Names as the program prints them; None without the table."""
    if not os.path.exists(TABLE):
        return None
    with open(TABLE, encoding="utf-8") as file:
        return [f"{row['resource']} {row['kind']} {row['name']}"
                for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]


def main():
    parser = argparse.ArgumentParser(description="Each row of boto3's resources, on a server.")
    parser.add_argument("server", choices=("rgw", "rgw20"))
    parser.add_argument("--dir", help="the server's directory; default: a temporary one")
    parser.add_argument("--many", type=int, default=2, help="thousands of objects")
    options = parser.parse_args()
    with beside("tests/resource_suite.c", options.server, options.dir) as (_, program, server):
        keep = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environment = {
            **keep, "AWS_ACCESS_KEY_ID": server.key, "AWS_SECRET_ACCESS_KEY": server.secret,
            "AWS_REGION": server.region,
            "AWS_ENDPOINT_URL": f"http://localhost:{server.ports['http']}"}
        done = subprocess.run([program], text=True, stdout=subprocess.PIPE, check=False,
                              env=environment)
        many = subprocess.run([program, str(options.many * 1000)], text=True, check=False,
                              stdout=subprocess.PIPE, env=environment)
        if done.returncode or many.returncode:
            server.last_words()
    rows = [line.split("\t") for line in done.stdout.splitlines() if "\t" in line]
    last = done.stdout.splitlines()[-1] if done.stdout else "nothing"
    failed = done.returncode != 0 or many.returncode != 0 or not re.fullmatch(r"resource_suite: \d+ passed, 0 failed", last)
    say(last)
    for name, call, verdict in rows:
        if verdict != "ok":
            say(f"  {name}: {call}: {verdict}")
    wanted = wanted_rows()
    if wanted is None:
        say(f"NOTE: the table {os.path.relpath(TABLE, ROOT)} is not there: not compared with it")
    else:
        have = [row[0] for row in rows]
        for text, names in (("has no call here", set(wanted) - set(have)),
                            ("is not in the table", set(have) - set(wanted))):
            for name in sorted(names):
                failed = True
                say(f"  {name}: {text}")
        say(f"{len(wanted)} rows in the table, {len(set(have))} here")
    say(f"{options.many * 1000} objects:", ", ".join(many.stdout.replace("\t", " ").splitlines()))
    cannot = sum(row[2].startswith("server") for row in rows)
    say(f"resources {options.server}: {len(rows) - cannot} rows ok, {cannot} that the server can't do, "
        f"{'FAILED' if failed else 'ok'}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
