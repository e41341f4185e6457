//! The file system that a kernel begins with: an archive of the form `newc`, cpio(5), as
//! `Documentation/driver-api/early-userspace/buffer-format.rst` of the kernel describes it.

/// An archive that grows file by file.
#[derive(Debug, Default)]
pub struct Archive {
    bytes: Vec<u8>,
    files: u32,
}

/// Types of files: inode(7).
const REGULAR: u32 = 0o100_000;
const FOLDER: u32 = 0o040_000;
const CHARACTERS: u32 = 0o020_000;

impl Archive {
    /// Adds a folder. Those above it must be there already.
    pub fn folder(&mut self, path: &str) {
        self.entry(path, FOLDER | 0o755, &[], (0, 0));
    }

    /// Adds a file with these permissions.
    pub fn file(&mut self, path: &str, permissions: u32, content: &[u8]) {
        self.entry(path, REGULAR | permissions, content, (0, 0));
    }

    /// Adds `/dev/console`, which a kernel opens for its first process: console(4).
    pub fn console(&mut self) {
        self.entry("dev/console", CHARACTERS | 0o600, &[], (5, 1));
    }

    /// The whole archive.
    pub fn end(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, &[], (0, 0));
        self.bytes
    }

    fn entry(&mut self, path: &str, mode: u32, content: &[u8], device: (u32, u32)) {
        self.files += 1;
        // Larger than 4 GiB is none of our files.
        let size = u32::try_from(content.len()).unwrap_or(u32::MAX);
        let name = u32::try_from(path.len() + 1).unwrap_or(u32::MAX);
        let (owner, links, time, check) = (0, 1, 0, 0);
        let numbers = [
            self.files, mode, owner, owner, links, time, size, 0, 0, device.0, device.1, name,
            check,
        ];
        self.bytes.extend(b"070701");
        self.bytes.extend(numbers.iter().flat_map(|number| format!("{number:08X}").into_bytes()));
        self.bytes.extend(path.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend(content);
        self.pad();
    }

    /// Names and contents begin at multiples of 4.
    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::Archive;

    #[test]
    fn an_archive_has_the_form_that_the_kernel_reads() {
        let mut archive = Archive::default();
        archive.folder("dev");
        archive.console();
        archive.file("init", 0o755, b"hello");
        let bytes = archive.end();
        assert_eq!(bytes.len() % 4, 0);
        let text = String::from_utf8(bytes).expect("text");
        // The console is a character device, 5 and 1.
        assert!(text.contains("00002180"), "{text}");
        assert!(text.contains("0000000500000001"), "{text}");
        let at = text.find("init\0").expect("its name");
        // A header has 110 bytes; its size stands behind magic and six numbers.
        let header = &text[at - 110..at];
        assert!(header.starts_with("070701"), "{header}");
        assert_eq!(&header[6 + 8..6 + 16], "000081ED");
        assert_eq!(&header[6 + 48..6 + 56], "00000005");
        assert_eq!(&header[6 + 88..6 + 96], "00000005");
        assert_eq!(&text[(at + 5).next_multiple_of(4)..][..5], "hello");
        assert!(text.contains("TRAILER!!!\0"), "{text}");
    }
}
