#!/bin/sh
# Boots one engine in namespaces of its own. `start.rs` copies this file into the engine's state
# folder and runs it with the static busybox of the engine's root, so it needs nothing of the host
# but unshare(1). Each stage runs the next one:
#
#   join    enter the engine's cgroup, open a cgroup namespace there
#   leave   with cgroup 2, step into a child group (a group with processes cannot have controllers)
#   mount   in the new namespaces: build the file system, make it the root
#   engine  in the new root: choose iptables, start the daemon, reap orphans until it ends
#
# Usage: boot.sh STAGE STATE, where STATE is the state folder; it also marks the engine's processes
# in the process table. The rest is in the environment:
#
#   ROOT         the unpacked root, shared by all checkouts, never written to
#   KIND         docker or podman
#   NAME         the host name of the engine
#   GROUP        the folder of the engine's cgroup
#   HIERARCHIES  words of the form MOUNTPOINT:OPTIONS (cgroup 1) or MOUNTPOINT: (cgroup 2)
#   UNSHARE      the path of unshare(1); the shell would take busybox's own, which lacks options
set -eu
stage=$1 state=$2
busybox=$ROOT/bin/busybox

run_stage() { # STAGE [PREFIX...]
    next=$1
    shift
    exec "$@" "$busybox" sh "$state/boot.sh" "$next" "$state"
}

case $stage in
join)
    for hierarchy in $HIERARCHIES; do
        echo $$ >"${hierarchy%%:*}/$GROUP/cgroup.procs"
    done
    run_stage leave "$UNSHARE" --cgroup
    ;;

leave)
    for hierarchy in $HIERARCHIES; do
        if [ -z "${hierarchy#*:}" ]; then
            own=${hierarchy%%:*}/$GROUP
            "$busybox" mkdir -p "$own/engine"
            echo $$ >"$own/engine/cgroup.procs"
            for controller in $("$busybox" cat "$own/cgroup.controllers"); do
                echo "+$controller" >"$own/cgroup.subtree_control" || true
            done
        fi
    done
    run_stage mount "$UNSHARE" --mount --propagation private --net --ipc --uts --pid --fork --kill-child
    ;;

mount)
    mount() { "$busybox" mount "$@"; }
    "$busybox" hostname "$NAME"
    "$busybox" ip link set lo up

    mount -o bind "$ROOT" "$ROOT"
    mount -o remount,bind,ro "$ROOT"
    cd "$ROOT"
    mount -t proc proc proc
    mount -t tmpfs -o mode=755 tmpfs run
    mount -t tmpfs -o mode=755 tmpfs var
    mount -o bind "$state" engine

    # A fresh sysfs shows this network namespace, and neither AppArmor nor SELinux.
    mount -t sysfs sysfs sys
    case $HIERARCHIES in *:?*) mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup ;; esac
    for hierarchy in $HIERARCHIES; do
        options=${hierarchy#*:} target=.${hierarchy%%:*}
        "$busybox" mkdir -p "$target"
        if [ -n "$options" ]; then
            mount -t cgroup -o "$options" cgroup "$target"
        else
            mount -t cgroup2 cgroup2 "$target"
        fi
    done

    # Only harmless devices: a privileged container must not find the disks of the machine.
    mount -t tmpfs -o mode=755 tmpfs dev
    for device in null zero full random urandom tty fuse net/tun; do
        if [ -e "/dev/$device" ]; then
            "$busybox" mkdir -p "$("$busybox" dirname "dev/$device")"
            : >"dev/$device"
            mount -o bind "/dev/$device" "dev/$device"
        fi
    done
    "$busybox" mkdir dev/pts dev/shm dev/mqueue
    mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts dev/pts
    mount -t tmpfs tmpfs dev/shm
    mount -t mqueue mqueue dev/mqueue
    "$busybox" ln -s pts/ptmx dev/ptmx
    for link in fd:/proc/self/fd stdin:fd/0 stdout:fd/1 stderr:fd/2; do
        "$busybox" ln -s "${link#*:}" "dev/${link%%:*}"
    done

    # A private /etc (engines write keys and network settings there) and a /tmp on disk.
    "$busybox" cp -a etc run/etc
    mount -o bind run/etc etc
    "$busybox" mkdir -p engine/tmp engine/data var/tmp var/lib
    mount -o bind engine/tmp tmp
    mount -o bind engine/tmp var/tmp

    "$busybox" mkdir run/host
    "$busybox" pivot_root . run/host
    exec /bin/busybox chroot . /bin/busybox sh /engine/boot.sh engine "$state"
    ;;

engine)
    cd /
    busybox=/bin/busybox
    "$busybox" umount -l /run/host
    "$busybox" rmdir /run/host
    "$busybox" mkdir -p /run/bin /run/busybox /run/home
    "$busybox" --install -s /run/busybox
    export PATH=/run/bin:/usr/sbin:/usr/bin:/run/busybox HOME=/run/home TMPDIR=/tmp

    # Debian chooses the back end of iptables when it configures the package, which never happens here.
    for backend in nft legacy none; do
        if "iptables-$backend" -t nat -S >/dev/null 2>&1; then
            for tool in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
                ln -s "/usr/sbin/${tool%%-*}-$backend${tool#"${tool%%-*}"}" "/run/bin/$tool"
            done
            break
        fi
    done
    [ "$backend" != none ] || echo "boot.sh: neither back end of iptables works with this kernel"

    if [ "$KIND" = docker ]; then
        # A pull from a registry that is gone is to fail in seconds, not after five attempts in more than a minute.
        flags='--max-download-attempts 2'
        [ "$backend" != none ] || flags="$flags --iptables=false --ip6tables=false"
        tls=/engine/tls
        case $NAME in
        restart-*)
            # Tests kill it; and a file beside its socket says that containers are to outlive it.
            while true; do
                rm -f /run/docker.pid
                live=
                [ ! -e /engine/live-restore ] || live=--live-restore
                dockerd --host unix:///engine/engine.sock --group root --data-root /engine/data \
                    --exec-root /run/docker --pidfile /run/docker.pid $flags $live || true
                sleep 1
            done
            ;;
        esac
        dockerd --host unix:///engine/engine.sock --host tcp://127.0.0.1:2376 --tlsverify --tlscacert $tls/ca.pem \
            --tlscert $tls/server-cert.pem --tlskey $tls/server-key.pem --group root --data-root /engine/data \
            --exec-root /run/docker --pidfile /run/docker.pid $flags &
    else
        # Podman's own default limits are above what a machine may grant; then no container starts.
        limit=$(ulimit -Hn)
        [ "$limit" != unlimited ] || limit=1048576
        export CONTAINERS_CONF=/run/containers.conf
        cat >"$CONTAINERS_CONF" <<-end
		[containers]
		default_ulimits = ["nofile=$limit:$limit", "nproc=32768:32768"]
		[network]
		network_backend = "netavark"
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		end
        # Docker speaks with a registry on 127.0.0.1 without TLS, whatever its port; Podman must be told.
        cat >/etc/containers/registries.conf.d/loopback.conf <<-end
		[[registry]]
		prefix = "127.0.0.1"
		location = "127.0.0.1"
		insecure = true
		end
        podman --root /engine/data --runroot /run/podman system service --time=0 \
            unix:///engine/engine.sock &
    fi
    wait $!
    ;;
esac
