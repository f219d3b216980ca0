#!/bin/sh
# The far side of an ssh connection: a file system of its own around sshd, in mount and process namespaces of its own.
# `sshd.rs` runs this with the static busybox of the root, which is shared and never written to.
#
# Usage: sshd.sh ROOT FOLDER SOCKET PATH..., where FOLDER has what is made for this server, SOCKET is the engine's, and
# each PATH is where that is found on the far side.
set -eu
root=$1 folder=$2 socket=$3
shift 3
busybox=$root/bin/busybox
mount() { "$busybox" mount "$@"; }

mount -o bind "$root" "$root"
mount -o remount,bind,ro "$root"
cd "$root"
mount -t proc proc proc
for place in run root var dev tmp; do
    mount -t tmpfs -o mode=755 tmpfs "$place"
done
for device in null zero full random urandom tty; do
    : >"dev/$device"
    mount -o bind "/dev/$device" "dev/$device"
done
mount -o bind "$folder" engine
"$busybox" mkdir run/sshd run/bin run/etc
"$busybox" ln -s ../run var/run
"$busybox" cp -a etc/. run/etc/
mount -o bind run/etc etc
echo 'sshd:x:100:65534::/run/sshd:/bin/false' >>etc/passwd
echo 'stranger:x:1000:1000::/root:/bin/sh' >>etc/passwd
for path in "$@"; do
    : >".$path"
    mount -o bind "$socket" ".$path"
done
"$busybox" chroot . /bin/busybox --install -s /run/bin
exec "$busybox" chroot . /usr/sbin/sshd -D -f /engine/sshd_config -E /engine/log
