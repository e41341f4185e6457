//! Measures a row.

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use crate::cells::Cells;
use crate::meanwhile;
use crate::rows::{Asked, Condition};

/// For how long a row that depends on chance is tried again.
const TRIES: Duration = Duration::from_secs(8);

/// Brings a fresh descriptor into the row's condition and asks about it, here in this process and in
/// its network.
///
/// # Errors
///
/// `Unsupported` with a sentence for what this environment does not allow, or chance did not give;
/// whatever else went wrong.
pub fn measure(row: &Condition) -> io::Result<Cells> {
    match row.asked {
        Asked::After | Asked::AfterInOwnNetwork => after(row),
        Asked::Meanwhile => meanwhile::ask(row),
    }
}

fn after(row: &Condition) -> io::Result<Cells> {
    let start = Instant::now();
    loop {
        let prepared = (row.prepare)()?;
        let at_once = prepared.is_at_once();
        match prepared.ask() {
            Ok(answers) => return Ok(Cells::of(&answers, at_once)),
            Err(error) if error.kind() == ErrorKind::ResourceBusy => {
                if start.elapsed() > TRIES {
                    let text = format!("it depends on chance, and did not happen within {TRIES:?}");
                    return Err(io::Error::new(ErrorKind::Unsupported, text));
                }
            }
            Err(error) => return Err(error),
        }
    }
}
