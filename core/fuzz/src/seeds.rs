//! Where inputs begin: the project's own seeds, and the messages that the RFCs print.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// Every file below this path, or the file itself, in the order of their names.
pub fn files(path: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut waiting = vec![path.to_owned()];
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path());
            waiting.extend(entries);
        } else if let Ok(data) = fs::read(&path) {
            found.push((path.display().to_string(), data));
        }
    }
    found.sort();
    found
}

/// The seeds of `core/fuzz/seeds`.
pub fn own() -> Vec<(String, Vec<u8>)> {
    files(&folder().join("seeds"))
}

/// `core/fuzz`: the folder of this package, or the one above that of a package in it.
fn folder() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().find(|folder| folder.join("seeds").is_dir()).unwrap_or(own)
}

/// The messages of the RFCs, read in place: `SANSIP_TORTURE`, else `../shared/torture` beside the workspace; empty if they are
/// in neither.
pub fn torture() -> Vec<(String, Vec<u8>)> {
    let beside = || folder().join("../../../shared/torture");
    let folder = env::var_os("SANSIP_TORTURE").map_or_else(beside, PathBuf::from);
    let mut found = files(&folder);
    found.retain(|(name, _)| name.ends_with(".dat") || name.ends_with(".sip"));
    found
}
