//! A process that may start no thread. In a test binary of its own: the limit is the process's.
#![cfg(target_os = "linux")]

mod shared;

use std::net::UdpSocket;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use sansip::user_agent::{Cause, Event, Profile, UserAgent};
use sansip::{Config, Duration, Listener};
use sansip_driver::{Attempt, Dns, Resolver, Trouble, Turn};
use shared::{Driver, any_port};

/// Calls; what went wrong in the moment after, and whether the call has failed.
fn call(driver: &mut Driver, agent: &mut UserAgent, target: &str) -> (Vec<Trouble>, Option<Cause>) {
    agent.call(driver.now(), &target.parse().expect("a target")).expect("a call");
    let (until, mut troubles, mut failed) = (driver.now() + Duration::from_millis(300), Vec::new(), None);
    loop {
        match driver.next(agent, until) {
            Turn::Event(Event::Failed { cause, .. }) => failed = Some(cause),
            Turn::Trouble(trouble) if trouble.attempt == Attempt::Resolve => troubles.push(trouble),
            Turn::Time => return (troubles, failed),
            _ => {}
        }
    }
}

#[test]
fn without_a_thread_for_the_resolver_names_fail_with_a_message_and_addresses_work() {
    let (silent, peer) = [(); 2].map(|()| UdpSocket::bind(any_port()).expect("a port")).into();
    let local = |socket: &UdpSocket| socket.local_addr().expect("an address");
    let dns = Resolver::Dns(Dns { servers: vec![local(&silent)] });
    let drivers = [Driver::blocking, Driver::tokio].into_iter();
    let mut limited: Vec<_> = drivers
        .flat_map(|driver| [driver(Resolver::System), driver(dns.clone())])
        .map(|driver| (driver, agent()))
        .collect();
    let (soft, hard) = getrlimit(Resource::RLIMIT_NPROC).expect("a limit");
    // The limit does not hold for root.
    if nix::unistd::geteuid().is_root() {
        nix::unistd::setuid(nix::unistd::Uid::from_raw(65_534)).expect("root may become anybody");
    }
    setrlimit(Resource::RLIMIT_NPROC, 0, hard).expect("a lower limit");
    assert!(std::thread::Builder::new().spawn(|| ()).is_err(), "the limit does not hold");
    for (driver, agent) in &mut limited {
        driver.listen(agent, Listener::udp(any_port()));
        let (troubles, cause) = call(driver, agent, "<sip:bob@biloxi.example>");
        assert!(matches!(cause, Some(Cause::Unresolved)), "{cause:?}");
        let [trouble] = troubles.as_slice() else { panic!("{troubles:?}") };
        assert!(trouble.to_string().starts_with("the resolver could not be asked: "), "{trouble}");
        let (troubles, cause) = call(driver, agent, &format!("<sip:bob@{}>", local(&peer)));
        assert!(troubles.is_empty() && cause.is_none(), "{troubles:?} {cause:?}");
    }
    setrlimit(Resource::RLIMIT_NPROC, soft, hard).expect("the limit as it was");
    // As soon as there is a thread, names are asked for.
    for (driver, agent) in &mut limited {
        let (troubles, _) = call(driver, agent, "<sip:bob@localhost>");
        assert!(troubles.is_empty(), "{troubles:?}");
    }
}

fn agent() -> UserAgent {
    let config = Config::new(sansip_driver::seed().expect("randomness"));
    UserAgent::user_agent(config, Profile::new("<sip:alice@127.0.0.1>".parse().expect("an identity")))
}
