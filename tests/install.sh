#!/bin/bash
# Installs what a group of the project's commands needs, by apt: as root, or by sudo. Daemons that
# come with a package are not started. Installs nothing, and asks for nothing, if all is there.
#
#   tests/install.sh GROUP...
#
#   build   make demo: a compiler, BearSSL, Python for the embedded server, openssl for certificates
#   test    make test: more compilers, valgrind, botocore, c-ares
#   arm     the Cortex-M object, make sizes
#   firmware  make firmware, tests/lwip/run.sh
#   bench   make bench
#   targets tests/targets.sh
#   windows tests/windows.sh
#   proxies test_bounded.py --servers
#   servers make test-servers: awscli, which the tool is compared with
#   mutation  tests/mutate.py
#   ci      what .ci/run wants beyond these

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$here/../build"
cd "$here/../build" || exit 1
# shellcheck source=tests/servers/common.sh
. "$here/servers/common.sh"

# The compilers for other machines go by the version of Debian's gcc; gcc-multilib without a version
# would not stand beside a cross compiler. apt's lists are asked only if it isn't installed: another
# of these scripts may just be renewing them.
gcc_version() {
    { "$@" 2>/dev/null || :; } | sed -n 's/^Depends:.*gcc-\([0-9][0-9]*\).*/\1/p' | sed -n 1p
}
version=$(gcc_version dpkg-query -s gcc)
[ -n "$version" ] || version=$(gcc_version apt-cache show gcc)
if [ -z "$version" ] && command -v apt-get >/dev/null; then # a machine without lists
    as_root apt-get -qq update || :
    version=$(gcc_version apt-cache show gcc)
fi
gcc=gcc-$version

packages=()
for group in "$@"; do
    case $group in
        build) packages+=(gcc libc6-dev make libbearssl-dev libjsmn-dev python3 openssl) ;;
        test) packages+=(g++ clang libclang-rt-dev musl-tools "$gcc-multilib" valgrind
            strace python3-botocore libc-ares-dev libssl-dev curl cmake git) ;;
        arm) packages+=(gcc-arm-none-eabi picolibc-arm-none-eabi qemu-system-arm dpkg-dev) ;;
        firmware) packages+=(libslirp-dev python3-botocore cmake python3-kconfiglib python3-yaml) ;;
        bench) packages+=(libcurl4-openssl-dev valgrind strace) ;;
        targets) packages+=(dpkg-dev "$gcc-multilib" musl-tools "$gcc-powerpc-linux-gnu"
            libc6-dev-powerpc-cross qemu-user) ;;
        mutation) packages+=(python3-clang) ;;
        windows) packages+=(dpkg-dev ca-certificates gcc-mingw-w64-x86-64-win32
            g++-mingw-w64-x86-64-win32 gcc-mingw-w64-i686-win32 wine wine64) ;;
        servers) packages+=(awscli) ;;
        proxies) packages+=(nginx-light haproxy) ;;
        ci) packages+=(gcovr shellcheck git) ;;
        *) die "there is no group '$group'" ;;
    esac
done

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    say "no apt here; these packages' like must be there already: ${packages[*]}"
    exit 0
fi
apt_install "${packages[@]}"
