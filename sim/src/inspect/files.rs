//! File after file: read, judge, report.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Read, Write};

use sansip::message::Limits;

use super::judge::{Finding, judge};
use super::options::{HELP, Options};
use super::report::{Inspected, printable, write_json, write_text};
use super::stream::each_message;

/// All messages are valid.
const VALID: u8 = 0;
/// One is not.
const INVALID: u8 = 1;
/// The command line is wrong, or a file could not be read.
const USAGE: u8 = 2;

/// Runs `inspect` with the arguments after its name; the exit status. Nothing goes anywhere but to these writers.
pub fn run(
    arguments: impl IntoIterator<Item = impl Into<OsString>>,
    stdin: &mut dyn Read,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> u8 {
    let options = match Options::parse(arguments) {
        Ok(Some(options)) => options,
        Ok(None) => return written(stdout.write_all(HELP.as_bytes()).and_then(|()| stdout.flush()), VALID, stderr),
        Err(error) => {
            let _ = writeln!(stderr, "sansip-sim: {error}");
            return USAGE;
        }
    };
    let mut out = BufWriter::with_capacity(1 << 16, stdout);
    let mut status = VALID;
    for file in &options.files {
        let bytes = match read(file, options.stream, stdin) {
            Ok(bytes) => bytes,
            Err(error) => {
                let _ = writeln!(stderr, "sansip-sim: {}: {error}", printable(&file.to_string_lossy()));
                status = USAGE;
                continue;
            }
        };
        let bytes = if options.lf { with_line_ends(&bytes) } else { bytes };
        match inspect(&options, &file.to_string_lossy(), &bytes, &mut out) {
            Ok(true) => {}
            Ok(false) => status = status.max(INVALID),
            Err(error) => return written(Err(error), status, stderr),
        }
    }
    written(out.flush(), status, stderr)
}

/// The exit status once all is written, or could not be. A reader that has seen enough is no error.
fn written(result: io::Result<()>, status: u8, stderr: &mut dyn Write) -> u8 {
    match result {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            let _ = writeln!(stderr, "sansip-sim: stdout: {error}");
            status.max(INVALID)
        }
        _ => status,
    }
}

/// Reads a file: all of a stream, but no more of a datagram than the largest message and what may follow it.
fn read(file: &OsStr, stream: bool, stdin: &mut dyn Read) -> io::Result<Vec<u8>> {
    let limits = Limits::default();
    let most = if stream { u64::MAX } else { (limits.header_section + limits.body + 1) as u64 };
    let mut bytes = Vec::new();
    if file == "-" {
        stdin.take(most).read_to_end(&mut bytes)?;
    } else {
        File::open(file)?.take(most).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// Puts a carriage return before each line feed that has none, in the body too: an editor takes them all.
pub fn with_line_ends(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 32);
    for &octet in bytes {
        if octet == b'\n' && out.last() != Some(&b'\r') {
            out.push(b'\r');
        }
        out.push(octet);
    }
    out
}

/// Reports on every message of a file; whether all are valid.
fn inspect(options: &Options, file: &str, bytes: &[u8], out: &mut dyn Write) -> io::Result<bool> {
    let mut valid = true;
    let mut report = |begin, bytes: &[u8], finding: &Finding| {
        valid &= finding.valid;
        let message = Inspected { file, bytes, begin, finding };
        if options.json { write_json(out, &message) } else { write_text(out, &message, options.role) }
    };
    if options.stream {
        each_message(bytes, options.role, report)?;
    } else {
        report(0, bytes, &judge(bytes, options.role))?;
    }
    Ok(valid)
}
