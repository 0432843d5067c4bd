//! Solves `name.as` for its groups: which values must the groups have to give the name of a metric?

use std::collections::BTreeMap;

use super::MAX_WORDS;

/// Most steps of one search.
const MAX_STEPS: usize = 10_000;

/// All values of the groups of `name.as` that give `metric`; empty if there are none. Example: `${1}_${2}`
/// gives `a_b_c` with (`a`, `b_c`) and with (`a_b`, `c`).
pub(super) fn groups(template: &str, metric: &str) -> Vec<BTreeMap<String, String>> {
    let mut search = Search {
        ways: Vec::new(),
        steps: MAX_STEPS,
    };
    search.fill(&pieces(template), metric, &BTreeMap::new());
    search.ways
}

enum Piece<'a> {
    Text(&'a str),
    Group(&'a str),
}

/// Splits a template as Go's `Regexp.Expand` does: into text and groups, which are `$name` or `${name}`. A
/// name without braces is as long as possible.
fn pieces(mut template: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    while let Some((text, rest)) = template.split_once('$') {
        pieces.push(Piece::Text(text));
        if let Some((name, rest)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            pieces.push(Piece::Group(name));
            template = rest;
        } else if let Some(rest) = rest.strip_prefix('$') {
            pieces.push(Piece::Text("$"));
            template = rest;
        } else {
            let end = rest
                .find(|char: char| !char.is_alphanumeric() && char != '_')
                .unwrap_or(rest.len());
            let (name, rest) = rest.split_at(end);
            pieces.push(Piece::Group(name));
            template = rest;
        }
    }
    pieces.push(Piece::Text(template));
    pieces
}

/// A search by backtracking: the solutions so far, and the number of steps that are left.
struct Search {
    ways: Vec<BTreeMap<String, String>>,
    steps: usize,
}

impl Search {
    /// Matches the pieces against the rest of the name, with the groups that the earlier pieces fixed.
    fn fill(&mut self, pieces: &[Piece<'_>], rest: &str, groups: &BTreeMap<String, String>) {
        self.steps = self.steps.saturating_sub(1);
        if self.steps == 0 || self.ways.len() >= MAX_WORDS {
            return;
        }
        match pieces {
            [] if rest.is_empty() => self.ways.push(groups.clone()),
            [] => {}
            [Piece::Text(text), after @ ..] => {
                if let Some(rest) = rest.strip_prefix(text) {
                    self.fill(after, rest, groups);
                }
            }
            [Piece::Group(name), after @ ..] => {
                // A group that occurs twice has the same value both times.
                if let Some(known) = groups.get(*name) {
                    if let Some(rest) = rest.strip_prefix(known.as_str()) {
                        self.fill(after, rest, groups);
                    }
                    return;
                }
                // Otherwise the group can be any beginning of the rest, the empty one and the whole rest
                // included.
                for (end, _) in rest.char_indices().chain([(rest.len(), ' ')]) {
                    let (word, rest) = rest.split_at(end);
                    let mut groups = groups.clone();
                    groups.insert((*name).to_owned(), word.to_owned());
                    self.fill(after, rest, &groups);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_with_many_ways_is_bounded() {
        let long = "a".repeat(2000);
        assert!(groups("$a${b}${c}${d}x", &long).len() <= MAX_WORDS);
    }
}
