//! What somebody's half-done program may not do to those who run it: signal them, trace them, use up what they
//! need. A filter of its system calls, seccomp(2), and limits, setrlimit(2); none of it needs a privilege.

use std::io;

use nix::errno::Errno;
use nix::sys::resource::{Resource, setrlimit};
use nix::unistd::Pid;

use super::preparations::Preparation;
use crate::confine::processes_of_this_user;

/// So many processes and threads it may have besides those that its user has already.
const PROCESSES: u64 = 128;

/// How long a file may become.
const FILE: u64 = 64 << 20;

/// How many addresses it may take. Threads reserve 8 MiB each.
const ADDRESSES: u64 = 8 << 30;

/// How long it may compute, in seconds: more than any check takes.
const SECONDS: u64 = 120;

/// The limits and the filter of a restrained start.
#[derive(Debug)]
pub(super) struct Restraint {
    processes: u64,
}

impl Restraint {
    /// For a program that is started now.
    pub(super) fn now() -> Self {
        Self { processes: processes_of_this_user() + PROCESSES }
    }
}

impl Preparation for Restraint {
    fn in_child(&self) -> io::Result<()> {
        let limits = [
            (Resource::RLIMIT_CORE, 0),
            (Resource::RLIMIT_FSIZE, FILE),
            (Resource::RLIMIT_AS, ADDRESSES),
            (Resource::RLIMIT_CPU, SECONDS),
            (Resource::RLIMIT_NPROC, self.processes),
        ];
        for (resource, limit) in limits {
            let (_, hard) = nix::sys::resource::getrlimit(resource)?;
            setrlimit(resource, limit.min(hard), limit.min(hard))?;
        }
        // Where memory runs out, it is the first to go: proc(5).
        crate::confine::put("/proc/self/oom_score_adj", "1000")?;
        // kill(0, ...) is for its own group: that shall not be ours.
        nix::unistd::setpgid(Pid::from_raw(0), Pid::from_raw(0))?;
        // Without it a filter needs a privilege; with it no program that it starts gains one.
        nix::sys::prctl::set_no_new_privs()?;
        filter(nix::unistd::getpid().as_raw())
    }
}

// linux/seccomp.h, linux/bpf_common.h: words of the filter's language.
const LOAD: u16 = 0x20;
const EQUAL: u16 = 0x15;
const AT_LEAST: u16 = 0x35;
const RETURN: u16 = 0x06;
const ALLOW: u32 = 0x7fff_0000;
const ERRNO: u32 = 0x0005_0000;
/// Where `struct seccomp_data` has the call's number, whose it is, and the lower half of its first argument.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const FIRST: u32 = if cfg!(target_endian = "little") { 16 } else { 20 };

/// linux/audit.h: `AUDIT_ARCH_X86_64`, `AUDIT_ARCH_AARCH64`.
const NATIVE: u32 = if cfg!(target_arch = "x86_64") { 0xc000_003e } else { 0xc000_00b7 };

/// The calls that name a process first, which must be itself or its own group.
const NAMING: [libc::c_long; 5] = [
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_tgkill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
];

/// The calls that no exercise needs: they reach into other processes.
const REFUSED: [libc::c_long; 4] = [
    libc::SYS_ptrace,
    libc::SYS_process_vm_writev,
    libc::SYS_process_vm_readv,
    libc::SYS_pidfd_send_signal,
];

/// Lets the kernel refuse, with `EPERM`, what reaches into other processes. Makes system calls only.
fn filter(own: i32) -> io::Result<()> {
    let instruction = |code: u16, jt: u8, jf: u8, k: u32| libc::sock_filter { code, jt, jf, k };
    let mut program = [instruction(RETURN, 0, 0, ALLOW); 40];
    let mut length = 0;
    let mut add = |code, jt, jf, k| {
        program[length] = instruction(code, jt, jf, k);
        length += 1;
    };
    let number = |call: libc::c_long| u32::try_from(call).unwrap_or(u32::MAX);
    // The same calls have other numbers for programs of 32 bits, and for x32, whose numbers have this bit.
    add(LOAD, 0, 0, ARCHITECTURE);
    add(EQUAL, 1, 0, NATIVE);
    add(RETURN, 0, 0, ERRNO | Errno::ENOSYS as u32);
    add(LOAD, 0, 0, NUMBER);
    add(AT_LEAST, 0, 1, 0x4000_0000);
    add(RETURN, 0, 0, ERRNO | Errno::ENOSYS as u32);
    // Where a comparison holds, so many instructions are left out: to the refusal, or to the look at the first
    // argument, and from there to the permission.
    let naming = u8::try_from(NAMING.len()).unwrap_or_default();
    let refused = u8::try_from(REFUSED.len()).unwrap_or_default() + naming;
    for (at, call) in (0_u8..).zip(REFUSED) {
        add(EQUAL, refused + 4 - at, 0, number(call));
    }
    for (at, call) in (0_u8..).zip(NAMING) {
        add(EQUAL, naming - at, 0, number(call));
    }
    add(RETURN, 0, 0, ALLOW);
    add(LOAD, 0, 0, FIRST);
    for (at, allowed) in (0_u8..).zip([0, own.cast_unsigned(), own.wrapping_neg().cast_unsigned()])
    {
        add(EQUAL, 3 - at, 0, allowed);
    }
    add(RETURN, 0, 0, ERRNO | Errno::EPERM as u32);
    add(RETURN, 0, 0, ALLOW);
    let length = u16::try_from(length).unwrap_or_default();
    let program = libc::sock_fprog { len: length, filter: program.as_mut_ptr() };
    // SAFETY: the kernel reads the program, whose instructions are a local that lives on, and copies it.
    let set =
        unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) };
    Errno::result(set)?;
    Ok(())
}
