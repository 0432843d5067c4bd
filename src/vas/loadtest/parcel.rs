//! What the flags of a run name, as the pods of a Job get it: files under names of their own, and a document with the
//! flags that are left.

use std::{
    io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    load_args::{ConnectionArgs, EngineArgs},
    masked_url::MaskedUrl,
    request_args::BodyError,
    scenario_args::ScenarioArgs,
};
use crate::exit::{Code, CommandError};
use vas_loadtest::{
    distributed::parcel::{Parcel, ParcelError},
    files,
    selection::SelectionError,
};

/// The document with the flags, in the folder of the parcel.
pub(super) const FLAGS: &str = "flags/flags.json";

/// The flags that each worker needs. They may have secrets, so they are written into a Secret alone.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Flags {
    /// The version of vas that wrote them: another one may have other flags.
    pub(super) version: String,
    pub(super) scenario: ScenarioArgs,
    pub(super) target: Option<MaskedUrl>,
    pub(super) connection: ConnectionArgs,
    pub(super) engine: EngineArgs,
}

/// Reasons why the pods cannot get what the flags name.
#[derive(Debug, thiserror::Error)]
pub(super) enum PackError {
    #[error(transparent)]
    Parcel(#[from] ParcelError),
    #[error(transparent)]
    Selection(#[from] SelectionError),
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error("{flag} {}: {source}", .file.display())]
    File {
        flag: &'static str,
        file: PathBuf,
        source: io::Error,
    },
    #[error("cannot write the flags: {0}")]
    Flags(#[from] serde_json::Error),
}

impl CommandError for PackError {
    fn code(&self) -> Code {
        Code::Invalid
    }
}

/// Puts the file of a flag into the parcel, and returns its path there. It was read already when the flags were checked.
pub(super) fn pack(
    parcel: &mut Parcel,
    flag: &'static str,
    path: &str,
    file: Option<&Path>,
) -> Result<Option<PathBuf>, PackError> {
    let Some(file) = file else {
        return Ok(None);
    };
    let content = files::read_again(file).map_err(|source| PackError::File {
        flag,
        file: file.to_owned(),
        source,
    })?;
    parcel.file(path, content)?;
    Ok(Some(path.into()))
}
