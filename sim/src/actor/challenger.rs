//! A proxy that asks its own users for credentials.

use std::sync::Arc;

use sansip::auth::{Asker, Gate, Settings, Users};
use sansip::message::{HeaderId, Method, Request, Response};
use sansip::server::{self, Server};
use sansip::{Config, Context, Indication, Random, Script, Stack, Tag, TransactionUser};

/// A domain's server behind a gate: whoever says in From to be of the domain has to prove it (407, RFC 3261 §22.3). All else is as it
/// is without the gate.
#[derive(Clone, Debug)]
pub struct Challenger {
    server: server::Core,
    gate: Gate,
    users: Users,
    domain: String,
    settings: Arc<server::Settings>,
}

impl Challenger {
    /// A node with no listener yet, that asks the users of this domain.
    ///
    /// # Panics
    /// If the gate's settings cannot be said in a challenge.
    pub fn node(config: Config, server: server::Settings, domain: &str, gate: Settings, users: Users) -> Stack<Self> {
        // Who looks at the settings sees how long the nonces of the gate are good for.
        let digest = server::Digest { nonce_age: gate.nonce_age, ..server.digest.clone() };
        let settings = Arc::new(server::Settings { digest, ..server.clone() });
        let server = Server::server(config.clone(), server).user().clone();
        let mut random = Random::new(config.seed, Script::default());
        // The first one is the endpoint's.
        let [_, key] = [(); 2].map(|()| random.hash_key());
        let gate = Gate::new(Asker::Proxy, gate, key).unwrap_or_else(|error| panic!("the gate: {error}"));
        Stack::new(config, Self { server, gate, users, domain: format!("@{domain}>"), settings })
    }

    /// The server behind the gate.
    pub const fn server(&self) -> &server::Core {
        &self.server
    }

    /// The settings of the server.
    pub fn settings(&self) -> &server::Settings {
        &self.settings
    }

    /// Whether a request is of a user of the domain, and one that may be challenged: ACK and CANCEL never are (RFC 3261 §22.1).
    fn concerns(&self, request: &Request) -> bool {
        let method = request.method();
        let from = request.headers().raw(HeaderId::From);
        !matches!(method, Method::Ack | Method::Cancel | Method::Register)
            && from.is_some_and(|from| String::from_utf8_lossy(from).contains(&self.domain))
    }
}

impl TransactionUser for Challenger {
    type Event = server::Event;

    const TAKES_STRAYS: bool = true;

    fn indicate(&mut self, cx: &mut Context<'_, server::Event>, indication: Indication) {
        let arrival = match indication {
            Indication::Request(arrival) if self.concerns(&arrival.request) => arrival,
            other => return self.server.indicate(cx, other),
        };
        match self.gate.check(&arrival.request, cx.now(), |claim| self.users.look_up(claim)) {
            Ok(_) => self.server.indicate(cx, Indication::Request(arrival)),
            Err(refusal) => {
                let now = cx.now();
                let (status, fields) = self.gate.refuse(refusal, now, cx.random());
                let mut response = Response::to(&arrival.request, status);
                for (id, value) in fields.iter() {
                    response = response.header(id, value);
                }
                cx.answer(arrival, response);
            }
        }
    }

    fn is_idle(&self) -> bool {
        self.server.is_idle()
    }

    fn timer_name(&self, tag: Tag) -> &'static str {
        self.server.timer_name(tag)
    }
}
