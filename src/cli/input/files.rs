//! Names on the command line become files, and files become text.

use std::{
    fs, io,
    io::Read,
    path::{Path, PathBuf},
};

use super::InputError;

/// Largest file read. The biggest resource the CRD admits is far smaller.
const MAX_BYTES: u64 = 16 << 20;

/// What messages call `-`.
const STANDARD_INPUT: &str = "standard input";

/// Ends of the names of manifests, as kubectl knows them.
const ENDS: [&str; 3] = ["yaml", "yml", "json"];

/// The name in messages.
pub(super) fn shown(name: &str) -> &str {
    if name == "-" { STANDARD_INPUT } else { name }
}

/// The files that a name stands for: itself, or the manifests of a directory in the order of their names.
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

/// Links to directories are not followed, so that a circle of them ends.
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

/// The text of a file, or of standard input.
pub(super) fn text(name: &str) -> Result<String, InputError> {
    let failed = |source| InputError::Read {
        file: shown(name).to_owned(),
        source,
    };
    let mut text = String::new();
    let read = if name == "-" {
        io::stdin().lock().take(MAX_BYTES + 1).read_to_string(&mut text)
    } else {
        let opened = fs::File::open(name).map_err(failed)?;
        opened.take(MAX_BYTES + 1).read_to_string(&mut text)
    };
    let size = read.map_err(failed)?;
    if u64::try_from(size).is_ok_and(|size| size > MAX_BYTES) {
        return Err(InputError::TooLarge {
            file: shown(name).to_owned(),
        });
    }
    Ok(text)
}
