//! Answers without a transaction must come out the same each time (RFC 3261 §8.2.7, §16.11): their tokens are computed from the
//! request with a key that nobody else knows.

use alloc::string::String;
use core::fmt;
use core::hash::Hasher;
use core::net::SocketAddr;

use siphasher::sip128::{Hasher128, SipHasher13};

use crate::error::CommandError;
use crate::flow::Flow;
use crate::message::header::{Protocol, Via};
use crate::message::{HeaderId, Headers, Lines, Phrase, Request, Response, ResponseParts, StatusCode};
use crate::owner_tag::OwnerTag;
use crate::random::MAGIC_COOKIE;
use crate::time::Instant;
use crate::transaction::key::RequestKey;
use crate::transport::NextHop;

use super::{DropCause, Endpoint};

/// Characters of a token: 80 bits.
const TOKEN_LENGTH: usize = 16;

/// Characters of the mark at the end of a branch, by which a stateless proxy knows it for its own: 60 bits.
const MARK_LENGTH: usize = 12;

/// The key of tokens that are computed instead of being kept, and what each begins with.
#[derive(Clone)]
pub(super) struct TokenKey {
    key: [u8; 16],
    owner: OwnerTag,
}

impl TokenKey {
    pub(super) const fn new(key: [u8; 16], owner: OwnerTag) -> Self {
        Self { key, owner }
    }

    /// The key itself.
    #[cfg(test)]
    pub(super) const fn key(&self) -> [u8; 16] {
        self.key
    }

    /// 128 bits of what `write` feeds the hash.
    fn bits(&self, write: impl FnOnce(&mut SipHasher13)) -> u128 {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        write(&mut hasher);
        hasher.finish128().as_u128()
    }

    /// The owner tag, and a token of what `write` feeds the hash.
    fn push_token(&self, out: &mut String, write: impl FnOnce(&mut SipHasher13)) {
        self.owner.parts().into_iter().for_each(|part| out.push_str(part));
        push_characters(out, self.bits(write), TOKEN_LENGTH);
    }

    /// The To tag of a stateless answer to the request with these headers, computed from what its ACK and its CANCEL repeat: the
    /// branch of the topmost Via, the From tag, the Call-ID, and the number of CSeq (§8.2.7, §9.1, §17.1.1.3).
    pub(super) fn tag(&self, headers: Headers<'_>) -> String {
        let mut tag = String::with_capacity(self.tag_length());
        self.push_token(&mut tag, |hasher| {
            hasher.write_u8(b't');
            let branch = headers.top_via().and_then(|via| via.branch().map(str::as_bytes)).unwrap_or_default();
            let from_tag = headers.from().and_then(|from| from.tag().map(str::as_bytes)).unwrap_or_default();
            let call_id = headers.call_id().map(str::as_bytes).unwrap_or_default();
            for part in [branch, from_tag, call_id] {
                hasher.write(part);
                // Ends the part: no header has this octet.
                hasher.write_u8(0);
            }
            hasher.write_u32(headers.cseq().map_or(0, |cseq| cseq.number));
        });
        tag
    }

    /// Whether `to_tag` is the tag of these headers. The owner tag before it may be that of another server with the same key, which is down now.
    pub(super) fn has_tagged(&self, to_tag: &[u8], headers: Headers<'_>) -> bool {
        let theirs = token_of(to_tag);
        theirs.len() == TOKEN_LENGTH && theirs == token_of(self.tag(headers).as_bytes())
    }

    /// Characters of a tag.
    fn tag_length(&self) -> usize {
        self.owner.parts().into_iter().map(str::len).sum::<usize>() + TOKEN_LENGTH
    }

    /// Puts the mark of a stateless proxy behind a branch.
    pub(super) fn mark(&self, branch: &mut String) {
        let mark = self.bits(|hasher| {
            hasher.write_u8(b'm');
            hasher.write(branch.as_bytes());
        });
        branch.push('.');
        push_characters(branch, mark, MARK_LENGTH);
    }

    /// Whether a branch has the mark.
    fn has_marked(&self, branch: &str) -> bool {
        let Some((front, _)) = branch.rsplit_once('.') else { return false };
        let mut marked = String::from(front);
        self.mark(&mut marked);
        marked == branch
    }

    /// The branch under which a request is forwarded statelessly (§16.11).
    pub(super) fn branch(&self, key: &RequestKey<'_>, suffix: &str) -> String {
        let mut branch = String::from(MAGIC_COOKIE);
        self.push_token(&mut branch, |hasher| {
            hasher.write_u8(b'b');
            hasher.write(&key.invariant());
        });
        if !suffix.is_empty() {
            branch.push('.');
            branch.push_str(suffix);
        }
        branch
    }

    /// A number in the place of chance, for what is forwarded statelessly under this branch (RFC 3263 §4.4).
    pub(super) fn number(&self, branch: &str) -> u64 {
        let bits = self.bits(|hasher| {
            hasher.write_u8(b'n');
            hasher.write(branch.as_bytes());
        });
        bits as u64
    }
}

/// The token of a tag: all behind the owner tag.
fn token_of(tag: &[u8]) -> &[u8] {
    tag.rsplit(|&octet| octet == b'.').next().unwrap_or_default()
}

/// `count` characters of five bits each, the lowest first.
fn push_characters(out: &mut String, mut bits: u128, count: usize) {
    for _ in 0..count {
        out.push(char::from_digit((bits & 31) as u32, 32).unwrap_or('0'));
        bits >>= 5;
    }
}

impl fmt::Debug for TokenKey {
    /// Whoever knows the key can compute our branches and tags: it is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey(..)")
    }
}

impl Endpoint {
    /// By how many octets an answer without a transaction may be longer than its request: a reason, our tag, `received`,
    /// the value of `rport`, Retry-After, Content-Length, and a return for each line that ended without one. 330.
    pub const ANSWER_GROWTH: usize = 330;

    /// A To tag that is the same each time the same request arrives (RFC 3261 §8.2.7), and that nobody else can compute. The ACK
    /// and the CANCEL of a request have the same.
    pub fn stateless_tag(&self, request: &Request) -> String {
        self.token_key.tag(request.headers())
    }

    /// Whether the topmost Via of a response is one that this node has written for a request that a stateless
    /// proxy forwards: the sent-by is ours, and the branch has our keyed mark.
    pub fn has_marked(&self, response: &Response) -> bool {
        response.top_via().is_some_and(|via| {
            self.wire.listeners.inserts(via.sent_by)
                && via.branch().is_some_and(|branch| self.token_key.has_marked(branch))
        })
    }

    /// Forwards a response statelessly (RFC 3261 §16.11): without its topmost Via, which is ours, to where the next one says
    /// (§18.2.2). A connection that the request may have come by is not known any more: the response goes along one to exactly
    /// that address, or a new one.
    ///
    /// # Errors
    /// `Invalid("Via")` if the topmost Via is not ours, or the next is none that a response can be sent to: missing, malformed,
    /// without an address (the one whose request was forwarded got `received`), or of a WebSocket client.
    pub fn forward_response(&mut self, now: Instant, response: &Response) -> Result<(), CommandError> {
        const BAD: CommandError = CommandError::Invalid("Via");
        self.wire.advance(now);
        let ours = response.top_via().is_some_and(|via| self.wire.listeners.inserts(via.sent_by));
        let next = response.headers().all::<Via<'_>>().nth(1).and_then(Result::ok).filter(|_| ours).ok_or(BAD)?;
        if matches!(next.protocol, Protocol::Ws | Protocol::Wss) {
            return Err(BAD);
        }
        let Flow { listener, remote, .. } = self.wire.path_forward(&next).ok_or(BAD)?;
        let forwarded = response.octets_without_top_via(self.wire.framing(listener)).map_err(|_| BAD)?;
        match self.wire.flow_to(listener, remote, &next.sent_by.host.to_buf()) {
            Some(flow) => self.wire.send(flow, forwarded),
            None => self.wire.stats.disconnected += 1,
        }
        Ok(())
    }

    /// Sends a response as it came to the server that has written its topmost Via, where that names us instead: `next_hop` is an
    /// address.
    ///
    /// # Errors
    /// `Invalid("Via")` if there is none whose transport leads there, `Invalid("the next hop")` if that has no address.
    pub fn hand_over(&mut self, now: Instant, response: &Response, next_hop: &NextHop) -> Result<(), CommandError> {
        const BAD: CommandError = CommandError::Invalid("Via");
        self.wire.advance(now);
        let protocol = next_hop.protocol.or_else(|| response.top_via().map(|via| via.protocol)).ok_or(BAD)?;
        let address = next_hop.target().as_host().ip().ok_or(CommandError::Invalid("the next hop"))?;
        let remote = SocketAddr::new(address, next_hop.port.unwrap_or(protocol.default_port()));
        let listener = self.wire.listeners.towards(protocol, remote).ok_or(BAD)?;
        match self.wire.flow_to(listener, remote, &next_hop.host) {
            Some(flow) => self.wire.send(flow, response.as_bytes().clone()),
            None => self.wire.stats.disconnected += 1,
        }
        Ok(())
    }

    /// Answers a request that gets no transaction. The request is stamped. A To that cannot be read takes no tag, but the sender
    /// is owed an answer even so.
    pub(super) fn answer(
        &mut self,
        request: &Request,
        path: Flow,
        status: StatusCode,
        reason: Phrase,
        retry_after: Option<&str>,
    ) {
        let tag = self.stateless_tag(request);
        let mut lines = Lines::new();
        if let Some(seconds) = retry_after {
            lines.header(HeaderId::RetryAfter, seconds);
        }
        let response = ResponseParts {
            reason: Some(reason.as_ref()),
            to_tag: Some(&tag),
            ..ResponseParts::new(request, status, &lines)
        };
        match response.octets() {
            Ok(bytes) => self.wire.send(path, bytes),
            // A request that was read with an answer in mind can be answered, unless its Vias are too long.
            Err(_refused) => self.dropped(DropCause::Unanswerable, path, request.as_bytes()),
        }
    }
}
