//! Renders the Go templates of prometheus-adapter's queries, as far as they only insert text.
//!
//! For one metric of one HPA everything but the matchers is known text: the series, the label that `.GroupBy`
//! names, and the values of labels. The matchers become a marker, which later shows the selectors that
//! prometheus-adapter narrows by the matchers of the request.
//!
//! Example: `sum(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)` becomes `sum(jobs{__vas_matchers=""}) by
//! (pod)`.

use crate::query::MATCHERS;

/// The values that one request fills in.
#[derive(Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) series: &'a str,
    /// The label that names the objects; empty for an External metric.
    pub(super) group_by: &'a str,
    /// Returns the value of a label in the request, if it is a single known value.
    pub(super) value: &'a dyn Fn(&str) -> Option<String>,
}

/// Renders a query.
///
/// # Errors
/// If the template uses anything but the known fields.
pub(super) fn render(template: &str, request: Request<'_>) -> Result<String, String> {
    let mut rendered = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((text, tail)) = rest.split_once("<<") {
        rendered.push_str(text);
        let (action, tail) = tail
            .split_once(">>")
            .ok_or_else(|| "metricsQuery has a << without >>".to_owned())?;
        act(action, request, &mut rendered)?;
        rest = tail;
    }
    rendered.push_str(rest);
    Ok(rendered)
}

fn act(action: &str, request: Request<'_>, rendered: &mut String) -> Result<(), String> {
    let words: Vec<&str> = action.trim_matches('-').split_whitespace().collect();
    match words.as_slice() {
        [".Series"] => rendered.push_str(request.series),
        [".LabelMatchers"] => {
            rendered.push_str(MATCHERS);
            rendered.push_str("=\"\"");
        }
        [".GroupBy"] => rendered.push_str(request.group_by),
        ["index", ".GroupBySlice", "0"] if !request.group_by.is_empty() => {
            rendered.push_str(request.group_by);
        }
        ["index", ".GroupBySlice", ..] => {
            return Err(
                "metricsQuery takes a label from .GroupBySlice that an HPA's request does not have"
                    .to_owned(),
            );
        }
        ["index", ".LabelValuesByName", label] => {
            let label = label.trim_matches(['"', '`']);
            let value = (request.value)(label).ok_or_else(|| {
                format!(
                    "metricsQuery takes the value of label {label} from the request; what that is does not stand in \
                     the HPA. Write it out in the query, or use <<.LabelMatchers>>"
                )
            })?;
            rendered.push_str(&value);
        }
        [comment, ..] if comment.starts_with("/*") => {}
        other => {
            return Err(format!(
                "metricsQuery uses <<{}>>; only .Series, .LabelMatchers, .GroupBy and values by index are understood",
                other.join(" ")
            ));
        }
    }
    Ok(())
}
