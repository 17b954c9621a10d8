#!/usr/bin/env bash
# A new person's first minutes, on a Debian that has Python and nothing else: both commands from a fresh clone.
# Needs root and debootstrap. `bare.sh venv` gives that Debian python3-venv, `bare.sh pip` gives it pip instead,
# `bare.sh none` neither. More words are the arguments of `./run test`. BARE_ROOT: where it is laid (default: a
# temporary folder, removed afterwards). Of this machine it takes the trusted authorities, the name servers and /etc/pip.conf.
set -euo pipefail
kind=${1:?venv, pip or none}
shift
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
root=${BARE_ROOT:-$(mktemp -d)}
[[ -n ${BARE_ROOT:-} ]] || trap 'umount "$root/dev" "$root/proc" 2>/dev/null; rm -rf --one-file-system "$root"' EXIT

case $kind in
    venv) packages=python3,ca-certificates,python3-venv ;;
    pip) packages=python3,ca-certificates,python3-pip ;;
    none) packages=python3,ca-certificates ;;
esac
chmod 755 "$root"  # a temporary folder is for its maker alone, and the person has to walk through it
[[ -x $root/usr/bin/python3 ]] || debootstrap --variant=minbase --include=$packages bookworm "$root" >/dev/null
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
cp /etc/resolv.conf "$root/etc/"
[[ ! -f /etc/pip.conf ]] || cp /etc/pip.conf "$root/etc/"
mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
mountpoint -q "$root/dev" || mount --bind /dev "$root/dev"

chroot "$root" sh -c 'id person >/dev/null 2>&1 || useradd --create-home person'
rm -rf "$root/home/person/fireside"
git clone --quiet --no-hardlinks "$checkout" "$root/home/person/fireside"
chroot "$root" chown -R person /home/person

as_person() {
    chroot "$root" su - person -c "cd ~/fireside && $*"
}
echo "== first start" && time as_person ./run --help
echo "== second start" && time as_person ./run --help
echo "== tests" && time as_person ./run test "$@"
