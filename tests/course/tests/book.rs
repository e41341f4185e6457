//! The book, the chapters and the checks fit together; and each finder finds a planted fault.

use std::fs;
use std::path::Path;

use course::Finding;
use course::finders::{self, Finder, described, includes, lessons, limits, links, practice};
use course::generated::{self, claims, diffs, exercises, figures, mistakes, symptoms};
use course::house::House;
use course::recordings::lines;
use judge::transcript::Transcripts;
use tempfile::TempDir;
use timeline::figures::Picture;
use timeline::packets::exchange::Exchanges;
use timeline::packets::recorded;

/// The course itself.
fn course() -> House {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    House::read(&root).expect("the repository")
}

#[track_caller]
fn nothing(findings: &[Finding]) {
    let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
    assert!(findings.is_empty(), "\n  {}\n", lines.join("\n  "));
}

#[test]
fn every_include_has_its_file_and_its_anchor() {
    nothing(&includes::wrong_includes(&course()));
}

#[test]
fn every_anchor_is_whole() {
    nothing(&includes::wrong_anchors(&course()));
}

#[test]
fn every_heading_has_an_id_of_its_own() {
    nothing(&links::wrong_headings(&course()));
}

#[test]
fn every_link_leads_somewhere() {
    nothing(&links::dead_links(&course()));
}

#[test]
fn every_failure_points_to_a_section_that_exists() {
    nothing(&links::dead_references(&course()));
}

#[test]
fn every_chapter_has_a_page_and_every_page_is_listed() {
    nothing(&lessons::unpaired(&course()));
}

#[test]
fn every_check_file_is_built_once() {
    nothing(&lessons::unregistered_checks(&course()));
}

#[test]
fn every_transcript_is_run() {
    nothing(&lessons::unrun_transcripts(&course()));
}

#[test]
fn the_answers_of_page_00_are_true() {
    Transcripts::of_page("00-connection").run().unwrap_or_else(|fault| panic!("{fault}"));
}

#[test]
fn every_exercise_and_every_mistake_has_what_it_needs() {
    nothing(&practice::unfit(&course()));
}

#[test]
fn what_the_book_has_of_exercises_and_mistakes_is_fresh() {
    let course = course();
    for kind in [mistakes::KIND, symptoms::KIND, exercises::KIND] {
        nothing(&kind.stale(&course).expect("the exercises and the mistakes"));
    }
}

#[test]
fn every_diff_is_fresh() {
    nothing(&diffs::KIND.stale(&course()).expect("the programs"));
}

#[test]
fn every_page_of_claims_is_fresh() {
    nothing(&claims::KIND.stale(&course()).expect("the register"));
}

#[test]
fn every_claim_leads_to_a_section_that_exists() {
    nothing(&claims::wrong(&course()).expect("the register"));
}

#[test]
fn every_figure_is_what_its_recording_gives() {
    nothing(&figures::KIND.stale(&course()).expect("the recordings"));
}

#[test]
fn every_recording_has_one_observation_a_line() {
    let house = course();
    let kept = |place: &str| fs::read_to_string(house.root.join(place)).expect("a recording");
    for figure in Picture::all(&house.root).expect("the figures") {
        let recording = figure.kept(&house.root).expect("its recording");
        assert_eq!(lines::text(&recording, 3).expect("JSON"), kept(&figure.recording_place()));
    }
    for lesson in house.syllabus.lessons.iter().filter(|lesson| !lesson.packets.is_empty()) {
        let place = recorded::place(lesson);
        let exchanges: Exchanges = serde_json::from_str(&kept(&place)).expect("packets");
        assert_eq!(lines::text(&exchanges, 4).expect("JSON"), kept(&place));
    }
    let table = kept("book/recordings/readiness-table.json");
    assert_eq!(table.lines().filter(|line| line.contains("\"row\"")).count(), 64);
    let claims = kept("book/recordings/claims.json");
    assert!(claims.lines().filter(|line| line.contains("\"did\"")).count() > 500);
}

#[test]
fn every_figure_is_on_a_page() {
    let findings = described::nameless(&course());
    let unused = findings.into_iter().filter(|found| found.problem.contains("no page shows"));
    nothing(&unused.collect::<Vec<_>>());
}

#[test]
fn whatever_a_lesson_names_is_there() {
    nothing(&described::nameless(&course()));
}

#[test]
fn the_readme_lists_every_lesson() {
    nothing(&lessons::unlisted(&course()));
}

#[test]
fn a_stale_figure_is_found_and_drawn_anew() {
    let fixture = Fixture::new();
    let from = course().root;
    let read = |place: &str| fs::read_to_string(from.join(place)).expect("a file");
    let described = read("chapters/03-select/lesson.toml");
    let (_, figure) = described.split_once("[[figure]]").expect("it has a figure");
    fixture.write(TOML, &format!("{LESSON}[[figure]]{figure}"));
    let [picture] = &Picture::all(fixture.0.path()).expect("the figure")[..] else {
        panic!("not one figure");
    };
    let place = picture.drawing_place();
    for place in [&picture.recording_place(), &place] {
        fixture.write(place, &read(place));
    }
    let house = fixture.house();
    nothing(&figures::KIND.stale(&house).expect("the recordings"));
    fixture.write(&place, "<svg/>\n");
    fixture.write("book/src/figures/old.svg", "<svg/>\n");
    let found = figures::KIND.stale(&house).expect("the recordings");
    let found: Vec<String> = found.iter().map(Finding::to_string).collect();
    assert_eq!(
        found,
        [
            format!("{place}: is stale: run `cargo course write`"),
            "book/src/figures/old.svg: nothing makes this file: run `cargo course write`"
                .to_owned(),
        ]
    );
    let done = figures::KIND.write(&house).expect("the recordings");
    assert_eq!(done, [format!("wrote {place}"), "removed book/src/figures/old.svg".to_owned()]);
    nothing(&figures::KIND.stale(&house).expect("the recordings"));
}

#[test]
fn every_program_and_page_can_be_read_in_one_go() {
    let course = course();
    nothing(&limits::long_programs(&course));
    nothing(&limits::long_pages(&course));
}

#[test]
fn no_two_public_types_have_one_name() {
    nothing(&limits::doubled_names(&course()));
}

#[test]
fn no_chapter_uses_what_is_not_allowed() {
    let course = course();
    nothing(&limits::forbidden_words(&course));
    nothing(&limits::backward_imports(&course));
}

/// A small course in which everything fits.
struct Fixture(TempDir);

impl Fixture {
    fn new() -> Self {
        let fixture = Self(TempDir::new().expect("a folder"));
        fixture.write("README.md", "| 03 | [`a`](chapters/03-a) |\n");
        fixture.write("book/src/SUMMARY.md", "# Summary\n\n- [03 A](03-a.md)\n- [B](b.md)\n");
        fixture.write(
            "book/src/03-a.md",
            "# A {#03-a}\n\n```rust\n{{#include ../../chapters/03-a/src/main.rs:wait}}\n```\n\n\
             ## Why {#why}\n\n[B](b.md#b), [why](#why), [poll](https://man7.org/x), `\\{{#include no}}`\n\n\
             ```console\n$ true\n```\n",
        );
        fixture.write("book/src/b.md", "# B {#b}\n\nwords\n");
        fixture.write(
            "chapters/03-a/Cargo.toml",
            "[dependencies]\nch02-z.workspace = true\n\n[[test]]\npath = \"../../tests/03_a.rs\"\n",
        );
        fixture.write(
            "chapters/03-a/src/main.rs",
            "// ANCHOR: wait\nfn main() {}\n// ANCHOR_END: wait\n// Never unsafe.\n",
        );
        fixture.write("tests/03_a.rs", "read: \"03-a.md#why\"\n");
        fixture.write("chapters/03-a/lesson.toml", LESSON);
        fixture.write("tests/tutor/src/demo/a.rs", "Demo { name: \"a\" }\npub struct Demo;\n");
        fixture
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    /// With `old` in a file replaced by `new`.
    fn plant(self, name: &str, old: &str, new: &str) -> Self {
        let text = fs::read_to_string(self.0.path().join(name)).expect("a file");
        assert!(text.contains(old), "{name} has no {old}");
        self.write(name, &text.replace(old, new));
        self
    }

    fn house(&self) -> House {
        House::read(self.0.path()).expect("the fixture")
    }
}

/// The lesson of the small course.
const LESSON: &str = "title = \"A\"\nidea = \"an idea\"\nminutes = 1\npages = [\"03-a\"]\n\
    most-lines = 20\ndemo = \"a\"\n[[program]]\nname = \"a\"\nsuites = [\"transcripts\"]\n";

const PAGE: &str = "book/src/03-a.md";
const MAIN: &str = "chapters/03-a/src/main.rs";
const TOML: &str = "chapters/03-a/lesson.toml";
const MANIFEST: &str = "chapters/03-a/Cargo.toml";

#[test]
fn the_finders_find_nothing_where_everything_fits() {
    let fixture = Fixture::new();
    let house = fixture.house();
    for finder in finders::ALL {
        nothing(&finder(&house));
    }
}

#[test]
fn each_finder_finds_a_planted_fault() {
    let long = "x\n".repeat(21);
    let wordy = "word ".repeat(limits::PAGE_WORDS + 1);
    let planted: [(Finder, &str, &str, &str, &str); 37] = [
        (described::nameless, TOML, "demo = \"a\"", "demo = \"b\"", "no demo \"b\""),
        (described::nameless, TOML, "transcripts", "transcript", "did you mean \"transcripts\"?"),
        (
            described::nameless,
            TOML,
            "name = \"a\"",
            "name = \"a\"\ntrace = \"b\"",
            "no scene \"b\"",
        ),
        (
            described::nameless,
            TOML,
            "[[program",
            "packets = [{ scene = \"b\" }]\n[[program",
            "\"b\"",
        ),
        (described::nameless, TOML, "minutes", "compared-with = \"02-a\"\nminutes", "no lesson"),
        (described::nameless, TOML, "minutes", "compared-with = \"03-a\"\nminutes", "/03-a.diff"),
        (includes::wrong_includes, PAGE, "main.rs:wait", "man.rs:wait", "no such file"),
        (includes::wrong_includes, PAGE, "main.rs:wait", "main.rs:act", "no anchor `act`"),
        (includes::wrong_includes, PAGE, "main.rs:wait", "main.rs:1:2", "line number"),
        (includes::wrong_includes, PAGE, "main.rs:wait", "main.rs:2", "line number"),
        (includes::wrong_anchors, MAIN, "fn main() {}\n", "\n", "is empty"),
        (includes::wrong_anchors, MAIN, "// Never", "// ANCHOR: wait\n//", "more than once"),
        (includes::wrong_anchors, MAIN, "// ANCHOR_END: wait", "", "is not closed"),
        (includes::wrong_anchors, MAIN, "// ANCHOR: wait", "", "not opened"),
        (links::wrong_headings, PAGE, " {#why}", "", "`Why` has no"),
        (links::wrong_headings, PAGE, "{#why}", "{#03-a}", "used twice"),
        (links::dead_links, PAGE, "(b.md#b)", "(c.md)", "no such page"),
        (links::dead_links, PAGE, "(b.md#b)", "(b.md#c)", "no heading"),
        (links::dead_links, PAGE, "(#why)", "(#how)", "no heading"),
        (links::dead_links, PAGE, "(b.md#b)", "(../../README.md)", "out of the book"),
        (links::dead_links, PAGE, "man7.org", "man7.org.example", "not a place"),
        (links::dead_references, "tests/03_a.rs", "#why", "#how", "no 03-a.md#how"),
        (links::dead_references, "tests/03_a.rs", "03-a.md", "04-a.md", "no 04-a.md#why"),
        (lessons::unpaired, "book/src/SUMMARY.md", "- [B](b.md)\n", "", "does not list"),
        (lessons::unpaired, "book/src/SUMMARY.md", "03 A", "3 A", "not \"03 A\""),
        (lessons::unlisted, "README.md", "chapters/03-a", "a", "no row for chapters/03-a"),
        (lessons::unregistered_checks, MANIFEST, "03_a.rs", "04_a.rs", "no manifest"),
        (lessons::unrun_transcripts, TOML, "\"03-a\"", "\"b\"", "runs this page"),
        (lessons::unrun_transcripts, TOML, "transcripts", "every", "runs this page"),
        (limits::long_programs, MAIN, "// Never", &long, "at most 20"),
        (limits::long_pages, PAGE, "[B]", &format!("{wordy}[B]"), "at most 2500"),
        (limits::forbidden_words, MAIN, "{}", "{ unsafe {} }", "`unsafe`"),
        (limits::forbidden_words, MAIN, "{}", "{ a().unwrap() }", "`unwrap()`"),
        (limits::backward_imports, MANIFEST, "ch02-z", "ch04-z", "imports ch04"),
        (limits::backward_imports, MANIFEST, "ch02-z", "ch03-z", "imports ch03"),
        (limits::backward_imports, MANIFEST, "ch02-z", "lab", "uses the lab"),
        (limits::doubled_names, MAIN, "fn main", "pub enum Demo {} fn main", "in chapters/03-a"),
    ];
    for (finder, file, old, new, said) in planted {
        let fixture = Fixture::new().plant(file, old, new);
        let findings = finder(&fixture.house());
        let found = findings.iter().any(|finding| finding.to_string().contains(said));
        assert!(found, "{said}: not among {findings:?}");
    }
}

#[test]
fn a_chapter_without_page_and_a_page_without_chapter_are_found() {
    let fixture = Fixture::new();
    fixture.write("chapters/04-b/lesson.toml", &LESSON.replace("03-a", "04-b"));
    fixture.write("book/src/05-c.md", "# C {#05-c}\n");
    fixture.write("book/src/00-d.md", "# D {#00-d}\n\n```console\n$ true\n```\n");
    let house = fixture.house();
    let found: Vec<String> = lessons::unpaired(&house).iter().map(Finding::to_string).collect();
    assert_eq!(
        found,
        [
            "chapters/04-b/lesson.toml: no page book/src/04-b.md",
            "book/src/00-d.md: SUMMARY.md does not list it",
            "book/src/05-c.md: the page of no lesson",
            "book/src/05-c.md: SUMMARY.md does not list it",
        ]
    );
    // A page without a chapter may have transcripts too, if some test runs them.
    assert_eq!(lessons::unrun_transcripts(&house).len(), 1);
    fixture.write("tests/03_a.rs", "of_page(\"00-d\")");
    nothing(&lessons::unrun_transcripts(&fixture.house()));
}

#[test]
fn what_a_new_chapter_does_not_have_yet_is_named() {
    let copy = TempDir::new().expect("a folder");
    let from = course().root;
    for part in ["chapters", "book/src", "book/recordings", "tests", "README.md"] {
        copy_tree(&from.join(part), &copy.path().join(part));
    }
    let fixture = Fixture(copy);
    for finder in finders::ALL {
        nothing(&finder(&fixture.house()));
    }
    let manifest = "[package]\nname = \"ch17-imaginary\"\n[dependencies]\n";
    fixture.write("chapters/17-imaginary/Cargo.toml", manifest);
    fixture.write("chapters/17-imaginary/src/main.rs", "fn main() {}\n");
    fixture.write("chapters/17-imaginary/lesson.toml", NEW_LESSON);
    let house = fixture.house();
    let mut found: Vec<String> =
        finders::ALL.iter().flat_map(|find| find(&house)).map(|found| found.to_string()).collect();
    for kind in generated::KINDS {
        found.extend(kind.stale(&house).unwrap_or_default().iter().map(Finding::to_string));
    }
    for missing in [
        "lesson.toml: no demo \"imaginary\" in tests/tutor/src/demo/",
        "lesson.toml: imaginary-server: there is no suite \"imaginary\"",
        "lesson.toml: there is no scene \"imaginary\"",
        "lesson.toml: book/recordings/17-figure.json: No such file or directory (os error 2): run \
         `cargo course record figures`",
        "lesson.toml: no page shows the figure 17-figure",
        "lesson.toml: there is no packet scene \"imaginary\"",
        "lesson.toml: book/recordings/packets-17.json: No such file or directory (os error 2): run \
         `cargo course record packets`",
        "lesson.toml: no page of it shows book/src/diffs/17-imaginary.diff",
        "lesson.toml: no page book/src/17-imaginary.md",
        "lesson.toml: no check file tests/17_imaginary.rs",
        "README.md: no row for chapters/17-imaginary",
        "book/src/diffs/17-imaginary.diff: is stale: run `cargo course write`",
    ] {
        let at = found
            .iter()
            .position(|it| it.ends_with(missing) || it.contains(&format!("{missing};")));
        let at = at.unwrap_or_else(|| panic!("{missing}: not among {found:#?}"));
        found.remove(at);
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// A lesson of which nothing but the program is there.
const NEW_LESSON: &str = r#"
title = "Imaginary"
idea = "an idea"
minutes = 1
pages = ["17-imaginary"]
compared-with = "07-epoll-et"
most-lines = 100
demo = "imaginary"
packets = [{ scene = "imaginary" }]
[[program]]
name = "imaginary-server"
port = 7017
waits-in = ["epoll_wait"]
suites = ["every", "imaginary"]
trace = "imaginary"
[[figure]]
name = "17-figure"
title = "A title"
description = "A description."
program = "imaginary-server"
scene = "beside"
"#;

fn copy_tree(from: &Path, to: &Path) {
    if from.is_dir() {
        if from.ends_with("target") {
            return;
        }
        fs::create_dir_all(to).expect("a folder");
        for entry in fs::read_dir(from).expect("a folder") {
            let name = entry.expect("an entry").file_name();
            copy_tree(&from.join(&name), &to.join(&name));
        }
    } else {
        fs::copy(from, to).expect("a copy");
    }
}

#[test]
fn a_check_file_that_two_manifests_name_is_found() {
    let fixture = Fixture::new();
    fixture.write("tests/lab/Cargo.toml", "[[test]]\npath = \"../03_a.rs\"\n");
    let findings = lessons::unregistered_checks(&fixture.house());
    assert_eq!(findings, [Finding::new("tests/03_a.rs", "two manifests name this check file")]);
}

#[test]
fn a_stale_diff_is_found_and_written_anew() {
    let fixture = Fixture::new();
    let program = |chapter: &str| format!("chapters/{chapter}/src/main.rs");
    for (chapter, base) in [("04-b", "03-a"), ("05-c", "04-b")] {
        let lesson = LESSON.replace("03-a", chapter);
        let compared = format!("compared-with = \"{base}\"\n{lesson}");
        fixture.write(&format!("chapters/{chapter}/lesson.toml"), &compared);
        let text = format!("// ANCHOR: a\nsame\n{chapter}\n// ANCHOR_END: a\n");
        fixture.write(&program(chapter), &text);
    }
    let house = fixture.house();
    assert_eq!(diffs::KIND.stale(&house).expect("programs").len(), 2);
    assert_eq!(diffs::KIND.write(&house).expect("programs").len(), 2);
    nothing(&diffs::KIND.stale(&house).expect("programs"));
    let diff = fs::read_to_string(house.root.join("book/src/diffs/05-c.diff")).expect("a diff");
    assert!(diff.contains(" same\n-04-b\n+05-c\n"), "{diff}");
    assert!(!diff.contains("ANCHOR"), "{diff}");

    // One program is in two comparisons.
    fixture.write(&program("04-b"), "same\nchanged\n");
    let house = fixture.house();
    assert_eq!(diffs::KIND.stale(&house).expect("programs").len(), 2);
    assert_eq!(diffs::KIND.write(&house).expect("programs").len(), 2);
    assert_eq!(diffs::KIND.write(&house).expect("programs").len(), 0);
}

/// A course with two claims, of which one has a box.
fn with_claims() -> Fixture {
    let fixture = Fixture::new();
    let claim = |id: &str, says: &str, rest: &str| {
        format!(
            "[[claim]]\nid = \"{id}\"\nwho = \"S1\"\nsays = \"{says}\"\nverdict = \"false\"\n\
             correct = \"It is not <so>.\"\nsource = \"poll(2)\"\n{rest}\n"
        )
    };
    let texts = "[texts]\nS1 = \"a text\"\n".to_owned();
    let one =
        "experiment = \"e\"\npage = \"03-a.md#why\"\nbox = \"See [B](b.md#b) and [here](#why).\"";
    let register = texts
        + &claim("C05", "an fd_set is a list.", one)
        + &claim("C06", "none.", "no-experiment = \"It is history.\"");
    fixture.write("tests/claims/register.toml", &register);
    let observation = r#"{"did":"a | b","saw":"0","compared":true,"book":null}"#;
    let seen = format!(r#"{{"e":{{"observations":[{observation},{observation}]}}}}"#);
    let recorded = format!(r#"{{"kernel":"Linux 1.0","experiments":{seen}}}"#);
    fixture.write("book/recordings/claims.json", &recorded);
    let include = "{{#include claims/c05.md}}\n\n```console";
    let fixture = fixture.plant(PAGE, "```console", include);
    claims::KIND.write(&fixture.house()).expect("a register");
    fixture
}

#[test]
fn a_claim_becomes_an_entry_and_a_box() {
    let fixture = with_claims();
    let root = fixture.0.path();
    nothing(&claims::KIND.stale(&fixture.house()).expect("a register"));
    nothing(&claims::wrong(&fixture.house()).expect("a register"));
    let read = |name: &str| fs::read_to_string(root.join(name)).expect("a page");
    let boxed = read("book/src/claims/c05.md");
    assert_eq!(
        boxed,
        "> [!WARNING]\n> **False: an fd_set is a list.**\n> See [B](b.md#b) and [here](#why).\n>\n\
         > [C05](claims.md#c05), `cargo tutor claims C05`\n"
    );
    let appendix = read("book/src/claims.md");
    for part in [
        "They say 2 things",
        "0 true, 0 half true, 2 false, 0 outdated, 0 missing",
        "seen on Linux 1.0.",
        "### C05: false {#c05}\n\n> an fd_set is a list. (S1)\n\nIt is not &lt;so>.\n",
        "Seen: a \\| b \u{2192} `0`\n\n<details>\n<summary>Experiment <code>e</code></summary>\n",
        "### C06: false {#c06}",
        "No experiment. It is history.\n",
    ] {
        assert!(appendix.contains(part), "no {part:?} in\n{appendix}");
    }
    assert!(!root.join("book/src/claims/c06.md").exists());
}

#[test]
fn a_stale_page_of_claims_is_found_and_written_anew() {
    let register = "tests/claims/register.toml";
    let fixture = with_claims().plant(register, "is a list", "is a tree");
    let house = fixture.house();
    assert_eq!(claims::KIND.stale(&house).expect("a register").len(), 2);
    assert_eq!(claims::KIND.write(&house).expect("a register").len(), 2);
    nothing(&claims::KIND.stale(&house).expect("a register"));
    // A box that no page includes any more goes away.
    let fixture = fixture.plant(PAGE, "{{#include claims/c05.md}}", "");
    let house = fixture.house();
    assert_eq!(claims::KIND.stale(&house).expect("a register").len(), 1);
    let done = claims::KIND.write(&house).expect("a register");
    assert_eq!(done, ["removed book/src/claims/c05.md"]);
    // But what the register says of it is then for nobody.
    let findings = claims::wrong(&fixture.house()).expect("a register");
    assert_eq!(findings.len(), 1, "{findings:?}");
}

#[test]
fn what_does_not_fit_in_the_register_is_found() {
    let register = "tests/claims/register.toml";
    for (old, new, said) in [
        ("03-a.md#why", "03-a.md#how", "C05: the book has no 03-a.md#how"),
        ("03-a.md#why", "04-a.md#why", "C05: the book has no 04-a.md#why"),
        ("page = \"03-a.md#why\"", "page = \"b.md#b\"", "its box is on 03-a.md"),
        ("(b.md#b)", "(b.md#c)", "C05, box on 03-a.md: b.md#c: no heading"),
        ("(#why)", "(#how)", "C05, box on 03-a.md: #how: no heading"),
        ("experiment = \"e\"", "experiment = \"e\"\nobservation = \"b\"", "begins with \"b\""),
        ("experiment = \"e\"", "experiment = \"f\"", "f is in one of register and recording"),
    ] {
        let findings = claims::wrong(&with_claims().plant(register, old, new).house());
        let findings = findings.expect("a register");
        let found = findings.iter().any(|finding| finding.to_string().contains(said));
        assert!(found, "{said}: not among {findings:?}");
    }
    let broken = with_claims().plant(register, "verdict = \"false\"", "verdict = \"no\"");
    let error = claims::KIND.stale(&broken.house()).expect_err("no such verdict").to_string();
    assert!(error.starts_with("tests/claims/register.toml: ") && error.contains("line"), "{error}");
}

/// A course with an exercise and a mistake.
fn with_practice() -> Fixture {
    let fixture = Fixture::new();
    let folder = "chapters/03-a/exercises/1-x";
    let wrong = |name: &str| format!("[[wrong]]\nname = \"{name}\"\nfails = []\ntold = \"\"\n");
    fixture.write(
        &format!("{folder}/exercise.toml"),
        &format!(
            "title = \"X\"\nkind = \"mend\"\nminutes = 10\npoints = 2\n\
             hints = [\"What is asked here?\", \"poll(2), the events\", \"Ask for both of them\"]\n\
             starter-fails = []\nstarter-told = \"\"\n[program]\nname = \"x\"\n{}{}{}",
            wrong("a"),
            wrong("b"),
            wrong("c")
        ),
    );
    for file in ["starter", "solution", "checks", "wrong/a", "wrong/b", "wrong/c"] {
        fixture.write(&format!("{folder}/{file}.rs"), "fn main() {}\n");
    }
    let statement = "*Mend, 10 minutes, 2 points:* `cargo tutor start 03.1`\n\n[why](#why)\n";
    fixture.write(&format!("{folder}/statement.md"), statement);
    fixture.write("tests/03_a.rs", "chapters/03-a/exercises/1-x/checks.rs read: \"03-a.md#why\"\n");
    let fixture = fixture
        .plant(MANIFEST, "[[test]]", "[[example]]\nname = \"03-1-x\"\n\n[[test]]")
        .plant(
            PAGE,
            "```console",
            "## Mistakes {#mistakes}\n\n{{#include mistakes/03-a.md}}\n\n\
             ### 1. X {#exercise-x}\n\n{{#include ../../chapters/03-a/exercises/1-x/statement.md}}\n\n\
             ```console",
        );
    fixture.write(
        "chapters/03-a/mistakes/deaf.patch",
        "# seen-as = \"hang\"\n# title = \"It is deaf\"\n# symptom = \"nobody | is heard\"\n# program = \"a\"\n\
         # caught-by = [\"it_hears\", \"it_talks\"]\n# told = \"hung: no reply\"\n\
         --- a/src/main.rs\n+++ b/src/main.rs\n@@ -1,3 +1,3 @@\n // ANCHOR: wait\n-fn main() {}\n+fn main() { }\n // ANCHOR_END: wait\n",
    );
    fixture.write("chapters/03-a/mistakes/deaf.md", "```console\n$ true\n```\n");
    fixture.write(
        "book/recordings/checks.json",
        r#"{"03-a":[{"program":"a","check":"it_hears","scope":"contract","did":"asked","expected":"a reply","perhaps":"Who sleeps?","read":"03-a.md#why"}]}"#,
    );
    fixture.write(
        "book/symptoms.toml",
        "beginning = \"# Symptoms {#symptoms}\"\n[[symptom]]\nseen-as = \"slow\"\nseen = \"it crawls\"\n\
         cause = \"too many\"\nread = \"b.md#b\"\n",
    );
    fixture.write(
        "book/src/SUMMARY.md",
        "# Summary\n\n- [03 A](03-a.md)\n- [B](b.md)\n- [S](symptoms.md)\n- [E](exercises.md)\n",
    );
    for kind in [mistakes::KIND, symptoms::KIND, exercises::KIND] {
        kind.write(&fixture.house()).expect("the exercises and the mistakes");
    }
    fixture
}

#[test]
fn an_exercise_and_a_mistake_become_parts_of_the_book() {
    let fixture = with_practice();
    for finder in finders::ALL {
        nothing(&finder(&fixture.house()));
    }
    let read = |name: &str| {
        fs::read_to_string(fixture.0.path().join("book/src").join(name)).expect("a page")
    };
    assert_eq!(
        read("mistakes/03-a.md"),
        "### It is deaf {#mistake-deaf}\n\nNobody | is heard.\n\n```console\n$ true\n```\n\n\
         <details>\n<summary>The patch: <code>deaf</code></summary>\n\n```diff\n\
         --- a/src/main.rs\n+++ b/src/main.rs\n@@ -1,3 +1,3 @@\n-fn main() {}\n+fn main() { }\n```\n\n</details>\n\n\
         ```text\nit hears\n  did       asked\n  expected  a reply\n  came      it hung: no reply\n  \
         think     Who sleeps?\n  read      book/src/03-a.md#why\n```\n\nAlso caught by: *it talks*.\n"
    );
    let symptoms = read("symptoms.md");
    for part in [
        "| Nobody \\| is heard. | It is deaf. | [03](03-a.md#mistake-deaf) |",
        "## It gets slow, or large {#slow}\n\n| you see | it may be | read |\n|---|---|---|\n\
         | It crawls. | Too many. | [b](b.md#b) |\n",
    ] {
        assert!(symptoms.contains(part), "no {part:?} in\n{symptoms}");
    }
    let exercises = read("exercises.md");
    for part in [
        "In all: 1 exercise, 10 minutes, 2 points.",
        "## 03 A {#03-a}\n\n1 exercise, 10 minutes, 2 points.\n",
        "| 03.1 | [X](03-a.md#exercise-x) | mend | 10 | 2 |\n",
    ] {
        assert!(exercises.contains(part), "no {part:?} in\n{exercises}");
    }
}

#[test]
fn what_an_exercise_or_a_mistake_lacks_is_found() {
    let toml = "chapters/03-a/exercises/1-x/exercise.toml";
    let patch = "chapters/03-a/mistakes/deaf.patch";
    let statement = "chapters/03-a/exercises/1-x/statement.md";
    let planted: [(Finder, &str, &str, &str, &str); 17] = [
        (practice::unfit, toml, "minutes = 10", "minutes = 20", "does not begin with"),
        (practice::unfit, toml, "points = 2", "points = 0", "no minutes or no points"),
        (practice::unfit, toml, "asked here?", "asked here.", "first hint is no question"),
        (practice::unfit, toml, "Ask for both of them", "Ask", "an empty hint"),
        (
            practice::unfit,
            toml,
            "name = \"c\"",
            "name = \"d\"",
            "wrong/c.rs is not in its exercise.toml",
        ),
        (
            practice::unfit,
            toml,
            "name = \"c\"",
            "name = \"d\"",
            "there is no chapters/03-a/exercises/1-x/wrong/d.rs",
        ),
        (practice::unfit, "tests/03_a.rs", "1-x/checks.rs", "1-y/checks.rs", "does not include"),
        (practice::unfit, MANIFEST, "03-1-x", "03-1-y", "no example 03-1-x"),
        (
            practice::unfit,
            PAGE,
            "{#exercise-x}",
            "{#exercise-y}",
            "no page has a section {#exercise-x}",
        ),
        (practice::unfit, PAGE, "{#mistakes}", "{#errors}", "in a section {#mistakes}"),
        (
            practice::unfit,
            PAGE,
            "{{#include mistakes/03-a.md}}",
            "",
            "no page of it shows mistakes/03-a.md",
        ),
        (practice::unfit, patch, "# seen-as = \"hang\"\n", "", "no `seen-as`"),
        (practice::unfit, patch, "program = \"a\"", "program = \"b\"", "03-a has no program b"),
        (practice::unfit, patch, "it_hears", "it_sees", "does not tell of the check \"it_sees\""),
        (links::dead_links, statement, "(#why)", "(#how)", "1-x/statement.md:3: #how: no heading"),
        (
            links::wrong_headings,
            PAGE,
            "{#why}",
            "{#mistake-deaf}",
            "book/src/mistakes/03-a.md:1: the id",
        ),
        (
            links::dead_links,
            "book/src/symptoms.md",
            "#mistake-deaf",
            "#mistake-mute",
            "no heading has this id",
        ),
    ];
    for (finder, file, old, new, said) in planted {
        let fixture = with_practice().plant(file, old, new);
        let findings = finder(&fixture.house());
        let found = findings.iter().any(|finding| finding.to_string().contains(said));
        assert!(found, "{said}: not among {findings:?}");
    }
    let fixture = with_practice();
    fixture.write("chapters/03-a/mistakes/left-over.md", "words\n");
    fs::remove_file(fixture.0.path().join("chapters/03-a/exercises/1-x/solution.rs")).expect("it");
    let found: Vec<String> =
        practice::unfit(&fixture.house()).iter().map(Finding::to_string).collect();
    assert_eq!(
        found,
        [
            "chapters/03-a/exercises/1-x: it has no solution.rs",
            "chapters/03-a/mistakes/left-over.md: belongs to no mistake",
        ]
    );
}

#[test]
fn a_stale_part_about_mistakes_is_found() {
    let fixture = with_practice().plant(
        "chapters/03-a/mistakes/deaf.patch",
        "nobody | is heard",
        "all are deaf",
    );
    let house = fixture.house();
    for (kind, stale) in [(mistakes::KIND, 1), (symptoms::KIND, 1), (exercises::KIND, 0)] {
        assert_eq!(kind.stale(&house).expect("the mistakes").len(), stale, "{}", kind.name);
    }
    fs::remove_file(house.root.join("book/recordings/checks.json")).expect("the recording");
    let error = mistakes::KIND.stale(&house).expect_err("no recording").to_string();
    assert!(error.starts_with("book/recordings/checks.json: "), "{error}");
}
