#!/usr/bin/env python3
"""examples/firmware: built for a Cortex-M3, run in QEMU against the embedded server over TLS, with
keys from a provider that wants the device's certificate.

    tests/firmware.py           build, run, show what the image says, compare it with the server's objects

In one run the server loses, cuts, resets and refuses answers. Then the emulator is killed some times
while the image downloads 1 MB into its flash, a file; started again, it must go on where it was.
Exit code 0 only if the last run's is 0, each object is what the image says it sent, the flash holds
what the server has, and images without random bytes or with another CA refuse to talk. The sources
of BearSSL and lwIP come by apt (tests/sizes.py). Everything is made below build/firmware.
"""
import glob
import hashlib
import http.server
import json
import os
import random
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
import urllib.request

import botocore.config
import botocore.session

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import sizes  # noqa: E402

ROOT = sizes.ROOT
PLACE = os.path.join(ROOT, "build", "firmware")
HERE = os.path.join(ROOT, "examples", "firmware")
KEY, SECRET, TOKEN = "ASIAFIRMWARE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "token/" * 40
BUCKET = "fleet"
BUILD_TIME = 1767225600  # 2026-01-01: long before the certificates are valid
SECONDS = 120
# What the server does to one run: answers lost, cut, reset and refused, kept connections closed.
FAULTS = (("PutObject", 0, {"lose_after": True}), ("PutObject", 0, {"close_idle": True}),
          ("PutObject", 0, {"status": 503}), ("PutObject", 0, {"reset": 40}),
          ("ListObjectsV2", 0, {"reset": 300}), ("ListObjectsV2", 0, {"tls_cut": 500}),
          ("GetObject", 0, {"cut": 100}), ("GetObject", 1, {"close_before": True}),
          ("GetObject", 3, {"reset": 30000}), ("GetObject", 2, {"cut": 50000}),
          ("GetObject", 1, {"trickle": [700, 0.001]}), ("GetObject", 3, {"close_idle": True}))
FLASH = os.path.join(PLACE, "flash.bin")
IMAGE_AT = 4096  # in flash, behind the state of the download
SLACK = 65536  # bytes of a part, which are asked for again
# The power is cut when the image says that it has so many bytes: in a part, at its end, at the start.
CUTS = (0, 16384, 65536, 131072, 147456, 180224, 393216, 655360, 1015808, 1048576)
CPU = ["-mthumb", "-mcpu=cortex-m3"]
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wsign-conversion", "-Wshadow",
          "-Wundef", "-Wcast-qual", "-Wstrict-prototypes", "-Werror"]
FORBIDDEN = ("malloc", "calloc", "realloc", "free", "sbrk", "_sbrk", "printf", "vprintf", "sprintf",
             "snprintf", "vsnprintf", "vfprintf")
LWIP = ("core/def.c core/dns.c core/inet_chksum.c core/init.c core/ip.c core/mem.c core/memp.c "
        "core/netif.c core/pbuf.c core/tcp.c core/tcp_in.c core/tcp_out.c core/timeouts.c "
        "core/udp.c core/ipv4/*.c netif/ethernet.c")


def start_server():
    """The embedded server: (process, its words)."""
    server = subprocess.Popen(
        [sys.executable, os.path.join(ROOT, "tests", "s3_server.py"), "--dir", PLACE, "--parent",
         str(os.getpid()), "--key", KEY, "--secret", SECRET, "--token", TOKEN], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    words = dict(word.split("=", 1) for word in server.stdout.readline().split()[1:])
    if "https" not in words:
        sys.exit("firmware.py: the server did not start")
    return server, words


class Provider(http.server.BaseHTTPRequestHandler):
    """Keys for who shows the device's certificate, as AWS IoT Core's provider does."""
    protocol_version = "HTTP/1.1"
    asked = []

    def do_GET(self):
        subject = dict(pair for part in self.connection.getpeercert()["subject"] for pair in part)
        self.asked.append((self.path, self.headers["x-amzn-iot-thingname"], subject["commonName"]))
        body = json.dumps({"credentials": {
            "accessKeyId": KEY, "secretAccessKey": SECRET, "sessionToken": TOKEN,
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


def start_provider():
    """A server that only talks to certificates of the CA: its port."""
    openssl = ["openssl", "req", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    sizes.run(openssl + ["-subj", "/CN=device-7", "-keyout", "device.key", "-out", "device.csr"],
              cwd=PLACE)
    sizes.run(["openssl", "x509", "-req", "-in", "device.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
               "-set_serial", "7", "-days", "2", "-outform", "DER", "-out", "device.der"], cwd=PLACE)
    sizes.run(["openssl", "pkey", "-in", "device.key", "-outform", "DER", "-out", "key.der"],
              cwd=PLACE)
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


def array(name, path):
    with open(os.path.join(PLACE, path), "rb") as file:
        return "static const unsigned char %s[] = {%s};\n" % (name, ",".join(map(str, file.read())))


def write_config(words, provider, trusted):
    anchors = sizes.run([sys.executable, os.path.join(ROOT, "port", "make_roots.py"), "anchors",
                         trusted])
    with open(os.path.join(PLACE, "config.h"), "w", encoding="utf-8") as file:
        file.write('#define CONFIG_ENDPOINT "https://localhost:%s"\n'
                   '#define CONFIG_IOT "https://localhost:%d"\n'
                   '#define CONFIG_ROLE_ALIAS "telemetry"\n#define CONFIG_THING "device-7"\n'
                   '#define CONFIG_BUCKET "%s"\n'
                   '#define CONFIG_BUILD_TIME %d\n#include <bearssl.h>\n%s%s%s'
                   % (words["https"], provider, BUCKET, BUILD_TIME, anchors,
                      array("device_certificate", "device.der"), array("device_key", "key.der")))
    shutil.copy("/usr/include/jsmn.h", PLACE)


def build_bearssl():
    library = os.path.join(PLACE, "bearssl", "libbearssl.a")
    if not os.path.exists(library):
        flags = sizes.SECTIONS + CPU + ["-DBR_USE_UNIX_TIME=0", "-DBR_ARMEL_CORTEXM_GCC=1"]
        sizes.run(["make", "-j2", "lib", "CONF=Unix", "BUILD=" + os.path.dirname(library),
                   "CC=%sgcc --specs=picolibc.specs" % sizes.ARM, "AR=%sar" % sizes.ARM,
                   "CFLAGS=" + " ".join(flags)], cwd=sizes.fetch_bearssl())
    return library


def compile_file(source, target, extra):
    sizes.run([sizes.ARM + "gcc", "--specs=picolibc.specs", "-std=gnu99", "-g"] + sizes.SECTIONS + CPU +
              ["-I" + HERE, "-I" + os.path.join(HERE, "lwip"), "-I" + PLACE, "-I" + ROOT,
               "-isystem", os.path.join(sizes.fetch_lwip(), "src", "include"),
               "-isystem", os.path.join(sizes.fetch_bearssl(), "inc")] + extra +
              ["-c", source, "-o", target])
    return target


def build(defines=()):
    """The image: its path."""
    library = build_bearssl()
    objects = [compile_file(os.path.join(HERE, name), os.path.join(PLACE, name[:-2] + ".o"),
                            STRICT + list(defines))
               for name in ("main.c", "board.c")]
    os.makedirs(os.path.join(PLACE, "lwip"), exist_ok=True)
    newest = max(os.path.getmtime(path) for path in
                 glob.glob(os.path.join(HERE, "lwip", "**", "*.h"), recursive=True))
    for pattern in LWIP.split():
        for source in sorted(glob.glob(os.path.join(sizes.fetch_lwip(), "src", pattern))):
            target = os.path.join(PLACE, "lwip", os.path.basename(source)[:-2] + ".o")
            if not os.path.exists(target) or os.path.getmtime(target) < newest:
                compile_file(source, target, ["-w"])
            objects.append(target)
    image = os.path.join(PLACE, "firmware.elf")
    sizes.run([sizes.ARM + "gcc", "--specs=picolibc.specs", "-nostartfiles"] + CPU +
              ["-Wl,--gc-sections", "-Wl,-Map=" + os.path.join(PLACE, "firmware.map"),
               "-T", os.path.join(HERE, "board.ld")] + objects + [library, "-o", image])
    names = {line.split()[-1] for line in sizes.run([sizes.ARM + "nm", image]).splitlines()}
    found = names.intersection(FORBIDDEN)
    if found:
        sys.exit("firmware.py: the image has " + ", ".join(sorted(found)))
    return image


def emulate(image, cut=None):
    """Run the image, show what it says: (exit code, lines). Kill it when it says `at` so much."""
    command = ["qemu-system-arm", "-M", "lm3s6965evb", "-nic", "user,model=stellaris", "-display",
               "none", "-monitor", "none", "-serial", "stdio", "-semihosting-config",
               "enable=on,target=native", "-icount", "shift=3", "-kernel", image]
    lines = []
    begin = time.monotonic()
    qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True, errors="replace", cwd=PLACE)
    watchdog = threading.Timer(SECONDS, qemu.kill)
    watchdog.start()
    for line in qemu.stdout:
        lines.append(line.rstrip("\r\n"))
        if cut is None:
            print("    " + lines[-1], flush=True)
        elif lines[-1].startswith("at ") and int(lines[-1].split()[1]) >= cut:
            qemu.kill()
    watchdog.cancel()
    if time.monotonic() - begin >= SECONDS:
        lines.append("hung")
    return qemu.wait(), lines


def positions(lines):
    return [int(line.split()[1]) for line in lines if line.startswith("at ")]


def interrupt(image):
    """What is wrong when the power is cut at each of CUTS, once."""
    reached = 0
    for cut in CUTS:
        code, lines = emulate(image, cut)
        at = positions(lines)
        print("    power cut: started at %s, cut at %s" % (at[:1], at[-1:]), flush=True)
        if code != -signal.SIGKILL or not at or "hung" in lines:
            yield "cut at %d: exit code %d, %s" % (cut, code, lines[-3:])
            return
        if at[0] + SLACK < reached:
            yield "cut at %d: it goes on at %d, though it was at %d" % (cut, at[0], reached)
        reached = max(reached, at[-1])


def erase():
    with open(FLASH, "wb") as file:
        file.write(b"\xff" * (IMAGE_AT + (2 << 20)))


def spoil(words, image):
    """What is wrong in a run with FAULTS: each is met once, and the image doesn't mind."""
    admin = "http://127.0.0.1:%s/_test/" % words["http"]
    for operation, skip, action in FAULTS:
        body = json.dumps({"op": operation, "skip": skip, "action": action}).encode()
        urllib.request.urlopen(urllib.request.Request(admin + "fault", body)).close()
    erase()
    code, lines = emulate(image, 1 << 30)
    with urllib.request.urlopen(admin + "stats") as answer:
        left = json.load(answer)["faults"]
    print("    %d faults: exit code %d, %s" % (len(FAULTS), code, lines[-1:]), flush=True)
    if code or "done" not in lines:
        yield "with faults the image's exit code is %d: %s" % (code, lines[-3:])
    if left:
        yield "faults that were not met: %s" % left


def refuse(image, text):
    """What is wrong with an image that has to fail, saying text."""
    code, lines = emulate(image, 1 << 30)
    said = [line for line in lines if line.startswith("FAILED")]
    print("    %s" % said, flush=True)
    if code != 1 or len(said) != 1 or text not in said[0]:
        yield "exit code %d, it does not say '%s': %s" % (code, text, lines[-3:])


def compare(client, lines):
    """What is wrong with the server's objects, by what the image says."""
    sent = dict(line.split(" ", 2)[1:] for line in lines if line.startswith("put "))
    stored = {item["Key"]: client.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read().decode()
              for item in client.list_objects_v2(Bucket=BUCKET, Prefix="telemetry/").get("Contents", [])}
    if not sent:
        yield "the image has sent nothing"
    for key in sorted(sent.keys() | stored.keys()):
        if sent.get(key) != stored.get(key):
            yield "%s: the image says %r, the server has %r" % (key, sent.get(key), stored.get(key))
        listed = [line.split()[2] for line in lines if line.startswith("listed %s " % key)]
        if listed != [str(len(stored.get(key, "")))]:
            yield "%s: the image lists %s" % (key, listed)
        if "same " + key not in lines:
            yield key + ": the image has not read it back"


def main():
    os.makedirs(PLACE, exist_ok=True)
    server, words = start_server()
    try:
        provider = start_provider()
        write_config(words, provider, words["ca"])
        image = build()
        client = botocore.session.get_session().create_client(
            "s3", region_name="us-east-1", endpoint_url="http://127.0.0.1:" + words["http"],
            aws_access_key_id=KEY, aws_secret_access_key=SECRET,
            aws_session_token=TOKEN,
            config=botocore.config.Config(s3={"addressing_style": "path"}))
        client.create_bucket(Bucket=BUCKET)
        update = random.Random(1).randbytes((1 << 20) + 777)
        client.put_object(Bucket=BUCKET, Key="update.bin", Body=update,
                          Metadata={"sha256": hashlib.sha256(update).hexdigest()})
        wrong = list(spoil(words, image))
        erase()
        wrong += interrupt(image)
        code, lines = emulate(image)
        if code:
            wrong.append("the image's exit code is %d" % code)
        wrong += compare(client, lines)
        if set(Provider.asked) != {("/role-aliases/telemetry/credentials", "device-7", "device-7")}:
            wrong.append("the provider was asked %s" % Provider.asked)
        if (positions(lines) or [0])[0] < (1 << 20) - SLACK:
            wrong.append("the last run did not go on where the one before was")
        with open(FLASH, "rb") as file:
            if file.read()[IMAGE_AT:IMAGE_AT + len(update) + 1] != update + b"\xff":
                wrong.append("the flash does not hold the update")
        wrong += refuse(build(["-DBOARD_RANDOM_FAILS=1"]), "could not be asked for keys")
        sizes.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj",
                   "/CN=stranger", "-keyout", "stranger.key", "-out", "stranger.pem"], cwd=PLACE)
        write_config(words, provider, os.path.join(PLACE, "stranger.pem"))
        wrong += refuse(build(), "error 62)")  # BearSSL: not trusted
    finally:
        server.terminate()
        server.wait()
    for line in wrong:
        print("firmware.py: WRONG: " + line)
    if not wrong:
        print("firmware.py: the server's objects are what the image says, the flash is what the server has")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
