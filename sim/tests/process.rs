//! The binary as a process: what a terminal shows, what Ctrl-C leaves, and a sweep spread over machines as docs/simulation.md says.

#![cfg(unix)]

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const BINARY: &str = env!("CARGO_BIN_EXE_sansip-sim");

/// A folder that is gone with this.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("sansip-sim-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).expect("a folder");
        let mut names: Vec<_> =
            entries.map(|entry| entry.expect("an entry").file_name().display().to_string()).collect();
        names.sort_unstable();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).expect("a folder");
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn sansip_sim(line: &str) -> Output {
    Command::new(BINARY).args(line.split(' ')).output().expect("it runs")
}

/// The output of a command on a terminal; `None` where no tool makes one.
fn on_a_terminal(line: &str, no_color: Option<&str>) -> Option<String> {
    let version = Command::new("script").arg("--version").output().ok()?;
    if !text(&version.stdout).contains("util-linux") {
        return None;
    }
    let mut script = Command::new("script");
    script.args(["-qec", &format!("{BINARY} {line}"), "/dev/null"]).env_remove("NO_COLOR").stdin(Stdio::null());
    script.env("TERM", "xterm").envs(no_color.map(|value| ("NO_COLOR", value)));
    Some(text(&script.output().expect("it runs").stdout))
}

#[test]
fn a_terminal_has_a_bar_with_rate_and_estimate_that_is_gone_in_the_end() {
    for (no_color, coloured) in [(None, true), (Some("1"), false), (Some(""), true)] {
        let Some(shown) = on_a_terminal("sweep --for 1s --jobs 1", no_color) else {
            eprintln!("skipped: there is no `script` of util-linux");
            return;
        };
        // Each picture of the bar is written over the one before.
        let pictures: Vec<&str> = shown.split("\r\x1b[2K").collect();
        assert!(pictures.len() > 3, "{shown:?}");
        for picture in &pictures[1..pictures.len() - 1] {
            assert_eq!(picture.contains("\x1b[36m"), coloured, "{picture:?}");
            let bare = picture.replace("\x1b[36m", "").replace("\x1b[0m", "");
            let bare = bare.trim_end();
            assert!(!bare.contains(['\x1b', '\n']) && bare.len() < 80, "{bare:?}");
            assert!(bare.starts_with('[') && bare.contains("] ") && bare.ends_with("s left"), "{bare:?}");
            assert!(bare.contains(" %, ") && bare.contains(" runs/s, "), "{bare:?}");
        }
        let last = pictures[pictures.len() - 1];
        assert!(!last.contains('\x1b') && last.lines().next().unwrap().contains(" runs in "), "{last:?}");
        assert!(last.contains("verdict: all checks hold"), "{last:?}");
    }
}

#[test]
fn off_a_terminal_results_and_progress_are_plain_and_apart() {
    let Output { status, stdout, stderr } = sansip_sim("sweep --runs 64");
    assert_eq!(status.code(), Some(0));
    let (stdout, stderr) = (text(&stdout), text(&stderr));
    assert!(!stdout.contains(['\r', '\x1b']) && stdout.starts_with("seed: 1\n"), "{stdout:?}");
    assert!(!stderr.contains(['\r', '\x1b']) && stderr.starts_with("64 runs in "), "{stderr:?}");
    assert_eq!(sansip_sim("sweep --runs 64 --jobs 1").stdout, stdout.into_bytes());
}

/// The binary as a terminal starts it: what was started in the background of a script has SIGINT ignored, and so have its children.
fn interruptible() -> Command {
    let mut env = Command::new("env");
    env.arg("--default-signal=INT");
    let is_there = Command::new("env").args(["--default-signal=INT", "true"]).stderr(Stdio::null()).status();
    if !is_there.is_ok_and(|status| status.success()) {
        return Command::new(BINARY);
    }
    env.arg(BINARY);
    env
}

#[test]
fn ctrl_c_finishes_with_what_there_is_and_says_how_to_repeat_it() {
    let folder = Folder::new("interrupted");
    let mut child = interruptible()
        .args(["sweep", "--for", "10m", "--jobs", "2", "--json", "results.json"])
        .current_dir(&folder.0)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut found = String::new();
    stdout.read_line(&mut found).unwrap();
    let interrupt = format!("sleep 0.5; kill -INT {}", child.id());
    let killed = Command::new("sh").args(["-c", &interrupt]).status().unwrap();
    assert!(killed.success());
    stdout.read_to_string(&mut found).unwrap();
    let status = child.wait().unwrap().code();
    assert_eq!(folder.names(), ["results.json"], "nothing half written");
    let line = |start: &str| found.lines().find(|line| line.starts_with(start)).unwrap_or_default().to_owned();
    let runs: u64 = line("runs: ").split(' ').nth(1).unwrap().parse().unwrap();
    assert_eq!(status, Some(if runs == 0 { 4 } else { 0 }), "{found}");
    let again = line("reproduce: sansip-sim ");
    assert_eq!(again, format!("reproduce: sansip-sim sweep --runs {runs} --topology all --seed 1"));
    // That line does again what was done, and the file has it.
    let repeated = text(&sansip_sim(again.trim_start_matches("reproduce: sansip-sim ")).stdout);
    assert_eq!(repeated, found);
    let merged = Command::new(BINARY).args(["merge", "results.json"]).current_dir(&folder.0).output().expect("it runs");
    assert_eq!(text(&merged.stdout), found);
}

/// The first block of code after this line of docs/simulation.md.
fn of_docs(heading: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/simulation.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let (_, rest) = page.split_once(heading).expect("the heading");
    rest.split("```").nth(1).and_then(|block| block.split_once('\n')).expect("a block").1.to_owned()
}

/// Runs a shell script where `sansip-sim` is found, with an environment as a scheduler sets it.
fn shell(script: &str, folder: &Folder, environment: &[(&str, String)]) -> Output {
    let path = format!(
        "{}:{}",
        Path::new(BINARY).parent().expect("a folder").display(),
        std::env::var("PATH").expect("a path")
    );
    let environment = environment.iter().map(|(name, value)| (*name, value.as_str()));
    let done =
        Command::new("sh").args(["-c", script]).current_dir(&folder.0).env("PATH", path).envs(environment).output();
    done.expect("a shell")
}

#[test]
fn a_slurm_array_as_documented_finds_what_one_machine_finds() {
    let folder = Folder::new("slurm");
    let job = of_docs("\nSlurm, an array of 100:\n");
    let small = job.replace("--runs 100000000", "--runs 100");
    assert_ne!(small, job);
    for task in 1..=3 {
        let task = [("SLURM_ARRAY_TASK_ID", task.to_string()), ("SLURM_ARRAY_TASK_COUNT", "3".to_owned())];
        let done = shell(&small, &folder, &task);
        assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    }
    let merge = job.lines().find_map(|line| line.strip_prefix("# afterwards: ")).unwrap();
    let merged = shell(merge, &folder, &[]);
    assert_eq!(text(&merged.stdout), text(&sansip_sim("sweep --runs 100").stdout));
}

#[test]
fn a_kubernetes_indexed_job_as_documented_finds_what_one_machine_finds() {
    let folder = Folder::new("kubernetes");
    let job = of_docs("\nKubernetes, an indexed job ");
    let (_, arguments) = job.split_once("args:\n            - ").unwrap();
    let (arguments, _) = arguments.split_once("volumeMounts").unwrap();
    // A YAML scalar over two lines has a space in place of the break.
    let command = arguments.split_whitespace().collect::<Vec<_>>().join(" ");
    let small = command.replace("--runs 100000000", "--runs 100").replace("/100\"", "/3\"").replace("/results/", "./");
    assert!(small.contains("--runs 100 ") && small.contains("/3\"") && small.contains("./$JOB"), "{small}");
    for index in 0..3 {
        let done = shell(&small, &folder, &[("JOB_COMPLETION_INDEX", index.to_string())]);
        assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    }
    let merged = shell("sansip-sim merge *.json", &folder, &[]);
    assert_eq!(text(&merged.stdout), text(&sansip_sim("sweep --runs 100").stdout));
}

/// The output of a command, without what depends on the wall clock.
fn shown(command: &str, folder: &Folder) -> Vec<String> {
    let done = shell(&format!("( {command} ) 2>&1"), folder, &[]);
    let of_the_wall = |line: &&str| {
        let is_count = line.strip_suffix(" shards").is_some_and(|count| count.parse::<u64>().is_ok());
        // On a slow machine a command says now and then how far it is.
        let is_progress =
            line.ends_with(" runs/s") || line.strip_suffix(" s").is_some_and(|s| s.parse::<u64>().is_ok());
        is_count || is_progress || line.ends_with(" runs/s") || line.ends_with(" of wall time")
    };
    text(&done.stdout).lines().filter(|line| !of_the_wall(line)).map(|line| line.trim_end().to_owned()).collect()
}

/// As many lines as the page has, where it leaves some out.
fn abridged(shown: Vec<String>, on_the_page: &[&str]) -> Vec<String> {
    match on_the_page.iter().position(|line| *line == "…") {
        Some(before) if shown.len() >= on_the_page.len() => {
            let after = on_the_page.len() - before - 1;
            [&shown[..before], &["…".to_owned()], &shown[shown.len() - after..]].concat()
        }
        _ => shown,
    }
}

/// A block with the output of each command as it is now.
fn renewed(block: &str, folder: &Folder) -> String {
    let mut lines = Vec::new();
    for part in format!("\n{}", block.trim_end()).split("\n$ ").skip(1) {
        let mut old = part.split('\n');
        let command = old.next().unwrap_or_default();
        let old: Vec<&str> = old.collect();
        let end = old.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1);
        lines.push(format!("$ {command}"));
        lines.extend(abridged(shown(command, folder), &old[..end]));
        lines.extend(old[end..].iter().map(|&line| line.to_owned()));
    }
    lines.join("\n") + "\n"
}

#[test]
fn what_docs_show_of_a_command_is_what_it_prints() {
    for name in ["simulation", "captures"] {
        shows_what_is_printed(&format!("docs/{name}.md"));
    }
}

fn shows_what_is_printed(name: &str) {
    let folder = Folder::new("docs");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    let page = std::fs::read_to_string(&path).expect("the page");
    let mut new = page.clone();
    for block in page.split("```text\n").skip(1).filter_map(|rest| rest.split("```").next()) {
        // Those of explore take long, and nextest's figures are those of a machine.
        if block.starts_with("$ ") && !block.contains("sansip-sim explore") && !block.contains("nextest") {
            new = new.replacen(block, &renewed(block, &folder), 1);
        }
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &new).expect("the page");
        return;
    }
    let different = page.lines().zip(new.lines()).find(|(old, new)| old != new);
    assert!(page == new, "{name} differs, first here (UPDATE_DOCS=1 writes it anew): {different:?}");
}
