//! Waits for a moment of the run, to the microsecond. The timers of tokio are exact to one millisecond only,
//! and many answers take less. On Linux a timer is a file descriptor (timerfd), so that one epoll wait serves
//! timers and sockets.

use std::{io, time::Duration};

use crate::clock::RunClock;

/// With `precise`, spinning begins this long before the moment.
const SPIN: Duration = Duration::from_millis(1);

/// Waits for moments of a run.
#[derive(Debug)]
pub(super) struct Alarm {
    clock: RunClock,
    precise: bool,
    timer: timer::Timer,
}

impl Alarm {
    /// An alarm on the current runtime. With `precise` it spins for the last millisecond.
    pub(super) fn new(clock: RunClock, precise: bool) -> io::Result<Self> {
        Ok(Self {
            clock,
            precise,
            timer: timer::Timer::new()?,
        })
    }

    /// Waits until the moment `due` of the run, and never returns before it.
    pub(super) async fn until(&self, due: Duration) -> io::Result<()> {
        // A timer may fire early, or only begin the spin: look at the clock again until the moment has come.
        loop {
            let left = due.as_secs_f64() - self.clock.now();
            if left <= 0.0 {
                return Ok(());
            }
            let left = Duration::from_secs_f64(left);
            match (self.precise, left.checked_sub(SPIN)) {
                (false, _) => self.timer.wait(left).await?,
                (true, Some(sleep)) if !sleep.is_zero() => self.timer.wait(sleep).await?,
                // The last millisecond: the loop spins, and each turn lets the runtime look at its sockets.
                (true, _) => tokio::task::yield_now().await,
            }
        }
    }
}

#[cfg(target_os = "linux")]
mod timer {
    use std::{io, os::fd::OwnedFd, time::Duration};

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::{Interest, unix::AsyncFd};

    /// A Linux timerfd, which rings to the microsecond.
    #[derive(Debug)]
    pub(super) struct Timer(AsyncFd<OwnedFd>);

    impl Timer {
        pub(super) fn new() -> io::Result<Self> {
            let timer = timerfd_create(
                TimerfdClockId::Monotonic,
                TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC,
            )?;
            #[expect(
                deprecated,
                reason = "its replacement is unsafe; an OwnedFd is one file for as long as it lives"
            )]
            let timer = AsyncFd::with_interest(timer, Interest::READABLE)?;
            Ok(Self(timer))
        }

        pub(super) async fn wait(&self, duration: Duration) -> io::Result<()> {
            let zero = Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            };
            let value = Timespec {
                tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
                // A timerfd that is set to zero is disarmed and never fires.
                tv_nsec: i64::from(duration.subsec_nanos()).max(1),
            };
            let setting = Itimerspec {
                it_interval: zero,
                it_value: value,
            };
            timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &setting)?;
            loop {
                let mut ready = self.0.readable().await?;
                let mut rings = [0; 8];
                // Reading takes the number of rings away, so that the timer is not readable until the next
                // one.
                match ready.try_io(|timer| Ok(rustix::io::read(timer.get_ref(), &mut rings)?)) {
                    Ok(read) => return read.map(|_| ()),
                    Err(_not_yet) => {}
                }
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod timer {
    use std::{io, time::Duration};

    /// The runtime's timer.
    #[derive(Debug)]
    pub(super) struct Timer;

    impl Timer {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self)
        }

        pub(super) async fn wait(&self, duration: Duration) -> io::Result<()> {
            tokio::time::sleep(duration).await;
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_never_rings_early_and_a_moment_that_has_passed_rings_at_once() {
        for precise in [false, true] {
            let clock = RunClock::begins_in(Duration::ZERO);
            let alarm = Alarm::new(clock, precise).unwrap();
            for due in [3_u64, 7, 5, 12] {
                let due = Duration::from_millis(due);
                alarm.until(due).await.unwrap();
                assert!(clock.elapsed() >= due, "{precise} {due:?}");
            }
        }
    }
}
