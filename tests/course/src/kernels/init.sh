#!/bin/busybox sh
# Process 1 of a guest of `cargo course kernels`: the host's files below, read-only; an overlay in memory
# above; in it each part as an ordinary user. It runs twice: first in the archive that the kernel begins
# with, then, with an argument, in what has become the root. Beside it lie settings (variables of sh),
# steps (NAME|FOLDER|PROGRAM|ARGUMENTS, one a line), and modules/, loaded in the order of their names.
# What it tells the host are lines that begin with @readiness, on the console.

tell() { echo; echo "@readiness $*"; }
end() {
    sync
    poweroff -f
    sleep 60
}
give_up() {
    tell "gave-up $*"
    end
}
plan9() { mount -t 9p -o "trans=virtio,version=9p2000.L,msize=262144,$3" "$1" "$2"; }

# The archive: load modules, put the root together, and go on there.
begin() {
    /bin/busybox mkdir -p /proc /sys /dev /host /over /new
    # Before its links are made: it asks there where it is itself.
    /bin/busybox mount -t proc proc /proc
    /bin/busybox --install -s /bin
    mount -t sysfs sys /sys
    mount -t devtmpfs dev /dev 2>/dev/null
    exec </dev/null >/dev/console 2>&1
    dmesg -n 1
    for module in /modules/*; do
        insmod "$module" || give_up "the kernel does not load the module $(basename "$module")"
    done
    tell "up $(uname -r)"
    case $(cat /proc/cmdline) in *readiness=probe*) end ;; esac

    plan9 host /host cache=loose,ro || give_up "the host's files cannot be mounted: 9p"
    mount -t tmpfs -o size=50% over /over
    mkdir /over/upper /over/work
    mount -t overlay -o lowerdir=/host,upperdir=/over/upper,workdir=/over/work over /new ||
        give_up "no overlay over the host's files"
    for folder in proc sys dev; do mount --move "/$folder" "/new/$folder"; done
    mount -t tmpfs -o mode=755 memory /new/run
    mkdir /new/run/guest
    cp /bin/busybox /init /settings /steps /new/run/guest
    # Not chroot(2): in there nobody could make a user namespace.
    exec switch_root -c /dev/console /new /run/guest/busybox sh /run/guest/init run
}

run() {
    cd /
    /run/guest/busybox mkdir /run/guest/bin /run/guest/out /run/guest/home
    /run/guest/busybox --install -s /run/guest/bin
    exec </dev/null
    mkdir -p /dev/pts /dev/shm
    mount -t devpts pts /dev/pts
    mount -t tmpfs -o mode=1777 memory /dev/shm
    for link in fd: stdin:/0 stdout:/1 stderr:/2; do
        [ -e "/dev/${link%:*}" ] || ln -s "/proc/self/fd${link#*:}" "/dev/${link%:*}"
    done
    # Results go out here, which is closed to the parts.
    out=/run/guest/out
    chmod 700 $out
    plan9 out $out cache=none,rw || give_up "the folder for the results cannot be mounted: 9p"
    chmod 777 /run/guest/home
    . /run/guest/settings
    # An ordinary user must reach the programs, and write where the tests have their scratch files.
    echo "$FOLDERS" | while IFS= read -r folder; do
        while [ "$folder" != / ]; do
            chmod a+rx "$folder"
            folder=$(dirname "$folder")
        done
    done
    mkdir -p "$SCRATCH"
    mount -t tmpfs -o mode=1777 memory "$SCRATCH"
    ifconfig lo up
    hostname guest
    ulimit -Hn 524288
    ulimit -Sn 1024
    cat /proc/version >$out/kernel.txt
    while IFS='|' read -r name folder program arguments; do
        tell "begins $name"
        begun=$(cut -d. -f1 /proc/uptime)
        # All of these are the host's programs. A session of its own: process 1 has none to hang up.
        /usr/bin/env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=/run/guest/home LANG=C.UTF-8 \
            CARGO_TERM_COLOR=never CARGO_MANIFEST_DIR="$folder" RUST_TEST_THREADS="$THREADS" \
            READINESS_PROGRAMS="$PROGRAMS" \
            setsid --wait setpriv --reuid="$USER_ID" --regid="$GROUP_ID" --clear-groups \
            timeout -k 5 "$LIMIT" sh -c 'cd "$1" && exec "$2" $3' sh "$folder" "$program" "$arguments" \
            </dev/null >"$out/$name.txt" 2>&1
        status=$?
        tell "ended $name $status $(($(cut -d. -f1 /proc/uptime) - begun))"
    done </run/guest/steps
    dmesg | tail -n 200 >$out/dmesg.txt
    tell "done"
    end
}

case ${1-} in
run)
    export PATH=/run/guest/bin
    run
    ;;
*)
    export PATH=/bin
    begin
    ;;
esac
