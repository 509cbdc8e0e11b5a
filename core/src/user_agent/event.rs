//! The events that the application is told, and the state that it can ask for.

use alloc::boxed::Box;
use alloc::vec::Vec;

pub use super::cause::{Cause, EndCause};
use crate::auth;
use crate::dialog::DialogId;
use crate::endpoint::DropCause;
use crate::error::Limit;
use crate::flow::Flow;
use crate::message::{Request, Response, SharedBytes, StatusCode};
use crate::time::Instant;
use crate::user_agent::subscription::{ReferralEnd, SubscriptionEnd};
use crate::user_agent::{
    AccountId, CallId, KeptFlowId, ReferralId, RegistrationId, RequestId, ServedId, SubscriptionId,
};

/// Something the application wants to know.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// Somebody calls. Ring, answer or reject.
    Incoming {
        /// The new call.
        call: CallId,
        /// The account that it is for.
        account: AccountId,
        /// The INVITE.
        request: Request,
        /// The call of ours that the caller wants to take the place of, if [`Profile::extensions`](field@super::Profile::extensions) has
        /// `replaces` (RFC 3891 §3). To [`answer`](super::UserAgent::answer) is to agree: the other call is then ended, by BYE, or by CANCEL
        /// if it is ours and not answered. Agree only if the caller is known, by a [`guard`](super::UserAgent::guard) or otherwise, and may
        /// do so (RFC 3891 §8). A rejection leaves the other call as it is. If that has ended before, an
        /// answer ends nothing. An answer is `WrongState` if the INVITE is for an early call alone
        /// and that was answered meanwhile; 486 is owed then (RFC 3891 §3).
        ///
        /// No call is replaced by itself, whoever asks: to accept the INVITE is to answer it, with a session description that nobody but the
        /// application has.
        replaces: Option<CallId>,
        /// Whether the [`guard`](super::UserAgent::guard) has had proved that the caller is the user who has made the call that is to be replaced:
        /// then the caller may do so, and nobody need be asked (RFC 3891 §3). A call that we have made has no such user.
        replaces_own: bool,
    },
    /// A provisional response (101 to 199) to our INVITE.
    Progress {
        /// The call.
        call: CallId,
        /// The early dialog that the response has made, or that it came in: one for each branch of a fork (RFC 3261 §12.1). `None` for a
        /// response without a tag, and for a branch more than [`Limits::forks`](super::Limits::forks).
        dialog: Option<DialogId>,
        /// The response. If our INVITE had an offer, the first description in a response of a dialog is the answer there, and all later ones are
        /// to be ignored, that of the 2xx too (RFC 3261 §13.2.1). If our INVITE had no session description, that of a reliable response is
        /// an offer, and its PRACK waits for the answer: see [`answer_offer`](crate::user_agent::UserAgent::answer_offer).
        response: Response,
    },
    /// A 2xx to our INVITE; the ACK is out. At most once in a call: other forks that answer are ended by themselves
    /// (RFC 3261 §13.2.2.4). Not said of a call that we have cancelled.
    ///
    /// The description of the 2xx is the answer to the offer of our INVITE, unless an [`Event::Progress`] of the same dialog had one: that was the answer, and
    /// this one is to be ignored (§13.2.1). If our INVITE had no session description, that of the 2xx is an offer, and the ACK waits for the answer: see
    /// [`answer_offer`](crate::user_agent::UserAgent::answer_offer).
    Answered {
        /// The call.
        call: CallId,
        /// The 2xx.
        response: Response,
    },
    /// The ACK for our 2xx arrived: that of the INVITE, or of a re-INVITE that was accepted.
    Confirmed {
        /// The call.
        call: CallId,
        /// The ACK. Its body is the answer if our 2xx had the offer.
        ack: Request,
    },
    /// A PRACK: the peer has got a reliable provisional response of ours (RFC 3262 §3). One with an offer is told by [`Event::Offered`].
    Acknowledged {
        /// The call.
        call: CallId,
        /// The PRACK. Its body is the answer if the response had the offer.
        prack: Request,
    },
    /// The peer has accepted the change of the session that we asked for: a 2xx to our re-INVITE (RFC 3261 §14.1) or our UPDATE (RFC 3311
    /// §5.3), whose body is the answer if ours was an offer.
    ///
    /// If our re-INVITE had no session description, that of the 2xx is an offer, and the ACK waits for the answer: see
    /// [`answer_offer`](crate::user_agent::UserAgent::answer_offer).
    Modified {
        /// The call.
        call: CallId,
        /// The dialog: that of the call, or an early one.
        dialog: DialogId,
        /// The 2xx.
        response: Response,
    },
    /// A provisional response (101 to 199) to our re-INVITE: the peer asks its user.
    ModifyProgress {
        /// The call.
        call: CallId,
        /// The dialog, which is that of the call.
        dialog: DialogId,
        /// The response. If our re-INVITE had no session description, that of a reliable one is an offer: see
        /// [`answer_offer`](crate::user_agent::UserAgent::answer_offer).
        response: Response,
    },
    /// The change of the session that we asked for came to nothing, and the session is as it was (RFC 3261 §14.1, RFC 3311 §5.3). If the
    /// cause ends the session too, [`Event::Ended`] follows, or [`Event::Failed`] before there is an answer.
    ModifyFailed {
        /// The call.
        call: CallId,
        /// The dialog: that of the call, or an early one.
        dialog: DialogId,
        /// Why.
        cause: Cause,
        /// Whether an offer and its answer were exchanged all the same, within the re-INVITE, and stay in force. The peer may believe
        /// otherwise: [`modify`](crate::user_agent::UserAgent::modify) the session with a description as it was before the re-INVITE, so
        /// that both ends have one view of the session (RFC 6141 §3.4).
        synchronize: bool,
    },
    /// A listener has moved, and the peer of this call does not know: it takes no UPDATE, or has refused ours. Requests of the peer go where the
    /// listener was until [`modify`](super::UserAgent::modify) changes the session, with a description that names the new place too.
    MoveUntold {
        /// The call.
        call: CallId,
        /// The dialog.
        dialog: DialogId,
        /// Why.
        cause: Cause,
    },
    /// The peer wants to change the session: its re-INVITE (RFC 3261 §14.2), or its UPDATE with an offer, which may come before there is
    /// an answer (RFC 3311 §5.2). Accept or refuse, within [`Profile::decision_time`](crate::user_agent::Profile::decision_time); an
    /// UPDATE at once, for its sender gives up after 32 s.
    Offered {
        /// The call.
        call: CallId,
        /// The dialog: that of the call, or an early one.
        dialog: DialogId,
        /// The request. Its body is the offer; to a re-INVITE without a session description the 2xx must have the offer, and the ACK
        /// has the answer.
        request: Request,
    },
    /// The peer does not want the change any more, or there was no decision in time. The session is as it was.
    OfferLapsed {
        /// The call.
        call: CallId,
        /// The dialog: that of the call, or an early one.
        dialog: DialogId,
        /// Why.
        cause: Cause,
    },
    /// The call was never established and is over; the handle is gone.
    Failed {
        /// The call.
        call: CallId,
        /// Why.
        cause: Cause,
    },
    /// An established call is over; the handle is gone.
    Ended {
        /// The call.
        call: CallId,
        /// Why.
        cause: EndCause,
        /// The peer's BYE, if that was it. Its Reason may say more (RFC 3326).
        bye: Option<Request>,
    },
    /// A limit was met, and something that peers want was refused. Of many refusals one is told, and the next after 64·T1.
    Overload {
        /// The limit.
        limit: Limit,
        /// How often it has refused something since it was told last, this time included.
        refused: u64,
    },
    /// A message of a peer was dropped without an answer, if [`Config::drops`](crate::Config::drops) asks for these.
    Dropped {
        /// Why.
        why: DropCause,
        /// Where it came in, and where from.
        flow: Flow,
        /// Its first octets.
        bytes: SharedBytes,
    },
    /// A request of ours needs something that the application may know. Until [`Policy::questions`](super::Policy::questions) have
    /// passed it waits for [`credentials`](super::UserAgent::credentials), [`amend`](super::UserAgent::amend) or
    /// [`give_up`](super::UserAgent::give_up); then it ends with this response.
    Wanted {
        /// The request.
        request: RequestId,
        /// The thing that the request needs.
        wanted: Wanted,
        /// The response that says so.
        response: Response,
    },
    /// A peer claims to be a user whose secret the guard does not know: see
    /// [`guard_with_look_up`](super::UserAgent::guard_with_look_up). The request waits for [`secret`](super::UserAgent::secret).
    SecretWanted {
        /// The request's handle.
        served: ServedId,
        /// The name that the peer gives, or the digits that stand for it (RFC 7616 §3.4.4).
        user: auth::UserName,
        /// The realm: that of the guard.
        realm: Box<str>,
        /// The algorithm, whose hash function is the one that a stored hash must have.
        algorithm: auth::Algorithm,
        /// The request.
        request: Request,
    },
    /// A peer asks something that the application answers: a request of one of the [`Profile::methods`](super::Profile::methods). Answer it
    /// with [`respond`](super::UserAgent::respond).
    Asked {
        /// The request's handle.
        served: ServedId,
        /// The account that it is for.
        account: AccountId,
        /// The call in whose dialog it came, if it came in one.
        call: Option<CallId>,
        /// The request.
        request: Request,
    },
    /// The final response to a request that the application has sent with [`ask`](super::UserAgent::ask). The handle is gone.
    Replied {
        /// The request.
        request: RequestId,
        /// The response, 200 to 699.
        response: Response,
    },
    /// A request that the application has sent with [`ask`](super::UserAgent::ask) got no final response; or it was to go out again, and the call
    /// in whose dialog it was has ended ([`Cause::Cancelled`]). The handle is gone.
    Unanswered {
        /// The request.
        request: RequestId,
        /// Why.
        cause: Cause,
    },
    /// A response claims to prove that its server knows our password, and the proof is wrong (RFC 7616 §3.5). The response counts all
    /// the same: whether to go on is the application's choice.
    WrongProof {
        /// The response.
        response: Response,
    },
    /// The registrar has taken a registration, refreshed it, or removed it.
    Registered {
        /// The registration.
        registration: RegistrationId,
        /// The 2xx; its Contacts are the bindings (RFC 3261 §10.2.4).
        response: Response,
    },
    /// The registrar has said what is bound to an address-of-record (RFC 3261 §10.2.3). The handle is gone.
    Bindings {
        /// The query.
        query: RegistrationId,
        /// The 2xx; its Contacts are the bindings.
        response: Response,
    },
    /// The flow of a registration is lost: its connection is gone or has not answered a ping, or an OPTIONS got no answer. The registration
    /// is made anew: see [`Register::keep_alive`](super::Register::keep_alive).
    FlowLost {
        /// The registration.
        registration: RegistrationId,
    },
    /// A flow that is kept alive without a registration is there: the peer has answered an OPTIONS along it. Told again when it has been lost and
    /// formed anew. See [`keep_flow`](super::UserAgent::keep_flow).
    FlowKept {
        /// The flow.
        kept: KeptFlowId,
    },
    /// A flow that is kept alive without a registration is not there: its connection is gone or has not answered a ping, or the peer does not
    /// answer an OPTIONS.
    KeptFlowLost {
        /// The flow.
        kept: KeptFlowId,
        /// When the peer is asked again. `None`: it is not, as [`BackOff::failures`](super::BackOff::failures) says, and the handle is gone.
        again: Option<Instant>,
    },
    /// All has ended that [`shut_down`](super::UserAgent::shut_down) was to end: no call, no subscription and no
    /// request of ours is left that waits for an answer. A call of ours that was answered may get its 2xx again until 64·T1 after the first one, and
    /// as long as the node is driven it acknowledges each; it is [idle](crate::Node::is_idle) after that.
    ShutDown,
    /// All registrations that were to be removed by [`unregister_everywhere`](super::UserAgent::unregister_everywhere) are removed, or
    /// their removal failed; each was told.
    Unregistered,
    /// The registrar has refused a registration or a query, or did not answer.
    RegistrationFailed {
        /// The registration.
        registration: RegistrationId,
        /// Why.
        cause: Cause,
        /// When it is tried again by itself, if [`Policy::registering`](super::Policy::registering) says so and that may help. `None`:
        /// nothing more is tried before the next command.
        again: Option<Instant>,
    },
    /// A SUBSCRIBE of ours was accepted: the one that begins a subscription, refreshes it or ends it (RFC 6665 §4.1.2.1). The state comes with
    /// [`Event::Notified`], perhaps before this.
    Subscribed {
        /// The subscription.
        subscription: SubscriptionId,
        /// The 2xx.
        response: Response,
    },
    /// A SUBSCRIBE of ours has forked: another notifier has accepted it too, and its NOTIFY, which follows, makes one more subscription (RFC 6665
    /// §4.1.4). Whether it is wanted depends on the event package; [`unsubscribe`](super::UserAgent::unsubscribe) ends it.
    SubscriptionForked {
        /// The subscription that the SUBSCRIBE was sent for.
        subscription: SubscriptionId,
        /// The other one.
        fork: SubscriptionId,
    },
    /// A notifier tells the state of what is subscribed to (RFC 6665 §4.1.3). The NOTIFY is answered.
    Notified {
        /// The subscription.
        subscription: SubscriptionId,
        /// How that stands which a REFER of ours has asked for: the status that the body begins with (RFC 3515 §2.4.5). `None` if the body says
        /// none, and for every other subscription.
        status: Option<StatusCode>,
        /// The NOTIFY. Its body is the state; its Subscription-State says how the subscription stands.
        request: Request,
    },
    /// A peer asks us to contact somebody: a REFER (RFC 3515 §2.4.2), if one of the [`Profile::methods`](super::Profile::methods) is `REFER`. Nothing
    /// of that is done by itself: [`accept_refer`](super::UserAgent::accept_refer) accepts, [`respond`](super::UserAgent::respond) refuses, within
    /// [`Profile::patience`](super::Profile::patience). Whether the target's URI is of a scheme that can be contacted is the application's matter.
    Referred {
        /// The request's handle.
        served: ServedId,
        /// The account that it is for.
        account: AccountId,
        /// The call in whose dialog it came, if it came in one.
        call: Option<CallId>,
        /// The REFER. It has one Refer-To that can be read.
        request: Request,
    },
    /// The sender of a REFER is not told any more how that goes. The handle is gone. What was asked for is not called off by that.
    ReferralEnded {
        /// The referral.
        referral: ReferralId,
        /// Why.
        cause: ReferralEnd,
    },
    /// A subscription is over, or came to nothing.
    SubscriptionEnded {
        /// The subscription.
        subscription: SubscriptionId,
        /// Why.
        cause: SubscriptionEnd,
        /// When it is begun anew by itself, with the same handle ([`Policy::subscribing`](super::Policy::subscribing)). `None`: the handle is
        /// gone.
        again: Option<Instant>,
    },
}

/// The thing that the application is asked for, so that a request of ours can go out again.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Wanted {
    /// Credentials for these realms, which are not known, or were refused (RFC 3261 §22.1): give them with
    /// [`credentials`](super::UserAgent::credentials).
    Credentials(Vec<auth::Wanted>),
    /// Another body, or none: 415, whose Accept, Accept-Encoding and Accept-Language say what is understood, or 413 without Retry-After,
    /// after which a smaller one may do (RFC 3261 §8.1.3.5). Give it with [`amend`](super::UserAgent::amend).
    Body,
    /// A Request-URI of another scheme: 416 (RFC 3261 §8.1.3.5). Give it with [`amend`](super::UserAgent::amend).
    Target,
}

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallState {
    /// We have sent an INVITE and heard nothing but perhaps a 100.
    Calling,
    /// We have sent an INVITE and a provisional response came.
    Ringing,
    /// We have got an INVITE and not decided yet.
    Incoming,
    /// A 2xx was sent or received.
    Established,
    /// We are hanging up: CANCEL or BYE is on its way, or waits until it may be sent.
    Ending,
}

/// A call that is alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallInfo<'a> {
    /// Its handle.
    pub call: CallId,
    /// Its account.
    pub account: AccountId,
    /// The Call-ID of its messages.
    pub call_id: &'a str,
    /// How far it has come.
    pub state: CallState,
}
