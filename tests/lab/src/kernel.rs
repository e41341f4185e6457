//! Which kernel this is: `/proc/sys/kernel/osrelease`, `proc_sys_kernel(5)`.

use std::fs;

/// The whole release, with what a distribution appends: `6.18.44-amd64`; empty where `/proc` cannot be
/// read.
#[must_use]
pub fn release() -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    release.trim().to_owned()
}

/// Its numbers alone: `6.18.44`. Which build of it says nothing to the reader of a recording.
#[must_use]
pub fn numbers() -> String {
    numbers_of(&release()).to_owned()
}

/// Its first two numbers, by which kernels are told apart: `6.18`.
#[must_use]
pub fn version() -> String {
    version_of(&release())
}

/// Is it older than this version?
#[must_use]
pub fn is_before(major: u32, minor: u32) -> bool {
    release_is_before(&release(), major, minor)
}

/// What cannot be read is taken for a new one.
fn release_is_before(release: &str, major: u32, minor: u32) -> bool {
    let mut parts = numbers_of(release).split('.').map(str::parse);
    match (parts.next(), parts.next()) {
        (Some(Ok(first)), Some(Ok(second))) => (first, second) < (major, minor),
        _ => false,
    }
}

/// The numbers at the beginning of a release.
#[must_use]
pub fn numbers_of(release: &str) -> &str {
    let end = release.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(release.len());
    release[..end].trim_end_matches('.')
}

/// The first two numbers of a release.
#[must_use]
pub fn version_of(release: &str) -> String {
    let numbers: Vec<&str> = numbers_of(release).split('.').take(2).collect();
    numbers.join(".")
}

#[cfg(test)]
mod tests {
    use super::{numbers_of, release_is_before, version_of};

    #[test]
    fn releases_are_compared_by_number_and_not_by_letter() {
        for (release, before) in [
            ("5.4.0-150-generic", true),
            ("5.8.1", false),
            ("5.10.0", false),
            ("4.19", true),
            ("6.18.44-amd64", false),
            ("", false),
        ] {
            assert_eq!(release_is_before(release, 5, 8), before, "{release}");
        }
    }

    #[test]
    fn what_is_appended_is_left_out() {
        for (release, numbers, version) in [
            ("6.18.44-amd64", "6.18.44", "6.18"),
            ("6.1.0", "6.1.0", "6.1"),
            ("5.4-rc1", "5.4", "5.4"),
            ("6.6.87.2-microsoft-standard-WSL2", "6.6.87.2", "6.6"),
            ("6.19.", "6.19", "6.19"),
            ("", "", ""),
        ] {
            assert_eq!((numbers_of(release), version_of(release)), (numbers, version.to_owned()));
        }
    }
}
