//! A virtual machine: it boots a kernel, runs the parts, and is ended with all that it holds.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use cli::screen::Screen;
use cli::syllabus::root;
use lab::script::quoted;
use lab::wait::Late;
use nix::sys::signal::Signal;

use super::Accel;
use super::archive::Archive;
use super::console::{Heard, Shown};
use super::image::{Image, Machine};
use super::modules;
use super::needs::HostPrograms;
use super::parts::GuestPart;
use crate::bounded::{Bounded, Ending};

/// The guest's first process.
const INIT: &str = include_str!("init.sh");

/// How long a guest may take to come up under KVM before it is tried without.
const PROBE: Duration = Duration::from_secs(30);

/// Whose rights the parts have, where this program runs as root.
const SOMEBODY: u32 = 1000;

/// How to run guests.
pub struct Guest<'a> {
    /// Ends qemu in time, and when we are told to end.
    pub bounded: &'a Bounded,
    /// What is on the host.
    pub programs: &'a HostPrograms,
    /// What is run.
    pub parts: &'a [GuestPart],
    /// What runs it; no longer `Auto` when that has been found out.
    pub accel: Accel,
    /// How long a part may take, in seconds.
    pub limit: u64,
    /// How long a guest may take.
    pub bound: Duration,
    /// In MiB.
    pub memory: u32,
    /// How many tests run at the same time.
    pub threads: u32,
}

/// What came of a kernel.
pub enum Booted {
    /// Every part passed.
    Passed,
    /// One did not, or it did not come so far.
    Failed,
    /// A signal has ended it.
    Told(Signal),
}

impl Guest<'_> {
    /// Boots a kernel, runs the parts, and writes what they print to files in `out`.
    ///
    /// # Errors
    ///
    /// A module that is not there; what starting qemu and writing the files say.
    pub fn run(&mut self, image: &Image, out: &Path, screen: &mut Screen) -> io::Result<Booted> {
        let archive = self.archive(image)?;
        if self.accel == Accel::Auto {
            screen.line(format_args!("Linux {}: does it boot under KVM?", image.release))?;
            let qemu = self.qemu(image, archive.path(), Accel::Kvm, "probe", out);
            let mut seen = Heard::default();
            let came_up = match self.attend(qemu, PROBE, &out.join("kvm.txt"), &mut seen)? {
                Ending::Told(signal) => return Ok(Booted::Told(signal)),
                _ => seen.up.is_some(),
            };
            self.accel = if came_up { Accel::Kvm } else { Accel::Tcg };
        }
        screen.line(format_args!("Linux {}, under {}", image.release, self.accel.name()))?;
        let qemu = self.qemu(image, archive.path(), self.accel, "run", out);
        let shown = Shown { parts: self.parts, limit: self.limit, out, screen };
        let mut told = Heard { shown: Some(shown), ..Heard::default() };
        let end = self.attend(qemu, self.bound, &out.join("console.txt"), &mut told)?;
        let Heard { passed, ended, done, gave_up, running, .. } = told;
        let problem = match end {
            Ending::Told(signal) => return Ok(Booted::Told(signal)),
            Ending::TimeUp => {
                Some(Late::error(format!("not finished after {:?}", self.bound)).to_string())
            }
            Ending::Exited(_) if done => None,
            Ending::Exited(status) => {
                let why = gave_up.unwrap_or_else(|| format!("qemu has ended: {status}"));
                Some(format!("{why}; see {}", out.join("console.txt").display()))
            }
        };
        if let Some(problem) = &problem {
            let during = running.map_or(String::new(), |part| format!("in {part}: "));
            screen.line(format_args!("  FAILED  {during}{problem}"))?;
        }
        // What the guest says may be cut by what its kernel says: then nothing is known of a part.
        for part in
            self.parts.iter().filter(|part| problem.is_none() && !ended.contains(&part.name))
        {
            screen.line(format_args!("  FAILED  {}: nothing was heard of its end", part.name))?;
        }
        let all = problem.is_none() && passed.len() == self.parts.len();
        Ok(if all { Booted::Passed } else { Booted::Failed })
    }

    /// Runs qemu to its end; hears what the guest tells, and keeps the whole console in a file.
    fn attend(
        &self,
        mut qemu: Command,
        bound: Duration,
        console: &Path,
        told: &mut Heard<'_>,
    ) -> io::Result<Ending> {
        let (reader, writer) = io::pipe()?;
        let writer = File::from(OwnedFd::from(writer));
        let mut log = File::create(console)?;
        thread::scope(|scope| {
            let listening = scope.spawn(move || told.listen(reader, &mut log));
            let end = self.bounded.run(&mut qemu, bound, &writer);
            // The last ones who could write: then the reader comes to an end.
            drop((writer, qemu));
            let heard =
                listening.join().unwrap_or_else(|_| Err(io::Error::other("nobody listened")));
            heard.and(end)
        })
    }

    /// The archive that the kernel begins with.
    fn archive(&self, image: &Image) -> io::Result<tempfile::NamedTempFile> {
        let mut archive = Archive::default();
        for folder in ["bin", "dev", "modules"] {
            archive.folder(folder);
        }
        archive.console();
        archive.file("bin/busybox", 0o755, &fs::read(&self.programs.busybox)?);
        archive.file("init", 0o755, INIT.as_bytes());
        archive.file("settings", 0o644, self.settings().as_bytes());
        let steps: String = self.parts.iter().map(step).collect();
        archive.file("steps", 0o644, steps.as_bytes());
        for (at, module) in modules::needed(image)?.iter().enumerate() {
            archive.file(&format!("modules/{at:02}-{}.ko", module.name), 0o644, &module.content);
        }
        let mut file = tempfile::NamedTempFile::new()?;
        file.write_all(&archive.end())?;
        Ok(file)
    }

    /// Variables of sh.
    fn settings(&self) -> String {
        let target = self.parts.first().and_then(|part| target_of(&part.program));
        let target = target.unwrap_or_else(|| root().join("target"));
        let folders = [root(), target.clone()].map(|folder| folder.display().to_string());
        let (user, group) = (nix::unistd::geteuid(), nix::unistd::getegid());
        let (user, group) =
            if user.is_root() { (SOMEBODY, SOMEBODY) } else { (user.as_raw(), group.as_raw()) };
        format!(
            "USER_ID={user}\nGROUP_ID={group}\nLIMIT={}\nTHREADS={}\nFOLDERS={}\n\
             SCRATCH={}\nPROGRAMS={}\n",
            self.limit,
            self.threads,
            quoted(&folders.join("\n")),
            quoted(&target.join("tmp").display().to_string()),
            quoted(&target.join("debug").display().to_string()),
        )
    }

    fn qemu(&self, image: &Image, archive: &Path, accel: Accel, task: &str, out: &Path) -> Command {
        let mut qemu = Command::new(&self.programs.qemu);
        let (machine, console) = match image.machine {
            Machine::X86_64 => ("q35", "ttyS0"),
            Machine::Aarch64 => ("virt", "ttyAMA0"),
        };
        qemu.args(["-machine", machine]).args(accel.arguments());
        qemu.args(["-smp", "2", "-m", &self.memory.to_string()]);
        qemu.args(["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]);
        qemu.args(["-serial", "stdio", "-device", "virtio-rng-pci"]);
        qemu.arg("-kernel").arg(&image.kernel).arg("-initrd").arg(archive);
        qemu.args(["-append", &format!("console={console} panic=-1 loglevel=4 readiness={task}")]);
        share(&mut qemu, Path::new("/"), "host", ",readonly=on");
        share(&mut qemu, out, "out", "");
        qemu
    }
}

fn share(qemu: &mut Command, folder: &Path, tag: &str, more: &str) {
    // A comma in an option of qemu is written twice.
    let path = folder.display().to_string().replace(',', ",,");
    qemu.arg("-virtfs").arg(format!(
        "local,path={path},mount_tag={tag},security_model=none,multidevs=remap{more}"
    ));
}

/// A line of the guest's list.
fn step(part: &GuestPart) -> String {
    let GuestPart { name, folder, program, arguments, .. } = part;
    format!("{name}|{}|{}|{arguments}\n", folder.display(), program.display())
}

/// `target`, of a program in `target/debug` or `target/debug/deps`.
fn target_of(program: &Path) -> Option<PathBuf> {
    let debug = program.ancestors().find(|folder| folder.ends_with("debug"))?;
    debug.parent().map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use super::{share, target_of};

    #[test]
    fn a_comma_in_a_path_is_written_as_qemu_reads_it() {
        let mut qemu = Command::new("qemu");
        share(&mut qemu, Path::new("/a,b"), "host", "");
        let arguments: Vec<_> = qemu.get_args().map(|one| one.to_string_lossy()).collect();
        assert!(arguments[1].starts_with("local,path=/a,,b,mount_tag=host,"), "{arguments:?}");
    }

    #[test]
    fn the_folder_of_all_that_is_built_is_found() {
        let target = |path: &str| target_of(Path::new(path)).map(|path| path.display().to_string());
        assert_eq!(target("/a/target/debug/deps/x-1").as_deref(), Some("/a/target"));
        assert_eq!(target("/a/debug/x").as_deref(), Some("/a"));
    }
}
