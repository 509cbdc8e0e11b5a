//! `explore`.

use std::ffi::OsString;

use super::{Out, Stop, help};

pub(super) fn run(arguments: &[OsString], out: &mut Out<'_>) -> Result<u8, Stop> {
    if arguments.iter().any(|argument| argument == "--help") {
        out.stdout.write_all(help::EXPLORE.as_bytes())?;
        return Ok(0);
    }
    Err(Stop::Usage("explore cannot be asked for yet".into()))
}
