//! The lanes as text: at most so many columns wide, styled if that is wanted.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use crate::lanes::{KERNEL, PROGRAM, Timeline};
use crate::moments::{Moment, Part, began, moments};
use crate::words::{DescriptorSet, STUCK, Words};

/// The time's column, with the gap behind it.
const TIME: usize = 10;

/// Between two lanes.
const GAP: usize = 2;

/// The peers' colours, in turn.
const PEERS: [AnsiColor; 3] = [AnsiColor::Green, AnsiColor::Yellow, AnsiColor::Blue];

/// The lanes as lines of at most `width` columns, with the escape sequences of their colours: who
/// prints them takes these out where they are not wanted.
#[must_use]
pub fn lanes(timeline: &Timeline, width: usize) -> Vec<String> {
    let moments = moments(timeline);
    let began = began(&moments);
    let blocks: Vec<Block> =
        moments.iter().map(|moment| Block::of(timeline, moment, began)).collect();
    let widths = widths(timeline, &blocks, width);
    let mut lines = vec![header(timeline, &widths)];
    for part in fold(&blocks) {
        match part {
            Folded::Block(block) => lines.extend(block.lines(&widths)),
            Folded::Again { from, times } => {
                let dim = Style::new().dimmed();
                let s = if times == 1 { "" } else { "s" };
                lines.push(format!(
                    "{:>TIME$}{dim}the same {times} more time{s}, from {from} on{dim:#}",
                    ""
                ));
            }
        }
    }
    lines
}

/// The cells of one moment.
struct Block {
    time: String,
    lane: usize,
    /// By lane, the lines of its cell before they are broken.
    cells: Vec<Vec<String>>,
    /// Two moments with the same look differ in numbers only.
    look: String,
}

impl Block {
    fn of(timeline: &Timeline, moment: &Moment<'_>, began: u64) -> Self {
        let entry = moment.entry;
        let mut cells = vec![Vec::new(); timeline.lanes.len()];
        let thread = match (timeline.threads, entry.thread) {
            (true, 1..) => format!("{}: ", entry.thread),
            _ => String::new(),
        };
        match moment.part {
            Part::Whole | Part::Begins => cells[entry.lane] = told(&thread, &entry.says),
            Part::Ends => cells[PROGRAM].push(format!("{thread}<- {}", entry.call)),
        }
        if let (Part::Whole | Part::Ends, Some(answer)) = (moment.part, &entry.answer) {
            cells[KERNEL] = told("", answer);
        }
        if moment.part == Part::Begins && entry.until.is_none() {
            cells[KERNEL].push("(sleeps to the end)".to_owned());
        } else if moment.part == Part::Begins {
            cells[KERNEL].push("(sleeps)".to_owned());
        }
        if moment.asleep && cells[PROGRAM].is_empty() {
            cells[PROGRAM].push("|".to_owned());
        }
        let look = look(moment);
        Self { time: time(moment.at.saturating_sub(began)), lane: entry.lane, cells, look }
    }

    fn lines(&self, widths: &[usize]) -> Vec<String> {
        let broken: Vec<Vec<String>> =
            self.cells.iter().zip(widths).map(|(cell, &width)| wrap(cell, width)).collect();
        let height = broken.iter().map(Vec::len).max().unwrap_or(0).max(1);
        let dim = Style::new().dimmed();
        let mut lines = Vec::new();
        for at in 0..height {
            let time = if at == 0 { &self.time } else { "" };
            let mut line = format!("{dim}{time:>w$}{dim:#}  ", w = TIME - 2);
            for (lane, (cell, width)) in broken.iter().zip(widths).enumerate() {
                let text = cell.get(at).map_or("", String::as_str);
                let style = style(lane);
                if !text.is_empty() {
                    let told = text.replace(STUCK, " ");
                    let _ = write!(line, "{style}{told}{style:#}");
                }
                line.push_str(&" ".repeat(width - columns(text) + GAP));
            }
            lines.push(line.trim_end().to_owned());
        }
        lines
    }
}

fn look(moment: &Moment<'_>) -> String {
    let entry = moment.entry;
    let answer = entry.answer.as_ref().map_or("", |answer| answer.plain.as_str());
    let look = format!("{:?} {} {} {answer}", moment.part, entry.thread, entry.says.plain);
    let look = look.replace(|c: char| c.is_ascii_digit() || c == ',', "");
    // The bits of a set are no mere numbers.
    let sets = entry.answer.iter().flat_map(|answer| &answer.sets).chain(&entry.says.sets);
    sets.fold(look, |look, set| format!("{look} {}", bits(set)))
}

fn told(thread: &str, words: &Words) -> Vec<String> {
    let mut lines = vec![format!("{thread}{}", words.full)];
    lines.extend(words.sets.iter().map(|set| format!("  {:<6} {}", set.name, bits(set))));
    lines
}

/// The set as the kernel sees it: descriptor 0 on the right, in groups of four. A set with a high
/// descriptor is a list of numbers.
fn bits(set: &DescriptorSet) -> String {
    const SHOWN: i32 = 16;
    let highest = set.members.iter().copied().max().unwrap_or(0);
    if highest >= SHOWN {
        let members: Vec<String> = set.members.iter().map(i32::to_string).collect();
        return format!("{{{}}}", members.join(" "));
    }
    let bits = (highest / 4 + 1).max(2) * 4;
    let groups: Vec<String> = (0..bits / 4).rev().map(|group| group_of_four(set, group)).collect();
    groups.join(" ")
}

fn group_of_four(set: &DescriptorSet, group: i32) -> String {
    let bit = |n: i32| if set.members.contains(&n) { '1' } else { '0' };
    (0..4).rev().map(|n| bit(group * 4 + n)).collect()
}

fn style(lane: usize) -> Style {
    let color = match lane {
        PROGRAM => AnsiColor::Cyan,
        KERNEL => AnsiColor::Magenta,
        peer => PEERS[(peer - 2) % PEERS.len()],
    };
    color.on_default()
}

fn header(timeline: &Timeline, widths: &[usize]) -> String {
    let bold = Style::new().bold();
    let mut line = format!("{:>w$}  ", "ms", w = TIME - 2);
    for (name, width) in timeline.lanes.iter().zip(widths) {
        let name = &wrap(std::slice::from_ref(name), *width)[0];
        let gap = " ".repeat(width - columns(name) + GAP);
        // Writing to a string cannot fail.
        let _ = write!(line, "{bold}{name}{bold:#}{gap}");
    }
    line.trim_end().to_owned()
}

/// Milliseconds with two digits.
fn time(nanoseconds: u64) -> String {
    let hundredths = nanoseconds / 10_000;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// How wide each lane is: what its longest line needs, as far as there is room. The peers come
/// first, as their words are short; then the kernel, and the rest is the program's.
fn widths(timeline: &Timeline, blocks: &[Block], width: usize) -> Vec<usize> {
    let lanes = timeline.lanes.len();
    let needs = |lane: usize| {
        let cells = blocks.iter().flat_map(|block| &block.cells[lane]);
        let longest = cells.map(|line| columns(line)).max().unwrap_or(0);
        longest.max(columns(&timeline.lanes[lane]))
    };
    let room = width.saturating_sub(TIME + GAP * (lanes - 1));
    let mut widths: Vec<usize> = (0..lanes).map(needs).collect();
    let peers = lanes.saturating_sub(2).max(1);
    for peer in &mut widths[2..] {
        *peer = (*peer).min((room * 2 / 5 / peers).max(8));
    }
    let taken: usize = widths[2..].iter().sum();
    let left = room.saturating_sub(taken);
    // What does not fit is shared: the program asks longer than the kernel answers.
    if widths[PROGRAM] + widths[KERNEL] > left {
        let kernel = widths[KERNEL].min((left * 2 / 5).max(left.saturating_sub(widths[PROGRAM])));
        widths[KERNEL] = kernel.max(8);
        widths[PROGRAM] = left.saturating_sub(widths[KERNEL]).max(8);
    }
    widths
}

fn columns(text: &str) -> usize {
    text.chars().count()
}

/// Breaks each line between words, or within one that is too long; what follows is indented.
fn wrap(lines: &[String], width: usize) -> Vec<String> {
    let mut broken = Vec::new();
    for line in lines {
        let indent = "  ";
        let mut rest: Vec<char> = line.chars().collect();
        let mut first = true;
        loop {
            let room = if first { width } else { width.saturating_sub(indent.len()).max(1) };
            let lead = if first { "" } else { indent };
            if rest.len() <= room {
                broken.push(format!("{lead}{}", rest.iter().collect::<String>()));
                break;
            }
            let space = rest[..=room].iter().rposition(|&c| c == ' ').filter(|&at| at > 2);
            let at = space.unwrap_or(room);
            broken.push(format!("{lead}{}", rest[..at].iter().collect::<String>()));
            rest.drain(..at + usize::from(space.is_some()));
            first = false;
        }
    }
    broken
}

/// A part of the text: a block, or that what stands above it came again.
#[derive(Clone, Copy)]
enum Folded<'a> {
    Block(&'a Block),
    /// What began at the time `from` came so many times more.
    Again {
        from: &'a str,
        times: usize,
    },
}

impl Folded<'_> {
    /// Two repetitions of different length look alike: only how often differs.
    fn looks_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Block(a), Self::Block(b)) => a.look == b.look,
            (Self::Again { .. }, Self::Again { .. }) => true,
            _ => false,
        }
    }

    /// What the peers do is what the scene is about: it is not folded.
    fn is_a_peers(&self) -> bool {
        matches!(self, Self::Block(block) if block.lane > KERNEL)
    }
}

/// A group of at most so many parts is seen to repeat itself.
const PERIOD: usize = 10;

/// From so many repetitions on the first is shown, and the others are counted.
const REPEATS: usize = 3;

/// What repeats itself is told once; then what of that repeats itself in turn.
fn fold(blocks: &[Block]) -> Vec<Folded<'_>> {
    let parts: Vec<Folded<'_>> = blocks.iter().map(Folded::Block).collect();
    fold_once(&fold_once(&parts))
}

fn fold_once<'a>(parts: &[Folded<'a>]) -> Vec<Folded<'a>> {
    let mut folded = Vec::new();
    let mut at = 0;
    while at < parts.len() {
        let repeated = (1..=PERIOD).find_map(|period| {
            let times = repeats(&parts[at..], period);
            (times >= REPEATS).then_some((period, times))
        });
        match (repeated, parts[at]) {
            (Some((period, times)), Folded::Block(first)) => {
                folded.extend_from_slice(&parts[at..at + period]);
                folded.push(Folded::Again { from: &first.time, times: times - 1 });
                at += period * times;
            }
            (_, part) => {
                folded.push(part);
                at += 1;
            }
        }
    }
    folded
}

/// How often the first `period` parts come in an entry.
fn repeats(parts: &[Folded<'_>], period: usize) -> usize {
    if parts.len() < period || parts[..period].iter().any(Folded::is_a_peers) {
        return 0;
    }
    let first = &parts[..period];
    let same = |chunk: &&[Folded<'_>]| {
        chunk.len() == period && chunk.iter().zip(first).all(|(a, b)| a.looks_like(b))
    };
    parts.chunks(period).take_while(same).count()
}
