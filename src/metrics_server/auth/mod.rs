//! Authentication and authorization: who sent a request, and whether that user may make it.

pub(crate) mod authenticator;
pub(crate) mod authn;
pub(crate) mod authz;
mod review;
mod review_cache;
pub(crate) mod token_review;
pub(crate) mod trust_watch;
