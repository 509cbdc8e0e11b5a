//! Session descriptions (RFC 4566) for sound that nobody sends.

use std::net::IpAddr;

use sansip::user_agent::Body;

/// Descriptions of one end, each newer than the one before.
pub(crate) struct Sessions {
    ip: IpAddr,
    version: u32,
}

impl Sessions {
    /// Describes sessions of the end that has this address.
    pub(crate) const fn at(ip: IpAddr) -> Self {
        Self { ip, version: 0 }
    }

    /// A description with that direction: `sendrecv`, or `sendonly` to hold.
    pub(crate) fn next(&mut self, direction: &str) -> Body {
        self.version += 1;
        let (ip, version) = (self.ip, self.version);
        let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
        Body::sdp(format!(
            "v=0\r\no=- 1 {version} IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\n\
             m=audio 9 RTP/AVP 0\r\na={direction}\r\n"
        ))
    }

    /// The answer to an offer: who is put on hold listens (RFC 3264 §6.1).
    pub(crate) fn answer(&mut self, offer: &[u8]) -> Body {
        let offer = String::from_utf8_lossy(offer);
        let mirrored = [("a=sendonly", "recvonly"), ("a=recvonly", "sendonly"), ("a=inactive", "inactive")];
        let direction = mirrored.into_iter().find(|(offered, _)| offer.contains(offered));
        self.next(direction.map_or("sendrecv", |(_, answer)| answer))
    }
}
