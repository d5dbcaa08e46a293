# shellcheck shell=bash
# What the test scripts of this folder share. Sourced, never run; the working directory is the
# project's.

# free_ports COUNT: prints so many ports in a row that nobody uses, below the ephemeral range, from
# which a server's own outgoing connections would take one before it listens there.
free_ports() {
    python3 - "$1" <<'END'
import random, socket, sys
while True:
    first = random.randrange(20000, 32000)
    ports = range(first, first + int(sys.argv[1]))
    try:
        sockets = [socket.create_server(("127.0.0.1", port)) for port in ports]
        break
    except OSError:
        continue
print(*ports)
END
}

# shellcheck disable=SC2034 # HTTP and the others are for the caller
# start_server NAME DIR: own is tests/s3_server.py, others are tests/servers/NAME.sh; on free ports
# of loopback. Sets HTTP, HTTPS, CA, REGION, KEY and SECRET.
start_server() {
    local ports line word
    server_name=$1
    server_dir=$2
    server_pid=
    mkdir -p "$server_dir"
    KEY=AKIAIOSFODNN7EXAMPLE SECRET=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY REGION=us-east-1
    if [ "$server_name" = own ]; then
        python3 tests/s3_server.py --dir "$server_dir" --parent $$ >"$server_dir/ready" \
            2>"$server_dir/log" </dev/null &
        server_pid=$!
        for _ in $(seq 300); do
            [ ! -s "$server_dir/ready" ] || break
            kill -0 "$server_pid" 2>/dev/null || break
            sleep 0.1
        done
        line=$(cat "$server_dir/ready")
    else
        read -r -a ports <<<"$(free_ports 6)"
        line=$(RGW_HTTP_PORT=${ports[0]} RGW_HTTPS_PORT=${ports[1]} RGW_MON_PORT=${ports[2]} \
            SWIFT_PORT=${ports[0]} SWIFT_HTTPS_PORT=${ports[1]} SWIFT_BASE_PORT=${ports[2]} \
            "tests/servers/$server_name.sh" "$server_dir" </dev/null | tail -n 1)
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
        AWS_DEFAULT_REGION
    export AWS_ACCESS_KEY_ID=$KEY AWS_SECRET_ACCESS_KEY=$SECRET AWS_REGION=$REGION
    export AWS_ENDPOINT_URL=https://localhost:$HTTPS AWS_CA_BUNDLE=$CA
}
