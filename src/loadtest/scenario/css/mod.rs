//! Values taken out of HTML by a CSS selector: `input[name=csrf]@value`.
//!
//! The selectors are a part of CSS, which is refused beyond that part and never read as something else: names of
//! elements, `*`, `#id`, `.class`, `[attribute]` and `[attribute=value]` (also `^=`, `$=`, `*=`, `~=`), with a space
//! for "inside" and `>` for "directly inside". A page is read in one pass with a memory of its open elements, so
//! its cost grows with its size alone.

mod find;
mod selector;

pub use self::selector::{Selector, SelectorError};

use std::str::FromStr;

/// Where a value is found in a page: the first element that a selector selects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Css {
    selector: Selector,
    /// The attribute that has the value; without one the value is the text in the element.
    attribute: Option<String>,
}

impl Css {
    /// The value in a page, without spaces around it. `None` if nothing is selected, or the element lacks the
    /// attribute.
    pub fn first_in(&self, page: &[u8]) -> Option<String> {
        let found = find::first(page, &self.selector, self.attribute.as_deref())?;
        Some(String::from_utf8_lossy(&found).trim().to_owned())
    }
}

impl FromStr for Css {
    type Err = SelectorError;

    /// Reads `SELECTOR` or `SELECTOR@ATTRIBUTE`.
    fn from_str(text: &str) -> Result<Self, SelectorError> {
        // An @ in quotes or brackets belongs to the selector.
        let split = text
            .rsplit_once('@')
            .filter(|(_, behind)| !behind.contains(['"', '\'', ']']));
        let (selector, attribute) = match split {
            Some((selector, attribute)) => (selector, Some(attribute)),
            None => (text, None),
        };
        Ok(Self {
            selector: selector.trim().parse()?,
            attribute: attribute.map(selector::name).transpose()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &[u8] = br#"<!doctype html><html><head><title>A &amp; B</title>
        <meta name=csrf-token content='m"1'><script>if (a < b) "<input name=csrf value=script>"</script></head>
        <body class="main wide"><!-- <input name=csrf value=comment> -->
        <form id=search><input name=q><div><input name="other" value="x@y"></div></form>
        <FORM id="login" action="/login"><p>Hello <b>you</b><br>
        <input type=hidden NAME=csrf value="a&quot;b">
        <ul><li>one<li>two</ul></FORM><p id=empty></p>"#;

    fn found(css: &str) -> Option<String> {
        css.parse::<Css>().unwrap().first_in(PAGE)
    }

    #[test]
    fn a_token_is_found_however_the_page_writes_it() {
        for (css, value) in [
            ("input[name=csrf]@value", "a\"b"),
            ("form#login input[name='csrf']@value", "a\"b"),
            ("meta[name=\"csrf-token\"]@content", "m\"1"),
            ("#login@action", "/login"),
            ("form[action^='/log'][action$=gin]@id", "login"),
            ("form[action*=ogi]@id", "login"),
            (".wide@class", "main wide"),
            ("body.main.wide form > div > input@value", "x@y"),
            ("body[class~=wide] #search *@name", "q"),
            ("[value='x@y']@name", "other"),
            ("title", "A & B"),
            ("#login b", "you"),
            ("#login p b", "you"),
            ("#empty", ""),
        ] {
            assert_eq!(found(css).as_deref(), Some(value), "{css}");
        }
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        for css in [
            "input[name=nothing]@value",
            "form#search > input[name=other]",
            // The paragraph is not closed, so the field is inside it.
            "form#login > input",
            "input[name=q]@value",
            "table input",
            "script input@value",
            "[name=CSRF]@value",
        ] {
            assert_eq!(found(css), None, "{css}");
        }
    }

    #[test]
    fn the_text_of_an_element_ends_with_it() {
        assert_eq!(
            "li".parse::<Css>().unwrap().first_in(b"<li>a<b>b</b> c</li>d"),
            Some("ab c".to_owned())
        );
        assert_eq!(
            "p".parse::<Css>().unwrap().first_in(b"<div><p>open</div>after"),
            Some("open".to_owned())
        );
        assert_eq!(
            "p".parse::<Css>().unwrap().first_in(b"<p>cut o"),
            Some("cut o".to_owned())
        );
    }

    #[test]
    fn any_page_is_read_in_bounded_memory() {
        let deep =
            "<div>".repeat(100_000) + "<i id=x>deep</i>" + &"</div>".repeat(100_000) + "<i id=y>flat</i>";
        assert_eq!(
            "#y".parse::<Css>().unwrap().first_in(deep.as_bytes()),
            Some("flat".to_owned())
        );
        for page in [
            "",
            "<",
            "<a",
            "</",
            "<!--",
            "<a b='",
            "\0\u{1}\u{ffff}",
            "</div></p>",
            "<br/><img><",
        ] {
            assert_eq!(
                "b".parse::<Css>().unwrap().first_in(page.as_bytes()),
                None,
                "{page:?}"
            );
        }
    }
}
