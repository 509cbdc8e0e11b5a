//! The hosts of the RFC, what its DNS says, and its messages as they are printed and as they are meant.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use sansip::{Answer, Question};

use super::Oddity;

/// The hosts of the RFC and their addresses (RFC 3665 §1.3), and the domains, whose servers are found under their names.
const HOSTS: [(&str, [u8; 4]); 10] = [
    ("client.atlanta.example.com", [192, 0, 2, 101]),
    ("ss1.atlanta.example.com", [192, 0, 2, 111]),
    ("alg1.atlanta.example.com", [192, 0, 2, 128]),
    ("client.biloxi.example.com", [192, 0, 2, 201]),
    ("ss2.biloxi.example.com", [192, 0, 2, 222]),
    ("biloxi.example.com", [192, 0, 2, 222]),
    ("ss3.chicago.example.com", [192, 0, 2, 233]),
    ("chicago.example.com", [192, 0, 2, 233]),
    ("client.chicago.example.com", [192, 0, 2, 100]),
    ("atlanta.example.com", [192, 0, 2, 111]),
];

pub(crate) fn address_of(host: &str) -> IpAddr {
    let known = HOSTS.iter().find(|(name, _)| *name == host);
    known.unwrap_or_else(|| panic!("nobody knows {host}")).1.into()
}

/// The resolver's answers. The servers of the domains whose names end in one of `tcp` want TCP.
pub(crate) fn resolved(tcp: &[&str], question: &Question) -> Vec<Answer> {
    let wants_tcp = |name: &str| tcp.iter().any(|domain| name.ends_with(domain));
    match question {
        Question::Naptr { name } if wants_tcp(name) => vec![Answer::Naptr {
            order: 1,
            preference: 1,
            flags: "s".into(),
            service: "SIP+D2T".into(),
            replacement: format!("_sip._tcp.{name}").into(),
        }],
        Question::Srv { name } => match name.strip_prefix("_sip._tcp.") {
            Some(host) if wants_tcp(host) => {
                vec![Answer::Srv { priority: 1, weight: 1, port: 5060, target: host.into() }]
            }
            _ => Vec::new(),
        },
        Question::Address { name } => vec![Answer::Address(address_of(name))],
        _ => Vec::new(),
    }
}

/// A message as the RFC prints it.
pub(crate) fn printed(flow: &Path, file: &str) -> String {
    let files = fs::read_dir(flow).unwrap_or_else(|error| panic!("{}: {error}", flow.display()));
    let path = files.map(|entry| entry.expect("a file").path());
    let is_it =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&format!("{file}_")));
    let path = path.into_iter().find(is_it).unwrap_or_else(|| panic!("no {file} in {}", flow.display()));
    String::from_utf8(fs::read(path).expect("a file")).expect("text")
}

/// The first value of a field, unfolded.
pub(crate) fn field<'t>(text: &'t str, name: &str) -> &'t str {
    let (_, rest) = text.split_once(&format!("\r\n{name}: ")).unwrap_or_else(|| panic!("no {name} in {text}"));
    let end = rest.match_indices("\r\n").find(|(at, _)| !rest[at + 2..].starts_with([' ', '\t']));
    &rest[..end.expect("a line end").0]
}

/// A message of the RFC without its oddities.
pub(crate) fn meant(flow: &Path, oddities: &[Oddity], file: &str) -> String {
    let mut text = printed(flow, file);
    for oddity in oddities.iter().filter(|oddity| oddity.file == file) {
        text = text.replace(oddity.printed, oddity.meant);
    }
    text
}
