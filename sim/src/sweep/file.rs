//! Results as files, and the results of shards put together.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io;
use std::path::Path;

use sansip::Duration;
use serde_json::{Map, Value, json};

use super::{Calls, Length, Results, Scope, Shard, Sweep};
use crate::check::standard;
use crate::run::{Broken, BrokenChecks, PANIC};
use crate::shrink::write_whole;
use crate::topology::Topology;

/// The results of one shard, as one JSON object.
pub fn write(path: &Path, sweep: &Sweep, results: &Results) -> io::Result<()> {
    let text = serde_json::to_string_pretty(&to_json(sweep, results)).map_err(io::Error::other)?;
    write_whole(path, text + "\n")
}

/// Reads what [`write()`] wrote.
///
/// # Errors
/// One line that says what is wrong with it and what would be right.
pub fn read(path: &Path) -> Result<(Sweep, Results), String> {
    let name = path.display();
    let wrong = |what: &dyn Display| format!("{name}: {what}; a file is what `sansip-sim sweep --json FILE` writes");
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
    let value: Value = serde_json::from_str(&text).map_err(|error| wrong(&error))?;
    let object = value.as_object().ok_or_else(|| wrong(&"not an object"))?;
    from_json(object).map_err(|(field, right)| {
        format!("{name}: `{field}` should be {right}, as `sansip-sim sweep --json FILE` writes it")
    })
}

/// Puts the results of all shards of one sweep together.
///
/// # Errors
/// One line, if shards are missing, overlap, were not finished, or are of different sweeps.
pub fn merge(parts: &[(String, Sweep, Results)]) -> Result<(Sweep, Results), String> {
    let Some((first_name, first, _)) = parts.first() else {
        return Err("no files; merge takes the files that the shards of a sweep wrote with --json".into());
    };
    let mut of_shard: BTreeMap<u64, &str> = BTreeMap::new();
    let mut sum = Results::default();
    for (name, sweep, results) in parts {
        let Shard { number, of } = sweep.shard;
        let whole = |sweep: &Sweep| Sweep { shard: Shard::WHOLE, ..sweep.clone() };
        if whole(sweep) != whole(first) {
            return Err(format!(
                "{name} and {first_name} are of different sweeps: `{}` and `{}`",
                line(sweep),
                line(first)
            ));
        }
        if of != first.shard.of {
            return Err(format!(
                "{name} is one of {of} shards, {first_name} one of {}; give all shards of one sweep",
                first.shard.of
            ));
        }
        if let Some(other) = of_shard.insert(number, name) {
            return Err(format!("{name} and {other} are both shard {}; give each shard once", sweep.shard));
        }
        if let Some(share) = sweep.share()
            && results.runs != share
        {
            return Err(format!("{name} has {} of {share} runs; run `{}` to its end", results.runs, line(sweep)));
        }
        sum.add(results);
    }
    let missing: Vec<_> = (1..=first.shard.of).filter(|number| !of_shard.contains_key(number)).collect();
    match missing.first() {
        Some(&number) => {
            let missing = missing.len();
            let shard = Shard { number, ..first.shard };
            Err(format!("{missing} of {} shards missing, the first is {shard}; give the files of all shards", shard.of))
        }
        None => Ok((Sweep { shard: Shard::WHOLE, ..first.clone() }, sum)),
    }
}

/// The command that repeats a sweep.
pub fn line(sweep: &Sweep) -> String {
    let mut line = match sweep.length {
        Length::Runs(runs) => format!("sansip-sim sweep --runs {runs}"),
        Length::For(time) => format!("sansip-sim sweep --for {}", crate::fault::Span(time)),
    };
    line += &format!(
        " --topology {}",
        sweep.scope.topology.map_or_else(|| "all".to_owned(), |topology| topology.to_string())
    );
    if let Some(weather) = sweep.scope.weather {
        line += &format!(" --weather {weather}");
    }
    if sweep.scope.calls != Calls::Any {
        line += &format!(" --calls {}", sweep.scope.calls);
    }
    if sweep.shard != Shard::WHOLE {
        line += &format!(" --shard {}", sweep.shard);
    }
    if sweep.twice {
        line += " --check-determinism";
    }
    line + &format!(" --seed {}", sweep.seed)
}

fn to_json(sweep: &Sweep, results: &Results) -> Value {
    let broken: Map<_, _> = results
        .broken
        .0
        .iter()
        .map(|(check, broken)| {
            let Broken { runs, first, safety } = broken;
            (check.clone(), json!({"runs": runs, "first": first, "safety": safety}))
        })
        .collect();
    let (runs_wanted, nanos_wanted) = match sweep.length {
        Length::Runs(runs) => (Some(runs), None),
        Length::For(time) => (None, Some(time.as_nanos() as u64)),
    };
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "seed": sweep.seed,
        "runs_wanted": runs_wanted,
        "nanoseconds_wanted": nanos_wanted,
        "topology": sweep.scope.topology.map(|topology| topology.to_string()),
        "weather": sweep.scope.weather.map(|weather| weather.to_string()),
        "calls": sweep.scope.calls.to_string(),
        "shard": sweep.shard.to_string(),
        "check_determinism": sweep.twice,
        "runs": results.runs,
        "topologies": results.topologies,
        "sent": results.sent,
        "faults": results.faults,
        "simulated_ms": results.simulated,
        "digest": format!("{:016x}", results.digest),
        "different": results.different,
        "first_different": results.first_different,
        "broken": broken,
    })
}

/// The field that is wrong, and what it should be.
type Wrong = (&'static str, &'static str);

fn from_json(object: &Map<String, Value>) -> Result<(Sweep, Results), Wrong> {
    if text(object, "version")? != env!("CARGO_PKG_VERSION") {
        return Err(("version", concat!("\"", env!("CARGO_PKG_VERSION"), "\"")));
    }
    let length = match optional_number(object, "runs_wanted")? {
        Some(runs) => Length::Runs(runs),
        None => Length::For(Duration::from_nanos(number(object, "nanoseconds_wanted")?)),
    };
    let calls = named(object, "calls")?.ok_or(("calls", "any or plain"))?;
    let scope = Scope { topology: named(object, "topology")?, weather: named(object, "weather")?, calls };
    let shard = text(object, "shard")?.parse().map_err(|right| ("shard", right))?;
    let twice =
        object.get("check_determinism").and_then(Value::as_bool).ok_or(("check_determinism", "true or false"))?;
    let sweep = Sweep { seed: number(object, "seed")?, length, scope, shard, twice, learns: false };
    let mut results = Results {
        runs: number(object, "runs")?,
        topologies: BTreeMap::new(),
        sent: number(object, "sent")?,
        faults: number(object, "faults")?,
        simulated: number(object, "simulated_ms")?,
        digest: digest(text(object, "digest")?).ok_or(("digest", "16 hexadecimal digits"))?,
        different: number(object, "different")?,
        first_different: optional_number(object, "first_different")?,
        broken: BrokenChecks::default(),
        learned: None,
    };
    for (name, runs) in inner(object, "topologies")? {
        let runs = runs.as_u64().filter(|_| name.parse::<Topology>().is_ok());
        results.topologies.insert(name.clone(), runs.ok_or(("topologies", "names of topologies with whole numbers"))?);
    }
    if results.topologies.values().try_fold(0_u64, |sum, runs| sum.checked_add(*runs)) != Some(results.runs) {
        return Err(("topologies", "as many runs as `runs`"));
    }
    if results.different > results.runs || (results.different > 0) != results.first_different.is_some() {
        return Err(("different", "at most `runs`, with `first_different` unless it is 0"));
    }
    for (check, broken) in inner(object, "broken")? {
        let broken = broken.as_object().ok_or(("broken", "an object of objects"))?;
        let safety = broken.get("safety").and_then(Value::as_bool).ok_or(("broken", "with `safety` true or false"))?;
        let broken = Broken { runs: number(broken, "runs")?, first: number(broken, "first")?, safety };
        if !is_check(check) || broken.runs == 0 || broken.runs > results.runs {
            return Err(("broken", "names of checks with at most `runs` runs"));
        }
        results.broken.0.insert(check.clone(), broken);
    }
    Ok((sweep, results))
}

fn digest(text: &str) -> Option<u64> {
    let digits = text.len() == 16 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    u64::from_str_radix(text, 16).ok().filter(|_| digits)
}

fn is_check(name: &str) -> bool {
    name == PANIC || standard().iter().any(|check| check.name() == name)
}

fn number(object: &Map<String, Value>, field: &'static str) -> Result<u64, Wrong> {
    object.get(field).and_then(Value::as_u64).ok_or((field, "a whole number"))
}

fn optional_number(object: &Map<String, Value>, field: &'static str) -> Result<Option<u64>, Wrong> {
    match object.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or((field, "a whole number or null")),
    }
}

fn text<'a>(object: &'a Map<String, Value>, field: &'static str) -> Result<&'a str, Wrong> {
    object.get(field).and_then(Value::as_str).ok_or((field, "a text"))
}

fn inner<'a>(object: &'a Map<String, Value>, field: &'static str) -> Result<&'a Map<String, Value>, Wrong> {
    object.get(field).and_then(Value::as_object).ok_or((field, "an object"))
}

fn named<T: std::str::FromStr<Err = &'static str>>(
    object: &Map<String, Value>,
    field: &'static str,
) -> Result<Option<T>, Wrong> {
    match object.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_str().unwrap_or_default().parse().map(Some).map_err(|right| (field, right)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(number: u64, of: u64) -> (String, Sweep, Results) {
        let shard = Shard { number, of };
        let sweep =
            Sweep { seed: 7, length: Length::Runs(10), scope: Scope::default(), shard, twice: false, learns: false };
        let broken = Broken { runs: 1, first: number - 1, safety: true };
        let results = Results {
            runs: shard.share(10),
            digest: u64::MAX - number,
            topologies: [("direct".to_owned(), shard.share(10))].into(),
            broken: BrokenChecks([("agreement".to_owned(), broken)].into()),
            ..Results::default()
        };
        (format!("{number}.json"), sweep, results)
    }

    #[test]
    fn what_is_written_is_read_again() {
        let weather = Some(crate::fault::Preset::Hostile);
        let scope = Scope { topology: Some(crate::topology::Topology::Direct), weather, calls: Calls::Plain };
        let (_, sweep, results) = part(2, 3);
        let timed = Sweep { length: Length::For(Duration::from_secs(600)), scope, twice: true, ..sweep.clone() };
        for sweep in [sweep, timed] {
            let json = to_json(&sweep, &results);
            assert_eq!(from_json(json.as_object().unwrap()), Ok((sweep, results.clone())));
        }
    }

    #[test]
    fn a_wrong_field_is_named_with_what_would_be_right() {
        let (_, sweep, results) = part(1, 1);
        let json = to_json(&sweep, &results);
        for (field, value) in [
            ("version", json!("0")),
            ("shard", json!("3/2")),
            ("runs", json!(-1)),
            ("digest", json!("xyz")),
            ("topology", json!("star")),
            ("weather", json!(7)),
            ("broken", json!([])),
            ("broken", json!({"nobody": {"runs": 1, "first": 0, "safety": true}})),
            ("broken", json!({"agreement": {"runs": 11, "first": 0, "safety": true}})),
            ("digest", json!("+000000000000007")),
            ("topologies", json!({"star": 10})),
            ("topologies", json!({"direct": 9})),
            ("different", json!(1)),
            ("check_determinism", json!(null)),
        ] {
            let mut object = json.as_object().unwrap().clone();
            object.insert(field.to_owned(), value);
            assert_eq!(from_json(&object).map_err(|(field, _)| field), Err(field));
        }
    }

    #[test]
    fn all_shards_of_one_sweep_make_the_whole() {
        let (sweep, results) = merge(&[part(3, 3), part(1, 3), part(2, 3)]).unwrap();
        assert_eq!((sweep.shard, results.runs), (Shard::WHOLE, 10));
        assert_eq!(results.broken.0["agreement"], Broken { runs: 3, first: 0, safety: true });
    }

    #[test]
    fn shards_that_do_not_make_a_whole_are_refused() {
        let mut other = part(2, 2);
        other.1.seed = 8;
        let mut short = part(2, 2);
        short.2.runs = 3;
        for (parts, says) in [
            (vec![], "no files"),
            (vec![part(1, 3), part(3, 3)], "1 of 3 shards missing, the first is 2/3"),
            (vec![part(1, 2), part(1, 2)], "1.json and 1.json are both shard 1/2"),
            (vec![part(1, 2), part(2, 3)], "one of 3 shards"),
            (vec![part(1, 2), other], "different sweeps"),
            (vec![part(1, 2), short], "2.json has 3 of 5 runs"),
        ] {
            let error = merge(&parts).unwrap_err();
            assert!(error.contains(says) && !error.contains('\n'), "{error}");
        }
    }
}
