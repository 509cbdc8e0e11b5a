//! `planted`.

use super::line::{self, meant};
use super::{Out, Stop};
use crate::planted::{How, Planted, TABLE, report};

/// Hunts the planted mistakes that need no patch, and prints what found them.
pub(super) fn run(line::Planted { mistakes, runs }: line::Planted, out: &mut Out<'_>) -> Result<u8, Stop> {
    let wanted: Vec<_> = mistakes.iter().map(|name| find(name)).collect::<Result<_, _>>()?;
    let table = if wanted.is_empty() { TABLE.to_vec() } else { wanted };
    let all = report(&table, runs.get(), None, out.stdout)?;
    Ok(u8::from(!all))
}

fn find(name: &str) -> Result<Planted, Stop> {
    match TABLE.into_iter().find(|planted| planted.name == name) {
        Some(Planted { how: How::Patched, .. }) => {
            Err(Stop::Usage(format!("`{name}` is made by a patch of core: `tests/planted/run {name}` has it")))
        }
        Some(planted) => Ok(planted),
        None => {
            let names = TABLE.iter().map(|planted| planted.name).collect();
            let lists = meant(names, name, "docs/planted-faults.md lists them");
            Err(Stop::Usage(format!("there is no mistake `{name}`: {lists}")))
        }
    }
}
