#!/bin/bash
# Starts moto 5, an imitation of about 150 AWS services (EC2, STS, IAM, SQS, SNS, DynamoDB, Kinesis,
# KMS, SSM, ...), on loopback. It checks no signatures.
#
#   moto.sh DIR        starts it, or finds it running; what it installs is kept in DIR
#   stop.sh [-x] DIR   stops it
#
# Prints, as its last line,
#   ready http=PORT https=PORT ca=PATH region=REGION key=ACCESS_KEY secret=SECRET_KEY
#
# Environment: MOTO_HTTP_PORT (5000), MOTO_HTTPS_PORT (5443), MOTO_SUITE (trixie: Debian 12 has no
# moto, so the package of that suite is unpacked in DIR and run by this system's Python), DEB_MIRROR.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=common.sh disable=SC1091
. "$here/common.sh"

http=${MOTO_HTTP_PORT:-5000}
https=${MOTO_HTTPS_PORT:-5443}
suite=${MOTO_SUITE:-trixie}
key=AKIAIOSFODNN7EXAMPLE
secret=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY

# Two packages of another suite, with apt's signature checks but lists and cache of our own.
unpack_moto() {
    local options
    if [ -d py/moto ]; then
        return
    fi
    rm -rf apt py.new x
    mkdir -p apt/lists/partial apt/cache/archives/partial x py.new
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(debian_mirror) $suite main" >apt/list
    options="-qq -o Acquire::Retries=3 -o Acquire::Check-Valid-Until=false -o Dir::Etc::sourcelist=$DIR/apt/list
        -o Dir::Etc::sourceparts=/nonexistent -o Dir::State::lists=$DIR/apt/lists
        -o Dir::Cache=$DIR/apt/cache -o Dir::State::status=/dev/null -o APT::Sandbox::User=root"
    # shellcheck disable=SC2086
    {
        apt-get $options update && (cd x && apt-get $options download python3-moto python3-antlr4)
    } >unpack.log 2>&1 </dev/null || die "apt: $(tail -n 3 unpack.log)"
    for package in x/*.deb; do
        dpkg-deb -x "$package" x/root
    done
    mv x/root/usr/lib/python3/dist-packages/* py.new/
    mv py.new py
    rm -rf apt x
}

write_program() {
    cat >run.py <<'END'
import sys
import threading

from moto import settings
settings.TEST_SERVER_MODE = True
from moto.iam.models import iam_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, run_simple

http, https, key, secret = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
WSGIRequestHandler.protocol_version = "HTTP/1.1"
iam = iam_backends["123456789012"]["aws"]
iam.create_user(region_name="us-east-1", user_name="test")
pair = iam.create_access_key("test")
del iam.access_keys[pair.access_key_id]
pair.access_key_id, pair.secret_access_key = key, secret
iam.access_keys[key] = pair
app = DomainDispatcherApplication(create_backend_app)


def serve(port, context):
    run_simple("127.0.0.1", port, app, threaded=True, use_reloader=False, ssl_context=context)


threading.Thread(target=serve, args=(https, ("cert.pem", "key.pem")), daemon=True).start()
serve(http, None)
END
}

main() {
    if [ $# != 1 ]; then
        die "usage: moto.sh DIR"
    fi
    use_directory "$1"
    finish_if_running moto
    apt_install python3-boto3 python3-botocore python3-cryptography python3-dateutil python3-flask \
        python3-flask-cors python3-jinja2 python3-requests python3-responses python3-werkzeug \
        python3-xmltodict python3-yaml python3-jose python3-multipart openssl curl ca-certificates
    end_daemons
    need_free_port "$http" "$https"
    unpack_moto
    make_certificates
    write_program
    trap 'if [ $? != 0 ]; then end_daemons; fi' EXIT
    PYTHONPATH=$DIR/py PYTHONWARNINGS=ignore run_daemon moto \
        /usr/bin/python3 "$DIR/run.py" "$http" "$https" "$key" "$secret"
    wait_for_daemon moto "http://127.0.0.1:$http/moto-api/" moto.log
    wait_for_daemon moto "https://127.0.0.1:$https/moto-api/" moto.log
    finish_ready "$http" "$https" us-east-1 "$key" "$secret"
}

main "$@"
