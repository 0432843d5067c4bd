//! Reads what a program exposes at `/metrics`, so that it can be held to the table of its families.

use std::collections::{BTreeMap, BTreeSet};

/// What an exposition says of one family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exposed {
    pub kind: String,
    pub unit: Option<String>,
    pub help: String,
    /// The labels of all its series together, without `le`.
    pub labels: BTreeSet<String>,
}

/// The families of an exposition in the format of OpenMetrics, by name.
///
/// # Panics
/// Where a family is there twice, or where its lines do not stand together.
pub fn families(text: &str) -> BTreeMap<String, Exposed> {
    let mut families: BTreeMap<String, Exposed> = BTreeMap::new();
    let mut current = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("a help text");
            name.clone_into(&mut current);
            let exposed = Exposed {
                help: help.trim_end_matches('.').to_owned(),
                ..Exposed::default()
            };
            assert!(
                families.insert(current.clone(), exposed).is_none(),
                "{name} is there twice"
            );
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a type");
            kind.clone_into(&mut families.get_mut(name).expect("HELP comes first").kind);
        } else if let Some(rest) = line.strip_prefix("# UNIT ") {
            let (name, unit) = rest.split_once(' ').expect("a unit");
            families.get_mut(name).expect("HELP comes first").unit = Some(unit.to_owned());
        } else if !line.starts_with('#') {
            assert!(line.starts_with(&current), "{line} does not belong to {current}");
            let family = families
                .get_mut(&current)
                .expect("a sample comes after its family");
            family.labels.extend(labels(line));
        }
    }
    families
}

/// A family as a table describes it.
#[derive(Clone, Debug)]
pub struct Listed<'a> {
    pub name: &'a str,
    pub kind: &'a str,
    pub unit: Option<&'a str>,
    pub help: &'a str,
    pub labels: &'a [&'a str],
}

/// Holds an exposition to a table.
///
/// # Panics
/// Where the exposition has other families, or a family is described in another way.
pub fn check<'a>(text: &str, table: impl IntoIterator<Item = Listed<'a>>) {
    assert_eq!(families(text), wanted(table));
}

/// What an exposition of all families of a table says of them.
pub fn wanted<'a>(table: impl IntoIterator<Item = Listed<'a>>) -> BTreeMap<String, Exposed> {
    let wanted = table.into_iter().map(|family| {
        let exposed = Exposed {
            kind: family.kind.to_owned(),
            unit: family.unit.map(str::to_owned),
            help: family.help.to_owned(),
            labels: family.labels.iter().map(|label| (*label).to_owned()).collect(),
        };
        (family.name.to_owned(), exposed)
    });
    wanted.collect()
}

/// The names of a sample's labels: what stands before each `="`.
fn labels(line: &str) -> impl Iterator<Item = String> {
    line.split("=\"")
        .skip(1)
        .zip(line.split("=\""))
        .filter_map(|(_, before)| {
            let name = before.rsplit(['{', ',']).next()?;
            (name != "le").then(|| name.to_owned())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exposition_is_read_family_by_family() {
        let text = "# HELP a_seconds How long.\n# TYPE a_seconds histogram\n# UNIT a_seconds seconds\n\
                    a_seconds_bucket{le=\"1\",of=\"x, y\"} 2\n# HELP b Things.\n# TYPE b counter\nb_total 1\n# EOF\n";
        let families = families(text);
        let a = &families["a_seconds"];
        assert_eq!(
            (a.kind.as_str(), a.unit.as_deref(), a.help.as_str()),
            ("histogram", Some("seconds"), "How long")
        );
        assert_eq!(a.labels, BTreeSet::from(["of".to_owned()]));
        assert!(families["b"].labels.is_empty());
    }
}
