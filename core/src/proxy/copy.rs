//! The copy of a request for one target (RFC 3261 §16.6 steps 1 to 7).

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::record_route::{self, Copied, Tokens};
use super::validate::max_forwards;
use super::{Refusal, Settings};
use crate::dialog::request_uri;
use crate::flow::ListenerId;
use crate::message::header::{MaxBreadth, Route};
use crate::message::{Edit, HeaderId, Phrase, Request, Scheme, StatusCode, Uri, decimal};
use crate::stack::Context;
use crate::targets::{Target, Voucher};
use crate::transport::{Here, NextHop, Peers, Requester};

/// Max-Forwards of a request that came without one (step 3), and of one that came with more: RFC 3261 §16.6 would let a sender have 255 hops.
const MAX_FORWARDS: u8 = 70;

/// The copy of a request for one target.
pub(super) struct Copy<'r> {
    /// The changes to the request.
    pub(super) edit: Edit<'r, Request>,
    /// Its Record-Route, if it has one.
    pub(super) here: Here,
    /// Where it goes.
    pub(super) next_hop: NextHop,
    /// For whom, if that decides which addresses may be tried.
    pub(super) requester: Option<Requester>,
}

/// What a copy is made by, beside the request and the target.
pub(super) struct Maker<'a> {
    pub(super) settings: &'a Settings,
    /// Where the request came in, and the address that it came from.
    pub(super) inbound: ListenerId,
    pub(super) source: IpAddr,
    /// The special addresses that its dialog has been to.
    pub(super) peers: Option<&'a Peers>,
    /// The listener that sends, if that is known.
    pub(super) outbound: Option<ListenerId>,
    /// The Max-Breadth of the copy.
    pub(super) share: Option<u32>,
}

impl Maker<'_> {
    /// The copy of `request` for one target: steps 1 to 7. The Via is pushed by the endpoint (step 8). `tokens` gives the
    /// parameters of our Record-Route.
    ///
    /// # Errors
    /// The request cannot be forwarded: by its own fault (400, 483), or for want of a way (500 with a reason).
    pub(super) fn copy<'r, E>(
        &self,
        cx: &Context<'_, E>,
        request: &'r Request,
        target: &Target,
        tokens: impl FnOnce() -> Tokens,
    ) -> Result<Copy<'r>, Refusal> {
        let mut edit = request.edit();

        // 2. Request-URI: one that stays as it is may have what another must not.
        let stays = target.uri.as_bytes() == request.uri_bytes();
        let target_uri = if stays { Cow::Borrowed(request.uri_bytes()) } else { request_uri(target.uri.as_uri()) };
        if !stays {
            edit = edit.uri(&target_uri);
        }

        // 3. Max-Forwards
        let hops = match max_forwards(request)? {
            Some(hops) => hops.min(MAX_FORWARDS).checked_sub(1).ok_or(Refusal::Status(StatusCode::TOO_MANY_HOPS))?,
            None => MAX_FORWARDS,
        };
        edit = edit.replace(HeaderId::MaxForwards, decimal(hops.into()).as_bytes());

        // 4. Record-Route is written by each attempt, which knows the way on.

        // 5. Max-Breadth (RFC 5393 §5.3.3): one value; if it says the same it is left as it was written
        if let Some(share) = self.share {
            let written = request.headers().get::<MaxBreadth>();
            let same = matches!(written, Some(Ok(MaxBreadth(written))) if written == share);
            if !same || request.headers().count(HeaderId::MaxBreadth) != 1 {
                edit = edit.replace(HeaderId::MaxBreadth, decimal(share as usize).as_bytes());
            }
        }

        // 6. Postprocess routing information
        let (edit, way) = postprocess(edit, request, target, &target_uri)?;
        let towards = way.first.unwrap_or(target.uri.as_uri());
        let secure = [Scheme::of(&target_uri), Some(towards.scheme())].contains(&Some(Scheme::Sips));

        // 7. Determine next hop
        let next_hop = match (&target.next_hop, way.first) {
            (Some(next_hop), _) => Some(next_hop.clone()),
            (None, Some(route)) => NextHop::of_uri(route),
            (None, None) => NextHop::of_uri(target.uri.as_uri()),
        };
        // Who has named a way that cannot be is to blame: the request by its own Route or Request-URI, else whoever gave the target.
        let next_hop = next_hop.ok_or(match way.first {
            Some(_) if target.routes.is_empty() => Refusal::Malformed(Phrase::BAD_PROXIES),
            None if stays => Refusal::Malformed(Phrase::BAD_REQUEST_URI),
            _ => Refusal::Unable(Phrase::NO_WAY),
        })?;
        let listener = next_hop.listener.or(self.outbound);
        let next_hop = NextHop { secure: next_hop.secure || secure, listener, ..next_hop };

        let copied = Copied {
            inbound: self.inbound,
            secure,
            towards: Some(towards),
            next_hop: &next_hop,
            recorded: target.recorded.as_deref(),
        };
        let here = record_route::of_copy(cx, self.settings, request, &copied, tokens);
        Ok(Copy { edit, here, next_hop, requester: self.requester(target.voucher) })
    }
}

impl Maker<'_> {
    /// For whom the copy is sent, if the owner does not vouch for its target.
    fn requester(&self, voucher: Voucher) -> Option<Requester> {
        let (is_bound_by_user, registered) = match voucher {
            Voucher::Owner => return None,
            Voucher::Binding { is_proved, source } => (is_proved, source),
            Voucher::Nobody => (false, None),
        };
        let (listener, source, peers) = (self.inbound, self.source, self.peers.cloned());
        Some(Requester { listener, source, peers, registered, is_bound_by_user })
    }
}

/// The first Route of a copy.
struct Way<'a> {
    first: Option<Uri<'a>>,
}

/// Step 6: the target's own proxies come first; if the first proxy is a strict router it takes the place of the Request-URI, which goes
/// to the end.
fn postprocess<'r, 't>(
    edit: Edit<'r, Request>,
    request: &'r Request,
    target: &'t Target,
    target_uri: &[u8],
) -> Result<(Edit<'r, Request>, Way<'t>), Refusal>
where
    'r: 't,
{
    if !target.routes.is_empty() {
        let values: Vec<Vec<u8>> =
            target.routes.iter().map(|route| [b"<".as_slice(), route.as_bytes(), b">"].concat()).collect();
        let edit = edit.push_first(HeaderId::Route, values.join(b", ".as_slice()));
        return Ok((edit, Way { first: target.routes.first().map(|route| route.as_uri()) }));
    }
    let first = match request.headers().get::<Route<'_>>() {
        Some(route) => Some(route.map_err(|_| Refusal::Malformed(Phrase::BAD_PROXIES))?.uri),
        None => None,
    };
    let edit = match first.filter(|route| target.next_hop.is_none() && !route.is_loose_router()) {
        Some(strict) => {
            let last = [b"<".as_slice(), target_uri, b">"].concat();
            edit.pop_first(HeaderId::Route).append(HeaderId::Route, last).uri(request_uri(strict))
        }
        None => edit,
    };
    Ok((edit, Way { first }))
}
