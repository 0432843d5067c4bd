//! Finds the first element that a selector selects, in one pass over a page.
//!
//! Each open element remembers which parts of the selector it fulfils, and which an element around it fulfils, as
//! bits. So no element is looked at twice:
//!
//! ```text
//! form > div input      bits: form 001, div 010, input 100
//! <form>                fulfils 001
//!   <div>               fulfils 010, because its parent fulfils 001 and it must be directly inside
//!     <p>               fulfils nothing
//!       <input>         fulfils 100, because an element around it fulfils 010: it is selected
//! ```

use std::collections::BTreeMap;

use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};

use super::selector::{Condition, MOST, Part, Selector, Wanted};

/// Most open elements that are remembered. What is deeper is read as if it were beside the deepest.
const DEEPEST: usize = 512;
/// Elements without an end tag.
const VOID: [&[u8]; 14] = [
    b"area", b"base", b"br", b"col", b"embed", b"hr", b"img", b"input", b"link", b"meta", b"param",
    b"source", b"track", b"wbr",
];

// Each part has a bit of its own.
const _: () = assert!(MOST <= 16);

/// An element that is open.
struct Open {
    name: Vec<u8>,
    /// The parts of the selector that the element fulfils.
    fulfils: u16,
    /// The parts that the element or one around it fulfils.
    around: u16,
}

/// The value: that of the attribute, or the text of the element.
pub(super) fn first(page: &[u8], selector: &Selector, attribute: Option<&str>) -> Option<Vec<u8>> {
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    let mut open: Vec<Open> = Vec::new();
    // How many elements of each name are open, so that an end tag without its element costs no search.
    let mut names: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    // Number of open elements around the selected one, once its text is being read.
    let mut reading: Option<usize> = None;
    let mut text = Vec::new();
    for Ok(token) in Tokenizer::new_with_emitter(page, emitter) {
        match token {
            Token::StartTag(tag) => {
                let fulfils = fulfilled(&tag, selector.parts(), open.last());
                let is_void = tag.self_closing || VOID.contains(&tag.name.as_slice());
                if reading.is_none() && is_selected(fulfils, selector) {
                    match attribute {
                        Some(name) => {
                            return tag
                                .attributes
                                .get(name.as_bytes())
                                .map(|value| value.value.to_vec());
                        }
                        None if is_void => return Some(Vec::new()),
                        None => reading = Some(open.len()),
                    }
                }
                if !is_void && open.len() < DEEPEST {
                    let around = fulfils | open.last().map_or(0, |open| open.around);
                    *names.entry(tag.name.to_vec()).or_default() += 1;
                    open.push(Open {
                        name: tag.name.to_vec(),
                        fulfils,
                        around,
                    });
                }
            }
            Token::EndTag(tag) => {
                // An end tag without its element is no end of another one.
                while names.contains_key(tag.name.as_slice()) {
                    let Some(closed) = open.pop() else { break };
                    forget(&mut names, &closed.name);
                    if closed.name == *tag.name {
                        break;
                    }
                }
                if reading.is_some_and(|around| open.len() <= around) {
                    return Some(text);
                }
            }
            Token::String(piece) if reading.is_some() => text.extend_from_slice(&piece),
            _ => {}
        }
    }
    // The page ended inside the element.
    reading.map(|_| text)
}

/// Counts one element of this name less.
fn forget(names: &mut BTreeMap<Vec<u8>, usize>, name: &[u8]) {
    if let Some(count) = names.get_mut(name) {
        *count -= 1;
        if *count == 0 {
            names.remove(name);
        }
    }
}

/// The parts of the selector that an element in `parent` fulfils, as bits.
fn fulfilled(tag: &StartTag<()>, parts: &[Part], parent: Option<&Open>) -> u16 {
    let mut fulfils = 0;
    for (index, part) in parts.iter().enumerate() {
        let outer = match (index.checked_sub(1), parent) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(before), Some(parent)) if part.direct => parent.fulfils & (1 << before) != 0,
            (Some(before), Some(parent)) => parent.around & (1 << before) != 0,
        };
        if outer && is_meant(tag, part) {
            fulfils |= 1 << index;
        }
    }
    fulfils
}

fn is_selected(fulfils: u16, selector: &Selector) -> bool {
    let last = selector.parts().len().saturating_sub(1);
    fulfils & (1 << last) != 0
}

fn is_meant(tag: &StartTag<()>, part: &Part) -> bool {
    let is_named = part
        .element
        .as_ref()
        .is_none_or(|name| name.as_bytes() == tag.name.as_slice());
    is_named && part.conditions.iter().all(|condition| holds(tag, condition))
}

fn holds(tag: &StartTag<()>, condition: &Condition) -> bool {
    let Some(value) = tag.attributes.get(condition.attribute.as_bytes()) else {
        return false;
    };
    let value = value.value.as_slice();
    match &condition.wanted {
        Wanted::Anything => true,
        Wanted::Equal(wanted) => value == wanted.as_bytes(),
        Wanted::Begins(wanted) => !wanted.is_empty() && value.starts_with(wanted.as_bytes()),
        Wanted::Ends(wanted) => !wanted.is_empty() && value.ends_with(wanted.as_bytes()),
        Wanted::Contains(wanted) => {
            !wanted.is_empty() && memchr::memmem::find(value, wanted.as_bytes()).is_some()
        }
        Wanted::Word(wanted) => value
            .split(u8::is_ascii_whitespace)
            .any(|word| word == wanted.as_bytes()),
    }
}
