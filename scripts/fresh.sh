#!/usr/bin/env bash
# Run the README's commands on a bare Debian, in a tree beside this system: see `usage` below.
#
# Everything is mounted in a namespace that ends with the run, however it ends; so there is nothing
# to unmount, and what is removed afterwards is only the run's own folder.
set -euo pipefail

usage() {
    cat <<'EOF'
usage: scripts/fresh.sh [bookworm|trixie] [TARGET ...]

Make a bare Debian 12 (bookworm) or 13 (trixie, unless said otherwise), put a clean clone of HEAD in
it, and run `make TARGET` there for each target: demo and test, unless said otherwise.

  ARGS     more words for pytest, as for `make test`
  CACHE    where bare trees are kept (/var/cache/callwright-fresh); each run is on a copy
  MIRROR   where Debian comes from, unless the sources of apt here tell

Needs root, apt-get or debootstrap, and leave to mount. Settings of pip, apt and certificates are
those of this machine. Exits with the status of the command that fails, and with 77 where no such
tree can be made.
EOF
}

say() { printf 'fresh: %s\n' "$*" >&2; }
cannot() { say "no bare Debian can be made here: $*"; exit 77; }

project=$(cd "$(dirname "$0")/.." && pwd -P)
cache=${CACHE:-/var/cache/callwright-fresh}
# In the tree: where the commands are at home, and the clone they run in.
home=/srv
clone=$home/callwright
export DEBIAN_FRONTEND=noninteractive

main() {
    case ${1-} in
        -h | --help) usage; exit ;;
        --inside) shift; inside "$@"; exit ;;
        bookworm | trixie) suite=$1; shift ;;
        *) suite=trixie ;;
    esac
    local target
    for target in "$@"; do
        [[ $target =~ ^[a-z]+$ ]] || { say "no such target: $target"; usage >&2; exit 2; }
    done
    (($#)) || set -- demo test

    check
    mkdir -p "$cache"
    sweep
    bare_tree
    run "$@"
}

# What stands in the way is said before anything is fetched.
check() {
    ((EUID == 0)) || cannot "it takes root"
    unshare "${isolated[@]}" mount -t tmpfs tmpfs /mnt 2>/dev/null || cannot "nothing may be mounted"
    command -v debootstrap >/dev/null && return
    command -v apt-get >/dev/null || cannot "there is neither debootstrap nor apt-get"
    say "installing debootstrap with apt-get"
    { apt-get -qq update && apt-get -qq install -y --no-install-recommends \
        debootstrap debian-archive-keyring; } </dev/null >/dev/null \
        || cannot "apt-get could not install debootstrap"
}

# Namespaces that end, with all that runs and is mounted in them, when their first process does.
isolated=(--mount --pid --fork --kill-child)

# A run that was killed has left its folder; one that is alive holds the lock of its own.
sweep() {
    local left
    for left in "$cache"/run.*; do
        if [[ -d $left ]] && flock --nonblock "$left" true; then
            rm -rf --one-file-system "$left"
        fi
    done
}

bare_tree() {
    exec 8>"$cache/$suite.lock"
    flock 8
    base=$cache/$suite
    if [[ -d $base ]]; then exec 8>&-; return; fi
    say "making a bare $suite with debootstrap (once, a few minutes)"
    local begun=$cache/$suite.begun
    rm -rf --one-file-system "$begun"
    # make is what the README's commands are given to; all else is their own affair.
    if ! unshare "${isolated[@]}" debootstrap --variant=minbase --include=make "$suite" "$begun" "$(mirror)" \
        </dev/null >"$cache/$suite.log" 2>&1; then
        tail -n 3 "$cache/$suite.log" >&2
        cannot "debootstrap failed; $cache/$suite.log tells more"
    fi
    rm -rf "$begun"/var/cache/apt/archives/*.deb
    mv "$begun" "$base"
    exec 8>&-
}

mirror() {
    local found=${MIRROR-}
    if [[ -z $found ]]; then
        found=$(apt-get indextargets --format '$(REPO_URI)' 'Label: Debian' 2>/dev/null || true)
    fi
    # debootstrap has a mirror of its own for whoever names none.
    printf '%s' "${found%%$'\n'*}"
}

run() {
    local at status=0
    at=$(mktemp -d "$cache/run.XXXXXX")
    exec 9<"$at"
    flock 9
    trap 'rm -rf --one-file-system "$at"' EXIT
    mkdir "$at"/{upper,work,tree}
    # In the background, so that a signal is heard at once; and it ends with this, even if killed.
    setpriv --pdeathsig KILL unshare "${isolated[@]}" \
        "$0" --inside "$suite" "$base" "$at" "$@" </dev/null &
    trap 'say "stopped"; kill -KILL $! 2>/dev/null; wait $! 2>/dev/null; exit 130' INT TERM HUP
    wait $! || status=$?
    exit "$status"
}

# From here on in namespaces of the run's own.

inside() {
    suite=$1 base=$2 at=$3
    tree=$at/tree
    shift 3
    mount -t overlay overlay -o "lowerdir=$base,upperdir=$at/upper,workdir=$at/work" "$tree" \
        2>/dev/null || cp -a "$base/." "$tree"
    furnish
    pass_on
    clone
    local target begun
    for target in "$@"; do
        say "$suite: make $target"
        begun=$SECONDS
        within "$target" || {
            local status=$?
            say "$suite: make $target failed with $status, after $((SECONDS - begun)) s"
            exit "$status"
        }
        say "$suite: make $target was right, after $((SECONDS - begun)) s"
    done
}

furnish() {
    mount -t proc proc "$tree/proc"
    mount -t sysfs -o ro sysfs "$tree/sys"
    mount --bind /dev "$tree/dev"
    mount -t devpts -o newinstance,ptmxmode=0666 devpts "$tree/dev/pts"
    mount -t tmpfs tmpfs "$tree/dev/shm"
    cp -L /etc/resolv.conf /etc/hosts "$tree/etc/"
}

# What this machine has set up for fetching packages: files, and variables that name files.
pass_on() {
    local file
    mapfile -t passed < <(env | grep -E \
        '^(PIP_.*|[a-zA-Z]+_(proxy|PROXY)|[A-Z]+_CA_BUNDLE|SSL_CERT_.*|TERM|CI|ARGS)=' || true)
    apt-config dump | grep '^Acquire::' >"$tree/etc/apt/apt.conf.d/99here" || true
    for file in /etc/apt/auth.conf{,.d} /etc/pip.conf /etc/xdg/pip/pip.conf; do
        put_in "$file" "$file"
    done
    for file in .pip/pip.conf .config/pip/pip.conf .netrc; do
        put_in "$HOME/$file" "$home/$file"
    done
    while read -r file; do
        case $file in
            # Links of an index lead beside it.
            file://*) show "$(dirname "${file#file://}")" ;;
            *) show "$file" ;;
        esac
    done < <(named_files | sort -u)
}

named_files() {
    local settings=("$tree"/etc{,/xdg/pip}/pip.conf "$tree$home"/{.pip,.config/pip}/pip.conf)
    { printf '%s\n' "${passed[@]}"; cat "${settings[@]}" 2>/dev/null; } \
        | grep -oE '(file://|[=[:space:]:])/[^[:space:]"'\'':]+' | sed 's/^[=[:space:]:]//'
}

put_in() {
    [[ -e $1 ]] || return 0
    mkdir -p "$(dirname "$tree$2")"
    cp -aLT "$1" "$tree$2"
}

# Files and settings are copied, other folders shown as they are.
show() {
    if [[ -d $1 && $1 != /etc/* ]]; then
        [[ $1 == / ]] && return
        mkdir -p "$tree$1"
        mount --rbind -o ro "$1" "$tree$1"
    elif [[ -e $1 ]]; then
        put_in "$1" "$1"
    fi
}

clone() {
    local head
    head=$(git -C "$project" rev-parse HEAD)
    git clone --quiet --no-hardlinks --no-checkout "$project" "$tree$clone"
    git -C "$tree$clone" checkout --quiet --detach "$head"
    [[ -z $(git -C "$project" status --porcelain) ]] || say "what is not committed is left out"
}

within() {
    chroot "$tree" /usr/bin/env -i "${passed[@]}" HOME="$home" LANG=C.UTF-8 \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        make -C "$clone" --no-print-directory "$1"
}

main "$@"
