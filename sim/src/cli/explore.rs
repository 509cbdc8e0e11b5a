//! `explore`.

use std::ffi::OsString;

use super::{Out, Stop};

pub(super) fn run(_: &[OsString], _: &mut Out<'_>) -> Result<u8, Stop> {
    Err(Stop::Usage("not yet".into()))
}
