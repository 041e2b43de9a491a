#!/bin/sh
# Puts prometheus and promtool into $1/usr/bin, unless they are on PATH: Debian's package, unpacked and not
# installed, so that no service is started and nothing of the system changes.
set -eu
target=$1
if [ -x "$target/usr/bin/promtool" ] || { command -v prometheus && command -v promtool; } >/dev/null; then
    exit 0
fi
command -v apt-get >/dev/null || { echo "Install Prometheus (prometheus and promtool on PATH)." >&2; exit 1; }
if ! apt-cache show prometheus >/dev/null 2>&1; then
    [ "$(id -u)" = 0 ] || { echo "Run as root first: apt-get update" >&2; exit 1; }
    apt-get -qq update
fi
fetched=$(mktemp -d)
trap 'rm -rf "$fetched"' EXIT
chmod 755 "$fetched"
(cd "$fetched" && apt-get -qq -o APT::Sandbox::User=root download prometheus)
mkdir -p "$target"
dpkg-deb -x "$fetched"/prometheus_*.deb "$target"
