//! How many tests work at the same time.
//!
//! Most tests wait, and some wait for a lock: those that break an installation use it one after the other. libtest
//! counts all of them as running, so it is given more threads than cores, and what they do at the same time is bounded here. What
//! tests share beside the shared cluster is started on threads of its own, and those tests run beside these.

use std::{
    cell::RefCell,
    sync::{Condvar, Mutex, PoisonError},
};

/// Tests that may work on the shared cluster, start a cluster, or load a server, at the same time.
const AT_ONCE: usize = 5;

static WORKING: Mutex<usize> = Mutex::new(0);
static ENDED: Condvar = Condvar::new();

thread_local! {
    static TURN: RefCell<Option<Turn>> = const { RefCell::new(None) };
}

/// The turn of one test. It ends with the thread of the test.
struct Turn;

impl Turn {
    fn begin() -> Self {
        let working = WORKING.lock().unwrap_or_else(PoisonError::into_inner);
        let working = ENDED.wait_while(working, |working| *working >= AT_ONCE);
        *working.unwrap_or_else(PoisonError::into_inner) += 1;
        Self
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *WORKING.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        ENDED.notify_one();
    }
}

/// Waits for the turn of the test on this thread, if it has none yet. Threads that are not a test's do not wait:
/// libtest names a test's thread after the test, `module::test`.
pub fn wait() {
    if std::thread::current()
        .name()
        .is_some_and(|name| name.contains("::"))
    {
        TURN.with_borrow_mut(|turn| {
            turn.get_or_insert_with(Turn::begin);
        });
    }
}
