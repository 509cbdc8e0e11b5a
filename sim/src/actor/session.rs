//! Descriptions of sessions, as far as the user of a phone writes and reads them: the direction of the stream and the version (RFC 3264).

use sansip::message::SharedBytes;
use sansip::user_agent::Body;

/// The session as one end of a call believes it to be: the two descriptions of the last offer that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The description of this end.
    pub local: SharedBytes,
    /// The description of the other end.
    pub remote: SharedBytes,
}

/// Which way media go, as whoever writes it sees it (RFC 3264 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Direction {
    pub(super) sends: bool,
    pub(super) receives: bool,
}

impl Direction {
    /// The direction that a description says; without a word of it, both ways.
    pub(super) fn of(description: &[u8]) -> Self {
        let text = String::from_utf8_lossy(description);
        let said = text.lines().find_map(|line| Self::named(line.strip_prefix("a=")?));
        said.unwrap_or(Self { sends: true, receives: true })
    }

    fn named(name: &str) -> Option<Self> {
        let (sends, receives) = match name {
            "sendrecv" => (true, true),
            "sendonly" => (true, false),
            "recvonly" => (false, true),
            "inactive" => (false, false),
            _ => return None,
        };
        Some(Self { sends, receives })
    }

    const fn name(self) -> &'static str {
        match (self.sends, self.receives) {
            (true, true) => "sendrecv",
            (true, false) => "sendonly",
            (false, true) => "recvonly",
            (false, false) => "inactive",
        }
    }

    /// The answer to this offer by an end that holds the other, or does not (RFC 3264 §6.1, §8.4).
    pub(super) const fn answered(self, holds: bool) -> Self {
        Self { sends: self.receives, receives: self.sends && !holds }
    }
}

/// This description with another direction, and the next version if that is another one than before (RFC 3264 §8).
pub(super) fn redirected(description: &[u8], direction: Direction) -> Body {
    if Direction::of(description) == direction {
        return Body::sdp(description);
    }
    let mut text = String::new();
    for line in String::from_utf8_lossy(description).lines() {
        if line.strip_prefix("a=").is_some_and(|name| Direction::named(name).is_some()) {
            continue;
        }
        text += &next_version(line).unwrap_or_else(|| line.to_owned());
        text += "\r\n";
    }
    Body::sdp(format!("{text}a={}\r\n", direction.name()))
}

/// An origin line with the next version; `None` of another line.
fn next_version(line: &str) -> Option<String> {
    let mut words: Vec<String> = line.strip_prefix("o=")?.split(' ').map(str::to_owned).collect();
    let version = words.get_mut(2)?;
    *version = (version.parse::<u64>().ok()? + 1).to_string();
    Some(format!("o={}", words.join(" ")))
}

/// The answer that takes nothing of an offer: the port of every stream is 0 (RFC 3264 §6).
pub(super) fn refused(description: &[u8]) -> Body {
    let text = String::from_utf8_lossy(description);
    let lines = text.lines().map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            [media, _, rest @ ..] if media.starts_with("m=") => format!("{media} 0 {}\r\n", rest.join(" ")),
            _ => format!("{line}\r\n"),
        }
    });
    Body::sdp(lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: &str = "v=0\r\no=alice 1 7 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 49170 RTP/AVP 0\r\n";

    fn text(body: &Body) -> String {
        String::from_utf8_lossy(&body.bytes).into_owned()
    }

    #[test]
    fn hold_is_a_direction_and_the_next_version_and_back_again() {
        let held = redirected(SESSION.as_bytes(), Direction { sends: true, receives: false });
        assert_eq!(text(&held), SESSION.replace(" 7 ", " 8 ") + "a=sendonly\r\n");
        let back = redirected(&held.bytes, Direction { sends: true, receives: true });
        assert_eq!(text(&back), SESSION.replace(" 7 ", " 9 ") + "a=sendrecv\r\n");
        let same = redirected(&back.bytes, Direction { sends: true, receives: true });
        assert_eq!(same, back, "nothing is changed, and so is the version (RFC 3264 §8)");
    }

    /// The table of RFC 3264 §6.1, and §8.4 for an end that holds the other.
    #[test]
    fn an_answer_takes_no_more_than_what_is_offered() {
        for (offered, answered, by_one_who_holds) in [
            ("sendrecv", "sendrecv", "sendonly"),
            ("sendonly", "recvonly", "inactive"),
            ("recvonly", "sendonly", "sendonly"),
            ("inactive", "inactive", "inactive"),
        ] {
            let offer = Direction::named(offered).expect("a direction");
            assert_eq!(offer.answered(false).name(), answered, "{offered}");
            assert_eq!(offer.answered(true).name(), by_one_who_holds, "{offered}");
        }
    }

    #[test]
    fn a_refusal_has_port_zero() {
        assert_eq!(text(&refused(SESSION.as_bytes())), SESSION.replace("49170", "0"));
    }
}
