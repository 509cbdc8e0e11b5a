//! The verbs of a proxy: what is sent for somebody else.

use alloc::vec::Vec;
use core::net::IpAddr;

use super::Context;
use crate::endpoint::{DeliveryId, Terms};
use crate::error::CommandError;
use crate::message::{Recipe, Request};
use crate::tag::Tag;
use crate::transport::{Here, Network, NextHop, Requester};

impl<E> Context<'_, E> {
    /// Sends a request for somebody else: see [`Endpoint::request_for`].
    ///
    /// # Errors
    /// As [`Endpoint::request_from`].
    pub(crate) fn request_for(
        &mut self,
        source: (&dyn Recipe, &Here),
        next_hop: NextHop,
        tag: impl Into<Tag>,
        branch_suffix: &str,
        terms: Terms,
    ) -> Result<DeliveryId, CommandError> {
        let tag = self.marked(tag);
        self.endpoint.request_for(self.now, source, next_hop, tag, branch_suffix, terms)
    }

    /// Forwards statelessly what is written from `recipe` and was `received`: see [`Endpoint::relay_from`].
    ///
    /// # Errors
    /// As [`Endpoint::relay_from`].
    pub(crate) fn relay_from(
        &mut self,
        recipe: &dyn Recipe,
        received: &Request,
        towards: (NextHop, Option<Requester>),
        branch_suffix: &str,
    ) -> Result<(), CommandError> {
        self.endpoint.relay_from(self.now, recipe, received, towards, branch_suffix)
    }

    /// Forwards a request for a stateless proxy: see [`Endpoint::relay_marked`].
    ///
    /// # Errors
    /// As [`Endpoint::relay_marked`].
    pub(crate) fn relay_marked(
        &mut self,
        recipe: &dyn Recipe,
        here: &Here,
        received: &Request,
        next_hop: NextHop,
    ) -> Result<(), CommandError> {
        self.endpoint.relay_marked(self.now, recipe, here, received, next_hop)
    }

    /// The configuration names these addresses and networks: see [`Endpoint::name`].
    pub(crate) fn name(&mut self, addresses: Vec<IpAddr>, hops: Vec<Network>) {
        self.endpoint.name(addresses, hops);
    }
}
