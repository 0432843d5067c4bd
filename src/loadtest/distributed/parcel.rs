//! What the pods of a load get: documents, files and values of variables. Together they are one Secret, because
//! scenarios, headers and URLs may have secrets in them.
//!
//! Invariant: it fits into a Secret, and each file has a path that Kubernetes can mount.

use std::{
    collections::BTreeMap,
    path::{Component, Path},
};

/// Most bytes that a Secret may have (`MaxSecretSize` of Kubernetes).
const MOST: usize = 1 << 20;

/// Key and path of what the workers know of each other, which is added last.
pub const BARRIER: &str = "barrier.json";

/// What the pods get.
#[derive(Clone, Default)]
pub struct Parcel {
    /// Contents, by the key in the Secret.
    contents: BTreeMap<String, Vec<u8>>,
    /// Keys of files, by their path below the folder of the parcel.
    files: BTreeMap<String, String>,
    /// Keys of values, by the name of the variable.
    variables: BTreeMap<String, String>,
}

/// Why something cannot be given to the pods.
#[derive(Debug, thiserror::Error)]
pub enum ParcelError {
    /// The path leads out of the folder.
    #[error(
        "{0}: in the pods there is only what lies in the scenario's folder or below it; put the file there"
    )]
    Outside(String),
    /// The place is another file's.
    #[error("{0}: in the pods {1} has this place; give the file of the scenario another name")]
    Taken(String, String),
    /// All together is larger than a Secret may be.
    #[error(
        "what the pods need has {total} bytes, and a Secret holds {MOST}; the largest part is {largest} with {bytes} bytes: make it smaller, such as by fewer rows"
    )]
    Large {
        /// Bytes of all together.
        total: usize,
        /// Path of the largest file, or name of the variable with the largest value.
        largest: String,
        /// Number of its bytes.
        bytes: usize,
    },
}

impl Parcel {
    /// Adds a file. The same one may be added again: a scenario may name it in two ways.
    ///
    /// # Errors
    /// When its path leads out of the folder, or is that of another file, or of a folder with another file.
    pub fn file(&mut self, path: &str, content: Vec<u8>) -> Result<(), ParcelError> {
        let path = below(path)?;
        if let Some(key) = self.files.get(&path)
            && self.contents.get(key) == Some(&content)
        {
            return Ok(());
        }
        let taken = |other: &&str| is_at_or_below(&path, other) || is_at_or_below(other, &path);
        let others = self.files.keys().map(String::as_str);
        if let Some(other) = others.chain([BARRIER]).find(taken) {
            return Err(ParcelError::Taken(path.clone(), other.to_owned()));
        }
        let key = format!("file-{}", self.files.len());
        self.contents.insert(key.clone(), content);
        self.files.insert(path, key);
        Ok(())
    }

    /// Adds a variable of the environment, whose name has letters, digits and `_` only.
    pub fn variable(&mut self, name: &str, value: String) {
        let key = format!("variable-{name}");
        self.contents.insert(key.clone(), value.into_bytes());
        self.variables.insert(name.to_owned(), key);
    }

    /// Checks that a Secret holds it.
    ///
    /// # Errors
    /// When it is too large.
    pub fn fits(&self) -> Result<(), ParcelError> {
        let total = self.contents.values().map(Vec::len).sum();
        if total <= MOST {
            return Ok(());
        }
        let bytes = |key: &String| self.contents.get(key).map_or(0, Vec::len);
        let named = self.files.iter().chain(&self.variables);
        let largest = named.max_by_key(|(_, key)| bytes(key));
        let (largest, bytes) =
            largest.map_or_else(Default::default, |(name, key)| (name.clone(), bytes(key)));
        Err(ParcelError::Large {
            total,
            largest,
            bytes,
        })
    }

    /// The content of the file with this path, written as Kubernetes mounts it.
    pub fn content(&self, path: &str) -> Option<&[u8]> {
        Some(self.contents.get(self.files.get(path)?)?)
    }

    /// Contents, by their keys.
    pub(super) fn into_contents(self) -> BTreeMap<String, Vec<u8>> {
        self.contents
    }

    /// Keys of files, by their paths.
    pub(super) fn files(&self) -> &BTreeMap<String, String> {
        &self.files
    }

    /// Keys of values, by the names of variables.
    pub(super) fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }
}

impl std::fmt::Debug for Parcel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parcel")
            .field("files", &self.files)
            .field("variables", &self.variables)
            .finish_non_exhaustive()
    }
}

/// Whether the path is the other one, or leads to something in it.
fn is_at_or_below(path: &str, other: &str) -> bool {
    Path::new(path).starts_with(other)
}

/// The path in the form in which Kubernetes mounts it: names below each other.
fn below(path: &str) -> Result<String, ParcelError> {
    let mut names = Vec::new();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(name) => names.push(name.to_string_lossy()),
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::ParentDir => {
                return Err(ParcelError::Outside(path.to_owned()));
            }
        }
    }
    Ok(names.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_lie_below_the_folder_once_each() {
        let mut parcel = Parcel::default();
        parcel.file("./data/users.csv", b"a".to_vec()).unwrap();
        parcel.file("data/users.csv", b"a".to_vec()).unwrap();
        parcel.file("x.yaml", b"b".to_vec()).unwrap();
        parcel.variable("TOKEN", "s3cret".to_owned());
        let paths: Vec<&String> = parcel.files().keys().collect();
        assert_eq!(paths, ["data/users.csv", "x.yaml"]);
        assert!(!format!("{parcel:?}").contains("s3cret"));
        assert_eq!(parcel.into_contents().len(), 3);
        for outside in ["../users.csv", "/etc/passwd", "a/../../b"] {
            let error = Parcel::default()
                .file(outside, Vec::new())
                .unwrap_err()
                .to_string();
            assert!(
                error.starts_with(outside) && error.contains("put the file there"),
                "{error}"
            );
        }
    }

    #[test]
    fn two_files_with_one_place_are_refused() {
        for (one, other) in [
            ("flags/headers", "./flags/headers"),
            ("flags", "flags/flags.json"),
            ("flags/flags.json", "flags"),
            ("x.yaml", BARRIER),
        ] {
            let mut parcel = Parcel::default();
            parcel.file(one, b"a".to_vec()).unwrap();
            let error = parcel.file(other, b"b".to_vec()).unwrap_err().to_string();
            assert!(error.contains("has this place"), "{one} and {other}: {error}");
            assert_eq!(parcel.into_contents().len(), 1);
        }
        let mut parcel = Parcel::default();
        parcel.file("flags", b"a".to_vec()).unwrap();
        parcel.file("flags.json", b"b".to_vec()).unwrap();
    }

    #[test]
    fn more_than_a_secret_holds_is_refused_with_the_largest_file() {
        let mut parcel = Parcel::default();
        parcel.file("small.yaml", vec![0; 1 << 10]).unwrap();
        parcel.file("users.csv", vec![0; MOST - (1 << 10)]).unwrap();
        assert!(parcel.fits().is_ok());
        parcel.variable("TOKEN", "x".to_owned());
        let error = parcel.fits().unwrap_err().to_string();
        assert!(
            error.contains("has 1048577 bytes") && error.contains("users.csv with 1047552 bytes"),
            "{error}"
        );
    }
}
