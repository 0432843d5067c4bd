//! Files that are replaced as a whole, so that nothing is lost when the writing ends half-way.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

/// Writes the text. Where possible, readers of the file see either the old text or the complete new one.
pub(crate) fn write(file: &Path, text: &str) -> io::Result<()> {
    // Links such as /dev/stdout, pipes and devices are written to and never replaced.
    if fs::symlink_metadata(file).is_ok_and(|found| !found.is_file()) {
        return fs::write(file, text);
    }
    replace(file, text).or_else(|error| {
        // A file that is mounted by itself, or in a directory without write permission, can be written but
        // not replaced.
        if file.is_file() && !is_full(&error) {
            fs::write(file, text)
        } else {
            Err(error)
        }
    })
}

/// Replaces a file by renaming, so that readers see either the old text or the complete new one.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    let draft = draft(file);
    let replaced = fs::write(&draft, text).and_then(|()| fs::rename(&draft, file));
    if replaced.is_err() {
        // The draft may not exist, so an error is ignored.
        let _ = fs::remove_file(&draft);
    }
    replaced
}

/// Whether there is no room for the new text. The file then keeps its old text.
pub(crate) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// Name of a temporary file in the same directory, unique in this process. The name is short, because a long
/// file name with a suffix could exceed the limit of the file system.
pub(crate) fn draft(file: &Path) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    folder(file).join(format!(".vas-{}-{number}.part", std::process::id()))
}

/// The directory of a file.
pub(crate) fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
