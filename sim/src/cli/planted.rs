//! `planted`.

use std::ffi::OsString;
use std::num::NonZero;

use super::nearest::hint;
use super::options::Argument;
use super::{Options, Out, Stop, Usage, help};
use crate::planted::{How, Planted, TABLE, report};

/// Hunts the planted mistakes that need no patch, and prints what found them.
pub(super) fn run(arguments: &[OsString], out: &mut Out<'_>) -> Result<u8, Stop> {
    let mut options = Options::of("planted", arguments);
    let (mut limit, mut wanted) = (1_000, Vec::new());
    while let Some(argument) = options.next()? {
        match argument {
            Argument::Long(name) if name == "help" => {
                out.stdout.write_all(help::PLANTED.as_bytes())?;
                return Ok(0);
            }
            Argument::Long(name) if name == "runs" => limit = options.value::<NonZero<u64>>(&name)?.get(),
            Argument::Word(name) => wanted.push(find(&name.to_string_lossy())?),
            Argument::Long(_) => return options.unknown(&argument).map_err(Stop::from),
        }
    }
    let table = if wanted.is_empty() { TABLE.to_vec() } else { wanted };
    let all = report(&table, limit, None, out.stdout)?;
    Ok(u8::from(!all))
}

fn find(name: &str) -> Result<Planted, Usage> {
    match TABLE.into_iter().find(|planted| planted.name == name) {
        Some(Planted { how: How::Patched, .. }) => {
            Err(Usage(format!("`{name}` is made by a patch of core: `tests/planted/run {name}` has it")))
        }
        Some(planted) => Ok(planted),
        None => {
            let meant = hint(name, TABLE.iter().map(|planted| planted.name));
            Err(Usage(format!("there is no mistake `{name}`{meant}; docs/planted-faults.md lists them")))
        }
    }
}
