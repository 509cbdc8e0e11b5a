//! The user of a phone, and the registrar that it is known at.

use clap::Args;
use sansip::Config;
use sansip::auth::{Login, Scope, Secret};
use sansip::message::header::NameAddrBuf;
use sansip::user_agent::{Profile, UserAgent};

use super::{Hop, Outcome};

/// A user and a registrar.
#[derive(Args)]
pub(crate) struct Account {
    /// Name and address of the user, such as sip:bob@biloxi.com
    #[arg(long)]
    pub(crate) aor: NameAddrBuf,
    /// The registrar, through which calls go, too. An address proves by TLS the domain of the user
    #[arg(long, value_name = Hop::VALUE)]
    pub(crate) registrar: Option<Hop>,
    /// The password of the user at the registrar
    #[arg(long, requires = "registrar")]
    password: Option<String>,
}

impl Account {
    /// Makes the user's node, which sends all requests through the registrar, if there is one, and which allows `methods` more than
    /// it would otherwise.
    pub(crate) fn user_agent(&self, config: Config, methods: &[&str]) -> Outcome<UserAgent> {
        let mut profile = Profile::new(self.aor.clone());
        let uri = self.aor.uri();
        profile.outbound = self.registrar.clone().map(|hop| hop.of_domain(uri.host().map(|host| host.to_buf())));
        profile.methods = methods.iter().map(|method| (*method).into()).collect();
        let mut agent = UserAgent::user_agent(config, profile);
        if let Some(password) = &self.password {
            agent.login(Scope::Any, Login::new(uri.user().unwrap_or_default(), Secret::password(password)))?;
        }
        Ok(agent)
    }
}
