//! `cargo run --release --bin stable -- [--runs N] [--seed S] [--max-len L] [--target T]`: mutates the seeds on stable Rust. The
//! same numbers give the same inputs. An input that breaks a rule is written to a file whose name is printed. With `--target`
//! only inputs of that number are made; for 7, scripts for whole nodes are drawn octet by octet.

use sansip_fuzz::mutate::{Random, mutate};
use sansip_fuzz::{Target, own, run, torture};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

struct Options {
    runs: u64,
    seed: u64,
    max_len: usize,
    target: Option<u8>,
}

fn options() -> Option<Options> {
    let mut options = Options { runs: 1_000_000, seed: 1, max_len: 4096, target: None };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value: u64 = arguments.next()?.parse().ok()?;
        match name.as_str() {
            "--runs" => options.runs = value,
            "--seed" => options.seed = value,
            "--max-len" => options.max_len = usize::try_from(value).ok()?,
            "--target" => options.target = Some(u8::try_from(value).ok()?),
            _ => return None,
        }
    }
    Some(options)
}

/// An input of one target: a seed of its own, any seed behind its number, or for whole nodes a script of random octets.
fn made_for(target: u8, pool: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    if Target::ALL.get(usize::from(target).wrapping_sub(1)) == Some(&Target::Endpoint) && random.below(8) > 0 {
        let longest = 1 << random.below(11);
        let length = 8 + random.below(longest);
        return core::iter::once(target).chain((0..length).map(|_| random.octet())).collect();
    }
    let data = pool[random.below(pool.len())].clone();
    if data.first() == Some(&target) { data } else { core::iter::once(target).chain(data).collect() }
}

fn main() -> ExitCode {
    let Some(options) = options() else {
        eprintln!("stable [--runs N] [--seed S] [--max-len L] [--target T]");
        return ExitCode::from(2);
    };
    let mut pool: Vec<Vec<u8>> = own().into_iter().chain(torture()).map(|(_, data)| data).collect();
    println!("{} seeds", pool.len());
    pool.push(Vec::new());
    let mut random = Random::new(options.seed);
    for count in 1..=options.runs {
        let mut data = match options.target {
            Some(target) => made_for(target, &pool, &mut random),
            None => pool[random.below(pool.len())].clone(),
        };
        let is_plain = data.first().is_none_or(|first| usize::from(*first) > Target::ALL.len());
        if is_plain && random.below(2) == 0 {
            // A message may serve every target: behind the octet that chooses one, and the empty script.
            let chosen = u8::try_from(1 + random.below(Target::ALL.len())).unwrap_or(1);
            data.splice(0..0, [chosen, random.octet() % 4, random.octet(), random.octet(), random.octet()]);
        }
        for _ in 0..1 + random.below(6) {
            let other = random.below(pool.len());
            mutate(&mut data, &pool[other], &mut random);
        }
        data.truncate(options.max_len);
        if catch_unwind(AssertUnwindSafe(|| run(&data))).is_err() {
            let name = format!("finding-{}-{count}", options.seed);
            let written = std::fs::write(&name, &data);
            println!("run {count}: written to {name}: {written:?}");
            return ExitCode::FAILURE;
        }
        if count % 1_000_000 == 0 {
            println!("{count} runs");
        }
    }
    println!("{} runs, no finding", options.runs);
    ExitCode::SUCCESS
}
