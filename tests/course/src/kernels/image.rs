//! A kernel that can be booted: its image, and the folder of its modules.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use cli::exit::EarlyExit;

/// A kernel.
#[derive(Debug, Clone)]
pub struct Image {
    /// The file that is booted.
    pub kernel: PathBuf,
    /// `lib/modules/RELEASE`.
    pub modules: PathBuf,
    /// What the kernel will call itself: `6.1.0-56-amd64`.
    pub release: String,
    /// What it runs on.
    pub machine: Machine,
}

/// An architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Machine {
    /// `x86_64`
    X86_64,
    /// `aarch64`
    Aarch64,
}

impl Machine {
    /// As uname(1) says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
        }
    }

    /// What this program was built for.
    pub fn here() -> &'static str {
        std::env::consts::ARCH
    }

    /// By what the first kilobyte of an image says: `Documentation/arch/x86/boot.rst`,
    /// `Documentation/arch/arm64/booting.rst` of the kernel; a compressed one is an EFI program.
    fn of(beginning: &[u8]) -> Option<Self> {
        let at = |place: usize, text: &[u8]| beginning.get(place..place + text.len()) == Some(text);
        if at(0x202, b"HdrS") {
            Some(Self::X86_64)
        } else if at(56, b"ARM\x64") || at(4, b"zimg") {
            Some(Self::Aarch64)
        } else {
            None
        }
    }
}

impl Image {
    /// Finds what belongs together: `path` is an image, or a folder into which a package was unpacked.
    ///
    /// # Errors
    ///
    /// A sentence about what is not there.
    pub fn find(path: &Path) -> Result<Self, EarlyExit> {
        let wrong = |words: String| EarlyExit::Arguments(format!("{}: {words}", path.display()));
        let kernel = if path.is_dir() {
            match &below(path)[..] {
                [one] => one.clone(),
                [] => {
                    let words = "no boot/vmlinuz-* and no lib/modules/*/vmlinuz in it; unpack a package \
                                 linux-image-* there: dpkg-deb -x PACKAGE.deb FOLDER";
                    return Err(wrong(words.to_owned()));
                }
                several => {
                    let names: Vec<_> =
                        several.iter().map(|one| one.display().to_string()).collect();
                    return Err(wrong(format!("several kernels, name one: {}", names.join(", "))));
                }
            }
        } else {
            path.to_owned()
        };
        let mut beginning = Vec::new();
        let read = File::open(&kernel).and_then(|file| file.take(1024).read_to_end(&mut beginning));
        read.map_err(|error| wrong(error.to_string()))?;
        let machine = Machine::of(&beginning).ok_or_else(|| {
            wrong("is no image of a Linux kernel for x86-64 or aarch64".to_owned())
        })?;
        let modules = modules_of(&kernel).ok_or_else(|| {
            wrong("the folder of its modules is not beside it: lib/modules/RELEASE".to_owned())
        })?;
        let release = modules.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { kernel, modules, release, machine })
    }
}

/// The kernels in a folder into which a package was unpacked, or in the root of a system.
fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = entries(&folder.join("boot"));
    found.retain(|path| name(path).starts_with("vmlinuz-"));
    for modules in ["lib/modules", "usr/lib/modules"] {
        let images = entries(&folder.join(modules)).into_iter().map(|one| one.join("vmlinuz"));
        found.extend(images.filter(|path| path.is_file()));
    }
    // lib may be a link to usr/lib.
    let mut known = Vec::new();
    found.retain(|path| {
        let real = path.canonicalize().unwrap_or_default();
        let first = !known.contains(&real);
        known.push(real);
        first
    });
    found
}

/// `vmlinuz` lies among its modules; `boot/vmlinuz-RELEASE` beside `lib/modules/RELEASE`.
fn modules_of(kernel: &Path) -> Option<PathBuf> {
    let folder = kernel.parent()?;
    if folder.join("kernel").is_dir() {
        return Some(folder.to_owned());
    }
    let release = name(kernel).strip_prefix("vmlinuz-")?.to_owned();
    let beside = [folder.to_owned(), folder.join("..")];
    let places = beside.iter().flat_map(|root| {
        ["lib/modules", "usr/lib/modules"].map(|modules| root.join(modules).join(&release))
    });
    places.into_iter().find(|place| place.join("kernel").is_dir())
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use cli::exit::EarlyExit;
    use tempfile::TempDir;

    use super::{Image, Machine};

    fn write(path: &Path, machine: Machine) {
        let mut bytes = vec![0; 1024];
        match machine {
            Machine::X86_64 => bytes[0x202..0x206].copy_from_slice(b"HdrS"),
            Machine::Aarch64 => bytes[56..60].copy_from_slice(b"ARM\x64"),
        }
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("an image");
    }

    fn refused(path: &Path) -> String {
        match Image::find(path) {
            Err(EarlyExit::Arguments(words)) => words,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn both_forms_of_a_package_are_found() {
        let folder = TempDir::new().expect("a folder");
        let old = folder.path().join("old");
        write(&old.join("boot/vmlinuz-6.1.0-1"), Machine::X86_64);
        fs::create_dir_all(old.join("lib/modules/6.1.0-1/kernel")).expect("modules");
        for path in [old.clone(), old.join("boot/vmlinuz-6.1.0-1")] {
            let image = Image::find(&path).expect("a kernel");
            assert_eq!((image.release.as_str(), image.machine), ("6.1.0-1", Machine::X86_64));
            assert!(image.modules.ends_with("lib/modules/6.1.0-1"), "{image:?}");
        }
        let new = folder.path().join("new");
        write(&new.join("usr/lib/modules/7.3.4/vmlinuz"), Machine::Aarch64);
        fs::create_dir_all(new.join("usr/lib/modules/7.3.4/kernel")).expect("modules");
        let image = Image::find(&new).expect("a kernel");
        assert_eq!((image.release.as_str(), image.machine), ("7.3.4", Machine::Aarch64));
    }

    #[test]
    fn what_is_missing_is_named() {
        let folder = TempDir::new().expect("a folder");
        assert!(refused(folder.path()).contains("dpkg-deb -x"));
        assert!(refused(&folder.path().join("none")).contains("none: No such file"));
        let image = folder.path().join("boot/vmlinuz-1.0");
        write(&image, Machine::X86_64);
        assert!(refused(&image).contains("lib/modules/RELEASE"));
        fs::write(&image, "text").expect("a file");
        assert!(refused(&image).contains("no image of a Linux kernel"));
        write(&folder.path().join("boot/vmlinuz-2.0"), Machine::X86_64);
        assert!(refused(folder.path()).contains("several kernels"));
    }
}
