//! What a lesson's page shows: its figures and its transcripts.

use cli::syllabus::root;
use lab::need::Need;
use timeline::figures::Picture;

use crate::check::{Check, Scope, Suite};
use crate::transcript::Transcripts;

/// Figures that are drawn from a run of the program.
pub const FIGURE: &[Suite] = &[Suite::new(Scope::Lesson, &[FIGURE_HOLDS]).needs(&[Need::Ptrace])];

const FIGURE_HOLDS: Check = Check {
    name: "the_figure_of_the_page_still_holds",
    did: "recorded the run of a figure anew",
    expected: "the same sequence of events as in the committed recording",
    perhaps: "Does the program make other calls than when the figure was recorded?",
    read: "generated.md#figures",
    run: |it| {
        let figures = it.lesson().figures.iter();
        for figure in figures.filter(|figure| figure.program == it.program().name) {
            Picture::of(figure, &it.lesson().file())?.still_holds(&root(), it.path())?;
        }
        Ok(())
    },
};

/// The transcripts of the lesson's pages.
pub const TRANSCRIPTS_HOLD: Check = Check {
    name: "the_transcripts_of_its_page_are_true",
    did: "ran every console block of the lesson's pages",
    expected: "what the page shows, line by line",
    perhaps: "Has the program's output changed, or the page? `cargo course record transcripts` writes what comes",
    read: "generated.md#transcripts",
    run: |it| {
        for page in &it.lesson().pages {
            let page = Transcripts::of_page(page).lesson(&it.lesson().folder);
            let programs = it.lesson().programs.iter();
            let paths =
                programs.filter_map(|program| Some((program, it.paths().get(&program.name)?)));
            let page = paths.fold(page, |page, (program, path)| page.program(&program.name, path));
            page.run()?;
        }
        Ok(())
    },
};

/// The transcripts of the lesson's pages, under the name that most lessons have them.
pub const TRANSCRIPTS: &[Suite] = &[Suite::new(Scope::Lesson, &[TRANSCRIPTS_HOLD]).waits_long()];
