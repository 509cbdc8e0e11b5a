//! The servers that a stateless proxy stands before, and which of them a request is for.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::RETRY_AFTER;
use crate::endpoint::Config;
use crate::message::header::Route;
use crate::message::{Method, Phrase, Request, Response, StatusCode, Uri};
use crate::owner_tag::OwnerTag;
use crate::proxy::token::token_of;
use crate::proxy::{Refusal, Target};
use crate::random::MAGIC_COOKIE;
use crate::shard::rendezvous;
use crate::time::{Duration, Instant};
use crate::transport::NextHop;

/// The interval in which a transaction times out, in units of T1.
const TRANSACTION: u32 = 64;

/// A server of a [`Farm`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The name, which decides by rendezvous hashing which requests are the member's. The place in the list does not matter.
    pub name: Box<str>,
    /// Where the member is.
    pub next_hop: NextHop,
    /// Whether the member takes requests.
    pub up: bool,
}

impl Member {
    /// A member that takes requests.
    pub fn new(name: &str, next_hop: NextHop) -> Self {
        Self { name: name.into(), next_hop, up: true }
    }
}

/// A list of servers, of which each Call-ID belongs to one ([`rendezvous`]): retransmissions, the CANCEL and the ACK of an
/// INVITE go where it went. If a member is down only its own Call-IDs move to others.
///
/// # Dialogs
/// The servers of a farm may name the stateless proxy in their Vias and Record-Routes ([`Listener::with_sent_by`](crate::Listener::with_sent_by)), each with
/// its [owner tag](crate::OwnerTag), which is the member's name. Then nothing that a peer sends is addressed to a server that is gone: a
/// request along such a Route belongs to the member that has recorded it, and while that is down to another one, which knows the token
/// by the [shared key](Config::shared_key). A response belongs to the member that has written its topmost Via
/// ([`owner_of`](Self::owner_of)).
///
/// # Changes
/// A change of the list must not send one transaction to two servers. RFC 3261 §16.11: requests that could be affected are not
/// forwarded statelessly "during an interval equal to the transaction timeout window before or after the change". So for 64·T1 after
/// a change, a request that the old list and the new one would send to different members is refused: 503, with the time that is left in
/// Retry-After. A CANCEL or an ACK belongs in that time to an INVITE that was forwarded before: the old list decides.
/// A request of a dialog is not refused: if its member goes down another one takes the request at once, and the member takes such
/// requests again when its return is settled. A copy may so come to two servers, of which the first is gone.
///
/// ```
/// use sansip::proxy::stateless::{Farm, Member};
/// use sansip::{Config, Instant, Seed};
///
/// let hop = |host: &str| host.parse::<sansip::message::HostBuf>().unwrap().into();
/// let members = vec![Member::new("s1", hop("192.0.2.11")), Member::new("s2", hop("192.0.2.12"))];
/// let mut farm = Farm::new(&Config::new(Seed::from_u64(1)), members);
/// assert!(farm.mark(Instant::from_millis(5), "s1", false));
/// assert!(!farm.mark(Instant::from_millis(6), "s1", false), "it was down");
/// assert!(!farm.is_settled(Instant::from_millis(32_004)));
/// assert!(farm.is_settled(Instant::from_millis(32_005)));
/// ```
#[derive(Clone, Debug)]
pub struct Farm {
    members: Vec<Member>,
    window: Duration,
    before: Option<Before>,
    /// The members that have come back, and when that is settled.
    returned: Vec<(Box<str>, Instant)>,
}

/// The list before the changes that are not settled.
#[derive(Clone, Debug)]
struct Before {
    members: Vec<Member>,
    /// When the last change is settled.
    until: Instant,
}

impl Farm {
    /// A farm whose list counts as never changed, for a node of this configuration, whose T1 counts.
    pub fn new(config: &Config, members: Vec<Member>) -> Self {
        Self { members, window: config.timers.t1.saturating_mul(TRANSACTION), before: None, returned: Vec::new() }
    }

    /// The members.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Whether no change is younger than 64·T1.
    pub fn is_settled(&self, now: Instant) -> bool {
        self.before.as_ref().is_none_or(|before| now >= before.until)
    }

    /// Marks the member of that name as up or down. False, and nothing changes, if it was, or if there is none.
    pub fn mark(&mut self, now: Instant, name: &str, up: bool) -> bool {
        let is_it = |member: &Member| *member.name == *name && member.up != up;
        let Some(place) = self.members.iter().position(is_it) else { return false };
        let mut members = self.members.clone();
        if let Some(member) = members.get_mut(place) {
            member.up = up;
        }
        self.set_members(now, members);
        true
    }

    /// Changes the list.
    pub fn set_members(&mut self, now: Instant, members: Vec<Member>) {
        if members == self.members {
            return;
        }
        let is_settled = self.is_settled(now);
        let was_down = |member: &&Member| self.members.iter().any(|old| old.name == member.name && !old.up);
        let back = members.iter().filter(|member| member.up).filter(was_down).map(|member| member.name.clone());
        let back: Vec<_> = back.map(|name| (name, now + self.window)).collect();
        self.returned.retain(|(_, until)| now < *until);
        self.returned.extend(back);
        let old = core::mem::replace(&mut self.members, members);
        let until = now + self.window;
        // Until all changes are settled, what was forwarded at all was forwarded as before the first of them.
        let members = match self.before.take() {
            Some(before) if !is_settled => before.members,
            _ => old,
        };
        self.before = Some(Before { members, until });
    }

    /// Whether a URI is the Record-Route value of a member, whose name its token begins with. Such a Route does not name the stateless
    /// proxy, which leaves it to the member.
    pub fn has_recorded(&self, uri: Uri<'_>) -> bool {
        self.recorder(uri).is_some()
    }

    /// The member that has written the topmost Via of a response, if it is up.
    pub fn owner_of(&self, response: &Response) -> Option<&Member> {
        let via = response.top_via()?;
        let name = OwnerTag::named_by(via.branch()?.strip_prefix(MAGIC_COOKIE)?)?;
        self.members.iter().find(|member| *member.name == *name && member.up)
    }

    fn recorder(&self, uri: Uri<'_>) -> Option<&Member> {
        let name = OwnerTag::named_by(core::str::from_utf8(token_of(uri)?).ok()?)?;
        self.members.iter().find(|member| *member.name == *name)
    }

    /// The member for a request of a dialog that `owner` has recorded the route of.
    fn of_dialog<'a>(&'a self, now: Instant, owner: &'a Member, call_id: &[u8]) -> Option<&'a Member> {
        let is_settled = !self.returned.iter().any(|(name, until)| *name == owner.name && now < *until);
        if owner.up && is_settled {
            return Some(owner);
        }
        // The one that has taken the owner's dialogs meanwhile.
        let others = pick_among(&self.members, call_id, |member| member.up && member.name != owner.name);
        others.or(Some(owner).filter(|owner| owner.up))
    }

    /// The member that a request is for.
    ///
    /// # Errors
    /// `Later`: a change of the list concerns the request, or no member takes requests. `Malformed`: the request has no Call-ID.
    pub fn choose(&self, now: Instant, request: &Request) -> Result<&Member, Refusal> {
        let call_id = request.call_id().ok_or(Refusal::Malformed(Phrase::of(StatusCode::BAD_REQUEST)))?;
        let route = request.headers().get::<Route<'_>>().and_then(Result::ok);
        if let Some(owner) = route.and_then(|route| self.recorder(route.uri)) {
            return self.of_dialog(now, owner, call_id.as_bytes()).ok_or(Refusal::Later(RETRY_AFTER));
        }
        let new = pick(&self.members, call_id.as_bytes());
        if let Some(before) = self.before.as_ref().filter(|before| now < before.until) {
            let old = pick(&before.members, call_id.as_bytes());
            let place = |member: Option<&Member>| member.map(|member| member.next_hop.clone());
            if place(old) != place(new) {
                return match (request.method(), old) {
                    (Method::Ack | Method::Cancel, Some(old)) => Ok(old),
                    _ => Err(Refusal::Later(seconds(before.until.since(now)))),
                };
            }
        }
        new.ok_or(Refusal::Later(RETRY_AFTER))
    }

    /// The target of a request for us: its Request-URI, by way of the member that it is for.
    ///
    /// # Errors
    /// As [`choose`](Self::choose), and `Malformed` if the Request-URI cannot be read.
    pub fn target(&self, now: Instant, request: &Request) -> Result<Target, Refusal> {
        let uri = request.uri().map_err(|_| Refusal::Malformed(Phrase::BAD_REQUEST_URI))?.to_buf();
        Ok(Target::new(uri).with_next_hop(self.choose(now, request)?.next_hop.clone()))
    }
}

fn pick<'a>(members: &'a [Member], call_id: &[u8]) -> Option<&'a Member> {
    pick_among(members, call_id, |member| member.up)
}

fn pick_among<'a>(members: &'a [Member], call_id: &[u8], may: impl Fn(&Member) -> bool) -> Option<&'a Member> {
    let names = members.iter().map(|member| member.name.as_bytes());
    let place = rendezvous(call_id, names, |place| members.get(place).is_some_and(&may))?;
    members.get(place)
}

/// Whole seconds, rounded up.
fn seconds(left: Duration) -> u32 {
    u32::try_from(left.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX)
}
