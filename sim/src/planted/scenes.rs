//! The worlds that mistakes show in.

use super::{Scene, wrapped, wrapped_servers as servers, wrapped_sessions as sessions};

const BOB_ANSWERS: &str = "--ring-after 100ms --reply answer:2s --cancel-after never --ring-limit 60s --calm-after 80s";
const ALICE_CANCELS: &str = "--reply nothing --cancel-after 2s --calm-after 80s";
const BOB_REJECTS: &str = "--reply reject:500ms --cancel-after never";
const TWO_PHONES: &str = "--topology fork:2";
const AT_ONE_PROXY: &str = "--topology one-proxy";
const AT_FARM: &str = "--topology farm:2";
const RECORDS: &str = "--topology trapezoid --record-route --hang-up alice";
const BOB_ASKS: &str = "--challenge bob --hang-up alice";
const ALICE_HOLDS: &str = "--hold alice:1s --change-reply answer:0ms --hang-up nobody";
const WITH_CAROL: &str = "--transfer 1s --attended --hang-up nobody";
/// The call lasts long enough for two refreshes.
const WITH_TIMER: &str = "--session-expires 90s --hang-up nobody --calm-after 150s";
const BOTH_REJECT: &str = "--topology fork:2 --ring-after 10ms --reply reject:500ms --cancel-after never";

pub(super) const ANY: Scene = Scene::of(&[]);
pub(super) const REJECTED: Scene = Scene::of(&[BOB_REJECTS]);
pub(super) const ANSWERED: Scene = Scene::of(&[BOB_ANSWERS]);
pub(super) const RECORDED: Scene = Scene::of(&[BOB_ANSWERS, RECORDS]);
pub(super) const ALICE_HANGS_UP: Scene = Scene::of(&[BOB_ANSWERS, "--hang-up alice"]);
pub(super) const CANCELLED: Scene = Scene::of(&[ALICE_CANCELS]);
pub(super) const RINGS_LONG: Scene = Scene::of(&[
    AT_ONE_PROXY,
    "--ring-after 100ms --reply answer:300s --cancel-after never --ring-limit 400s --calm-after 500s",
]);
/// Nothing arrives.
pub(super) const SILENT: Scene = Scene::of(&[BOB_ANSWERS, "--loss 1"]);
pub(super) const UNACKNOWLEDGED: Scene = REJECTED.provoked_by("alice", wrapped::WITHHOLDS_ACK);
pub(super) const ANSWERED_IN_VAIN: Scene = ANSWERED.provoked_by("alice", wrapped::WITHHOLDS_ACK);
pub(super) const BYE_IN_VAIN: Scene = RECORDED.provoked_by("bob", wrapped::OVERLOOKS_BYE);
/// Bob is to end the call when his 2xx is out and the ACK has not come.
pub(super) const ENDS_EARLY: Scene = Scene::of(&[BOB_ANSWERS, "--topology direct --delay 200ms --calm-after 2400ms"]);
pub(super) const OVERLOADED: Scene = REJECTED.provoked_by("bob", wrapped::OVERLOADED);
pub(super) const BEHIND_NAT: Scene = ANSWERED.provoked_by("alice", wrapped::BEHIND_NAT);
pub(super) const BEHIND_NAT_WITH_RPORT: Scene = ANSWERED.provoked_by("alice", wrapped::BEHIND_NAT_WITH_RPORT);
pub(super) const OLD_NUMBERS: Scene =
    Scene::of(&[BOB_ANSWERS, "--hang-up nobody --calm-after 20s"]).provoked_by("alice", wrapped::ASKS_WITH_OLD_NUMBER);

/// Bob asks for credentials, and Alice hangs up.
pub(super) const CHALLENGED: Scene = Scene::of(&[BOB_ANSWERS, BOB_ASKS]);
pub(super) const CHALLENGED_AND_CANCELLED: Scene = Scene::of(&[ALICE_CANCELS, "--challenge bob"]);
/// The nonce of the INVITE is too old for the BYE.
pub(super) const NONCES_AGE: Scene = Scene::of(&[BOB_ANSWERS, BOB_ASKS, "--nonce-age 4s"]);
pub(super) const OVERHEARD: Scene = CHALLENGED.provoked_by("alice", sessions::REPLAYS);
/// Alice puts Bob on hold.
pub(super) const HELD: Scene = Scene::of(&[BOB_ANSWERS, ALICE_HOLDS]);
/// He takes his time to say yes.
pub(super) const HELD_AT_LENGTH: Scene = Scene::of(&[BOB_ANSWERS, ALICE_HOLDS, "--change-reply answer:1s"]);
/// Both put each other on hold.
pub(super) const HELD_BY_BOTH: Scene = Scene::of(&[BOB_ANSWERS, ALICE_HOLDS, "--hold alice:1s,bob:1s"]);
pub(super) const OFFERED_LATE: Scene = Scene::of(&[BOB_ANSWERS, "--late-offer 100ms"]);

/// Bob's phone rings by a response that waits for its PRACK.
pub(super) const RELIABLE: Scene = Scene::of(&[BOB_ANSWERS, "--reliable"]);
pub(super) const WRONGLY_ACKNOWLEDGED: Scene = RELIABLE.provoked_by("alice", sessions::PRACK_HAS_WRONG_RSEQ);

/// Bob has two phones.
pub(super) const FORKED: Scene = Scene::of(&[BOB_ANSWERS, TWO_PHONES]);
/// Both have answered before either knows of the other.
pub(super) const ANSWERED_BY_BOTH: Scene = Scene::of(&[BOB_ANSWERS, TWO_PHONES, "--delay 200ms"]);

/// Alice calls Carol, and gives her the call with Bob.
pub(super) const ATTENDED: Scene = Scene::of(&[BOB_ANSWERS, WITH_CAROL]);
/// When Bob's INVITE comes to Carol, Alice has hung up.
pub(super) const REPLACED_TOO_LATE: Scene =
    Scene::of(&[BOB_ANSWERS, WITH_CAROL, "--topology direct --hang-up alice:3s --plan 'bob>carol INVITE:+10s'"]);

/// Alice sends Bob to Carol, and he hangs up when Carol's phone begins to ring: his NOTIFY comes before his BYE.
pub(super) const OVERTAKEN: Scene = Scene::of(&[
    BOB_ANSWERS,
    "--topology direct --ring-after 100ms --transfer 1ms --hang-up bob:110ms --plan 'bob>alice BYE#1:drop'",
]);

/// Both want a session timer.
pub(super) const TIMED: Scene = Scene::of(&[BOB_ANSWERS, WITH_TIMER]);
/// No refresh comes to Bob.
pub(super) const REFRESHED_IN_VAIN: Scene = Scene::of(&[BOB_ANSWERS, WITH_TIMER, "--plan '*>bob UPDATE:drop'"]);

/// Bob's two phones say no.
pub(super) const REJECTED_BY_BOTH: Scene = Scene::of(&[BOTH_REJECT]);
/// One of Bob's two phones declines, and the other rings.
pub(super) const DECLINED_BY_ONE: Scene =
    Scene::of(&[BOTH_REJECT, "--plan 'bob2>biloxi 486/INVITE:+3s'"]).provoked_by("bob", servers::FIRST_DECLINES);
/// The second of Bob's two phones fails.
pub(super) const FAILED_BY_ONE: Scene = REJECTED_BY_BOTH.provoked_by("bob", servers::SECOND_FAILS);
/// Both of Bob's phones ask for credentials.
pub(super) const CHALLENGED_BY_BOTH: Scene = Scene::of(&[BOB_ANSWERS, BOB_ASKS, TWO_PHONES]);
/// Both of Bob's phones ring when Alice cancels.
pub(super) const CANCELLED_AT_BOTH: Scene = Scene::of(&[ALICE_CANCELS, TWO_PHONES, "--ring-after 100ms"]);
/// A call to Bob's domain.
pub(super) const AT_HOME: Scene = Scene::of(&[BOB_ANSWERS, AT_ONE_PROXY]);
/// Alice's INVITE may go no further than to the first proxy.
pub(super) const NO_HOPS_LEFT: Scene = AT_HOME.provoked_by("alice", servers::NO_HOPS_LEFT);
/// Bob's second phone registers a little later than the first.
pub(super) const REGISTERED_ONE_BY_ONE: Scene =
    Scene::of(&[BOB_ANSWERS, TWO_PHONES, "--plan 'bob2>biloxi REGISTER:+200ms'"]);
/// Bob is said to be where he is called.
pub(super) const BOUND_TO_ITSELF: Scene = AT_HOME.provoked_by("bob", servers::BINDS_TO_ITSELF);
/// Bob is said to be inside a network that nobody vouches for.
pub(super) const BOUND_INSIDE: Scene = AT_HOME.provoked_by("bob", servers::BINDS_INSIDE);
pub(super) const REGISTERS_LATE: Scene = AT_HOME.provoked_by("bob", servers::OLD_REGISTER);
pub(super) const REMOVES_ALL_IN_AN_HOUR: Scene = AT_HOME.provoked_by("bob", servers::STAR_FOR_AN_HOUR);
pub(super) const REGISTERS_BRIEFLY: Scene = AT_HOME.provoked_by("bob", servers::BRIEF_REGISTER);
pub(super) const UNREGISTERED: Scene = AT_HOME.provoked_by("bob", servers::UNREGISTERS);
pub(super) const REGISTERED_BY_PATH: Scene = AT_HOME.provoked_by("bob", servers::HAS_PATH);
/// For the registrar two hours pass before Alice calls.
pub(super) const BINDING_ENDS: Scene = Scene::of(&[BOB_ANSWERS, AT_ONE_PROXY, "--plan 'biloxi@500ms:clock(+7300s)'"]);
/// Alice asks somebody's bare address through the proxy.
pub(super) const STRANGER_ASKS: Scene = AT_HOME.provoked_by("alice", servers::ASKS_BARE_ADDRESS);
/// Alice asks for Bob along a Route that is none of the proxy's.
pub(super) const STRANGER_ASKS_ALONG_ROUTE: Scene = AT_HOME.provoked_by("alice", servers::ASKS_ALONG_ROUTE);
/// Alice is behind a NAT, and uses what was recorded of that for something else.
pub(super) const FLOW_IS_STOLEN: Scene =
    Scene::of(&[BOB_ANSWERS, RECORDS, "--topology nat"]).provoked_by("alice", servers::STEALS_FLOW);
/// Alice and Bob are in networks that only her proxy has in common.
pub(super) const BETWEEN_FAMILIES: Scene = Scene::of(&[BOB_ANSWERS, RECORDS, "--topology dual"]);
/// A router of RFC 2543 is on the path.
pub(super) const BEHIND_STRICT_ROUTER: Scene = Scene::of(&[BOB_ANSWERS, RECORDS, "--topology strict"]);
/// Alice has seen a token of a proxy, and uses it for something else.
pub(super) const TOKEN_IS_STOLEN: Scene = RECORDED.provoked_by("alice", servers::STEALS_TOKEN);
/// Bob sends callers on to Carol, who is not there, and the proxies try contacts of their own. Alice's finds one, as its route leads to all of his domain.
pub(super) const REDIRECTED: Scene =
    Scene::of(&[BOB_REJECTS, "--topology trapezoid --recurse"]).provoked_by("bob", servers::REDIRECTS);
/// Alice's proxy asks for credentials, and the nonce of her INVITE is too old for her BYE.
pub(super) const NONCES_OF_PROXY_AGE: Scene = Scene::of(&[BOB_ANSWERS, RECORDS, "--challenge proxy --nonce-age 4s"]);
/// The proxies speak TCP with each other.
pub(super) const OVER_TWO_PROTOCOLS: Scene = Scene::of(&[BOB_ANSWERS, RECORDS, "--topology mixed"]);
/// Bob's domain is a farm, where he says no.
pub(super) const REJECTED_AT_FARM: Scene = Scene::of(&[BOB_REJECTS, AT_FARM]);
/// Bob's domain is a farm.
pub(super) const ANSWERED_AT_FARM: Scene = Scene::of(&[BOB_ANSWERS, AT_FARM]);
/// Alice makes a token up, and sends it to the server whose token it would be: another one leads no stranger there.
pub(super) const TOKEN_IS_FORGED: Scene = Scene::of(&[BOB_ANSWERS, AT_ONE_PROXY, "--record-route --hang-up alice"])
    .provoked_by("alice", servers::FORGES_TOKEN);
