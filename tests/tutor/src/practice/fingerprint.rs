//! Would an exercise be judged now as it was when it was passed? A number that says so: FNV-1a, which is the same on
//! every machine and in every version.

use std::io;
use std::path::Path;

use cli::exercise::Exercise;

/// The number of what judges an exercise, in hexadecimal: its own checks, and the names of those that it shares.
///
/// # Errors
///
/// What reading says, with the path.
pub fn of_checks(root: &Path, exercise: &Exercise) -> io::Result<String> {
    let path = root.join(exercise.file("checks.rs"));
    let checks = std::fs::read(&path)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
    let program = &exercise.program;
    let mut parts = vec![checks];
    for names in [&program.suites, &program.waits_in] {
        parts.push(names.join(" ").into_bytes());
    }
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    Ok(format!("{:016x}", of(&parts)))
}

/// The number of some parts.
pub fn of(parts: &[&[u8]]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        // A zero between the parts: no byte may wander from one to the next unseen.
        for byte in part.iter().chain(&[0]) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}
