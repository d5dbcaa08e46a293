#!/bin/bash
# Starts OpenStack Swift 2.35 with s3api and tempauth on loopback: the strictest of the servers.
# The program is Debian trixie's, unpacked in DIR and run by Debian 12's python3 and libraries.
#
#   swift.sh DIR       starts it, or finds it running; everything it writes is below DIR
#   stop.sh [-x] DIR   stops it
#
# Prints, as its last line,
#   ready http=PORT https=PORT ca=PATH region=us-east-1 key=test:tester secret=testing
# Objects are files in DIR/dev and stay over a restart; DIR needs a file system with user xattrs.
#
# Environment: SWIFT_PORT (8090), SWIFT_HTTPS_PORT (8493), SWIFT_BASE_PORT (6210: this and the next
# three are for the storage servers and memcached), SWIFT_SUITE (trixie), DEB_MIRROR (apt's own).
# A second user is test2:tester2 / testing2.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=common.sh disable=SC1091
. "$here/common.sh"

http=${SWIFT_PORT:-8090}
https=${SWIFT_HTTPS_PORT:-8493}
object_port=${SWIFT_BASE_PORT:-6210}
container_port=$((object_port + 1))
account_port=$((object_port + 2))
memcached_port=$((object_port + 3))
suite=${SWIFT_SUITE:-trixie}
region=us-east-1
# Not whatever python3 is first in PATH: the packages below belong to the system's own.
python=/usr/bin/python3

install_libraries() {
    apt_install python3 python3-cryptography python3-dnspython python3-eventlet python3-greenlet \
        python3-openssl python3-oslo.config python3-oslo.log python3-pastedeploy \
        python3-pyeclib python3-xattr python3-lxml python3-requests \
        memcached openssl curl ca-certificates
}

# Single packages of another suite, with apt's signature checks but lists and cache of our own.
unpack_swift() {
    local mirror package apt
    if [ -d py ]; then
        return
    fi
    mirror=$(debian_mirror)
    say "fetching Swift from $suite"
    rm -rf fetch
    mkdir -p fetch/lists/partial fetch/cache/archives/partial fetch/tree
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" \
        >fetch/sources.list
    apt=(apt-get -qq -o Acquire::Retries=3
        -o "Acquire::Check-Valid-Until=false"
        -o "APT::Sandbox::User=$(id -un)"
        -o "Dir::Etc::sourcelist=$DIR/fetch/sources.list"
        -o "Dir::Etc::sourceparts=/nonexistent"
        -o "Dir::State::lists=$DIR/fetch/lists"
        -o "Dir::State::status=/dev/null"
        -o "Dir::Cache=$DIR/fetch/cache")
    "${apt[@]}" update >&2 || die "apt cannot read $suite"
    # Debian 12's libisal lacks the functions for crc32c and crc64nvme.
    (cd fetch && "${apt[@]}" download python3-swift libisal2 >&2) ||
        die "apt cannot fetch Swift from $suite"
    for package in fetch/*.deb; do
        dpkg-deb -x "$package" fetch/tree
    done
    mv fetch/tree/usr/lib/*/libisal.so.2* .
    # Last: py says that the rest is there.
    mv fetch/tree/usr/lib/python3/dist-packages py
    rm -rf fetch
}

# Runs a module of Swift: run.py DIR MODULE ARGUMENT...
write_runner() {
    cat >run.py <<'END'
import ctypes.util
import importlib
import os
import sys

directory = sys.argv[1]
module = sys.argv[2]
del sys.argv[1:3]

# Nothing here has to survive a power cut, so nothing waits for the disk.
os.fsync = lambda fd: None
os.fdatasync = lambda fd: None

# The newer libisal that lies beside, not the system's.
find_system_library = ctypes.util.find_library
ctypes.util.find_library = lambda name: (
    directory + '/libisal.so.2' if name == 'isal' else find_system_library(name))

# Swift's own place for this file is /etc.
import swift.common.utils
swift.common.utils.SWIFT_CONF_FILE = directory + '/conf/swift.conf'
import swift.common.storage_policy
swift.common.storage_policy.reload_storage_policies()

sys.exit(importlib.import_module(module).main())
END
}

write_cluster_config() {
    cat >conf/swift.conf <<END
[swift-hash]
swift_hash_path_prefix = a
swift_hash_path_suffix = b

[storage-policy:0]
name = gold
default = yes

[swift-constraints]
# S3's 5 GiB, and two bytes as in Swift's own default.
max_file_size = 5368709122
END
}

# write_storage_config NAME PORT
write_storage_config() {
    cat >"conf/$1.conf" <<END
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $2
swift_dir = $DIR/conf
devices = $DIR/dev
mount_check = false
fallocate_reserve = 0
workers = 0
user = $(id -un)
log_level = WARNING
# The updater that repeats a failed update of a listing does not run here, so on a busy machine
# the default of one second would lose keys from listings for good.
container_update_timeout = 60
conn_timeout = 10
node_timeout = 60
# A few KiB at a time, as by default, costs Python most of the time of a large object.
disk_chunk_size = 1048576
network_chunk_size = 1048576

[pipeline:main]
pipeline = $1-server

[app:$1-server]
use = egg:swift#$1
END
}

# write_proxy_config FILE PORT, with further lines for [DEFAULT] on standard input
write_proxy_config() {
    cat >"$1" <<END
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $2
swift_dir = $DIR/conf
workers = 0
user = $(id -un)
log_level = WARNING
$(cat)

[pipeline:main]
pipeline =
    catch_errors gatekeeper healthcheck cache listing_formats bulk s3api tempauth
    copy slo dlo versioned_writes symlink proxy-server

[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
conn_timeout = 10
node_timeout = 60
recoverable_node_timeout = 60
object_chunk_size = 1048576
client_chunk_size = 1048576

[filter:catch_errors]
use = egg:swift#catch_errors

[filter:gatekeeper]
use = egg:swift#gatekeeper

[filter:healthcheck]
use = egg:swift#healthcheck

[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:$memcached_port

[filter:listing_formats]
use = egg:swift#listing_formats

[filter:bulk]
use = egg:swift#bulk

[filter:s3api]
use = egg:swift#s3api
location = $region
storage_domain = aws.localhost,localhost

[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
user_test2_tester2 = testing2 .admin

[filter:copy]
use = egg:swift#copy

[filter:slo]
use = egg:swift#slo

[filter:dlo]
use = egg:swift#dlo

[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_object_versioning = true

[filter:symlink]
use = egg:swift#symlink
END
}

write_config() {
    write_cluster_config
    write_storage_config object "$object_port"
    write_storage_config container "$container_port"
    write_storage_config account "$account_port"
    write_proxy_config conf/proxy.conf "$http" </dev/null
    write_proxy_config conf/https.conf "$https" <<END
cert_file = $DIR/cert.pem
key_file = $DIR/key.pem
END
}

# The rings say where each of the three storage servers is: one device, one copy.  Made anew at each
# start, since ports may change; where the objects lie does not depend on them.
make_rings() {
    cat >rings.py <<'END'
import sys
from swift.common.ring import RingBuilder

for argument in sys.argv[2:]:
    name, port = argument.split(':')
    builder = RingBuilder(2, 1, 0)
    builder.add_dev({
        'region': 1, 'zone': 1, 'device': 'd1', 'weight': 1, 'meta': '',
        'ip': '127.0.0.1', 'port': int(port),
        'replication_ip': '127.0.0.1', 'replication_port': int(port)})
    builder.rebalance()
    builder.get_ring().save('%s/%s.ring.gz' % (sys.argv[1], name))
END
    "$python" rings.py conf "object:$object_port" "container:$container_port" \
        "account:$account_port" >rings.log 2>&1 </dev/null 8>&- ||
        die "the rings failed: $(tail -n 3 rings.log)"
}

start_daemons() {
    local run=("$python" "$DIR/run.py" "$DIR")
    run_daemon memcached memcached -u "$(id -un)" -l 127.0.0.1 -p "$memcached_port" -U 0 -m 64
    run_daemon account-server "${run[@]}" swift.account.server conf/account.conf -v
    run_daemon container-server "${run[@]}" swift.container.server conf/container.conf -v
    run_daemon object-server "${run[@]}" swift.obj.server conf/object.conf -v
    run_daemon proxy-server "${run[@]}" swift.proxy.server conf/proxy.conf -v
    run_daemon https "${run[@]}" swift.proxy.server conf/https.conf -v
}

healthy() {
    curl -sf -o /dev/null --noproxy '*' --max-time 20 --cacert ca.pem "$1/healthcheck"
}

# /healthcheck answers before the storage servers listen, so ask for a real listing as well.
lists() {
    local token
    token=$(curl -s -D - -o /dev/null --noproxy '*' --max-time 60 \
        -H 'X-Storage-User: test:tester' -H 'X-Storage-Pass: testing' \
        "http://127.0.0.1:$http/auth/v1.0" |
        tr -d '\r' | sed -n 's/^X-Auth-Token: *//Ip') || return 1
    [ -n "$token" ] || return 1
    curl -sf -o /dev/null --noproxy '*' --max-time 60 -H "X-Auth-Token: $token" \
        "http://127.0.0.1:$http/v1/AUTH_test"
}

# wait_for WHAT COMMAND...: with the daemons' last words when it fails, for the limit is generous.
wait_for() {
    local what=$1
    shift
    if ! wait_until 3000 "$@"; then
        tail -n 5 ./*.log >&2
        die "$what does not answer"
    fi
}

main() {
    if [ $# != 1 ]; then
        die "usage: swift.sh DIR"
    fi
    use_directory "$1"
    finish_if_running memcached account-server container-server object-server proxy-server https
    install_libraries
    end_daemons
    need_free_port "$http" "$https" "$object_port" "$container_port" "$account_port" \
        "$memcached_port"
    mkdir -p conf dev/d1
    "$python" -c 'import os; os.setxattr("dev/d1", "user.test", b"1")' 2>/dev/null ||
        die "the file system of $DIR has no user xattrs"
    unpack_swift
    write_runner
    make_certificates
    write_config
    export PYTHONPATH=$DIR/py
    export PYTHONWARNINGS=ignore
    make_rings
    trap 'if [ $? != 0 ]; then end_daemons; fi' EXIT
    start_daemons
    wait_for "the http port" healthy "http://127.0.0.1:$http"
    wait_for "the https port" healthy "https://127.0.0.1:$https"
    wait_for "the listing" lists
    finish_ready "$http" "$https" "$region" test:tester testing
}

main "$@"
