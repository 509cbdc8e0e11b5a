//! The races of RFC 5407 §3 between two user agents, each as a ladder beside the RFC's figure.

use sansip::Instant;
use sansip::message::UriBuf;
use sansip::user_agent::Profile;
use sansip_sim::check::{breaches, standard};
use sansip_sim::{Setting, World};

use crate::drawn;
use crate::early_bye::EarlyBye;
use crate::phone::{Phone, sdp};

/// A message takes 10 ms; Alice calls at 0 ms.
fn world(plan: &str, alice: Phone, bob: Phone) -> World {
    joined(plan, |world| alice.join(world, "alice"), bob)
}

fn joined(plan: &str, alice: impl FnOnce(&mut World), bob: Phone) -> World {
    let mut world = World::new(Setting { plan: plan.parse().expect("a plan"), ..Setting::default() });
    alice(&mut world);
    bob.join(&mut world, "bob");
    let quiet = world.run_until_quiet(Instant::from_millis(120_000));
    let broken = breaches(&standard(), &world);
    assert!(quiet && broken.is_empty(), "{broken:#?}\n{}", drawn(&world));
    world
}

fn alice() -> Phone {
    Phone::new("Alice <sip:alice@atlanta.com>", [192, 0, 2, 1])
        .at(0, |alice| alice.dial("<sip:bob@192.0.2.4>", Some(sdp("offer"))))
}

fn alice_without_offer() -> Phone {
    Phone::new("Alice <sip:alice@atlanta.com>", [192, 0, 2, 1]).at(0, |alice| alice.dial("<sip:bob@192.0.2.4>", None))
}

/// Rings at 100 ms.
fn bob() -> Phone {
    Phone::new("Bob <sip:bob@biloxi.com>", [192, 0, 2, 4]).at(100, |bob| bob.agent.ring(bob.now, bob.call()))
}

fn answering_bob() -> Phone {
    bob().at(1_000, |bob| bob.agent.answer(bob.now, bob.call(), sdp("answer")))
}

fn hang_up(phone: &mut Phone) -> Result<(), sansip::CommandError> {
    phone.agent.hang_up(phone.now, phone.call())
}

fn change(phone: &mut Phone) -> Result<(), sansip::CommandError> {
    phone.agent.modify(phone.now, phone.call(), sdp("change"))
}

pub(crate) fn the_invite_again_while_the_200_is_on_its_way() -> World {
    let bob = bob().at(495, |bob| bob.agent.answer(bob.now, bob.call(), sdp("answer")));
    world("bob>alice#1:drop", alice().at(3_000, hang_up), bob)
}

#[test]
fn rfc5407_3_1_1_the_invite_again_while_the_200_is_on_its_way() {
    insta::assert_snapshot!(drawn(&the_invite_again_while_the_200_is_on_its_way()));
}

pub(crate) fn cancel_while_the_200_is_on_its_way() -> World {
    let alice = alice().at(1_000, |alice| alice.agent.cancel(alice.now, alice.call()));
    world("", alice, answering_bob())
}

#[test]
fn rfc5407_3_1_2_cancel_while_the_200_is_on_its_way() {
    insta::assert_snapshot!(drawn(&cancel_while_the_200_is_on_its_way()));
}

/// Alice's BYE ends one early dialog, which is not recommended (Appendix A); ours never sends one. It comes when the call is answered.
pub(crate) fn bye_of_an_early_dialog_while_the_200_is_on_its_way() -> World {
    joined("", |world| EarlyBye::at(1_000).join(world, "alice"), answering_bob())
}

#[test]
fn rfc5407_3_1_3_bye_of_an_early_dialog_while_the_200_is_on_its_way() {
    insta::assert_snapshot!(drawn(&bye_of_an_early_dialog_while_the_200_is_on_its_way()));
}

pub(crate) fn re_invite_before_the_ack() -> World {
    let alice = alice().at(1_505, change).at(6_000, hang_up);
    world("alice>bob#2:drop", alice, answering_bob())
}

#[test]
fn rfc5407_3_1_4_re_invite_before_the_ack() {
    insta::assert_snapshot!(drawn(&re_invite_before_the_ack()));
}

pub(crate) fn re_invite_before_the_ack_with_the_answer() -> World {
    let alice = alice_without_offer()
        .at(1_100, |alice| alice.agent.answer_offer(alice.now, alice.call(), sdp("answer")))
        .at(1_505, change)
        .at(6_000, hang_up);
    world("alice>bob#2:drop", alice, answering_bob())
}

#[test]
fn rfc5407_3_1_5_re_invite_before_the_ack_with_the_answer() {
    insta::assert_snapshot!(drawn(&re_invite_before_the_ack_with_the_answer()));
}

pub(crate) fn bye_before_the_ack() -> World {
    let alice = alice().at(1_505, hang_up);
    world("alice>bob#2:drop", alice, answering_bob())
}

#[test]
fn rfc5407_3_1_6_bye_before_the_ack() {
    insta::assert_snapshot!(drawn(&bye_before_the_ack()));
}

pub(crate) fn two_byes_cross() -> World {
    world("", alice().at(3_000, hang_up), answering_bob().at(3_000, hang_up))
}

#[test]
fn rfc5407_3_2_1_two_byes_cross() {
    insta::assert_snapshot!(drawn(&two_byes_cross()));
}

/// Bob hangs up before the ACK has come. His BYE must wait for the ACK (RFC 3261 §15), so that the two cannot cross as in the RFC's figure:
/// the ACK that arrives is the end of the wait.
pub(crate) fn bye_waits_for_the_ack() -> World {
    world("alice>bob#2:drop", alice(), answering_bob().at(1_011, hang_up))
}

#[test]
fn rfc5407_3_2_4_bye_waits_for_the_ack() {
    insta::assert_snapshot!(drawn(&bye_waits_for_the_ack()));
}

pub(crate) fn bye_and_re_invite_cross() -> World {
    world("", alice().at(3_000, hang_up), answering_bob().at(3_000, change))
}

#[test]
fn rfc5407_3_2_2_bye_and_re_invite_cross() {
    insta::assert_snapshot!(drawn(&bye_and_re_invite_cross()));
}

pub(crate) fn the_200_to_a_re_invite_and_bye_cross() -> World {
    let bob = answering_bob().at(3_000, change).at(3_011, hang_up);
    world("", alice(), bob)
}

#[test]
fn rfc5407_3_2_3_the_200_to_a_re_invite_and_bye_cross() {
    insta::assert_snapshot!(drawn(&the_200_to_a_re_invite_and_bye_cross()));
}

pub(crate) fn two_re_invites_cross() -> World {
    let alice = alice().at(3_000, change).at(9_000, hang_up);
    world("", alice, answering_bob().at(3_000, change))
}

#[test]
fn rfc5407_3_3_1_two_re_invites_cross() {
    insta::assert_snapshot!(drawn(&two_re_invites_cross()));
}

/// Both have an offer, so that each is told of the other's; Bob, who does not own the Call-ID, is the first to try again.
pub(crate) fn update_and_re_invite_cross() -> World {
    let alice =
        alice().at(3_000, |alice| alice.agent.update(alice.now, alice.call(), sdp("change"))).at(9_000, hang_up);
    world("", alice, answering_bob().at(3_000, change))
}

#[test]
fn rfc5407_3_3_2_update_and_re_invite_cross() {
    insta::assert_snapshot!(drawn(&update_and_re_invite_cross()));
}

/// An UPDATE without a description only refreshes the target: both succeed.
pub(crate) fn a_refresh_and_a_re_invite_cross() -> World {
    let alice = alice().at(3_000, |alice| alice.agent.update(alice.now, alice.call(), None)).at(9_000, hang_up);
    world("", alice, answering_bob().at(3_000, change))
}

#[test]
fn rfc5407_3_3_2_a_refresh_and_a_re_invite_cross() {
    insta::assert_snapshot!(drawn(&a_refresh_and_a_re_invite_cross()));
}

/// Alice hangs up while Bob's REFER is on its way. Her 481 comes to Bob in a dialog that the BYE has ended already.
pub(crate) fn bye_and_refer_cross() -> World {
    let profile = Profile {
        capabilities: false,
        methods: vec!["REFER".into()],
        ..Profile::new("Alice <sip:alice@atlanta.com>".parse().expect("an identity"))
    };
    let alice = Phone::with(profile, [192, 0, 2, 1])
        .at(0, |alice| alice.dial("<sip:bob@192.0.2.4>", Some(sdp("offer"))))
        .at(3_000, hang_up);
    let bob = answering_bob().at(3_000, |bob| {
        let carol = "sip:carol@192.0.2.5".parse::<UriBuf>().expect("a URI");
        bob.agent.refer(bob.now, bob.call(), &carol).map(drop)
    });
    world("", alice, bob)
}

#[test]
fn rfc5407_3_3_3_bye_and_refer_cross() {
    insta::assert_snapshot!(drawn(&bye_and_refer_cross()));
}
