# shellcheck shell=bash
# What the test scripts of this folder share. Sourced, never run; the working directory is the
# project's.

# free_ports: 8 ports in a row that nobody uses, in the array ports. Below the ephemeral range, from
# which a server's own outgoing connections would take one before it listens there; ours as long as
# this shell lives: server_suite.py takes them in the same way, and both may run at a time.
free_ports() {
    local first lock folder port taken
    folder=${TMPDIR:-/tmp}/aws-test-ports-$UID
    mkdir -p "$folder"
    while :; do
        first=$((20000 + RANDOM % 1500 * 8)) taken=
        exec {lock}>"$folder/$first"
        flock -n "$lock" || taken=1
        mapfile -t ports < <(seq "$first" $((first + 7)))
        for port in "${ports[@]}"; do
            ! (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || taken=1
        done
        [ -n "$taken" ] || return 0
        exec {lock}>&-
    done
}

# server_words: the last ones in the logs of the server that start_server started, for a test that fails.
server_words() {
    local log
    for log in "$server_dir"/log "$server_dir"/*.log; do
        case $log in
            *install.log | *openssl.log | *unpack.log | *rings.log | *debootstrap.log | *cluster.log) continue ;;
        esac
        if [ -s "$log" ]; then
            echo "    the end of ${log##*/}:"
            tail -n 6 "$log" | cut -c1-200 | sed 's/^/    | /'
        fi
    done
}

# shellcheck disable=SC2034 # HTTP and the others are for the caller
# start_server NAME DIR: own is tests/s3_server.py, others are tests/servers/NAME.sh; on free ports
# of loopback. Sets HTTP, HTTPS, CA, REGION, KEY and SECRET.
start_server() {
    local ports line word tries
    server_name=$1
    server_dir=$2
    server_pid=
    mkdir -p "$server_dir"
    KEY=AKIAIOSFODNN7EXAMPLE SECRET=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY REGION=us-east-1
    if [ "$server_name" = own ]; then
        python3 tests/s3_server.py --dir "$server_dir" --parent $$ >"$server_dir/ready" \
            2>"$server_dir/log" </dev/null &
        server_pid=$!
        for _ in $(seq 1200); do
            [ ! -s "$server_dir/ready" ] || break
            kill -0 "$server_pid" 2>/dev/null || break
            sleep 0.1
        done
        line=$(cat "$server_dir/ready")
    else
        # A mirror may fail for a moment, and ports may be taken all the same: three times.
        for tries in 1 2 3; do
            free_ports
            line=$(RGW_HTTP_PORT=${ports[0]} RGW_HTTPS_PORT=${ports[1]} RGW_MON_PORT=${ports[2]} \
                SWIFT_PORT=${ports[0]} SWIFT_HTTPS_PORT=${ports[1]} SWIFT_BASE_PORT=${ports[2]} \
                "tests/servers/$server_name.sh" "$server_dir" </dev/null | tail -n 1) || line=
            [ "${line%% *}" != ready ] || break
            sleep $((20 * tries))
        done
    fi
    if [ "${line%% *}" != ready ]; then
        echo "${0##*/}: the server '$server_name' did not start: $line" >&2
        [ ! -e "$server_dir/log" ] || tail -n 5 "$server_dir/log" >&2
        return 1
    fi
    for word in $line; do
        case $word in
            http=*) HTTP=${word#*=} ;;
            https=*) HTTPS=${word#*=} ;;
            ca=*) CA=${word#*=} ;;
            region=*) REGION=${word#*=} ;;
            key=*) KEY=${word#*=} ;;
            secret=*) SECRET=${word#*=} ;;
        esac
    done
}

# stop_server: the one that start_server started, if any; its directory goes too.
stop_server() {
    if [ "${server_name:-own}" != own ]; then
        tests/servers/stop.sh -x "$server_dir"
    elif [ -n "${server_pid:-}" ]; then
        kill "$server_pid" 2>/dev/null || :
        wait "$server_pid" 2>/dev/null || :
        rm -rf "$server_dir"
    fi
    server_name=own server_pid=
}

# use_server: the environment with which programs find that server, over https.
use_server() {
    unset AWS_SESSION_TOKEN AWS_SECURITY_TOKEN AWS_ENDPOINT_URL_S3 AWS_MAX_ATTEMPTS \
        AWS_DEFAULT_REGION http_proxy https_proxy HTTP_PROXY HTTPS_PROXY
    export AWS_ACCESS_KEY_ID=$KEY AWS_SECRET_ACCESS_KEY=$SECRET AWS_REGION=$REGION
    export AWS_ENDPOINT_URL=https://localhost:$HTTPS AWS_CA_BUNDLE=$CA
}
