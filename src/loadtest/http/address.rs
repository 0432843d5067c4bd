//! The addresses of a target's name. The name is resolved every few seconds, and its addresses are used in
//! turn.
//!
//! A name may have an IPv4 and an IPv6 address, or one address for each pod. Each gets its share of the
//! connections. An address that does not answer comes last until the name is resolved again.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    io,
    net::{IpAddr, SocketAddr},
    rc::Rc,
    time::Duration,
};

use tokio::{net::TcpStream, sync::Mutex, time::Instant};

use super::{Failure, Target};
use crate::model::measured::Fault;

/// Interval at which the name is resolved again, because addresses come and go.
const EVERY: Duration = Duration::from_secs(5);
/// Longest wait for one address while there is another one. One second is the time after which systems send a
/// second SYN.
const PATIENCE: Duration = Duration::from_secs(1);

/// The addresses that one thread connects to.
#[derive(Clone, Debug)]
pub(super) struct Addresses(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    known: RefCell<Vec<SocketAddr>>,
    /// Addresses that have accepted a connection.
    taken: RefCell<BTreeSet<SocketAddr>>,
    /// Addresses that have not answered since the name was last resolved.
    silent: RefCell<BTreeSet<SocketAddr>>,
    refreshed: Cell<Option<Instant>>,
    refreshing: Mutex<()>,
    turn: Cell<usize>,
    round_trip: Cell<Option<Duration>>,
}

impl Addresses {
    /// `turn` is the index of the address to begin with. Threads begin with different ones.
    pub(super) fn new(turn: usize) -> Self {
        Self(Rc::new(Inner {
            known: RefCell::default(),
            taken: RefCell::default(),
            silent: RefCell::default(),
            refreshed: Cell::new(None),
            refreshing: Mutex::default(),
            turn: Cell::new(turn),
            round_trip: Cell::new(None),
        }))
    }

    /// The shortest time that a connect has taken, which is about one round trip. `None` before the first
    /// connection.
    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.0.round_trip.get()
    }

    /// Connects to the address whose turn it is. If that fails, tries the others in order.
    pub(super) async fn connect(&self, target: &Target) -> Result<TcpStream, Failure> {
        let mut refusals = Refusals::default();
        let addresses = self.in_turn(target).await;
        let mut addresses = addresses.map_err(|error| Failure::resolve(&error))?.into_iter();
        while let Some(address) = addresses.next() {
            // Only the last address may take as long as the system allows.
            let patience = if addresses.len() > 0 {
                PATIENCE
            } else {
                Duration::MAX
            };
            let began = Instant::now();
            let connected = tokio::time::timeout(patience, TcpStream::connect(address)).await;
            let connected = connected.unwrap_or_else(|_| {
                self.0.silent.borrow_mut().insert(address);
                Err(io::ErrorKind::TimedOut.into())
            });
            match connected {
                Ok(stream) => {
                    let took = began.elapsed();
                    // The shortest connect has the least queueing, so it is nearest to a round trip.
                    let shortest = self.round_trip().map_or(took, |shortest| shortest.min(took));
                    self.0.round_trip.set(Some(shortest));
                    self.0.taken.borrow_mut().insert(address);
                    return Ok(stream);
                }
                Err(error) => refusals.add(&error, self.0.taken.borrow().contains(&address)),
            }
        }
        Err(refusals.failure())
    }

    /// All addresses: first the one whose turn it is, last those that do not answer.
    async fn in_turn(&self, target: &Target) -> io::Result<Vec<SocketAddr>> {
        if let Ok(address) = target.host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, target.port)]);
        }
        if !self.is_fresh() {
            if self.0.known.borrow().is_empty() {
                self.refresh(target).await?;
            } else if self.0.refreshing.try_lock().is_ok() {
                // There are addresses to use, so nobody waits: the name is resolved in the background.
                let (addresses, target) = (self.clone(), target.clone());
                tokio::task::spawn_local(async move { addresses.refresh(&target).await });
            }
        }
        let turn = self.0.turn.get();
        self.0.turn.set(turn.wrapping_add(1));
        let silent = self.0.silent.borrow();
        let known = self.0.known.borrow();
        let (mut addresses, mut last): (Vec<_>, Vec<_>) =
            known.iter().partition(|address| !silent.contains(address));
        // Each group is rotated by itself, so that silent addresses never move to the front.
        for some in [&mut addresses, &mut last] {
            let first = turn.checked_rem(some.len()).unwrap_or(0);
            some.rotate_left(first);
        }
        addresses.append(&mut last);
        Ok(addresses)
    }

    fn is_fresh(&self) -> bool {
        self.0
            .refreshed
            .get()
            .is_some_and(|refreshed| refreshed.elapsed() < EVERY)
    }

    /// Resolves the name, once for all tasks that need it. If that fails, addresses that are known stay in
    /// use.
    async fn refresh(&self, target: &Target) -> io::Result<()> {
        let _refreshing = self.0.refreshing.lock().await;
        // Another task has resolved the name while this one waited for the lock.
        if self.is_fresh() {
            return Ok(());
        }
        let found = target.resolver.resolve(target.host.clone(), target.port).await;
        let found = found.and_then(|found| {
            if found.is_empty() {
                Err(no_address())
            } else {
                Ok(found)
            }
        });
        match found {
            Ok(found) => {
                self.0
                    .taken
                    .borrow_mut()
                    .retain(|address| found.contains(address));
                self.0.known.replace(found);
            }
            Err(error) if self.0.known.borrow().is_empty() => return Err(error),
            Err(_) => {}
        }
        self.0.silent.borrow_mut().clear();
        self.0.refreshed.set(Some(Instant::now()));
        Ok(())
    }
}

/// Why the addresses of a name did not accept a connection. The cause of greatest weight counts; of equal
/// ones the last.
#[derive(Debug, Default)]
struct Refusals(Option<(Weight, Failure)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    /// This machine has no route to the address. That says nothing about the service if another address has
    /// an answer.
    NoWay,
    /// The address refuses the connection.
    Refused,
    /// This machine has no file descriptor or local port left. The fault is its own, whatever other addresses
    /// do.
    Own,
}

impl Refusals {
    /// Adds the error of one address. `taken` says whether this address has accepted a connection before: the
    /// system uses one error code (EADDRNOTAVAIL) both for no route to an address and for no free local port.
    fn add(&mut self, error: &io::Error, taken: bool) {
        let failure = Failure::connect(error);
        let weight = match failure {
            Failure::Generator(Fault::NoLocalPort) if !taken => Weight::NoWay,
            Failure::Generator(_) => Weight::Own,
            _ => Weight::Refused,
        };
        if self.0.as_ref().is_none_or(|(most, _)| *most <= weight) {
            self.0 = Some((weight, failure));
        }
    }

    fn failure(self) -> Failure {
        self.0
            .map_or_else(|| Failure::connect(&no_address()), |(_, failure)| failure)
    }
}

fn no_address() -> io::Error {
    io::Error::other("the name has no address")
}

#[cfg(test)]
mod tests {
    use std::{
        net::Ipv4Addr,
        path::Path,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
    };

    use super::*;
    use futures::future::BoxFuture;

    use crate::http::{Protocol, Resolve, TlsOptions};

    /// A target whose name this resolver knows.
    fn named(resolver: Arc<dyn Resolve>) -> Target {
        let tls = TlsOptions::default();
        let mut target = Target::parse("http://api:80", Protocol::Http1, &tls, Path::new("")).unwrap();
        target.resolver = resolver;
        target
    }

    /// Answers once with this many addresses, and then fails.
    #[derive(Debug, Default)]
    struct Once(AtomicUsize);

    impl Resolve for Once {
        fn resolve(&self, _: String, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
            let first = self.0.fetch_add(1, Ordering::Relaxed) == 0;
            let both = [[127, 0, 0, 1], [127, 0, 0, 2]].map(|ip| SocketAddr::from((ip, port)));
            Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(50)).await;
                if first {
                    Ok(both.to_vec())
                } else {
                    Err(io::Error::other("SERVFAIL"))
                }
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_is_resolved_once_for_all_who_come_and_again_after_a_while() {
        let once = Arc::new(Once::default());
        let target = named(once.clone());
        let (addresses, lookups) = (Addresses::new(1), || once.0.load(Ordering::Relaxed));
        let local = tokio::task::LocalSet::new();
        let together = async {
            let found = futures::join!(
                addresses.in_turn(&target),
                addresses.in_turn(&target),
                addresses.in_turn(&target)
            );
            let first = |found: io::Result<Vec<SocketAddr>>| found.unwrap()[0].ip().to_string();
            let turns = [first(found.0), first(found.1), first(found.2)];
            assert_eq!(turns, ["127.0.0.2", "127.0.0.1", "127.0.0.2"]);
            assert_eq!(lookups(), 1);
            tokio::time::sleep(EVERY).await;
            for _ in 0..3 {
                assert_eq!(addresses.in_turn(&target).await.unwrap().len(), 2);
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert_eq!(lookups(), 2);
            // The name could not be resolved; the known addresses stay in use.
            assert_eq!(addresses.in_turn(&target).await.unwrap().len(), 2);
            assert_eq!(lookups(), 2);
        };
        local.run_until(together).await;
    }

    fn of(errors: &[(i32, bool)]) -> Failure {
        let mut refusals = Refusals::default();
        for (number, taken) in errors {
            refusals.add(&io::Error::from_raw_os_error(*number), *taken);
        }
        refusals.failure()
    }

    #[test]
    fn no_free_port_is_told_of_an_address_that_took_connections_whatever_the_others_say() {
        const UNAVAILABLE: i32 = 99;
        const REFUSED: i32 = 111;
        const TOO_MANY_FILES: i32 = 24;
        let no_port = of(&[(UNAVAILABLE, true)]);
        let refused = of(&[(REFUSED, false)]);
        assert_ne!(no_port, refused);
        for other in [REFUSED, UNAVAILABLE] {
            assert_eq!(of(&[(UNAVAILABLE, true), (other, false)]), no_port);
            assert_eq!(of(&[(other, false), (UNAVAILABLE, true)]), no_port);
        }
        // This machine has no route to the other address, and never had one.
        assert_eq!(of(&[(UNAVAILABLE, false), (REFUSED, true)]), refused);
        assert_eq!(of(&[(REFUSED, true), (UNAVAILABLE, false)]), refused);
        let files = of(&[(TOO_MANY_FILES, false)]);
        assert_eq!(of(&[(TOO_MANY_FILES, false), (REFUSED, false)]), files);
    }

    /// An address that answers no SYN, because its queue is full and nobody accepts. It stays silent while
    /// the streams live.
    async fn silent() -> (SocketAddr, tokio::net::TcpListener, Vec<TcpStream>) {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::new(127, 0, 0, 2), 0).into()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut streams = Vec::new();
        let patience = Duration::from_millis(300);
        while let Ok(stream) = tokio::time::timeout(patience, TcpStream::connect(address)).await {
            streams.push(stream.unwrap());
        }
        (address, listener, streams)
    }

    /// Returns these addresses for any name.
    #[derive(Debug)]
    struct These([SocketAddr; 2]);

    impl Resolve for These {
        fn resolve(&self, _: String, _: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
            Box::pin(std::future::ready(Ok(self.0.to_vec())))
        }
    }

    #[tokio::test]
    async fn an_address_that_says_nothing_is_left_out_until_the_next_look() {
        let (silent, _listener, _streams) = silent().await;
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .unwrap();
        let good = listener.local_addr().unwrap();
        let target = named(Arc::new(These([silent, good])));
        let addresses = Addresses::new(0);
        let connected = tokio::time::timeout(Duration::from_secs(20), addresses.connect(&target)).await;
        let connected = connected.expect("the silent address is not waited for").unwrap();
        assert_eq!(connected.peer_addr().unwrap(), good);
        for _ in 0..2 {
            assert_eq!(addresses.in_turn(&target).await.unwrap(), [good, silent]);
        }
        addresses.0.refreshed.set(None);
        addresses.refresh(&target).await.unwrap();
        let mut firsts = [good; 2];
        for first in &mut firsts {
            *first = addresses.in_turn(&target).await.unwrap()[0];
        }
        firsts.sort();
        assert_eq!(firsts, [good, silent]);
    }
}
