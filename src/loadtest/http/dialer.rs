//! Opens the connections of one thread to one target.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use super::{
    BoxedStream, Failure, Target,
    address::Addresses,
    connect::connect,
    slots::{Open, Slots},
    wire::Wire,
};

/// Opens connections to one target, for whoever has a slot.
#[derive(Debug)]
pub(super) struct Dialer {
    pub(super) target: Rc<Target>,
    pub(super) slots: Rc<Slots>,
    addresses: Addresses,
    /// Addresses of the few other hosts to which redirects lead.
    others: RefCell<BTreeMap<(String, u16), Addresses>>,
}

impl Dialer {
    pub(super) fn new(target: Rc<Target>, slots: Rc<Slots>) -> Self {
        Self {
            target,
            addresses: Addresses::new(slots.limits.thread),
            slots,
            others: RefCell::default(),
        }
    }

    /// Opens a connection to the dialer's target, to the same host over another protocol, or to where a
    /// redirect leads.
    pub(super) async fn connect(&self, target: &Target) -> Result<BoxedStream, Failure> {
        let first = target.proxy.as_deref().unwrap_or(target);
        connect(target, &self.addresses_of(first)).await
    }

    fn addresses_of(&self, target: &Target) -> Addresses {
        if (&target.host, target.port) == (&self.target.host, self.target.port) {
            return self.addresses.clone();
        }
        let mut others = self.others.borrow_mut();
        let other = others.entry((target.host.clone(), target.port));
        other
            .or_insert_with(|| Addresses::new(self.slots.limits.thread))
            .clone()
    }

    /// Opens a connection for requests. It counts as open until the guard is dropped.
    pub(super) async fn dial(&self) -> Result<(Wire, Open), Failure> {
        let stream = self.connect(&self.target).await?;
        Ok((Wire::new(stream), self.slots.usage.opened()))
    }

    /// The shortest time that a connect to the target has taken, see [`Addresses::round_trip`].
    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.addresses.round_trip()
    }
}
