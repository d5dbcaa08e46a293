#!/bin/bash
# Starts dynalite 4, an imitation of DynamoDB for node, on loopback. It checks no signatures.
#
#   dynalite.sh DIR    starts it, or finds it running; what npm installs is kept in DIR
#   stop.sh [-x] DIR   stops it
#
# Prints, as its last line,
#   ready http=PORT https=0 ca= region=REGION key=ACCESS_KEY secret=SECRET_KEY
#
# Environment: DYNALITE_PORT (4577).

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=common.sh disable=SC1091
. "$here/common.sh"

http=${DYNALITE_PORT:-4577}

main() {
    if [ $# != 1 ]; then
        die "usage: dynalite.sh DIR"
    fi
    use_directory "$1"
    finish_if_running dynalite
    if ! command -v npm >/dev/null; then
        apt_install nodejs npm
    fi
    apt_install curl ca-certificates
    end_daemons
    need_free_port "$http"
    if [ ! -f node_modules/dynalite/package.json ]; then
        echo '{"private":true}' >package.json
        npm install --no-audit --no-fund --loglevel=error dynalite@4.0.0 >npm.log 2>&1 </dev/null ||
            die "npm: $(tail -n 3 npm.log)"
    fi
    # Tables that take a time, as Amazon's: who doesn't wait fails.
    echo "require('dynalite')({createTableMs: 300, deleteTableMs: 300}).listen($http, '127.0.0.1')" >main.cjs
    trap 'if [ $? != 0 ]; then end_daemons; fi' EXIT
    run_daemon dynalite node "$DIR/main.cjs"
    wait_for_daemon dynalite "http://127.0.0.1:$http/" dynalite.log
    finish_ready "$http" 0 us-east-1 AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
}

main "$@"
