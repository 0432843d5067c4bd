//! How names become addresses.

use std::{fmt, io, net::SocketAddr};

use futures::future::BoxFuture;

/// Resolves host names to addresses.
pub trait Resolve: fmt::Debug + Send + Sync {
    /// All addresses of a name, with the port.
    fn resolve(&self, host: String, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>>;
}

/// The resolver of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, host: String, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }
}
