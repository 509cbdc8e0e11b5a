use super::*;

/// Exit status, stdout, stderr.
fn ask(arguments: &[&str]) -> (u8, String, String) {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut out = Out { stdout: &mut stdout, stderr: &mut stderr, terminal: false, colour: false };
    let status = run(arguments, &mut out);
    (status, String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// The same for a line without spaces in its arguments.
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
fn every_command_has_its_help() {
    for command in ["", "call", "sweep", "merge", "explore"] {
        let (status, text, _) = ask_line(&format!("{command} --help"));
        assert_eq!(status, 0, "{command}");
        assert!(
            text.starts_with("sansip-sim") && text.contains("--help                this text"),
            "{command}: {text}"
        );
    }
}

#[test]
fn what_is_wrong_is_said_in_one_line_with_what_would_be_right() {
    for (line, right) in [
        (&["ring"][..], "`call`, `sweep`"),
        (&["call", "call"], "--help"),
        (&["--topology", "star"], "direct, one-proxy or trapezoid"),
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
        (&["--format", "svg"], "ladder, messages or json"),
        (&["-x"], "--help"),
        (&["sweep"], "`--runs 10000` or `--for 10m`"),
        (&["sweep", "--runs", "many"], "--runs `many`"),
        (&["sweep", "--runs", "1", "--for", "1s"], "once"),
        (&["sweep", "--for", "long"], "90s, 10m or 2h"),
        (&["sweep", "--runs", "1", "--shard", "0/2"], "3/8"),
        (&["sweep", "--runs", "1", "--jobs", "0"], "--jobs `0`"),
        (&["sweep", "--runs", "1", "--topology", "star"], "or all"),
        (&["sweep", "--runs", "1", "--loss", "1"], "sweep --help"),
        (&["sweep", "--runs", "1", "--json", "/no/such/folder/x.json"], "/no/such/folder/x.json"),
        (&["merge"], "--json"),
        (&["merge", "/no/such.json"], "/no/such.json"),
    ] {
        let (status, _, error) = ask(line);
        let error = error.lines().filter(|line| line.starts_with("sansip-sim: ")).collect::<Vec<_>>();
        assert_eq!((status, error.len()), (2, 1), "{line:?}: {error:?}");
        assert!(error[0].contains(right), "{line:?}: {error:?}");
    }
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
fn merged_shards_are_the_whole_sweep() {
    let folder = std::env::temp_dir().join(format!("sansip-sim-merge-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str| folder.join(name).display().to_string();
    let files = [1, 2, 3].map(|number| {
        let path = file(&format!("{number}.json"));
        let number = number.to_string();
        assert_eq!(ask(&["sweep", "--runs", "50", "--shard", &format!("{number}/3"), "--json", &path]).0, 0);
        path
    });
    let whole = ask_line("sweep --runs 50 --check-determinism");
    let (status, text, _) = ask(&["merge", &files[2], &files[0], &files[1], "--json", &file("all.json")]);
    assert_eq!(status, 0);
    let found = |text: &str| {
        text.lines()
            .filter(|line| line.starts_with("runs") || line.starts_with("digest"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!((found(&text).len(), found(&text)), (2, found(&whole.1)));
    assert_eq!(text.lines().next_back(), Some("reproduce: sansip-sim sweep --runs 50 --topology all --seed 1"));
    assert_eq!(ask(&["merge", &file("all.json")]).0, 0);
    let (status, _, error) = ask(&["merge", &files[0], &files[1]]);
    assert!(status == 2 && error.contains("1 of 3 shards missing, the first is 3/3"), "{error}");
    std::fs::write(file("broken.json"), "{\"version\"").unwrap();
    let (status, _, error) = ask(&["merge", &file("broken.json")]);
    assert!(status == 2 && error.contains("broken.json: ") && error.lines().count() == 1, "{error}");
    std::fs::remove_dir_all(&folder).unwrap();
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

#[test]
fn messages_are_printed_in_full() {
    let (_, text, _) = ask(&["call", "--format", "messages", "--topology", "direct"]);
    assert!(text.starts_with("F1 1.000 alice > bob\n\n    INVITE sip:bob@192.0.2.4 SIP/2.0\n    Via: "), "{text}");
    assert!(text.contains("    m=audio 49172 RTP/AVP 0\n"), "{text}");
}
