//! A back-to-back user agent between Alice and Bob: the transaction user of the driver's example, in a simulated network.

#[path = "../../core/driver/examples/shared/bridge.rs"]
pub(crate) mod bridge;

use bridge::{Bridge, Told};
use sansip::message::StatusCode;
use sansip::user_agent::Profile;
use sansip::{CommandError, Config, Instant, Listener, NextHop, Seed, Stack};
use sansip_sim::actor::NodeActor;
use sansip_sim::check::{breaches, standard};
use sansip_sim::{Setting, World};

use crate::drawn;
use crate::phone::{Phone, sdp};

/// When the B2BUA is told to end, in milliseconds.
const SHUT_DOWN: u64 = 60_000;

/// Alice calls Bob at 0 ms through the B2BUA, which sends all calls to Bob's address. Whether the phones end the call before the
/// B2BUA does is as said.
fn world_of(plan: &str, alice: Phone, bob: Phone, phones_end_it: bool) -> (World, String) {
    let mut world = World::new(Setting { plan: plan.parse().expect("a plan"), ..Setting::default() });
    let seed = Seed::from_u64(2);
    let profile = Profile::new("<sip:b2bua@192.0.2.2>".parse().expect("an identity"));
    let next_hop = NextHop::from(std::net::SocketAddr::from(([192, 0, 2, 4], 5060)));
    let mut stack = Stack::new(Config::new(seed), Bridge::new(profile, next_hop, seed));
    stack.listen(Listener::udp(([192, 0, 2, 2], 5060).into()));
    let actor = NodeActor::of_stack(stack, |_, _, told| match told {
        Told::Begun(to) => Some(format!("calls {to}").into()),
        Told::Answered => Some("answered".into()),
        Told::Over(status) => Some(format!("over {status:?}").into()),
        Told::Dropped(why, flow, bytes) => {
            Some(format!("dropped {why:?} of {} octets from {}", bytes.len(), flow.remote).into())
        }
    })
    .at(Instant::from_millis(SHUT_DOWN), |stack, now| stack.command(now, Bridge::shut_down));
    alice.join(&mut world, "alice");
    world.enter("b2bua", Box::new(actor));
    bob.join(&mut world, "bob");
    world.run_until(Instant::from_millis(SHUT_DOWN - 1));
    let is_over = world.actors().all(|(_, _, actor)| actor.calls().is_empty());
    let quiet = world.run_until_quiet(Instant::from_millis(200_000));
    let (broken, drawn) = (breaches(&standard(), &world), drawn(&world));
    assert!(quiet && broken.is_empty(), "{broken:#?}\n{drawn}");
    assert_eq!(is_over, phones_end_it, "{drawn}");
    (world, drawn)
}

fn world(plan: &str, alice: Phone, bob: Phone) -> (World, String) {
    world_of(plan, alice, bob, true)
}

fn alice() -> Phone {
    Phone::new("Alice <sip:alice@atlanta.com>", [192, 0, 2, 1])
        .at(0, |alice| alice.dial("<sip:bob@192.0.2.2>", Some(sdp("offer"))))
}

/// Rings at 200 ms.
fn bob() -> Phone {
    Phone::new("Bob <sip:bob@192.0.2.2>", [192, 0, 2, 4]).at(200, |bob| bob.agent.ring(bob.now, bob.call()))
}

fn answering_bob() -> Phone {
    bob().at(1_000, |bob| bob.agent.answer(bob.now, bob.call(), sdp("answer")))
}

fn hang_up(phone: &mut Phone) -> Result<(), CommandError> {
    phone.agent.hang_up(phone.now, phone.call())
}

/// The bodies that went from one to the other, by the names of their sessions.
fn bodies(world: &World, from: &str, to: &str) -> Vec<String> {
    let trace = world.trace();
    let between = trace
        .transmissions()
        .filter(|(_, _, sent)| trace.name(sent.from) == from && sent.to.is_some_and(|node| trace.name(node) == to));
    let texts = between.map(|(_, _, sent)| String::from_utf8_lossy(&sent.bytes).into_owned());
    texts.filter_map(|text| Some(text.split_once("\r\ns=")?.1.trim().to_owned())).collect()
}

#[test]
fn a_call_with_a_change_is_two_calls_that_begin_change_and_end_together() {
    let alice =
        alice().at(3_000, |alice| alice.agent.modify(alice.now, alice.call(), sdp("change"))).at(5_000, hang_up);
    let bob = answering_bob().offered(|bob| bob.agent.accept_offer(bob.now, bob.call(), sdp("changed")));
    let (world, drawn) = world("", alice, bob);
    assert_eq!(bodies(&world, "b2bua", "bob"), ["offer", "change"]);
    assert_eq!(bodies(&world, "b2bua", "alice"), ["answer", "changed"]);
    let call_ids: std::collections::BTreeSet<_> = world
        .trace()
        .transmissions()
        .filter_map(|(_, _, sent)| {
            let text = String::from_utf8_lossy(&sent.bytes).into_owned();
            text.lines().find(|line| line.starts_with("Call-ID:")).map(str::to_owned)
        })
        .collect();
    assert_eq!(call_ids.len(), 2, "each leg has its own dialog");
    assert_eq!(drawn.matches(" BYE").count(), 2, "{drawn}");
}

#[test]
fn who_hangs_up_does_not_matter() {
    let (_, drawn) = world("", alice(), answering_bob().at(3_000, hang_up));
    assert_eq!((drawn.matches(" BYE").count(), drawn.matches("over None").count()), (2, 1), "{drawn}");
}

#[test]
fn a_caller_who_gives_up_cancels_the_other_leg() {
    let (_, drawn) = world("", alice().at(1_000, |alice| alice.agent.cancel(alice.now, alice.call())), bob());
    assert_eq!((drawn.matches(" CANCEL").count(), drawn.matches(" 487").count()), (2, 2), "{drawn}");
}

#[test]
fn the_caller_hears_the_status_of_the_callee() {
    let bob = bob().at(1_000, |bob| bob.agent.reject(bob.now, bob.call(), StatusCode::BUSY_HERE));
    let (_, drawn) = world("", alice(), bob);
    assert_eq!(drawn.matches(" 486").count(), 2, "{drawn}");
    assert!(drawn.contains("over Some(486"), "{drawn}");
}

#[test]
fn an_offer_that_comes_late_is_answered_by_the_caller() {
    let alice = Phone::new("Alice <sip:alice@atlanta.com>", [192, 0, 2, 1])
        .at(0, |alice| alice.dial("<sip:bob@192.0.2.2>", None))
        .at(1_500, |alice| alice.agent.answer_offer(alice.now, alice.call(), sdp("answer")))
        .at(5_000, hang_up);
    let bob = bob().at(1_000, |bob| bob.agent.answer(bob.now, bob.call(), sdp("offer")));
    let (world, _) = world("", alice, bob);
    assert!(bodies(&world, "b2bua", "alice").iter().all(|body| body == "offer"));
    assert_eq!(bodies(&world, "b2bua", "bob").last().map(String::as_str), Some("answer"));
}

#[test]
fn lost_messages_change_nothing_for_either_leg() {
    let plan = "alice>b2bua#1:drop, b2bua>bob#2:drop, bob>b2bua#2:drop, b2bua>alice#3:drop, alice>b2bua#3:drop";
    let bob = Phone::new("Bob <sip:bob@192.0.2.2>", [192, 0, 2, 4])
        .at(2_000, |bob| bob.agent.ring(bob.now, bob.call()))
        .at(3_000, |bob| bob.agent.answer(bob.now, bob.call(), sdp("answer")));
    let (_, drawn) = world(plan, alice().at(12_000, hang_up), bob);
    assert!(drawn.contains("answered") && drawn.contains("over None"), "{drawn}");
    assert!(drawn.matches("drop").count() >= 5, "{drawn}");
}

#[test]
fn a_bridge_that_shuts_down_ends_both_legs() {
    let (_, drawn) = world_of("", alice(), answering_bob(), false);
    assert_eq!((drawn.matches(" BYE").count(), drawn.matches("over None").count()), (2, 1), "{drawn}");
}
