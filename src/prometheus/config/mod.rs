//! Where the metrics server reads from: one Prometheus given by flags, or several in a file that is read again
//! when it changes.
//!
//! ```text
//! FILE --document (pure)--> Document --load: the files it names--> Loaded --reload--> Servers, Registry
//! ```
//!
//! Secrets (keys, tokens, passwords) come from files of their own, are read again with every look at the
//! configuration, and are never shown.

mod document;
mod fields;
pub(crate) mod load;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use self::load::Loaded;
pub use self::{
    fields::Problem,
    load::{ConfigError, ConfigFile},
};
use super::{
    BuildError,
    servers::{ServerSettings, Servers},
};
use crate::core::metrics::promql::Reach;

/// The Prometheus that metrics without `prometheusServer` are read from.
pub const DEFAULT_SERVER: &str = "default";

/// The servers to start with, ready to be asked.
pub struct Configuration {
    pub(crate) servers: Arc<Servers>,
    /// Where they come from, unless from flags.
    pub(crate) origin: Option<(ConfigFile, Loaded)>,
}

impl Configuration {
    /// The same servers, whose authors' own queries reach no further than this.
    #[must_use]
    pub fn within(self, reach: Reach) -> Self {
        self.servers.bound(reach);
        self
    }

    /// One server, called `default`.
    ///
    /// # Errors
    /// See [`BuildError`].
    pub fn single(settings: ServerSettings) -> Result<Self, BuildError> {
        let servers = Servers::default();
        let settings = BTreeMap::from([(DEFAULT_SERVER.to_owned(), settings)]);
        match servers.update(settings, &BTreeSet::new()).pop() {
            Some((_, error)) => Err(error),
            None => Ok(Self {
                servers: Arc::new(servers),
                origin: None,
            }),
        }
    }

    /// The servers of a file.
    ///
    /// # Errors
    /// All problems of the file and of the files that it names.
    pub fn from_file(file: ConfigFile) -> Result<Self, ConfigError> {
        let servers = Servers::default();
        let loaded = file.applied(&servers)?;
        Ok(Self {
            servers: Arc::new(servers),
            origin: Some((file, loaded)),
        })
    }
}
