//! Files given with `-f`: YAML or JSON, several documents, `-` for standard input, `List` objects unpacked.

use std::io::Read;

use serde_json::Value;

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
    /// The file is not YAML.
    #[error("{file} is not valid YAML: {source}")]
    Syntax {
        /// Which file.
        file: String,
        /// Where and why.
        source: Box<serde_saphyr::Error>,
    },
}

/// Reads all objects of all files, in order.
pub(super) fn read(files: &[String]) -> Result<Vec<Object>, InputError> {
    let mut objects = Vec::new();
    for name in files {
        let file = if name == "-" { STANDARD_INPUT } else { name };
        let text = read_text(name, file)?;
        let documents: Vec<Value> =
            serde_saphyr::from_multiple(&text).map_err(|source| InputError::Syntax {
                file: file.to_owned(),
                source: Box::new(source),
            })?;
        for document in documents {
            unpack(document, file, &mut objects);
        }
    }
    Ok(objects)
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
