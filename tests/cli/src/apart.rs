//! A workspace apart from the course's, whose crates use the course's libraries: a learner's, and the one in which
//! exercises and mistakes are verified. It is built offline, in the versions that the course was built with.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::syllabus::{Lesson, root};

/// A workspace apart.
#[derive(Debug, Clone)]
pub struct Apart {
    folder: PathBuf,
    /// What leads from it to the course's folder: `..`, or that folder's own path.
    up: String,
    /// Nobody steps through its programs, or builds them often: they are small instead.
    small: bool,
}

impl Apart {
    /// In this folder, which is made if it is not there; `up` leads from it to the course's.
    ///
    /// # Errors
    ///
    /// What mkdir(2) says, with the path.
    pub fn at(folder: PathBuf, up: &str) -> io::Result<Self> {
        make(&folder)?;
        Ok(Self { folder, up: up.to_owned(), small: false })
    }

    /// In this folder, wherever it is. Nothing is made yet.
    #[must_use]
    pub fn anywhere(folder: PathBuf) -> Self {
        let root = root();
        let below = folder.strip_prefix(&root).map(|path| path.components().count());
        let up = match below {
            // Then course and folder can be moved together.
            Ok(below) => vec![".."; below].join("/"),
            Err(_) => root.display().to_string(),
        };
        Self { folder, up, small: false }
    }

    /// The same, with programs that are small: nobody steps through them, or builds them often.
    #[must_use]
    pub fn small(self) -> Self {
        Self { small: true, ..self }
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes its own files where they differ: the course may have been moved, a crate deleted, a library updated.
    ///
    /// # Errors
    ///
    /// What reading and writing say, with the path.
    pub fn keep_up_to_date(&self, comment: &str) -> io::Result<()> {
        make(&self.folder)?;
        let course = table(&root().join("Cargo.toml"))?;
        let mut text = format!("# {comment}\n\n[workspace]\nresolver = \"3\"\nmembers = [\n");
        for member in self.members()? {
            let _ = writeln!(text, "    {},", quoted(&member));
        }
        text += "]\n\n[workspace.dependencies]\n";
        let dependencies =
            course.get("workspace").and_then(|it| it.get("dependencies")?.as_table());
        for (name, value) in dependencies.into_iter().flatten() {
            let _ = writeln!(text, "{name} = {}", on_a_line(&self.seen_from_here(value)));
        }
        // With the course's own profiles nothing is compiled a second time.
        text += "\n[profile]\n";
        let profiles = course.get("profile").and_then(Value::as_table);
        for (name, value) in profiles.into_iter().flatten() {
            let mut value = value.clone();
            if let Some(table) = value.as_table_mut().filter(|_| self.small) {
                table.insert("debug".to_owned(), false.into());
                table.insert("incremental".to_owned(), false.into());
            }
            let _ = writeln!(text, "{name} = {}", on_a_line(&value));
        }
        replace(&self.folder.join("Cargo.toml"), &text)?;
        make(&self.folder.join(".cargo"))?;
        replace(&self.folder.join(".cargo/config.toml"), &configuration())?;
        let lock = self.folder.join("Cargo.lock");
        if !lock.exists() {
            write(&lock, &read(&root().join("Cargo.lock"))?)?;
        }
        Ok(())
    }

    /// Writes the manifest of a crate with one program, which may use what the lesson's may.
    ///
    /// # Errors
    ///
    /// What reading and writing say, with the path.
    pub fn write_crate(&self, lesson: &Lesson, of: &NewCrate<'_>) -> io::Result<()> {
        let folder = self.folder.join(of.folder);
        make(&folder)?;
        replace(&folder.join("Cargo.toml"), &of.manifest(lesson)?)
    }

    fn members(&self) -> io::Result<Vec<String>> {
        let mut members = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(|error| named(&self.folder, &error))? {
            let path = entry?.path();
            if path.join("Cargo.toml").is_file() {
                members.push(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
            }
        }
        members.sort();
        Ok(members)
    }

    /// A dependency of the course: its path begins at the course's folder.
    fn seen_from_here(&self, value: &Value) -> Value {
        let mut value = value.clone();
        if let Some(Value::String(path)) = value.as_table_mut().and_then(|it| it.get_mut("path")) {
            *path = format!("{}/{path}", self.up);
        }
        value
    }
}

/// A crate that is to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewCrate<'a> {
    /// Its folder in the workspace.
    pub folder: &'a str,
    /// What its manifest begins with.
    pub comment: &'a str,
    /// Its name.
    pub package: &'a str,
    /// Its library's name, if it has one of its own, in `src/lib.rs`.
    pub library: Option<&'a str>,
    /// Its program's name.
    pub binary: &'a str,
    /// Its program's source, in its folder.
    pub source: &'a str,
    /// What the compiler warns of is known: it is not to be told.
    pub has_known_faults: bool,
}

impl NewCrate<'_> {
    /// Its manifest.
    ///
    /// # Errors
    ///
    /// What reading the lesson's says, with the path.
    pub fn manifest(&self, lesson: &Lesson) -> io::Result<String> {
        let chapter = root().join("chapters").join(&lesson.folder).join("Cargo.toml");
        let chapter = table(&chapter)?;
        let mut text = format!(
            "# {}\n[package]\nname = {}\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n",
            self.comment,
            quoted(self.package),
        );
        if self.has_known_faults {
            text += "\n[lints.rust]\nwarnings = \"allow\"\n";
        }
        if let Some(library) = self.library {
            let _ = write!(text, "\n[lib]\nname = {}\ndoctest = false\n", quoted(library));
        }
        let (binary, source) = (quoted(self.binary), quoted(self.source));
        let _ = write!(text, "\n[[bin]]\nname = {binary}\npath = {source}\n\n[dependencies]\n");
        if self.library.is_none() && chapter.contains_key("lib") {
            let _ = writeln!(text, "{}.workspace = true", lesson.package());
        }
        let own = chapter.get("dependencies").and_then(Value::as_table);
        for name in own.into_iter().flat_map(Table::keys) {
            let _ = writeln!(text, "{name}.workspace = true");
        }
        Ok(text)
    }
}

/// `cargo tutor` means the course's in here, too; what is built goes where the course's is; nothing is fetched.
fn configuration() -> String {
    let manifest = root().join("Cargo.toml").display().to_string();
    let target = root().join("target").display().to_string();
    let mut text =
        "# Written by the course, again whenever its folder has been moved.\n".to_owned();
    // An alias is split at spaces, and as an array it would be appended to that of the course's own configuration.
    if !manifest.contains(char::is_whitespace) {
        let alias = quoted(&format!("run --manifest-path {manifest} --package tutor --"));
        let _ = writeln!(text, "[alias]\ntutor = {alias}\n");
    }
    let _ = write!(text, "[build]\ntarget-dir = {}\n\n[net]\noffline = true\n", quoted(&target));
    text
}

/// A value on one line.
fn on_a_line(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(all) => {
            format!("[{}]", all.iter().map(on_a_line).collect::<Vec<_>>().join(", "))
        }
        Value::Table(table) => {
            let fields =
                table.iter().map(|(name, value)| format!("{} = {}", key(name), on_a_line(value)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        Value::Boolean(is) => is.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Datetime(moment) => moment.to_string(),
    }
}

/// A key as TOML has it: bare, if it can be.
#[must_use]
pub fn key(name: &str) -> String {
    let bare = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    if !name.is_empty() && name.chars().all(bare) { name.to_owned() } else { quoted(name) }
}

/// A text as TOML has it, a basic string: toml.io.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            letter if letter.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(letter));
            }
            letter => quoted.push(letter),
        }
    }
    quoted + "\""
}

fn table(path: &Path) -> io::Result<Table> {
    let parsed = toml::from_str(&read(path)?);
    parsed.map_err(|error| io::Error::other(format!("{}: {error}", path.display())))
}

/// Makes a folder, and those above it.
///
/// # Errors
///
/// What mkdir(2) says, with the path.
pub fn make(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder).map_err(|error| named(folder, &error))
}

/// A file's text.
///
/// # Errors
///
/// What reading says, with the path.
pub fn read(path: &Path) -> io::Result<String> {
    fs::read_to_string(path).map_err(|error| named(path, &error))
}

/// Writes a file.
///
/// # Errors
///
/// What writing says, with the path.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    fs::write(path, text).map_err(|error| named(path, &error))
}

/// Writes a file in one step, rename(2): whoever reads it finds the old one or the new one, also after a crash.
///
/// # Errors
///
/// What writing says, with the path; then nothing has changed.
pub fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}", std::process::id()));
    let new = path.with_file_name(name);
    let written = File::create(&new).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&new, path)).map_err(|error| {
        let _ = fs::remove_file(&new);
        named(path, &error)
    })
}

/// Writes a file only where it differs: cargo goes by its time.
///
/// # Errors
///
/// What writing says, with the path.
pub fn replace(path: &Path, text: &str) -> io::Result<()> {
    match fs::read_to_string(path) {
        Ok(old) if old == text => Ok(()),
        _ => write_whole(path, text),
    }
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
