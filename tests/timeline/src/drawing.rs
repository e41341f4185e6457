//! A timeline as SVG: the same moments as in the text, each participant a line from top to bottom.

use crate::lanes::{KERNEL, PROGRAM, Timeline};
use crate::moments::{Moment, Part, began, moments};
use crate::recording::Did;
use crate::svg::{Anchor, Svg};
use crate::words::{DescriptorSet, Words};

/// The width of a letter and the height of a line, in the picture's units.
const LETTER: i32 = 8;
const LINE: i32 = 24;

/// A cell of a set, and how many are drawn at least.
const CELL: i32 = 14;
const CELLS: i32 = 8;

/// Where the first line's baseline is, under the lanes' names.
const TOP: i32 = 48;

/// The times' right end.
const TIMES: i32 = 50;

/// Between a lane's line and its words.
const PAD: i32 = 12;

/// Draws a timeline. `name` is unique on a page; `title` and `description` are the text alternative.
#[must_use]
pub fn draw(timeline: &Timeline, name: &str, title: &str, description: &str) -> String {
    let moments = moments(timeline);
    let places = Places::of(timeline, &moments);
    let mut svg = Svg::default();
    places.lifelines(timeline, &moments, &mut svg);
    let began = began(&moments);
    let mut shown = String::new();
    for (moment, &y) in moments.iter().zip(&places.lines) {
        let time = time(moment.at.saturating_sub(began));
        if time != shown {
            svg.text(TIMES, y, Anchor::End, "time", &time);
            shown = time;
        }
        places.moment(moment, y, &mut svg);
    }
    svg.finish(name, title, description, places.width, places.height)
}

/// Where everything goes.
struct Places {
    /// By lane, the x of its line.
    lanes: Vec<i32>,
    /// By moment, the y of its baseline.
    lines: Vec<i32>,
    width: i32,
    height: i32,
}

impl Places {
    fn of(timeline: &Timeline, moments: &[Moment<'_>]) -> Self {
        let mut widths: Vec<i32> =
            timeline.lanes.iter().map(|name| letters(name) * LETTER).collect();
        let mut lines = Vec::new();
        let mut y = TOP;
        for moment in moments {
            let entry = moment.entry;
            if moment.part != Part::Ends {
                widths[entry.lane] = widths[entry.lane].max(width(&entry.says));
            }
            let answer = entry.answer.as_ref().filter(|_| moment.part != Part::Begins);
            if let Some(answer) = answer {
                widths[KERNEL] = widths[KERNEL].max(width(answer));
            }
            lines.push(y);
            let asked = if moment.part == Part::Ends { 0 } else { entry.says.sets.len() };
            let sets = asked.max(answer.map_or(0, |answer| answer.sets.len()));
            y += LINE + LINE * i32::try_from(sets).unwrap_or(0);
        }
        let mut at = Vec::new();
        let mut x = TIMES + 14;
        for width in widths {
            at.push(x);
            x += PAD + width + 14;
        }
        Self { lanes: at, lines, width: x, height: y }
    }

    /// The lanes' names and lines, and where the program sleeps.
    fn lifelines(&self, timeline: &Timeline, moments: &[Moment<'_>], svg: &mut Svg) {
        let (top, bottom) = (TOP - 20, self.height - 8);
        svg.text(TIMES, TOP - 30, Anchor::End, "time", "ms");
        for (lane, (name, &x)) in timeline.lanes.iter().zip(&self.lanes).enumerate() {
            let class = match lane {
                PROGRAM => "program",
                KERNEL => "kernel",
                _ => "peer",
            };
            svg.text(x - 4, TOP - 30, Anchor::Start, &format!("name {class}"), name);
            svg.stroke(&format!("life {class}"), (x, top), (x, bottom));
        }
        let x = self.lanes[PROGRAM] - 4;
        for (at, moment) in moments.iter().enumerate() {
            if moment.part != Part::Begins {
                continue;
            }
            let same = |other: &&Moment<'_>| {
                other.part == Part::Ends && std::ptr::eq(other.entry, moment.entry)
            };
            let ends = moments[at..].iter().position(|other| same(&other));
            let from = self.lines[at] - 8;
            let to = ends.map_or(bottom, |ends| self.lines[at + ends] - 8);
            svg.rectangle("asleep", (x, from), (8, to - from), 3, false);
        }
    }

    fn moment(&self, moment: &Moment<'_>, y: i32, svg: &mut Svg) {
        let entry = moment.entry;
        let x = self.lanes[entry.lane];
        if entry.lane > KERNEL {
            svg.text(x + PAD, y, Anchor::Start, "said", &entry.says.short);
            let (kernel, peer) = (self.lanes[KERNEL] + 5, x - 3);
            match &entry.did {
                Some(Did::Connects(_) | Did::Sends(..) | Did::HalfCloses) => {
                    svg.arrow("arrow", y - 4, peer, kernel);
                }
                Some(Did::Gets(..) | Did::MeetsEnd | Did::Accepts) => {
                    svg.arrow("arrow", y - 4, kernel, peer);
                }
                _ => {}
            }
            return;
        }
        if moment.part != Part::Ends {
            self.words(&entry.says, PROGRAM, y, svg);
        }
        if let (Some(answer), Part::Whole | Part::Ends) = (&entry.answer, moment.part) {
            self.words(answer, KERNEL, y, svg);
            let from = match moment.part {
                Part::Ends => self.lanes[PROGRAM] + 8,
                _ => self.lanes[PROGRAM] + PAD + letters(&entry.says.short) * LETTER + 6,
            };
            let to = self.lanes[KERNEL] - 3;
            if moment.part == Part::Ends {
                svg.arrow("arrow", y - 4, to, from);
            } else if to - from > 12 {
                svg.stroke("link", (from, y - 4), (to, y - 4));
            }
        }
    }

    fn words(&self, words: &Words, lane: usize, y: i32, svg: &mut Svg) {
        let x = self.lanes[lane] + PAD;
        let class = if lane == KERNEL { "answer" } else { "asked" };
        svg.text(x, y, Anchor::Start, class, &words.short);
        let named = words.sets.len() > 1;
        let mut y = y + LINE;
        for set in &words.sets {
            if named {
                svg.text(x, y, Anchor::Start, "said", set.name);
            }
            cells(set, x + if named { 6 * LETTER } else { 0 }, y, svg);
            y += LINE;
        }
    }
}

/// A set: descriptor 0 on the right; a 1 is filled, and its number stands in it.
fn cells(set: &DescriptorSet, x: i32, y: i32, svg: &mut Svg) {
    let count = cell_count(set);
    for bit in 0..count {
        let at = x + (count - 1 - bit) * CELL;
        let on = set.members.contains(&bit);
        let class = if on { "cell on" } else { "cell" };
        svg.rectangle(class, (at, y - 13), (CELL, 18), if on { 3 } else { 0 }, true);
        let digit = if on { bit.to_string() } else { "0".to_owned() };
        let class = if on { "bit on" } else { "bit" };
        let inset = if digit.len() > 1 { -1 } else { 3 };
        svg.text(at + inset, y, Anchor::Start, class, &digit);
    }
}

fn cell_count(set: &DescriptorSet) -> i32 {
    const MOST: i32 = 16;
    let highest = set.members.iter().copied().max().unwrap_or(0);
    ((highest / 4 + 1) * 4).clamp(CELLS, MOST)
}

fn width(words: &Words) -> i32 {
    let named = if words.sets.len() > 1 { 6 * LETTER } else { 0 };
    let sets = words.sets.iter().map(|set| named + cell_count(set) * CELL);
    sets.max().unwrap_or(0).max(letters(&words.short) * LETTER)
}

fn letters(text: &str) -> i32 {
    i32::try_from(text.chars().count()).unwrap_or(0)
}

/// Milliseconds with one digit.
fn time(nanoseconds: u64) -> String {
    let tenths = nanoseconds / 100_000;
    format!("{}.{}", tenths / 10, tenths % 10)
}
