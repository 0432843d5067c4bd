//! The body of a request: a text, a file, a form, or a form with files.

pub mod document;
mod multipart;

use super::{document::StepDocument, payload::Payload, problem::Problems, sources::File, template::Template};
use vas_core::k8s::percent::encode;

/// The body of a request.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// The body; `None`: no body.
    pub(super) body: Option<Vec<Payload>>,
    /// Its Content-Type, where the form of the body decides that.
    pub(super) kind: Option<String>,
}

/// Reads the body, of which a step has one form at most.
pub(super) fn body(path: &str, document: &StepDocument, file: File<'_>, problems: &mut Problems) -> Content {
    let given = [
        ("body", document.body.is_some()),
        ("bodyFile", document.body_file.is_some()),
        ("form", !document.form.is_empty()),
        ("multipart", !document.multipart.is_empty()),
    ];
    let mut given = given
        .into_iter()
        .filter_map(|(field, given)| given.then_some(field));
    if let (Some(first), Some(second)) = (given.next(), given.next()) {
        problems.add(
            format!("{path}.{second}"),
            format!("must not stand beside {first}; keep one"),
        );
        return Content::default();
    }
    if let Some(text) = &document.body {
        let body = problems.template(&format!("{path}.body"), text);
        return Content {
            body: Some(vec![Payload::Text(body)]),
            kind: None,
        };
    }
    if let Some(name) = &document.body_file {
        let bytes = file(name).map_err(|error| format!("{name}: {error}"));
        let bytes = problems.or(&format!("{path}.bodyFile"), bytes, Vec::new());
        return Content {
            body: Some(vec![Payload::Binary(bytes)]),
            kind: None,
        };
    }
    if !document.form.is_empty() {
        let fields = document.form.iter().enumerate();
        let fields = fields.flat_map(|(index, (name, value))| {
            let and = if index == 0 { "" } else { "&" };
            let value = problems.template(&format!("{path}.form.{name}"), value);
            [
                Template::text(&format!("{and}{}=", encode(name))),
                value.encoded(),
            ]
        });
        return Content {
            body: Some(vec![Payload::Text(Template::joined(fields))]),
            kind: Some("application/x-www-form-urlencoded".to_owned()),
        };
    }
    if !document.multipart.is_empty() {
        return multipart::read(&format!("{path}.multipart"), &document.multipart, file, problems);
    }
    Content::default()
}
