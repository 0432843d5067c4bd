//! Who asks, and whether they may.

pub(crate) mod authenticator;
pub(crate) mod authn;
pub(crate) mod authz;
mod review;
mod review_cache;
pub(crate) mod token_review;
pub(crate) mod trust_watch;
mod user_limit;
