//! The checks of chapter 09: the whole table, on this kernel, and the instrument that makes it.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use cli::syllabus::root;
use judge::arguments::refused;
use judge::{Check, Failure, LessonChecks, Scope, Subject, Suite, equal, require};
use lab::namespace::Network;
use lab::need::Need;
use lab::probe;
use lab::ran::Ran;
use lab::rig::pipes;
use lab::subject::Launch;
use lab::wait::patience;
use serde_json::Value;

fn main() -> ExitCode {
    LessonChecks::new("09-readiness")
        .program("readiness-table", env!("CARGO_BIN_EXE_readiness-table"), OWN)
        .exercise("1-eventfd", exercise_1::CHECKS)
        .exercise("2-collect", exercise_2::CHECKS)
        .exercise("3-ending", exercise_3::CHECKS)
        .main()
}

#[path = "../chapters/09-readiness/exercises/1-eventfd/checks.rs"]
mod exercise_1;
#[path = "../chapters/09-readiness/exercises/2-collect/checks.rs"]
mod exercise_2;
#[path = "../chapters/09-readiness/exercises/3-ending/checks.rs"]
mod exercise_3;

const OWN: &[Suite] = &[
    Suite::new(Scope::Lesson, TABLE).waits_long(),
    Suite::new(Scope::Lesson, NAMESPACES).needs(&[Need::UserNamespaces]).waits_long(),
    Suite::new(Scope::Lesson, FORMS),
];

/// How many rows the table has.
const ROWS: usize = 64;

/// What the course relies on: these hold on every kernel that it supports.
const CORE: [&str; 39] = [
    "listener-empty",
    "listener-half-open",
    "listener-connection",
    "listener-deferred",
    "never-connected",
    "connect-pending",
    "connect-succeeded",
    "connect-banner",
    "connect-refused",
    "connect-refused-told",
    "idle",
    "data",
    "data-partly-read",
    "data-more",
    "low-water-below",
    "low-water-reached",
    "low-water-fin",
    "fin",
    "fin-close",
    "fin-data",
    "shutdown-write",
    "shutdown-read",
    "shutdown-both",
    "fin-both",
    "rst",
    "rst-told",
    "rst-close-wait",
    "urgent",
    "urgent-data",
    "urgent-mark-read",
    "urgent-inline",
    "send-full",
    "send-drained",
    "send-some",
    "udp-datagram",
    "udp-refused",
    "pipe-writer-closed",
    "pipe-reader-closed",
    "regular-file",
];

/// What nothing promises: who closes a descriptor under a waiting call, or is told of an error at
/// that very moment, may see something else on another kernel.
const VARIES: [&str; 2] = ["closed-meanwhile", "connect-unreachable-in-call"];

/// The rows that need a network of their own.
const OWN_NETWORK: [&str; 2] = ["connect-unreachable", "connect-unreachable-in-call"];

/// Its standard output as JSON.
fn json(ran: &Ran) -> Result<Value, Failure> {
    serde_json::from_slice(&ran.stdout)
        .map_err(|error| Failure::wrong(format_args!("{error}: {ran}")))
}

/// Runs the program to its end.
fn run(it: &Subject, arguments: &[&str]) -> io::Result<Ran> {
    let launch = arguments.iter().fold(it.launch(), Launch::arg);
    Ran::within(patience() * 6, launch.start()?)
}

/// The value's text; nothing if it is no text.
fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn rows(table: &Value) -> &[Value] {
    table["rows"].as_array().map_or(&[], Vec::as_slice)
}

/// Every row is asked about: some wait for seconds.
const TABLE: &[Check] = &[
    Check {
        name: "every_row_is_there_and_this_kernel_agrees_with_the_book",
        did: "asked about every row, and compared with the book's table",
        expected: "all rows; the same cells, on another kernel at least in those that the course \
                   relies on",
        perhaps: "is this a kernel that does something differently? `readiness-table --diff` \
                  shows it",
        read: "09-readiness.md#table",
        run: |it| {
            let here = run(it, &["--format", "json"])?;
            require(here.status == Some(0) && here.stderr.is_empty(), &here)?;
            let here = json(&here)?;
            let book = json(&run(it, &["--book", "--format", "json"])?)?;
            let names = |table| rows(table).iter().map(|row| text(row, "row").to_owned());
            require(names(&here).eq(names(&book)), "other rows than in the book")?;
            equal(rows(&here).len(), ROWS)?;
            let known = |name: &str| names(&book).any(|row| row == name);
            require(CORE.iter().chain(&VARIES).all(|name| known(name)), "a row has another name")?;

            let same_kernel = here["kernel"] == book["kernel"];
            let (mut wrong, mut told) = (Vec::new(), Vec::new());
            for (ours, theirs) in rows(&here).iter().zip(rows(&book)) {
                let name = text(ours, "row");
                if let Some(why) = ours["not_here"].as_str() {
                    let left_out =
                        OWN_NETWORK.contains(&name) && probe::look(Need::UserNamespaces).is_err();
                    require(left_out, format_args!("{name}: not here: {why}"))?;
                } else if ours != theirs {
                    let strict = CORE.contains(&name) || same_kernel && !VARIES.contains(&name);
                    let list = if strict { &mut wrong } else { &mut told };
                    list.push(format!("{name}: here {ours}, in the book {theirs}"));
                }
            }
            for difference in told {
                eprintln!("this kernel does it differently, and may: {difference}");
            }
            require(wrong.is_empty(), wrong.join("; "))?;
            Ok(())
        },
    },
    Check {
        name: "few_descriptors_are_enough_for_most_rows_and_the_others_are_named",
        did: "ran it with 16 descriptors, and with 8",
        expected: "with 16 the rows of chapters 03 to 08; with 8 a line for each row that failed, \
                   status 1",
        perhaps: "does a row keep what it does not need?",
        read: "09-readiness.md#run",
        run: |it| {
            let with = |limit: u64, only: Option<&str>| {
                let launch = it.launch().arg("--format=json").descriptor_limit(limit);
                let launch = match only {
                    Some(only) => launch.arg("--only").arg(only),
                    None => launch,
                };
                launch.start().and_then(Ran::of)
            };
            let enough = with(16, Some("listener"))?;
            require(enough.status == Some(0) && enough.stderr.is_empty(), &enough)?;
            equal(rows(&json(&enough)?).len(), 7)?;
            let few = with(8, None)?;
            let line = "row listener-another: EMFILE: Too many open files (it needs more descriptors: raise \
                        the limit, ulimit -n)\n";
            require(few.status == Some(1) && few.stderr.contains(line), &few)?;
            let failed = few.stderr.lines().count();
            equal(rows(&json(&few)?).len() + failed, ROWS)?;
            require(failed < ROWS, &few)?;
            Ok(())
        },
    },
];

/// What is printed, of whichever rows.
const FORMS: &[Check] = &[
    Check {
        name: "only_selects_rows_by_name_and_by_a_part_of_it",
        did: "asked for some rows only",
        expected: "those rows, in the table's order: a short name means one row, a part of it all \
                   with it",
        perhaps: "is a whole name taken for a part of others?",
        read: "09-readiness.md#run",
        run: |it| {
            for (arguments, expected) in [
                (&["--only", "data"][..], &["data"][..]),
                (&["--only", "SO_RCVLOWAT, and"], &["low-water-fin"]),
                (&["--only", "fifo"], &[]),
                (&["--only", "rst-told", "--only", "idle"], &["idle", "rst-told"]),
                (&["--only", "UDP, an"], &["udp-empty", "udp-refused"]),
                (&["--only", "send-"], &["send-full", "send-drained", "send-some"]),
            ] {
                if expected.is_empty() {
                    equal(run(it, arguments)?.status, Some(2))?;
                    continue;
                }
                let ran = run(it, &[arguments, &["--format", "json"]].concat())?;
                require(ran.status == Some(0), &ran)?;
                let table = json(&ran)?;
                let names: Vec<&str> = rows(&table).iter().map(|row| text(row, "row")).collect();
                equal(names.as_slice(), expected)?;
            }
            Ok(())
        },
    },
    Check {
        name: "a_difference_is_found_and_is_no_failure",
        did: "compared three rows with a table in which one cell was changed and one row left out",
        expected: "that one cell with both texts, that row as not compared, and exit status 0",
        perhaps: "is a difference taken for a mistake?",
        read: "09-readiness.md#diff",
        run: |it| {
            let only = ["--only", "idle", "--only", "pipe-data", "--only", "rst"];
            let book = run(it, &[&["--book", "--format", "json"][..], &only].concat())?;
            let mut table = json(&book)?;
            let list = table["rows"].as_array_mut().expect("rows");
            list[0]["select"] = "r--".into();
            list.retain(|row| text(row, "row") != "rst");
            let file = Path::new(env!("CARGO_TARGET_TMPDIR"))
                .join(format!("readiness-{}.json", std::process::id()));
            fs::write(&file, table.to_string())?;
            let path = file.display().to_string();

            let told = run(it, &[&["--diff", "--table", &path][..], &only].concat())?;
            let data =
                run(it, &[&["--diff", "--table", &path, "--format", "json"][..], &only].concat())?;
            let page = run(
                it,
                &[&["--diff", "--table", &path, "--format", "markdown"][..], &only].concat(),
            )?;
            let same = run(it, &[&["--diff"][..], &only].concat())?;
            let _ = fs::remove_file(&file);

            let words =
                "established, idle\n  select: here -w-, in the table r--\nrst: not compared";
            let right = told.status == Some(0) && told.text().starts_with(words);
            require(right && told.text().contains("1 cell is not as in"), &told)?;
            require(data.status == Some(0), &data)?;
            let data = json(&data)?;
            equal(data["differences"].as_array().map(Vec::len), Some(1))?;
            equal(text(&data["differences"][0], "here"), "-w-")?;
            equal(text(&data["differences"][0], "table"), "r--")?;
            equal(&data["not_compared"], &Value::from(vec!["rst"]))?;
            require(page.text().contains("\n| established, idle | select | -w- | r-- |\n"), &page)?;
            let none = same.status == Some(0) && same.text().contains("every cell is as in");
            require(none && same.text().lines().count() == 1, &same)?;
            Ok(())
        },
    },
    Check {
        name: "every_form_is_whole",
        did: "printed the book's table in each form, and the list of rows",
        expected: "at most 100 columns of text; six cells in every line of Markdown; data with \
                   all cells",
        perhaps: "does a | in a cell end it?",
        read: "09-readiness.md#run",
        run: |it| {
            let text_form = run(it, &["--book"])?.text().into_owned();
            equal(text_form.lines().count(), ROWS + 1)?;
            let widest = text_form.lines().map(|line| line.chars().count()).max();
            require(widest <= Some(100), format_args!("a line of {widest:?} columns"))?;
            let markdown = run(it, &["--book", "--format", "markdown"])?.text().into_owned();
            equal(markdown.lines().count(), ROWS + 2)?;
            for line in markdown.lines() {
                let whole = line.starts_with('|') && line.ends_with('|');
                require(whole && line.matches('|').count() == 7, line)?;
            }
            let data = json(&run(it, &["--book", "--format", "json"])?)?;
            for row in rows(&data) {
                for cell in ["row", "condition", "select", "poll", "unasked", "lt", "et"] {
                    require(!text(row, cell).is_empty(), format_args!("no {cell} in {row}"))?;
                }
            }
            let list = run(it, &["--list"])?.text().into_owned();
            equal(list.lines().count(), ROWS * 2)?;
            for row in rows(&data) {
                let line = format!("{:<25}  {}", text(row, "row"), text(row, "condition"));
                require(list.lines().any(|it| it == line), line)?;
            }
            Ok(())
        },
    },
    Check {
        name: "the_page_shows_the_table_that_the_program_has",
        did: "compared the page's table with what --book --format markdown prints",
        expected: "the same text",
        perhaps: "was the table measured anew? `cargo course write` writes the page's table",
        read: "09-readiness.md#table",
        run: |it| {
            let path = root().join("book/src/tables/09-readiness.md");
            let printed = run(it, &["--book", "--format", "markdown"])?.text().into_owned();
            let shown = fs::read_to_string(&path)?;
            require(shown == printed, "another table")?;
            Ok(())
        },
    },
    Check {
        name: "wrong_arguments_end_with_status_2_and_a_sentence",
        did: "ran the program with wrong arguments",
        expected: "a sentence on standard error, nothing on standard output, exit status 2",
        perhaps: "is a name looked at only when its turn has come?",
        read: "09-readiness.md#run",
        run: |it| {
            let wrong: &[(&[&str], &str)] = &[
                (&["--only", "xyzzy"], "no row is called \"xyzzy\"\nreadiness-table --list"),
                (&["--only", "urgnt"], "did you mean \"urgent\"?"),
                (
                    &["--only", "idle", "--only", "lisener-empty"],
                    "did you mean \"listener-empty\"?",
                ),
                (&["--only", ""], "no row is called \"\""),
                (&["--only"], "--only"),
                (&["--format", "html"], "text, markdown, json"),
                (&["--table", "x.json"], "--diff"),
                (&["--book", "--diff"], "cannot be used with"),
                (&["--list", "--diff"], "cannot be used with"),
                (&["idle"], "idle"),
            ];
            refused(it, wrong)
        },
    },
    Check {
        name: "a_table_that_cannot_be_read_is_named",
        did: "compared with a file that is not there, and with one that is no table",
        expected: "its name and the reason on standard error, at once; exit status 1",
        perhaps: "is it read only when everything has been asked?",
        read: "09-readiness.md#diff",
        run: |it| {
            let own = root().join("book/src/SUMMARY.md").display().to_string();
            for (path, sentence) in [
                (
                    "/nonexistent/table.json",
                    "read /nonexistent/table.json: ENOENT: No such file or directory\n",
                ),
                (&own, "it is no table as --format json prints it"),
            ] {
                let ran = run(it, &["--diff", "--table", path])?;
                let right = ran.stderr.contains(path) && ran.stderr.contains(sentence);
                require(right && ran.status == Some(1) && ran.stdout.is_empty(), &ran)?;
            }
            Ok(())
        },
    },
    Check {
        name: "help_explains_the_columns",
        did: "asked for help",
        expected: "what the columns mean; exit status 0",
        perhaps: "was a column renamed?",
        read: "09-readiness.md#run",
        run: |it| {
            let ran = run(it, &["--help"])?;
            let said = ["--only", "--diff", "unasked", "LT", "ET", "at ADD"];
            require(said.iter().all(|word| ran.text().contains(word)), &ran)?;
            equal(ran.status, Some(0))?;
            Ok(())
        },
    },
    Check {
        name: "a_closed_output_is_an_error_and_no_panic",
        did: "closed its standard output, and then its standard error too",
        expected: "`write standard output: EPIPE`, exit status 1, and no panic",
        perhaps: "is println! used where nobody may be reading?",
        read: "09-readiness.md#run",
        run: |it| {
            for arguments in
                [&["--book"][..], &["--list"], &["--only", "idle"], &["--only", "xyzzy"]]
            {
                for error_too in [false, true] {
                    // Closed before it starts: it is not to be quicker than we are.
                    let nobody = pipes::without_reader;
                    let stderr = if error_too { nobody()?.into() } else { Stdio::piped() };
                    let mut command = Command::new(it.path());
                    let command = command.args(arguments).stdout(nobody()?).stderr(stderr);
                    let child = command.spawn()?;
                    let output = child.wait_with_output()?;
                    let said = String::from_utf8_lossy(&output.stderr).into_owned();
                    let expected = if arguments.contains(&"xyzzy") { 2 } else { 1 };
                    let right =
                        output.status.code() == Some(expected) && !said.contains("panicked");
                    let silent = error_too
                        || expected == 2
                        || said.starts_with("write standard output: EPIPE");
                    require(
                        right && silent,
                        format_args!("{arguments:?}: {}, {said:?}", output.status),
                    )?;
                }
            }
            Ok(())
        },
    },
];

const NAMESPACES: &[Check] = &[Check {
    name: "without_user_namespaces_the_rows_that_need_one_say_so",
    did: "ran it where no namespace can be made",
    expected: "`not here` and the setting for the rows that need one, the others as ever, status 0",
    perhaps: "does one row that is forbidden end the whole table?",
    read: "09-readiness.md#run",
    run: |it| {
        let network = Network::with_loopback().without_namespaces();
        let launch = it.launch().arg("--format=json").in_namespace(network);
        let started = launch.arg("--only").arg("connect").arg("--only").arg("unreachable").start();
        let subject = started?;
        let ran = Ran::of(subject)?;
        require(ran.status == Some(0) && ran.stderr.is_empty(), &ran)?;
        let table = json(&ran)?;
        for row in rows(&table) {
            let name = text(row, "row");
            let not_here = text(row, "not_here");
            if OWN_NETWORK.contains(&name) {
                require(not_here.contains("user.max_user_namespaces"), row)?;
            } else {
                require(!text(row, "poll").is_empty(), row)?;
            }
        }
        require(rows(&table).len() > OWN_NETWORK.len(), &ran)?;
        Ok(())
    },
}];
