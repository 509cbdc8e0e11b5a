//! Two revisions of sansip read the same mutated messages: `core/fuzz/compare/run OLD [NEW] [-- --runs N] [--seed S] [--jobs J]`.
//!
//! Compared are the verdicts of parser and validation, what a stream is cut into, what is salvaged, every typed header, what is
//! written from a message, and what an endpoint does when the message comes in. Inputs are made of the seeds of the fuzz targets
//! and of the messages that the RFCs print.

/// The old revision.
mod old_revision {
    use ::old as sansip;
    include!("told.rs");
}

/// The new revision.
mod new_revision {
    use ::new as sansip;
    include!("told.rs");
}

#[path = "../../src/mutate.rs"]
mod mutate;
#[path = "../../src/seeds.rs"]
mod seeds;

use std::collections::BTreeMap;
use std::process::ExitCode;

use mutate::{Random, mutate};

/// Differences that are shown in full, of each kind.
const SHOWN: usize = 3;

/// Inputs are no longer than this.
const LONGEST: usize = 4096;

#[derive(Clone, Copy)]
struct Options {
    runs: u64,
    seed: u64,
    jobs: u64,
}

fn options() -> Option<Options> {
    let mut options = Options { runs: 1_000_000, seed: 1, jobs: 1 };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next()?.parse().ok()?;
        match name.as_str() {
            "--runs" => options.runs = value,
            "--seed" => options.seed = value,
            "--jobs" => options.jobs = value,
            _ => return None,
        }
    }
    (options.jobs > 0).then_some(options)
}

/// The finds of a job.
#[derive(Default)]
struct Found {
    messages: u64,
    valid: u64,
    differ: u64,
    /// By what differs: how often, and the first few.
    kinds: BTreeMap<&'static str, (u64, Vec<String>)>,
}

impl Found {
    fn compare(&mut self, data: &[u8]) {
        let (old, new) = (old_revision::told(data), new_revision::told(data));
        self.messages += 1;
        self.valid += u64::from(old.iter().any(|(what, text)| *what == "verdict" && text == "Ok(())"));
        if old == new {
            return;
        }
        self.differ += 1;
        let (old, new): (BTreeMap<_, _>, BTreeMap<_, _>) = (old.into_iter().collect(), new.into_iter().collect());
        let names: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).copied().collect();
        for what in names {
            let (old, new) = (old.get(what), new.get(what));
            if old != new {
                let (count, shown) = self.kinds.entry(what).or_default();
                *count += 1;
                if shown.len() < SHOWN {
                    let part = |text: Option<&String>| text.cloned().unwrap_or_else(|| "nothing".to_owned());
                    shown.push(format!("{}\n  old: {}\n  new: {}", data.escape_ascii(), part(old), part(new)));
                }
            }
        }
    }

    fn add(&mut self, other: Self) {
        (self.messages, self.valid, self.differ) =
            (self.messages + other.messages, self.valid + other.valid, self.differ + other.differ);
        for (what, (count, shown)) in other.kinds {
            let entry = self.kinds.entry(what).or_default();
            entry.0 += count;
            entry.1.extend(shown);
            entry.1.truncate(SHOWN);
        }
    }
}

/// Inputs to begin with.
#[derive(Default)]
struct Pool {
    messages: Vec<Vec<u8>>,
    /// Header values, URIs and the like.
    values: Vec<Vec<u8>>,
}

impl Pool {
    /// A seed that has a message in it is that message; of any other the octet that chooses a target is left out.
    fn add(&mut self, mut data: Vec<u8>) {
        let starts: [&[u8]; 5] = [b"SIP/2.0", b"INVITE", b"REGISTER", b"OPTIONS", b"ACK"];
        let found = (0..data.len()).find(|at| starts.iter().any(|start| data[*at..].starts_with(start)));
        match found {
            Some(at) => self.messages.push(data.split_off(at)),
            None => self.values.push(data.iter().copied().skip_while(|octet| *octet < b' ').collect()),
        }
    }

    fn draw(&self, random: &mut Random) -> Vec<u8> {
        let mut data = self.messages[random.below(self.messages.len())].clone();
        // Half of them with the value of one header field replaced, which leaves more of them valid.
        if random.below(2) == 0 {
            let value = &self.values[random.below(self.values.len())];
            let colons: Vec<usize> = (0..data.len()).filter(|at| data[*at..].starts_with(b": ")).collect();
            if let Some(colon) = colons.get(random.below(colons.len())) {
                let end = data[*colon..].iter().position(|octet| *octet == b'\r').map_or(data.len(), |end| colon + end);
                data.splice(colon + 2..end, value.iter().copied());
            }
        }
        for _ in 0..random.below(4) {
            let other = &self.messages[random.below(self.messages.len())];
            mutate(&mut data, other, random);
        }
        data
    }
}

fn job(options: Options, number: u64, pool: &Pool) -> Found {
    let mut found = Found::default();
    let mut random = Random::new(options.seed.wrapping_mul(1_000_003).wrapping_add(number));
    let whole: Vec<_> = pool.messages.iter().chain(&pool.values).collect();
    for count in (number..options.runs).step_by(usize::try_from(options.jobs).unwrap_or(1)) {
        // Every input as it stands, then changed ones.
        let as_it_stands = usize::try_from(count).ok().and_then(|count| whole.get(count));
        let mut data = as_it_stands.map_or_else(|| pool.draw(&mut random), |data| data.to_vec());
        data.truncate(LONGEST);
        found.compare(&data);
    }
    found
}

fn main() -> ExitCode {
    let Some(options) = options() else {
        eprintln!("sansip-compare [--runs N] [--seed S] [--jobs J]");
        return ExitCode::from(2);
    };
    let mut pool = Pool::default();
    seeds::own().into_iter().chain(seeds::torture()).for_each(|(_, data)| pool.add(data));
    println!("{} messages and {} values to begin with", pool.messages.len(), pool.values.len());
    let mut found = Found::default();
    std::thread::scope(|scope| {
        let pool = &pool;
        let jobs: Vec<_> = (0..options.jobs).map(|number| scope.spawn(move || job(options, number, pool))).collect();
        for job in jobs {
            match job.join() {
                Ok(more) => found.add(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    for (what, (count, shown)) in &found.kinds {
        println!("\n{what}: {count} differ, such as");
        shown.iter().for_each(|shown| println!("{shown}"));
    }
    println!("{} messages, {} valid, {} differ", found.messages, found.valid, found.differ);
    if found.differ == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
