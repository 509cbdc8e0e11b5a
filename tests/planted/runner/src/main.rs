//! Hunts the planted mistakes that it is asked for, or all of them; those made by a patch are switched on in this copy of core.

use std::io::Write as _;
use std::process::ExitCode;

use sansip_sim::planted::{TABLE, report};

/// After so many runs a mistake counts as not found.
const LIMIT: u64 = 1_000;

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    if let Some(unknown) = wanted.iter().find(|name| TABLE.iter().all(|planted| planted.name != *name)) {
        eprintln!("there is no mistake `{unknown}`; without names, all are listed");
        return ExitCode::from(2);
    }
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
    let table: Vec<_> = TABLE.into_iter().filter(|planted| is_wanted(planted.name)).collect();
    let mut stdout = std::io::stdout().lock();
    match report(&table, LIMIT, Some(&mut sansip::planted::set), &mut stdout)
        .and_then(|all| stdout.flush().map(|()| all))
    {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("stdout: {error}");
            ExitCode::from(2)
        }
    }
}
