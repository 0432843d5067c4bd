//! Who works, of the tests that libtest has started.
//!
//! libtest starts tests in the order of their names, and counts one that waits for a lock as running. So it is given many
//! threads, and the tests wait here for their turn. Three kinds go before others: those that hold a lock that
//! others wait for, then those that take longest, so that none of them begins when all others have ended; and of those
//! that load a server, few work at the same time, because they would starve each other's generators.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    sync::{Condvar, Mutex, PoisonError},
};

/// Tests that work at the same time.
const AT_ONCE: usize = 6;
/// Of these, tests that load a server.
const LOADING_AT_ONCE: usize = 2;

/// Tests that take more than a minute by themselves; `module::` stands for all of a module.
const LONGEST: [&str; 8] = [
    "autoscaling::up_and_down::two_pods",
    "metrics_server::faults::",
    "metrics_server::faults_under_load::",
    "metrics_server::uninstall::",
    "metrics_server::vanished::",
    "operator::children::an_unchanged",
    "operator::costs::",
    "operator::schedules::",
];

/// The order in which tests that wait get their turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    HoldsLock,
    Longest,
    Other,
}

/// A test that waits. They are ordered by rank, then by the time of their coming.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Waiting {
    rank: Rank,
    number: usize,
    loads: bool,
}

struct Queue {
    came: usize,
    working: usize,
    loading: usize,
    waiting: BTreeSet<Waiting>,
}

static QUEUE: Mutex<Queue> = Mutex::new(Queue {
    came: 0,
    working: 0,
    loading: 0,
    waiting: BTreeSet::new(),
});
static CHANGED: Condvar = Condvar::new();

thread_local! {
    static TURN: RefCell<Option<Turn>> = const { RefCell::new(None) };
}

impl Queue {
    /// Whose turn it is now.
    fn next(&self) -> Option<Waiting> {
        if self.working >= AT_ONCE {
            return None;
        }
        let may_load = self.loading < LOADING_AT_ONCE;
        self.waiting.iter().find(|one| may_load || !one.loads).copied()
    }
}

/// The turn of one test. It ends with the thread of the test.
struct Turn {
    loads: bool,
}

impl Turn {
    fn begin(rank: Rank, loads: bool) -> Self {
        let mut queue = QUEUE.lock().unwrap_or_else(PoisonError::into_inner);
        queue.came += 1;
        let number = queue.came;
        let own = Waiting { rank, number, loads };
        queue.waiting.insert(own);
        let queue = CHANGED.wait_while(queue, |queue| queue.next() != Some(own));
        let mut queue = queue.unwrap_or_else(PoisonError::into_inner);
        queue.waiting.remove(&own);
        queue.working += 1;
        queue.loading += usize::from(loads);
        // There may be room for another one.
        CHANGED.notify_all();
        Self { loads }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut queue = QUEUE.lock().unwrap_or_else(PoisonError::into_inner);
        queue.working -= 1;
        queue.loading -= usize::from(self.loads);
        CHANGED.notify_all();
    }
}

/// Waits for the turn of the test on this thread, if it has none yet.
pub fn wait() {
    take(None, false);
}

/// The same for a test that loads a server, which must be its first wait.
pub fn wait_to_load() {
    take(None, true);
}

/// The same for a test that holds a lock for which others wait.
pub fn wait_with_lock() {
    take(Some(Rank::HoldsLock), false);
}

/// Threads that are not a test's do not wait: libtest names a test's thread after the test, `module::test`.
fn take(rank: Option<Rank>, loads: bool) {
    let thread = std::thread::current();
    let Some(test) = thread.name().filter(|name| name.contains("::")) else {
        return;
    };
    let is_long = LONGEST.iter().any(|name| test.starts_with(name));
    let by_name = if is_long { Rank::Longest } else { Rank::Other };
    TURN.with_borrow_mut(|turn| {
        turn.get_or_insert_with(|| Turn::begin(rank.unwrap_or(by_name), loads));
    });
}
