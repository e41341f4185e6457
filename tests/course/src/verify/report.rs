//! What came of it, by chapter.

use std::io;
use std::time::Duration;

use cli::screen::{COLUMNS, Screen};
use cli::syllabus::Syllabus;

use super::variants::KnownVariant;

/// A fault that was found: where, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyFault {
    /// The lesson's folder.
    pub lesson: String,
    /// The exercise or the mistake, and the variant; or a file.
    pub at: String,
    /// What is wrong with it.
    pub problem: String,
}

/// What was verified, and what is wrong.
#[derive(Debug, Default)]
pub struct VerifyReport {
    /// The lesson's folder and the kind of each variant.
    verified: Vec<(String, &'static str)>,
    faults: Vec<VerifyFault>,
}

/// What each chapter's line counts.
const KINDS: [(&str, &str); 3] =
    [("starter", "starters"), ("wrong", "wrong solutions"), ("mistake", "mistakes")];

impl VerifyReport {
    /// Of these variants; nothing is wrong so far.
    #[must_use]
    pub fn of(chosen: &[KnownVariant]) -> Self {
        let verified = chosen.iter();
        let verified =
            verified.map(|known| (known.variant.lesson.clone(), known.kind.name())).collect();
        Self { verified, faults: Vec::new() }
    }

    /// Something is wrong.
    pub fn add(&mut self, fault: VerifyFault) {
        self.faults.push(fault);
    }

    /// Is nothing wrong?
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.faults.is_empty()
    }

    /// Shows a line for each chapter, its faults below it, and the sums.
    ///
    /// # Errors
    ///
    /// What write(2) says of standard output.
    pub fn show(&self, syllabus: &Syllabus, took: Duration, screen: &mut Screen) -> io::Result<()> {
        for lesson in &syllabus.lessons {
            let faults: Vec<_> =
                self.faults.iter().filter(|fault| fault.lesson == lesson.folder).collect();
            let own = self.line(|of| of == lesson.folder, faults.len());
            if own.is_some() || !faults.is_empty() {
                screen.line(format_args!("{lesson:<24}{}", own.unwrap_or_default()))?;
            }
            faults.into_iter().try_for_each(|fault| tell(fault, screen))?;
        }
        let known = |fault: &&VerifyFault| {
            syllabus.lessons.iter().any(|lesson| lesson.folder == fault.lesson)
        };
        self.faults.iter().filter(|fault| !known(fault)).try_for_each(|one| tell(one, screen))?;
        let sums = self.line(|_| true, self.faults.len()).unwrap_or_default();
        screen.line(format_args!("{:<24}{sums}", format!("in {} s", took.as_secs())))
    }

    /// `4 starters, 12 wrong solutions, 8 mistakes: 0 faults`, if there are any.
    fn line(&self, is_own: impl Fn(&str) -> bool, faults: usize) -> Option<String> {
        let count = |kind: &str| {
            let own = self.verified.iter().filter(|(lesson, _)| is_own(lesson));
            own.filter(|(_, its)| *its == kind).count()
        };
        let counts: Vec<(usize, &str)> =
            KINDS.iter().map(|(kind, plural)| (count(kind), *plural)).collect();
        if counts.iter().all(|(count, _)| *count == 0) {
            return None;
        }
        let counts: Vec<String> =
            counts.iter().map(|(count, plural)| format!("{count:>3} {plural}")).collect();
        let faults = if faults == 1 { "1 fault".to_owned() } else { format!("{faults} faults") };
        Some(format!("{}: {faults}", counts.join(" ")))
    }
}

fn tell(fault: &VerifyFault, screen: &mut Screen) -> io::Result<()> {
    let VerifyFault { at, problem, .. } = fault;
    let mut lines = problem.lines();
    screen.wrapped(&format!("  {at}: "), "    ", lines.next().unwrap_or_default(), COLUMNS)?;
    lines.try_for_each(|line| screen.line(format_args!("      {line}")))
}
