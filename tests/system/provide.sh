#!/bin/sh
# Puts prometheus, promtool and chromium into $1/usr/bin, unless they are on PATH: Debian's packages, unpacked and
# not installed, so that no service is started and nothing of the system changes.
set -eu
mkdir -p "$1"
target=$(cd "$1" && pwd)
PATH="$target/usr/bin:$PATH"
has() { command -v "$1" >/dev/null; }
if has prometheus && has promtool && has chromium; then
    exit 0
fi
command -v apt-get >/dev/null || { echo "Install Prometheus (prometheus, promtool) and Chromium (chromium) on PATH." >&2; exit 1; }
if ! apt-cache show prometheus chromium >/dev/null 2>&1; then
    [ "$(id -u)" = 0 ] || { echo "Run as root first: apt-get update" >&2; exit 1; }
    apt-get -qq update
fi
fetched=$(mktemp -d)
trap 'rm -rf "$fetched"' EXIT
chmod 755 "$fetched"
fetch() {
    (cd "$fetched" && apt-get -qq -o APT::Sandbox::User=root download "$@")
    for each in "$fetched"/*.deb; do
        dpkg-deb -x "$each" "$target"
        rm "$each"
    done
}
has promtool || fetch prometheus
if ! has chromium; then
    # It and what it needs that is not installed; the program itself must be told where that is.
    needed=$(apt-get -s install --no-install-recommends chromium | awk '$1 == "Inst" && $2 !~ /^chromium/ {print $2}')
    fetch chromium chromium-common $needed
    libraries=$(find "$target/usr/lib" "$target/lib" -maxdepth 2 \( -name '*-linux-gnu*' -o -name pulseaudio \) -type d 2>/dev/null | tr '\n' ':')
    cat >"$target/usr/bin/chromium" <<END
#!/bin/sh
export LD_LIBRARY_PATH="$libraries\${LD_LIBRARY_PATH:-}"
[ -d /etc/fonts ] || export FONTCONFIG_PATH="$target/etc/fonts"
exec "$target/usr/lib/chromium/chromium" "\$@"
END
fi
