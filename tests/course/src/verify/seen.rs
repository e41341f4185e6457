//! What a person sees of a mistake, `chapters/NN-name/mistakes/NAME.md`: its console blocks, run with the program that has
//! the mistake in it. `cargo tutor run 03 --mistake NAME` is understood there as on a page `cargo tutor run 03` is.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use cli::mistake::Mistake;
use cli::programs::Build;
use cli::syllabus::{Lesson, root};
use judge::transcript::{Fault, Transcripts};

use super::built::BuiltProgram;
use super::report::VerifyFault;

/// The programs of a lesson, as they should be and with each mistake.
#[derive(Debug)]
pub struct Seer {
    lesson: Lesson,
    programs: BTreeMap<String, PathBuf>,
    mistaken: BTreeMap<String, PathBuf>,
}

impl Seer {
    /// Builds the lesson's programs; those with a mistake were built.
    ///
    /// # Errors
    ///
    /// What building says.
    pub fn of<'a>(
        lesson: &Lesson,
        built: impl Iterator<Item = &'a BuiltProgram>,
    ) -> io::Result<Self> {
        let all = Build::programs([lesson.package(), "course".to_owned()]).run()?;
        let mut programs = BTreeMap::new();
        for program in &lesson.programs {
            programs.insert(program.name.clone(), all.path(&program.name)?);
        }
        let mistaken =
            built.filter_map(|(known, path)| Some((known.mistake()?.to_owned(), path.clone())));
        Ok(Self { lesson: lesson.clone(), programs, mistaken: mistaken.collect() })
    }

    /// The lesson's folder.
    #[must_use]
    pub fn lesson(&self) -> &str {
        &self.lesson.folder
    }

    /// What is not as it is shown.
    #[must_use]
    pub fn faults(&self, mistake: &Mistake) -> Vec<VerifyFault> {
        let ran = self.transcripts(mistake).run();
        let fault = |fault: Fault| VerifyFault {
            lesson: mistake.lesson.clone(),
            at: mistake.seen().display().to_string(),
            problem: fault.to_string(),
        };
        ran.err().map(fault).into_iter().collect()
    }

    /// Writes into it what is printed, where that is something else.
    ///
    /// # Errors
    ///
    /// What keeps it from being run.
    pub fn record(&self, mistake: &Mistake) -> Result<usize, Fault> {
        self.transcripts(mistake).update(true).run()
    }

    fn transcripts(&self, mistake: &Mistake) -> Transcripts {
        let seen = root().join(mistake.seen());
        let mut all = Transcripts::of_file(seen, &self.lesson.folder);
        for program in &self.lesson.programs {
            if let Some(path) = self.programs.get(&program.name) {
                all = all.program(&program.name, path);
            }
        }
        for (name, path) in &self.mistaken {
            all = all.program(&format!("{} --mistake {name}", self.lesson.number()), path);
        }
        all
    }
}
