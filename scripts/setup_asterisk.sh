#!/usr/bin/env bash
# Unpack Asterisk into .peers, for the tests that call it: 19 MB to load, 45 MB on disk, no root.
#
# Debian 12 and 13 have no package of it. That of a later Debian is unpacked, not installed, together
# with the libraries it was built for: it runs by its own loader, and nothing of it starts by itself.
set -euo pipefail
cd "$(dirname "$0")/.."

suite=forky
keys=/usr/share/keyrings/debian-archive-keyring.gpg
place=$PWD/.peers

say() { printf 'setup: %s\n' "$*" >&2; }

[[ -x $place/bin/asterisk ]] && exit 0
if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null || [[ ! -r $keys ]]; then
    exit 1
fi

# Of all that the package asks for, what its modules in our tests are linked to.
libraries='libbsd0|libc6|libcap2|libcrypt1|libedit2|libgcc-s1|libjansson4|libmd0|libnspr4|libnss3.*'
libraries+='|libsqlite3-0|libsrtp2-1|libssl3.*|libstdc[+]{2}6|libsystemd0|libtinfo6|liburiparser1'
libraries+='|libuuid1|libxml2.*|libxslt1.*|libzstd1|zlib1g'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{lists/partial,archives/partial,etc/apt.conf.d,etc/preferences.d}
: >"$work/status"
echo "deb [signed-by=$keys] http://deb.debian.org/debian $suite main" >"$work/etc/sources.list"
apt=(apt-get -qq -o "Dir::State=$work" -o "Dir::State::status=$work/status" -o "Dir::Cache=$work"
    -o "Dir::Etc=$work/etc" -o Dir::Etc::sourceparts=/dev/null -o APT::Install-Recommends=false
    -o APT::Sandbox::User= -o Debug::NoLocking=1 -o Acquire::Languages=none
    -o Acquire::Retries=1 -o Acquire::http::Timeout=30)

say "unpacking Asterisk of Debian $suite into .peers"
"${apt[@]}" update </dev/null >/dev/null
mapfile -t wanted < <("${apt[@]}" -s install asterisk | awk '$1 == "Inst" { print $2 }' |
    grep -Ex "asterisk|asterisk-modules|$libraries")
(cd "$work/archives" && "${apt[@]}" download "${wanted[@]}" </dev/null >/dev/null)

root=$place/asterisk
rm -rf "$root"
mkdir -p "$root" "$place/bin"
for package in "$work"/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$package" |
        tar -x -C "$root" --wildcards --exclude='*/gconv/*' ./usr/lib './usr/lib64' \
            ./usr/sbin/asterisk ./usr/share/asterisk/documentation 2>/dev/null || true
done
loader=$(find "$root" -name 'ld-linux-*.so.*' | head -n 1)
modules=$(find "$root" -type d -path '*/asterisk/modules' | head -n 1)
libraries_at=$(dirname "$(dirname "$modules")")
cat >"$place/asterisk.sh" <<END
#!/bin/sh
exec "$loader" --library-path "$libraries_at" --argv0 asterisk "$root/usr/sbin/asterisk" "\$@"
END
chmod +x "$place/asterisk.sh"
"$place/asterisk.sh" -V >/dev/null
# Only now: what is not whole is not found.
mv "$place/asterisk.sh" "$place/bin/asterisk"
