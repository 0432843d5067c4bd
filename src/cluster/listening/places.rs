//! Places for connections: how many there are, and who leaves when all are taken and somebody new comes.
//!
//! A client that holds connections open and asks nothing must not shut out the API server or the kubelet. So whoever
//! comes gets a place: that of a connection with no request in flight, first of clients that never said who they are,
//! then of the address that holds most places, then of those that have been idle for longest.

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// Connections held at once.
const MAX_CONNECTIONS: usize = 1024;
/// Open files that are not for connections of clients.
const OTHER_FILES: usize = 256;
/// Connections held at once, however few files may be open.
const MIN_CONNECTIONS: usize = 64;
/// Longest wait for one who was told to leave and takes leave slowly, before another is told.
const PATIENCE: Duration = Duration::from_millis(100);

/// How many connections this process can hold: fewer where it may not open as many files.
pub fn most() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    open_files(&limits).map_or(MAX_CONNECTIONS, |files| {
        files
            .saturating_sub(OTHER_FILES)
            .clamp(MIN_CONNECTIONS, MAX_CONNECTIONS)
    })
}

/// The soft limit of open files.
fn open_files(limits: &str) -> Option<usize> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// All places.
pub struct Places {
    free: Arc<Semaphore>,
    taken: Mutex<BTreeMap<u64, Arc<Seat>>>,
    next: AtomicU64,
    /// A connection has no request in flight any more.
    idle: Arc<Notify>,
}

/// One place, given back when dropped.
pub struct Place {
    number: u64,
    seat: Arc<Seat>,
    places: Arc<Places>,
    _permit: OwnedSemaphorePermit,
}

/// What is known of the connection in a place.
pub struct Seat {
    from: IpAddr,
    use_: Mutex<Use>,
    leave: CancellationToken,
    idle: Arc<Notify>,
}

#[derive(Clone, Copy)]
struct Use {
    /// It said who it is, and was believed.
    known: bool,
    asked: bool,
    in_flight: usize,
    idle_since: Instant,
}

/// A request in flight.
pub struct InFlight(Arc<Seat>);

impl Places {
    /// So many.
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            free: Arc::new(Semaphore::new(most)),
            taken: Mutex::default(),
            next: AtomicU64::new(0),
            idle: Arc::default(),
        })
    }

    /// Takes a place for a client from that address. When there is none left somebody who can be spared is told to
    /// leave; where all have requests in flight, one of these has to end first. One caller at a time.
    pub async fn take(self: &Arc<Self>, from: IpAddr) -> Option<Place> {
        let permit = self.permit().await?;
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let seat = Arc::new(Seat {
            from: from.to_canonical(),
            use_: Mutex::new(Use {
                known: false,
                asked: false,
                in_flight: 0,
                idle_since: Instant::now(),
            }),
            leave: CancellationToken::new(),
            idle: self.idle.clone(),
        });
        self.taken.lock().insert(number, seat.clone());
        Some(Place {
            number,
            seat,
            places: self.clone(),
            _permit: permit,
        })
    }

    async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(permit) = self.free.clone().try_acquire_owned() {
            return Some(permit);
        }
        let mut freed = std::pin::pin!(self.free.clone().acquire_owned());
        let mut is_late = false;
        loop {
            if is_late || !self.is_somebody_leaving() {
                self.spare();
            }
            is_late = tokio::select! {
                permit = freed.as_mut() => return permit.ok(),
                // All had requests in flight; one of these ended, but its client stays connected.
                () = self.idle.notified() => false,
                () = tokio::time::sleep(PATIENCE) => true,
            };
        }
    }

    fn is_somebody_leaving(&self) -> bool {
        let taken = self.taken.lock();
        taken.values().any(|seat| seat.leave.is_cancelled())
    }

    /// Tells whoever can best be spared to leave.
    pub fn spare(&self) {
        let taken = self.taken.lock();
        let staying = || taken.values().filter(|seat| !seat.leave.is_cancelled());
        let mut places: BTreeMap<IpAddr, usize> = BTreeMap::new();
        for seat in staying() {
            *places.entry(seat.from).or_default() += 1;
        }
        let idle = staying().filter_map(|seat| {
            let now = *seat.use_.lock();
            let of_its_address = places.get(&seat.from).copied().unwrap_or_default();
            (now.in_flight == 0).then_some((now.known, Reverse(of_its_address), now.idle_since, seat))
        });
        if let Some((_, _, _, seat)) = idle.min_by_key(|(known, places, since, _)| (*known, *places, *since))
        {
            seat.leave.cancel();
        }
    }
}

impl Place {
    /// What is known of who has it.
    pub fn seat(&self) -> Arc<Seat> {
        self.seat.clone()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.taken.lock().remove(&self.number);
    }
}

impl Seat {
    /// A request came; it is in flight until what is returned is dropped.
    pub fn ask(self: &Arc<Self>) -> InFlight {
        let mut now = self.use_.lock();
        now.asked = true;
        now.in_flight += 1;
        InFlight(self.clone())
    }

    /// It said who it is, and was believed.
    pub fn identified(&self) {
        self.use_.lock().known = true;
    }

    /// Whether it ever was.
    pub fn is_known(&self) -> bool {
        self.use_.lock().known
    }

    /// Ends when the place is needed for another.
    pub async fn must_leave(&self) {
        self.leave.cancelled().await;
    }

    /// Ends when no request was in flight for `limit`, or for `first` before the first one.
    pub async fn idle_for(&self, first: Duration, limit: Duration) {
        loop {
            let now = *self.use_.lock();
            let limit = if now.asked { limit } else { first };
            let end = if now.in_flight == 0 {
                now.idle_since + limit
            } else {
                Instant::now() + limit
            };
            if end <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(end).await;
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut now = self.0.use_.lock();
        now.in_flight -= 1;
        now.idle_since = Instant::now();
        self.0.idle.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POD: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 7));
    const NODE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 1, 0, 1));

    #[tokio::test(start_paused = true)]
    async fn strangers_leave_before_the_known_and_the_longest_idle_first() {
        let places = Places::new(4);
        let mut all = Vec::new();
        for _ in 0..4 {
            all.push(places.take(POD).await.unwrap());
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        // The oldest is known, the second has a request in flight.
        all[0].seat().identified();
        let in_flight = all[1].seat().ask();
        let leaving = |all: &[Place]| -> Vec<bool> {
            all.iter().map(|place| place.seat.leave.is_cancelled()).collect()
        };
        for expected in [
            [false, false, true, false],
            [false, false, true, true],
            [true, false, true, true],
            [true, false, true, true],
        ] {
            places.spare();
            assert_eq!(leaving(&all), expected);
        }
        drop(in_flight);
        places.spare();
        assert_eq!(leaving(&all), [true; 4]);
    }

    #[tokio::test]
    async fn who_comes_to_a_full_house_gets_the_place_of_one_who_leaves() {
        let places = Places::new(1);
        let first = places.take(POD).await.unwrap();
        let leave = async {
            first.seat().must_leave().await;
            drop(first);
        };
        let (second, ()) = tokio::join!(places.take(POD), leave);
        assert!(second.is_some());
        assert_eq!(places.taken.lock().len(), 1);
    }

    #[tokio::test]
    async fn clients_of_which_each_asks_again_and_again_are_not_waited_for() {
        let places = Places::new(1);
        let busy = places.take(POD).await.unwrap();
        let asking = busy.seat().ask();
        let busy = async {
            // The answer goes out while somebody waits, and the client keeps its connection.
            tokio::task::yield_now().await;
            drop(asking);
            busy.seat().must_leave().await;
            drop(busy);
        };
        let (second, ()) = tokio::join!(places.take(NODE), busy);
        assert!(second.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn one_who_takes_leave_slowly_holds_up_nobody() {
        let places = Places::new(2);
        let (slow, quick) = (places.take(POD).await.unwrap(), places.take(POD).await.unwrap());
        let leave = async {
            quick.seat().must_leave().await;
            drop(quick);
        };
        let (third, ()) = tokio::join!(places.take(NODE), leave);
        assert!(third.is_some() && slow.seat.leave.is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn the_address_with_most_places_gives_one_up() {
        let places = Places::new(4);
        let node = places.take(NODE).await.unwrap();
        let mut pod = Vec::new();
        for _ in 0..3 {
            tokio::time::advance(Duration::from_secs(1)).await;
            pod.push(
                places
                    .take(IpAddr::V6(std::net::Ipv4Addr::new(10, 0, 0, 7).to_ipv6_mapped()))
                    .await
                    .unwrap(),
            );
        }
        places.spare();
        assert!(
            !node.seat.leave.is_cancelled(),
            "it has been idle for longest, and is the only one of its address"
        );
        assert!(pod[0].seat.leave.is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn idle_time_counts_from_the_last_answer() {
        let places = Places::new(1);
        let seat = places.take(POD).await.unwrap().seat();
        let (first, limit) = (Duration::from_secs(20), Duration::from_secs(300));
        let started = Instant::now();
        seat.idle_for(first, limit).await;
        assert_eq!(started.elapsed(), first, "it asked nothing");
        let request = seat.ask();
        let end = async {
            tokio::time::sleep(Duration::from_secs(1000)).await;
            drop(request);
        };
        let ((), idle) = tokio::join!(end, async {
            seat.idle_for(first, limit).await;
            started.elapsed()
        });
        assert!(idle >= Duration::from_secs(20 + 1000 + 300), "{idle:?}");
        assert!(idle <= Duration::from_secs(20 + 1000 + 600), "{idle:?}");
    }

    #[test]
    fn the_limit_of_open_files_is_read() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units\n\
                      Max open files            1024                 524288               files\n";
        assert_eq!(open_files(limits), Some(1024));
        assert_eq!(open_files(""), None);
        assert!((MIN_CONNECTIONS..=MAX_CONNECTIONS).contains(&most()));
    }
}
