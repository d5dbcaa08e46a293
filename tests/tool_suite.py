#!/usr/bin/env python3
"""The tool of examples/s3.c does what Debian's awscli does, on a real server.

    tests/tool_suite.py [rgw|rgw20|own] [--dir DIR] [PART...]

Every command is given to both, on a bucket and a directory for each: exit codes, what they say (up
to its order) and the trees they leave, files and objects, must be the same. Ends with
"tool_suite: N passed, N failed".
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import server_suite
from test_attempts import Proxy

TESTS = os.path.dirname(os.path.abspath(__file__))
AWS = "/usr/bin/aws"  # Debian's, whatever else is in the PATH


class Suite:
    def __init__(self, server, work):
        self.work = work
        self.passed = self.failed = 0
        self.tool = os.path.join(work, "s3")
        subprocess.run(["cc", "-std=c99", "-O2", "-I", os.path.dirname(TESTS),
                        os.path.join(TESTS, "..", "examples", "s3.c"), "-lbearssl", "-o", self.tool],
                       check=True)
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith("AWS_") and not name.lower().endswith("_proxy")}
        self.environment = {
            **kept, "TZ": "UTC", "HOME": work, "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ACCESS_KEY_ID": server.key, "AWS_SECRET_ACCESS_KEY": server.secret,
            "AWS_DEFAULT_REGION": server.region, "AWS_REGION": server.region,
            "AWS_CA_BUNDLE": server.ca, "LC_ALL": "C.UTF-8", "AWS_PAGER": ""}
        self.endpoint = f"https://localhost:{server.ports['https']}"
        for who in "theirs", "ours":
            os.mkdir(os.path.join(work, who))

    def check(self, name, right, *shown):
        if right:
            self.passed += 1
        else:
            self.failed += 1
            print("  FAILED", name, *shown, sep="\n    ", flush=True)

    def run(self, who, command, stdin=b"", **environment):
        """BUCKET in the command is the bucket of theirs or ours; the directory differs, too."""
        words = [word.replace("BUCKET", who + "-bucket") for word in command]
        program = ([AWS, "--endpoint-url", self.endpoint, "s3"] if who == "theirs"
                   else [self.tool, "--endpoint-url", self.endpoint])
        run = subprocess.run([*program, *words], cwd=os.path.join(self.work, who), input=stdin,
                             env={**self.environment, **environment}, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, check=False)
        said = run.stdout.decode().replace(who + "-bucket", "BUCKET")
        # without the progress that awscli writes although nobody looks
        said = "\n".join(line.rstrip() for line in said.splitlines()
                         if not line.startswith("Completed "))
        return run.returncode, said, run.stderr.decode()

    def both(self, *command, lines=True, **options):
        """The same exit code, and the same lines in any order."""
        results = [self.run(who, command, **options) for who in ("theirs", "ours")]
        said = [sorted(line for line in result[1].split("\n") if line) for result in results]
        self.check("s3 " + " ".join(command),
                   results[0][0] == results[1][0] and (not lines or said[0] == said[1]), *results)
        return results

    def same_listing(self, *command):
        """Both list the same bucket: not a byte differs."""
        words = [word.replace("BUCKET", "theirs-bucket") for word in command]
        results = [self.run(who, ["ls", *words]) for who in ("theirs", "ours")]
        results = [(code, said.replace("BUCKET", who + "-bucket"), error) for who, (code, said, error)
                   in zip(("theirs", "ours"), results)]
        self.check("s3 ls " + " ".join(words), results[0][:2] == results[1][:2], *results)

    def objects(self, who):
        run = subprocess.run([AWS, "--endpoint-url", self.endpoint, "s3api", "list-objects-v2",
                              "--bucket", who + "-bucket", "--output", "json"],
                             env=self.environment, stdout=subprocess.PIPE, check=True)
        found = json.loads(run.stdout or b"{}").get("Contents", [])
        return [(one["Key"], one["Size"]) for one in found]

    def files(self, who):
        top = os.path.join(self.work, who)
        found = {}
        for folder, _, names in os.walk(top):
            for name in names:
                path = os.path.join(folder, name)
                if os.path.islink(path):
                    continue
                with open(path, "rb") as file:
                    found[os.path.relpath(path, top)] = file.read()
        return found

    def same_trees(self, name):
        objects = [self.objects(who) for who in ("theirs", "ours")]
        self.check(name + ": objects", objects[0] == objects[1], *objects)
        files = [self.files(who) for who in ("theirs", "ours")]
        self.check(name + ": files", files[0] == files[1],
                   sorted(set(files[0]) ^ set(files[1])), "or their bytes")

    def write(self, path, data, age=100):
        for who in "theirs", "ours":
            full = os.path.join(self.work, who, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "wb") as file:
                file.write(data)
            os.utime(full, (time.time() - age,) * 2)

    def remove(self, path):
        for who in "theirs", "ours":
            os.remove(os.path.join(self.work, who, path))


def make_tree(suite):
    for number in range(60):
        suite.write(f"tree/many/{number:03}.txt", b"%d" % number)
    for path in ("a.txt", "a/b", "a/b.c", "a-b/c", "a/c/d/e", "z.html", "key +%41 \u00fc.json",
                 "deep/1/2/3/4/5/6/7/8/9", "a.b/x", "quote'\"&<>"):
        suite.write("tree/" + path, path.encode())
    suite.write("tree/empty", b"")
    suite.write("tree/large.bin", os.urandom(20_000_001))


def transfers(suite):
    """cp, mv, rm of single ones and of trees."""
    both = suite.both
    both("cp", "tree/a.txt", "s3://BUCKET")
    both("cp", "tree/a.txt", "s3://BUCKET/one/")
    both("cp", "tree/z.html", "s3://BUCKET/one/two")
    both("cp", "tree/large.bin", "s3://BUCKET/one/large")
    both("cp", "-", "s3://BUCKET/one/input", stdin=b"from a pipe")
    both("cp", "s3://BUCKET/one/input", "-")
    both("cp", "s3://BUCKET/one/two", "got/")
    both("cp", "s3://BUCKET/one/large", "got/large")
    both("cp", "s3://BUCKET/one/", "got2", "--recursive")
    both("cp", "s3://BUCKET/one/two", "s3://BUCKET/copied/")
    both("cp", "tree", "s3://BUCKET/tree", "--recursive", "--exclude", "*", "--include", "a*")
    both("cp", "tree/a.txt", "s3://BUCKET/one/sse", "--sse")
    both("cp", "s3://BUCKET/one/two", "got3", "--request-payer", "--no-progress")
    both("cp", "tree/a.txt", "s3://BUCKET/one/", "--follow-symlinks", "--no-cli-pager", "--output",
         "json", "--page-size", "10")
    suite.same_trees("cp")
    both("cp", "tree/a.txt", "s3://BUCKET/public", "--acl", "public-read")
    both("cp", "s3://BUCKET/public", "public", "--no-sign-request")
    both("cp", "s3://BUCKET/one/two", "refused", "--no-sign-request")
    suite.same_trees("without keys")
    both("mv", "s3://BUCKET/copied/two", "s3://BUCKET/copied/three")
    both("mv", "s3://BUCKET/copied/three", "moved")
    both("mv", "moved", "s3://BUCKET/back")
    both("mv", "s3://BUCKET/tree", "s3://BUCKET/tree2", "--recursive", "--dryrun")
    both("mv", "s3://BUCKET/tree", "s3://BUCKET/tree2", "--recursive")
    both("rm", "s3://BUCKET/back")
    both("rm", "s3://BUCKET/not-there")
    both("rm", "s3://BUCKET/tree2", "--recursive", "--exclude", "*/b*")
    suite.same_trees("mv and rm")
    both("rm", "s3://BUCKET", "--recursive")


def syncs(suite):
    both = suite.both
    both("sync", "tree", "s3://BUCKET/s", "--dryrun")
    both("sync", "tree", "s3://BUCKET/s")
    suite.same_trees("sync up")
    both("sync", "tree", "s3://BUCKET/s")
    both("sync", "s3://BUCKET/s", "down")
    both("sync", "s3://BUCKET/s", "down")
    times = [{path: int(os.stat(os.path.join(suite.work, who, "down", path)).st_mtime)
              for path in ("a.txt", "large.bin")} for who in ("theirs", "ours")]
    for who, own in zip(("theirs", "ours"), times):
        suite.check(f"{who} sets times", max(own.values()) <= time.time() and
                    time.time() - min(own.values()) < 3600, own)
    suite.same_trees("sync down")
    both("sync", "s3://BUCKET/s", "s3://BUCKET/t")
    both("sync", "s3://BUCKET/s", "s3://BUCKET/t")
    suite.same_trees("sync across")
    suite.write("tree/a/b", b"another size")
    # Newer, the same size: also than what is stored an hour later, on a slow machine.
    suite.write("tree/a/b.c", b"a/b_c", age=-3600)
    suite.write("tree/new", b"new")
    suite.remove("tree/many/007.txt")
    suite.remove("tree/a.txt")
    both("sync", "tree", "s3://BUCKET/s", "--delete", "--dryrun")
    both("sync", "tree", "s3://BUCKET/s", "--delete", "--size-only", "--dryrun")
    both("sync", "tree", "s3://BUCKET/s", "--delete", "--exclude", "many/*", "--dryrun")
    both("sync", "tree", "s3://BUCKET/s", "--delete", "--exclude", "*", "--include", "[a-m]*",
         "--exclude", "*.t?t", "--dryrun")
    both("sync", "tree", "s3://BUCKET/s")
    suite.same_trees("sync up, without --delete")
    both("sync", "tree", "s3://BUCKET/s", "--delete")
    suite.same_trees("sync up --delete")
    both("sync", "s3://BUCKET/s", "s3://BUCKET/t", "--delete")
    suite.same_trees("sync across --delete")
    suite.write("down/local only", b"x")
    suite.write("down/many/001.txt", b"9", age=-3600)  # newer than the object
    both("sync", "s3://BUCKET/s", "down", "--delete", "--dryrun")
    both("sync", "s3://BUCKET/s", "down", "--delete", "--size-only", "--dryrun")
    both("sync", "s3://BUCKET/s", "down", "--delete")
    suite.same_trees("sync down --delete")


def copies(suite):
    """What a copy takes along, in one request and in parts (for awscli from 8 MiB on)."""
    tags = {"few": [("colour", "dark red"), ("a/b", "50% +&=")], "none": [],
            "large": [(f"key{number}", "+ " * 128) for number in range(10)]}
    said = ["--metadata", "one=1,two=second value", "--content-type", "x/y", "--cache-control",
            "no-cache"]

    def api(who, *words):
        words = [word.replace("BUCKET", who + "-bucket") for word in words]
        run = subprocess.run([AWS, "--endpoint-url", suite.endpoint, "s3api", *words, "--output",
                              "json"], env=suite.environment, stdout=subprocess.PIPE, check=True)
        return json.loads(run.stdout or b"{}")

    def told(who, key):
        head = api(who, "head-object", "--bucket", "BUCKET", "--key", key)
        found = api(who, "get-object-tagging", "--bucket", "BUCKET", "--key", key).get("TagSet", [])
        return ([head.get(name) for name in ("ContentType", "CacheControl", "Metadata",
                                             "ContentLength")],
                sorted((tag["Key"], tag["Value"]) for tag in found))

    def check(name, source, *options):
        results = []
        for who in "theirs", "ours":
            own = ["--threshold", "8388608"] if who == "ours" else []
            code, _, error = suite.run(who, ["cp", "s3://BUCKET/" + source, "s3://BUCKET/" + name,
                                             *options, *own])
            results.append((code, error, told(who, name) if code == 0 else None))
        suite.check(f"copy {source}: {name}", results[0][0] == results[1][0] == 0 and
                    results[0][2] == results[1][2], *results)

    for file, name in ("large.bin", "large"), ("a/b", "small"):
        suite.both("cp", "tree/" + file, "s3://BUCKET/of/" + name, *said)
        for count, these in sorted(tags.items()):
            for who in "theirs", "ours":
                api(who, "put-object-tagging", "--bucket", "BUCKET", "--key", "of/" + name, "--tagging",
                    json.dumps({"TagSet": [{"Key": key, "Value": value} for key, value in these]}))
            check(f"{name} {count}", "of/" + name)
        check(name + " no-properties", "of/" + name, "--copy-props", "none")
        check(name + " metadata", "of/" + name, "--copy-props", "metadata-directive")
        check(name + " language", "of/" + name, "--content-language", "de", "--content-type", "z/z")
    check("small replaced", "of/small", "--metadata-directive", "REPLACE", "--content-type", "n/n")
    suite.both("rm", "s3://BUCKET", "--recursive")


def listings(suite):
    for command in (["s3://BUCKET"], ["s3://BUCKET/"], ["s3://BUCKET/s"], ["s3://BUCKET/s/"],
                    ["s3://BUCKET/s/a"], ["s3://BUCKET/s/a/"], ["s3://BUCKET", "--recursive"],
                    ["s3://BUCKET/s/many", "--recursive"], ["s3://BUCKET/nothing"], [], ["s3://"],
                    ["s3://BUCKET/s/", "--human-readable", "--summarize"],
                    ["s3://BUCKET", "--recursive", "--summarize"]):
        suite.same_listing(*command)
    for key in "z.html", "key +%41 \u00fc.json", "large.bin", "a/b":
        types = [json.loads(subprocess.run(
            [AWS, "--endpoint-url", suite.endpoint, "s3api", "head-object", "--bucket",
             who + "-bucket", "--key", "s/" + key, "--output", "json"], check=True,
            env=suite.environment, stdout=subprocess.PIPE).stdout).get("ContentType")
                 for who in ("theirs", "ours")]
        suite.check("the type of " + key, types[0] == types[1], *types)


def proxies(suite):
    """Those that the environment names, and those it excepts."""
    proxy = Proxy()
    suite.write("p/one", b"through a proxy")
    url = f"http://127.0.0.1:{proxy.port}"
    for used, environment in (
            (True, {"HTTPS_PROXY": url}), (True, {"https_proxy": url, "HTTPS_PROXY": "http://no.test"}),
            (True, {"HTTPS_PROXY": url[7:]}), (True, {"HTTPS_PROXY": url, "NO_PROXY": "a.test,host"}),
            (False, {"HTTP_PROXY": url}), (False, {"HTTPS_PROXY": url, "https_proxy": ""}),
            (False, {"HTTPS_PROXY": url, "NO_PROXY": "a.test, localhost"}),
            (False, {"HTTPS_PROXY": url, "NO_PROXY": "*"}),
            (False, {"HTTPS_PROXY": url, "no_proxy": ".localhost", "NO_PROXY": "other"})):
        counts = []
        for who in "theirs", "ours":
            del proxy.heads[:]
            code = suite.run(who, ["cp", "p/one", "s3://BUCKET/p/one"], **environment)[0]
            counts.append((code, len(proxy.heads) > 0))
        suite.check(f"proxy by {environment}", counts == [(0, used)] * 2, counts)
    suite.both("rm", "s3://BUCKET/p/one", HTTPS_PROXY=url)
    suite.both("ls", "s3://BUCKET/p/", HTTPS_PROXY="http://127.0.0.1:1", lines=False)
    proxy.shutdown()
    proxy.server_close()


def archives(suite):
    """Objects that must be restored first: only the embedded server takes their storage class as it
    comes."""
    suite.both("cp", "tree/a.txt", "s3://BUCKET/c/now")
    for storage in "GLACIER", "DEEP_ARCHIVE", "GLACIER_IR":
        suite.both("cp", "tree/a.txt", "s3://BUCKET/c/" + storage, "--storage-class", storage)
    for number, options in enumerate(([], ["--ignore-glacier-warnings"], ["--force-glacier-transfer"])):
        # what awscli says of a file it skips isn't on standard output, nor is ours
        suite.both("cp", "s3://BUCKET/c", f"c{number}", "--recursive", *options)
        suite.both("sync", "s3://BUCKET/c", f"s3://BUCKET/c{number}", *options)
    suite.same_trees("archives")


def wrong(suite):
    """What fails, and with which code."""
    codes = lambda *command, **more: suite.both(*command, lines=False, **more)  # noqa: E731
    # awscli 2.9 stumbles over Ceph's answer and says 255; 254 is what it means to say
    for command, more in (("ls", "s3://missing-bucket"), {}), (
            ("ls", "s3://BUCKET"), {"AWS_SECRET_ACCESS_KEY": "wrong"}):
        result = suite.run("ours", command, **more)
        suite.check("s3 " + " ".join(command), result[0] == 254, result)
    codes("ls", "--no-such-option")
    codes("cp", "s3://BUCKET/missing", "x")
    codes("cp", "missing", "s3://BUCKET/x")
    codes("cp", "tree/empty", "s3://missing-bucket/x")
    codes("cp", "tree/empty", "down")
    codes("cp", "tree/empty")
    codes("sync", "missing", "s3://BUCKET/x")
    codes("mv", "s3://BUCKET/s/empty", "s3://BUCKET/s/empty")
    codes("rm", "s3://missing-bucket/x")
    codes("rb", "s3://BUCKET")
    codes("rb", "s3://missing-bucket")
    codes("mb", "s3://In_valid")
    for who in "theirs", "ours":
        os.symlink("nowhere", os.path.join(suite.work, who, "tree", "broken"))
    codes("sync", "tree", "s3://BUCKET/w")
    suite.same_trees("a broken link is skipped")
    codes("rb", "s3://BUCKET", "--force")


def main():
    parser = argparse.ArgumentParser(description="The tool beside awscli.")
    parser.add_argument("server", nargs="?", default="rgw", choices=("rgw", "rgw20", "own"))
    parser.add_argument("parts", nargs="*", metavar="PART",
                        help="of: transfers copies syncs listings proxies archives wrong, in this "
                             "order; default: all, but archives with the own server only")
    parser.add_argument("--dir", help="the server's directory; default: a temporary one")
    options = parser.parse_intermixed_args()
    work = tempfile.mkdtemp(prefix="tool-suite-")
    directory = options.dir or os.path.join(work, "server")
    server = suite = None
    ended = False
    try:
        server = server_suite.start(options.server, directory)
        suite = Suite(server, os.path.join(work))
        make_tree(suite)
        suite.both("mb", "s3://BUCKET")
        for part in transfers, copies, syncs, listings, proxies, archives, wrong:
            if options.parts and part.__name__ not in options.parts:
                continue
            if part is archives and options.server != "own":
                continue
            part(suite)
            print(f"  {part.__name__}: {suite.passed} passed, {suite.failed} failed", flush=True)
        ended = True
    finally:
        if server and (suite is None or suite.failed or not ended):
            server.last_words()
        if server:
            server.stop()
        if not options.dir and options.server != "own":
            subprocess.run([os.path.join(TESTS, "servers", "stop.sh"), "-x", directory], check=False)
        shutil.rmtree(work, ignore_errors=True)
    print(f"tool_suite: {suite.passed} passed, {suite.failed} failed")
    return 1 if suite.failed or not suite.passed else 0


if __name__ == "__main__":
    sys.exit(main())
