//! Has an exercise changed since it was begun? A number that says so: FNV-1a, which is the same on every machine
//! and in every version.

use std::io;
use std::path::Path;

use cli::exercise::Exercise;

/// The files that a learner's work is made against.
const FILES: [&str; 3] = ["exercise.toml", "starter.rs", "checks.rs"];

/// The number of an exercise's files, in hexadecimal.
///
/// # Errors
///
/// What reading says, with the path.
pub fn of(root: &Path, exercise: &Exercise) -> io::Result<String> {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for name in FILES {
        let path = root.join(exercise.file(name));
        let bytes = std::fs::read(&path).map_err(|error| {
            io::Error::new(error.kind(), format!("{}: {error}", path.display()))
        })?;
        // A zero between the files: no byte may wander from one to the next unseen.
        for byte in bytes.into_iter().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    Ok(format!("{hash:016x}"))
}
