//! Fuzz targets of sansip's message layer and of whole nodes: one body each, for libFuzzer and for stable Rust alike (`docs/fuzzing.md`).

mod check;
mod endpoint;
pub mod mutate;
mod seeds;

pub use seeds::{files, own, torture};

use std::process::ExitCode;

/// One fuzz target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A datagram.
    Message,
    /// One or two URIs, a host, an address.
    Uri,
    /// The first octet says which typed header; the rest is its value.
    Header,
    /// A script of the sizes of pieces, and a stream.
    Stream,
    /// A script of changes, and a message.
    Edit,
    /// Parts of a new message, split at 0xFF.
    Builder,
    /// A node, its settings, the law that is tried, and a script of inputs.
    Endpoint,
}

impl Target {
    /// All of them; the octet that [`run`] chooses each by is its place here, from 1.
    pub const ALL: [Self; 7] =
        [Self::Message, Self::Uri, Self::Header, Self::Stream, Self::Edit, Self::Builder, Self::Endpoint];

    /// Runs the target over these octets; panics if a rule is broken.
    pub fn run(self, data: &[u8]) {
        match self {
            Self::Message => check::message::datagram(data),
            Self::Uri => check::uri::uri(data),
            Self::Header => check::header::header(data),
            Self::Stream => check::stream::stream(data),
            Self::Edit => check::edit::edit(data),
            Self::Builder => check::build::build(data),
            Self::Endpoint => endpoint::endpoint(data),
        }
    }
}

/// Runs the target that the first octet chooses. Text chooses none and is taken as a datagram, so that a message as it stands
/// is an input.
pub fn run(data: &[u8]) {
    if let [chosen, rest @ ..] = data
        && let Some(target) = usize::from(*chosen).checked_sub(1).and_then(|place| Target::ALL.get(place))
    {
        return target.run(rest);
    }
    Target::Message.run(data);
}

/// Runs the files and folders that the command line names through one target, or through the one that each chooses.
pub fn replay(target: Option<Target>) -> ExitCode {
    let mut count = 0_usize;
    for argument in std::env::args().skip(1) {
        for (name, data) in files(argument.as_ref()) {
            println!("{name}");
            match target {
                Some(target) => target.run(&data),
                None => run(&data),
            }
            count += 1;
        }
    }
    println!("{count} inputs, no finding");
    if count == 0 { ExitCode::from(2) } else { ExitCode::SUCCESS }
}
