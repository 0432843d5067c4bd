//! Reads the files given to a command: YAML or JSON, with several documents, in directories, or `-` for
//! standard input. `List` objects are unpacked.

mod files;

pub(crate) use self::files::text_within;

use serde_json::Value;

use vas_core::{
    document::yaml::{self, Place, Places, SyntaxError},
    spec::rules::document::{self, Document},
};

/// One object, with the file it comes from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Object {
    /// Name of the file, as given on the command line, for messages.
    pub(super) file: String,
    /// The object as JSON.
    pub(super) value: Value,
    /// Line and column of each field in the file.
    places: Places,
}

/// All objects of all files, in order.
#[derive(Debug, Default)]
pub(super) struct Input {
    files: Vec<String>,
    /// The objects, of every kind.
    pub(super) objects: Vec<Object>,
    /// Files and directories that could not be read.
    pub(super) failures: Vec<InputError>,
}

/// Reasons why a file gave no objects.
#[derive(Debug, thiserror::Error)]
pub(super) enum InputError {
    /// The file cannot be read.
    #[error("cannot read {file}: {source}")]
    Read {
        /// Name of the file.
        file: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file is larger than any that makes sense.
    #[error("{file} is larger than {megabytes} MiB; is it the right file?")]
    TooLarge {
        /// Name of the file.
        file: String,
        /// The limit, in MiB.
        megabytes: u64,
    },
    /// The directory contains no manifests.
    #[error("{directory} has no file that ends in .yaml, .yml or .json{}", if *.recursive { "" } else { "; -R looks into its directories too" })]
    Empty {
        /// Name of the directory.
        directory: String,
        /// Whether directories inside it were searched too.
        recursive: bool,
    },
    /// None of the objects is a VoiceAssistScaling.
    #[error("{files}: no VoiceAssistScaling found{}; its apiVersion is scaling.voiceassist.io/v1alpha1", among(.kinds))]
    NoneFound {
        /// Names of the files, as given.
        files: String,
        /// The kinds that were found.
        kinds: Vec<String>,
    },
    /// The file begins as JSON does, and is not JSON.
    #[error("{file}: not valid JSON: {source}")]
    Json {
        /// Name of the file.
        file: String,
        /// Where the text breaks the syntax, and how.
        source: serde_json::Error,
    },
    /// The file is not YAML.
    #[error("{file}{}: not valid YAML: {source}", place(.source.place))]
    Syntax {
        /// Name of the file.
        file: String,
        /// Where the text breaks the syntax, and how.
        source: SyntaxError,
    },
}

fn among(kinds: &[String]) -> String {
    if kinds.is_empty() {
        String::new()
    } else {
        format!(" among {}", kinds.join(", "))
    }
}

fn place(place: Option<Place>) -> String {
    place.map_or_else(String::new, |place| format!(":{place}"))
}

impl Object {
    /// Line and column of a field; where the field is absent, those of the nearest field around it.
    pub(super) fn place(&self, path: &str) -> Place {
        self.places.find(path)
    }
}

/// Largest text that begins with a bracket and is read as YAML, in bytes: 256 KiB.
const LARGEST_FLOW: usize = 256 << 10;

/// The one value of a file in JSON or YAML of at most so many bytes; `-` is standard input.
///
/// # Errors
/// When the file cannot be read, is larger, or is not YAML.
pub(super) fn value_within(name: &str, most: u64) -> Result<Value, InputError> {
    let text = files::text_within(name, most)?;
    // Some recorders on Windows write a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    // The parser of YAML bounds the number of values, and a recording has many.
    let refused = match serde_json::from_str(text) {
        Ok(value) => return Ok(value),
        Err(refused) => refused,
    };
    let file = files::shown(name).to_owned();
    let json = |source| InputError::Json {
        file: file.clone(),
        source,
    };
    // YAML can begin with a bracket too, but a large file that does is JSON that is cut off. To read it as YAML
    // would take minutes.
    let begins_as_json = text.trim_start().starts_with(['{', '[']);
    if begins_as_json && text.len() > LARGEST_FLOW {
        return Err(json(refused));
    }
    match yaml::parse_one(text) {
        Ok(value) => Ok(value),
        Err(_) if begins_as_json => Err(json(refused)),
        Err(source) => Err(InputError::Syntax { file, source }),
    }
}

impl Input {
    /// Reads files and directories; `-` is standard input.
    ///
    /// # Errors
    /// The first file that could not be read.
    pub(super) fn read(names: &[String]) -> Result<Self, InputError> {
        let mut input = Self::gather(names, false);
        if input.failures.is_empty() {
            Ok(input)
        } else {
            Err(input.failures.swap_remove(0))
        }
    }

    /// Reads the same, and goes on after files that cannot be read. With `recursive` it reads directories
    /// inside directories too.
    pub(super) fn gather(names: &[String], recursive: bool) -> Self {
        let mut input = Self::default();
        for name in names {
            match files::expand(name, recursive) {
                Ok(files) => files.iter().for_each(|file| input.add(file)),
                Err(failure) => input.failures.push(failure),
            }
        }
        input
    }

    fn add(&mut self, name: &str) {
        let file = files::shown(name);
        self.files.push(file.to_owned());
        let documents = files::text(name).and_then(|text| {
            yaml::parse(&text).map_err(|source| InputError::Syntax {
                file: file.to_owned(),
                source,
            })
        });
        match documents {
            Ok(documents) => {
                for document in documents {
                    unpack(document.value, document.places, file, &mut self.objects);
                }
            }
            Err(failure) => self.failures.push(failure),
        }
    }

    /// Checks every `VoiceAssistScaling`. If `environment` is given, it is checked as the active environment.
    ///
    /// # Errors
    /// When all files could be read and none of them contains a `VoiceAssistScaling`.
    pub(super) fn check(&self, environment: Option<&str>) -> Result<Vec<(&Object, Document)>, InputError> {
        let checked: Vec<_> = self
            .objects
            .iter()
            .filter(|object| document::is_ours(&object.value))
            .map(|object| (object, document::check(&object.value, environment)))
            .collect();
        if checked.is_empty() && self.failures.is_empty() {
            let mut kinds: Vec<String> = self.objects.iter().map(kind).collect();
            kinds.sort();
            kinds.dedup();
            return Err(InputError::NoneFound {
                files: self.files.join(", "),
                kinds,
            });
        }
        Ok(checked)
    }
}

fn kind(object: &Object) -> String {
    let kind = object.value.get("kind").and_then(Value::as_str);
    kind.unwrap_or("objects without a kind").to_owned()
}

/// Adds the document, or the items of a `v1` `List`. Empty documents, which a stray `---` gives, are left
/// out.
fn unpack(document: Value, places: Places, file: &str, objects: &mut Vec<Object>) {
    let is_list = document.get("kind").and_then(Value::as_str) == Some("List");
    match document {
        Value::Null => {}
        Value::Object(mut fields) if is_list => {
            if let Some(Value::Array(items)) = fields.remove("items") {
                for (position, item) in items.into_iter().enumerate() {
                    let places = places.item("items", position).cloned().unwrap_or_default();
                    unpack(item, places, file, objects);
                }
            }
        }
        value => objects.push(Object {
            file: file.to_owned(),
            value,
            places,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_that_is_cut_off_is_called_json_at_once_and_a_byte_order_mark_is_no_value() {
        let folder = std::env::temp_dir().join(format!("vas-input-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("file");
        let name = file.to_str().unwrap();
        let items = vec!["{\"a\":1}"; 200_000].join(",");
        for text in [format!("{{\"log\":[{items}"), "{\"log\": \"\\ud83d\"}".to_owned()] {
            std::fs::write(&file, text).unwrap();
            let error = value_within(name, 64 << 20).unwrap_err().to_string();
            assert!(error.contains("not valid JSON: "), "{error}");
        }
        for text in [
            format!("\u{feff}{{\"log\":[{items}]}}"),
            "{log: [1]}".to_owned(),
            "log: 1".to_owned(),
        ] {
            std::fs::write(&file, text).unwrap();
            assert!(value_within(name, 64 << 20).unwrap().get("log").is_some());
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
