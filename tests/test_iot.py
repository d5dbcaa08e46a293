#!/usr/bin/env python3
"""test_iot.py - examples/iot_credentials.c against a server that demands client certificates.

SPDX-License-Identifier: MIT

The server is Python's ssl, so OpenSSL checks what BearSSL signs: EC and RSA keys, PKCS#8 and older
forms, PEM and DER, a chain of two. A certificate of somebody else, or none, gets no keys.
"""
import http.server
import json
import os
import ssl
import subprocess
import sys
import tempfile
import threading

PROGRAM = "build/sanitized/iot_credentials"
seen = []


class Iot(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        name = dict(pair for part in self.connection.getpeercert()["subject"] for pair in part)
        seen.append((self.path, self.headers.get("x-amzn-iot-thingname"), name["commonName"],
                     "authorization" in self.headers))
        body = json.dumps({"credentials": {"accessKeyId": "ASIAIOT", "secretAccessKey": "s/+",
                                           "sessionToken": "t" * 900,
                                           "expiration": "2099-01-01T00:00:00Z"}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class S3(Iot):
    def do_PUT(self):
        self.rfile.read(int(self.headers["content-length"]))
        seen.append((self.path, self.headers["authorization"].split("/")[0],
                     len(self.headers["x-amz-security-token"])))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def authority(name):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
            "2", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")


def leaf(name, by, kind, ca=False):
    key = ["-newkey", "rsa:2048"] if kind == "rsa" else ["-newkey", "ec", "-pkeyopt", f"ec_paramgen_curve:{kind}"]
    openssl("req", *key, "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
    with open("ext", "w") as file:
        file.write("subjectAltName=DNS:localhost\n" + ("basicConstraints=CA:TRUE\n" if ca else ""))
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{by}.pem", "-CAkey", f"{by}.key",
            "-CAcreateserial", "-days", "2", "-extfile", "ext", "-out", f"{name}.pem")


def serve(handler, context=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def main():
    os.makedirs("build/sanitized", exist_ok=True)
    compiler = os.environ.get("CC", "gcc -fsanitize=address,undefined -fno-sanitize-recover=all")
    subprocess.run([*compiler.split(), "-std=c99", "-g", "-I.", "examples/iot_credentials.c", "-o", PROGRAM,
                    "-lbearssl"], check=True)
    program, wrong = os.path.abspath(PROGRAM), 0
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        authority("root")
        authority("stranger")
        leaf("server", "root", "P-256")
        leaf("ec", "root", "P-256")
        leaf("rsa", "root", "rsa")
        leaf("middle", "root", "P-256", ca=True)
        leaf("below", "middle", "rsa")
        leaf("other", "stranger", "P-256")
        openssl("ec", "-in", "ec.key", "-out", "ec-old.key")
        openssl("ec", "-in", "ec.key", "-outform", "DER", "-out", "ec.der")
        openssl("rsa", "-in", "rsa.key", "-traditional", "-out", "rsa-old.key")
        openssl("pkcs8", "-topk8", "-nocrypt", "-in", "rsa.key", "-outform", "DER", "-out", "rsa.der")
        openssl("x509", "-in", "ec.pem", "-outform", "DER", "-out", "ec-cert.der")
        openssl("pkcs8", "-topk8", "-passout", "pass:x", "-in", "ec.key", "-out", "locked.key")
        with open("chain.pem", "w") as file:
            file.write(open("below.pem").read() + open("middle.pem").read())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain("server.pem", "server.key")
        context.load_verify_locations("root.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        iot, s3 = serve(Iot, context), serve(S3)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environment.update(AWS_REGION="eu-west-1", AWS_ENDPOINT_URL=f"http://127.0.0.1:{s3}",
                           AWS_CA_BUNDLE="root.pem")
        for certificate, key, name in (("ec.pem", "ec.key", "ec"), ("ec.pem", "ec-old.key", "ec"),
                                       ("ec-cert.der", "ec.der", "ec"), ("rsa.pem", "rsa.key", "rsa"),
                                       ("rsa.pem", "rsa-old.key", "rsa"), ("rsa.pem", "rsa.der", "rsa"),
                                       ("chain.pem", "below.key", "below"), ("other.pem", "other.key", None),
                                       ("ec.pem", "rsa.key", None), ("ec.pem", "locked.key", None),
                                       ("ec.pem", "ec.pem", None), ("ec.key", "ec.key", None)):
            del seen[:]
            done = subprocess.run([program, f"https://localhost:{iot}", "my alias", "thing-1", certificate,
                                   key, "bucket", "k"], env=environment, capture_output=True, text=True,
                                  timeout=600)
            want = [("/role-aliases/my%20alias/credentials", "thing-1", name, False),
                    ("/bucket/k", "AWS4-HMAC-SHA256 Credential=ASIAIOT", 900)] if name else []
            if seen != want or (done.returncode == 0) != (name is not None) or "Sanitizer" in done.stderr:
                wrong += 1
                print(f"{certificate} {key}: {seen}, exit {done.returncode}\n{done.stderr}")
            elif done.stderr and "TLS" not in done.stderr and "key:" not in done.stderr \
                    and "could not be asked" not in done.stderr:
                wrong += 1
                print(f"{certificate} {key}: {done.stderr}")
        os.chdir("/")
    print(f"test_iot: 12 certificates and keys, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
