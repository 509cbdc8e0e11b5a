//! A domain that DNS knows: NAPTR, SRV and address, asked for once.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};

use hickory_resolver::proto::op::{Message, MessageType, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, NAPTR, SOA, SRV};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use sansip::message::header::NameAddrBuf;
use sansip::user_agent::{Event, Profile, UserAgent};
use sansip::{Config, Duration, Listener};
use sansip_driver::blocking::Driver;
use sansip_driver::{Dns, Resolver, Turn};

/// A host whose address may be remembered for 1 s.
const SOON: &str = "soon.example.";

type Asked = Arc<Mutex<Vec<(RecordType, String)>>>;

/// A name server of biloxi.example, whose SIP over UDP is at that port of this machine.
fn server(port: u16) -> (SocketAddr, Asked) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let (address, asked) = (socket.local_addr().expect("an address"), Asked::default());
    let questions = asked.clone();
    std::thread::spawn(move || {
        let mut buffer = [0; 4_096];
        while let Ok((length, remote)) = socket.recv_from(&mut buffer) {
            let Ok(query) = Message::from_vec(&buffer[..length]) else { continue };
            let Some(question) = query.queries().first().cloned() else { continue };
            let (name, kind) = (question.name().to_ascii().to_lowercase(), question.query_type());
            questions.lock().expect("the questions").push((kind, name.clone()));
            let mut response = Message::new();
            response.set_id(query.id()).set_message_type(MessageType::Response).set_recursion_available(true);
            response.add_query(question.clone());
            let parsed = |name: &str| Name::from_ascii(name).expect("a name");
            let text = |text: &str| text.as_bytes().into();
            let answer = match (kind, name.as_str()) {
                (RecordType::NAPTR, "biloxi.example.") => {
                    let to = parsed("_sip._udp.biloxi.example.");
                    Some(RData::NAPTR(NAPTR::new(50, 50, text("s"), text("SIP+D2U"), text(""), to)))
                }
                (RecordType::SRV, "_sip._udp.biloxi.example.") => {
                    Some(RData::SRV(SRV::new(1, 1, port, parsed("bigbox.biloxi.example."))))
                }
                (RecordType::A, "bigbox.biloxi.example." | SOON) => Some(RData::A(A(Ipv4Addr::LOCALHOST))),
                (_, "bigbox.biloxi.example." | SOON) => None,
                _ => {
                    response.set_response_code(ResponseCode::NXDomain);
                    None
                }
            };
            let ttl = if name == SOON { 1 } else { 60 };
            match answer {
                Some(answer) => drop(response.add_answer(Record::from_rdata(question.name().clone(), ttl, answer))),
                // How long that there is nothing may be remembered (RFC 2308).
                None => {
                    let (zone, host) = (parsed("example."), parsed("ns.example."));
                    let authority = SOA::new(host, parsed("root.example."), 1, 60, 60, 60, 60);
                    response.add_name_server(Record::from_rdata(zone, 60, RData::SOA(authority)));
                }
            }
            let _ = socket.send_to(&response.to_vec().expect("a response"), remote);
        }
    });
    (address, asked)
}

struct Phone {
    driver: Driver,
    agent: UserAgent,
    port: u16,
}

fn phone(name: &str, resolver: Resolver) -> Phone {
    let config = Config::new(sansip_driver::seed().expect("randomness"));
    let mut profile = Profile::new(format!("<sip:{name}@127.0.0.1>").parse().expect("an identity"));
    profile.any_user = true;
    let mut agent = UserAgent::user_agent(config, profile);
    let mut driver = Driver::with_resolver(resolver).expect("a driver");
    let listener = Listener::udp("127.0.0.1:0".parse().expect("an address"));
    let (_, listener) = driver.listen(&mut agent, listener).expect("a port");
    Phone { driver, agent, port: listener.local.port() }
}

/// Calls, and what became of it.
fn call(alice: &mut Phone, bob: &mut Phone, target: &str) -> String {
    let target: NameAddrBuf = target.parse().expect("a target");
    alice.agent.call(alice.driver.now(), &target).expect("a call");
    let end = alice.driver.now() + Duration::from_secs(20);
    while alice.driver.now() < end {
        for phone in [&mut *alice, &mut *bob] {
            let until = phone.driver.now() + Duration::from_millis(5);
            let turn = phone.driver.next(&mut phone.agent, Some(until)).expect("a driver that waits");
            let now = phone.driver.now();
            match turn {
                Turn::Event(Event::Incoming { call, .. }) => phone.agent.answer(now, call, None).expect("an answer"),
                Turn::Event(Event::Answered { call, .. }) => {
                    phone.agent.hang_up(now, call).expect("an end");
                    return "answered".into();
                }
                Turn::Event(Event::Failed { cause, .. }) => return format!("{cause:?}"),
                _ => {}
            }
        }
    }
    "nothing".into()
}

#[test]
fn a_domain_is_found_by_naptr_srv_and_address_and_remembered() {
    let mut bob = phone("bob", Resolver::System);
    let (server, asked) = server(bob.port);
    let mut alice = phone("alice", Resolver::Dns(Dns { servers: vec![server] }));
    assert_eq!(call(&mut alice, &mut bob, "<sip:bob@biloxi.example>"), "answered");
    let first = asked.lock().expect("the questions").clone();
    let kinds: Vec<_> = first.iter().map(|(kind, _)| *kind).filter(|kind| *kind != RecordType::AAAA).collect();
    assert_eq!(kinds, [RecordType::NAPTR, RecordType::SRV, RecordType::A], "{first:?}");
    // For as long as the records' TTL nothing is asked again.
    assert_eq!(call(&mut alice, &mut bob, "<sip:bob@biloxi.example>"), "answered");
    assert_eq!(*asked.lock().expect("the questions"), first);
    // Nor for as long as the zone says, where there is nothing.
    assert_eq!(call(&mut alice, &mut bob, "<sip:bob@chicago.example>"), "Unresolved");
    let second = asked.lock().expect("the questions").clone();
    assert!(second.len() > first.len());
    assert_eq!(call(&mut alice, &mut bob, "<sip:bob@chicago.example>"), "Unresolved");
    assert_eq!(*asked.lock().expect("the questions"), second);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a TTL is real time")]
fn an_address_is_asked_for_again_when_its_ttl_is_over() {
    let mut bob = phone("bob", Resolver::System);
    let (server, asked) = server(bob.port);
    let mut alice = phone("alice", Resolver::Dns(Dns { servers: vec![server] }));
    let target = format!("<sip:bob@soon.example:{}>", bob.port);
    for times in 1..=2 {
        assert_eq!(call(&mut alice, &mut bob, &target), "answered");
        let asked = asked.lock().expect("the questions").clone();
        assert_eq!(asked.iter().filter(|(kind, _)| *kind == RecordType::A).count(), times, "{asked:?}");
        std::thread::sleep(std::time::Duration::from_millis(1_100));
    }
}
