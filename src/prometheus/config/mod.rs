//! Which Prometheus servers are read: one that flags describe, or several in a file that is read again when
//! it changes.
//!
//! ```text
//! FILE --schema, parse (pure)--> ServerEntry (model) --load: the files it names--> Loaded --reload--> Servers, Registry
//! ```
//!
//! Secrets (keys, tokens, passwords) are in files of their own. They are read again with every check of the
//! configuration, and never shown.

mod document;
pub mod load;
mod model;
mod parse;
mod schema;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use self::load::Loaded;
pub use self::load::{ConfigError, ConfigFile};
use crate::{
    BuildError,
    servers::{ServerSettings, Servers},
};
pub use vas_core::document::Problem;
use vas_core::metrics::promql::Reach;

/// Name of the server for metrics without `prometheusServer`.
pub const DEFAULT_SERVER: &str = "default";

/// The servers at the start, ready for queries.
pub struct Configuration {
    /// The servers, in use at once.
    pub servers: Arc<Servers>,
    /// The file that describes them, and what was loaded from it; `None` if flags describe them.
    pub origin: Option<(ConfigFile, Loaded)>,
}

impl Configuration {
    /// The same servers, with limits on ranges and subquery steps of authors' own queries.
    #[must_use]
    pub fn within(self, reach: Reach) -> Self {
        self.servers.bound(reach);
        self
    }

    /// One server with the name `default`.
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

    /// The servers that a file describes.
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
