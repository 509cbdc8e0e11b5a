//! Packets from their link layer to what IP carries.

use std::net::IpAddr;

use etherparse::{EtherType, Ipv6ExtensionSlice, LaxNetSlice, LaxSlicedPacket};

/// A packet, or a fragment of one, as IP carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ip<'a> {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    /// Protocol of the payload: 6 is TCP, 17 UDP.
    pub(super) protocol: u8,
    /// The identification in the header of IPv4; 0 says nothing (RFC 6864 §4.1).
    pub(super) identification: u16,
    pub(super) fragment: Option<Fragment>,
    pub(super) payload: &'a [u8],
    /// Whether octets are missing that the header promises.
    pub(super) is_cut: bool,
}

/// The place of a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fragment {
    pub(super) identification: u32,
    pub(super) offset: usize,
    pub(super) has_more: bool,
}

/// Whether a type of link is read: loopback (NULL, LOOP), Ethernet, raw IP, Linux cooked (SLL, SLL2).
pub(super) const fn is_link_known(link: i32) -> bool {
    matches!(link, 0 | 1 | 12 | 14 | 101 | 108 | 113 | 228 | 229 | 276)
}

/// Reads a packet of that type of link; `None` if there is no IP in it.
pub(super) fn read(link: i32, octets: &[u8]) -> Option<Ip<'_>> {
    let of_type = |at: usize, behind: usize| {
        let kind = octets.get(at..at + 2)?;
        Some(LaxSlicedPacket::from_ether_type(EtherType(u16::from_be_bytes([kind[0], kind[1]])), octets.get(behind..)?))
    };
    let packet = match link {
        1 => LaxSlicedPacket::from_ethernet(octets).ok()?,
        // The family is written in the order of octets of the machine; the version in the IP header says the same.
        0 | 108 => LaxSlicedPacket::from_ip(octets.get(4..)?).ok()?,
        12 | 14 | 101 | 228 | 229 => LaxSlicedPacket::from_ip(octets).ok()?,
        113 => of_type(14, 16)?,
        276 => of_type(0, 20)?,
        _ => return None,
    };
    match packet.net? {
        LaxNetSlice::Ipv4(it) => {
            let (payload, header) = (it.payload().clone(), it.header());
            let fragment = header.is_fragmenting_payload().then(|| Fragment {
                identification: header.identification().into(),
                offset: usize::from(header.fragments_offset().value()) * 8,
                has_more: header.more_fragments(),
            });
            Some(Ip {
                source: header.source_addr().into(),
                destination: header.destination_addr().into(),
                protocol: payload.ip_number.0,
                identification: header.identification(),
                fragment,
                payload: payload.payload,
                is_cut: payload.incomplete,
            })
        }
        LaxNetSlice::Ipv6(it) => {
            let payload = it.payload();
            let fragment = it.extensions().clone().into_iter().find_map(|extension| match extension {
                Ipv6ExtensionSlice::Fragment(it) if it.is_fragmenting_payload() => Some(Fragment {
                    identification: it.identification(),
                    offset: usize::from(it.fragment_offset().value()) * 8,
                    has_more: it.more_fragments(),
                }),
                _ => None,
            });
            Some(Ip {
                source: it.header().source_addr().into(),
                destination: it.header().destination_addr().into(),
                protocol: payload.ip_number.0,
                identification: 0,
                fragment,
                payload: payload.payload,
                is_cut: payload.incomplete,
            })
        }
        LaxNetSlice::Arp(_) => None,
    }
}
