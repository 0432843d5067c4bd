//! Files that are replaced as a whole, so that nothing is lost when the writing ends half-way.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

/// Writes the content of a file piece by piece. Each call writes all of it.
pub(crate) type Content<'a> = &'a dyn Fn(&mut dyn io::Write) -> io::Result<()>;

/// Writes the text. Where possible, readers of the file see either the old text or the complete new one.
pub(crate) fn write(file: &Path, text: &str) -> io::Result<()> {
    write_by(file, &|out| out.write_all(text.as_bytes()))
}

/// As [`write()`], for content that is too long to be held.
pub(crate) fn write_by(file: &Path, content: Content<'_>) -> io::Result<()> {
    // Links such as /dev/stdout, pipes and devices are written to and never replaced.
    if fs::symlink_metadata(file).is_ok_and(|found| !found.is_file()) {
        return fill(file, content);
    }
    replace(file, content).or_else(|error| {
        // A file that is mounted by itself, or in a directory without write permission, can be written but
        // not replaced.
        if file.is_file() && !is_full(&error) {
            fill(file, content)
        } else {
            Err(error)
        }
    })
}

fn fill(file: &Path, content: Content<'_>) -> io::Result<()> {
    let mut out = io::BufWriter::new(fs::File::create(file)?);
    content(&mut out)?;
    io::Write::flush(&mut out)
}

/// Replaces a file by renaming, so that readers see either the old text or the complete new one.
fn replace(file: &Path, content: Content<'_>) -> io::Result<()> {
    let draft = draft(file);
    let replaced = fill(&draft, content).and_then(|()| fs::rename(&draft, file));
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
