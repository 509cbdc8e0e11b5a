//! A line of a list that needs a value and has none (RFC 3261 §7.3.1, §25.1).

use sansip::Server;
use sansip::server::Settings;

use crate::moved::{hear, request, server};

/// Gives the status by which a server of a domain answers a request with these lines besides: 0 if the request is passed on, none if it is dropped.
fn outcome(settings: &Settings, uri: &[u8], method: &str, lines: &str) -> Option<u16> {
    let (mut server, listener): (Server, _) = server(settings.clone());
    let sent = hear(&mut server, listener, &request(uri, method, lines.as_bytes()));
    assert!(sent.len() <= 1, "{lines}");
    let text = String::from_utf8_lossy(sent.first()?).into_owned();
    Some(text.strip_prefix("SIP/2.0 ").map_or(0, |rest| rest[..3].parse().expect("a status")))
}

fn relay() -> Settings {
    Settings { relay: true, ..Settings::default() }
}

fn domain() -> Settings {
    Settings { domains: vec!["198.18.0.1".parse().expect("a host")], ..Settings::default() }
}

const ELSEWHERE: &[u8] = b"sip:carol@198.18.0.3";

#[test]
fn an_empty_line_of_a_list_that_is_acted_on_is_malformed() {
    let route = "Route: <sip:198.18.0.2;lr>\r\n";
    let blanks = |name: &str| [format!("{name}:\r\n"), format!("{name}: \r\n \t\r\n")];
    let to_bob: &[u8] = b"sip:bob@198.18.0.1";
    for blank in ["Route", "Via"].into_iter().flat_map(blanks) {
        for lines in [blank.clone(), format!("{route}{blank}"), format!("{blank}{route}")] {
            for (settings, uri) in [(relay(), ELSEWHERE), (domain(), to_bob), (domain(), ELSEWHERE)] {
                assert_eq!(outcome(&settings, uri, "OPTIONS", &lines), Some(400), "{lines}");
                assert_eq!(outcome(&settings, uri, "ACK", &lines), None, "{lines}");
            }
        }
    }
    for blank in blanks("Proxy-Require") {
        assert_eq!(outcome(&relay(), ELSEWHERE, "OPTIONS", &blank), Some(400), "{blank}");
    }
    assert_eq!(outcome(&relay(), ELSEWHERE, "OPTIONS", route), Some(0));
    let contact = "Contact: <sip:bob@198.18.0.2>\r\n";
    for name in ["Contact", "Path", "Require"] {
        let lines = format!("{contact}Supported: path\r\n{name}:\r\n");
        assert_eq!(outcome(&domain(), b"sip:198.18.0.1", "REGISTER", &lines), Some(400), "{lines}");
    }
    assert_eq!(outcome(&domain(), b"sip:198.18.0.1", "REGISTER", contact), Some(200));
}

#[test]
fn any_other_list_travels_as_it_is() {
    for name in [
        "Accept",
        "Accept-Encoding",
        "Accept-Language",
        "Allow",
        "Supported",
        "Alert-Info",
        "Record-Route",
        "Contact",
        "Path",
    ] {
        assert_eq!(outcome(&relay(), ELSEWHERE, "OPTIONS", &format!("{name}:\r\n")), Some(0), "{name}");
    }
}
