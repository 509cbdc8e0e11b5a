//! All planted mistakes.

use super::scenes::*;
use super::{Claims, Hooks, How, Planted, Scene, wrapped, wrapped_servers as servers, wrapped_sessions as sessions};

const fn row(
    name: &'static str,
    mistake: &'static str,
    source: &'static str,
    check: &'static str,
    how: How,
    scene: Scene,
) -> Planted {
    Planted { name, mistake, source, check, how, scene }
}

/// At Alice's.
const fn alice(hooks: Hooks) -> How {
    How::Wrapped("alice", hooks)
}

const fn atlanta(hooks: Hooks) -> How {
    How::Wrapped("atlanta", hooks)
}

const fn biloxi(hooks: Hooks) -> How {
    How::Wrapped("biloxi", hooks)
}

const fn carol(hooks: Hooks) -> How {
    How::Wrapped("carol", hooks)
}

const fn bob(hooks: Hooks) -> How {
    How::Wrapped("bob", hooks)
}

/// Every mistake, with the check that finds it.
#[rustfmt::skip]
pub static TABLE: [Planted; 125] = [
    // Transactions and their timers.
    row("pre-6026", "a 2xx ends the INVITE server transaction", "RFC 6026 §7.1", "schedule", How::Patched, ANY),
    row("invite-not-matched", "a copy of an INVITE begins another transaction", "RFC 3261 §17.2.3", "schedule", How::Patched, ANY),
    row("timer-a-not-doubled", "timer A is not doubled", "RFC 3261 §17.1.1.2", "schedule", How::Patched, ANY),
    row("timer-b-missing", "an INVITE without answer is never given up", "RFC 3261 §17.1.1.2", "idle", How::Patched, SILENT),
    row("timer-e-not-capped", "timer E is not capped at T2", "RFC 3261 §17.1.2.2", "resends", How::Patched, BYE_IN_VAIN),
    row("timer-g-missing", "a rejection is not sent again", "RFC 3261 §17.2.1", "resends", How::Patched, REJECTED),
    row("timer-h-missing", "a rejection waits for its ACK for ever", "RFC 3261 §17.2.1", "idle", How::Patched, UNACKNOWLEDGED),
    row("transaction-kept", "a server transaction is never removed", "RFC 3261 §17.2", "census", How::Patched, ANY),
    row("resends-after-100", "an INVITE is sent again after a 100", "RFC 3261 §17.1.1.2", "schedule", alice(wrapped::RESENDS_INVITE_AFTER_100), ANY),
    row("resends-early", "a BYE is sent again at once", "RFC 3261 §17.1.2.2", "schedule", bob(wrapped::RESENDS_BYE_EARLY), ANSWERED),
    row("resends-180", "a proxy passes a 180 on twice", "RFC 3261 §16.7", "schedule", biloxi(wrapped::RESENDS_180), ANSWERED),
    // ACK.
    row("ack-own-cseq", "the ACK for a rejection has a CSeq number of its own", "RFC 3261 §17.1.1.3", "cseq", alice(wrapped::ACK_HAS_OWN_CSEQ), REJECTED),
    row("ack-own-branch", "the ACK for a rejection has a branch of its own", "RFC 3261 §17.1.1.3", "via", alice(wrapped::ACK_HAS_OWN_BRANCH), REJECTED),
    row("ack-2xx-cseq", "the ACK for a 2xx has another CSeq number", "RFC 3261 §13.2.2.4", "cseq", alice(wrapped::ACK_FOR_2XX_COUNTS), ANSWERED),
    row("ack-2xx-branch", "the ACK for a 2xx has the branch of the INVITE", "RFC 3261 §13.2.2.4", "via", alice(wrapped::ACK_FOR_2XX_HAS_BRANCH), ANSWERED),
    row("ack-cseq-method", "the CSeq of an ACK says INVITE", "RFC 3261 §8.1.1.5", "cseq", alice(wrapped::ACK_SAYS_INVITE), ANSWERED),
    row("ack-missing", "a 2xx gets no ACK", "RFC 3261 §13.2.2.4", "acknowledged", alice(wrapped::WITHHOLDS_ACK), ANSWERED),
    row("ack-once", "a 2xx that comes again gets no ACK", "RFC 3261 §13.2.2.4", "acknowledged", alice(wrapped::ACKNOWLEDGES_ONCE), ANSWERED),
    row("ack-timer", "an ACK is sent again by itself", "RFC 3261 §17", "schedule", alice(wrapped::RESENDS_ACK), ANSWERED),
    // 2xx.
    row("2xx-once", "a 2xx is not sent again", "RFC 3261 §13.3.1.4", "resends", bob(wrapped::SAYS_2XX_ONCE), ANSWERED),
    row("2xx-after-ack", "a 2xx is sent again after its ACK", "RFC 3261 §13.3.1.4", "schedule", bob(wrapped::RESENDS_2XX_AFTER_ACK), ANSWERED),
    row("2xx-overlooked", "a caller overlooks the 2xx", "RFC 3261 §13.2.2.4", "agreement", alice(wrapped::OVERLOOKS_2XX), ANSWERED),
    row("2xx-absorbed", "a proxy forwards only the first 2xx", "RFC 3261 §16.7 step 5", "transparency", How::Patched, ANSWERED),
    row("2xx-kept-without-ack", "a called end without ACK does not give up", "RFC 3261 §13.3.1.4", "acknowledged", How::Patched, ANSWERED_IN_VAIN),
    // CANCEL.
    row("cancel-early", "a CANCEL does not wait for a provisional response", "RFC 3261 §9.1", "cancel", How::Patched, CANCELLED),
    row("cancel-by-tag", "a CANCEL is matched by its To tag", "RFC 3261 §9.2", "cancel", How::Patched, CANCELLED),
    row("cancel-unlike", "a CANCEL has a To tag that its INVITE has not", "RFC 3261 §9.1", "cancel", alice(wrapped::CANCEL_IS_UNLIKE), CANCELLED),
    row("cancel-overlooked", "a CANCEL is overlooked", "RFC 3261 §9.2", "answered", bob(wrapped::OVERLOOKS_CANCEL), CANCELLED),
    row("timer-c-not-reset", "timer C is not set again by a 180", "RFC 3261 §16.7 step 2", "cancel", How::Patched, RINGS_LONG),
    // Via.
    row("via-not-popped", "a proxy leaves its Via on a response", "RFC 3261 §16.7 step 3", "via", biloxi(wrapped::VIA_NOT_POPPED), ANSWERED),
    row("vias-lost", "a response has only the topmost Via", "RFC 3261 §8.2.6.2", "via", bob(wrapped::VIAS_LOST), ANSWERED),
    row("received-not-set", "`received` is not set", "RFC 3261 §18.2.1", "via", atlanta(wrapped::RECEIVED_LOST), ANSWERED),
    row("received-ignored", "a response goes to the sent-by and not to `received`", "RFC 3261 §18.2.2", "via", How::Patched, BEHIND_NAT),
    row("rport-ignored", "a response goes to the port of the sent-by and not to `rport`", "RFC 3581 §4", "via", How::Patched, BEHIND_NAT_WITH_RPORT),
    row("branch-reused", "a BYE has the branch of the INVITE", "RFC 3261 §8.1.1.7", "via", alice(wrapped::BRANCH_IS_REUSED), ALICE_HANGS_UP),
    row("no-cookie", "a branch has no magic cookie", "RFC 3261 §8.1.1.7", "via", alice(wrapped::NO_COOKIE), ALICE_HANGS_UP),
    // CSeq.
    row("cseq-not-incremented", "a BYE has the CSeq number of the INVITE", "RFC 3261 §12.2.1.1", "cseq", alice(wrapped::BYE_HAS_INVITES_CSEQ), ALICE_HANGS_UP),
    row("cseq-leaps", "CSeq numbers are not contiguous", "RFC 3261 §12.2.1.1", "cseq", alice(wrapped::CSEQ_LEAPS), ALICE_HANGS_UP),
    row("stale-cseq-accepted", "a request with an old CSeq number is served", "RFC 3261 §12.2.2", "cseq", How::Patched, OLD_NUMBERS),
    // Responses.
    row("answers-ack", "an ACK is answered", "RFC 3261 §17", "responses", bob(wrapped::ANSWERS_ACKS), ANSWERED),
    row("answers-response", "a response is answered", "RFC 3261 §17", "responses", alice(wrapped::ANSWERS_RESPONSES), ANY),
    row("tag-changes", "the To tag changes between 180 and 200", "RFC 3261 §8.2.6.2", "responses", bob(wrapped::TAG_CHANGES), ANSWERED),
    row("tag-missing", "a response has no To tag", "RFC 3261 §8.2.6.2", "responses", bob(wrapped::TAG_MISSING), ANSWERED),
    row("from-altered", "a response has not the From of the request", "RFC 3261 §8.2.6.2", "responses", bob(wrapped::FROM_ALTERED), ANSWERED),
    row("408-to-non-invite", "a request other than INVITE gets a 408", "RFC 4320 §4.2", "responses", How::Patched, BYE_IN_VAIN),
    row("bye-not-answered", "a BYE is not answered", "RFC 3261 §15.1.2", "answered", alice(wrapped::WITHHOLDS_BYE_ANSWER), ANSWERED),
    row("100-forwarded", "a 100 goes on upstream", "RFC 3261 §16.7 step 5", "schedule", atlanta(wrapped::TRYING_FORWARDED), ANSWERED),
    row("503-forwarded", "a 503 goes on upstream", "RFC 3261 §16.7 step 6", "transparency", biloxi(wrapped::OVERLOAD_FORWARDED), OVERLOADED),
    row("five-for-one", "one packet brings out five", "RFC 3261 §26.1.5", "traffic", bob(wrapped::SENDS_FIVE_FOR_ONE), ANSWERED),
    // Routes and dialogs.
    row("record-route-not-reversed", "a caller does not reverse Record-Route", "RFC 3261 §12.1.2", "route", How::Patched, RECORDED),
    row("route-ignored", "what was recorded is not followed", "RFC 3261 §12.2.1.1", "route", alice(wrapped::ROUTE_IGNORED), RECORDED),
    row("own-route-kept", "a proxy does not take its Route off", "RFC 3261 §16.4", "route", atlanta(wrapped::OWN_ROUTE_KEPT), RECORDED),
    row("contact-ignored", "a BYE goes to the address-of-record", "RFC 3261 §12.2.1.1", "route", alice(wrapped::CONTACT_IGNORED), RECORDED),
    row("asks-after-bye", "a request is sent when the BYE was answered", "RFC 3261 §15.1", "after-bye", alice(wrapped::ASKS_AFTER_BYE), ALICE_HANGS_UP),
    row("bye-overlooked", "a BYE is overlooked", "RFC 3261 §15.1.2", "agreement", alice(wrapped::OVERLOOKS_BYE), ANSWERED),
    row("bye-missing", "a call is left without a BYE", "RFC 3261 §15.1.1", "agreement", bob(wrapped::WITHHOLDS_BYE), ANSWERED),
    row("bye-overtaken", "a BYE that a later request has overtaken is not sent again", "RFC 3261 §12.2.2", "agreement", bob(sessions::GIVES_OVERTAKEN_BYE_UP), OVERTAKEN),
    row("bye-before-ack", "a called end sends a BYE before the ACK came", "RFC 3261 §15", "agreement", How::Patched, ENDS_EARLY),
    row("call-not-freed", "a call that is over stays", "RFC 3261 §12.3", "census", alice(Hooks::claims(Claims::OneCallMore)), ANY),
    // Credentials.
    row("nonce-count-stale", "a BYE has the nonce count of the INVITE", "RFC 7616 §3.4", "digest", alice(sessions::COUNT_IS_STALE), CHALLENGED),
    row("nonce-stale", "a nonce that was rejected is used again", "RFC 3261 §22.1", "digest", alice(sessions::NONCE_IS_STALE), NONCES_AGE),
    row("ack-without-credentials", "the ACK for a 2xx has not the credentials of its INVITE", "RFC 3261 §22.1", "digest", alice(sessions::ACK_HAS_NO_CREDENTIALS), CHALLENGED),
    row("cancel-challenged", "a CANCEL is challenged", "RFC 3261 §22.1", "digest", bob(sessions::CANCEL_IS_CHALLENGED), CHALLENGED_AND_CANCELLED),
    row("replay-served", "a nonce count is good for two requests", "RFC 7616 §3.4", "digest", How::Patched, OVERHEARD),
    row("nonce-too-old", "a nonce is good for longer than is said", "RFC 7616 §3.3", "digest", How::Patched, NONCES_OF_PROXY_AGE),
    row("password-said", "a password is in a message", "RFC 3261 §22", "digest", alice(sessions::SAYS_PASSWORD), CHALLENGED),
    // Sessions.
    row("offer-during-offer", "an offer is made while an earlier one waits", "RFC 3264 §4", "offer-answer", alice(sessions::OFFERS_DURING_OFFER), HELD_AT_LENGTH),
    row("glare-accepted", "an offer that meets ones own is accepted", "RFC 3261 §14.2", "offer-answer", bob(sessions::GLARE_IS_ACCEPTED), HELD_BY_BOTH),
    row("ack-without-answer", "the ACK has no answer to the offer of its 2xx", "RFC 3261 §13.2.2.4", "offer-answer", alice(sessions::ACK_HAS_NO_ANSWER), OFFERED_LATE),
    row("2xx-without-answer", "a 2xx has no answer to the offer of its INVITE", "RFC 3261 §13.3.1.4", "offer-answer", bob(sessions::SUCCESS_HAS_NO_ANSWER), ANSWERED),
    row("changed-though-refused", "a change that was refused changes the session", "RFC 3261 §14.1", "offer-answer", bob(sessions::CHANGES_THOUGH_REFUSED), HELD),
    // Reliable provisional responses.
    row("prack-wrong-rseq", "a PRACK names another response than the one that came", "RFC 3262 §4", "rseq", alice(sessions::PRACK_HAS_WRONG_RSEQ), RELIABLE),
    row("2xx-before-prack", "a 2xx does not wait for the PRACK of a response with a description", "RFC 3262 §3", "rseq", bob(sessions::ANSWERS_BEFORE_PRACK), RELIABLE),
    row("prack-served", "a PRACK of a response that was never sent is accepted", "RFC 3262 §3", "rseq", bob(sessions::ANY_PRACK_IS_ACCEPTED), WRONGLY_ACKNOWLEDGED),
    // Session timers.
    row("refresh-by-both", "both ends refresh the session", "RFC 4028 §7.4", "session-timer", How::Patched, TIMED),
    row("refresh-missing", "nobody refreshes the session", "RFC 4028 §10", "session-timer", How::Patched, TIMED),
    row("unrefreshed-kept", "a session that is not refreshed is not ended", "RFC 4028 §10", "session-timer", How::Patched, REFRESHED_IN_VAIN),
    row("timer-not-required", "a 2xx lets the caller refresh and does not require timer", "RFC 4028 §9", "session-timer", bob(sessions::REQUIRES_NOTHING), TIMED),
    // Transfers.
    row("replaces-ignored", "a call that another is to take the place of goes on", "RFC 3891 §3", "replaces", carol(sessions::REPLACES_IS_IGNORED), ATTENDED),
    row("replaces-of-ended", "a call takes the place of one that has ended", "RFC 3891 §3", "replaces", carol(sessions::REPLACES_AFTER_BYE), REPLACED_TOO_LATE),
    // Forks.
    row("loser-not-cancelled", "a proxy lets the other branches ring when one has answered", "RFC 3261 §16.7 step 10", "cancel", biloxi(wrapped::LOSER_NOT_CANCELLED), FORKED),
    row("second-2xx-ignored", "the 2xx of another branch is overlooked", "RFC 3261 §13.2.2.4", "acknowledged", alice(wrapped::SECOND_2XX_OVERLOOKED), ANSWERED_BY_BOTH),
    // What proxies leave as it is.
    row("max-forwards-kept", "Max-Forwards is not lowered", "RFC 3261 §16.6 step 3", "transparency", biloxi(wrapped::MAX_FORWARDS_KEPT), ANSWERED),
    row("body-altered", "an address in the body is rewritten", "RFC 3261 §16.6 step 1", "transparency", biloxi(wrapped::BODY_ALTERED), ANSWERED),
    row("header-dropped", "a header field that is not known is dropped", "RFC 3261 §16.6 step 1", "transparency", biloxi(wrapped::HEADER_DROPPED), ANSWERED),
    row("contact-rewritten", "a proxy puts itself into Contact", "RFC 3261 §16.6 step 1", "transparency", biloxi(wrapped::CONTACT_REWRITTEN), ANSWERED),
    row("record-route-dropped", "Record-Route values of others are dropped", "RFC 3261 §16.7", "transparency", atlanta(wrapped::RECORD_ROUTE_DROPPED), RECORDED),
    row("length-wrong", "Content-Length is too small", "RFC 3261 §20.14", "form", alice(wrapped::LENGTH_WRONG), ANY),
    // Registrars.
    row("older-register-obeyed", "a REGISTER with an old CSeq number takes the binding away", "RFC 3261 §10.3 step 7", "binding", biloxi(servers::OLDER_REGISTER_OBEYED), REGISTERS_LATE),
    row("star-with-time", "`*` is taken although it does not expire at once", "RFC 3261 §10.3 step 6", "binding", biloxi(servers::STAR_IS_TAKEN), REMOVES_ALL_IN_AN_HOUR),
    row("423-without-least", "a 423 does not say what would do", "RFC 3261 §10.3 step 7", "binding", biloxi(servers::LEAST_NOT_SAID), REGISTERS_BRIEFLY),
    row("expired-rung", "a contact is rung after its time", "RFC 3261 §10.3", "binding", biloxi(servers::BINDS_FOR_LONGER), BINDING_ENDS),
    row("removed-rung", "a contact that was taken away is rung", "RFC 3261 §10.3 step 7", "binding", biloxi(servers::REMOVAL_OVERLOOKED), UNREGISTERED),
    row("one-contact-rung", "of two contacts one is left out", "RFC 3261 §16.5", "binding", biloxi(servers::FIRST_LEFT_OUT), REJECTED_BY_BOTH),
    row("binding-prolonged", "a binding is said to last longer than was asked", "RFC 3261 §10.3 step 7", "binding", biloxi(servers::SAYS_LONGER), AT_HOME),
    row("others-not-listed", "a 2xx to a REGISTER has the contact of its sender alone", "RFC 3261 §10.3 step 8", "binding", biloxi(servers::OTHERS_NOT_LISTED), REGISTERED_ONE_BY_ONE),
    row("path-ignored", "a contact is called past the Path that it was registered by", "RFC 3327 §5.4", "binding", biloxi(servers::PATH_IGNORED), REGISTERED_BY_PATH),
    row("acknowledged-unstored", "a server of a farm acknowledges what its store does not know", "RFC 3261 §10.3 step 8", "binding", How::Patched, ANSWERED_AT_FARM),
    // Relaying.
    row("stranger-relayed", "a request of a stranger for a bare address goes on", "RFC 3261 §26.3.1", "relay", biloxi(servers::STRANGER_RELAYED), STRANGER_ASKS),
    row("stranger-routed", "a request of a stranger for an own user goes along its Route", "RFC 3261 §16.3, §26.3.1", "relay", How::Patched, STRANGER_ASKS_ALONG_ROUTE),
    row("special-reached", "a contact leads to a private address that nobody vouches for", "RFC 3261 §26.3.1", "relay", How::Patched, BOUND_INSIDE),
    row("flow-token-unchecked", "a flow that was recorded for one call is good for another", "RFC 5626 §5.3", "relay", How::Patched, FLOW_IS_STOLEN),
    row("token-of-another-call", "what was recorded for one call is good for another", "RFC 3261 §16.4", "relay", How::Patched, TOKEN_IS_STOLEN),
    row("token-unchecked", "what was recorded is believed without its proof", "RFC 3261 §16.4", "relay", How::Patched, TOKEN_IS_FORGED),
    row("call-refused", "a request of a call in progress is refused for want of room", "RFC 3261 §21.5.4", "relay", biloxi(servers::CALL_REFUSED), RECORDED),
    // Proxies.
    row("next-route-taken", "the Route of the next proxy is taken off as well", "RFC 3261 §16.4", "route", atlanta(servers::NEXT_ROUTE_TAKEN), RECORDED),
    row("record-route-missing", "a proxy between two address families does not stay on the path", "RFC 6157 §3.1.1", "agreement", How::Patched, BETWEEN_FAMILIES),
    row("record-routes-swapped", "of its two Record-Route values a proxy puts the wrong one on top", "RFC 5658 §6.2", "route", How::Patched, OVER_TWO_PROTOCOLS),
    row("front-at-random", "a stateless proxy chooses a server anew for each message", "RFC 3261 §16.11", "route", How::Patched, REJECTED_AT_FARM),
    row("strict-router-overlooked", "a strict router is sent to as a loose one", "RFC 3261 §16.6 step 6", "route", How::Patched, BEHIND_STRICT_ROUTER),
    row("loop-overlooked", "a request that comes by again as it was goes on", "RFC 5393 §4.2", "route", How::Patched, BOUND_TO_ITSELF),
    row("hops-overlooked", "a request that may go no further goes on", "RFC 3261 §16.3 step 3", "transparency", biloxi(servers::HOPS_OVERLOOKED), NO_HOPS_LEFT),
    row("ack-kept", "the ACK for a 2xx goes no further", "RFC 3261 §16.11", "transparency", biloxi(servers::ACK_KEPT), RECORDED),
    row("tag-replaced", "a proxy puts a To tag of its own", "RFC 3261 §16.7 step 9", "transparency", biloxi(servers::TAG_REPLACED), ANSWERED),
    row("branch-shared", "all branches of a fork have one branch parameter", "RFC 3261 §16.6 step 8", "via", biloxi(servers::BRANCH_SHARED), FORKED),
    row("breadth-not-shared", "each branch of a fork has all of Max-Breadth", "RFC 5393 §5.3.3.1", "transparency", biloxi(servers::BREADTH_NOT_SHARED), FORKED),
    row("recursed-contact-kept", "a 3xx goes on with a contact that was tried", "RFC 3261 §16.7 step 4", "transparency", How::Patched, REDIRECTED),
    row("first-challenge-alone", "of the challenges of a fork one goes on", "RFC 3261 §16.7 step 7", "transparency", biloxi(servers::FIRST_CHALLENGE_ALONE), CHALLENGED_BY_BOTH),
    row("worst-response", "a 5xx is preferred to a 4xx", "RFC 3261 §16.7 step 6", "transparency", biloxi(servers::WORST_RESPONSE), FAILED_BY_ONE),
    row("6xx-not-preferred", "a 4xx is preferred to a 6xx", "RFC 3261 §16.7 step 6", "transparency", biloxi(servers::DECLINE_NOT_PREFERRED), DECLINED_BY_ONE),
    row("6xx-not-decisive", "after a 6xx the other branches ring on", "RFC 3261 §16.7 step 5", "cancel", biloxi(wrapped::LOSER_NOT_CANCELLED), DECLINED_BY_ONE),
    row("one-branch-cancelled", "a CANCEL goes to one branch of a fork", "RFC 3261 §16.10", "cancel", biloxi(servers::ONE_BRANCH_CANCELLED), CANCELLED_AT_BOTH),
    // Words of a node about itself.
    row("never-idle", "a node is never idle", "RFC 3261 §17", "idle", biloxi(Hooks::claims(Claims::NeverIdle)), ANY),
    row("call-for-ever", "a user is never told that a call is over", "RFC 3261 §15.1.2", "agreement", alice(Hooks::claims(Claims::CallForEver)), ANSWERED),
    row("room-grows", "room is never used again", "RFC 3261 §26.3.2.4", "capacity", biloxi(Hooks::claims(Claims::MoreRoom)), ANY),
];
