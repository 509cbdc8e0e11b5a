//! sansip's message layer and its peers behind one trait, so that each does the same work on the same octets.

#[cfg(feature = "peers")]
mod ezk;
#[cfg(feature = "peers")]
mod rsip;
#[cfg(feature = "peers")]
mod rsipstack;
mod samples;
mod sansip;
#[cfg(feature = "peers")]
mod sipx;

#[cfg(feature = "peers")]
pub use ezk::Ezk;
#[cfg(feature = "peers")]
pub use rsip::Rsip;
#[cfg(feature = "peers")]
pub use rsipstack::Rsipstack;
pub use samples::{Sample, invite, long_invite, ok, register, samples};
pub use sansip::{Sansip, SansipHop, SansipView};
#[cfg(feature = "peers")]
pub use sipx::Sipx;

/// The Via that a proxy puts on top.
pub const VIA: &str = "SIP/2.0/UDP proxy.example.com;branch=z9hG4bK721e4.1";
/// The tag of a user agent server.
pub const TAG: &str = "314159";
/// The address of a user agent server.
pub const CONTACT: &str = "<sip:bob@192.0.2.4>";

/// A message layer.
pub trait Peer {
    /// How the tables name it.
    const NAME: &'static str;
    /// A message that was read.
    type Message<'a>;
    /// A message that was written.
    type Written: AsRef<[u8]>;

    /// Reads a message; `None` if it is refused.
    fn parse(bytes: &[u8]) -> Option<Self::Message<'_>>;
    /// Reads six values of it: the topmost branch, the tags of From and To, Call-ID, CSeq and the URI of the first Contact.
    fn six(message: &Self::Message<'_>) -> Option<Six>;
    /// Forwards a request: pushes [`VIA`], lowers Max-Forwards and writes it out.
    fn forward(message: &mut Self::Message<'_>) -> Option<Self::Written>;
    /// Writes the 200 to an INVITE, with [`TAG`] and [`CONTACT`].
    fn ok(message: &Self::Message<'_>) -> Option<Self::Written>;
}

/// How long the six values are, and the number of the CSeq: enough to see that all peers read the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Six {
    /// Length of the branch.
    pub branch: usize,
    /// Length of the tag of From.
    pub from_tag: usize,
    /// Length of the tag of To; 0 if there is none.
    pub to_tag: usize,
    /// Length of the Call-ID.
    pub call_id: usize,
    /// The number of the CSeq.
    pub cseq: u32,
    /// The port in the URI of the Contact; 0 if there is none.
    pub contact: u16,
}
