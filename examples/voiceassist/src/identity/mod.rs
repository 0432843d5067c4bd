//! Who calls: passwords, tokens, and the caller of a request.
//!
//! Invariant: a password is compared with a hash for each login, also where there is no such account, so that the time of an
//! answer does not tell which addresses exist.

mod caller;
pub mod password;
mod refresh;
mod token;

use uuid::Uuid;

pub use self::{
    caller::{Administrator, Caller},
    password::Passwords,
    refresh::RefreshToken,
    token::{TokenKey, WeakSecret},
};
use crate::database::Statement;

/// Statements of this module.
pub const STATEMENTS: &[&Statement] = &[&refresh::STORE, &refresh::USE];

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Talks, and searches.
    User,
    /// The same, more often.
    Power,
    /// Manages users, flags and documents, and reads the audit log.
    Admin,
}

impl Role {
    /// The role as it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Power => "power",
            Self::Admin => "admin",
        }
    }

    /// The role of a stored text; the table allows no other.
    pub fn stored(text: &str) -> Self {
        match text {
            "admin" => Self::Admin,
            "power" => Self::Power,
            _ => Self::User,
        }
    }
}

/// Who is logged in, as a token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Identity {
    /// The user.
    #[serde(rename = "sub")]
    pub user: Uuid,
    /// What the user may do.
    pub role: Role,
}
