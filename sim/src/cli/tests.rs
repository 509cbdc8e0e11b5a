use sansip::{Duration, Instant};

use super::*;
use crate::capture::{Capture, Carrier};
use crate::run::{Case, Run, run as run_case};

/// Exit status, stdout, stderr.
fn ask(arguments: &[&str]) -> (u8, String, String) {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut out = Out { stdout: &mut stdout, stderr: &mut stderr, terminal: false, colour: false };
    let status = run(arguments, &mut out);
    (status, String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// As above, for a line without spaces in its arguments.
fn ask_line(line: &str) -> (u8, String, String) {
    ask(&line.split_whitespace().collect::<Vec<_>>())
}

#[test]
fn without_arguments_it_is_the_call_of_the_rfc() {
    let (status, text, _) = ask(&[]);
    assert_eq!(status, 0);
    assert!(
        text.contains("F14 200 OK")
            && text.ends_with("16 messages, 0 retransmissions, 0 lost, 0 duplicated, 40.083 s simulated\n")
    );
    assert_eq!(ask(&["call"]).1, text);
}

#[test]
fn every_command_has_its_help_and_a_shell_completes_it() {
    Line::command().debug_assert();
    for command in ["", "call", "sweep", "merge", "explore", "planted", "show", "check"] {
        let (status, text, _) = ask_line(&format!("{command} --help"));
        assert_eq!(status, 0, "{command}");
        assert!(text.contains("Usage: sansip-sim") && text.contains("--help"), "{command}: {text}");
    }
    assert!(ask(&["--version"]).1.starts_with("sansip-sim 0."));
    let (status, text, _) = ask(&["completions", "bash"]);
    assert!(status == 0 && text.contains("--record-route") && text.contains("explore"), "{text}");
}

#[test]
fn what_is_wrong_is_said_in_one_line_with_what_would_be_right() {
    let folder = Folder::new("bad");
    let there = folder.file("there.json");
    std::fs::write(&there, "what was there before").unwrap();
    let files = [
        ("cut.json", "{\"version\": \"0.1.0\",\n  \"seed\": "),
        ("empty.json", ""),
        ("list.json", "[]"),
        ("old.json", "{\"version\": \"0.0.9\"}"),
    ];
    let [cut, empty, list, old] = files.map(|(name, text)| {
        std::fs::write(folder.file(name), text).unwrap();
        folder.file(name)
    });
    let [one, other] = [("1/2", "10", "one.json"), ("2/2", "12", "other.json")].map(|(shard, runs, name)| {
        assert_eq!(ask(&["sweep", "--runs", runs, "--shard", shard, "--json", &folder.file(name)]).0, 0);
        folder.file(name)
    });
    let before = folder.names();
    for (line, right) in [
        (&["ring"][..], "call, sweep, merge"),
        (&["call", "call"], "--help"),
        (&["--topology", "star"], "direct, one-proxy, trapezoid"),
        (&["--hang-up", "carol"], "alice or bob"),
        (&["--loss", "30%"], "from 0 to 1"),
        (&["--loss"], "--loss"),
        (&["--seed", "x"], "--seed `x`"),
        (&["--plan", "a>b"], "a fault reads"),
        (&["--topology", "direct", "--plan", "alice>atlanta#1:drop"], "its nodes are alice, bob"),
        (&["--record-route=yes"], "yes"),
        (&["--fast"], "--help"),
        (&["--reply", "maybe"], "answer:2s"),
        (&["--cancel-after", "soon"], "700ms or 5s"),
        (&["--weather", "rain"], "hostile"),
        (&["--format", "png"], "ladder, messages, json, pcap, mermaid, svg or html"),
        (&["-x"], "--help"),
        (&["sweep"], "`--runs 10000` or `--for 10m`"),
        (&["sweep", "--runs", "many"], "--runs `many`"),
        (&["sweep", "--runs", "1", "--for", "1s"], "once"),
        (&["sweep", "--for", "long"], "90s, 10m or 2h"),
        (&["sweep", "--runs", "1", "--shard", "0/2"], "3/8"),
        (&["sweep", "--runs", "1", "--jobs", "0"], "--jobs `0`"),
        (&["sweep", "--runs", "1", "--topology", "star"], "or all"),
        (&["sweep", "--runs", "1", "--loss", "1"], "--help"),
        (&["sweep", "--runs", "1", "--json", "/no/such/folder/x.json"], "a file that can be written"),
        (&["sweep", "--runs", "1", "--json", &folder.path()], "a file that can be written"),
        (&["sweep", "--runs", "1", "--json", ""], "a file that can be written"),
        (&["sweep", "--runs", "1", "--failures", &there], "a folder is meant"),
        (&["explore", "--faults", "1", "--failures", ""], "a folder is meant"),
        (&["merge", &one, "--failures", &there], "a folder is meant"),
        (&["merge"], "--json"),
        (&["merge", "/no/such.json"], "/no/such.json"),
        // Words that are nearly right.
        (&["seep", "--runs", "1"], "did you mean `sweep`?"),
        (&["sweep", "--run", "1"], "did you mean `--runs`?"),
        (&["--topolgy", "direct"], "did you mean `--topology`?"),
        (&["planted", "ack-onc"], "did you mean `ack-once`?"),
        (&["--weather", "wify"], "did you mean `wifi`?"),
        (&["--topology", "trapezoit"], "did you mean `trapezoid`?"),
        (&["sweep", "--runs", "1", "--weather", "hostil"], "did you mean `hostile`?"),
        (&["sweep", "--runs", "1", "--topology", "one_proxy"], "did you mean `one-proxy`?"),
        (&["planted", "everything"], "docs/planted-faults.md"),
        (&["show"], "FILE is missing"),
        (&["check", "--at", "sbc"], "FILE is missing"),
        (&["show", &there, "--max-calls", "0"], "from 1 to 1000000"),
        (&["show", &there, "--name", "sbc"], "10.0.0.3:5080=sbc"),
        (&["show", &there, "--format", "png"], "ladder, messages, json, pcap, mermaid, svg or html"),
        (&["planted", "pre-6026"], "tests/planted/run pre-6026"),
        // Numbers.
        (&["--seed", "18446744073709551616"], "up to 18446744073709551615"),
        (&["--seed", "-1"], "a whole number, as in 1000"),
        (&["sweep", "--runs", "1e6"], "a whole number, as in 1000"),
        (&["sweep", "--runs", ""], "a whole number, as in 1000"),
        (&["sweep", "--runs", "1", "--seed", "1.5"], "a whole number, as in 1000"),
        (&["sweep", "--runs", "1", "--jobs", "1025"], "from 1 to 1024"),
        (&["sweep", "--for", "99999999999999h"], "90s, 10m or 2h"),
        (&["sweep", "--for", "10"], "90s, 10m or 2h"),
        (&["planted", "--runs", "0"], "from 1 on"),
        (&["explore", "--faults", "many"], "a whole number from 0 to 8"),
        (&["explore", "--faults", "1", "--jobs", "0"], "from 1 to 1024"),
        (&["explore"], "`--faults 2`"),
        (&["explore", "--faults", "99"], "from 0 to 8"),
        (&["--topology", "chain:70"], "1 to 69"),
        (&["--topology", "crowd:0"], "1 to 1000000"),
        (&["sweep", "--runs", "1", "--shard", "5/4"], "I from 1 to N"),
        (&["sweep", "--runs", "1", "--shard", "1/0"], "I from 1 to N"),
        (&["sweep", "--runs", "1", "--shard", "1/18446744073709551616"], "I from 1 to N"),
        (&["sweep", "--runs", "1", "--shard", "1/2/3"], "I from 1 to N"),
        (&["sweep", "--runs", "1", "--shard", "1/1000001"], "N up to 1000000"),
        // Plans, with the place.
        (&["--plan", ","], "fault 1, at character 1, ``"),
        (&["--plan", "alice>bob#1:drop,"], "fault 2, at character 18, ``"),
        (
            &["--plan", "alice>bob#1:drop,  alice>bob#0:drop"],
            "fault 2, at character 20, `alice>bob#0:drop`: messages are counted from 1",
        ),
        (&["--plan", "alice>bob#4294967296:drop"], "counted from 1"),
        (&["--plan", "alice>bob#1:+18446744073709551616s"], "as in `+700ms`"),
        (&["--plan", "alice>bob#1:drop alice>bob#2:drop"], "`drop`, `+700ms`"),
        (
            &["--plan", "alice>bob#1:drop\n, alice>bob#1:+1s"],
            "fault 2, at character 20, `alice>bob#1:+1s`: it contradicts",
        ),
        (&["--plan", "alice@99999999999s:crash"], "as in `@12s`"),
        (&["--plan", "alice@1s:clock(+999999999s)"], "by up to 366 days"),
        (&["--calm-after", "31622401s"], "at most 366 days"),
        (&["--plan", "nat@1s:forget"], "its nodes are alice, atlanta, biloxi, bob"),
        (
            &["--topology", "nat", "--plan", "nat>atlanta#1:drop"],
            "`nat>atlanta#1:drop`: a NAT can `forget`, and nothing else",
        ),
        (&["--topology", "nat", "--plan", "nat@1s:crash"], "`nat@1s:crash`: a NAT can `forget`"),
        (&["--plan", "bob@1s:forget"], "`bob@1s:forget`: only a NAT can `forget`, as in topology nat"),
        (&["--plan", "bob>bob#1:drop"], "`bob>bob#1:drop`: nothing goes from a node to itself"),
        (&["--plan", "bob>bob@1s:reset"], "nothing goes from a node to itself"),
        (&["--topology", "crowd:1000", "--plan", "carol@1s:crash"], "its nodes are alice1, alice2, …, bob1000"),
        // Files.
        (&["merge", &cut], "at line 2 column 10"),
        (&["merge", &empty], "what `sansip-sim sweep --json FILE` writes"),
        (&["merge", &list], "not an object"),
        (&["merge", &old], "`version` should be"),
        (&["merge", &folder.path()], "what `sansip-sim sweep --json FILE` writes"),
        (&["merge", &one, &other], "of different sweeps"),
        (&["merge", &one, &one], "give each shard once"),
        (&["merge", &one, "--json", &there], "the first is 2/2"),
        (&["merge", &one, "--json", &folder.path()], "a file that can be written"),
    ] {
        let (status, stdout, error) = ask(line);
        assert_eq!((status, stdout.as_str(), error.lines().count()), (2, "", 1), "{line:?}: {error:?}");
        assert!(error.starts_with("sansip-sim: ") && error.contains(right), "{line:?}: {error:?}");
    }
    assert_eq!(folder.names(), before, "nothing is half written");
    assert_eq!(std::fs::read_to_string(&there).unwrap(), "what was there before");
}

/// A folder that is gone with this.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("sansip-sim-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn path(&self) -> String {
        self.0.display().to_string()
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().display().to_string()).collect();
        names.sort_unstable();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

/// `sweep` with another way to run a case.
fn sweep_by(line: &str, run: &(dyn Fn(&Case) -> Run + Sync)) -> (Option<u8>, String) {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut out = Out { stdout: &mut stdout, stderr: &mut stderr, terminal: false, colour: false };
    let line = Line::try_parse_from("sansip-sim sweep".split(' ').chain(line.split(' '))).unwrap();
    let Some(Command::Sweep(asked)) = line.command else { panic!("no sweep") };
    let status = sweep::run_by(asked, run, &mut out).ok();
    (status, String::from_utf8(stdout).unwrap())
}

#[test]
fn a_sweep_that_finds_something_draws_it_keeps_it_and_ends_with_the_line_that_replays_it() {
    let folder = Folder::new("failures");
    for (mistake, status, verdict) in [("ack-2xx-cseq", 1, "safety broken"), ("never-idle", 3, "liveness broken")] {
        let planted = crate::planted::TABLE.into_iter().find(|planted| planted.name == mistake).unwrap();
        let by = |case: &Case| crate::planted::run(&planted, case);
        let line = format!("--runs 40 --topology crowd:3 --weather hostile --failures {}", folder.path());
        let (found, text) = sweep_by(&line, &by);
        assert_eq!(found, Some(status), "{text}");
        assert!(text.contains(&format!("check {}: broken in ", planted.check)), "{text}");
        assert!(text.contains("\n   1.0"), "a ladder: {text}");
        let end = text.lines().rev().take(2).collect::<Vec<_>>();
        let replay = end[0].strip_prefix("reproduce: ").unwrap();
        assert_eq!(end[1], format!("verdict: {verdict}"));
        assert!(replay.starts_with("sansip-sim call --topology ") && replay.ends_with(" --seed 1"), "{replay}");
        assert!(replay.len() < 100, "cut down: {replay}");
        let kept = text.lines().find_map(|line| line.strip_prefix("kept in ")).unwrap();
        let page = std::fs::read_to_string(std::path::Path::new(kept).with_extension("html")).unwrap();
        assert!(page.contains("dialogs and bindings as the nodes have them"), "{page}");
        let kept = std::fs::read_to_string(kept).unwrap();
        for part in
            ["version: 0.", "\nseed: ", "\nscenario: sansip-sim call ", "\nplan: ", &format!("replay: {replay}")]
        {
            assert!(kept.contains(part), "{part}: {kept}");
        }
        // As text it is read again, and fails as it did.
        assert!(by(&replay.parse().unwrap()).verdict.breaks(planted.check));
    }
}

#[test]
fn a_sweep_writes_the_same_report_each_time_with_each_failure_in_it() {
    let folder = Folder::new("reports");
    let planted = crate::planted::TABLE.into_iter().find(|planted| planted.name == "ack-2xx-cseq").unwrap();
    let by = |case: &Case| crate::planted::run(&planted, case);
    let report = |jobs: usize, name: &str| {
        let file = folder.file(name);
        let line =
            format!("--runs 40 --weather hostile --jobs {jobs} --failures {} --report {file}", folder.file("kept"));
        assert_eq!(sweep_by(&line, &by).0, Some(1));
        std::fs::read_to_string(&file).unwrap()
    };
    let page = report(1, "one.html");
    assert_eq!(page, report(3, "three.html"));
    for part in [
        "<b>40</b><span>runs</span>",
        "id=\"failures\"",
        "id=\"worst\"",
        "<strong>hostile</strong>",
        "sansip-sim sweep --runs 40",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn a_run_that_is_another_the_second_time_is_status_5_and_named() {
    use std::sync::atomic::{AtomicBool, Ordering};

    let moody = AtomicBool::new(false);
    let run_moodily = |case: &Case| {
        // Every second time Bob answers a millisecond later.
        let later = if moody.fetch_not(Ordering::Relaxed) { 1 } else { 0 };
        let reply = crate::run::Reply::Answer(sansip::Duration::from_millis(1_000 + later));
        run_case(&Case { reply, ring_after: None, cancel_after: None, ..case.clone() })
    };
    let sweep = |line: &str| sweep_by(line, &run_moodily);
    let (status, text) = sweep("--runs 3 --jobs 1 --weather calm --topology direct --check-determinism");
    assert_eq!(status, Some(5), "{text}");
    let last = "verdict: not deterministic\n\
         reproduce: sansip-sim sweep --runs 3 --topology direct --weather calm --check-determinism --seed 1\n";
    assert!(text.contains("not deterministic: 3 runs, first run 0\n") && text.ends_with(last), "{text}");
    assert!(text.contains("\nnot the same the second time: sansip-sim call --topology direct "), "{text}");
    assert_eq!(sweep("--runs 2 --jobs 1 --weather calm --topology direct").0, Some(0));
}

#[test]
fn a_sweep_says_its_seed_first_and_how_to_repeat_it_last() {
    let (status, text, progress) = ask_line("sweep --runs 40 --seed 7 --jobs 2 --weather wifi");
    assert_eq!(status, 0, "{text}");
    assert!(text.starts_with("seed: 7\n"), "{text}");
    let last = "reproduce: sansip-sim sweep --runs 40 --topology all --weather wifi --seed 7";
    assert_eq!(text.lines().next_back(), Some(last), "{text}");
    assert!(text.contains("check agreement: holds") && text.contains("verdict: all checks hold"), "{text}");
    assert!(progress.contains("40 runs in"), "{progress}");
    assert_eq!(ask_line("sweep --runs 40 --seed 7 --jobs 1 --weather wifi").1, text);
}

#[test]
fn a_sweep_of_nothing_is_no_success() {
    for line in ["sweep --runs 0", "sweep --for 0s", "sweep --runs 2 --shard 3/3"] {
        let (status, text, _) = ask_line(line);
        assert_eq!(status, 4, "{line}: {text}");
    }
}

#[test]
fn an_exploration_that_is_stopped_says_nothing_of_what_it_did_not_begin() {
    let (_, text, _) = ask_line("explore --faults 5 --for 0s --jobs 1 --topology direct --hang-up bob");
    let last = "\nthe whole space: sansip-sim explore --faults 5 --topology direct --hang-up bob\n";
    assert!(text.ends_with(last) && text.contains("\nspace: not covered whole: stopped after "), "{text}");
    assert!(text.contains(" with 5 faults), not all of them\n") && !text.contains("all checks hold\n"), "{text}");
    let (status, text, _) = ask_line("explore --faults 0 --jobs 1 --topology direct --cancel");
    let last = "verdict: all checks hold\nreproduce: sansip-sim explore --faults 0 --topology direct --cancel\n";
    assert!(status == 0 && text.ends_with(last), "{text}");
}

#[test]
fn merged_shards_are_the_whole_sweep() {
    let folder = Folder::new("merge");
    let file = |name: &str| folder.file(name);
    let files = [1, 2, 3].map(|number| {
        let path = file(&format!("{number}.json"));
        let number = number.to_string();
        assert_eq!(ask(&["sweep", "--runs", "50", "--shard", &format!("{number}/3"), "--json", &path]).0, 0);
        path
    });
    let whole = ask(&["sweep", "--runs", "50", "--json", &file("whole.json")]);
    let merged = ask(&["merge", &files[2], &files[0], &files[1], "--json", &file("all.json")]);
    assert_eq!((merged.0, &merged.1), (0, &whole.1), "byte for byte");
    let read = |name: &str| std::fs::read_to_string(file(name)).unwrap();
    assert_eq!(read("all.json"), read("whole.json"));
    assert_eq!(merged.1.lines().next_back(), Some("reproduce: sansip-sim sweep --runs 50 --topology all --seed 1"));
    assert_eq!(ask(&["merge", &file("all.json")]).1, whole.1);
    let (status, _, error) = ask(&["merge", &files[0], &files[1]]);
    assert!(status == 2 && error.contains("1 of 3 shards missing, the first is 3/3"), "{error}");
    std::fs::write(file("broken.json"), "{\"version\"").unwrap();
    let (status, _, error) = ask(&["merge", &file("broken.json")]);
    assert!(status == 2 && error.contains("broken.json: ") && error.lines().count() == 1, "{error}");
}

#[test]
fn json_is_one_event_a_line_and_ends_with_the_verdict() {
    let (status, text, _) = ask(&["call", "--format", "json", "--plan", "alice>atlanta#1:drop"]);
    let events: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(status, 0);
    let sent = events.iter().filter(|event| event["event"] == "sent").collect::<Vec<_>>();
    assert_eq!((sent.len(), &sent[2]["number"], &sent[2]["faults"][0]), (17, &"F1".into(), &"drop".into()));
    assert_eq!((&sent[3]["resent"], &sent[3]["time"]), (&true.into(), &"1.501".into()));
    let end = events.last().unwrap();
    let replay = "sansip-sim call --topology trapezoid --plan 'alice>atlanta#1:drop' --seed 1";
    assert_eq!(
        (&end["event"], &end["verdict"], &end["replay"]),
        (&"end".into(), &"all checks hold".into(), &replay.into())
    );
}

/// Whether a value is what a schema says, as much of JSON Schema as ours uses.
fn fits(schema: &serde_json::Value, value: &serde_json::Value) -> bool {
    let of_type = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => false,
    };
    let types = schema["type"].as_array().cloned().unwrap_or_else(|| vec![schema["type"].clone()]);
    let names = |list: &serde_json::Value| {
        list.as_array().into_iter().flatten().map(|it| it.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let properties = schema["properties"].as_object();
    (schema["type"].is_null() || types.iter().any(|it| of_type(it.as_str().unwrap())))
        && (schema["const"].is_null() || schema["const"] == *value)
        && (schema["enum"].is_null() || schema["enum"].as_array().unwrap().contains(value))
        && (schema["oneOf"].is_null()
            || schema["oneOf"].as_array().unwrap().iter().filter(|it| fits(it, value)).count() == 1)
        && (schema["items"].is_null() || value.as_array().into_iter().flatten().all(|it| fits(&schema["items"], it)))
        && names(&schema["required"]).iter().all(|name| value.get(name).is_some())
        && properties.is_none_or(|known| {
            value
                .as_object()
                .into_iter()
                .flatten()
                .all(|(name, it)| known.get(name).is_some_and(|schema| fits(schema, it)))
        })
}

#[test]
fn every_event_is_what_the_schema_says() {
    let schema = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/trace.schema.json")).unwrap();
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for line in [
        "--topology direct",
        "--topology mixed --weather hostile --seed 3",
        "--topology direct --plan alice>bob#1:drop,bob@3s:crash,bob@4s:restart,alice@100ms..9s:dns(silent)",
        "--topology farm:2 --plan s2@5s:crash",
        "--topology direct --plan alice>bob#1:flip(30^20) --transfer 1s",
    ] {
        for event in ask_line(&format!("call --format json {line}")).1.lines() {
            let event: serde_json::Value = serde_json::from_str(event).unwrap();
            assert!(fits(&schema, &event), "{line}: {event}");
            seen.insert(event["event"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(
        seen.into_iter().collect::<Vec<_>>(),
        ["arrived", "binding", "dialog", "end", "noted", "sent", "timer", "trace", "transaction"]
    );
    let broken = serde_json::json!({"event": "broken", "time": "1.000", "check": "form", "what": "it is wrong"});
    assert!(fits(&schema, &broken));
    for wrong in ["{\"event\": \"sent\"}", "{\"event\": \"trace\", \"version\": 1}", "{\"event\": \"sung\"}", "[]"] {
        assert!(!fits(&schema, &serde_json::from_str(wrong).unwrap()), "{wrong}");
    }
}

#[test]
fn each_format_is_written_to_a_file_that_is_named_and_to_standard_output_else() {
    let folder = Folder::new("formats");
    let trace = folder.file("trace.json");
    assert_eq!(ask(&["call", "--format", "json", "-o", &trace]).0, 0);
    let begins = [
        ("ladder", "        alice"),
        ("messages", "R1 0.001 bob > biloxi"),
        ("json", "{\"event\":\"trace\""),
        ("mermaid", "sequenceDiagram\n"),
        ("svg", "<svg xmlns="),
        ("html", "<!DOCTYPE html><html lang=\"en\">"),
    ];
    for (format, begin) in begins {
        for command in [vec!["call"], vec!["show", &trace]] {
            let (status, text, _) = ask(&[&command[..], &["--format", format]].concat());
            assert_eq!(
                (status, text.get(..begin.len().min(7))),
                (0, begin.get(..begin.len().min(7))),
                "{command:?} {format}"
            );
            let file = folder.file(format);
            let (status, printed, _) = ask(&[&command[..], &["--format", format, "--output", &file]].concat());
            assert_eq!((status, printed.as_str()), (0, ""));
            assert_eq!(std::fs::read_to_string(&file).unwrap(), text, "{command:?} {format}");
        }
        assert!(ask(&["call", "--format", format]).1.starts_with(begin), "{format}");
    }
    assert_eq!(folder.names().len(), 1 + begins.len());
    let (status, _, error) = ask(&["call", "-o", &folder.file("no/such.html")]);
    assert!(status == 2 && error.contains("a file that can be written is meant, as in call.html"), "{error}");
}

#[test]
fn messages_are_printed_in_full() {
    let (_, text, _) = ask(&["call", "--format", "messages", "--topology", "direct"]);
    assert!(text.starts_with("F1 1.000 alice > bob\n\n    INVITE sip:bob@192.0.2.4 SIP/2.0\n    Via: "), "{text}");
    assert!(text.contains("    m=audio 49172 RTP/AVP 0\n"), "{text}");
}

#[test]
fn faults_that_nothing_came_of_are_named() {
    let plan = "alice>bob ACK#1:drop, alice>bob ACK#3:drop, alice>bob ack:drop, bob>alice#9:+1s, alice@1s:clock(+9ppm), bob@9000s:crash";
    let (status, _, said) = ask(&["--topology", "direct", "--plan", plan]);
    let unmet: Vec<_> = said.lines().filter_map(|line| line.strip_prefix("not met: ")).collect();
    assert_eq!(status, 0);
    assert_eq!(unmet, ["`alice>bob ACK#3:drop`", "`alice>bob ack:drop`", "`bob>alice#9:+1s`", "`bob@9000s:crash`"]);
    assert!(!ask(&["--plan", "*>* INVITE#1:drop"]).2.contains("not met"));
}

#[test]
fn the_calls_of_a_capture_are_listed_and_printed_as_those_that_are_simulated() {
    let folder = Folder::new("show");
    let line = "--topology trapezoid --plan alice>atlanta#1:drop";
    for format in ["pcap", "json"] {
        let mut arguments: Vec<&str> = line.split(' ').collect();
        arguments.extend(["--format", format]);
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        run(arguments, &mut Out { stdout: &mut stdout, stderr: &mut stderr, terminal: false, colour: false });
        std::fs::write(folder.file(format), stdout).unwrap();
    }
    let (pcap, json) = (folder.file("pcap"), folder.file("json"));
    for file in [&pcap, &json] {
        let (status, text, _) = ask(&["show", file]);
        assert_eq!(
            text.lines().collect::<Vec<_>>(),
            [
                "1 0.000 REGISTER 200 sip:bob@biloxi.com > sip:bob@biloxi.com, 2 messages in 0.010 s, Call-ID 843817637684230@998sdasdh09",
                "2 1.000 INVITE 200 sip:alice@atlanta.com > sip:bob@biloxi.com, 15 messages in 7.582 s, Call-ID a84b4c76e66710",
                "17 packets, 17 messages",
            ]
        );
        assert_eq!(status, 0);
    }
    // A simulated run is drawn as it was, but that nodes stand in the order of their first words.
    let names = "--name 192.0.2.1=alice --name 192.0.2.2=atlanta --name 192.0.2.3=biloxi --name 192.0.2.4=bob";
    let shown = ask_line(&format!("show {pcap} --format ladder {names}")).1;
    assert_eq!(shown.replace("x   |", ">").matches("resent").count(), 1);
    assert!(shown.trim_start().starts_with("bob "), "{shown}");
    let drawn = ask_line(&format!("show {json} --format ladder")).1;
    assert!(drawn.contains("#1:drop") && !shown.contains("* "), "{drawn}");
    assert_eq!(drawn.lines().filter(|line| !line.contains("* ")).count(), shown.lines().count(), "{drawn}");
    for (choice, arrows) in [
        ("--call a84b4c76e66710", 15),
        ("--from alice@", 15),
        ("--to bob@biloxi", 17),
        ("--from alice --to bob", 15),
        ("--from carol", 0),
        ("--call a84b4c", 0),
    ] {
        let (status, text, said) = ask_line(&format!("show {pcap} {choice}"));
        assert_eq!(
            (text.lines().skip(1).count(), status),
            (arrows, if arrows == 0 { 4 } else { 0 }),
            "{choice}: {text}"
        );
        assert!(said.ends_with("17 packets, 17 messages\n"), "{said}");
    }
    // Written again the capture is what it was, but for the comments.
    let full = |file: &str| ask_line(&format!("show {file} --format messages")).1;
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    run(
        ["show", &pcap, "--format", "pcap"],
        &mut Out { stdout: &mut stdout, stderr: &mut stderr, terminal: false, colour: false },
    );
    std::fs::write(folder.file("again"), stdout).unwrap();
    assert_eq!(full(&folder.file("again")), full(&pcap));
    let events = ask_line(&format!("show {pcap} --format json")).1;
    assert!(events.lines().last().unwrap().contains("\"verdict\":null"), "{events}");
}

/// Lines without the times in them, which a trace that is shown counts from its first message.
fn without_times(text: &str) -> Vec<String> {
    text.lines().map(|line| line.chars().filter(|c| !c.is_ascii_digit() && *c != '.' && *c != ' ').collect()).collect()
}

#[test]
fn a_trace_is_shown_with_all_that_it_has() {
    let folder = Folder::new("show-trace");
    let json = folder.file("json");
    for line in
        ["--topology direct --hold alice:1s", "--topology mixed --plan bob@2s:crash,bob@5s:restart", "--topology farm"]
    {
        let written = ask_line(&format!("call --format json {line}")).1;
        std::fs::write(&json, &written).unwrap();
        let (status, shown, said) = ask_line(&format!("show {json} --format json"));
        assert_eq!(status, 0, "{said}");
        // What the store of a farm is asked is no SIP; numbers, verdict and replay are not the trace's.
        let kinds = |text: &str| -> Vec<(String, String, String)> {
            let events = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
            let wanted = events.filter(|event| !["sent", "arrived", "end"].contains(&event["event"].as_str().unwrap()));
            let part = |event: &serde_json::Value, name: &str| event[name].to_string();
            let mut all: Vec<_> = wanted
                .map(|event| {
                    (part(&event, "event"), part(&event, "node"), part(&event, "state") + &part(&event, "note"))
                })
                .collect();
            all.dedup();
            all
        };
        assert_eq!(kinds(&shown), kinds(&written), "{line}");
        if line.contains("direct") {
            let drawn = ask_line(&format!("call {line}")).1;
            let (ladder, _) = drawn.split_once("\n\n").unwrap();
            assert_eq!(without_times(&ask_line(&format!("show {json} --format ladder")).1), without_times(ladder));
        }
        // A call that is chosen comes with what was said of it.
        let chosen = ask_line(&format!("show {json} --from alice --format json")).1;
        assert!(
            chosen.contains("\"dialog\"") && !chosen.contains("REGISTER") && !chosen.contains("\"binding\""),
            "{chosen}"
        );
    }
    // A line of version 1 is read, too.
    std::fs::write(&json, "{\"event\":\"trace\",\"version\":1}\n").unwrap();
    assert_eq!(ask(&["show", &json]).0, 4);
}

#[test]
fn a_file_that_is_no_capture_is_said_in_one_line_and_the_others_are_read() {
    let folder = Folder::new("show-bad");
    let empty = folder.file("empty");
    std::fs::write(&empty, "").unwrap();
    let json = folder.file("json");
    std::fs::write(&json, ask_line("--topology direct --format json").1).unwrap();
    let (status, text, said) = ask(&["show", &empty, "/no/such.pcap", &json]);
    assert_eq!((status, text.lines().count()), (2, 2), "{text}");
    let said: Vec<&str> = said.lines().collect();
    assert!(said[0].contains("empty: the file is empty; a capture") && said[1].contains("/no/such.pcap: "), "{said:?}");
    assert_eq!(ask(&["show"]).0, 2);
}

#[test]
fn a_capture_is_judged_and_each_finding_names_message_node_rule_and_what_would_be_right() {
    let folder = Folder::new("check");
    let file = folder.file("trace.json");
    std::fs::write(&file, ask_line("--topology trapezoid --format json").1).unwrap();
    let (status, text, _) = ask(&["check", &file]);
    assert_eq!(
        (status, text.lines().next()),
        (0, Some("2 calls judged: 0 messages break a rule, 0 are missing")),
        "{text}"
    );

    // The ACK has another branch than the INVITE that was refused.
    let event = |id: u32, from: u8, to: u8, start: &str, rest: &str| {
        let bytes = format!(
            "{start}\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{rest}\r\nMax-Forwards: 70\r\nFrom: <sip:a@a>;tag=a\r\nCall-ID: c\r\n\r\n"
        );
        let address = |host: u8| format!("192.0.2.{host}:5060");
        let event = serde_json::json!({
            "event": "sent", "time": format!("{id}.000"), "id": id, "from": null, "to": null,
            "source": address(from), "destination": address(to), "bytes": bytes,
        });
        event.to_string()
    };
    let lines = [
        event(1, 1, 2, "INVITE sip:b@b SIP/2.0", "1\r\nTo: <sip:b@b>\r\nCSeq: 1 INVITE"),
        event(2, 2, 1, "SIP/2.0 486 Busy Here", "1\r\nTo: <sip:b@b>;tag=b\r\nCSeq: 1 INVITE"),
        event(3, 1, 2, "ACK sip:b@b SIP/2.0", "2\r\nTo: <sip:b@b>;tag=b\r\nCSeq: 1 ACK"),
    ];
    std::fs::write(&file, lines.join("\n") + "\n").unwrap();
    let (status, text, _) = ask(&["check", &file]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(status, 1, "{text}");
    assert_eq!(
        lines[0],
        "frame 3, 2.000: 192.0.2.1:5060 sent ACK (z9hG4bK2): the branch is not that of the INVITE, which was rejected, as it passed here"
    );
    assert!(
        lines[1].starts_with("  via (RFC 3261 §8.1.1.7") && lines[2].starts_with("  right: each request has a branch"),
        "{text}"
    );
    assert_eq!(lines[3], "  Call-ID c");
    assert!(
        text.contains("not seen here: schedule 1;") && text.contains("1 messages break a rule, 0 are missing"),
        "{text}"
    );
    // A capture that was made at the node shows what it did not send.
    let (status, text, _) = ask(&["check", &file, "--at", "192.0.2.2:5060", "--json"]);
    let findings: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((status, findings.len()), (1, 1), "{text}");
    assert_eq!((&findings[0]["evidence"], &findings[0]["frame"]), (&"seen".into(), &3.into()));
    let (_, text, _) = ask(&["check", &file, "--at", "192.0.2.1:5060"]);
    assert!(text.contains("missing: 192.0.2.1:5060 sent ACK (z9hG4bK2): it is the 1. one, and 0 2xx came"), "{text}");
    // Where something cannot be read, nothing tells what is missing.
    let hello = [&[22, 3, 1, 0, 100, 1, 0, 0, 96, 3, 3][..], &[7; 94]].concat();
    let mut tls = Capture::new(Vec::new(), Duration::ZERO).unwrap();
    let [from, to] = ["192.0.2.1:40000", "192.0.2.9:5061"].map(|address| address.parse().unwrap());
    tls.packet(Instant::ZERO, Carrier::Stream, from, to, &hello, "").unwrap();
    std::fs::write(folder.file("tls"), tls.into_inner()).unwrap();
    let (status, text, _) = ask(&["check", &folder.file("tls"), &file, "--at", "192.0.2.1:5060"]);
    assert!(status == 1 && !text.contains("missing: 192.0.2.1:5060 "), "{text}");
    assert_eq!(ask(&["check", &folder.file("none")]).0, 2);
    std::fs::write(&file, "{\"event\":\"trace\",\"version\":1}\n").unwrap();
    assert_eq!(ask(&["check", &file]).0, 4);
}

#[test]
fn a_capture_is_written_without_names_and_judged_the_same() {
    let folder = Folder::new("anonymous");
    let (json, out) = (folder.file("trace.json"), folder.file("shown.pcapng"));
    let written = ask_line("--topology trapezoid --format json").1.replace("Max-Forwards: 69\\r\\n", "");
    std::fs::write(&json, written).unwrap();
    let (status, text, _) = ask(&["check", &json, "--anonymous", &out]);
    let (again, shown, _) = ask(&["check", &out]);
    let judged = |text: &str| text.lines().find(|line| line.contains("calls judged")).unwrap().to_owned();
    assert_eq!((status, judged(&text)), (1, judged(&shown)), "{text}{shown}");
    assert_eq!(again, 1);
    assert!(
        text.contains("atlanta sent")
            && !["alice", "atlanta", "biloxi", "192.0.2."].iter().any(|name| shown.contains(name)),
        "{shown}"
    );
    assert_eq!(ask(&["show", &json, "--anonymous", &out]).0, 0);
    let (status, _, said) = ask(&["check", &json, "--anonymous", "/no/such/folder/file"]);
    assert!(status == 2 && said.lines().count() == 1 && said.contains("--anonymous"), "{said}");
    assert_eq!(folder.names().len(), 2, "nothing is left beside");
}
