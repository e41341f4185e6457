//! An editor's settings for `work/`: for VS Code and those that read its files. Plain files, and never overwritten.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use cli::apart::make;

/// rust-analyzer builds into a folder of its own: it and `cargo tutor check` never wait for each other.
const SETTINGS: &str = r#"{
    "rust-analyzer.cargo.targetDir": true,
    "rust-analyzer.check.command": "check",
    "files.watcherExclude": {
        "**/.begun/**": true
    }
}
"#;

const EXTENSIONS: &str = r#"{
    "recommendations": ["rust-lang.rust-analyzer"]
}
"#;

/// Writes them into `.vscode/` of this folder, once: who deletes one does not get it again.
///
/// # Errors
///
/// What writing says, with the path.
pub fn offer(work: &Path) -> io::Result<()> {
    let folder = work.join(".vscode");
    if folder.exists() {
        return Ok(());
    }
    make(&folder)?;
    for (name, text) in [("settings.json", SETTINGS), ("extensions.json", EXTENSIONS)] {
        let path = folder.join(name);
        match fs::File::create_new(&path).and_then(|mut file| file.write_all(text.as_bytes())) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(io::Error::new(error.kind(), format!("{}: {error}", path.display())));
            }
            _ => {}
        }
    }
    Ok(())
}
