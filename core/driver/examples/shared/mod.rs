//! The common parts of the examples: options of the command line, sockets, words to the user, and the loop that they run in.

#![allow(dead_code, unused_imports, reason = "each example uses a part of it")]

mod account;
mod certificates;
mod hearing;
mod keys;
mod listening;
mod log;
mod place;
mod program;
mod records;
mod serving;
mod session;
mod sockets;
mod transfer;
pub(crate) mod values;
mod words;

use std::fmt::Display;
use std::io;

pub(crate) use account::Account;
pub(crate) use certificates::Certificates;
pub(crate) use hearing::{Said, hear};
pub(crate) use keys::obey;
pub(crate) use listening::{Listening, listen_or_near};
pub(crate) use log::{end, fail, say, warn};
pub(crate) use place::{Hop, Place};
pub(crate) use program::{Outcome, Program, Running, Usual, run};
pub(crate) use records::Records;
pub(crate) use serving::{GOODBYE, Serving};
pub(crate) use session::Sessions;
pub(crate) use sockets::Sockets;
pub(crate) use transfer::Transfer;
pub(crate) use values::seconds;
pub(crate) use words::{dropped, tell};

/// That error, with what it is about.
fn named(what: impl Display, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what}: {error}"))
}
