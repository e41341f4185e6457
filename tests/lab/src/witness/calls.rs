//! The ptrace(2) and waitpid(2) calls that the witness needs, with plain numbers: signals of real
//! time and the stops of `PTRACE_SEIZE` have no place in the types that wrap them elsewhere.

use std::io;

use nix::errno::Errno;

/// linux/ptrace.h; not every C library names it.
const PTRACE_EVENT_STOP: i32 = 128;

/// linux/audit.h: the bit that the names of all 64-bit architectures have.
const AUDIT_ARCH_64BIT: u32 = 0x8000_0000;

/// include/linux/errno.h: the call is gone on with by `restart_syscall`, unless a handler runs.
pub(super) const ERESTART_RESTARTBLOCK: i32 = 516;

/// What waitpid(2) tells of a traced thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// It ended with this status, or was ended by a signal: the raw word says which.
    Ended(i32),
    /// It entered or left a system call.
    SystemCall,
    /// It will get this signal when it is resumed with it.
    Signal(i32),
    /// It is stopped as by this signal: signal(7), `SIGSTOP`. It stays so until `SIGCONT`.
    Stopped(i32),
    /// It has begun, or its stop is over.
    Began,
    /// It has made a thread or a process.
    Made,
    /// It became another program.
    Became,
    /// Nothing that is of interest.
    Else,
}

/// Waits for news of any thread that the calling thread traces, and takes none: `true` if one of them
/// has ended, or if there is none.
///
/// A child that fails to exec is waited for by the library that made it, which insists on its status:
/// the witness must leave that to it.
pub(super) fn would_be_the_end() -> bool {
    let flags = libc::WEXITED | libc::WSTOPPED | libc::WNOWAIT | libc::__WALL | libc::__WNOTHREAD;
    loop {
        // SAFETY: a structure of plain numbers, for which zero bytes are a value.
        let mut about: libc::siginfo_t = unsafe { std::mem::zeroed() };
        // SAFETY: the kernel writes one siginfo_t to the address, which is ours.
        let got = unsafe { libc::waitid(libc::P_ALL, 0, &raw mut about, flags) };
        match Errno::result(got) {
            Ok(_) => {
                let ends = [libc::CLD_EXITED, libc::CLD_KILLED, libc::CLD_DUMPED];
                return ends.contains(&about.si_code);
            }
            Err(Errno::EINTR) => {}
            Err(_) => return true,
        }
    }
}

/// Waits for news of any thread that the calling thread traces, and takes all that there is by then;
/// nothing when no thread is left.
///
/// All of it, because the kernel looks at its threads always in the same order: one that is resumed
/// after each piece of news would come first again, and the last ones would never be heard.
pub(super) fn news() -> io::Result<Vec<(i32, News)>> {
    let mut all: Vec<(i32, News)> = Vec::new();
    loop {
        let more = if all.is_empty() { 0 } else { libc::WNOHANG };
        let mut status = 0;
        // __WNOTHREAD: only what this thread traces; other subjects have threads of their own.
        let flags = libc::__WALL | libc::__WNOTHREAD | more;
        // SAFETY: the kernel writes one number to the address, which is ours.
        let tid = unsafe { libc::waitpid(-1, &raw mut status, flags) };
        match Errno::result(tid) {
            Ok(0) | Err(Errno::ECHILD) => return Ok(all),
            Ok(tid) => {
                let news = read(status);
                // The thread that had this number has gone without a word: another one called exec
                // and took it over. To resume it now would resume that one.
                if news == News::Became {
                    all.retain(|(earlier, _)| *earlier != tid);
                }
                all.push((tid, news));
            }
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

fn read(status: i32) -> News {
    if !libc::WIFSTOPPED(status) {
        return News::Ended(status);
    }
    let signal = libc::WSTOPSIG(status);
    match status >> 16 {
        0 if signal == libc::SIGTRAP | 0x80 => News::SystemCall,
        0 => News::Signal(signal),
        PTRACE_EVENT_STOP if signal == libc::SIGTRAP => News::Began,
        PTRACE_EVENT_STOP => News::Stopped(signal),
        libc::PTRACE_EVENT_CLONE | libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK => News::Made,
        libc::PTRACE_EVENT_EXEC => News::Became,
        _ => News::Else,
    }
}

/// Traces the process `pid` from now on, and every thread and process that it makes. All of them die
/// when the calling thread ends.
pub(super) fn seize(pid: i32) -> nix::Result<()> {
    let options: i32 = libc::PTRACE_O_TRACESYSGOOD
        | libc::PTRACE_O_TRACECLONE
        | libc::PTRACE_O_TRACEFORK
        | libc::PTRACE_O_TRACEVFORK
        | libc::PTRACE_O_TRACEEXEC
        | libc::PTRACE_O_EXITKILL;
    // SAFETY: PTRACE_SEIZE reads its arguments as numbers.
    Errno::result(unsafe {
        libc::ptrace(libc::PTRACE_SEIZE, pid, 0_usize, libc::c_long::from(options))
    })
    .map(drop)
}

/// How a stopped thread goes on.
#[derive(Debug, Clone, Copy)]
pub(super) enum On {
    /// To the next system call, with this signal delivered; 0 is none.
    ToCall(i32),
    /// To the next event, with this signal delivered; 0 is none.
    ToEvent(i32),
    /// Stopped as it is, but told when that ends.
    Stopped,
}

/// Resumes a stopped thread. That it has been killed meanwhile is no error: its end will be told.
pub(super) fn resume(tid: i32, how: On) {
    let (request, signal) = match how {
        On::ToCall(signal) => (libc::PTRACE_SYSCALL, signal),
        On::ToEvent(signal) => (libc::PTRACE_CONT, signal),
        On::Stopped => (libc::PTRACE_LISTEN, 0),
    };
    // SAFETY: these requests read their arguments as numbers.
    unsafe { libc::ptrace(request, tid, 0_usize, libc::c_long::from(signal)) };
}

/// The number that comes with an event: the new thread of `News::Made`, the old one of
/// `News::Became`.
pub(super) fn message(tid: i32) -> Option<i32> {
    let mut number: libc::c_ulong = 0;
    // SAFETY: the kernel writes one unsigned long to the address, which is ours.
    let got = unsafe { libc::ptrace(libc::PTRACE_GETEVENTMSG, tid, 0_usize, &raw mut number) };
    Errno::result(got).ok()?;
    i32::try_from(number).ok()
}

/// Where a thread stands that is stopped at a system call.
#[derive(Debug, Clone, Copy)]
pub(super) enum At {
    /// Before it: the call's number and its six arguments.
    Entry(u64, [u64; 6]),
    /// The same, of a 32-bit call, whose numbers and structures are others.
    Entry32(u64, [u64; 6]),
    /// Behind it: what it returned, or the errno.
    Exit(Result<i64, i32>),
}

/// Asks at which side of a system call the stopped thread is: `PTRACE_GET_SYSCALL_INFO`, since Linux
/// 5.3. `None` when it has been killed meanwhile.
pub(super) fn at(tid: i32) -> Option<At> {
    let info = nix::sys::ptrace::syscall_info(nix::unistd::Pid::from_raw(tid)).ok()?;
    match info.op {
        libc::PTRACE_SYSCALL_INFO_ENTRY => {
            // SAFETY: `op` says that the kernel has filled `entry`.
            let entry = unsafe { info.u.entry };
            Some(if info.arch & AUDIT_ARCH_64BIT == 0 {
                At::Entry32(entry.nr, entry.args)
            } else {
                At::Entry(entry.nr, entry.args)
            })
        }
        libc::PTRACE_SYSCALL_INFO_EXIT => {
            // SAFETY: `op` says that the kernel has filled `exit`.
            let exit = unsafe { info.u.exit };
            let failed = exit.is_error != 0;
            let errno = i32::try_from(-exit.sval).unwrap_or_default();
            Some(At::Exit(if failed { Err(errno) } else { Ok(exit.sval) }))
        }
        _ => None,
    }
}

/// Takes away the call before which a thread is stopped: the kernel makes none, and comes to the stop
/// behind it. `None` when the thread has been killed meanwhile.
pub(super) fn take_away(tid: i32) -> Option<()> {
    // No call has the number -1: ptrace(2), PTRACE_SYSCALL; syscall_trace_enter.
    set_number(tid, -1)
}

/// Puts another call in the place of the one before which a thread is stopped. `None` as above.
#[cfg(target_arch = "x86_64")]
pub(super) fn set_number(tid: i32, number: libc::c_long) -> Option<()> {
    change(tid, |registers| registers.orig_rax = number.cast_unsigned())
}

/// Puts another call in the place of the one before which a thread is stopped. `None` as above.
#[cfg(target_arch = "aarch64")]
pub(super) fn set_number(tid: i32, number: libc::c_long) -> Option<()> {
    // elf.h: the register set that holds the call's number alone. The general ones do not decide it here.
    const NT_ARM_SYSTEM_CALL: libc::c_long = 0x404;
    let mut number = i32::try_from(number).ok()?;
    let data = libc::iovec { iov_base: (&raw mut number).cast(), iov_len: size_of::<i32>() };
    // SAFETY: the kernel reads one iovec and the number that it points to; both are locals that live on.
    let set =
        unsafe { libc::ptrace(libc::PTRACE_SETREGSET, tid, NT_ARM_SYSTEM_CALL, &raw const data) };
    Errno::result(set).ok().map(drop)
}

/// The registers of a thread that is stopped before a call.
#[derive(Debug)]
pub(super) struct Registers(libc::user_regs_struct);

impl Registers {
    /// `None` as above.
    pub(super) fn of(tid: i32) -> Option<Self> {
        nix::sys::ptrace::getregs(nix::unistd::Pid::from_raw(tid)).ok().map(Self)
    }

    /// The stack pointer.
    pub(super) fn stack(&self) -> u64 {
        #[cfg(target_arch = "x86_64")]
        return self.0.rsp;
        #[cfg(target_arch = "aarch64")]
        return self.0.sp;
    }

    /// Sends a thread that is stopped behind another call back to make this one. `None` as above.
    pub(super) fn again(&self, tid: i32) -> Option<()> {
        let mut registers = self.0;
        #[cfg(target_arch = "x86_64")]
        {
            // The instruction `syscall` has two bytes, and finds the call's number in rax. With -1 in orig_rax the
            // kernel sees no call that a signal could let begin anew: arch_do_signal_or_restart.
            registers.rip -= 2;
            registers.rax = registers.orig_rax;
            registers.orig_rax = u64::MAX;
        }
        #[cfg(target_arch = "aarch64")]
        {
            // The instruction `svc` has four bytes; the call's number is still in x8.
            registers.pc -= 4;
        }
        nix::sys::ptrace::setregs(nix::unistd::Pid::from_raw(tid), registers).ok()
    }
}

/// Gives the call before which, or behind which, a thread is stopped another argument, counted from 0.
/// `None` as above.
#[cfg(target_arch = "x86_64")]
pub(super) fn set_argument(tid: i32, at: usize, value: u64) -> Option<()> {
    change(tid, |registers| {
        let arguments = [
            &mut registers.rdi,
            &mut registers.rsi,
            &mut registers.rdx,
            &mut registers.r10,
            &mut registers.r8,
            &mut registers.r9,
        ];
        if let Some(register) = arguments.into_iter().nth(at) {
            *register = value;
        }
    })
}

/// Gives the call before which, or behind which, a thread is stopped another argument, counted from 0.
/// `None` as above.
#[cfg(target_arch = "aarch64")]
pub(super) fn set_argument(tid: i32, at: usize, value: u64) -> Option<()> {
    change(tid, |registers| registers.regs[at] = value)
}

/// Gives the call behind which a thread is stopped another result: a value, or an errno made negative.
/// `None` as above.
pub(super) fn set_result(tid: i32, value: i64) -> Option<()> {
    change(tid, |registers| {
        #[cfg(target_arch = "x86_64")]
        {
            registers.rax = value.cast_unsigned();
        }
        #[cfg(target_arch = "aarch64")]
        {
            registers.regs[0] = value.cast_unsigned();
        }
    })
}

fn change(tid: i32, how: impl FnOnce(&mut libc::user_regs_struct)) -> Option<()> {
    let pid = nix::unistd::Pid::from_raw(tid);
    let mut registers = nix::sys::ptrace::getregs(pid).ok()?;
    how(&mut registers);
    nix::sys::ptrace::setregs(pid, registers).ok()
}

/// A signal's name; those of real time by their number: `SIGRT34`.
pub(super) fn signal_name(signal: i32) -> String {
    match nix::sys::signal::Signal::try_from(signal) {
        Ok(signal) => signal.as_str().to_owned(),
        Err(_) => format!("SIGRT{signal}"),
    }
}
