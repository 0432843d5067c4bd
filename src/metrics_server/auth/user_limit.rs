//! A limit on what one user may have under way at once, so that none takes the API server's time from the others.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;

use super::authn::User;

/// Counts what is under way by user. Clones share the count.
#[derive(Clone, Debug)]
pub struct UserLimit {
    most: usize,
    counts: Arc<Mutex<BTreeMap<Arc<User>, usize>>>,
}

/// One place of a user, given back when dropped.
#[derive(Debug)]
pub struct Place {
    user: Arc<User>,
    counts: Arc<Mutex<BTreeMap<Arc<User>, usize>>>,
}

impl UserLimit {
    /// So many for each user.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            counts: Arc::default(),
        }
    }

    /// A place, unless the user has all of theirs.
    pub fn enter(&self, user: &Arc<User>) -> Option<Place> {
        let mut counts = self.counts.lock();
        let count = counts.entry(user.clone()).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Place {
            user: user.clone(),
            counts: self.counts.clone(),
        })
    }
}

impl Drop for Place {
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
