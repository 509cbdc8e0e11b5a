//! The people and the values of RFC 3261 §24.

use std::net::{IpAddr, Ipv6Addr};

use sansip::Script;
use sansip::user_agent::Body;

/// Alice's offer, of 142 octets as in RFC 3261 §24.2.
pub(super) const ALICE_SDP: &str = "v=0\r\no=alice 2890844526 2890844526 IN IP4 pc33.atlanta.com\r\ns=Call\r\n\
     c=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 49172 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";

/// Her phone and her proxy in a dual-stack network.
pub(super) const ALICE6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));
pub(super) const ATLANTA6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2));

/// Her offer from there.
pub(super) const ALICE6_SDP: &str = "v=0\r\no=alice 2890844526 2890844526 IN IP6 2001:db8::1\r\ns=Call\r\n\
     c=IN IP6 2001:db8::1\r\nt=0 0\r\nm=audio 49172 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";

/// Bob's answer, of 131 octets as in RFC 3261 §24.2.
pub(super) const BOB_SDP: &str = "v=0\r\no=bob 2808844564 2808844564 IN IP4 192.0.2.4\r\ns=Bob\r\n\
     c=IN IP4 192.0.2.4\r\nt=0 0\r\nm=audio 3456 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";

/// Carol's answer.
pub(super) const CAROL_SDP: &str = "v=0\r\no=carol 2898844564 2898844564 IN IP4 192.0.2.5\r\ns=Carol\r\n\
     c=IN IP4 192.0.2.5\r\nt=0 0\r\nm=audio 3458 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";

pub(super) fn sdp(text: &str) -> Body {
    Body { content_type: "application/sdp".into(), bytes: text.as_bytes().into() }
}

/// Alice's tokens, in the order in which she needs them.
pub(super) fn alice() -> Script {
    script(["nashds8", "nashds9"], ["1928301774"], ["a84b4c76e66710"], [314_159])
}

/// Bob's tokens; the first of each is for his registration.
pub(super) fn bob(registers: bool) -> Script {
    let call_ids = ["843817637684230@998sdasdh09"];
    let mut script = script(["nashds7", "nashds10"], ["456248", "a6c85cf"], call_ids, [1_826, 231]);
    let skipped = usize::from(!registers);
    script.branches.drain(..skipped);
    script.tags.drain(..skipped);
    script.call_ids.drain(..skipped);
    script.sequence_numbers.drain(..skipped);
    script
}

/// Atlanta's tokens.
pub(super) fn atlanta() -> Script {
    script(["77ef4c2312983.1"], [], [], [])
}

/// Biloxi's tokens.
pub(super) fn biloxi() -> Script {
    script(["4b43c2ff8.1"], ["2493k59kd"], [], [])
}

fn script<const B: usize, const T: usize, const C: usize, const S: usize>(
    branches: [&str; B],
    tags: [&str; T],
    call_ids: [&str; C],
    sequence_numbers: [u32; S],
) -> Script {
    Script {
        branches: branches.map(String::from).into(),
        tags: tags.map(String::from).into(),
        call_ids: call_ids.map(String::from).into(),
        sequence_numbers: sequence_numbers.into(),
        ..Script::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bodies_have_the_lengths_of_the_rfc() {
        assert_eq!((ALICE_SDP.len(), BOB_SDP.len()), (142, 131));
    }
}
