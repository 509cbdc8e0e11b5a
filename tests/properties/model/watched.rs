//! A notifier whose state changes at drawn moments (RFC 6665 §4.2), and what its subscribers must believe of it.
//!
//! The model: when all is calm, whoever takes a subscription for alive is right, and knows the last state; and the notifier has no subscription
//! that nobody wants. A subscription that the notifier, or its subscriber, has ended is over at both.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use sansip::message::{HeaderId, Method, Request, Response, StatusCode, UriBuf};
use sansip::user_agent::Outgoing;
use sansip::{
    Config, Context, DeliveryId, Duration, Indication, Instant, Listener, ListenerId, NextHop, Seed, Stack, Tag,
    TransactionUser,
};
use sansip_sim::actor::NodeActor;

/// Where the notifier is.
const HOST: &str = "192.0.2.8";
/// The longest that a subscription lasts without a refresh.
const LONGEST: u64 = 40;

/// A subscription as the notifier knows it.
#[derive(Clone, Debug)]
struct Subscriber {
    /// Until then it lasts, unless it is refreshed.
    until: Instant,
    /// The SUBSCRIBE that has begun it.
    begun: Request,
    tag: String,
    target: UriBuf,
    number: u32,
    /// The NOTIFY that is on its way.
    out: Option<DeliveryId>,
    /// Another NOTIFY has to follow.
    is_due: bool,
    /// Why it is over: the next NOTIFY is the last.
    over: Option<&'static str>,
    /// The state that the last NOTIFY with a 2xx has told.
    told: u32,
    telling: u32,
}

/// The subscriptions by their Call-IDs.
#[derive(Clone, Debug, Default)]
pub(super) struct Subscribers(Arc<Mutex<BTreeMap<String, Subscriber>>>);

#[derive(Clone, Debug)]
pub(super) struct Notifier {
    subscribers: Subscribers,
    state: u32,
}

/// Whom its subscribers ask, whatever proxy they have.
pub(super) fn address() -> Outgoing {
    let address = format!("<sip:{HOST}>").parse().expect("a name-addr");
    let hop = format!("sip:{HOST}").parse::<UriBuf>().ok().and_then(|uri| NextHop::of_uri(uri.as_uri()));
    Outgoing::to(&address).next_hop(hop.expect("a way"))
}

/// A notifier whose state changes at these times, in milliseconds, and who ends all subscriptions at the last of them if it `ends`.
pub(super) fn notifier(
    changes: &[u64],
    ends: bool,
) -> (NodeActor<Stack<Notifier>>, (ListenerId, std::net::SocketAddr), Subscribers) {
    let subscribers = Subscribers::default();
    let notifier = Notifier { subscribers: subscribers.clone(), state: 0 };
    let mut stack = Stack::new(Config::new(Seed::from_u64(99)), notifier);
    let at = Listener::udp(format!("{HOST}:5060").parse().expect("an address"));
    let bound = (stack.listen(at.clone()), at.local);
    let mut actor = NodeActor::of_stack(stack, |_, _, _| None);
    for (place, millis) in changes.iter().enumerate() {
        let is_last = ends && place + 1 == changes.len();
        actor = actor.at(Instant::from_millis(*millis), move |stack, now| {
            stack.command(now, |notifier, cx| notifier.change(cx, is_last));
        });
    }
    (actor, bound, subscribers)
}

fn change<R>(subscribers: &Subscribers, change: impl FnOnce(&mut BTreeMap<String, Subscriber>) -> R) -> R {
    change(&mut subscribers.0.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Notifier {
    fn change(&mut self, cx: &mut Context<'_, ()>, ends: bool) {
        self.state += 1;
        let all: Vec<String> = change(&self.subscribers, |all| all.keys().cloned().collect());
        for call_id in all {
            if ends {
                change(&self.subscribers, |all| all.get_mut(&call_id).map(|it| it.over = Some("noresource")));
            }
            self.notify(cx, &call_id);
        }
    }

    /// A SUBSCRIBE begins, refreshes or ends a subscription (§4.2.1).
    fn subscribed(&mut self, cx: &mut Context<'_, ()>, request: &Request) -> (StatusCode, u64, String) {
        let call_id = request.call_id().unwrap_or_default().to_owned();
        let asked =
            request.headers().raw(HeaderId::Expires).and_then(|value| core::str::from_utf8(value).ok()?.parse().ok());
        let seconds = asked.unwrap_or(LONGEST).min(LONGEST);
        let Some(target) = request.contact().map(|contact| contact.uri.to_buf()) else {
            return (StatusCode::BAD_REQUEST, 0, String::new());
        };
        let until = cx.now() + Duration::from_secs(seconds);
        let is_new = request.headers().raw(HeaderId::To).is_none_or(|to| !to.windows(5).any(|part| part == b";tag="));
        let tag = cx.random().tag();
        change(&self.subscribers, |all| {
            if is_new {
                let begun = request.clone();
                let subscriber = Subscriber {
                    until,
                    begun,
                    tag,
                    target: target.clone(),
                    number: 0,
                    out: None,
                    is_due: false,
                    over: None,
                    told: 0,
                    telling: 0,
                };
                all.insert(call_id.clone(), subscriber);
            }
            let Some(it) = all.get_mut(&call_id).filter(|it| it.over.is_none() && it.until >= cx.now()) else {
                return (StatusCode::CALL_DOES_NOT_EXIST, 0, String::new());
            };
            (it.until, it.target) = (until, target);
            it.over = (seconds == 0).then_some("timeout");
            (StatusCode::OK, seconds, it.tag.clone())
        })
    }

    /// Tells the state, once the NOTIFY before has its response (§4.2.2).
    fn notify(&mut self, cx: &mut Context<'_, ()>, call_id: &str) {
        let (now, state) = (cx.now(), self.state);
        change(&self.subscribers, |all| {
            let Some(it) = all.get_mut(call_id).filter(|it| it.over.is_some() || it.until > now) else { return };
            it.is_due = it.out.is_some();
            if it.is_due {
                return;
            }
            it.number += 1;
            it.telling = state;
            let field = |id| it.begun.headers().raw(id).unwrap_or_default().to_vec();
            let from = [field(HeaderId::To), format!(";tag={}", it.tag).into_bytes()].concat();
            let stands = match it.over {
                Some(reason) => format!("terminated;reason={reason}"),
                None => format!("active;expires={}", (it.until - now).as_secs()),
            };
            let notify = Request::builder(Method::Notify, it.target.as_uri())
                .header(HeaderId::MaxForwards, "70")
                .header(HeaderId::From, from)
                .header(HeaderId::To, field(HeaderId::From))
                .header(HeaderId::CallId, call_id)
                .header(HeaderId::CSeq, format!("{} NOTIFY", it.number))
                .header(HeaderId::Contact, format!("<sip:{HOST}>"))
                .header(HeaderId::Event, field(HeaderId::Event))
                .header(HeaderId::SubscriptionState, stands)
                .body("text/plain", state.to_string().as_bytes())
                .finish()
                .expect("a NOTIFY");
            let hop = NextHop::of_uri(it.target.as_uri()).expect("a way");
            it.out = Some(cx.request(notify, hop, Tag::NONE, "").expect("a delivery"));
        });
    }

    /// A NOTIFY has its end. Without a 2xx the subscription is over (§4.2.2).
    fn notified(&mut self, cx: &mut Context<'_, ()>, delivery: DeliveryId, is_success: bool) {
        let due = change(&self.subscribers, |all| {
            let (call_id, it) = all.iter_mut().find(|(_, it)| it.out == Some(delivery))?;
            let call_id = call_id.clone();
            it.out = None;
            it.told = it.telling;
            let is_over = !is_success || it.over.is_some() && !it.is_due;
            let is_due = it.is_due;
            if is_over {
                all.remove(&call_id);
            }
            (is_due && !is_over).then_some(call_id)
        });
        if let Some(call_id) = due {
            self.notify(cx, &call_id);
        }
    }
}

impl TransactionUser for Notifier {
    type Event = ();

    fn indicate(&mut self, cx: &mut Context<'_, ()>, indication: Indication) {
        match indication {
            Indication::Request(arrival) if arrival.request.method() == Method::Subscribe => {
                let request = arrival.request.clone();
                let (status, seconds, tag) = self.subscribed(cx, &request);
                let mut response = Response::to(&request, status);
                if status.is_success() {
                    response = response.to_tag(&tag).header(HeaderId::Contact, format!("<sip:{HOST}>"));
                    response = response.header(HeaderId::Expires, seconds.to_string());
                }
                cx.answer(arrival, response);
                if status.is_success() {
                    self.notify(cx, request.call_id().unwrap_or_default());
                }
            }
            Indication::Response { delivery, response, .. } if response.status().is_final() => {
                self.notified(cx, delivery, response.status().is_success());
            }
            Indication::Failed { delivery, .. } => self.notified(cx, delivery, false),
            _ => {}
        }
    }

    fn is_idle(&self) -> bool {
        true
    }
}

/// A subscriber's word on a subscription that it takes for alive: its Call-ID and the last state.
#[derive(Clone, Debug)]
pub(super) struct Belief {
    pub(super) call_id: String,
    pub(super) state: String,
}

/// Says what the subscribers believe, held against what the notifier knows.
pub(super) fn judge(now: Instant, subscribers: &Subscribers, beliefs: &[Belief]) -> Vec<String> {
    let alive = change(subscribers, |all| {
        let alive = all.iter().filter(|(_, it)| it.over.is_none() && it.until > now);
        alive.map(|(call_id, it)| (call_id.clone(), it.told)).collect::<BTreeMap<_, _>>()
    });
    let mut wrong = Vec::new();
    for Belief { call_id, state } in beliefs {
        match alive.get(call_id) {
            Some(told) if told.to_string() == *state => {}
            known => wrong.push(format!("{call_id}: the subscriber knows state {state}, the notifier {known:?}")),
        }
    }
    let unknown = alive.keys().filter(|call_id| !beliefs.iter().any(|belief| belief.call_id == **call_id));
    wrong.extend(unknown.map(|call_id| format!("{call_id}: the notifier has a subscription that nobody wants")));
    wrong
}
