//! Connection slots: how many connections are held, and which one is evicted when all slots are held and a
//! new client connects.
//!
//! A client that holds connections open and sends nothing must not shut out the API server or the kubelet. So
//! a new client always gets a slot, as soon as one connection has no request in flight. Among these
//! connections the first to go is one of a client that never authenticated, then one of the address that
//! holds most slots, then the one that has been idle for longest.
//!
//! Example: all 4 slots are held, 3 by pod A and 1 by node B, all idle, none authenticated. Node C connects:
//! the connection of A that has been idle for longest is closed, even if B has been idle for longer.

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
use vas_core::monitoring::process::max_files;

/// Most connections held at once.
const MAX_CONNECTIONS: usize = 1024;
/// Open files that are kept for other purposes than connections of clients.
const OTHER_FILES: usize = 256;
/// Connections held at once even where the limit of open files is very low.
const MIN_CONNECTIONS: usize = 64;
/// Longest wait for an evicted connection to close, before another one is evicted as well.
const PATIENCE: Duration = Duration::from_millis(100);

/// The number of connections that this process can hold: 1024, or fewer where the limit of open files is low.
pub fn limit() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    // Where the limit is larger than a number here, it is larger than that of connections.
    let files = max_files(&limits).map(|files| usize::try_from(files).unwrap_or(usize::MAX));
    files.map_or(MAX_CONNECTIONS, |files| {
        files
            .saturating_sub(OTHER_FILES)
            .clamp(MIN_CONNECTIONS, MAX_CONNECTIONS)
    })
}

/// All slots of one port.
pub struct ConnectionSlots {
    free: Arc<Semaphore>,
    held: Mutex<BTreeMap<u64, Arc<Slot>>>,
    next: AtomicU64,
    /// Notified when a connection has no request in flight any more.
    idle: Arc<Notify>,
}

/// One acquired slot. It is given back when dropped.
pub struct HeldSlot {
    number: u64,
    slot: Arc<Slot>,
    slots: Arc<ConnectionSlots>,
    _permit: OwnedSemaphorePermit,
}

/// The state of the connection in one slot, shared by the accept loop and the task that serves the
/// connection.
pub struct Slot {
    from: IpAddr,
    usage: Mutex<Usage>,
    evict: CancellationToken,
    idle: Arc<Notify>,
}

#[derive(Clone, Copy)]
struct Usage {
    /// The client has authenticated.
    authenticated: bool,
    requested: bool,
    in_flight: usize,
    idle_since: Instant,
}

/// A request in flight: dropping it ends the request.
pub struct InFlight(Arc<Slot>);

impl ConnectionSlots {
    /// Slots for `limit` connections.
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            free: Arc::new(Semaphore::new(limit)),
            held: Mutex::default(),
            next: AtomicU64::new(0),
            idle: Arc::default(),
        })
    }

    /// Acquires a slot for a client from the address `from`. When all slots are held, an idle connection is
    /// evicted; when all have requests in flight, waits until one of these ends. Must have one caller at a
    /// time: two waiting callers would share one eviction.
    pub async fn acquire(self: &Arc<Self>, from: IpAddr) -> Option<HeldSlot> {
        let permit = self.permit().await?;
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let slot = Arc::new(Slot {
            from: from.to_canonical(),
            usage: Mutex::new(Usage {
                authenticated: false,
                requested: false,
                in_flight: 0,
                idle_since: Instant::now(),
            }),
            evict: CancellationToken::new(),
            idle: self.idle.clone(),
        });
        self.held.lock().insert(number, slot.clone());
        Some(HeldSlot {
            number,
            slot,
            slots: self.clone(),
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
            // One eviction per new client: wait until the evicted connection has closed, and evict a second
            // one only if the first is late.
            if is_late || !self.is_eviction_under_way() {
                self.evict_idle();
            }
            is_late = tokio::select! {
                permit = freed.as_mut() => return permit.ok(),
                // All connections had requests in flight. One request ended, and its client stays connected.
                () = self.idle.notified() => false,
                () = tokio::time::sleep(PATIENCE) => true,
            };
        }
    }

    fn is_eviction_under_way(&self) -> bool {
        let held = self.held.lock();
        held.values().any(|slot| slot.evict.is_cancelled())
    }

    /// Evicts the connection that is least needed, if any has no request in flight; the module says in which
    /// order.
    pub fn evict_idle(&self) {
        let held = self.held.lock();
        let not_evicted = || held.values().filter(|slot| !slot.evict.is_cancelled());
        let mut by_address: BTreeMap<IpAddr, usize> = BTreeMap::new();
        for slot in not_evicted() {
            *by_address.entry(slot.from).or_default() += 1;
        }
        let idle = not_evicted().filter_map(|slot| {
            let now = *slot.usage.lock();
            let held_by_address = by_address.get(&slot.from).copied().unwrap_or_default();
            (now.in_flight == 0).then_some((
                now.authenticated,
                Reverse(held_by_address),
                now.idle_since,
                slot,
            ))
        });
        // `false < true`: clients that did not authenticate come first; `Reverse`: the address with most
        if let Some((_, _, _, slot)) = idle.min_by_key(|(authenticated, held_by_address, since, _)| {
            (*authenticated, *held_by_address, *since)
        }) {
            // slots.
            slot.evict.cancel();
        }
    }
}

impl HeldSlot {
    /// The state of the connection in this slot.
    pub fn slot(&self) -> Arc<Slot> {
        self.slot.clone()
    }
}

impl Drop for HeldSlot {
    fn drop(&mut self) {
        self.slots.held.lock().remove(&self.number);
    }
}

impl Slot {
    /// Counts a request as in flight until the returned value is dropped.
    pub fn begin_request(self: &Arc<Self>) -> InFlight {
        let mut now = self.usage.lock();
        now.requested = true;
        now.in_flight += 1;
        InFlight(self.clone())
    }

    /// Records that the client has authenticated: its connection is evicted after those of unknown clients.
    pub fn mark_authenticated(&self) {
        self.usage.lock().authenticated = true;
    }

    /// Whether the client has authenticated.
    pub fn is_authenticated(&self) -> bool {
        self.usage.lock().authenticated
    }

    /// Completes when the connection must close because a new client needs the slot.
    pub async fn evicted(&self) {
        self.evict.cancelled().await;
    }

    /// Completes when no request was in flight for `limit`, or for `first` as long as the client sent none.
    pub async fn idle_for(&self, first: Duration, limit: Duration) {
        loop {
            let now = *self.usage.lock();
            let limit = if now.requested { limit } else { first };
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
        let mut now = self.0.usage.lock();
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
        let slots = ConnectionSlots::new(4);
        let mut all = Vec::new();
        for _ in 0..4 {
            all.push(slots.acquire(POD).await.unwrap());
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        // The oldest client has authenticated, the second one has a request in flight.
        all[0].slot().mark_authenticated();
        let in_flight = all[1].slot().begin_request();
        let leaving = |all: &[HeldSlot]| -> Vec<bool> {
            all.iter().map(|held| held.slot.evict.is_cancelled()).collect()
        };
        for expected in [
            [false, false, true, false],
            [false, false, true, true],
            [true, false, true, true],
            [true, false, true, true],
        ] {
            slots.evict_idle();
            assert_eq!(leaving(&all), expected);
        }
        drop(in_flight);
        slots.evict_idle();
        assert_eq!(leaving(&all), [true; 4]);
    }

    #[tokio::test]
    async fn who_comes_to_a_full_house_gets_the_place_of_one_who_leaves() {
        let slots = ConnectionSlots::new(1);
        let first = slots.acquire(POD).await.unwrap();
        let leave = async {
            first.slot().evicted().await;
            drop(first);
        };
        let (second, ()) = tokio::join!(slots.acquire(POD), leave);
        assert!(second.is_some());
        assert_eq!(slots.held.lock().len(), 1);
    }

    #[tokio::test]
    async fn clients_of_which_each_asks_again_and_again_are_not_waited_for() {
        let slots = ConnectionSlots::new(1);
        let busy = slots.acquire(POD).await.unwrap();
        let in_flight = busy.slot().begin_request();
        let busy = async {
            // The answer is sent while another client waits, and the busy client stays connected.
            tokio::task::yield_now().await;
            drop(in_flight);
            busy.slot().evicted().await;
            drop(busy);
        };
        let (second, ()) = tokio::join!(slots.acquire(NODE), busy);
        assert!(second.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn one_who_takes_leave_slowly_holds_up_nobody() {
        let slots = ConnectionSlots::new(2);
        let (slow, quick) = (
            slots.acquire(POD).await.unwrap(),
            slots.acquire(POD).await.unwrap(),
        );
        let leave = async {
            quick.slot().evicted().await;
            drop(quick);
        };
        let (third, ()) = tokio::join!(slots.acquire(NODE), leave);
        assert!(third.is_some() && slow.slot.evict.is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn the_address_with_most_places_gives_one_up() {
        let slots = ConnectionSlots::new(4);
        let node = slots.acquire(NODE).await.unwrap();
        let mut pod = Vec::new();
        for _ in 0..3 {
            tokio::time::advance(Duration::from_secs(1)).await;
            pod.push(
                slots
                    .acquire(IpAddr::V6(std::net::Ipv4Addr::new(10, 0, 0, 7).to_ipv6_mapped()))
                    .await
                    .unwrap(),
            );
        }
        slots.evict_idle();
        assert!(
            !node.slot.evict.is_cancelled(),
            "it has been idle for longest, and is the only one of its address"
        );
        assert!(pod[0].slot.evict.is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn idle_time_counts_from_the_last_answer() {
        let slots = ConnectionSlots::new(1);
        let slot = slots.acquire(POD).await.unwrap().slot();
        let (first, limit) = (Duration::from_secs(20), Duration::from_secs(300));
        let started = Instant::now();
        slot.idle_for(first, limit).await;
        assert_eq!(started.elapsed(), first, "it asked nothing");
        let request = slot.begin_request();
        let end = async {
            tokio::time::sleep(Duration::from_secs(1000)).await;
            drop(request);
        };
        let ((), idle) = tokio::join!(end, async {
            slot.idle_for(first, limit).await;
            started.elapsed()
        });
        assert!(idle >= Duration::from_secs(20 + 1000 + 300), "{idle:?}");
        assert!(idle <= Duration::from_secs(20 + 1000 + 600), "{idle:?}");
    }

    #[test]
    fn connections_have_a_limit_whatever_that_of_open_files_is() {
        assert!((MIN_CONNECTIONS..=MAX_CONNECTIONS).contains(&limit()));
    }
}
