//! Is it still the same code that is checked? A number that says so: FNV-1a over the names and the bytes of all files that
//! the tests are built from or read, and what builds them.

use std::fs;
use std::io;
use std::path::Path;

use crate::house::tidy;

/// What the tests are built from or read. README, changelog and whatever is only for people is not among it.
const PARTS: [&str; 9] = [
    "Cargo.lock",
    "Cargo.toml",
    "README.md",
    "rust-toolchain.toml",
    ".cargo/config.toml",
    "book/src",
    "book/recordings",
    "chapters",
    "tests",
];

/// A workspace of its own, which the suite does not build; and what cargo has built anywhere.
const NOT_CHECKED: [&str; 2] = ["tests/bench", "target"];

/// The number of the code in the folder `root`, built by this compiler, in hexadecimal.
///
/// # Errors
///
/// What reading says, with the path.
pub fn number(root: &Path, compiler: &str) -> io::Result<String> {
    let mut number = Number(0xcbf2_9ce4_8422_2325);
    number.take(compiler.as_bytes());
    for part in PARTS {
        of(root, &root.join(part), &mut number)?;
    }
    Ok(format!("{:016x}", number.0))
}

struct Number(u64);

impl Number {
    /// A zero behind each part: no byte may wander from one to the next unseen.
    fn take(&mut self, bytes: &[u8]) {
        for byte in bytes.iter().chain(&[0]) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

fn of(root: &Path, path: &Path, number: &mut Number) -> io::Result<()> {
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let name = tidy(path.strip_prefix(root).unwrap_or(path));
    if !path.exists()
        || NOT_CHECKED.iter().any(|not| name == *not || name.ends_with(&format!("/{not}")))
    {
        return Ok(());
    }
    if path.is_dir() {
        let entries: io::Result<Vec<_>> = fs::read_dir(path).map_err(named)?.collect();
        let mut entries: Vec<_> = entries.map_err(named)?.iter().map(fs::DirEntry::path).collect();
        entries.sort();
        return entries.iter().try_for_each(|entry| of(root, entry, number));
    }
    number.take(name.as_bytes());
    number.take(&fs::read(path).map_err(named)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::number;

    #[test]
    fn only_what_is_checked_counts() {
        let root = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        };
        let now = || number(root.path(), "rustc 1").expect("the files");
        write("chapters/03-a/src/main.rs", "fn main() {}");
        let first = now();
        for not_checked in
            ["tests/bench/src/main.rs", "chapters/03-a/target/x", "CHANGELOG.md", "work/a.rs"]
        {
            write(not_checked, "words");
            assert_eq!(now(), first, "{not_checked}");
        }
        let mut seen = vec![first.clone(), number(root.path(), "rustc 2").expect("the files")];
        for (checked, text) in [
            ("chapters/03-a/src/main.rs", "fn main() { }"),
            ("chapters/03-a/src/more.rs", ""),
            ("tests/03_a.rs", "a"),
            ("tests/03_b.rs", "a"),
            ("book/src/03-a.md", "a"),
            ("Cargo.lock", "a"),
        ] {
            write(checked, text);
            assert!(!seen.contains(&now()), "{checked}");
            seen.push(now());
        }
        write("chapters/03-a/src/main.rs", "fn main() {}");
        fs::remove_file(root.path().join("chapters/03-a/src/more.rs")).expect("it is there");
        fs::remove_dir_all(root.path().join("tests")).expect("it is there");
        fs::remove_dir_all(root.path().join("book")).expect("it is there");
        fs::remove_file(root.path().join("Cargo.lock")).expect("it is there");
        assert_eq!(now(), first);
    }
}
