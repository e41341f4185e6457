//! A room of its own for a whole test program and all that it starts: user, process and mount namespaces,
//! `user_namespaces(7)`, `pid_namespaces(7)`, `mount_namespaces(7)`.
//!
//! When the program ends, however it ends, the kernel kills whatever it has started and left behind: its room's first
//! process ends, and with it the room. Files can be written in a small memory only.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::OnceLock;

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

use crate::kernel;
use crate::namespace;
use crate::probe::in_a_child;
use crate::process;

/// How much may be written in each place: it is memory.
const MEMORY: &str = "size=64m,mode=1777";

/// How many processes and threads the room has at most, where its kernel counts each room's: `pid_namespaces(7)`.
const PROCESSES: &str = "2048";

/// Where the calling process goes on.
pub enum Confined {
    /// In a room of its own.
    Inside,
    /// Here, as it was: the machine forbids such rooms. The sentence names the setting.
    Forbidden(io::Error),
    /// This is who has waited for the one inside, which has ended with this status.
    Over(ExitCode),
}

/// Where one may write in a room, and what shall be seen in it as it is outside.
#[derive(Debug, Clone)]
pub struct Room {
    scratch: PathBuf,
    /// /tmp, unless something that is needed lies below it.
    more: Option<PathBuf>,
}

/// How many processes and threads the user had outside.
static OUTSIDE: OnceLock<u64> = OnceLock::new();

/// How many processes and threads run as this user, outside of a room as well.
pub(crate) fn processes_of_this_user() -> u64 {
    OUTSIDE.get().copied().unwrap_or_default() + process::count_of_this_user()
}

impl Room {
    /// With an empty `scratch`, which is the folder for temporary files then. /tmp is empty as well, unless something
    /// of `needed` lies below it.
    #[must_use]
    pub fn with(scratch: &Path, needed: &[&Path]) -> Self {
        let tmp = Path::new("/tmp");
        let is_needed = needed.iter().any(|path| path.starts_with(tmp));
        Self { scratch: scratch.to_owned(), more: (!is_needed).then(|| tmp.to_owned()) }
    }

    /// Can such a room be made here? Tried for real, in a child.
    ///
    /// # Errors
    ///
    /// One of kind `Unsupported`, with a sentence that names the setting, where it is forbidden.
    pub fn possible(&self) -> io::Result<()> {
        let walls = Walls::of(self)?;
        in_a_child(|| {
            walls.unshare()?;
            in_a_child(|| walls.furnish())
        })
        .map_err(namespace::explain)
    }

    /// Puts this process into it. It must have one thread; it goes on inside as another process, and what was started
    /// stays outside and waits for it.
    ///
    /// # Errors
    ///
    /// What fork(2) and waitpid(2) say.
    pub fn enter(&self) -> io::Result<Confined> {
        if let Err(error) = self.possible() {
            return Ok(Confined::Forbidden(error));
        }
        OUTSIDE.get_or_init(process::count_of_this_user);
        let walls = Walls::of(self)?;
        walls.unshare()?;
        // SAFETY: this process has one thread, so the child may do whatever it likes.
        match unsafe { fork() }? {
            ForkResult::Parent { child } => Ok(Confined::Over(wait_for(child)?)),
            ForkResult::Child => {
                end_with_parent()?;
                walls.furnish()?;
                // SAFETY: as above.
                match unsafe { fork() }? {
                    // The room's first process: whoever loses its parent becomes its child.
                    ForkResult::Parent { child } => Ok(Confined::Over(wait_for(child)?)),
                    ForkResult::Child => {
                        end_with_parent()?;
                        // SAFETY: there is no other thread that could read the environment meanwhile.
                        unsafe { std::env::set_var("TMPDIR", &self.scratch) };
                        Ok(Confined::Inside)
                    }
                }
            }
        }
    }
}

/// Has this process gone into a room?
#[must_use]
pub fn is_inside() -> bool {
    OUTSIDE.get().is_some()
}

/// Can such rooms be made here?
///
/// # Errors
///
/// As [`Room::possible`].
pub fn possible() -> io::Result<()> {
    Room::with(Path::new("/tmp"), &[]).possible()
}

/// Everything that making a room needs, ready in memory: between fork and exit there are system calls only.
struct Walls {
    user: String,
    group: String,
    memories: Vec<CString>,
    counts_processes: bool,
}

impl Walls {
    fn of(room: &Room) -> io::Result<Self> {
        let (user, group) = (nix::unistd::geteuid(), nix::unistd::getegid());
        let folders = [&room.scratch].into_iter().chain(&room.more);
        let memories = folders.map(|path| CString::new(path.as_os_str().as_bytes()));
        Ok(Self {
            user: format!("{user} {user} 1\n"),
            group: format!("{group} {group} 1\n"),
            memories: memories.collect::<Result<_, _>>()?,
            // Before, the setting was the whole machine's.
            counts_processes: !kernel::is_before(6, 14),
        })
    }

    /// Leaves the namespaces of the user, of mounts and, for its children, of processes.
    fn unshare(&self) -> io::Result<()> {
        unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS)?;
        put("/proc/self/setgroups", "deny")?;
        put("/proc/self/uid_map", &self.user)?;
        put("/proc/self/gid_map", &self.group)
    }

    /// Nothing that is mounted here is seen outside; /proc knows the room alone; nothing can be written but the small
    /// memories.
    fn furnish(&self) -> io::Result<()> {
        let none: Option<&str> = None;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
        match all_read_only() {
            // Linux before 5.12 has no such call: there a file may be as long as a limit allows.
            Ok(()) | Err(Errno::ENOSYS) => {}
            Err(errno) => return Err(errno.into()),
        }
        let safe = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
        mount(Some("proc"), "/proc", Some("proc"), safe | MsFlags::MS_NOEXEC, none)?;
        for folder in &self.memories {
            mount(Some("memory"), folder.as_c_str(), Some("tmpfs"), safe, Some(MEMORY))?;
        }
        if self.counts_processes {
            // The user may be one who must not.
            let _ = put("/proc/sys/kernel/pid_max", PROCESSES);
        }
        Ok(())
    }
}

/// Writes a file of /proc. System calls only.
pub(crate) fn put(path: &str, text: &str) -> io::Result<()> {
    fs::OpenOptions::new().write(true).open(path).and_then(|mut file| {
        use std::io::Write;
        file.write_all(text.as_bytes())
    })
}

/// `struct mount_attr`, `mount_setattr(2)`.
#[repr(C)]
struct MountAttributes {
    set: u64,
    clear: u64,
    propagation: u64,
    user_namespace: u64,
}

/// Makes whatever is mounted read-only: `mount_setattr(2)`, Linux 5.12.
fn all_read_only() -> Result<(), Errno> {
    const READ_ONLY: u64 = 1;
    const RECURSIVE: i32 = 0x8000;
    const HERE: RawFd = libc::AT_FDCWD;
    let attributes =
        MountAttributes { set: READ_ONLY, clear: 0, propagation: 0, user_namespace: 0 };
    // SAFETY: the path and the structure are locals that live on; the kernel reads as many bytes as are named.
    let done = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            HERE,
            c"/".as_ptr(),
            RECURSIVE,
            &raw const attributes,
            size_of::<MountAttributes>(),
        )
    };
    Errno::result(done).map(drop)
}

/// prctl(2), `PR_SET_PDEATHSIG`.
fn end_with_parent() -> io::Result<()> {
    Ok(nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?)
}

/// Takes the status of every child that ends, until it is this one's.
fn wait_for(child: Pid) -> io::Result<ExitCode> {
    loop {
        match waitpid(None, None) {
            Ok(WaitStatus::Exited(pid, status)) if pid == child => {
                return Ok(ExitCode::from(u8::try_from(status).unwrap_or(1)));
            }
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == child => {
                return Ok(ExitCode::from(128 + u8::try_from(signal as i32).unwrap_or_default()));
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}
