//! The modules that a guest needs, with those that they need themselves, in the order in which they can
//! be loaded. A package has no `modules.dep`: that is written when it is installed, depmod(8).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::image::Image;

/// What every guest needs: its devices, the host's files with an overlay, and what the networks of the
/// checks are made of, which nobody in there may load.
const WANTED: [&str; 7] =
    ["virtio_pci", "virtio_rng", "9pnet_virtio", "9p", "overlay", "veth", "af_packet"];

/// A module: its name, and what the kernel is given.
pub struct Module {
    /// As the kernel calls it: `virtio_pci`.
    pub name: String,
    /// The file, uncompressed.
    pub content: Vec<u8>,
}

/// Those that an image needs, each after those that it needs.
///
/// # Errors
///
/// A sentence about a module that is not there or cannot be read.
pub fn needed(image: &Image) -> io::Result<Vec<Module>> {
    let mut files = BTreeMap::new();
    gather(&image.modules.join("kernel"), &mut files)?;
    let mut all = Loading { image, files, known: built_in(&image.modules), loaded: Vec::new() };
    for name in WANTED {
        all.load(name)?;
    }
    Ok(all.loaded)
}

struct Loading<'a> {
    image: &'a Image,
    files: BTreeMap<String, PathBuf>,
    /// Those that are in the kernel or in the list already. `None`: nobody knows what is in the kernel.
    known: Option<BTreeSet<String>>,
    loaded: Vec<Module>,
}

impl Loading<'_> {
    fn load(&mut self, name: &str) -> io::Result<()> {
        let known = |known: &BTreeSet<String>| known.contains(name);
        if self.known.as_ref().is_some_and(known) || self.loaded.iter().any(|one| one.name == name)
        {
            return Ok(());
        }
        let Some(file) = self.files.get(name).cloned() else {
            // Without a list of what is in the kernel, it may well be there.
            if self.known.is_none() {
                return Ok(());
            }
            let folder = self.image.modules.display();
            return Err(io::Error::other(format!(
                "Linux {}: no module {name} in {folder}, and it is not in the kernel (modules.builtin): \
                 take the image of a whole distribution, not one for a cloud",
                self.image.release
            )));
        };
        let content = uncompressed(&file)?;
        for needed in depends(&content) {
            self.load(&needed)?;
        }
        self.loaded.push(Module { name: name.to_owned(), content });
        Ok(())
    }
}

/// All modules below a folder, by the kernel's names for them.
fn gather(folder: &Path, files: &mut BTreeMap<String, PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            gather(&path, files)?;
        } else if let Some(name) = path.file_name().and_then(|name| module_name(name.to_str()?)) {
            files.insert(name, path);
        }
    }
    Ok(())
}

/// `virtio-rng.ko.xz` is `virtio_rng`.
fn module_name(file: &str) -> Option<String> {
    let (name, compressed) = file.split_once(".ko")?;
    matches!(compressed, "" | ".xz" | ".zst" | ".gz").then(|| name.replace('-', "_"))
}

/// The lines of `modules.builtin`.
fn built_in(modules: &Path) -> Option<BTreeSet<String>> {
    let list = fs::read_to_string(modules.join("modules.builtin")).ok()?;
    Some(list.lines().filter_map(|path| module_name(path.rsplit('/').next()?)).collect())
}

/// What a module says that it needs: `depends=` in its section `.modinfo`, modinfo(8).
fn depends(module: &[u8]) -> Vec<String> {
    let mark = b"\0depends=";
    let Some(at) = module.windows(mark.len()).position(|bytes| bytes == mark) else {
        return Vec::new();
    };
    let list = module[at + mark.len()..].split(|&byte| byte == 0).next().unwrap_or_default();
    let list = String::from_utf8_lossy(list);
    list.split(',').filter(|name| !name.is_empty()).map(|name| name.replace('-', "_")).collect()
}

/// A file's content; a compressed one through the program that knows its form.
fn uncompressed(file: &Path) -> io::Result<Vec<u8>> {
    let (program, package) = match file.extension().and_then(|extension| extension.to_str()) {
        Some("xz") => ("xz", "xz-utils"),
        Some("zst") => ("zstd", "zstd"),
        Some("gz") => ("gzip", "gzip"),
        _ => return fs::read(file),
    };
    let mut command = Command::new(program);
    command.args(["-dc"]).arg(file).stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = command.output().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => io::Error::other(format!(
            "{} is compressed, and there is no {program} here: apt-get install {package}",
            file.display()
        )),
        _ => error,
    })?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(io::Error::other(format!("{program} -dc {}: {}", file.display(), output.status)))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use tempfile::TempDir;

    use super::super::image::{Image, Machine};
    use super::{WANTED, depends, module_name, needed};

    #[test]
    fn a_module_is_known_by_the_kernels_name_for_it() {
        assert_eq!(module_name("virtio-rng.ko.xz").as_deref(), Some("virtio_rng"));
        assert_eq!(module_name("9p.ko").as_deref(), Some("9p"));
        assert_eq!(module_name("modules.order"), None);
        assert_eq!(module_name("9p.ko.bz2"), None);
        assert_eq!(depends(b"a\0depends=9pnet,virtio-ring\0name=x\0"), ["9pnet", "virtio_ring"]);
        assert!(depends(b"a\0depends=\0").is_empty());
    }

    fn image(modules: &Path) -> Image {
        Image {
            kernel: modules.join("vmlinuz"),
            modules: modules.to_owned(),
            release: "1.2".to_owned(),
            machine: Machine::X86_64,
        }
    }

    #[test]
    fn what_a_module_needs_comes_before_it_and_once() {
        let folder = TempDir::new().expect("a folder");
        let kernel = folder.path().join("kernel/fs");
        fs::create_dir_all(&kernel).expect("a folder");
        for (name, depends) in [("9p", "9pnet"), ("9pnet", ""), ("9pnet_virtio", "9pnet")] {
            let text = format!("x\0depends={depends}\0");
            fs::write(kernel.join(format!("{name}.ko")), text).expect("a module");
        }
        let others = WANTED.iter().filter(|name| !name.starts_with('9'));
        let list: Vec<String> = others.map(|name| format!("kernel/{name}.ko")).collect();
        fs::write(folder.path().join("modules.builtin"), list.join("\n")).expect("a list");
        let names = |image: &Image| -> Vec<String> {
            let modules = needed(image).expect("modules");
            modules.into_iter().map(|module| module.name).collect()
        };
        assert_eq!(names(&image(folder.path())), ["9pnet", "9pnet_virtio", "9p"]);
        fs::write(folder.path().join("modules.builtin"), "").expect("a list");
        let missing = needed(&image(folder.path())).err().expect("no virtio_pci");
        assert!(
            missing.to_string().starts_with("Linux 1.2: no module virtio_pci in "),
            "{missing}"
        );
    }
}
