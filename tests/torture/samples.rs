//! The messages and what is said of them.

use std::path::{Path, PathBuf};
use std::{env, fs};

use sansip::message::{Limits, Message};

/// The octets of one message.
pub(crate) struct Sample {
    pub(crate) file: String,
    pub(crate) bytes: Vec<u8>,
}

impl Sample {
    fn of(folder: &Path, file: &str) -> Self {
        let bytes = fs::read(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        Self { file: file.to_owned(), bytes }
    }

    pub(crate) fn is(&self, file: &str) -> bool {
        self.file.ends_with(file)
    }

    pub(crate) fn read(&self) -> Result<Message, String> {
        Message::parse(&self.bytes, &Limits::default()).map_err(|error| error.to_string())
    }
}

/// A trap: our message, that of an RFC, and what both are owed by an element of each role.
pub(crate) struct Trap {
    pub(crate) own: Sample,
    pub(crate) like: String,
    pub(crate) valid: bool,
    /// At a user agent server, a proxy and a registrar.
    pub(crate) statuses: [Option<u16>; 3],
}

/// A line of the RFCs' index, and the octets.
pub(crate) struct Printed {
    pub(crate) sample: Sample,
    pub(crate) expected: String,
    pub(crate) reaction: String,
    pub(crate) notes: String,
}

pub(crate) fn own_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("torture/own")
}

/// Where the RFCs' messages are; says so if they are not.
pub(crate) fn folder() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/torture");
    let folder = env::var_os("SANSIP_TORTURE").map_or_else(beside, PathBuf::from);
    if folder.join("index.tsv").is_file() {
        return Some(folder);
    }
    println!("torture: no index.tsv in {}; only our own messages are tested", folder.display());
    None
}

fn rows(folder: &Path) -> Vec<Vec<String>> {
    let index = fs::read_to_string(folder.join("index.tsv")).unwrap_or_else(|error| panic!("index.tsv: {error}"));
    index.lines().skip(1).map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// Every trap, by our own messages.
pub(crate) fn traps() -> Vec<Trap> {
    let folder = own_folder();
    let trap = |row: Vec<String>| {
        let [file, like, verdict, uas, proxy, registrar, _what] = row.try_into().expect("seven columns");
        let statuses = [uas, proxy, registrar].map(|status| match &*status {
            "-" => None,
            status => Some(status.parse().expect("a status or -")),
        });
        assert!(["valid", "invalid"].contains(&&*verdict), "{file}: {verdict}");
        Trap { own: Sample::of(&folder, &file), like, valid: verdict == "valid", statuses }
    };
    rows(&folder).into_iter().map(trap).collect()
}

/// Every message that the RFCs print; none where the folder is not.
pub(crate) fn printed() -> Vec<Printed> {
    let Some(folder) = folder() else { return Vec::new() };
    let line = |row: Vec<String>| {
        let [file, _section, expected, _layer, reaction, notes] = row.try_into().expect("six columns");
        Printed { sample: Sample::of(&folder, &file), expected, reaction, notes }
    };
    rows(&folder).into_iter().map(line).collect()
}

/// The messages of RFC 5118 as its archive has them, with bare line feeds.
pub(crate) fn archived() -> Vec<Sample> {
    let Some(folder) = folder() else { return Vec::new() };
    let names = fs::read_dir(folder.join("rfc5118/archive")).expect("the archive of RFC 5118");
    let mut names: Vec<_> = names.map(|name| name.expect("a name").file_name()).collect();
    names.sort();
    names.iter().map(|name| Sample::of(&folder, &format!("rfc5118/archive/{}", name.to_string_lossy()))).collect()
}

/// Every message there is.
pub(crate) fn samples() -> Vec<Sample> {
    let own = traps().into_iter().map(|trap| trap.own);
    own.chain(printed().into_iter().map(|printed| printed.sample)).chain(archived()).collect()
}
