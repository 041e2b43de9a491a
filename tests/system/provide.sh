#!/bin/sh
# Puts prometheus, promtool and chromium into $1/usr/bin, unless they are on PATH and run: Debian's packages, unpacked
# and not installed, so that no service is started and nothing of the system changes. What does not run after that
# ends here, with the loader's own words: found by 200 tests of a browser it is hard to tell from their faults.
set -eu
mkdir -p "$1"
target=$(cd "$1" && pwd)
PATH="$target/usr/bin:$PATH"
has() { command -v "$1" >/dev/null && "$1" --version >/dev/null 2>&1; }
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
    # It and what it needs that is not installed; the program itself must be told where that is. libpulse0 comes
    # along in any case: a browser has been seen that found half of an installed one (libpulsecommon was missing).
    needed=$(apt-get -s install --no-install-recommends chromium | awk '$1 == "Inst" {print $2}')
    fetch $(printf '%s\n' chromium chromium-common libpulse0 $needed | sort -u)
    libraries=$(find "$target" -name '*.so*' -path '*-linux-gnu*' -printf '%h\n' | sort -u | tr '\n' ':')
    cat >"$target/usr/bin/chromium" <<END
#!/bin/sh
export LD_LIBRARY_PATH="$libraries\${LD_LIBRARY_PATH:-}"
[ -d /etc/fonts ] || export FONTCONFIG_PATH="$target/etc/fonts"
exec "$target/usr/lib/chromium/chromium" "\$@"
END
fi
for each in prometheus promtool chromium; do
    has "$each" && continue
    echo "$each was unpacked into $target and does not run:" >&2
    "$each" --version >&2 || true
    LD_LIBRARY_PATH="${libraries:-}" ldd "$target/usr/lib/chromium/chromium" 2>&1 | grep 'not found' >&2 || true
    dpkg-query --show 'libpulse*' >&2 || true
    exit 1
done
