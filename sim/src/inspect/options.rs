//! The command line of `inspect`.

use std::ffi::OsString;

use super::role::Role;

/// The text that `inspect --help` prints.
pub const HELP: &str = "\
sansip-sim inspect: what a SIP message is, and what is wrong with it

Usage: sansip-sim inspect [OPTIONS] FILE...

Each file holds one message as it stood in a UDP datagram; - is standard input.

Options:
  --as ROLE   who receives it: uas (the default), proxy or registrar
  --stream    a file is what came over a connection: message after message, each as long as its Content-Length says
  --lf        take each line feed that stands alone as a line end: for files that an editor has touched
  --json      one object a line: file, kind (request, response or null), verdict (valid or invalid), status (what the
              sender is owed, or null), reason, offset (an octet of the file), and answer: the final response of a real
              node of that role, or null; and leniencies, the names of those that the message asks for, if any
  --help      this text

A message that is well-formed is valid, though the role may refuse it; status and reason then say how.

Exit status: 0 if all messages are valid, 1 if one is not, 2 for a wrong command line or a file that cannot be read.
";

/// The files to inspect, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// `--as`
    pub role: Role,
    /// `--stream`
    pub stream: bool,
    /// `--lf`
    pub lf: bool,
    /// `--json`
    pub json: bool,
    /// The files, at least one.
    pub files: Vec<OsString>,
}

impl Options {
    /// Reads the arguments after `inspect`; `None` if help is wanted.
    ///
    /// # Errors
    /// One line for the user.
    pub fn parse(arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Result<Option<Self>, String> {
        use lexopt::Arg::{Long, Short, Value};
        let mut parser = lexopt::Parser::from_args(arguments);
        let mut options =
            Self { role: Role::UserAgentServer, stream: false, lf: false, json: false, files: Vec::new() };
        while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
            match argument {
                Long("help") | Short('h') => return Ok(None),
                Long("as") => {
                    let name = parser.value().map_err(|error| error.to_string())?;
                    let parsed = name.to_str().unwrap_or_default().parse();
                    options.role = parsed.map_err(|error| format!("--as `{}`: {error}", name.display()))?;
                }
                Long("stream") => options.stream = true,
                Long("lf") => options.lf = true,
                Long("json") => options.json = true,
                Value(file) => options.files.push(file),
                other => return Err(format!("{}; `inspect --help` lists the options", other.unexpected())),
            }
        }
        if options.files.is_empty() {
            return Err("inspect: no file is named; `-` is standard input".to_owned());
        }
        Ok(Some(options))
    }
}

#[cfg(test)]
mod tests {
    use super::{Options, Role};

    #[test]
    fn every_option_is_read() {
        let read = Options::parse(["a.sip", "--json", "--as", "proxy", "--stream", "--lf", "-"]).unwrap().unwrap();
        assert_eq!((read.role, read.stream, read.lf, read.json), (Role::Proxy, true, true, true));
        assert_eq!(read.files, ["a.sip", "-"]);
        let read = Options::parse(["--as=uas", "--", "--json"]).unwrap().unwrap();
        assert_eq!((read.role, read.stream, read.lf, read.json), (Role::UserAgentServer, false, false, false));
        assert_eq!(read.files, ["--json"]);
        assert_eq!(Options::parse(["a", "--help"]), Ok(None));
    }

    #[test]
    fn what_is_wrong_is_said_in_one_line() {
        for (line, right) in [
            (&[][..], "no file"),
            (&["--json"], "no file"),
            (&["--as", "redirect", "a"], "uas, proxy and registrar"),
            (&["a", "--as"], "--as"),
            (&["--xml", "a"], "--help"),
        ] {
            let error = Options::parse(line.iter().copied()).unwrap_err();
            assert!(error.contains(right) && !error.contains('\n'), "{line:?}: {error}");
        }
    }
}
