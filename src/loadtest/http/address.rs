//! The addresses of a target's name: resolved every few seconds, and used in turn.
//!
//! A name may have an address for each family, or one for each pod. All of them get their share of the connections.

use std::{
    cell::{Cell, RefCell},
    fmt, io,
    net::{IpAddr, SocketAddr},
    rc::Rc,
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::{net::TcpStream, sync::Mutex, time::Instant};

use super::{Failure, Target};

/// From one look at the name to the next: addresses come and go meanwhile.
const EVERY: Duration = Duration::from_secs(5);

/// Who knows the addresses of names.
pub trait Resolve: fmt::Debug + Send + Sync {
    /// All addresses of a name, with the port.
    fn resolve(&self, host: String, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>>;
}

/// This machine's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, host: String, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }
}

/// The addresses that one thread connects to.
#[derive(Clone, Debug)]
pub(super) struct Addresses(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    known: RefCell<Vec<SocketAddr>>,
    looked: Cell<Option<Instant>>,
    looking: Mutex<()>,
    turn: Cell<usize>,
    round_trip: Cell<Option<Duration>>,
}

impl Addresses {
    /// Begins with the address of that number: threads begin with different ones.
    pub(super) fn new(turn: usize) -> Self {
        Self(Rc::new(Inner {
            known: RefCell::default(),
            looked: Cell::new(None),
            looking: Mutex::default(),
            turn: Cell::new(turn),
            round_trip: Cell::new(None),
        }))
    }

    /// The shortest time that it took to connect, which is a round trip; `None` before the first connection.
    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.0.round_trip.get()
    }

    /// Connects to the address whose turn it is, or to the next one that takes the connection.
    pub(super) async fn connect(&self, target: &Target) -> Result<TcpStream, Failure> {
        let mut refused = None;
        let addresses = self.in_turn(target).await;
        for address in addresses.map_err(|error| Failure::resolve(&error))? {
            let began = Instant::now();
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    let took = began.elapsed();
                    let shortest = self.round_trip().map_or(took, |shortest| shortest.min(took));
                    self.0.round_trip.set(Some(shortest));
                    return Ok(stream);
                }
                // That this machine has no way to one address says nothing of the service; another address does.
                Err(error) if refused.is_some() && error.kind() == io::ErrorKind::AddrNotAvailable => {}
                Err(error) => refused = Some(error),
            }
        }
        Err(Failure::connect(&refused.unwrap_or_else(no_address)))
    }

    /// All addresses, that whose turn it is first.
    async fn in_turn(&self, target: &Target) -> io::Result<Vec<SocketAddr>> {
        if let Ok(address) = target.host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, target.port)]);
        }
        if !self.is_fresh() {
            if self.0.known.borrow().is_empty() {
                self.look(target).await?;
            } else if self.0.looking.try_lock().is_ok() {
                // Nobody waits for news while there are addresses.
                let (addresses, target) = (self.clone(), target.clone());
                tokio::task::spawn_local(async move { addresses.look(&target).await });
            }
        }
        let turn = self.0.turn.get();
        self.0.turn.set(turn.wrapping_add(1));
        let mut addresses = self.0.known.borrow().clone();
        let first = turn.checked_rem(addresses.len()).unwrap_or(0);
        addresses.rotate_left(first);
        Ok(addresses)
    }

    fn is_fresh(&self) -> bool {
        self.0.looked.get().is_some_and(|looked| looked.elapsed() < EVERY)
    }

    /// Resolves the name, once for all who want to know. Addresses that were found before stay where none are now.
    async fn look(&self, target: &Target) -> io::Result<()> {
        let _looking = self.0.looking.lock().await;
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
                self.0.known.replace(found);
            }
            Err(error) if self.0.known.borrow().is_empty() => return Err(error),
            Err(_) => {}
        }
        self.0.looked.set(Some(Instant::now()));
        Ok(())
    }
}

fn no_address() -> io::Error {
    io::Error::other("the name has no address")
}

#[cfg(test)]
mod tests {
    use std::{
        path::Path,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
    };

    use super::*;
    use crate::loadtest::http::{Protocol, TlsOptions};

    /// Answers with so many addresses, and fails after the first time.
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
        let mut target = Target::parse(
            "http://api:80",
            Protocol::Http1,
            &TlsOptions::default(),
            Path::new(""),
        )
        .unwrap();
        target.resolver = once.clone();
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
            // It could not be resolved; the addresses that are known are still good.
            assert_eq!(addresses.in_turn(&target).await.unwrap().len(), 2);
            assert_eq!(lookups(), 2);
        };
        local.run_until(together).await;
    }
}
