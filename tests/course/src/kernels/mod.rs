//! Boots other kernels in a virtual machine, and runs the course there: each lesson's checks, the table,
//! the claims, the packets, the trace.

mod accel;
mod archive;
mod console;
mod guest;
mod image;
mod modules;
mod needs;
mod parts;
mod report;

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use cli::exit::EarlyExit;
use cli::screen::Screen;
use cli::syllabus::root;
use nix::sys::signal::Signal;

use crate::bounded::Bounded;
use accel::Accel;
use guest::{Booted, Guest};
use image::Image;

/// What `cargo course kernels` is told.
#[derive(Debug, clap::Args)]
pub struct KernelsOptions {
    /// Kernels: a vmlinuz with its modules beside it, or the folder of an unpacked linux-image package
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,
    /// Run these parts only: 03, table, capture, packets, trace, claims
    #[arg(long, value_name = "PART", value_delimiter = ',')]
    only: Vec<String>,
    /// What runs the guest: KVM where that works, or else emulation
    #[arg(long, value_enum, default_value_t = Accel::Auto)]
    accel: Accel,
    /// A part that takes longer is ended, and is a failure
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,
    /// A guest that takes longer is ended, and is a failure
    #[arg(long, value_name = "SECONDS", default_value_t = 5400)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    guest_limit: u64,
    /// How many tests run at the same time; fewer than here, because they wait less and compute more
    #[arg(long, value_name = "N", default_value_t = 4)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    threads: u32,
    /// Memory of the guest
    #[arg(long, value_name = "MIB", default_value_t = 3072)]
    #[arg(value_parser = clap::value_parser!(u32).range(1024..))]
    memory: u32,
    /// Where what the guests print is written; target/kernels, unless it is said
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// Boots one kernel after the other. Exit status 0 if every part passed on all of them, 1 if not, 130 or
/// 143 if a signal ended it.
///
/// # Errors
///
/// Arguments that make no sense; a program, a module or a kernel that is not there, with what to do
/// about it; what starting qemu and writing the files say.
pub fn run(options: &KernelsOptions, screen: &mut Screen) -> Result<ExitCode, EarlyExit> {
    // All that can be seen to be wrong is told before anything is built.
    let images: Vec<Image> =
        options.images.iter().map(|path| Image::find(path)).collect::<Result<_, _>>()?;
    let programs = needs::find(&images)?;
    let names = parts::chosen(parts::names()?, &options.only)?;
    let bounded = Bounded::new()?;
    let parts = match parts::build(&names, &bounded, screen)? {
        Ok(parts) => parts,
        Err(signal) => return told(signal, screen),
    };
    let out = options.out.clone().unwrap_or_else(|| root().join("target/kernels"));
    let mut guest = Guest {
        bounded: &bounded,
        programs: &programs,
        parts: &parts,
        accel: options.accel,
        limit: options.limit,
        bound: Duration::from_secs(options.guest_limit),
        memory: options.memory,
        threads: options.threads,
    };
    let mut failed = Vec::new();
    for image in &images {
        let folder = out.join(&image.release);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        // The guest's process 1 sees it as its owner does.
        let folder = folder.canonicalize()?;
        match guest.run(image, &folder, screen)? {
            Booted::Passed => {}
            Booted::Failed => failed.push(image.release.as_str()),
            Booted::Told(signal) => return told(signal, screen),
        }
    }
    let (all, passed) = (images.len(), images.len() - failed.len());
    screen.line(format_args!(
        "{passed} of {all} kernels passed; what they printed: {}",
        out.display()
    ))?;
    if failed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(io::stderr(), "not passed on Linux {}", failed.join(", Linux "))?;
    Ok(ExitCode::FAILURE)
}

fn told(signal: Signal, screen: &mut Screen) -> Result<ExitCode, EarlyExit> {
    screen.line("interrupted")?;
    Ok(ExitCode::from(if signal == Signal::SIGINT { 130 } else { 143 }))
}
