#!/bin/busybox sh
# Process 1 of a guest of `cargo course kernels`: the host's files below, read-only; an overlay in memory
# above; in it each step as an ordinary user. Beside it in the archive: /settings (variables of sh),
# /modules (files, loaded in the order of their names), /steps (NAME|FOLDER|PROGRAM|ARGUMENTS, one a line).
# What it tells the host are lines that begin with @readiness, on the console.
export PATH=/bin
busybox mkdir -p /proc /sys /dev /host /over /new
# Before its links are made: it asks there where it is itself.
busybox mount -t proc proc /proc
busybox --install -s /bin

mount -t sysfs sys /sys
mount -t devtmpfs dev /dev 2>/dev/null
dmesg -n 1
exec </dev/null >/dev/console 2>&1

tell() { echo; echo "@readiness $*"; }
end() {
    sync
    poweroff -f
    sleep 60
}
give_up() { tell "gave-up $*"; end; }

. /settings
for module in /modules/*; do
    insmod "$module" || give_up "the kernel does not load the module $(basename "$module")"
done
tell "up $(uname -r)"
case $(cat /proc/cmdline) in *readiness=probe*) end ;; esac

plan9() { mount -t 9p -o "trans=virtio,version=9p2000.L,msize=262144,$3" "$1" "$2"; }
plan9 host /host cache=loose,ro || give_up "the host's files cannot be mounted: 9p"
mount -t tmpfs -o size=50% over /over && mkdir /over/upper /over/work
mount -t overlay -o lowerdir=/host,upperdir=/over/upper,workdir=/over/work over /new ||
    give_up "no overlay over the host's files"
for folder in proc sys dev; do mount --bind "/$folder" "/new/$folder"; done
mkdir -p /new/dev/pts /new/dev/shm
mount -t devpts pts /new/dev/pts
for folder in dev/shm run; do mount -t tmpfs -o mode=1777 memory "/new/$folder"; done
for link in fd: stdin:/0 stdout:/1 stderr:/2; do
    [ -e "/new/dev/${link%:*}" ] || ln -s "/proc/self/fd${link#*:}" "/new/dev/${link%:*}"
done
# Results go out here, and this is closed to the steps.
mkdir -m 700 /out
plan9 out /out cache=none,rw || give_up "the folder for the results cannot be mounted: 9p"

# An ordinary user must reach the programs, and write where the tests have their scratch files.
for folder in $FOLDERS; do
    while [ "$folder" != / ]; do
        chmod a+rx "/new$folder"
        folder=$(dirname "$folder")
    done
done
mkdir -p "/new$SCRATCH" && mount -t tmpfs -o mode=1777 memory "/new$SCRATCH"
mkdir -m 777 /new/run/home
ifconfig lo up
hostname guest
ulimit -Hn 524288 && ulimit -Sn 1024
cat /proc/version >/out/kernel.txt

while IFS='|' read -r name folder program arguments; do
    tell "begins $name"
    begun=$(cut -d. -f1 /proc/uptime)
    # From here on these are the host's programs. A session of its own: process 1 has none to hang up.
    chroot /new /usr/bin/env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=/run/home LANG=C.UTF-8 \
        CARGO_TERM_COLOR=never CARGO_MANIFEST_DIR="$folder" RUST_TEST_THREADS="$THREADS" \
        READINESS_PROGRAMS="$PROGRAMS" \
        setsid --wait setpriv --reuid="$USER_ID" --regid="$GROUP_ID" --clear-groups \
        timeout -k 5 "$LIMIT" sh -c 'cd "$1" && exec "$2" $3' sh "$folder" "$program" "$arguments" \
        </dev/null >"/out/$name.txt" 2>&1
    status=$?
    tell "ended $name $status $(($(cut -d. -f1 /proc/uptime) - begun))"
done </steps
dmesg | tail -n 200 >/out/dmesg.txt
tell done
end
