//! `vas simulate`: what the HPA controller would do, without a cluster.
//!
//! ```text
//! sync        one sync of the controller
//! load        the load of a file                subject  an HPA, and how its metrics follow from the load
//! comparison  policies side by side over a load cost     what replicas cost
//! threshold   what must hold for a policy            optimize  other settings that would have been better
//! ready       the time to Ready of a report
//! ```
//!
//! The algorithm is [`vas_core::hpa`], and the replay is [`vas_core::replay`]. Must not: read a cluster, open a file, or
//! read a clock. Only [`load::Past`] reads Prometheus, by the client that it is given.

pub mod comparison;
pub mod cost;
pub mod load;
pub mod optimize;
pub mod ready;
pub mod subject;
pub mod sync;
pub mod threshold;
