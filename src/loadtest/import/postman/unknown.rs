//! Variables that have no value in the collection, as marks in texts.
//!
//! A mark has small letters and digits alone, so that it stays what it is in a URL, a form and JSON. A collection may
//! have the text of a mark itself, and asks for a variable of the environment then, which is all that it can do.

use super::super::{scenario::Step, secret::Secrets};

const BEGIN: &str = "vasvariable";
const END: char = 'z';
/// Greatest length of a name, in bytes.
const LONGEST: usize = 60;

/// What stands for the variable of this name.
///
/// # Errors
/// When it is one that Postman makes up, or its name is too long.
pub(super) fn mark(name: &str) -> Result<String, String> {
    if name.starts_with('$') {
        return Err(format!(
            "Postman makes up the variable {{{{{name}}}}}: see values of a scenario"
        ));
    }
    if name.is_empty() || name.len() > LONGEST {
        return Err(format!(
            "a variable has no name, or one of more than {LONGEST} bytes"
        ));
    }
    let digit = |value: u8| char::from_digit(value.into(), 16);
    let hex: String = name
        .bytes()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)])
        .flatten()
        .collect();
    Ok(format!("{BEGIN}{hex}{END}"))
}

/// Whether a mark is in the text.
pub(super) fn has_mark(text: &str) -> bool {
    text.contains(BEGIN)
}

/// The text with each mark replaced by what `instead` gives for its name.
fn replaced(text: &str, mut instead: impl FnMut(&str) -> String) -> String {
    let (mut all, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once(BEGIN) {
        all.push_str(before);
        let named = after
            .split_once(END)
            .and_then(|(hex, behind)| Some((name(hex)?, behind)));
        if let Some((name, behind)) = named {
            all.push_str(&instead(&name));
            rest = behind;
        } else {
            all.push_str(BEGIN);
            rest = after;
        }
    }
    all.push_str(rest);
    all
}

fn name(hex: &str) -> Option<String> {
    let bytes = hex.as_bytes().chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
        u8::from_str_radix(pair, 16).ok()
    });
    String::from_utf8(bytes.collect::<Option<_>>()?).ok()
}

/// The text with each mark as the variable that it stands for.
pub(super) fn in_words(text: &str) -> String {
    replaced(text, |name| format!("{{{{{name}}}}}"))
}

/// Puts variables of the environment in the place of the marks of a step.
pub(super) fn replace(step: &mut Step, secrets: &mut Secrets) {
    let mut put = |text: &mut String| {
        if has_mark(text) {
            *text = replaced(text, |name| {
                let what = format!("the variable {{{{{name}}}}} of the collection, as it stands there");
                secrets.variable(name, "", &what)
            });
        }
    };
    put(step.call.path_mut());
    step.headers.values_mut().for_each(&mut put);
    step.body.iter_mut().for_each(put);
}
