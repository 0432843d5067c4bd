//! Finds the files that names on the command line stand for, and reads their text.

use std::{
    fs, io,
    io::Read,
    path::{Path, PathBuf},
};

use super::InputError;

/// Largest file that is read, in bytes: 16 MiB. The largest resource that the CRD allows is far smaller.
const MAX_BYTES: u64 = 16 << 20;

/// Name of `-` in messages.
const STANDARD_INPUT: &str = "standard input";

/// File extensions of manifests, the same as kubectl's.
const ENDS: [&str; 3] = ["yaml", "yml", "json"];

/// The name of a file as messages show it.
pub(super) fn shown(name: &str) -> &str {
    if name == "-" { STANDARD_INPUT } else { name }
}

/// The files that a name stands for: the file itself, or the manifests of a directory, sorted by name.
pub(super) fn expand(name: &str, recursive: bool) -> Result<Vec<String>, InputError> {
    if name == "-" || !Path::new(name).is_dir() {
        return Ok(vec![name.to_owned()]);
    }
    let mut found = Vec::new();
    walk(Path::new(name), recursive, &mut found).map_err(|source| InputError::Read {
        file: name.to_owned(),
        source,
    })?;
    if found.is_empty() {
        return Err(InputError::Empty {
            directory: name.to_owned(),
            recursive,
        });
    }
    found.sort();
    Ok(found
        .into_iter()
        .map(|path| path.to_string_lossy().into_owned())
        .collect())
}

/// Collects manifests. Links to directories are not followed, so a circle of links cannot make it endless.
fn walk(directory: &Path, recursive: bool, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            if recursive {
                walk(&path, recursive, found)?;
            }
        } else if path
            .extension()
            .and_then(|end| end.to_str())
            .is_some_and(|end| ENDS.contains(&end))
            && path.is_file()
        {
            found.push(path);
        }
    }
    Ok(())
}

/// The text of a manifest, or of standard input.
pub(super) fn text(name: &str) -> Result<String, InputError> {
    text_within(name, MAX_BYTES)
}

/// The text of a file, or of standard input, of at most so many bytes.
pub(crate) fn text_within(name: &str, most: u64) -> Result<String, InputError> {
    let failed = |source| InputError::Read {
        file: shown(name).to_owned(),
        source,
    };
    let mut text = String::new();
    let read = if name == "-" {
        io::stdin().lock().take(most + 1).read_to_string(&mut text)
    } else {
        let opened = fs::File::open(name).map_err(failed)?;
        opened.take(most + 1).read_to_string(&mut text)
    };
    let size = read.map_err(failed)?;
    if u64::try_from(size).is_ok_and(|size| size > most) {
        return Err(InputError::TooLarge {
            file: shown(name).to_owned(),
            megabytes: most >> 20,
        });
    }
    Ok(text)
}
