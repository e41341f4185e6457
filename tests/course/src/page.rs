//! A page as Markdown.

use std::iter;
use std::path::Path;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use crate::house::tidy;

/// What the finders want to know about a page.
#[derive(Debug)]
pub struct Page {
    /// The file's name, seen from `book/src`: `03-select.md`.
    pub name: String,
    /// Its headings, in order.
    pub headings: Vec<Heading>,
    /// Its links and pictures.
    pub links: Vec<Link>,
    /// The info strings of its fenced blocks, each with its line.
    pub blocks: Vec<(usize, String)>,
    /// Its include directives.
    pub includes: Vec<Include>,
    /// The pages that it includes, whole; set by whoever reads the files.
    pub included: Vec<Page>,
    /// How many words of prose it has: code, transcripts and includes are not counted.
    pub words: usize,
}

/// A heading.
#[derive(Debug)]
pub struct Heading {
    /// The line, from 1.
    pub line: usize,
    /// Its words.
    pub text: String,
    /// The id that is written as `{#id}`.
    pub id: Option<String>,
}

/// A link or a picture.
#[derive(Debug)]
pub struct Link {
    /// The line, from 1.
    pub line: usize,
    /// Its words.
    pub text: String,
    /// Where it leads.
    pub to: String,
}

/// `{{#include FILE:SELECTOR}}` and its kin.
#[derive(Debug)]
pub struct Include {
    /// The line, from 1.
    pub line: usize,
    /// The file, relative to `book/src`.
    pub file: String,
    /// What follows the first colon: an anchor.
    pub selector: Option<String>,
}

impl Page {
    /// Reads Markdown as mdBook does, as far as the finders need it.
    #[must_use]
    pub fn parse(name: &str, text: &str) -> Self {
        let mut page = Self {
            name: name.to_owned(),
            headings: Vec::new(),
            links: Vec::new(),
            blocks: Vec::new(),
            includes: includes(text),
            included: Vec::new(),
            words: 0,
        };
        let line = |at: usize| 1 + text[..at].matches('\n').count();
        let options = Options::ENABLE_HEADING_ATTRIBUTES
            | Options::ENABLE_TABLES
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_GFM
            | Options::ENABLE_DEFINITION_LIST;
        let (mut in_code, mut in_heading, mut in_link) = (false, false, false);
        for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
            match event {
                Event::Start(Tag::Heading { id, .. }) => {
                    in_heading = true;
                    let id = id.map(|id| id.to_string());
                    let heading = Heading { line: line(range.start), text: String::new(), id };
                    page.headings.push(heading);
                }
                Event::End(TagEnd::Heading(_)) => in_heading = false,
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    in_link = true;
                    let to = dest_url.to_string();
                    page.links.push(Link { line: line(range.start), text: String::new(), to });
                }
                Event::End(TagEnd::Link | TagEnd::Image) => in_link = false,
                Event::Start(Tag::CodeBlock(kind)) => {
                    in_code = true;
                    if let CodeBlockKind::Fenced(info) = kind {
                        page.blocks.push((line(range.start), info.to_string()));
                    }
                }
                Event::End(TagEnd::CodeBlock) => in_code = false,
                Event::Text(words) | Event::Code(words) if !in_code => {
                    if in_heading && let Some(heading) = page.headings.last_mut() {
                        heading.text.push_str(&words);
                    }
                    if in_link && let Some(link) = page.links.last_mut() {
                        link.text.push_str(&words);
                    }
                    page.words += words.split_whitespace().filter(|word| is_word(word)).count();
                }
                _ => {}
            }
        }
        page
    }

    /// Itself and what it includes.
    pub fn with_included(&self) -> impl Iterator<Item = &Page> {
        iter::once(self).chain(&self.included)
    }

    /// Does a heading have this id, its own or one that it includes?
    #[must_use]
    pub fn has_id(&self, id: &str) -> bool {
        let mut headings = self.with_included().flat_map(|page| &page.headings);
        headings.any(|heading| heading.id.as_deref() == Some(id))
    }

    /// A line of it, for a finding: `book/src/03-select.md:7`.
    #[must_use]
    pub fn place(&self, line: usize) -> String {
        format!("{}:{line}", tidy(&Path::new("book/src").join(&self.name)))
    }

    /// The first console block's line, if there is one.
    #[must_use]
    pub fn first_transcript(&self) -> Option<usize> {
        let of_console = |info: &str| info.split([',', ' ']).next() == Some("console");
        self.blocks.iter().find(|(_, info)| of_console(info)).map(|&(line, _)| line)
    }
}

/// A comma between two code spans is no word, nor is a part of an include directive.
fn is_word(word: &str) -> bool {
    word.contains(char::is_alphanumeric) && !word.contains("{{#") && !word.ends_with("}}")
}

/// mdBook replaces directives before it looks at the Markdown, inside code as well.
fn includes(text: &str) -> Vec<Include> {
    let mut includes = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let mut rest = line;
        while let Some(start) = rest.find("{{#") {
            let escaped = rest[..start].ends_with('\\');
            rest = &rest[start + 3..];
            let Some(end) = rest.find("}}") else { break };
            let mut words = rest[..end].split_whitespace();
            let kind = words.next();
            if !escaped
                && matches!(kind, Some("include" | "rustdoc_include" | "playground"))
                && let Some(target) = words.next()
            {
                let (file, selector) = match target.split_once(':') {
                    Some((file, selector)) => (file, Some(selector.to_owned())),
                    None => (target, None),
                };
                includes.push(Include { line: at + 1, file: file.to_owned(), selector });
            }
            rest = &rest[end..];
        }
    }
    includes
}
