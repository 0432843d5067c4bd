//! The pages that follow a run, and which of them still need its report. Pure: it is told the time.
//!
//! A page is counted by the number that it got, never by the requests that came: one page that loads the report twice
//! must not take the wait of another. Example: pages 1 and 2 are open at the end of the run. Page 1 gets the report and
//! is reloaded, which changes nothing; page 2 is closed, and after one second of [`GRACE`] nobody is waited for.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

/// Most pages that watch a run at once.
pub(super) const MOST: usize = 8;
/// How long a page whose stream has ended may still ask for the report: some browsers end the stream before they do,
/// and a page that is loaded again comes back under another number.
pub(super) const GRACE: Duration = Duration::from_secs(1);

/// Pages by their numbers.
#[derive(Debug, Default)]
pub(super) struct Audience {
    last: u64,
    /// When the stream of a page ended; `None` while it is open. A page that has the report is not in it.
    pages: BTreeMap<u64, Option<Instant>>,
}

/// Who is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// Nobody: each page has the report, or is gone.
    Nobody,
    /// Pages whose streams have ended, until this moment.
    Until(Instant),
    /// An open page.
    Open,
}

impl Audience {
    /// The number of one more page; `None` where [`MOST`] are open.
    pub(super) fn join(&mut self, now: Instant) -> Option<u64> {
        // One that left long ago comes back no more. So there are few of these too.
        self.pages
            .retain(|_, left| left.is_none_or(|left| left + GRACE > now));
        if self.open() >= MOST {
            return None;
        }
        self.last += 1;
        self.pages.insert(self.last, None);
        Some(self.last)
    }

    /// The stream of a page has ended.
    pub(super) fn leave(&mut self, page: u64, now: Instant) {
        if let Some(left) = self.pages.get_mut(&page) {
            *left = Some(now);
        }
    }

    /// A page has the report.
    pub(super) fn serve(&mut self, page: u64) {
        self.pages.remove(&page);
    }

    /// Number of open pages.
    pub(super) fn open(&self) -> usize {
        self.pages.values().filter(|left| left.is_none()).count()
    }

    /// Who is waited for once the report is there.
    pub(super) fn wait(&self, now: Instant) -> Wait {
        if self.open() > 0 {
            return Wait::Open;
        }
        let last = self.pages.values().flatten().max().map(|left| *left + GRACE);
        last.filter(|until| *until > now)
            .map_or(Wait::Nobody, Wait::Until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_waited_for_until_it_has_the_report_or_is_gone() {
        let mut audience = Audience::default();
        let now = Instant::now();
        assert_eq!(audience.wait(now), Wait::Nobody);
        let [one, two] = [(); 2].map(|()| audience.join(now).unwrap());
        audience.serve(one);
        audience.serve(one);
        assert_eq!(audience.wait(now), Wait::Open, "the second page has nothing yet");
        audience.leave(one, now);
        audience.leave(two, now);
        assert_eq!(audience.wait(now), Wait::Until(now + GRACE));
        assert_eq!(audience.wait(now + GRACE), Wait::Nobody);
        // The page is loaded again: it comes back under a new number.
        let again = audience.join(now).unwrap();
        assert_eq!(audience.wait(now + GRACE), Wait::Open);
        audience.serve(again);
        audience.serve(two);
        assert_eq!(audience.wait(now), Wait::Nobody);
    }

    #[test]
    fn pages_that_come_and_go_leave_nothing_behind() {
        let mut audience = Audience::default();
        let mut now = Instant::now();
        for _ in 0..100 {
            let page = audience.join(now).unwrap();
            audience.leave(page, now);
            now += GRACE;
        }
        assert_eq!(audience.pages.len(), 1);
        let open = std::iter::repeat_with(|| audience.join(now)).take_while(Option::is_some);
        assert_eq!(open.count(), MOST);
    }
}
