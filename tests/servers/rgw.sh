#!/bin/bash
# Starts a Ceph RADOS Gateway (S3, STS, IAM, SNS) with a monitor and one in-memory OSD, on loopback.
#
#   rgw.sh DIR         starts it, or finds it running; everything it writes is below DIR
#   stop.sh [-x] DIR   stops it
#
# Prints, as its last line,
#   ready http=PORT https=PORT ca=PATH region=REGION key=ACCESS_KEY secret=SECRET_KEY
# Nothing is kept over a restart.  Objects of up to 6 GiB, about 11 GiB in all.
#
# Environment: RGW_HTTP_PORT (8000), RGW_HTTPS_PORT (8443), RGW_MON_PORT (6789), RGW_REGION,
# RGW_DOMAIN (aws.localhost: bucket.aws.localhost is the virtual host; *.localhost works too),
# RGW_ACCESS_KEY, RGW_SECRET_KEY, RGW_MEMORY (bytes).  OSDs pick ports from 6800 up by themselves.
# A second user is AKIAI44QH8DHBEXAMPLE / je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=common.sh disable=SC1091
. "$here/common.sh"

http=${RGW_HTTP_PORT:-8000}
https=${RGW_HTTPS_PORT:-8443}
mon=${RGW_MON_PORT:-6789}
region=${RGW_REGION:-us-east-1}
domain=${RGW_DOMAIN:-aws.localhost}
key=${RGW_ACCESS_KEY:-AKIAIOSFODNN7EXAMPLE}
secret=${RGW_SECRET_KEY:-wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY}
other_key=AKIAI44QH8DHBEXAMPLE
other_secret=je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY
# Only a limit: memory is taken as objects come.  The OSD refuses writes at 95 % of it.
memory=${RGW_MEMORY:-12884901888}

write_config() {
    local classes frontend testkeys
    classes=$(echo /usr/lib/*/rados-classes)
    # Without tcp_nodelay a GET on a kept connection takes 43 ms.
    frontend="beast tcp_nodelay=1 endpoint=127.0.0.1:$http ssl_endpoint=127.0.0.1:$https"
    frontend="$frontend ssl_certificate=$DIR/cert.pem ssl_private_key=$DIR/key.pem"
    testkeys="testkey-1=YmluCmJvb3N0CmJvb3N0LWJ1aWxkCmNlcGguY29uZgo="
    testkeys="$testkeys testkey-2=aWIKTWFrZWZpbGUKbWFuCm91dApzcmMKVGVzdGluZwo="
    cat >ceph.conf <<END
[global]
fsid = $cluster
mon_host = v2:127.0.0.1:$mon
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_msgr1 = false
ms_mon_client_mode = crc
ms_mon_service_mode = crc
ms_mon_cluster_mode = crc
run_dir = $DIR/run
admin_socket = $DIR/run/\$name.asok
log_file = $DIR/\$name.log
log_to_stderr = false
err_to_stderr = true
mon_cluster_log_file = $DIR/cluster.log
crash_dir = $DIR/run
# One OSD: one copy, one placement group per pool, no rebalancing.
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pgp_num = 1
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 1000

[mon]
mon_data = $DIR/mon
mon_data_avail_crit = 1
mon_data_avail_warn = 2
# The defaults wait a second or two for each change, and a start makes many.
paxos_propose_interval = 0.02
paxos_min_wait = 0.01
mon_tick_interval = 1

[osd]
osd_data = $DIR/osd
osd_objectstore = memstore
memstore_device_bytes = $memory
osd_class_dir = $classes
osd_class_load_list = *
osd_class_default_list = *

[client.rgw]
rgw_data = $DIR/rgw
rgw_frontends = $frontend
rgw_dns_name = $domain
rgw_rados_pool_pg_num_min = 1
rgw_enable_static_website = true
rgw_enable_usage_log = false
rgw_enable_ops_log = false
rgw_thread_pool_size = 64
# An aws-chunked body is longer than its object of 5 GiB, and both must pass.
rgw_max_put_size = 6442450944
# Ceph 16 holds the first write to each 4 MiB piece twice: a chunk of 1 MiB instead of 4 saves
# three quarters of that.
rgw_max_chunk_size = 1048576
# Deleted objects stay for two hours by default, and they are memory here.
rgw_gc_obj_min_wait = 10
rgw_gc_processor_period = 10
rgw_gc_processor_max_time = 10
# Resharding stops writes to a bucket that grows, in the middle of a test.
rgw_dynamic_resharding = false
# Without an order "local, sts", every bad signature becomes AccessDenied.
rgw_s3_auth_use_sts = true
rgw_s3_auth_order = local, sts
rgw_sts_key = abcdefghijklmnop
# Customer keys and KMS keys over plain http too.
rgw_crypt_require_ssl = false
rgw_crypt_s3_kms_backend = testing
rgw_crypt_s3_kms_encryption_keys = $testkeys
# A lifecycle day lasts ten seconds.
rgw_lc_debug_interval = 10
END
}

# The time limits are for a cluster that never comes up: Ceph's programs would wait forever.
admin() {
    timeout 300 radosgw-admin -n client.rgw --admin-socket= "$@"
}

# step NAME COMMAND...: what the command says is shown only when it fails.  A daemon must not keep
# the caller's output, or a caller that reads it would wait forever; nor the directory's lock.
step() {
    local name=$1
    shift
    "$@" >>start.log 2>&1 </dev/null 8>&- || die "$name failed: $(tail -n 3 start.log)"
}

start_storage() {
    local osd
    step "making the monitor" monmaptool --create --clobber --fsid "$cluster" \
        --addv a "v2:127.0.0.1:$mon" monmap
    step "making the monitor's data" ceph-mon --mkfs -i a --monmap monmap
    step "starting the monitor" ceph-mon -i a --pid-file "$DIR/mon.pid"
    osd=$(cat /proc/sys/kernel/random/uuid)
    step "registering the OSD" timeout 300 ceph osd new "$osd" 0
    step "making the OSD's data" ceph-osd -i 0 --mkfs --osd-uuid "$osd"
    step "starting the OSD" ceph-osd -i 0 --pid-file "$DIR/osd.pid"
}

make_users() {
    step "making the first user" admin user create --uid=test --display-name=test \
        --access-key="$key" --secret-key="$secret" \
        --caps="roles=*;user-policy=*;users=*;buckets=*"
    step "making the second user" admin user create --uid=alt --display-name=alt \
        --access-key="$other_key" --secret-key="$other_secret"
    # From Ceph 19 on: an account with a root user, for IAM's CreateUser and CreateAccessKey.
    # Older releases do not know it.
    if admin account create --account-name=acct --account-id=RGW11111111111111111 \
        >>start.log 2>&1 </dev/null 8>&-; then
        step "making the account's root user" admin user create --uid=acctroot \
            --display-name=acctroot --account-id=RGW11111111111111111 --account-root \
            --access-key=AKIAACCOUNTROOT00001 \
            --secret-key=accountrootsecretaccountrootsecret000001
    fi
}

# The region's name for LocationConstraint, and a second domain of virtual hosts.  Domains are tried
# in sorted order, so aws.localhost wins over localhost.
name_region() {
    admin zonegroup get 2>>start.log 8>&- |
        sed -e 's/"api_name": *"[^"]*"/"api_name": "'"$region"'"/' \
            -e 's/"hostnames": *\[\]/"hostnames": ["localhost"]/' >zonegroup.json ||
        die "reading the zone group failed: $(tail -n 3 start.log)"
    step "naming the region" admin zonegroup set --infile zonegroup.json
}

start_gateway() {
    step "starting the gateway" radosgw -n client.rgw --pid-file "$DIR/rgw.pid"
    wait_for_daemon rgw "http://127.0.0.1:$http/" client.rgw.log
    wait_for_daemon rgw "https://127.0.0.1:$https/" client.rgw.log
}

main() {
    if [ $# != 1 ]; then
        die "usage: rgw.sh DIR"
    fi
    use_directory "$1"
    finish_if_running rgw osd mon
    apt_install ceph-mon ceph-osd radosgw openssl curl ca-certificates
    end_daemons
    need_free_port "$http" "$https" "$mon"
    # memstore keeps nothing over a restart, so a monitor that remembers would be wrong.
    rm -rf mon osd rgw run ./*.log
    mkdir mon osd rgw run
    cluster=$(cat /proc/sys/kernel/random/uuid)
    make_certificates
    write_config
    export CEPH_CONF=$DIR/ceph.conf
    trap 'if [ $? != 0 ]; then end_daemons; fi' EXIT
    start_storage
    make_users
    name_region
    start_gateway
    finish_ready "$http" "$https" "$region" "$key" "$secret"
}

main "$@"
