//! `completions`: what a shell completes behind `tutor`, and a function of that name.
//!
//! Cargo's own completion knows nothing of an alias: behind `cargo tutor` no shell asks. So there is a function
//! `tutor` that runs the same from every folder.

use std::io;

use clap::builder::PossibleValuesParser;
use clap::{Command, CommandFactory};
use clap_complete::{Shell, generate};
use cli::exit::EarlyExit;
use cli::screen::Screen;
use cli::syllabus::{Syllabus, root};
use lab::script::quoted;

use crate::Arguments;

#[derive(clap::Args)]
#[command(after_help = HOW)]
pub struct CompletionsOptions {
    /// For which shell
    #[arg(value_enum)]
    shell: Of,
}

const HOW: &str = "\
It prints a script that defines a function `tutor`, the same as `cargo tutor` from
every folder, and completes what is typed behind it:
  bash   source <(cargo tutor completions bash)        in ~/.bashrc
  zsh    source <(cargo tutor completions zsh)         in ~/.zshrc, behind compinit
  fish   cargo tutor completions fish | source         in config.fish
Behind `cargo tutor` itself nothing is completed: cargo's completion does not ask
an alias.";

/// The shells that it was tried with.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Of {
    Bash,
    Zsh,
    Fish,
}

/// Prints the function, and what is completed behind it: commands, options, exercises and lessons as they are now.
pub fn run(options: &CompletionsOptions, screen: &mut Screen) -> Result<(), EarlyExit> {
    let manifest = root().join("Cargo.toml").display().to_string();
    let manifest = quoted(&manifest);
    let runs = format!("cargo run --quiet --manifest-path {manifest} --package tutor --");
    let (shell, function) = match options.shell {
        Of::Bash => (Shell::Bash, format!("tutor() {{ {runs} \"$@\"; }}")),
        Of::Zsh => (Shell::Zsh, format!("tutor() {{ {runs} \"$@\"; }}")),
        Of::Fish => (Shell::Fish, format!("function tutor; {runs} $argv; end")),
    };
    let names = names(&Syllabus::read()?);
    let mut script = Vec::new();
    generate(shell, &mut command(&names), "tutor", &mut script);
    screen.line(function)?;
    let script = String::from_utf8(script).map_err(io::Error::other)?;
    screen.line(script.trim_end())?;
    if shell == Shell::Fish {
        // Its script knows the values of options only.
        for (name, _, values) in &names {
            let values = values.join(" ");
            screen.line(format_args!(
                "complete -c tutor -n \"__fish_tutor_using_subcommand {name}\" -f -a \"{values}\""
            ))?;
        }
    }
    Ok(())
}

/// A command, its argument, and what that can be.
type Names = (&'static str, &'static str, Vec<&'static str>);

/// What can be named: exercises, lessons.
fn names(syllabus: &Syllabus) -> Vec<Names> {
    // The parser keeps names for as long as the process lives, and that ends with the script.
    let kept = |name: String| -> &'static str { name.leak() };
    let exercises: Vec<&str> = syllabus
        .exercises()
        .flat_map(|exercise| [exercise.to_string(), exercise.name().to_owned()])
        .map(kept)
        .collect();
    let lessons: Vec<&str> = syllabus
        .lessons
        .iter()
        .flat_map(|lesson| [lesson.number().to_owned(), lesson.name().to_owned()])
        .map(kept)
        .collect();
    let both = [exercises.clone(), lessons.clone()].concat();
    let about_exercises = ["start", "watch", "hint", "solution", "reset", "update"];
    let about_exercises = about_exercises.map(|name| (name, "exercise", exercises.clone()));
    about_exercises
        .into_iter()
        .chain([("check", "what", both), ("demo", "lesson", lessons)])
        .collect()
}

/// The tutor's commands, where what can be named are values that can be chosen.
fn command(names: &[Names]) -> Command {
    let mut command = Arguments::command();
    for (name, argument, values) in names {
        let values = PossibleValuesParser::new(values.clone());
        command = command.mut_subcommand(name, |one| {
            one.mut_arg(argument, |argument| argument.value_parser(values))
        });
    }
    command
}
