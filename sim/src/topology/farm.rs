//! A farm: a stateless proxy, servers behind it at the same address, and their store.

use std::net::{IpAddr, SocketAddr};

use sansip::proxy;
use sansip::random::Key;
use sansip::registrar::{self, Store};
use sansip::server::{Server, Settings};
use sansip::{Config, Duration, Flow, Listener, Script};

use super::scene::{Birth, Node, Scene, bounds, listening, parsed};
use crate::actor::{Front, FrontActor, StoreActor, StoredServerActor};
use crate::link::{Link, Links};
use crate::world::Bound;

/// The key that the servers of a farm and their front have in common.
const KEY: Key = Key::new(*b"in every setting");

/// From the front to a server on the same host: nothing is lost, and who sends to a port that nobody listens at is told.
const LOCAL: Link = Link { delay: Duration::from_millis(1), icmp: true, ..Link::FINE };

/// The name of a server.
pub(super) fn member(number: u8) -> String {
    format!("s{number}")
}

/// The links of a farm.
pub(super) fn links(links: Links, servers: u8) -> Links {
    (1..=servers).fold(links, |links, number| links.with_pair("biloxi", &member(number), LOCAL))
}

impl Scene {
    /// Adds a farm: a stateless proxy of that name at port 5060 of that address, which has these host parts, and behind it at other ports so
    /// many servers, `s1`, `s2`, …, of that domain. Their Vias and Record-Routes name the proxy's `host`, and begin with the name of the
    /// server. Their bindings are in one store, `store`.
    ///
    /// # Panics
    /// If a name is no host.
    pub fn farm(&mut self, name: &str, address: IpAddr, (host, names): (&str, &[&str]), store: IpAddr, servers: u8) {
        let at = |port: u16| SocketAddr::new(address, port);
        let owned: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let listeners = self.listeners(&[address], Some(host), &owned, false);
        let members: Vec<_> = (1..=servers).map(|number| (member(number), at(5_070 + u16::from(number)))).collect();
        let store = SocketAddr::new(store, 6_000);
        let (is_narrow, timers) = (self.is_narrow, self.timers);

        let birth = Birth { name: name.to_owned(), script: Script::default(), rport: false, is_narrow, timers };
        let shared = move |life| Config { shared_key: Some(KEY), ..birth.config(life) };
        let own = [host.to_owned(), address.to_string()].into_iter().chain(owned.clone()).collect::<Vec<_>>();
        let (locals, before) = (listeners.clone(), members.clone());
        let build = move |life| listening(Front::node(shared(life), &own, &before), &listeners);
        let bounds_of_front = bounds(build(0).0, &locals);
        let actor = Box::new(FrontActor::new(move |life| build(life).1, members.clone()));
        self.nodes.push(Node { name: name.to_owned(), actor, bounds: bounds_of_front, behind: None });

        for (name, local) in members {
            let registrar = registrar::Settings { store: Store::Owner, ..registrar::Settings::default() };
            let proxy = proxy::Settings { record_route: true, ..proxy::Settings::default() };
            let domains = names.iter().map(|name| parsed(name)).collect();
            let settings = Settings { domains, registrar, proxy, ..Settings::default() };
            let listener = Listener::udp(local).with_sent_by(parsed(host));
            let birth = Birth { name: name.clone(), script: Script::default(), rport: false, is_narrow, timers };
            let owner = parsed(&name);
            let listeners = vec![listener.clone()];
            let build = move |life| {
                let config = Config { shared_key: Some(KEY), owner, ..birth.config(life) };
                listening(Server::server(config, settings.clone()), &listeners)
            };
            let ids = build(0).0;
            let front = Flow::datagram(ids[0], at(5_060));
            let mut bounds = bounds(ids, &[listener]);
            bounds.push(Bound::from((StoredServerActor::ASKING, SocketAddr::new(address, local.port() + 1_000))));
            let actor = Box::new(StoredServerActor::new(&name, move |life| build(life).1, store, front));
            self.nodes.push(Node { name, actor, bounds, behind: None });
        }
        let bounds = vec![Bound::from((StoreActor::HERE, store))];
        self.nodes.push(Node {
            name: "store".to_owned(),
            actor: Box::new(StoreActor::default()),
            bounds,
            behind: None,
        });
    }
}
