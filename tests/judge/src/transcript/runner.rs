//! Runs the blocks of a page one after the other and compares.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use super::bound::Bound;
use super::compare;
use super::fault::Fault;
use super::output::{End, Output, Printed};
use super::page::{Action, Block, TranscriptStep, unindented};
use super::place::Place;
use super::programs::TranscriptPrograms;
use super::terminal::{self, Terminal};
use lab::wait::patience;

/// How long nothing more may come before "printed since" is taken to be complete.
const QUIET: Duration = Duration::from_millis(100);

/// How long is watched for what a program that stays still has to print, when that shall be written or
/// is not what the page has.
const SETTLED: Duration = Duration::from_millis(700);

/// The terminals of a page while it runs.
pub struct Runner<'a> {
    page: &'a str,
    lines: Vec<&'a str>,
    programs: TranscriptPrograms,
    place: Place,
    update: bool,
    /// Those of the block that runs.
    bounds: Vec<Bound>,
    /// The terminals of which later blocks list what has been printed.
    listed: BTreeSet<String>,
    terminals: BTreeMap<String, Session>,
    commands: usize,
    changes: Vec<(Range<usize>, Vec<String>)>,
}

/// A terminal, and what runs in it.
struct Session {
    terminal: Terminal,
    status: i32,
    running: Option<Running>,
}

struct Running {
    command: String,
    line: usize,
}

/// What the printed lines are compared for.
#[derive(Clone, Copy, PartialEq)]
enum Until {
    /// The command ends, and these are all its lines.
    Ended,
    /// These lines come first; the command goes on.
    Up,
    /// These lines have come, and no other; the command goes on, or has ended.
    Quiet,
}

impl<'a> Runner<'a> {
    pub fn new(page: &'a str, text: &'a str, programs: TranscriptPrograms, update: bool) -> Self {
        Self {
            page,
            lines: text.lines().collect(),
            programs,
            place: Place::new(),
            update,
            bounds: Vec::new(),
            listed: BTreeSet::new(),
            terminals: BTreeMap::new(),
            commands: 0,
            changes: Vec::new(),
        }
    }

    /// Runs one block; `later` are those behind it.
    pub fn run(&mut self, block: &Block, later: &[Block]) -> Result<(), Fault> {
        self.bounds.clone_from(&block.bounds);
        let listed = later.iter().filter(|block| block.steps[0].action == Action::Since);
        self.listed = listed.filter_map(|block| block.terminal.clone()).collect();
        let named = block.terminal.clone();
        let open = named.as_ref().and_then(|name| self.terminals.remove(name));
        if open.is_none() && block.steps[0].action == Action::Since {
            return Err(self.fault(block.line, "no program stays in this terminal".to_owned()));
        }
        let mut session = match open {
            Some(session) => session,
            None => Session {
                terminal: Terminal::open(&self.programs.prelude(&self.place))
                    .map_err(|error| self.fault(block.line, error.to_string()))?,
                status: 0,
                running: None,
            },
        };
        for (at, step) in block.steps.iter().enumerate() {
            let next = block.steps.get(at + 1).map(|step| &step.action);
            self.step(&mut session, step, next, block.stays)?;
        }
        if let Some(name) = named {
            self.terminals.insert(name, session);
        }
        Ok(())
    }

    /// Ends everything; returns how many commands ran, and the page's new text if it has one.
    pub fn finish(mut self) -> Result<(usize, Option<String>), Fault> {
        for session in self.terminals.values() {
            let Some(running) = &session.running else { continue };
            let printed = session.terminal.output.printed();
            if matches!(printed.end, Some(End::Status(1..) | End::Closed)) {
                let problem = format!("was to stay up, but has ended: {:?}", printed.end);
                let fault = Fault::of_page(self.page, running.line, problem);
                return Err(fault.command(&running.command).compared(&[], &self.back(&printed)));
            }
        }
        self.terminals.clear();
        if self.changes.is_empty() {
            return Ok((self.commands, None));
        }
        let mut lines: Vec<String> = self.lines.iter().map(|&line| line.to_owned()).collect();
        for (range, new) in self.changes.into_iter().rev() {
            lines.splice(range, new);
        }
        Ok((self.commands, Some(lines.join("\n") + "\n")))
    }

    fn step(
        &mut self,
        session: &mut Session,
        step: &TranscriptStep,
        next: Option<&Action>,
        stays: bool,
    ) -> Result<(), Fault> {
        let until = match &step.action {
            Action::Command(command) => {
                self.end_of_last(session, step)?;
                self.let_rest();
                self.commands += 1;
                session.running = Some(Running { command: command.clone(), line: step.line });
                let moved = self.place.moved(command);
                session
                    .terminal
                    .begin(&moved, session.status)
                    .map_err(|problem| self.fault(step.line, problem).command(command))?;
                match next {
                    Some(Action::Interrupt) => Until::Up,
                    None if stays => Until::Up,
                    _ => Until::Ended,
                }
            }
            Action::Since => {
                if session.running.is_none() {
                    let problem = "nothing runs in this terminal any more".to_owned();
                    return Err(self.fault(step.line, problem));
                }
                if matches!(next, Some(Action::Command(_))) { Until::Ended } else { Until::Quiet }
            }
            Action::Interrupt => {
                if session.running.is_none() {
                    let problem = "nothing runs in this terminal: what is interrupted?".to_owned();
                    return Err(self.fault(step.line, problem));
                }
                // What the page has not shown so far came before the interrupt.
                session.terminal.output.take_all();
                let interrupted = session.terminal.interrupt();
                interrupted.map_err(|error| self.fault(step.line, error.to_string()))?;
                Until::Ended
            }
        };
        let ended = self.compare(session, step, until)?;
        if let Some(status) = ended {
            session.status = status;
            session.running = None;
            session.terminal.ended();
        }
        Ok(())
    }

    /// A peer that stays has done what it does, and goes by the time: "took no more for 1.00 s". On a slow
    /// machine a server may still have to do its part then; what it prints must not be mixed with what the
    /// next command makes it print.
    fn let_rest(&self) {
        if !self.terminals.values().any(|other| other.terminal.has_peer()) {
            return;
        }
        for (name, other) in &self.terminals {
            if other.running.is_some() && self.listed.contains(name) {
                other.terminal.let_rest();
            }
        }
    }

    /// A terminal takes the next command only when the last one has ended.
    fn end_of_last(&self, session: &mut Session, step: &TranscriptStep) -> Result<(), Fault> {
        let Some(running) = session.running.take() else { return Ok(()) };
        let output = &session.terminal.output;
        match output.wait(patience(), |printed| printed.end) {
            Ok(End::Status(status)) => session.status = status,
            Ok(End::Closed) => {}
            Err(printed) => {
                let problem = "this terminal is not free: end its program with a line ^C first";
                let fault = self.fault(step.line, problem.to_owned()).command(&running.command);
                return Err(fault.compared(&[], &self.back(&printed)));
            }
        }
        output.take_all();
        session.terminal.ended();
        Ok(())
    }

    /// Waits for what the page says; returns the command's exit status if it has ended.
    fn compare(
        &mut self,
        session: &Session,
        step: &TranscriptStep,
        until: Until,
    ) -> Result<Option<i32>, Fault> {
        let output = &session.terminal.output;
        let command = session.running.as_ref().map_or("", |running| &running.command);
        let (range, expected) = self.expected(step);
        let bound = match until {
            Until::Up | Until::Quiet if self.update => SETTLED * 3,
            _ => terminal::bound(&self.place.moved(command)),
        };
        let unwritten = self.update && expected.is_empty() && until == Until::Up;
        let held = if unwritten {
            // Nobody knows yet what it prints. If it is silent, that is found out by patience alone.
            let spoken = |printed: &Printed| {
                (printed.end.is_some() || !printed.lines.is_empty()).then(|| printed.clone())
            };
            Err(output.wait(patience(), spoken).unwrap_or_else(|silent| silent))
        } else {
            self.wait_for(output, &expected, until, bound)
        };
        if let Ok(end) = held {
            return Ok(end);
        }
        let mut printed = held.err().unwrap_or_default();
        if until != Until::Ended {
            // The more of its lines are there, the more can be told; its end, too.
            printed = output.settle(SETTLED, SETTLED * 5);
        }
        let lines = self.back(&printed);
        let problem = match (until, printed.end) {
            (Until::Ended, None) => format!("has not ended within {bound:?}"),
            (Until::Up, Some(end)) => format!("was to stay up, but has ended: {end:?}"),
            _ if self.update => {
                output.take_all();
                self.change(step, range, &expected, &lines);
                return Ok(printed.end.map(status));
            }
            _ => "the transcript does not hold".to_owned(),
        };
        Err(self.fault(step.line, problem).command(command).compared(&expected, &lines))
    }

    /// Waits until the lines match, and takes them; or says what was printed instead.
    fn wait_for(
        &self,
        output: &Output,
        expected: &[String],
        until: Until,
        bound: Duration,
    ) -> Result<Option<i32>, Printed> {
        let verdict = output.wait(bound, |printed| {
            let lines = self.back(printed);
            match until {
                Until::Ended => printed.end.map(|_| compare::matches(expected, &lines)),
                Until::Up => compare::matches_first(expected, &lines)
                    .map(|_| printed.end.is_none())
                    .or_else(|| hopeless(expected, &lines, printed)),
                Until::Quiet => compare::matches(expected, &lines)
                    .then_some(true)
                    .or_else(|| hopeless(expected, &lines, printed)),
            }
        })?;
        if !verdict {
            return Err(output.printed());
        }
        match until {
            Until::Up => {
                let lines = self.back(&output.printed());
                output.take_lines(compare::matches_first(expected, &lines).unwrap_or(0));
                Ok(None)
            }
            Until::Ended => {
                let end = output.printed().end;
                output.take_all();
                Ok(end.map(status))
            }
            Until::Quiet => {
                let printed = output.settle(QUIET, patience());
                if !compare::matches(expected, &self.back(&printed)) {
                    return Err(printed);
                }
                output.take_all();
                Ok(printed.end.map(status))
            }
        }
    }

    /// The page's lines for a step, without the blank ones at their end.
    fn expected(&self, step: &TranscriptStep) -> (Range<usize>, Vec<String>) {
        let mut range = step.lines.clone();
        while range.end > range.start && self.lines[range.end - 1].trim().is_empty() {
            range.end -= 1;
        }
        let lines = &self.lines[range.clone()];
        let lines = lines.iter().map(|line| unindented(line, step.indent).to_owned()).collect();
        (range, lines)
    }

    /// The printed lines as the page would show them. One that breaks a bound says so, and so is none that
    /// the page has.
    fn back(&self, printed: &Printed) -> Vec<String> {
        let mut lines: Vec<String> =
            printed.lines.iter().map(|line| self.bounded(self.place.moved_back(line))).collect();
        if printed.end.is_some() {
            while lines.last().is_some_and(|line| line.trim().is_empty()) {
                lines.pop();
            }
        }
        lines
    }

    fn bounded(&self, line: String) -> String {
        match self.bounds.iter().find(|bound| bound.is_broken_by(&line)) {
            Some(bound) if !self.update => format!("{line} (not {bound})"),
            _ => line,
        }
    }

    fn change(
        &mut self,
        step: &TranscriptStep,
        range: Range<usize>,
        expected: &[String],
        lines: &[String],
    ) {
        let white = " ".repeat(step.indent);
        let new = compare::reworded(expected, lines);
        let new = new.iter().map(|line| format!("{white}{line}").trim_end().to_owned()).collect();
        self.changes.push((range, new));
    }

    fn fault(&self, line: usize, problem: String) -> Fault {
        Fault::of_page(self.page, line, problem)
    }
}

/// No line that may still come can mend it: there is no use in waiting on.
fn hopeless(expected: &[String], lines: &[String], printed: &Printed) -> Option<bool> {
    (printed.end.is_some() || !compare::may_match(expected, lines)).then_some(false)
}

fn status(end: End) -> i32 {
    match end {
        End::Status(status) => status,
        End::Closed => 0,
    }
}
