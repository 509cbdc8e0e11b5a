//! The core: what a user agent knows, and who takes which indication.

use super::account::Accounts;
use super::client::{Concluded, Outcome, Owner, Requests};
use super::event::Event;
use super::floor::{Floor, Usage};
use super::kept::KeptFlows;
use super::profile::Profile;
use super::registration::Registrations;
use super::server::Serving;
use super::session::Calls;
use super::subscription::Subscriptions;
use crate::auth::Keyring;
use crate::dialog::{DialogId, Dialogs};
use crate::endpoint::Indication;
use crate::flow::ListenerId;
use crate::message::{HeaderId, Method, Response};
use crate::random::Seed;
use crate::stack::{Context, TransactionUser};
use crate::tag::{Tag, work};
use crate::user_agent::{CallId, KeptFlowId, ReferralId, RegistrationId, RequestId, ServedId, SubscriptionId};

/// All that a user agent knows: its calls, registrations and subscriptions, and the floor that they stand on.
///
/// Its commands take a [`Context`], so that a transaction user of another kind, such as a B2BUA, can own a `Core` beside others.
/// [`UserAgent`](super::UserAgent) is the node that has nothing else. The owner chooses a role, gives it to each context, and hands
/// on the indications whose tag has it:
///
/// ```
/// use std::collections::VecDeque;
/// use sansip::user_agent::{self, Event, Extra, Profile};
/// use sansip::{Config, Context, Indication, Seed, Stack, TransactionUser};
///
/// /// Answers every call, and tells how often somebody hung up.
/// #[derive(Clone, Debug)]
/// struct Machine {
///     agent: user_agent::Core,
///     hung_up: u32,
/// }
///
/// const AGENT: u8 = 7;
///
/// impl TransactionUser for Machine {
///     type Event = u32;
///
///     fn indicate(&mut self, cx: &mut Context<'_, u32>, indication: Indication) {
///         let mut events = VecDeque::new();
///         self.agent.indicate(&mut cx.for_owned(AGENT, &mut events), indication);
///         while let Some(event) = events.pop_front() {
///             match event {
///                 Event::Incoming { call, .. } => {
///                     let answered = self.agent.answer(&mut cx.for_owned(AGENT, &mut events), call, &Extra::new());
///                     answered.expect("the call is undecided");
///                 }
///                 Event::Ended { .. } => {
///                     self.hung_up += 1;
///                     cx.emit(self.hung_up);
///                 }
///                 _ => {}
///             }
///         }
///     }
///
///     fn is_idle(&self) -> bool {
///         self.agent.is_idle()
///     }
/// }
///
/// let seed = Seed::from_u64(1);
/// let agent = user_agent::Core::new(Profile::new("<sip:machine@biloxi.com>".parse()?), seed);
/// let node = Stack::new(Config::new(seed), Machine { agent, hung_up: 0 });
/// # let _ = node;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Core {
    pub(super) floor: Floor,
    pub(super) calls: Calls,
    pub(super) registrations: Registrations,
    pub(super) subscriptions: Subscriptions,
    pub(super) kept: KeptFlows,
    pub(super) closing: Closing,
}

/// Whether a core has been told to end all that it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closing {
    /// It has not.
    No,
    /// It has, and something has not ended yet.
    Waiting,
    /// It has, and all has ended, which the application knows.
    Done,
}

/// The context that the core's functions work with.
pub(super) type Cx<'a> = Context<'a, Event>;

work! {
    /// The purpose of a delivery, server transaction or timer.
    pub(super) enum Work {
        /// A request of ours.
        Request(RequestId) = 1,
        /// The ACK for a 2xx.
        Ack(DialogId) = 2,
        /// A request of a peer.
        Served(ServedId) = 3,
        /// The timer that repeats a 180.
        Ringing(CallId) = 4,
        /// The timer that repeats a 2xx.
        Accepted(CallId) = 5,
        /// The timer of an invitation's Expires, whoever has sent that.
        Expiry(CallId) = 6,
        /// The timer that refreshes a registration.
        Refresh(RegistrationId) = 7,
        /// Timer N of the SUBSCRIBE or REFER that begins subscriptions.
        Begun(SubscriptionId) = 40,
        /// Timer N of a SUBSCRIBE in the dialog of a subscription.
        Unnotified(SubscriptionId) = 41,
        /// The timer that refreshes a subscription, ends it, or begins it anew.
        Resubscribe(SubscriptionId) = 42,
        /// The timer that ends the subscription of a REFER of a peer.
        Referral(ReferralId) = 43,
        /// The timer of a request that goes out again later, or when the application has answered.
        Wait(RequestId) = 8,
        /// The timer of a request that the application has to answer.
        Overdue(ServedId) = 9,
        /// The timer of an ACK that waits for an answer.
        Owed(CallId) = 10,
        /// The timer of a change that we try again.
        Glare(CallId) = 11,
        /// The timer of a change that the peer wants.
        Decision(DialogId) = 12,
        /// The session timer.
        SessionTimer(CallId) = 13,
        /// The timer of an UPDATE that we try again.
        UpdateGlare(DialogId) = 14,
        /// The timer of a flow that is kept alive.
        KeepAlive(RegistrationId) = 31,
        /// The timer of a flow that is kept alive without a registration.
        KeptFlow(KeptFlowId) = 33,
        /// The timer of the calls whose peers have to be told that this listener has moved.
        Moved(ListenerId) = 32,
        /// The timer of a request that waits for the secret of its user.
        LookUp(ServedId) = 30,
        /// The timer that repeats a reliable provisional response.
        Reliable(DialogId) = 15,
        /// The timer of a PRACK that waits for an answer.
        Unacknowledged(DialogId) = 16,
    }
}

/// How many there are: of what is alive, or of what there is room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Calls, those included that are over and have something left to do.
    pub calls: usize,
    /// Dialogs.
    pub dialogs: usize,
    /// Requests of peers whose server transactions live.
    pub requests: usize,
    /// Requests of ours that wait for their end.
    pub pending: usize,
    /// Registrations: holdings, each with a timer for its refresh at most, and one for its flow if that is kept alive.
    pub registrations: usize,
    /// Subscriptions, those included that are over and whose SUBSCRIBE may have further NOTIFYs.
    pub subscriptions: usize,
    /// Flows that are kept alive without a registration: holdings, each with a timer at most.
    pub kept_flows: usize,
}

impl Core {
    /// A core that knows nothing yet, of the node that has this seed.
    pub fn new(profile: Profile, seed: Seed) -> Self {
        // Peers choose the names that are hashed. The endpoint draws its own keys from the seed's first stream.
        let [dialogs, merged, registrations, accounts, subscriptions] =
            [1, 2, 3, 4, 5].map(|purpose| seed.hash_key(purpose));
        let accounts = Accounts::new(&profile, accounts);
        let keyring = Keyring::new(profile.limits.auth);
        let floor = Floor {
            profile,
            requests: Requests::new(),
            serving: Serving::new(merged),
            dialogs: Dialogs::new(dialogs),
            keyring,
            guard: None,
            standing: None,
            accounts,
        };
        Self {
            floor,
            calls: Calls::new(),
            registrations: Registrations::new(registrations),
            subscriptions: Subscriptions::new(subscriptions),
            kept: KeptFlows::new(),
            closing: Closing::No,
        }
    }

    /// Counts what is alive.
    pub fn census(&self) -> Census {
        Census {
            calls: self.calls.len(),
            dialogs: self.floor.dialogs.len(),
            requests: self.floor.serving.len(),
            pending: self.floor.requests.len(),
            registrations: self.registrations.len(),
            subscriptions: self.subscriptions.len(),
            kept_flows: self.kept.len(),
        }
    }

    /// How many there is room for without another allocation.
    pub fn capacity(&self) -> Census {
        Census {
            calls: self.calls.capacity(),
            dialogs: self.floor.dialogs.capacity(),
            requests: self.floor.serving.capacity(),
            pending: self.floor.requests.capacity(),
            registrations: self.registrations.capacity(),
            subscriptions: self.subscriptions.capacity(),
            kept_flows: self.kept.capacity(),
        }
    }

    /// Tells, once, that all has ended, if the core was told to end it.
    pub(super) fn tell_the_end(&mut self, cx: &mut Cx<'_>) {
        // The cheap questions come first: this is asked after each indication.
        if self.closing == Closing::Waiting
            && self.floor.requests.are_answered()
            && self.subscriptions.len() == 0
            && self.calls.are_over()
        {
            self.closing = Closing::Done;
            cx.emit(Event::ShutDown);
        }
    }

    /// A response has ended a dialog (RFC 5057 §5.1): so are the usages that are left of it over.
    fn lose(&mut self, cx: &mut Cx<'_>, lost: Option<DialogId>) {
        let Some(dialog) = lost else { return };
        let on = &mut self.floor;
        for usage in on.dialogs.usages(dialog).to_vec() {
            match usage {
                Usage::Session(call) => self.calls.lost(on, cx, call, dialog),
                Usage::Refer(id) | Usage::Subscription(id) => self.subscriptions.lost(on, cx, id),
                Usage::Referral(id) => self.subscriptions.referral_lost(on, cx, id),
            }
        }
    }

    /// Tells the owner of a request of ours what has become of the request.
    pub(super) fn heard(&mut self, cx: &mut Cx<'_>, id: RequestId, owner: Owner, outcome: Outcome) {
        let on = &mut self.floor;
        let lost = match owner {
            Owner::Bye(call, dialog) if outcome.is_end() => self.calls.bye_done(on, cx, call, dialog, &outcome),
            Owner::Modify(call) => self.calls.modify_heard(on, cx, call, id, outcome),
            Owner::Prack(call, dialog, counts) => self.calls.prack_heard(on, cx, call, dialog, (id, counts), outcome),
            Owner::Update(call, dialog) => self.calls.update_heard(on, cx, call, dialog, id, outcome),
            Owner::AskInside(call, method) => self.calls.ask_heard(on, cx, call, method, id, outcome),
            Owner::Subscribe(subscription) => self.subscriptions.heard(on, cx, subscription, id, outcome),
            Owner::Notify(referral) => self.subscriptions.notify_heard(on, cx, referral, id, outcome),
            outside => return self.heard_outside(cx, id, outside, outcome),
        };
        self.lose(cx, lost);
    }

    /// As [`heard`](Self::heard), for a request that no dialog depends on.
    fn heard_outside(&mut self, cx: &mut Cx<'_>, id: RequestId, owner: Owner, outcome: Outcome) {
        let on = &mut self.floor;
        match owner {
            Owner::Invite(call) => self.calls.invite_heard(on, cx, call, outcome),
            Owner::TurnAway(ack) if outcome.is_end() => cx.release(ack),
            Owner::Register(registration) => self.registrations.heard(on, cx, registration, outcome),
            Owner::KeepAlive(registration) => self.registrations.probed(on, cx, registration, id, &outcome),
            Owner::KeptFlow(kept) => self.kept.heard(on, cx, kept, id, &outcome),
            Owner::Ask(request) => match outcome {
                Outcome::Final(response) | Outcome::Collided(response) => cx.emit(Event::Replied { request, response }),
                Outcome::Over(concluded) => cx.emit(Event::Unanswered { request, cause: concluded.into() }),
                Outcome::Provisional(_) | Outcome::Paused | Outcome::Again(_) => {}
            },
            _ => {}
        }
    }

    /// Gives an indication to whom it is for.
    fn take(&mut self, cx: &mut Cx<'_>, indication: Indication) {
        match indication {
            Indication::Request(arrival) => match self.floor.admit(cx, arrival) {
                Some(served) if served.request.method() == Method::Cancel => {
                    self.calls.cancelled(&mut self.floor, cx, &served);
                    self.floor.cancel_look_up(cx, &served);
                }
                Some(served) => self.serve(cx, served),
                None => {}
            },
            Indication::Ack { request, server, .. } => {
                self.calls.acknowledged(&mut self.floor, cx, &request, server.map(|(_, tag)| tag));
            }
            Indication::Response { delivery, tag, response, flow } => match tag.try_into() {
                // Passed on by nobody and not ours: misrouted (§8.1.3.3). Without any final response that can be used,
                // the end of the transaction ends what waits for it.
                _ if has_several_vias(&response) => {}
                Ok(Work::Request(id)) => {
                    if let Some((owner, outcome)) = self.floor.answered(cx, id, delivery, response) {
                        if let (Owner::Register(id), Outcome::Final(response)) = (owner, &outcome)
                            && response.status().is_success()
                        {
                            let place = cx.sent_along(delivery).map_or(flow.remote, |sent| sent.remote);
                            self.registrations.came_along(&mut self.floor, cx, id, (flow, place), response);
                        }
                        if let Owner::KeptFlow(kept) = owner {
                            self.kept.came_along(kept, flow);
                        }
                        self.heard(cx, id, owner, outcome);
                    }
                }
                _ => {}
            },
            Indication::Failed { delivery, tag, failure } => match tag.try_into() {
                Ok(Work::Request(id)) => {
                    if let Some((owner, outcome)) = self.floor.ended(cx, id, delivery, Concluded::Failed(failure)) {
                        self.heard(cx, id, owner, outcome);
                    }
                }
                Ok(Work::Ack(dialog)) => self.calls.ack_failed(&self.floor, dialog, delivery),
                _ => {}
            },
            Indication::Finished { delivery, tag } => {
                if let Ok(Work::Request(id)) = tag.try_into()
                    && let Some((owner, outcome)) = self.floor.ended(cx, id, delivery, Concluded::Finished)
                {
                    self.heard(cx, id, owner, outcome);
                }
            }
            Indication::Timer { tag, .. } => match tag.try_into() {
                Ok(Work::Ringing(id)) => self.calls.ring_again(&mut self.floor, cx, id),
                Ok(Work::Accepted(id)) => self.calls.accept_again(&mut self.floor, cx, id),
                Ok(Work::Expiry(id)) => self.calls.expired(&mut self.floor, cx, id),
                Ok(Work::Owed(id)) => self.calls.unanswered(&mut self.floor, cx, id),
                Ok(Work::Glare(id)) => self.calls.modify_again(&mut self.floor, cx, id),
                Ok(Work::SessionTimer(id)) => self.calls.timer_due(&mut self.floor, cx, id),
                Ok(Work::Reliable(dialog)) => self.calls.reliable_due(&mut self.floor, cx, dialog),
                Ok(Work::Unacknowledged(dialog)) => self.calls.unacknowledged(&mut self.floor, cx, dialog),
                Ok(Work::UpdateGlare(dialog)) => self.calls.update_again(&mut self.floor, cx, dialog),
                Ok(Work::Decision(dialog)) => self.calls.undecided(&mut self.floor, cx, dialog),
                Ok(Work::Refresh(id)) => self.registrations.refresh(&mut self.floor, cx, id),
                Ok(Work::Begun(id)) => self.subscriptions.begun(&mut self.floor, cx, id),
                Ok(Work::Unnotified(id)) => self.subscriptions.unnotified(&mut self.floor, cx, id),
                Ok(Work::Resubscribe(id)) => self.subscriptions.resubscribe(&mut self.floor, cx, id),
                Ok(Work::Referral(id)) => self.subscriptions.referral_expired(&mut self.floor, cx, id),
                Ok(Work::Overdue(id)) => self.floor.overdue(cx, id),
                Ok(Work::KeepAlive(id)) => self.registrations.keep_alive_due(&mut self.floor, cx, id),
                Ok(Work::Moved(listener)) => self.calls.tell_moved(&mut self.floor, cx, listener),
                Ok(Work::KeptFlow(id)) => self.kept.due(&mut self.floor, cx, id),
                Ok(Work::LookUp(id)) => self.floor.look_up_overdue(cx, id),
                Ok(Work::Wait(id)) => {
                    if let Some((owner, outcome)) = self.floor.waited(cx, id) {
                        self.heard(cx, id, owner, outcome);
                    }
                }
                _ => {}
            },
            Indication::Completed { tag, .. } => {
                if let Ok(Work::Served(id)) = tag.try_into() {
                    self.floor.serving.end(id);
                }
            }
            Indication::Overload { limit, refused } => cx.emit(Event::Overload { limit, refused }),
            Indication::Dropped { why, flow, bytes } => cx.emit(Event::Dropped { why, flow, bytes }),
            // A response that did not arrive is asked for again by its request, and a 2xx is repeated anyway.
            Indication::Unsent { .. } => {}
            Indication::FlowFailed { flow } => {
                self.registrations.flow_failed(&mut self.floor, cx, flow);
                self.kept.flow_failed(&mut self.floor, cx, flow);
            }
            // For a stateless proxy (RFC 6026 §8.9).
            Indication::Stray { .. } => {}
        }
    }
}

impl TransactionUser for Core {
    type Event = Event;

    fn indicate(&mut self, cx: &mut Cx<'_>, indication: Indication) {
        self.take(cx, indication);
        self.tell_the_end(cx);
    }

    fn is_idle(&self) -> bool {
        // A request may wait without a transaction: for a time that its server asked for, or for the application.
        self.calls.is_empty() && self.floor.requests.len() == 0 && self.subscriptions.len() == 0
    }

    fn timer_name(&self, tag: Tag) -> &'static str {
        Work::try_from(tag).map_or("Timer", Work::name)
    }
}

fn has_several_vias(response: &Response) -> bool {
    let headers = response.headers();
    let has_comma = || headers.raw(HeaderId::Via).is_some_and(|via| via.contains(&b','));
    // Nearly all have one field and no comma, so that there is nothing to take apart.
    (headers.count(HeaderId::Via) > 1 || has_comma()) && headers.values(HeaderId::Via, true).nth(1).is_some()
}
