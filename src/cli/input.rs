//! Files given with `-f`: YAML or JSON, several documents, `-` for standard input, `List` objects unpacked.

use std::io::Read;

use serde_json::Value;

use crate::core::validate::document::{self, Document};

/// Largest file read. The biggest resource the CRD admits is far smaller.
const MAX_BYTES: u64 = 16 << 20;

/// What messages call `-`.
const STANDARD_INPUT: &str = "standard input";

/// One object of a file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Object {
    /// The file's name as given, for messages.
    pub(super) file: String,
    /// The object.
    pub(super) value: Value,
}

/// All objects of all files, in order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Input {
    files: Vec<String>,
    /// The objects, of whatever kind.
    pub(super) objects: Vec<Object>,
}

/// Why a file gave no objects.
#[derive(Debug, thiserror::Error)]
pub(super) enum InputError {
    /// The file cannot be read.
    #[error("cannot read {file}: {source}")]
    Read {
        /// Which file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file is too large to be a manifest.
    #[error("{file} is larger than 16 MiB; is it a manifest?")]
    TooLarge {
        /// Which file.
        file: String,
    },
    /// None of the objects is one of ours.
    #[error("{files}: no VoiceAssistScaling found; its apiVersion is scaling.voiceassist.io/v1alpha1")]
    NoneFound {
        /// The files as given.
        files: String,
    },
    /// The file is not YAML.
    #[error("{file} is not valid YAML: {source}")]
    Syntax {
        /// Which file.
        file: String,
        /// Where and why.
        source: Box<serde_saphyr::Error>,
    },
}

impl Input {
    /// Reads files; `-` is standard input.
    pub(super) fn read(names: &[String]) -> Result<Self, InputError> {
        let mut input = Self {
            files: Vec::new(),
            objects: Vec::new(),
        };
        for name in names {
            let file = if name == "-" { STANDARD_INPUT } else { name };
            let text = read_text(name, file)?;
            let documents: Vec<Value> =
                serde_saphyr::from_multiple(&text).map_err(|source| InputError::Syntax {
                    file: file.to_owned(),
                    source: Box::new(source),
                })?;
            for document in documents {
                unpack(document, file, &mut input.objects);
            }
            input.files.push(file.to_owned());
        }
        Ok(input)
    }

    /// Checks every `VoiceAssistScaling`, as if `environment` were its active one if that is given.
    pub(super) fn check(&self, environment: Option<&str>) -> Result<Vec<(&Object, Document)>, InputError> {
        let checked: Vec<_> = self
            .objects
            .iter()
            .filter(|object| document::is_ours(&object.value))
            .map(|object| (object, document::check(&object.value, environment)))
            .collect();
        if checked.is_empty() {
            return Err(InputError::NoneFound {
                files: self.files.join(", "),
            });
        }
        Ok(checked)
    }
}

/// The text of a file, which messages call `file`.
fn read_text(name: &str, file: &str) -> Result<String, InputError> {
    let failed = |source| InputError::Read {
        file: file.to_owned(),
        source,
    };
    let mut text = String::new();
    let read = if name == "-" {
        std::io::stdin()
            .lock()
            .take(MAX_BYTES + 1)
            .read_to_string(&mut text)
    } else {
        let opened = std::fs::File::open(name).map_err(failed)?;
        opened.take(MAX_BYTES + 1).read_to_string(&mut text)
    };
    let size = read.map_err(failed)?;
    if u64::try_from(size).is_ok_and(|size| size > MAX_BYTES) {
        return Err(InputError::TooLarge {
            file: file.to_owned(),
        });
    }
    Ok(text)
}

/// Adds the document, or the items of a `v1` `List`. Empty documents are what a stray `---` leaves.
fn unpack(document: Value, file: &str, objects: &mut Vec<Object>) {
    let is_list = document.get("kind").and_then(Value::as_str) == Some("List");
    match document {
        Value::Null => {}
        Value::Object(mut fields) if is_list => {
            if let Some(Value::Array(items)) = fields.remove("items") {
                for item in items {
                    unpack(item, file, objects);
                }
            }
        }
        value => objects.push(Object {
            file: file.to_owned(),
            value,
        }),
    }
}
