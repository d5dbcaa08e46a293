#!/usr/bin/env python3
"""examples/firmware: built for a Cortex-M3, run in QEMU against S3 servers over TLS, with keys from a
provider that wants the device's certificate, and names from a name server.

    tests/firmware.py [NAME...]   of: faults ceph upload download bounded hang stranger no-random
                                  no-port random-ends; without one all

upload     the power is cut at 20 points of the log's upload
download   the power is cut at 20 points of the download of 1 MB into flash
ceph       Ceph's gateway (tests/servers/rgw.sh), by the temporary keys of a role: a log in parts of 5 MiB,
           records cut in the middle, the power cut in each phase. Where the gateway can't be had, that
           is said, and is a failure if CI=true
faults     the server loses, cuts, resets and refuses answers, records are cut in the middle, the link
           drops, names come late or not at all, the device is reset
bounded    the same image with 11 KB for the client: servers that ignore max_fragment_length, head and body in
           one record. The power is cut in each phase
hang       the image hangs: the watchdog ends it
stranger, no-random, no-port, random-ends   a server of another CA, no random bytes, or none any more for
           lwIP's ports, or once there are keys: nothing may be sent

After each of them the server's objects must be what the image says it sent, and the flash must hold
what the server has. The sources of BearSSL and lwIP come by apt (tests/sizes.py). Everything is made
below build/firmware.
"""
import concurrent.futures
import glob
import hashlib
import http.server
import json
import os
import random
import re
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import botocore.config
import botocore.session

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import server_suite  # noqa: E402
import sizes  # noqa: E402
import test_bounded  # noqa: E402

ROOT = sizes.ROOT
PLACE = os.path.join(ROOT, "build", "firmware")
HERE = os.path.join(ROOT, "examples", "firmware")
KEY, SECRET, TOKEN = "ASIAFIRMWARE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "token/" * 40
BUCKET, LOG = "fleet", "logs/device-7.txt"
BUILD_TIME = 1767225600  # 2026-01-01: long before the certificates are valid
SECONDS = 1800  # for one run: only if the watchdog fails, too; a busy machine takes minutes
UPDATE = random.Random(1).randbytes((1 << 20) + 777)
# Where things are in flash, as in device.h.
IMAGE_AT = 8192
LOG_AT = IMAGE_AT + (2 << 20)
FLASH_SIZE = LOG_AT + (8 << 20)
FIGURES = {}  # of each test's images
STACK = 6144  # bytes: no run may take more, TLS included
SLACK = 65536  # bytes of a part of the download, which are asked for again
# At what the power fails, once each (board_mark): the so many-th write of a record (s) or of other
# flash (w), of which half is done; when the so many-th frame is to be sent (f).
UPLOAD_CUTS = ["log:s1", "log:s2"] + ["log:f%d" % n for n in (
    1, 2, 3, 5, 8, 12, 17, 23, 30, 38, 46, 55, 64, 73, 82, 92)] + ["logged:s1", "logged:s2"]
DOWNLOAD_CUTS = ["update:s%d" % n for n in (1, 2, 3, 4)] + ["update:w%d" % n for n in (
    1, 2, 5, 9)] + ["update:f%d" % n for n in (1, 2, 3, 5, 9, 14, 20, 27, 35, 45)] + [
        "install:s1", "install:s2"]
# And on Ceph: some of each.
CEPH_CUTS = ["log:s1", "log:f400", "logged:s1", "update:s3", "update:f30"]
BOUNDED_CUTS = ["log:s1", "log:f150", "logged:s2", "update:s3", "update:f100", "install:s1"]
# What the server does to one run: answers lost, cut, reset and refused, kept connections closed.
FAULTS = (("PutObject", 0, {"lose_after": True}), ("PutObject", 0, {"close_idle": True}),
          ("PutObject", 0, {"status": 503}), ("PutObject", 0, {"reset": 40}),
          ("ListObjectsV2", 0, {"reset": 300}), ("ListObjectsV2", 0, {"tls_cut": 500}),
          ("CreateMultipartUpload", 0, {"reset": 200}), ("UploadPart", 0, {"lose_after": True}),
          ("UploadPart", 1, {"status": 500}), ("UploadPart", 2, {"close_idle": True}),
          ("UploadPart", 3, {"early": 503}), ("CompleteMultipartUpload", 0, {"lose_after": True}),
          ("GetObject", 0, {"cut": 100}), ("GetObject", 1, {"close_before": True}),
          ("GetObject", 3, {"reset": 30000}), ("GetObject", 2, {"cut": 50000}),
          ("GetObject", 1, {"trickle": [700, 0.001]}), ("GetObject", 3, {"close_idle": True}))
CPU = ["-mthumb", "-mcpu=cortex-m3"]
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wsign-conversion", "-Wshadow",
          "-Wundef", "-Wcast-qual", "-Wstrict-prototypes", "-Werror"]
FORBIDDEN = ("malloc", "calloc", "realloc", "free", "sbrk", "_sbrk", "printf", "vprintf", "sprintf",
             "snprintf", "vsnprintf", "fprintf", "vfprintf", "puts", "__d_vfprintf", "strtok")
LWIP = ("core/def.c core/dns.c core/inet_chksum.c core/init.c core/ip.c core/mem.c core/memp.c "
        "core/netif.c core/pbuf.c core/tcp.c core/tcp_in.c core/tcp_out.c core/timeouts.c "
        "core/udp.c core/ipv4/*.c netif/ethernet.c")


# ---- What the device finds: keys, names, a wire ----

class Provider(http.server.BaseHTTPRequestHandler):
    """Keys for who shows the device's certificate, as AWS IoT Core's provider does."""
    protocol_version = "HTTP/1.1"
    asked, keys = [], {}  # keys: of each role alias

    def do_GET(self):
        subject = dict(pair for part in self.connection.getpeercert()["subject"] for pair in part)
        alias = self.path.split("/")[2]
        self.asked.append((alias, self.path, self.headers["x-amzn-iot-thingname"],
                           subject["commonName"]))
        key, secret, token = self.keys[alias]
        body = json.dumps({"credentials": {
            "accessKeyId": key, "secretAccessKey": secret, "sessionToken": token,
            "expiration": "2099-01-01T00:00:00Z"}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Servers(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        """A power cut ends a connection, too."""


def openssl(*arguments):
    sizes.run(["openssl", *arguments], cwd=PLACE)


def make_certificates():
    """A CA with P-256, a server of it called localhost, and the device. They begin to be valid now."""
    new = ["-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    openssl("req", "-x509", *new, "-subj", "/CN=device CA", "-keyout", "ca.key", "-out", "ca.pem",
            "-days", "2", "-addext", "keyUsage=critical,keyCertSign")
    with open(os.path.join(PLACE, "names"), "w", encoding="utf-8") as file:
        file.write("subjectAltName=DNS:localhost\n")
    for name, more in (("leaf", ["-extfile", "names"]), ("device-7", [])):
        openssl("req", *new, "-subj", "/CN=" + name, "-keyout", name + ".key", "-out", "csr")
        openssl("x509", "-req", "-in", "csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2",
                "-set_serial", "7", *more, "-out", name + ".pem")
    openssl("x509", "-in", "device-7.pem", "-outform", "DER", "-out", "device.der")
    openssl("pkey", "-in", "device-7.key", "-outform", "DER", "-out", "key.der")


def start_provider():
    """A server that only talks to certificates of the CA: its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(PLACE, "leaf.pem"), os.path.join(PLACE, "leaf.key"))
    context.load_verify_locations(os.path.join(PLACE, "ca.pem"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    server = Servers(("127.0.0.1", 0), Provider)
    server.socket = context.wrap_socket(server.socket, server_side=True,
                                        do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


class Names(threading.Thread):
    """A name server: each name is the emulator's host. It can be late, or silent."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.ignored, self.delay, self.asked = 0, 0, 0
        self.start()

    def run(self):
        while True:
            query, whom = self.socket.recvfrom(1500)
            self.asked += 1
            if self.ignored:
                self.ignored -= 1
                continue
            question = query[12:query.index(b"\0", 12) + 5]
            answer = (query[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + question +
                      b"\xc0\x0c\0\1\0\1" + struct.pack(">IH", 60, 4) + bytes((10, 0, 2, 2)))
            threading.Timer(self.delay, self.socket.sendto, (answer, whom)).start()


class Wire:
    """Connections to a port go through here. cuts: after so many bytes from the server in all, which
    is in the middle of a record, the connection is reset."""

    def __init__(self, port):
        self.to, self.cuts, self.passed = port, [], 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            device = self.listener.accept()[0]
            server = socket.create_connection(("127.0.0.1", self.to))
            threading.Thread(target=self.copy, args=(device, server), daemon=True).start()
            threading.Thread(target=self.copy, args=(server, device, self), daemon=True).start()

    @staticmethod
    def copy(source, target, wire=None):
        try:
            while data := source.recv(1400):
                if wire:
                    wire.passed += len(data)
                    if wire.cuts and wire.passed >= wire.cuts[0]:
                        target.sendall(data[:len(data) - (wire.passed - wire.cuts.pop(0))])
                        for each in (target, source):
                            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                            struct.pack("ii", 1, 0))
                        break
                target.sendall(data)
            else:
                target.shutdown(socket.SHUT_WR)
                return
        except OSError:
            pass
        for each in (source, target):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            each.close()


# ---- The image ----

def array(name, path):
    with open(os.path.join(PLACE, path), "rb") as file:
        return "static const unsigned char %s[] = {%s};\n" % (name, ",".join(map(str, file.read())))


def build_bearssl():
    library = os.path.join(PLACE, "bearssl", "libbearssl.a")
    if not os.path.exists(library):
        flags = sizes.SECTIONS + CPU + ["-DBR_USE_UNIX_TIME=0", "-DBR_ARMEL_CORTEXM_GCC=1"]
        sizes.run(["make", "-j2", "lib", "CONF=Unix", "BUILD=" + os.path.dirname(library),
                   "CC=%sgcc --specs=picolibc.specs" % sizes.ARM, "AR=%sar" % sizes.ARM,
                   "CFLAGS=" + " ".join(flags)], cwd=sizes.fetch_bearssl())
    return library


def compile_file(source, target, extra):
    sizes.run([sizes.ARM + "gcc", "--specs=picolibc.specs", "-std=gnu99", "-g"] + sizes.SECTIONS +
              CPU + ["-I" + HERE, "-I" + os.path.join(HERE, "lwip"), "-I" + ROOT,
                     "-isystem", sizes.include(),
                     "-isystem", os.path.join(sizes.fetch_lwip(), "src", "include")] + extra +
              ["-c", source, "-o", target])
    return target


def build_lwip():
    """lwIP's objects."""
    place = os.path.join(PLACE, "lwip")
    os.makedirs(place, exist_ok=True)
    newest = max(os.path.getmtime(path) for path in
                 glob.glob(os.path.join(HERE, "lwip", "**", "*.h"), recursive=True))
    objects = []
    for pattern in LWIP.split():
        for source in sorted(glob.glob(os.path.join(sizes.fetch_lwip(), "src", pattern))):
            target = os.path.join(place, os.path.basename(source)[:-2] + ".o")
            if not os.path.exists(target) or os.path.getmtime(target) < newest:
                # without a second at each start, in which it asks whether its address is free
                compile_file(source, target, ["-w", "-DDHCP_DOES_ARP_CHECK=0"])
            objects.append(target)
    return objects


def build_shared():
    """What is in every image, whatever its device: BearSSL, the client, lwIP."""
    build_bearssl()
    return [compile_file(os.path.join(HERE, "client.c"), os.path.join(PLACE, "client.o"),
                         STRICT)] + build_lwip()


def link(objects, image):
    sizes.run([sizes.ARM + "gcc", "--specs=picolibc.specs", "-nostartfiles"] + CPU +
              ["-Wl,--gc-sections", "-Wl,-Map=" + image[:-3] + "map",
               "-T", os.path.join(HERE, "board.ld")] + objects + [build_bearssl(), "-o", image])
    names = {line.split()[-1] for line in sizes.run([sizes.ARM + "nm", image]).splitlines()}
    found = names.intersection(FORBIDDEN)
    if found:
        sys.exit("firmware.py: the image has " + ", ".join(sorted(found)))


class Device:
    """An image, its flash, and what it said. name: also its role alias."""

    def __init__(self, name, server, trusted, defines=()):
        part, closes = server.options.get("part", 16384), server.options.get("closes", 200000)
        self.place = os.path.join(PLACE, name)
        self.name, self.lines, self.out, self.names = name, [], [], Names()
        self.figures = {}  # the largest of each
        self.made = time.time()
        self.missed = False  # whether the last run was over, or past a line, before it was reset
        os.makedirs(self.place, exist_ok=True)
        Provider.keys[name] = server.keys
        bundle = os.path.join(self.place, "trusted.pem")
        with open(bundle, "w", encoding="utf-8") as file:
            for path in (trusted, os.path.join(PLACE, "ca.pem")):
                with open(path, encoding="utf-8") as certificate:
                    file.write(certificate.read())
        anchors = sizes.run([sys.executable, os.path.join(ROOT, "port", "make_roots.py"), "anchors",
                             bundle])
        with open(os.path.join(self.place, "config.h"), "w", encoding="utf-8") as file:
            file.write('#define CONFIG_ENDPOINT "%s"\n#define CONFIG_IOT "https://localhost:%d"\n'
                       '#define CONFIG_ROLE_ALIAS "%s"\n#define CONFIG_THING "device-7"\n'
                       '#define CONFIG_BUCKET "%s"\n#define CONFIG_BUILD_TIME %d\n'
                       '#define CONFIG_NAME_SERVER 0x0a000202ul\n#define CONFIG_LOG_PART %du\n'
                       '#define CONFIG_LOG_CLOSES %du\n%s#include <bearssl.h>\n%s%s%s'
                       % ("https://localhost:%d" % server.wire.port, Device.provider, name, BUCKET,
                          BUILD_TIME, part, closes, server.options.get("config", ""), anchors,
                          array("device_certificate", "device.der"), array("device_key", "key.der")))
        self.image = self.build(defines, server.options.get("client"))
        self.erase()

    def build(self, defines, client):
        mine = ["-I" + self.place, "-DDNS_SERVER_PORT=%d" % self.names.port]
        objects = [compile_file(os.path.join(HERE, file), os.path.join(self.place, file[:-2] + ".o"),
                                STRICT + mine + defines)
                   for file in ("main.c", "board.c", "records.c", "log.c", "update.c")]
        lwip = os.path.join(sizes.fetch_lwip(), "src", "core", "dns.c")
        names = ("dns.o", "client.o") if client else ("dns.o",)
        objects += [path for path in Device.shared if os.path.basename(path) not in names]
        if client:
            objects.append(compile_file(os.path.join(ROOT, "tests", client),
                                        os.path.join(self.place, "client.o"), STRICT))
        objects.append(compile_file(lwip, os.path.join(self.place, "dns.o"), ["-w"] + mine))
        image = os.path.join(self.place, "firmware.elf")
        link(objects, image)
        return image

    def say(self, text):
        self.out.append("    %s: %s" % (self.name, text))

    def erase(self, log=b""):
        """A new device; log: what it wrote when there was no network."""
        with open(os.path.join(self.place, "flash.bin"), "wb") as file:
            file.write(b"\xff" * LOG_AT + log + b"\xff" * (FLASH_SIZE - LOG_AT - len(log)))

    def flash(self, at, size):
        with open(os.path.join(self.place, "flash.bin"), "rb") as file:
            file.seek(at)
            return file.read(size)

    def run(self, plan="", resets=(), show=False):
        """One run until the image ends: its exit code. plan: board_mark; resets: when a line begins
        with one of them, the device is reset. On a busy machine that can be too late: then missed."""
        command = ["qemu-system-arm", "-M", "lm3s6965evb", "-nic", "user,model=stellaris",
                   "-display", "none", "-monitor", "none", "-serial", "stdio", "-qmp",
                   "unix:qmp,server=on,wait=off", "-semihosting-config",
                   "enable=on,target=native,arg=fw" + "".join(
                       ",arg=" + word for word in plan.split()),
                   "-icount", "shift=3", "-kernel", self.image]
        resets, self.lines, begin = list(resets), [], time.monotonic()
        qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True, errors="replace",
                                cwd=self.place)
        watchdog = threading.Timer(SECONDS, qemu.kill)
        watchdog.start()
        for line in qemu.stdout:
            self.lines.append(line.rstrip("\r\n"))
            if resets and self.lines[-1].startswith(resets[0]) and self.reset():
                resets.pop(0)
            if show:
                self.say(self.lines[-1])
        watchdog.cancel()
        code = qemu.wait()
        for line in self.said("figure "):
            what, value = line[7:].rsplit(" ", 1)
            self.figures[what] = max(self.figures.get(what, 0), int(value))
        self.missed = bool(resets)
        if time.monotonic() - begin >= SECONDS or code == 71 or resets:
            self.lines.append("hung, or was not reset")
        return code

    def run_reset(self, resets, plan="", flash=None):
        """A run, and again from the same flash, by default a new one, while a reset came too late."""
        for _ in range(10):
            if flash is None:
                self.erase()
            else:
                with open(os.path.join(self.place, "flash.bin"), "wb") as file:
                    file.write(flash)
            code = self.run(plan, resets)
            if not self.missed:
                break
        return code

    def reset(self):
        """False if the emulator has ended."""
        try:
            with socket.socket(socket.AF_UNIX) as monitor:
                monitor.connect(os.path.join(self.place, "qmp"))
                with monitor.makefile("rw") as file:
                    file.readline()
                    for command in ("qmp_capabilities", "system_reset"):
                        file.write('{"execute": "%s"}\n' % command)
                        file.flush()
                        if not file.readline():
                            return False
            return True
        except OSError:
            return False

    def positions(self):
        return [int(line.split()[1]) for line in self.lines if line.startswith("at ")]

    def said(self, start):
        return [line for line in self.lines if line.startswith(start)]


# ---- What must be true afterwards ----

def body_of(client, key):
    return client.get_object(Bucket=BUCKET, Key=key)["Body"].read()


def telemetry(device, client):
    """What is wrong with the readings, by what the image says."""
    sent = dict(line.split(" ", 2)[1:] for line in device.said("put "))
    page = client.list_objects_v2(Bucket=BUCKET, Prefix="telemetry/").get("Contents", [])
    stored = {item["Key"]: body_of(client, item["Key"]).decode() for item in page}
    if not sent:
        yield "the image has sent nothing"
    for key in sorted(sent.keys() | stored.keys()):
        if sent.get(key) != stored.get(key):
            yield "%s: the image says %r, the server has %r" % (key, sent.get(key), stored.get(key))
        listed = [line.split()[2] for line in device.said("listed %s " % key)]
        if not listed or listed[-1] != str(len(stored.get(key, ""))):
            yield "%s: the image lists %s" % (key, listed)
        if "same " + key not in device.lines:
            yield key + ": the image has not read it back"


def uploads(client):
    return client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])


def check(device, code, client):
    """What is wrong after a run that should have done everything."""
    if code or "done" not in device.lines:
        yield "the image's exit code is %d: %s" % (code, device.lines[-4:])
        return
    yield from telemetry(device, client)
    clock = device.said("clock ")
    if not clock or not device.made - 1 <= int(clock[-1].split()[1]) <= time.time() + 1:
        yield "the device's clock: %s" % clock
    log = device.flash(LOG_AT, FLASH_SIZE - LOG_AT).rstrip(b"\xff")
    said = re.findall(r"^log is there: (\d+) (\w+)$", "\n".join(device.lines), re.M)
    if said[-1:] != [(str(len(log)), hashlib.sha256(log).hexdigest())]:
        yield "the log in flash has %d bytes, the image says %s" % (len(log), said)
    if body_of(client, LOG) != log:
        yield "the log at the server is another than in flash"
    if uploads(client):
        yield "there are uploads that nobody ends: %s" % uploads(client)
    if device.flash(IMAGE_AT, len(UPDATE) + 1) != UPDATE + b"\xff":
        yield "the flash does not hold the update"
    if "updated " + hashlib.sha256(UPDATE).hexdigest() not in device.lines:
        yield "the image has not installed the update"
    asked = {row[1:] for row in Provider.asked if row[0] == device.name}
    if asked != {("/role-aliases/%s/credentials" % device.name, "device-7", "device-7")}:
        yield "the provider was asked %s" % asked


# ---- Servers ----

def connect(port, keys, service="s3"):
    return botocore.session.get_session().create_client(
        service, region_name="us-east-1", endpoint_url="http://127.0.0.1:%s" % port,
        aws_access_key_id=keys[0], aws_secret_access_key=keys[1], aws_session_token=keys[2],
        config=botocore.config.Config(s3={"addressing_style": "path"}))


def fill(client):
    client.create_bucket(Bucket=BUCKET)
    client.put_object(Bucket=BUCKET, Key="update.bin", Body=UPDATE,
                      Metadata={"sha256": hashlib.sha256(UPDATE).hexdigest()})


class Own:
    """The embedded server."""
    keys, options = (KEY, SECRET, TOKEN), {}

    def __init__(self, name):
        place = os.path.join(PLACE, "server-" + name)
        os.makedirs(place, exist_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(ROOT, "tests", "s3_server.py"), "--dir", place, "--parent",
             str(os.getpid()), "--key", KEY, "--secret", SECRET, "--token", TOKEN, "--min-part",
             "16384"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.words = dict(word.split("=", 1) for word in self.process.stdout.readline().split()[1:])
        if "https" not in self.words:
            sys.exit("firmware.py: the server did not start")
        self.client = connect(self.words["http"], self.keys)
        fill(self.client)
        self.wire = Wire(int(self.words["https"]))
        self.ca = self.words["ca"]

    def admin(self, path, body=None):
        url = "http://127.0.0.1:%s/_test/%s" % (self.words["http"], path)
        data = json.dumps(body).encode() if body else None
        with urllib.request.urlopen(urllib.request.Request(url, data)) as answer:
            return json.load(answer)

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Joined(Own):
    """It has head and body in one record, as long as need be; and a device with little memory."""
    options = {"client": "firmware_bounded.c", "config":
               "int device_bounded(aws_client *client, int what, int number);\n"
               "#define DEVICE_BOUNDED device_bounded\n"
               "#define DEVICE_MEMORY AWS_CLIENT_MEMORY_TLS_BOUNDED\n"}

    def __init__(self, name):
        super().__init__(name)
        test_bounded.tls.make_certificates()
        self.wire = test_bounded.Front(int(self.words["http"]))
        self.ca = self.wire.ca


class NotRun(Exception):
    """This machine can't do it."""


class Ceph:
    """Ceph's gateway, and the keys of a role that may only use the bucket. Its log has parts of 5 MiB,
    as Amazon wants them, most of which the device wrote when it had no network."""
    options = {"part": 5 << 20, "closes": (5 << 20) + 300000}

    def __init__(self, name):
        self.place = tempfile.mkdtemp(prefix="firmware-")
        try:
            self.gateway = server_suite.Scripted("rgw", os.path.join(self.place, name))
        except SystemExit:
            shutil.rmtree(self.place)
            raise NotRun("Ceph's gateway can't be had here, see above") from None
        port, owner = self.gateway.ports["http"], (self.gateway.key, self.gateway.secret, None)
        self.client = connect(port, owner)
        fill(self.client)
        self.keys = self.assume(port, owner)
        self.wire = Wire(int(self.gateway.ports["https"]))
        self.ca = os.path.join(self.gateway.directory, "ca.pem")

    @staticmethod
    def assume(port, owner):
        """Temporary keys of a new role. Spaces in its policies would be malformed for Ceph."""
        def policy(**members):
            return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **members}]},
                              separators=(",", ":"))

        iam = connect(port, owner, "iam")
        bucket = "arn:aws:s3:::" + BUCKET
        role = iam.create_role(RoleName="device", Path="/", AssumeRolePolicyDocument=policy(
            Principal={"AWS": ["arn:aws:iam:::user/test"]}, Action=["sts:AssumeRole"]))
        iam.put_role_policy(RoleName="device", PolicyName="p", PolicyDocument=policy(
            Action=["s3:*"], Resource=[bucket, bucket + "/*"]))
        keys = connect(port, owner, "sts").assume_role(RoleArn=role["Role"]["Arn"],
                                                       RoleSessionName="device-7")["Credentials"]
        return keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]

    def stop(self):
        self.gateway.stop()
        shutil.rmtree(self.place)


# ---- The tests: each gives (device, what is wrong) ----

def upload(server, device):
    wrong = []
    for cut in UPLOAD_CUTS:
        code = device.run(cut)
        left = len(uploads(server.client))
        device.say("power fails at %s: %s, uploads at the server: %d" % (
            cut, (device.said("log ") or ["log"])[-1], left))
        if code != 75 or left > 1:
            wrong.append("cut at %s: exit code %d, %d uploads, %s" % (
                cut, code, left, device.lines[-3:]))
            return wrong
    code = device.run(show=True)
    return wrong + list(check(device, code, server.client))


def download(server, device):
    wrong, reached = [], 0
    for cut in DOWNLOAD_CUTS:
        code = device.run(cut)
        at = device.positions()
        device.say("power fails at %s: went on at %s, came to %s" % (cut, at[:1], at[-1:]))
        if code != 75:
            wrong.append("cut at %s: exit code %d, %s" % (cut, code, device.lines[-3:]))
            return wrong
        if at and at[0] + SLACK < reached:
            wrong.append("cut at %s: it goes on at %d, though it was at %d" % (cut, at[0], reached))
        reached = max([reached] + at)
    code = device.run()
    if min(device.positions() or [0]) + SLACK < reached and device.positions():
        wrong.append("the last run did not go on where the one before was")
    first = device.lines
    if device.run() or "up to date" not in device.lines or "log was sent before" not in device.lines:
        wrong.append("a device that has done all of it: %s" % device.lines[-8:])
    device.lines = first
    return wrong + list(check_later(device, code, server.client))


def ceph(server, device):
    wrong, first = [], "log sent %d" % server.options["part"]
    device.erase(b"".join(b"%09d was there before" % n + b"." * 33 + b"\n"
                          for n in range(0, server.options["part"], 64)))
    for cut in CEPH_CUTS:
        if cut.startswith("logged"):
            code = device.run_reset([first], cut, device.flash(0, FLASH_SIZE))
        else:
            code = device.run(cut)
        left = len(uploads(server.client))
        device.say("power fails at %s: %s, came to %s, uploads at the server: %d" % (
            cut, (device.said("log ") or ["log"])[-1], device.positions()[-1:], left))
        if code != 75 or left > 1:
            wrong.append("cut at %s: exit code %d, %d uploads, %s" % (
                cut, code, left, device.lines[-9:]))
            return wrong
        if cut.startswith("logged") and first.replace("sent", "goes on at") not in device.lines:
            wrong.append("after a reset the first part is sent again: %s" % device.said("log "))
    server.wire.cuts = [server.wire.passed + n for n in (3001, 200000, 500003)]
    code = device.run(show=True)
    if server.wire.cuts:
        wrong.append("cuts that were not met: %s" % server.wire.cuts)
    return wrong + list(check_later(device, code, server.client))


def bounded(server, device):
    wrong = []
    for cut in BOUNDED_CUTS:
        code = device.run(cut)
        device.say("power fails at %s: %s, came to %s" % (
            cut, (device.said("log ") or ["log"])[-1], device.positions()[-1:]))
        if code != 75:
            wrong.append("cut at %s: exit code %d, %s" % (cut, code, device.lines[-9:]))
            return wrong
    server.wire.forget()
    device.erase()
    wrong += check(device, device.run(), server.client)
    ranges = [headers["range"] for _, _, headers in server.wire.requests if "range" in headers]
    device.say("%d requests, %d of them ranges of the update" % (len(server.wire.requests), len(ranges)))
    if len(ranges) < 400 or device.figures["static RAM"] > 42000:
        wrong.append("%d ranges, figures %s" % (len(ranges), device.figures))
    return wrong


def check_later(device, code, client):
    """The same as check, of a device whose log was sent in an earlier run."""
    log = device.flash(LOG_AT, FLASH_SIZE - LOG_AT).rstrip(b"\xff")
    device.lines.append("log is there: %d %s" % (len(log), hashlib.sha256(log).hexdigest()))
    return check(device, code, client)


def faults(server, device):
    wrong = []

    def one(what, **options):
        begin = time.monotonic()
        if "resets" in options:
            code = device.run_reset(**options)
        else:
            device.erase()
            code = device.run(**options)
        if device.missed:
            wrong.append("%s: it was not reset" % what)
        device.say("%s: exit code %d, %s, %d s" % (what, code, device.lines[-1:],
                                                   time.monotonic() - begin))
        wrong.extend("%s: %s" % (what, text) for text in check(device, code, server.client))

    for operation, skip, action in FAULTS:
        server.admin("fault", {"op": operation, "skip": skip, "action": action})
    one("%d faults of the server" % len(FAULTS))
    left = server.admin("stats")["faults"]
    if left:
        wrong.append("faults that were not met: %s" % left)
    server.wire.cuts = [server.wire.passed + n for n in (2000, 6001, 12345, 100000, 270011, 700003)]
    one("records cut in the middle")
    if server.wire.cuts:
        wrong.append("cuts that were not met: %s" % server.wire.cuts)
    one("the link drops for 3 s, then for 30", plan="log:l20 update:L60")
    if len(device.said("link is back")) != 2:
        wrong.append("the link did not drop")
    one("the device is reset three times", resets=("log sent 65536", "at 16", "at 4"))
    device.names.ignored, device.names.delay = 2, 0.5
    one("names come late")
    if device.names.asked < 3:
        wrong.append("the name server was asked %d times" % device.names.asked)
    device.names.ignored, device.names.delay = 1 << 30, 0
    wrong += refused(device, device.run(), "could not be asked for keys: the host name was not found")
    return wrong


def hang(server, device):
    code = device.run("log:h4")
    device.say("exit code %d, %s" % (code, device.said("WATCHDOG")))
    if code != 71 or "WATCHDOG" not in device.lines:
        yield "the watchdog did not bite: exit code %d" % code


def refused(device, code, text):
    """What is wrong with a run that has to fail, saying text."""
    said = device.said("FAILED")
    device.say(str(said))
    if code != 1 or len(said) != 1 or text not in said[0]:
        yield "exit code %d, it does not say '%s': %s" % (code, text, device.lines[-3:])


def stranger(server, device):
    return list(refused(device, device.run(), "error 62)"))  # BearSSL: not trusted


def no_random(server, device):
    return list(refused(device, device.run(),
                        "could not be asked for keys: the port gave no random bytes"))


def random_ends(server, device):
    yield from refused(device, device.run(), "put: PutObject: the port gave no random bytes")
    if not [row for row in Provider.asked if row[0] == device.name]:
        yield "the provider was not asked for keys before"
    if server.client.list_objects_v2(Bucket=BUCKET)["KeyCount"] != 1:
        yield "something was put without random bytes"


# name -> (test, its server, defines of the image, whether it trusts the server)
TESTS = {"faults": (faults, Own, [], True), "ceph": (ceph, Ceph, [], True),
         "upload": (upload, Own, [], True), "download": (download, Own, [], True),
         "bounded": (bounded, Joined, [], True),
         "hang": (hang, Own, ["-DBOARD_WATCHDOG_SECONDS=10"], True),
         "stranger": (stranger, Own, [], False),
         "no-random": (no_random, Own, ["-DBOARD_RANDOM_FAILS=1"], True),
         "no-port": (no_random, Own, ["-DBOARD_RANDOM_FAILS=5"], True),
         "random-ends": (random_ends, Own, ["-DBOARD_RANDOM_FAILS=9"], True)}


def readme(figures):
    """What README.md says of the images that isn't so: by more than 1 KB, or 200 bytes of stack."""
    def most(what, bounded=False):
        return max(figure[what] for name, figure in figures.items()
                   if what in figure and (name == "bounded") == bounded)

    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        text = " ".join(file.read().split())
    memory = "of it the client's memory"
    for words, slack, *values in (
            (r"It takes (\d+) KB of flash, (\d+) KB of static RAM \((\d+) KB of it the client's memory", 1024,
             most("flash"), most("static RAM"), most(memory)),
            (r"at most (\d+\.\d) KB of stack", 200, max(most("stack"), most("stack", True))),
            (r"the client has (\d+) KB and the image (\d+) KB of static RAM", 1024, most(memory, True),
             most("static RAM", True))):
        said = re.search(words, text)
        if not said or any(abs(float(kilobytes) * 1024 - value) > slack
                           for kilobytes, value in zip(said.groups(), values)):
            yield "README.md says '%s' of %s" % (said and said[0], values)


def perform(name):
    """A test with a server and a device of its own: (what it says, what is wrong)."""
    test, kind, defines, trusts = TESTS[name]
    begin = time.monotonic()
    try:
        server = kind(name)
    except NotRun as why:
        text = "%s: NOT RUN: %s" % (name, why)
        return [text], [text] if os.environ.get("CI") == "true" else []
    try:
        device = Device(name, server, server.ca if trusts else os.path.join(PLACE, "ca.pem"), defines)
        wrong = list(test(server, device))
        if device.figures.get("stack", 0) > STACK:
            wrong.append("the stack was %d bytes deep" % device.figures["stack"])
        FIGURES[name] = device.figures
        device.say(", ".join("%s %d" % pair for pair in device.figures.items()) + "; %d s" % (
            time.monotonic() - begin))
        return device.out, [name + ": " + text for text in wrong]
    finally:
        server.stop()


def main():
    names = sys.argv[1:] or list(TESTS)
    os.makedirs(PLACE, exist_ok=True)
    make_certificates()
    Device.provider = start_provider()
    Device.shared = build_shared()
    wrong, notes = [], []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() + 1) as pool:
        for out, found in pool.map(perform, names):
            print("\n".join(out), flush=True)
            notes += [line for line in out if "NOT RUN" in line]
            wrong += found
    if names == list(TESTS):
        wrong += readme(FIGURES)
    for line in notes + ["WRONG: " + line for line in wrong]:
        print("firmware.py: " + line)
    if not wrong:
        print("firmware.py: the servers' objects are what the images say, the flash is what the "
              "servers have")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
