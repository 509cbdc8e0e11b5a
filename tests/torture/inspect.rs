//! `sansip-sim inspect`, as its user has it.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use sansip_sim::inspect::{Role, judge, run};

use crate::samples::{Sample, folder, own_folder, printed, traps};

/// Exit status, stdout and stderr.
fn inspect(arguments: &[&str], stdin: &[u8]) -> (u8, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let status = run(arguments, &mut &*stdin, &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (status, text(out), text(err))
}

fn own(file: &str) -> String {
    own_folder().join(file).into_os_string().into_string().expect("UTF-8")
}

#[test]
fn each_message_is_one_object_on_one_line() {
    let file = own("status-too-large.sip");
    let (status, out, err) =
        inspect(&["--json", &own("semicolon-in-user.sip"), &own("unknown-version.sip"), &file], b"");
    assert_eq!((status, &*err), (1, ""));
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].starts_with("{\"file\":\"") && lines[0].ends_with(
        "semicolon-in-user.sip\",\"kind\":\"request\",\"verdict\":\"valid\",\"status\":null,\"reason\":null,\"offset\":null,\"answer\":200}"
    ), "{}", lines[0]);
    assert!(lines[1].ends_with(
        "\"kind\":\"request\",\"verdict\":\"invalid\",\"status\":505,\"reason\":\"Version Not Supported\",\"offset\":33,\"answer\":505}"
    ), "{}", lines[1]);
    assert!(lines[2].ends_with(
        "\"kind\":\"response\",\"verdict\":\"invalid\",\"status\":null,\"reason\":\"the status code is no number between 100 and 699\",\"offset\":8,\"answer\":null}"
    ), "{}", lines[2]);
    assert_eq!(lines.len(), 3);
}

#[test]
fn a_problem_of_the_role_alone_leaves_the_message_valid() {
    let file = own("no-hops-left.sip");
    // OPTIONS alone is answered where its hops end.
    let message = fs::read_to_string(&file).unwrap().replace("OPTIONS", "MESSAGE");
    let (status, out, _) = inspect(&["--json", "--as", "proxy", "-"], message.as_bytes());
    assert!(out.contains("\"verdict\":\"valid\",\"status\":483,\"reason\":\"Too Many Hops\""), "{out}");
    assert_eq!(status, 0);
    let (status, out, _) = inspect(&["--json", &file], b"");
    assert!(out.contains("\"verdict\":\"valid\",\"status\":null"), "{out}");
    assert_eq!(status, 0);
}

#[test]
fn standard_input_is_a_file_named_dash() {
    let bytes = fs::read(own("negative-length.sip")).unwrap();
    let (status, out, _) = inspect(&["-"], &bytes);
    assert_eq!(status, 1);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[0], "-: INVITE sip:wren@kestrel.example SIP/2.0");
    assert!(lines[1].starts_with("  invalid, 400: Missing or malformed body length (octet "), "{out}");
    let caret = lines[3].find('^').unwrap();
    assert!(lines[2][caret..].starts_with("-42"), "{out}");
}

#[test]
fn what_cannot_be_read_is_told_and_the_rest_goes_on() {
    let file = own("semicolon-in-user.sip");
    let (status, out, err) = inspect(&["--json", "no/such/file.sip", &file], b"");
    assert_eq!(status, 2);
    assert_eq!(out.lines().count(), 1);
    assert!(err.starts_with("sansip-sim: no/such/file.sip: ") && err.lines().count() == 1, "{err}");
}

#[test]
fn a_wrong_command_line_is_told_in_one_line() {
    for arguments in [&[][..], &["--json"], &["--as", "b2bua", "x"], &["--bogus"]] {
        let (status, out, err) = inspect(arguments, b"");
        assert_eq!((status, &*out, err.lines().count()), (2, "", 1), "{arguments:?}: {err}");
    }
    let (status, out, _) = inspect(&["--help"], b"");
    assert!(status == 0 && out.contains("Usage: sansip-sim inspect"));
}

#[test]
fn junk_is_neither_request_nor_response() {
    for junk in [&b""[..], b"\r\n\r\n", b"\0\xff\xfe", b"GET / HTTP/1.1\r\n\r\n", &[b'x'; 200_000]] {
        let (status, out, _) = inspect(&["--json", "-"], junk);
        assert_eq!(status, 1);
        assert!(out.contains("\"kind\":null,\"verdict\":\"invalid\",\"status\":null"), "{out}");
    }
}

#[cfg(unix)]
#[test]
fn a_file_name_may_be_any_octets() {
    use std::os::unix::ffi::OsStringExt;
    let mut err = Vec::new();
    let name = OsString::from_vec(b"no\xff\n\"such".to_vec());
    assert_eq!(run([name], &mut io::empty(), &mut Vec::new(), &mut err), 2);
    assert_eq!(err.iter().filter(|octet| **octet == b'\n').count(), 1, "one line");
}

/// A reader that goes away after the first octets.
struct Gone(usize);

impl Write for Gone {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.0 = self.0.saturating_sub(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let file = own("semicolon-in-user.sip");
    let files = vec![&*file; 3_000];
    let mut err = Vec::new();
    assert_eq!(run(files, &mut io::empty(), &mut Gone(1_000), &mut err), 0);
    assert!(err.is_empty());
}

#[test]
fn every_message_has_its_line() {
    // Those of the RFCs too, where they are: what the tests of reactions ask of `judge` is what the command prints.
    let folder = folder();
    let own = traps().into_iter().map(|trap| (own_folder().join(&trap.own.file), trap.own));
    let printed = printed().into_iter().map(|printed| {
        (folder.as_ref().expect("the messages were read from it").join(&printed.sample.file), printed.sample)
    });
    let samples: Vec<(PathBuf, Sample)> = own.chain(printed).collect();
    for (name, role) in [("uas", Role::UserAgentServer), ("proxy", Role::Proxy), ("registrar", Role::Registrar)] {
        let mut out = Vec::new();
        let files = samples.iter().map(|(file, _)| OsString::from(file));
        let arguments = ["--json", "--as", name].map(OsString::from).into_iter().chain(files);
        assert_eq!(run(arguments, &mut io::empty(), &mut out, &mut io::sink()), 1);
        let out = String::from_utf8(out).unwrap();
        assert_eq!(out.lines().count(), samples.len());
        for (line, (file, sample)) in out.lines().zip(&samples) {
            let finding = judge(&sample.bytes, role);
            let verdict = if finding.valid { "valid" } else { "invalid" };
            let status = finding.status.map_or("null".to_owned(), |status| status.to_string());
            let file = file.file_name().and_then(|name| name.to_str()).unwrap();
            for part in [format!("{file}\","), format!("\"verdict\":\"{verdict}\",\"status\":{status},")] {
                assert!(line.contains(&part), "{part}: {line}");
            }
        }
    }
}
