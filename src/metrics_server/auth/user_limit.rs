//! A limit on the requests of one user that are in flight at once, so that no user takes the API server's
//! time from others.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;

use super::authn::User;

/// Counts what is in flight, by user. Clones share the counts.
#[derive(Clone, Debug)]
pub(super) struct UserLimit {
    limit: usize,
    counts: Arc<Mutex<BTreeMap<Arc<User>, usize>>>,
}

/// The permit for one request of a user, given back when dropped.
#[derive(Debug)]
pub(super) struct Permit {
    user: Arc<User>,
    counts: Arc<Mutex<BTreeMap<Arc<User>, usize>>>,
}

impl UserLimit {
    /// A limit of so many at once for each user.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            counts: Arc::default(),
        }
    }

    /// A permit, or `None` if the user is at the limit.
    pub(super) fn enter(&self, user: &Arc<User>) -> Option<Permit> {
        let mut counts = self.counts.lock();
        let count = counts.entry(user.clone()).or_default();
        if *count >= self.limit {
            return None;
        }
        *count += 1;
        Some(Permit {
            user: user.clone(),
            counts: self.counts.clone(),
        })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut counts = self.counts.lock();
        if let Some(count) = counts.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str) -> Arc<User> {
        Arc::new(User {
            name: name.to_owned(),
            ..User::default()
        })
    }

    #[test]
    fn each_user_has_places_of_their_own_and_nothing_is_kept_of_who_left() {
        let limit = UserLimit::new(2);
        let places = [limit.enter(&user("a")), limit.enter(&user("a"))];
        assert!(places.iter().all(Option::is_some));
        assert!(limit.enter(&user("a")).is_none());
        let other = limit.enter(&user("b"));
        assert!(other.is_some());
        drop(places);
        assert!(limit.enter(&user("a")).is_some());
        drop(other);
        assert!(limit.counts.lock().is_empty());
    }
}
