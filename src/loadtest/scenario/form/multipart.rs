//! Forms with files (RFC 7578): parts between lines that no file has.

use std::fmt::Write as _;

use memchr::memmem;

use super::{Content, document::FieldDocument};
use crate::scenario::{payload::Payload, problem::Problems, sources::File, template::Template};

/// Reads the parts of a form.
pub(super) fn read(path: &str, fields: &[FieldDocument], file: File<'_>, problems: &mut Problems) -> Content {
    let parts = fields.iter().enumerate();
    let parts: Vec<(String, Payload)> = parts
        .map(|(index, field)| part(&format!("{path}[{index}]"), field, file, problems))
        .collect();
    let boundary = boundary(&parts);
    let mut pieces = Vec::new();
    for (head, content) in parts {
        pieces.push(Payload::Text(Template::text(&format!(
            "--{boundary}\r\n{head}\r\n"
        ))));
        pieces.push(content);
        pieces.push(Payload::Text(Template::text("\r\n")));
    }
    pieces.push(Payload::Text(Template::text(&format!("--{boundary}--\r\n"))));
    Content {
        body: Some(pieces),
        kind: Some(format!("multipart/form-data; boundary={boundary}")),
    }
}

/// The headers and the content of a part.
fn part(path: &str, field: &FieldDocument, file: File<'_>, problems: &mut Problems) -> (String, Payload) {
    for (name, text) in [
        ("name", Some(&field.name)),
        ("fileName", field.file_name.as_ref()),
        ("contentType", field.content_type.as_ref()),
    ] {
        if text.is_some_and(|text| text.is_empty() || text.chars().any(char::is_control)) {
            problems.add(
                format!("{path}.{name}"),
                "must not be empty, nor have line breaks or other control characters",
            );
        }
    }
    let mut head = format!("Content-Disposition: form-data; name=\"{}\"", quoted(&field.name));
    let (content, kind) = match (&field.value, &field.file) {
        (Some(value), None) => {
            if field.file_name.is_some() {
                problems.add(format!("{path}.fileName"), "belongs to a file");
            }
            (
                Payload::Text(problems.template(&format!("{path}.value"), value)),
                None,
            )
        }
        (None, Some(name)) => {
            let last = name.rsplit('/').next().unwrap_or(name);
            let shown = field.file_name.as_deref().unwrap_or(last);
            // Writing to a String cannot fail.
            let _ = write!(head, "; filename=\"{}\"", quoted(shown));
            let bytes = file(name).map_err(|error| format!("{name}: {error}"));
            let bytes = problems.or(&format!("{path}.file"), bytes, Vec::new());
            (Payload::Binary(bytes), Some("application/octet-stream"))
        }
        (Some(_), Some(_)) | (None, None) => {
            problems.add(path, "must have exactly one of value and file");
            (Payload::Binary(Vec::new()), None)
        }
    };
    head.push_str("\r\n");
    if let Some(kind) = field.content_type.as_deref().or(kind) {
        let _ = write!(head, "Content-Type: {kind}\r\n");
    }
    (head, content)
}

/// A name within quotes, as browsers write it.
fn quoted(name: &str) -> String {
    name.replace('"', "%22")
}

/// A line that none of the files has. Values of variables are not known yet; they would have to guess it.
fn boundary(parts: &[(String, Payload)]) -> String {
    let has = |boundary: &str| {
        parts.iter().any(|(_, content)| match content {
            Payload::Binary(bytes) => memmem::find(bytes, boundary.as_bytes()).is_some(),
            Payload::Text(text) => text.texts().any(|text| text.contains(boundary)),
        })
    };
    let mut number = 0_u32;
    loop {
        let boundary = format!("vas-test-boundary-{number}");
        if !has(&boundary) {
            return boundary;
        }
        number = number.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boundary_is_in_no_part() {
        let with = |text: &[u8]| boundary(&[(String::new(), Payload::Binary(text.to_vec()))]);
        assert_eq!(with(b"x"), "vas-test-boundary-0");
        assert_eq!(
            with(b"vas-test-boundary-0 vas-test-boundary-1"),
            "vas-test-boundary-2"
        );
    }
}
