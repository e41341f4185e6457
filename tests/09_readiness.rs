//! The checks of chapter 09: the whole table, on this kernel, and the instrument that makes it.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use assert_cmd::cargo::{cargo_bin, cargo_bin_cmd};
use lab::finding::Check;
use lab::missing::Need;
use lab::namespace::Network;
use lab::ran::Ran;
use lab::subject::Launch;
use lab::transcript::Transcripts;
use lab::wait::PATIENCE;
use serde_json::Value;

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

/// The program on trial.
fn program() -> &'static Path {
    cargo_bin!("readiness-table")
}

/// The chapter's folder and the book's.
fn place(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// Its standard output as JSON.
fn json(ran: &Ran, check: &Check) -> Value {
    check.value(serde_json::from_slice(&ran.stdout).map_err(|error| format!("{error}: {ran}")))
}

/// Runs the program to its end.
fn run(arguments: &[&str]) -> Ran {
    let mut command = cargo_bin_cmd!("readiness-table");
    command.args(arguments).timeout(PATIENCE * 6);
    command.output().expect("the program starts").into()
}

/// The value's text; nothing if it is no text.
fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn rows(table: &Value) -> &[Value] {
    table["rows"].as_array().map_or(&[], Vec::as_slice)
}

#[test]
fn every_row_is_there_and_this_kernel_agrees_with_the_book() {
    const CHECK: Check = Check {
        did: "asked about every row, and compared with the book's table",
        expected: "all rows; the same cells, on another kernel at least in those that the course relies on",
        perhaps: "is this a kernel that does something differently? `readiness-table --diff` shows it",
        read: "09-readiness.md#table",
    };
    let here = run(&["--format", "json"]);
    CHECK.require(here.status == Some(0) && here.stderr.is_empty(), &here);
    let here = json(&here, &CHECK);
    let book = json(&run(&["--book", "--format", "json"]), &CHECK);
    let names = |table| rows(table).iter().map(|row| text(row, "row").to_owned());
    CHECK.equal(&names(&here).collect::<Vec<_>>(), &names(&book).collect());
    CHECK.equal(&rows(&here).len(), &ROWS);
    let known = |name: &str| names(&book).any(|row| row == name);
    CHECK.require(CORE.iter().chain(&VARIES).all(|name| known(name)), "a row has another name");

    let same_kernel = here["kernel"] == book["kernel"];
    let (mut wrong, mut told) = (Vec::new(), Vec::new());
    for (ours, theirs) in rows(&here).iter().zip(rows(&book)) {
        let name = text(ours, "row");
        if let Some(why) = ours["not_here"].as_str() {
            let forbidden = io::Error::new(io::ErrorKind::Unsupported, why.to_owned());
            let left_out = OWN_NETWORK.contains(&name)
                && CHECK.value(Need::UserNamespaces.or_left_out::<()>(Err(forbidden))).is_none();
            CHECK.require(left_out, format_args!("{name}: not here: {why}"));
        } else if ours != theirs {
            let strict = CORE.contains(&name) || same_kernel && !VARIES.contains(&name);
            let list = if strict { &mut wrong } else { &mut told };
            list.push(format!("{name}: here {ours}, in the book {theirs}"));
        }
    }
    for difference in told {
        eprintln!("this kernel does it differently, and may: {difference}");
    }
    CHECK.require(wrong.is_empty(), wrong.join("; "));
}

#[test]
fn only_selects_rows_by_name_and_by_a_part_of_it() {
    const CHECK: Check = Check {
        did: "asked for some rows only",
        expected: "those rows, in the table's order: a short name means one row, a part of it all with it",
        perhaps: "is a whole name taken for a part of others?",
        read: "09-readiness.md#run",
    };
    for (arguments, expected) in [
        (&["--only", "data"][..], &["data"][..]),
        (&["--only", "SO_RCVLOWAT, and"], &["low-water-fin"]),
        (&["--only", "fifo"], &[]),
        (&["--only", "rst-told", "--only", "idle"], &["idle", "rst-told"]),
        (&["--only", "UDP, an"], &["udp-empty", "udp-refused"]),
        (&["--only", "send-"], &["send-full", "send-drained", "send-some"]),
    ] {
        if expected.is_empty() {
            CHECK.equal(&run(arguments).status, &Some(2));
            continue;
        }
        let ran = run(&[arguments, &["--format", "json"]].concat());
        CHECK.require(ran.status == Some(0), &ran);
        let table = json(&ran, &CHECK);
        let names: Vec<&str> = rows(&table).iter().map(|row| text(row, "row")).collect();
        CHECK.equal(&names.as_slice(), &expected);
    }
}

#[test]
fn a_difference_is_found_and_is_no_failure() {
    const CHECK: Check = Check {
        did: "compared three rows with a table in which one cell was changed and one row left out",
        expected: "that one cell with both texts, that row as not compared, and exit status 0",
        perhaps: "is a difference taken for a mistake?",
        read: "09-readiness.md#diff",
    };
    let only = ["--only", "idle", "--only", "pipe-data", "--only", "rst"];
    let book = run(&[&["--book", "--format", "json"][..], &only].concat());
    let mut table = json(&book, &CHECK);
    let list = table["rows"].as_array_mut().expect("rows");
    list[0]["select"] = "r--".into();
    list.retain(|row| text(row, "row") != "rst");
    let file = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("readiness-{}.json", std::process::id()));
    CHECK.value(fs::write(&file, table.to_string()));
    let path = file.display().to_string();

    let told = run(&[&["--diff", "--table", &path][..], &only].concat());
    let data = run(&[&["--diff", "--table", &path, "--format", "json"][..], &only].concat());
    let page = run(&[&["--diff", "--table", &path, "--format", "markdown"][..], &only].concat());
    let same = run(&[&["--diff"][..], &only].concat());
    let _ = fs::remove_file(&file);

    let words = "established, idle\n  select: here -w-, in the table r--\nrst: not compared";
    let right = told.status == Some(0) && told.text().starts_with(words);
    CHECK.require(right && told.text().contains("1 cell is not as in"), &told);
    CHECK.require(data.status == Some(0), &data);
    let data = json(&data, &CHECK);
    CHECK.equal(&data["differences"].as_array().map(Vec::len), &Some(1));
    CHECK.equal(&text(&data["differences"][0], "here"), &"-w-");
    CHECK.equal(&text(&data["differences"][0], "table"), &"r--");
    CHECK.equal(&data["not_compared"], &Value::from(vec!["rst"]));
    CHECK.require(page.text().contains("\n| established, idle | select | -w- | r-- |\n"), &page);
    let none = same.status == Some(0) && same.text().contains("every cell is as in");
    CHECK.require(none && same.text().lines().count() == 1, &same);
}

#[test]
fn every_form_is_whole() {
    const CHECK: Check = Check {
        did: "printed the book's table in each form, and the list of rows",
        expected: "at most 100 columns of text; six cells in every line of Markdown; data with all cells",
        perhaps: "does a | in a cell end it?",
        read: "09-readiness.md#run",
    };
    let text_form = run(&["--book"]).text().into_owned();
    CHECK.equal(&text_form.lines().count(), &(ROWS + 1));
    let widest = text_form.lines().map(|line| line.chars().count()).max();
    CHECK.require(widest <= Some(100), format_args!("a line of {widest:?} columns"));
    let markdown = run(&["--book", "--format", "markdown"]).text().into_owned();
    CHECK.equal(&markdown.lines().count(), &(ROWS + 2));
    for line in markdown.lines() {
        let whole = line.starts_with('|') && line.ends_with('|');
        CHECK.require(whole && line.matches('|').count() == 7, line);
    }
    let data = json(&run(&["--book", "--format", "json"]), &CHECK);
    for row in rows(&data) {
        for cell in ["row", "condition", "select", "poll", "unasked", "lt", "et"] {
            CHECK.require(!text(row, cell).is_empty(), format_args!("no {cell} in {row}"));
        }
    }
    let list = run(&["--list"]).text().into_owned();
    CHECK.equal(&list.lines().count(), &(ROWS * 2));
    for row in rows(&data) {
        let line = format!("{:<25}  {}", text(row, "row"), text(row, "condition"));
        CHECK.require(list.lines().any(|it| it == line), line);
    }
}

#[test]
fn the_page_shows_the_table_that_the_program_has() {
    const CHECK: Check = Check {
        did: "compared the page's table with what --book --format markdown prints",
        expected: "the same text",
        perhaps: "was the table measured anew? READINESS_UPDATE=1 writes the page's table too",
        read: "09-readiness.md#table",
    };
    let path = place("book/src/tables/09-readiness.md");
    let printed = run(&["--book", "--format", "markdown"]).text().into_owned();
    if std::env::var_os("READINESS_UPDATE").is_some() {
        CHECK.value(fs::write(&path, &printed));
    }
    let shown = CHECK.value(fs::read_to_string(&path));
    CHECK.require(shown == printed, "another table");
}

#[test]
fn wrong_arguments_end_with_status_2_and_a_sentence() {
    const CHECK: Check = Check {
        did: "ran the program with wrong arguments",
        expected: "a sentence on standard error, nothing on standard output, exit status 2",
        perhaps: "is a name looked at only when its turn has come?",
        read: "09-readiness.md#run",
    };
    let wrong: [(&[&str], &str); 10] = [
        (&["--only", "xyzzy"], "no row is called \"xyzzy\"\nreadiness-table --list"),
        (&["--only", "urgnt"], "did you mean \"urgent\"?"),
        (&["--only", "idle", "--only", "lisener-empty"], "did you mean \"listener-empty\"?"),
        (&["--only", ""], "no row is called \"\""),
        (&["--only"], "--only"),
        (&["--format", "html"], "text, markdown, json"),
        (&["--table", "x.json"], "--diff"),
        (&["--book", "--diff"], "cannot be used with"),
        (&["--list", "--diff"], "cannot be used with"),
        (&["idle"], "idle"),
    ];
    for (arguments, sentence) in wrong {
        let ran = run(arguments);
        let said = ran.stderr.contains(sentence) && !ran.stderr.contains("panicked");
        let right = said && ran.status == Some(2) && ran.stdout.is_empty();
        CHECK.require(right, format_args!("{arguments:?}: {ran}"));
    }
}

#[test]
fn a_table_that_cannot_be_read_is_named() {
    const CHECK: Check = Check {
        did: "compared with a file that is not there, and with one that is no table",
        expected: "its name and the reason on standard error, at once; exit status 1",
        perhaps: "is it read only when everything has been asked?",
        read: "09-readiness.md#diff",
    };
    let own = place("book/src/SUMMARY.md").display().to_string();
    for (path, sentence) in [
        (
            "/nonexistent/table.json",
            "read /nonexistent/table.json: ENOENT: No such file or directory\n",
        ),
        (&own, "it is no table as --format json prints it"),
    ] {
        let ran = run(&["--diff", "--table", path]);
        let right = ran.stderr.contains(path) && ran.stderr.contains(sentence);
        CHECK.require(right && ran.status == Some(1) && ran.stdout.is_empty(), &ran);
    }
}

#[test]
fn help_explains_the_columns() {
    const CHECK: Check = Check {
        did: "asked for help",
        expected: "what the columns mean; exit status 0",
        perhaps: "was a column renamed?",
        read: "09-readiness.md#run",
    };
    let ran = run(&["--help"]);
    let said = ["--only", "--diff", "unasked", "LT", "ET", "at ADD"];
    CHECK.require(said.iter().all(|word| ran.text().contains(word)), &ran);
    CHECK.equal(&ran.status, &Some(0));
}

#[test]
fn a_closed_output_is_an_error_and_no_panic() {
    const CHECK: Check = Check {
        did: "closed its standard output, and then its standard error too",
        expected: "`write standard output: EPIPE`, exit status 1, and no panic",
        perhaps: "is println! used where nobody may be reading?",
        read: "09-readiness.md#run",
    };
    for arguments in [&["--book"][..], &["--list"], &["--only", "idle"], &["--only", "xyzzy"]] {
        for error_too in [false, true] {
            // Closed before it starts: it is not to be quicker than we are.
            let nobody = || CHECK.value(io::pipe()).1;
            let stderr = if error_too { nobody().into() } else { Stdio::piped() };
            let mut command = Command::new(program());
            let command = command.args(arguments).stdout(nobody()).stderr(stderr);
            let child = CHECK.value(command.spawn());
            let output = CHECK.value(child.wait_with_output());
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let expected = if arguments.contains(&"xyzzy") { 2 } else { 1 };
            let right = output.status.code() == Some(expected) && !said.contains("panicked");
            let silent =
                error_too || expected == 2 || said.starts_with("write standard output: EPIPE");
            CHECK.require(
                right && silent,
                format_args!("{arguments:?}: {}, {said:?}", output.status),
            );
        }
    }
}

#[test]
fn few_descriptors_are_enough_for_most_rows_and_the_others_are_named() {
    const CHECK: Check = Check {
        did: "ran it with 16 descriptors, and with 8",
        expected: "with 16 the rows of chapters 03 to 08; with 8 a line for each row that failed, status 1",
        perhaps: "does a row keep what it does not need?",
        read: "09-readiness.md#run",
    };
    let with = |limit: u64, only: Option<&str>| {
        let launch = Launch::new(program()).arg("--format=json").descriptor_limit(limit);
        let launch = match only {
            Some(only) => launch.arg("--only").arg(only),
            None => launch,
        };
        CHECK.value(launch.start().and_then(Ran::of))
    };
    let enough = with(16, Some("listener"));
    CHECK.require(enough.status == Some(0) && enough.stderr.is_empty(), &enough);
    CHECK.equal(&rows(&json(&enough, &CHECK)).len(), &7);
    let few = with(8, None);
    let line = "row listener-another: EMFILE: Too many open files (it needs more descriptors: raise \
                the limit, ulimit -n)\n";
    CHECK.require(few.status == Some(1) && few.stderr.contains(line), &few);
    let failed = few.stderr.lines().count();
    CHECK.equal(&(rows(&json(&few, &CHECK)).len() + failed), &ROWS);
    CHECK.require(failed < ROWS, &few);
}

#[test]
fn without_user_namespaces_the_rows_that_need_one_say_so() {
    const CHECK: Check = Check {
        did: "ran it where no namespace can be made",
        expected: "`not here` and the setting for the rows that need one, the others as ever, status 0",
        perhaps: "does one row that is forbidden end the whole table?",
        read: "09-readiness.md#run",
    };
    let network = Network::with_loopback().without_namespaces();
    let launch = Launch::new(program()).arg("--format=json").in_namespace(network);
    let started = launch.arg("--only").arg("connect").arg("--only").arg("unreachable").start();
    let Some(subject) = CHECK.value(Need::UserNamespaces.or_left_out(started)) else { return };
    let ran = CHECK.value(Ran::of(subject));
    CHECK.require(ran.status == Some(0) && ran.stderr.is_empty(), &ran);
    let table = json(&ran, &CHECK);
    for row in rows(&table) {
        let name = text(row, "row");
        let not_here = text(row, "not_here");
        if OWN_NETWORK.contains(&name) {
            CHECK.require(not_here.contains("user.max_user_namespaces"), row);
        } else {
            CHECK.require(!text(row, "poll").is_empty(), row);
        }
    }
    CHECK.require(rows(&table).len() > OWN_NETWORK.len(), &ran);
}

#[test]
fn the_transcripts_of_its_page_are_true() {
    Transcripts::of_page("09-readiness")
        .program("readiness-table", cargo_bin!("readiness-table"))
        .run();
}
