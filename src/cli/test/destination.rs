//! Where a report goes: a file, or standard output. All are tried before a load is sent, and written after it.

use std::{
    fmt, fs,
    io::{self, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use crate::cli::output;

/// Larger than most reports: a disk with less room is told before the load.
const ROOM: usize = 1024 * 1024;

/// Where a report goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Destination {
    /// Given as `-`.
    StandardOutput,
    /// A file, as it was given.
    File(PathBuf),
}

/// Why a report cannot be written.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum DestinationError {
    /// It cannot be written.
    #[error("cannot write the report to {0}: {1}")]
    Write(Destination, #[source] io::Error),
    /// One would replace the other.
    #[error("-o: two reports would go to {0}: give each its own file")]
    Twice(Destination),
}

impl DestinationError {
    /// Whether other arguments would mend it.
    pub(in crate::cli) fn is_usage(&self) -> bool {
        matches!(self, Self::Twice(_))
    }
}

/// A destination with the text for it, or why there is none.
pub(super) type Written<'a> = (&'a Destination, io::Result<String>);

/// Tries all destinations, before minutes of load are for nothing: rights, folders, a little space, and that no two are
/// the same file. What is there stays as it is.
///
/// # Errors
/// The first that cannot be written.
pub(super) fn try_all<'a>(
    destinations: impl IntoIterator<Item = &'a Destination>,
) -> Result<(), DestinationError> {
    let destinations: Vec<&Destination> = destinations.into_iter().collect();
    let mut places = Vec::new();
    for destination in &destinations {
        let place = destination.place();
        if place.is_some() && places.contains(&place) {
            return Err(DestinationError::Twice((*destination).clone()));
        }
        places.push(place);
    }
    for destination in destinations {
        destination
            .try_out()
            .map_err(|error| DestinationError::Write(destination.clone(), error))?;
    }
    Ok(())
}

/// Writes all reports, and the text for people to standard output, or to standard error where a report goes to standard
/// output. What cannot be written is said, and keeps nothing else from being written. Whether all was.
pub(super) fn publish<'a>(command: &str, text: &str, reports: impl IntoIterator<Item = Written<'a>>) -> bool {
    let mut failed = Vec::new();
    let mut taken = false;
    for (destination, report) in reports {
        taken |= *destination == Destination::StandardOutput;
        if let Err(error) = report.and_then(|report| destination.write(&report)) {
            failed.push(DestinationError::Write(destination.clone(), error).to_string());
        }
    }
    if taken {
        // Nobody has to listen.
        let _ = io::stderr().lock().write_all(text.as_bytes());
    } else if let Err(error) = output::text(text) {
        failed.push(format!("cannot write to standard output: {error}"));
    }
    for error in &failed {
        output::say(&format!("{command}: {error}"));
    }
    failed.is_empty()
}

/// What the same file has in common, whatever it is called. Two reports may go to one device, such as `/dev/null`.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    StandardOutput,
    /// Device and number of a file that is there.
    Known(u64, u64),
    /// Folder and name of one that will be.
    New(PathBuf),
}

impl From<&str> for Destination {
    fn from(text: &str) -> Self {
        match text {
            "-" => Self::StandardOutput,
            file => Self::File(file.into()),
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StandardOutput => f.write_str("standard output"),
            Self::File(file) => file.display().fmt(f),
        }
    }
}

impl Destination {
    fn place(&self) -> Option<Place> {
        let Self::File(file) = self else {
            return Some(Place::StandardOutput);
        };
        match fs::metadata(file) {
            Ok(found) if found.is_file() => Some(Place::Known(found.dev(), found.ino())),
            Ok(_) => None,
            Err(_) => Some(Place::New(
                fs::canonicalize(folder(file)).ok()?.join(file.file_name()?),
            )),
        }
    }

    fn try_out(&self) -> io::Result<()> {
        match self {
            Self::StandardOutput => Ok(()),
            Self::File(file) => try_file(file),
        }
    }

    /// Writes the text. Readers of a file see the old one or the whole new one, where that can be.
    fn write(&self, text: &str) -> io::Result<()> {
        match self {
            Self::StandardOutput => output::text(text),
            Self::File(file) => write(file, text),
        }
    }
}

fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn try_file(file: &Path) -> io::Result<()> {
    if !folder(file).is_dir() {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            "its folder does not exist",
        ));
    }
    match fs::metadata(file) {
        Ok(found) if found.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        // A pipe would wait for its reader, and a device may act on being opened.
        Ok(found) if !found.is_file() => Ok(()),
        Ok(_) if is_link(file) => appendable(file),
        Ok(_) => probe(file).or_else(|error| {
            if is_full(&error) {
                Err(error)
            } else {
                appendable(file)
            }
        }),
        // Where a link leads to nothing yet, its file will be made when it is written.
        Err(_) if is_link(file) => Ok(()),
        Err(_) => probe(file),
    }
}

fn is_link(file: &Path) -> bool {
    fs::symlink_metadata(file).is_ok_and(|found| found.is_symlink())
}

fn appendable(file: &Path) -> io::Result<()> {
    fs::OpenOptions::new().append(true).open(file).map(drop)
}

/// Whether a file can be made beside this one, with room for a report.
fn probe(file: &Path) -> io::Result<()> {
    let draft = draft(file);
    let made = fs::write(&draft, vec![0; ROOM]);
    let removed = fs::remove_file(&draft);
    made.and(removed)
}

fn write(file: &Path, text: &str) -> io::Result<()> {
    // What is no plain file itself, such as the link /dev/stdout or a pipe, is written to and never replaced.
    if fs::symlink_metadata(file).is_ok_and(|found| !found.is_file()) {
        return fs::write(file, text);
    }
    replace(file, text).or_else(|error| {
        // A file that is mounted alone, or in a folder of others, can be written and not replaced.
        if file.is_file() && !is_full(&error) {
            fs::write(file, text)
        } else {
            Err(error)
        }
    })
}

/// Writes a file so that its readers see the old one or the whole new one.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    let draft = draft(file);
    let replaced = fs::write(&draft, text).and_then(|()| fs::rename(&draft, file));
    if replaced.is_err() {
        // It may never have been made.
        let _ = fs::remove_file(&draft);
    }
    replaced
}

/// A file without room for the new text keeps its old one.
fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// A file of this process alone beside the one that it will be. Its name is short, however long that of the file is.
fn draft(file: &Path) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    folder(file).join(format!(".vas-{}-{number}.part", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn temporary(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("vas-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_file_is_replaced_as_a_whole_and_a_link_is_written_through() {
        let folder = temporary("replaced");
        let (file, link) = (folder.join("file"), folder.join("link"));
        write(&file, "one").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        try_file(&link).unwrap();
        write(&link, "two").unwrap();
        let still_a_link = is_link(&link);
        let content = fs::read_to_string(&file).unwrap();
        let names = fs::read_dir(&folder).unwrap().count();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!((still_a_link, content.as_str(), names), (true, "two", 2));
    }

    #[test]
    fn a_name_as_long_as_names_may_be_is_written() {
        let folder = temporary("long");
        let file = folder.join("a".repeat(255));
        let written = try_file(&file).and_then(|()| write(&file, "whole"));
        let content = fs::read_to_string(&file);
        fs::remove_dir_all(&folder).unwrap();
        written.unwrap();
        assert_eq!(content.unwrap(), "whole");
    }

    /// Of the folders of a process nobody can make files in them, not even root, and some files can be written.
    #[test]
    fn a_file_whose_folder_takes_no_other_is_written_in_its_place() {
        let name = Path::new("/proc/thread-self/comm");
        let before = fs::read_to_string(name).unwrap();
        try_file(name).unwrap();
        write(name, "replaced").unwrap();
        assert_eq!(fs::read_to_string(name).unwrap(), "replaced\n");
        fs::write(name, before).unwrap();
        assert!(try_file(Path::new("/proc/thread-self/report.json")).is_err());
    }

    #[test]
    fn a_device_takes_two_reports_and_a_file_one() {
        let destinations = |files: [&str; 2]| files.map(Destination::from);
        assert!(try_all(&destinations(["/dev/null", "/dev/null"])).is_ok());
        assert!(try_all(&destinations(["-", "/dev/null"])).is_ok());
        for twice in [["-", "-"], ["a.json", "./a.json"]] {
            let error = try_all(&destinations(twice)).unwrap_err();
            assert!(
                error.is_usage() && error.to_string().contains("two reports"),
                "{error}"
            );
        }
    }
}
