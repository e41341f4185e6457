//! The programs that a guest needs on the host, and how to get them.

use std::fs;
use std::path::{Path, PathBuf};

use cli::exit::EarlyExit;

use super::image::{Image, Machine};

/// The programs, by where they are.
#[derive(Debug)]
pub struct HostPrograms {
    /// `qemu-system-x86_64` or its like.
    pub qemu: PathBuf,
    /// One that needs no libraries: it is all that there is in the guest before the host's files are.
    pub busybox: PathBuf,
}

/// Of util-linux and coreutils: with them the guest runs each part as an ordinary user.
const IN_THE_GUEST: [(&str, &str); 4] = [
    ("setpriv", "util-linux"),
    ("setsid", "util-linux"),
    ("timeout", "coreutils"),
    ("env", "coreutils"),
];

/// Finds what these images need.
///
/// # Errors
///
/// A sentence for each program that is missing, with the package that has it; an image for another
/// architecture.
pub fn find(images: &[Image]) -> Result<HostPrograms, EarlyExit> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    find_in(&folders, images)
}

fn find_in(folders: &[PathBuf], images: &[Image]) -> Result<HostPrograms, EarlyExit> {
    let here = Machine::here();
    if let Some(other) = images.iter().find(|image| image.machine.name() != here) {
        let machine = other.machine.name();
        return Err(EarlyExit::Arguments(format!(
            "{} is for {machine}, and this machine is {here}. A guest runs the programs that are built \
             here, beside the libraries that are here: run this command on {machine}",
            other.kernel.display()
        )));
    }
    let (qemu, package) = match here {
        "aarch64" => ("qemu-system-aarch64", "qemu-system-arm"),
        _ => ("qemu-system-x86_64", "qemu-system-x86"),
    };
    let located = |name: &str| {
        let mut places = folders.iter().map(|folder| folder.join(name));
        places.find(|place| place.is_file())
    };
    let (qemu_at, busybox_at) = (located(qemu), located("busybox").filter(|path| is_static(path)));
    let mut missing = Vec::new();
    if qemu_at.is_none() {
        missing.push((qemu.to_owned(), package));
    }
    if busybox_at.is_none() {
        missing.push(("busybox that needs no libraries".to_owned(), "busybox-static"));
    }
    let others = IN_THE_GUEST.iter().filter(|(name, _)| located(name).is_none());
    missing.extend(others.map(|&(name, package)| (name.to_owned(), package)));
    match (qemu_at, busybox_at) {
        (Some(qemu), Some(busybox)) if missing.is_empty() => Ok(HostPrograms { qemu, busybox }),
        _ => Err(EarlyExit::Work(std::io::Error::other(how_to_get(&missing)))),
    }
}

fn how_to_get(missing: &[(String, &str)]) -> String {
    let lines = missing.iter().map(|(name, _)| format!("no {name} here\n"));
    let mut packages: Vec<&str> = missing.iter().map(|&(_, package)| package).collect();
    packages.dedup();
    let lines: String = lines.collect();
    format!("{lines}on Debian: apt-get install --no-install-recommends {}", packages.join(" "))
}

/// Is it an ELF program of 64 bits without an interpreter, which would load its libraries? elf(5).
fn is_static(path: &Path) -> bool {
    fs::read(path).is_ok_and(|file| names_interpreter(&file) == Some(false))
}

fn names_interpreter(file: &[u8]) -> Option<bool> {
    const INTERPRETER: &[u8] = &[3, 0, 0, 0];
    if file.get(..6)? != b"\x7fELF\x02\x01" {
        return None;
    }
    let short =
        |at: usize| Some(usize::from(u16::from_le_bytes(file.get(at..at + 2)?.try_into().ok()?)));
    let start = usize::try_from(u64::from_le_bytes(file.get(32..40)?.try_into().ok()?)).ok()?;
    let (size, count) = (short(54)?, short(56)?);
    let kinds = (0..count).map(|at| file.get(start + at * size..start + at * size + 4));
    Some(kinds.flatten().any(|kind| kind == INTERPRETER))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use cli::exit::EarlyExit;
    use tempfile::TempDir;

    use super::super::image::{Image, Machine};
    use super::{find_in, names_interpreter};

    fn words(end: Result<super::HostPrograms, EarlyExit>) -> String {
        match end {
            Err(EarlyExit::Work(error)) => error.to_string(),
            Err(EarlyExit::Arguments(words)) => words,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_missing_is_named_with_its_package() {
        let folder = TempDir::new().expect("a folder");
        let folders = [folder.path().to_owned()];
        let said = words(find_in(&folders, &[]));
        assert!(said.contains("no qemu-system-"), "{said}");
        assert!(said.contains("no busybox that needs no libraries here\n"), "{said}");
        assert!(said.contains("apt-get install --no-install-recommends qemu-system-"), "{said}");
        assert!(said.ends_with(" busybox-static util-linux coreutils"), "{said}");
        // One that would need the host's libraries is of no use.
        fs::copy("/bin/sh", folder.path().join("busybox")).expect("a program");
        assert!(words(find_in(&folders, &[])).contains("no busybox that needs no libraries"));
    }

    #[test]
    fn a_kernel_for_another_machine_is_refused() {
        let machine = match Machine::here() {
            "aarch64" => Machine::X86_64,
            _ => Machine::Aarch64,
        };
        let nowhere = std::path::PathBuf::from("/nowhere");
        let image =
            Image { kernel: nowhere.clone(), modules: nowhere, release: "1".to_owned(), machine };
        let said = words(find_in(&[], &[image]));
        assert!(said.contains(&format!("is for {}", machine.name())), "{said}");
    }

    #[test]
    fn a_program_with_libraries_is_told_from_one_without() {
        let own = std::env::current_exe().and_then(fs::read).expect("this program");
        assert_eq!(names_interpreter(&own), Some(true));
        assert_eq!(names_interpreter(b"#!/bin/sh\n"), None);
        let mut elf = vec![0; 64 + 56];
        elf[..6].copy_from_slice(b"\x7fELF\x02\x01");
        (elf[32], elf[54], elf[56], elf[64]) = (64, 56, 1, 1);
        assert_eq!(names_interpreter(&elf), Some(false));
        elf[64] = 3;
        assert_eq!(names_interpreter(&elf), Some(true));
    }
}
