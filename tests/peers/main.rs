//! vas beside the adapters that were there before: `make test-peers`. Each test walks the whole move on a cluster of its
//! own: an HPA that the other adapter feeds, vas taking the metrics API over and handing on, an HPA of vas beside it,
//! and the way back.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on must stop, and it may look at the clock"
)]

mod keda;
mod moving;
mod prometheus_adapter;
