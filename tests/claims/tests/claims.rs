//! Every claim on trial: one test for each claim that has an experiment, made from the register when
//! this starts; and tests of the register and of the runner themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use ch09_readiness::table::Table;
use claims::experiments::{self, MODULES};
use claims::register::{self, Claim, LAST, Register, RegisterSection, SECTIONS};
use claims::runner::{Ruling, Trial, TrialRunner};
use claims::seen::Seen;
use judge::{NotPassed, Test};
use lab::need::Need;
use lab::process::Process;
use lab::wait;

type AboutRegister = fn(&Register) -> Result<(), String>;

/// What is true of the register, and of how it is tried.
const TESTS: &[(&str, AboutRegister)] = &[
    ("the_register_has_every_claim_in_order", every_claim_in_order),
    ("a_hundred_and_fifty_claims_have_a_verdict", a_hundred_and_fifty),
    ("every_claim_has_an_experiment_or_a_reason", an_experiment_or_a_reason),
    ("every_experiment_has_what_would_refute_it", what_would_refute_it),
    ("every_experiment_exists_and_is_named", experiments_fit),
    ("an_experiment_is_in_the_module_of_its_section", modules_fit),
    ("every_row_that_a_claim_names_is_in_the_books_table", rows_fit),
    ("a_row_or_cell_that_is_wrong_is_found", wrong_rows_are_found),
    ("a_kernel_that_reports_something_else_in_a_row_differs", rows_are_compared),
    ("the_claims_of_one_experiment_are_read_alone", resting_on),
    ("no_two_claims_say_the_same", no_doubles),
    ("the_register_is_in_plain_words", plain_words),
    ("every_number_is_in_one_section", sections_fit),
    ("an_id_is_read_as_a_person_writes_it", ids),
    ("the_runner_tells_four_outcomes_apart", four_outcomes),
    ("an_experiment_that_hangs_is_killed_with_its_children", hangs),
    ("stopping_kills_what_runs_and_starts_nothing_more", stops),
];

fn main() -> ExitCode {
    let register = match register::read() {
        Ok(register) => Arc::new(register),
        Err(error) => {
            eprintln!("tests/claims/register.toml: {error}");
            return ExitCode::FAILURE;
        }
    };
    let of_register = TESTS.iter().map(|&(name, test)| {
        let register = Arc::clone(&register);
        Test::named(name, move || Ok(test(&register)?))
    });
    let of_claims = register.claims.iter().filter_map(|claim| {
        let (claim, experiment) = (claim.clone(), claim.experiment.clone()?);
        let name = format!("{}_{}", claim.id.to_lowercase(), experiment.replace('-', "_"));
        Some(Test::named(name, move || holds(&claim, &experiment)))
    });
    judge::tests(of_register.chain(of_claims))
}

/// Tries a claim; fails where this kernel does not do what the book says.
fn holds(claim: &Claim, experiment: &str) -> Result<(), NotPassed> {
    let trial = tried(experiment);
    let told = || {
        let Claim { id, says, verdict, correct, .. } = claim;
        format!(
            "\n{id}, {verdict}: {says}\nthe book: {correct}\nexperiment {experiment}:\n{}",
            lines(&trial.seen)
        )
    };
    match &trial.ruling {
        Ruling::AsTheBookSays if trial.seen.observations.iter().all(|one| !one.compared) => {
            Err(format!("the experiment compares nothing with the book{}", told()).into())
        }
        Ruling::AsTheBookSays => {
            let wanted = claim.observation.as_deref().unwrap_or_default();
            if trial.seen.observations.iter().any(|one| one.did.starts_with(wanted)) {
                return Ok(());
            }
            Err(format!("no observation begins with {wanted:?}{}", told()).into())
        }
        Ruling::Differs => Err(format!("this kernel differs from the book{}", told()).into()),
        Ruling::Broke(why) => Err(format!("the experiment broke: {why}{}", told()).into()),
        Ruling::NotHere(why) => {
            let Some(need) = trial.need else { return Err(format!("no need named: {why}").into()) };
            Err(NotPassed::Forbidden { need, why: why.clone() })
        }
    }
}

/// The trial of an experiment, which runs once however many claims rest on it.
fn tried(experiment: &str) -> Arc<Trial> {
    type Trials = BTreeMap<String, Arc<OnceLock<Arc<Trial>>>>;
    static TRIALS: LazyLock<Mutex<Trials>> = LazyLock::new(Mutex::default);
    let slot = {
        let mut trials = TRIALS.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(trials.entry(experiment.to_owned()).or_default())
    };
    Arc::clone(slot.get_or_init(|| Arc::new(runner().one(experiment))))
}

fn runner() -> TrialRunner {
    TrialRunner::with_program(env!("CARGO_BIN_EXE_claims"))
}

fn lines(seen: &Seen) -> String {
    let lines = seen.observations.iter().map(|one| {
        let book = one.book.as_ref().map_or(String::new(), |book| format!("   BOOK SAYS {book}"));
        format!("  {}: {}{book}", one.did, one.saw)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Fails with all that is wrong.
fn nothing(wrong: &[String]) -> Result<(), String> {
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

fn every_claim_in_order(register: &Register) -> Result<(), String> {
    let ids: Vec<&str> = register.claims.iter().map(|claim| claim.id.as_str()).collect();
    let all: Vec<String> = (1..=LAST).map(register::id).collect();
    let missing = all.iter().filter(|id| !ids.contains(&id.as_str()));
    nothing(&missing.map(|id| format!("{id} is missing")).collect::<Vec<_>>())?;
    if ids == all { Ok(()) } else { Err(format!("not in order, or not all once: {ids:?}")) }
}

fn a_hundred_and_fifty(register: &Register) -> Result<(), String> {
    let given = register.claims.iter().filter(|claim| claim.verdict != register::Verdict::Missing);
    let count = given.count();
    if count >= 150 { Ok(()) } else { Err(format!("only {count}")) }
}

fn an_experiment_or_a_reason(register: &Register) -> Result<(), String> {
    let wrong = register.claims.iter().filter(|claim| {
        let reason = claim.no_experiment.as_deref();
        claim.experiment.is_some() == reason.is_some() || reason.is_some_and(|why| why.len() < 20)
    });
    let wrong = wrong.map(|claim| format!("{}: either experiment or no-experiment", claim.id));
    nothing(&wrong.collect::<Vec<_>>())
}

fn what_would_refute_it(register: &Register) -> Result<(), String> {
    let mut wrong = Vec::new();
    for claim in &register.claims {
        wrong.extend(not_refutable(claim).map(|what| format!("{}: {what}", claim.id)));
    }
    // It would find what is missing.
    let some = register.claim(80).ok_or("no such claim")?;
    let planted = [
        Claim { refuted_by: None, ..some.clone() },
        Claim { refuted_by: Some("x".repeat(160) + "."), ..some.clone() },
        Claim { refuted_by: Some("it does not".to_owned()), ..some.clone() },
        Claim { refuted_by: Some("`it` does not.".to_owned()), ..some.clone() },
        Claim { refuted_by: Some("It does not.".to_owned()), ..some.clone() },
        Claim { refuted_by: Some("A wait of 50 ms reports IN.".to_owned()), ..some.clone() },
        Claim { refuted_by: Some("it would have slept.".to_owned()), ..some.clone() },
        Claim { lie: Vec::new(), no_lie: None, ..some.clone() },
        Claim { no_lie: Some("a reason of some length".to_owned()), ..some.clone() },
        Claim { lie: Vec::new(), no_lie: Some("too short".to_owned()), ..some.clone() },
        Claim { experiment: None, ..some.clone() },
    ];
    for (at, planted) in planted.iter().enumerate() {
        if not_refutable(planted).is_none() {
            wrong.push(format!("what was planted as {at} was not found"));
        }
    }
    nothing(&wrong)
}

/// What is wrong with how a claim says that it would be refuted.
fn not_refutable(claim: &Claim) -> Option<&'static str> {
    let Claim { experiment, refuted_by, lie, no_lie, .. } = claim;
    if experiment.is_none() {
        let something = refuted_by.is_some() || !lie.is_empty() || no_lie.is_some();
        return something.then_some("refuted-by, lie and no-lie go with an experiment");
    }
    let Some(refuted_by) = refuted_by else { return Some("refuted-by is missing") };
    if refuted_by.chars().count() > 160
        || !refuted_by.ends_with('.')
        || refuted_by.contains(['`', '\n'])
    {
        return Some(
            "refuted-by has no stop, more than 160 characters, a backtick or a line's end",
        );
    }
    if !follows_a_colon(refuted_by) {
        return Some("refuted-by is no clause in the present that follows a colon");
    }
    if lie.is_empty() == no_lie.is_none() {
        return Some("either lie or no-lie");
    }
    let short = no_lie.as_ref().is_some_and(|why| why.chars().count() < 20);
    short.then_some("no-lie is no reason")
}

/// Begins it as a clause does, in lower case or with a name (EINTR, TimedOut), and is it no supposition?
fn follows_a_colon(clause: &str) -> bool {
    let word = clause.split([' ', ',', ':']).next().unwrap_or_default();
    let capital = |letter: char| letter.is_ascii_uppercase();
    let is_name = word.chars().skip(1).any(capital);
    (!clause.starts_with(capital) || is_name) && !clause.contains("would have")
}

fn experiments_fit(register: &Register) -> Result<(), String> {
    let named: BTreeSet<&str> =
        register.claims.iter().filter_map(|claim| claim.experiment.as_deref()).collect();
    let there: Vec<&str> = experiments::all().map(|experiment| experiment.name).collect();
    let mut wrong = Vec::new();
    let by_rows = |name: &&&str| {
        let mut claims = register.claims.iter();
        claims.any(|claim| claim.experiment.as_deref() == Some(**name) && !claim.rows.is_empty())
    };
    let without_code = named.iter().filter(|name| experiments::find(name).is_none());
    for name in without_code.filter(|name| !by_rows(name)) {
        wrong.push(format!("a claim names {name:?}, and there is no such experiment"));
    }
    for (at, name) in there.iter().enumerate() {
        if !named.contains(name) {
            wrong.push(format!("no claim names the experiment {name:?}"));
        }
        if there[..at].contains(name) {
            wrong.push(format!("two experiments are called {name:?}"));
        }
        if !name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        {
            wrong.push(format!("{name:?} is not made of words joined by -"));
        }
    }
    nothing(&wrong)
}

fn modules_fit(register: &Register) -> Result<(), String> {
    // It would find one: if the first claim of a section were of the one before.
    let mut others = SECTIONS;
    others[7].numbers.0 += 1;
    others[6].numbers.1 += 1;
    let found = strangers(register, &others);
    let planted = "C159, herd-in-accept-and-in-poll: section connect, and module of threads";
    if found != [planted] {
        return Err(format!("what was planted was not found alone: {found:?}"));
    }
    nothing(&strangers(register, &SECTIONS))
}

/// Experiments that are not where their claims' sections say, or not in the order of the claims.
fn strangers(register: &Register, sections: &[RegisterSection]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut last = 0;
    for (module, experiment) in
        MODULES.iter().flat_map(|module| module.experiments.iter().map(move |one| (module, one)))
    {
        let rests = |claim: &&Claim| claim.experiment.as_deref() == Some(experiment.name);
        let numbers: Vec<u16> = register.claims.iter().filter(rests).map(Claim::number).collect();
        for number in &numbers {
            let of_it = |one: &&RegisterSection| (one.numbers.0..=one.numbers.1).contains(number);
            let section = sections.iter().find(of_it).map_or("none", |section| section.id);
            if !module.sections.contains(&section) {
                let (name, here) = (experiment.name, module.sections.join(" and "));
                wrong.push(format!("C{number}, {name}: section {section}, and module of {here}"));
            }
        }
        let first = numbers.first().copied().unwrap_or(last);
        if first < last {
            wrong.push(format!("{} comes after that of C{last}", experiment.name));
        }
        last = first;
    }
    wrong
}

fn rows_fit(register: &Register) -> Result<(), String> {
    nothing(&wrong_rows(register)?)
}

/// What claims say of rows that is not so in the book's table.
fn wrong_rows(register: &Register) -> Result<Vec<String>, String> {
    let table = Table::of_the_book().map_err(|error| error.to_string())?;
    let mut wrong = Vec::new();
    for Claim { id, rows, experiment, .. } in &register.claims {
        for (at, row) in rows.iter().enumerate() {
            wrong.extend(row.wrong_in(&table).into_iter().map(|what| format!("{id}: {what}")));
            if rows[..at].iter().any(|other| other.row == row.row) {
                wrong.push(format!("{id}: {} is named twice", row.row));
            }
        }
        if experiment.is_none() && !rows.is_empty() {
            wrong.push(format!("{id}: it has rows, and no experiment that measures them"));
        }
    }
    Ok(wrong)
}

fn wrong_rows_are_found(_: &Register) -> Result<(), String> {
    let text = include_str!("../register.toml");
    let right = "{ row = \"idle\", select = \"-w-\", poll = \"OUT\", lt = \"OUT\" },";
    for (planted, found) in [
        ("{ row = \"idel\", select = \"-w-\" },", "the table has no row \"idel\""),
        ("{ row = \"idle\", select = \"rw-\" },", "idle: select is \"-w-\" in the table, and not"),
        ("{ row = \"idle\", et = \"OUT\" },", "idle: ET is \"OUT at ADD\" in the table, and not"),
        ("{ row = \"idle\" },", "idle: no cell is named"),
        ("{ row = \"connect-unreachable\", poll = \"ERR\" },", "it needs a network of its own"),
        (&right.repeat(2), "C122: idle is named twice"),
        ("{ row = \"idle\", epoll = \"OUT\" },", "unknown field `epoll`"),
    ] {
        let told = match register::parse(&text.replacen(right, planted, 1)) {
            Ok(register) => wrong_rows(&register)?.join("; "),
            Err(error) => error.to_string(),
        };
        if !told.contains(found) {
            return Err(format!("{planted}: {told:?}"));
        }
    }
    Ok(())
}

fn rows_are_compared(register: &Register) -> Result<(), String> {
    let claim = register.claims.iter().find(|claim| claim.id == "C122");
    let row = claim.and_then(|claim| claim.rows.iter().find(|row| row.row == "idle"));
    let mut row = row.cloned().ok_or("C122 does not name the row idle")?;
    let mut seen = Seen::default();
    row.measure(&mut seen).map_err(|error| error.to_string())?;
    row.lt = Some("IN".to_owned());
    row.measure(&mut seen).map_err(|error| error.to_string())?;
    let did = "a connection on which nothing happens: row \"established, idle\" of 09";
    let saw = "select -w-, poll and epoll OUT";
    let told: Vec<_> =
        seen.observations.iter().map(|one| (&*one.did, &*one.saw, one.book.as_deref())).collect();
    let expected = [(did, saw, None), (did, saw, Some("select -w-, poll OUT, epoll IN"))];
    if told == expected { Ok(()) } else { Err(format!("{told:?}")) }
}

fn resting_on(register: &Register) -> Result<(), String> {
    let ids = |claims: &[Claim]| claims.iter().map(|claim| claim.id.clone()).collect::<Vec<_>>();
    for name in register.claims.iter().filter_map(|claim| claim.experiment.as_deref()) {
        let alone = register::resting_on(name).map_err(|error| format!("{name}: {error}"))?;
        let all = register.claims.iter().filter(|claim| claim.experiment.as_deref() == Some(name));
        let all: Vec<Claim> = all.cloned().collect();
        if ids(&alone) != ids(&all) {
            return Err(format!("{name}: {:?} instead of {:?}", ids(&alone), ids(&all)));
        }
    }
    Ok(())
}

fn no_doubles(register: &Register) -> Result<(), String> {
    let mut said = BTreeMap::new();
    let mut wrong = Vec::new();
    for claim in &register.claims {
        let letters = claim.says.chars().filter(|letter| letter.is_alphanumeric());
        let plain = letters.collect::<String>().to_lowercase();
        if let Some(other) = said.insert(plain, &claim.id) {
            wrong.push(format!("{other} and {} say the same", claim.id));
        }
    }
    nothing(&wrong)
}

fn plain_words(register: &Register) -> Result<(), String> {
    let mut wrong = Vec::new();
    for claim in &register.claims {
        let Claim { id, who, says, correct, source, .. } = claim;
        if who != "-" && !who.split(", ").all(|who| register.texts.contains_key(who)) {
            wrong.push(format!("{id}: who is {who:?}"));
        }
        for (field, text, at_most) in
            [("says", says, 200), ("correct", correct, 420), ("source", source, 120)]
        {
            if text.is_empty() || text.trim() != text || text.contains('\n') {
                wrong.push(format!("{id}: {field} is empty or has blanks around it or lines"));
            }
            if text.chars().count() > at_most {
                wrong.push(format!("{id}: {field} has more than {at_most} characters"));
            }
        }
        let texts = [says, correct].into_iter().chain(&claim.no_experiment).chain(&claim.no_lie);
        if texts.into_iter().any(|text| text.contains('`')) {
            wrong.push(format!("{id}: a terminal shows the backticks; only a box is Markdown"));
        }
        if !correct.ends_with(['.', '?', ')']) {
            wrong.push(format!("{id}: correct is no sentence"));
        }
    }
    nothing(&wrong)
}

fn sections_fit(_: &Register) -> Result<(), String> {
    let numbers: Vec<u16> =
        SECTIONS.iter().flat_map(|section| section.numbers.0..=section.numbers.1).collect();
    let all: Vec<u16> = (1..=LAST).collect();
    if numbers == all { Ok(()) } else { Err(format!("{numbers:?}")) }
}

fn ids(_: &Register) -> Result<(), String> {
    let wrong = [
        ("C80", Some(80)),
        ("c80", Some(80)),
        ("80", Some(80)),
        ("c05", Some(5)),
        ("5", Some(5)),
        ("C", None),
        ("", None),
        ("-3", None),
        ("+3", None),
        ("C80x", None),
        ("99999999", None),
    ];
    let wrong = wrong.iter().filter(|(typed, number)| register::number(typed) != *number);
    nothing(&wrong.map(|wrong| format!("{wrong:?}")).collect::<Vec<_>>())
}

/// A runner whose experiments are lines of sh.
fn shell() -> TrialRunner {
    TrialRunner::new(|line| {
        let mut command = Command::new("sh");
        command.args(["-c", line]);
        command
    })
}

fn four_outcomes(_: &Register) -> Result<(), String> {
    let observed = |book: &str| {
        format!(
            "\"seen\":{{\"observations\":[{{\"did\":\"a\",\"saw\":\"b\",\"compared\":true,\"book\":{book}}}]}}"
        )
    };
    let report = |seen: &str, ended: &str| format!("echo '{{{seen},\"ended\":{ended}}}'");
    let lines = [
        report(&observed("null"), "\"done\""),
        report(&observed("\"c\""), "\"done\""),
        report(&observed("null"), "{\"unsupported\":\"no\"},\"need\":\"descriptors\""),
        report(&observed("null"), "{\"broke\":\"oh\"}"),
        "echo some words; echo other words >&2; exit 3".to_owned(),
        "kill -9 $$".to_owned(),
    ];
    let names: Vec<&str> = lines.iter().map(String::as_str).collect();
    let mut told = Vec::new();
    let trials = shell().all(&names, |_, done| told.push(done));
    let rulings: Vec<String> = trials.iter().map(|trial| format!("{:?}", trial.ruling)).collect();
    let expected = [
        "AsTheBookSays",
        "Differs",
        "NotHere(\"no\")",
        "Broke(\"oh\")",
        "Broke(\"it ended without a report, exit status: 3: other words\")",
        "Broke(\"it ended without a report, signal: 9 (SIGKILL)\")",
    ];
    if rulings != expected || told != [1, 2, 3, 4, 5, 6] {
        return Err(format!("{rulings:?}, told {told:?}"));
    }
    let needs: Vec<Option<Need>> = trials.iter().map(|trial| trial.need).collect();
    if needs != [None, None, Some(Need::Descriptors), None, None, None] {
        return Err(format!("{needs:?}"));
    }
    let missing = TrialRunner::new(|_| Command::new("/nonexistent/claim")).one("any");
    match missing.ruling {
        Ruling::Broke(why) if why.starts_with("/nonexistent/claim: No such file") => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

/// A line of sh that starts a child, writes its number to a file, and waits.
fn waits_for_a_child(file: &Path) -> String {
    format!("sleep 100 & echo $! >'{0}.new'; mv '{0}.new' '{0}'; wait", file.display())
}

/// Waits until the process whose number the file holds has gone, or is only a dead child of the
/// process that adopts it.
fn is_gone(file: &Path) -> Result<(), String> {
    let pid = fs::read_to_string(file).map_err(|error| error.to_string())?;
    let child = Process(pid.trim().parse().map_err(|_| format!("{pid:?} is no number"))?);
    let gone = || child.state().map_or(true, |state| state == 'Z');
    wait::until("the experiment's child is gone", gone).map_err(|error| error.to_string())
}

fn scratch(name: &str) -> std::path::PathBuf {
    let name = format!("claims-{name}-{}", std::process::id());
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_file(&path);
    path
}

fn hangs(_: &Register) -> Result<(), String> {
    let file = scratch("hangs");
    // The shell must have come as far as its child: many times as long as one takes that does nothing.
    let bound = shell().one(":").took.max(Duration::from_millis(50)) * 20;
    let trial = shell().bound(bound).one(&waits_for_a_child(&file));
    let gone = is_gone(&file);
    let _ = fs::remove_file(&file);
    gone?;
    match trial.ruling {
        Ruling::Broke(why) if why == format!("it did not end within {bound:?}, and was killed") => {
            Ok(())
        }
        other => Err(format!("{other:?}")),
    }
}

fn stops(_: &Register) -> Result<(), String> {
    let file = scratch("stops");
    let runner = shell();
    let start = Instant::now();
    let line = waits_for_a_child(&file);
    let lines: Vec<&str> = [line.as_str()].into_iter().chain(["sleep 100"; 9]).collect();
    let trials = std::thread::scope(|scope| {
        let trials = scope.spawn(|| runner.all(&lines, |_, _| {}));
        let started = wait::until("the first one runs", || file.exists());
        runner.stop();
        started.map(|()| trials.join().unwrap_or_default())
    });
    let trials = trials.map_err(|error| error.to_string())?;
    let gone = is_gone(&file);
    let _ = fs::remove_file(&file);
    gone?;
    let ended = trials.iter().filter(|trial| matches!(trial.ruling, Ruling::Broke(_))).count();
    if ended == 10 && start.elapsed() < Duration::from_secs(15) {
        Ok(())
    } else {
        Err(format!("{trials:?}"))
    }
}
