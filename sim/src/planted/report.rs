//! The table of mistakes, printed.

use std::io::{self, Write};

use super::{How, Planted, hunt};

/// How mistakes that are patches are switched: on by name, or all off.
pub type Switch<'a> = &'a mut dyn FnMut(Option<&'static str>);

/// Hunts every mistake of `table` in up to `limit` runs and prints a row for each; whether all were caught. Without a switch,
/// patched mistakes are left out.
///
/// # Errors
/// The text of `out`.
pub fn report(table: &[Planted], limit: u64, mut switch: Option<Switch<'_>>, out: &mut dyn Write) -> io::Result<bool> {
    writeln!(out, "| mistake | what is wrong | source | made by | found by | runs | shrunk to | which says |")?;
    writeln!(out, "|---|---|---|---|---|---|---|---|")?;
    let (mut rows, mut missed) = (0, 0);
    for planted in table {
        let made = match (planted.how, &mut switch) {
            (How::Wrapped(at, _), _) => format!("a wrapper at {at}"),
            (How::Patched, Some(switch)) => {
                switch(Some(planted.name));
                "a patch".to_owned()
            }
            (How::Patched, None) => continue,
        };
        let Planted { name, mistake, source, check, .. } = planted;
        write!(out, "| {name} | {mistake} | {source} | {made} | {check} | ")?;
        let caught = hunt(planted, limit);
        if let Some(switch) = &mut switch {
            switch(None);
        }
        rows += 1;
        match caught {
            Some(caught) => {
                let shrunk = caught.shrunk.to_string();
                let shrunk = shrunk.strip_prefix("sansip-sim call ").unwrap_or(&shrunk).replace('|', "\\|");
                writeln!(out, "{} | `{shrunk}` | {} |", caught.runs, caught.says.replace('|', "\\|"))?;
            }
            None => {
                missed += 1;
                writeln!(out, "not in {limit} | | |")?;
            }
        }
        out.flush()?;
    }
    writeln!(out, "\n{} of {rows} mistakes found", rows - missed)?;
    Ok(missed == 0)
}
