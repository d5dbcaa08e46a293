#!/usr/bin/env python3
"""What a request costs: this client, a raw socket with the same BearSSL, and libcurl with its
AWS_SIGV4, against tests/bench_server.c on the loopback, in the same run.

    tests/bench.py            measure and print; fails if what can be counted is wrong: more than
                              one send per request, or any heap call of ours
    tests/bench.py --write    and write the table into README.md, between <!-- bench --> marks

CPU is user + system time of the client's process, the least of several runs that take turns;
instructions are callgrind's, system calls strace's, heap calls those of tests/heap.c, each as the
difference between a run of many requests and one of few, so that starting up doesn't count.
"""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, "build", "bench")
README = os.path.join(ROOT, "README.md")
CLIENTS = {"ours": "this client", "raw": "raw socket + BearSSL", "curl": "libcurl"}
CASES = [(scheme, operation) for scheme in ("http", "https") for operation in ("get", "put")]
RUNS, COUNT, KEYS = 5, 3000, 10000
SENDS = {"send", "sendto", "sendmsg", "write", "writev"}
RECEIVES = {"recv", "recvfrom", "recvmsg", "read", "readv"}


def run(command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          **options)
    if done.returncode:
        sys.exit("bench.py: %s\n%s" % (" ".join(command), done.stderr[-2000:]))
    return done


def path(name):
    return os.path.join(BUILD, name)


def build():
    os.makedirs(BUILD, exist_ok=True)
    libraries = {"bench_server": ["-lssl", "-lcrypto", "-lpthread"], "bench_ours": ["-lbearssl"],
                 "bench_raw": ["-lbearssl"], "bench_curl": ["-lcurl"]}
    for name, needed in libraries.items():
        run(["gcc", "-std=gnu99", "-O2", "-g", "-Wall", "-Wextra", "-I" + ROOT,
             os.path.join(ROOT, "tests", name + ".c"), "-o", path(name)] + needed)
    run(["gcc", "-O2", "-shared", "-fPIC", os.path.join(ROOT, "tests", "heap.c"), "-o",
         path("heap.so"), "-ldl"])
    if not os.path.exists(path("cert.pem")):
        run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", path("ca.key"),
             "-out", path("ca.pem"), "-days", "3650", "-subj", "/CN=bench CA", "-addext",
             "keyUsage=critical,keyCertSign,cRLSign"])
        run(["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-keyout", path("key.pem"), "-out",
             path("leaf.csr"), "-subj", "/CN=localhost"])
        with open(path("leaf.ext"), "w", encoding="ascii") as file:
            file.write("subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n")
        run(["openssl", "x509", "-req", "-in", path("leaf.csr"), "-CA", path("ca.pem"), "-CAkey",
             path("ca.key"), "-CAcreateserial", "-days", "3650", "-sha256", "-extfile",
             path("leaf.ext"), "-out", path("cert.pem")])


class Server:
    """bench_server for a with block; it ends when its stdin is closed."""

    def __enter__(self):
        self.process = subprocess.Popen([path("bench_server"), path("cert.pem"), path("key.pem")],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ports = dict(self.process.stdout.readline().split() for _ in range(2))
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    def command(self, client, scheme, operation, count):
        return [path("bench_" + client), operation, str(count), scheme, self.ports[scheme],
                path("ca.pem")]


def cpu(server, scheme, operation, count):
    """Microseconds of CPU per request and client: {client: (all, user)}."""
    least = {}
    for _ in range(RUNS):
        for client in CLIENTS:
            user, system = map(float, run(server.command(client, scheme, operation,
                                                         count)).stdout.split())
            least[client] = min(least.get(client, (9e9, 0)),
                                ((user + system) / count * 1e6, user / count * 1e6))
    return least


def instructions(server, client, scheme, operation, few, many):
    counts = []
    for count in (few, many):
        said = run(["valgrind", "--tool=callgrind", "--callgrind-out-file=" +
                    path("callgrind.%s.%s.%s" % (client, scheme, operation))] +
                   server.command(client, scheme, operation, count)).stderr
        counts.append(int(re.search(r"Collected : (\d+)", said)[1]))
    return (counts[1] - counts[0]) / (many - few)


def system_calls(server, client, scheme, operation, few=10, many=110):
    """{name: calls per request}."""
    counts = []
    for count in (few, many):
        log = path("strace")
        run(["strace", "-f", "-o", log] + server.command(client, scheme, operation, count))
        found = {}
        with open(log, encoding="utf-8", errors="replace") as file:
            for name in re.findall(r"^\d+ +(\w+)\(", file.read(), re.M):
                found[name] = found.get(name, 0) + 1
        counts.append(found)
    return {name: (count - counts[0].get(name, 0)) / (many - few)
            for name, count in counts[1].items() if count != counts[0].get(name, 0)}


def heap_calls(server, client, scheme, operation, few=10, many=110):
    counts = []
    for count in (few, many):
        report = path("heap.txt")
        if os.path.exists(report):
            os.remove(report)
        run(server.command(client, scheme, operation, count),
            env={**os.environ, "LD_PRELOAD": path("heap.so"), "HEAP_REPORT": report})
        with open(report, encoding="ascii") as file:
            counts.append(int(re.search(r"heap calls: (\d+)", file.read())[1]))
    return (counts[1] - counts[0]) / (many - few)


def kinds(calls):
    sends = sum(count for name, count in calls.items() if name in SENDS)
    receives = sum(count for name, count in calls.items() if name in RECEIVES)
    rest = sum(calls.values()) - sends - receives
    return "%.3g + %.3g + %.3g" % (sends, receives, rest)


def measure(server):
    """Rows of the table, and what is wrong."""
    rows, wrong, missed = [], [], []
    for scheme, operation in CASES:
        name = "1 KiB %s, %s" % (operation.upper(), scheme)
        times = cpu(server, scheme, operation, COUNT)
        counted = {client: instructions(server, client, scheme, operation, 10, 60)
                   for client in CLIENTS}
        calls = {client: system_calls(server, client, scheme, operation) for client in CLIENTS}
        heap = {client: heap_calls(server, client, scheme, operation) for client in CLIENTS}
        ratio = times["ours"][0] / times["raw"][0]
        rows.append([name + ": CPU, us"] + ["%.1f" % times[c][0] for c in CLIENTS] +
                    ["%.2f" % ratio, "%.2f" % (times["curl"][0] / times["ours"][0])])
        rows.append(["of it in user space"] + ["%.1f" % times[c][1] for c in CLIENTS] + ["", ""])
        rows.append(["instructions"] + ["{:,.0f}".format(counted[c]) for c in CLIENTS] +
                    ["%.2f" % (counted["ours"] / counted["raw"]),
                     "%.2f" % (counted["curl"] / counted["ours"])])
        rows.append(["system calls: send + receive + other"] + [kinds(calls[c]) for c in CLIENTS] +
                    ["", ""])
        rows.append(["heap calls"] + ["%.3g" % heap[c] for c in CLIENTS] + ["", ""])
        sends = sum(count for call, count in calls["ours"].items() if call in SENDS)
        receives = sum(count for call, count in calls["ours"].items() if call in RECEIVES)
        if sends > 1.001:
            wrong.append("%s: %g sends per request" % (name, sends))
        if receives > (1.001 if scheme == "http" else 2.001):
            wrong.append("%s: %g receives per request" % (name, receives))
        if heap["ours"]:
            wrong.append("%s: %g heap calls per request" % (name, heap["ours"]))
        if scheme == "https" and ratio > 2:
            missed.append("%s: %.2f times the raw socket's CPU, the goal is 2" % (name, ratio))
    return rows + listing(server), wrong, missed


def listing(server):
    rows = []
    for scheme in ("http", "https"):
        times = {client: us[0] / KEYS for client, us in cpu(server, scheme, "list", 30).items()}
        rows.append(["list, %s: CPU per key, us (of 10,000; the others don't parse)" % scheme] +
                    ["%.3f" % times[c] for c in CLIENTS] +
                    ["%.2f" % (times["ours"] / times["raw"]), "%.2f" %
                     (times["curl"] / times["ours"])])
    count = {client: instructions(server, client, "http", "list", 1, 4) / KEYS
             for client in CLIENTS}
    rows.append(["instructions per key, http"] + ["%.0f" % count[c] for c in CLIENTS] +
                ["%.2f" % (count["ours"] / count["raw"]), "%.2f" % (count["curl"] / count["ours"])])
    return rows


def table(rows):
    lines = ["Made by `make bench` (tests/bench.py) on one connection over the loopback; per request.",
             "", "| | %s | ours / raw | libcurl / ours |" % " | ".join(CLIENTS.values()),
             "|---|--:|--:|--:|--:|--:|"]
    lines += ["| %s |" % " | ".join(row) for row in rows]
    return "\n".join(lines) + "\n"


def write_readme(text):
    begin, end = "<!-- bench -->", "<!-- /bench -->"
    old = ""
    if os.path.exists(README):
        with open(README, encoding="utf-8") as file:
            old = file.read()
    if begin not in old or end not in old:
        old += "\n%s\n%s\n" % (begin, end)
    head, rest = old.split(begin, 1)
    with open(README, "w", encoding="utf-8") as file:
        file.write(head + begin + "\n" + text + end + rest.split(end, 1)[1])


def main():
    build()
    with Server() as server:
        rows, wrong, missed = measure(server)
    text = table(rows)
    print(text)
    if "--write" in sys.argv[1:]:
        write_readme(text)
    for line in missed:
        print("goal missed:", line)
    for line in wrong:
        print("bench.py:", line, file=sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
