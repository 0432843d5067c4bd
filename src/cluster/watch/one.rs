//! The watch of one object by its name.

use std::time::Duration;

use kube::runtime::watcher;

use super::follow::{Sink, warn_failed};

/// A sink for a watch that shows at most one object. It calls the function with the object, with `None` if the
/// object does not exist, and with the error if the object could not be read.
#[derive(Debug)]
pub struct One<F>(pub F);

/// The settings of a watch of the one object of that name. It needs no more rights than a read of the object.
pub fn named(name: &str) -> watcher::Config {
    watcher::Config::default().fields(&format!("metadata.name={name}"))
}

impl<K, F: FnMut(Result<Option<K>, &watcher::Error>)> Sink<K> for One<F> {
    type Listed = K;

    fn list(&mut self, object: K) -> Option<K> {
        Some(object)
    }

    fn complete(&mut self, mut listed: Vec<K>) {
        (self.0)(Ok(listed.pop()));
    }

    fn apply(&mut self, object: K) {
        (self.0)(Ok(Some(object)));
    }

    fn delete(&mut self, _: K) {
        (self.0)(Ok(None));
    }

    fn failed(&mut self, watch: &str, error: &watcher::Error) -> Duration {
        warn_failed(watch, error);
        (self.0)(Err(error));
        Duration::ZERO
    }
}
