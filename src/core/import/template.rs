//! The Go templates of prometheus-adapter's queries, as far as they stand for plain text.

/// Label that stands for `.GroupBy` in a rendered query.
pub(super) const GROUP_BY: &str = "__vas_group_by";
/// Label of the matcher that stands for `.LabelMatchers`.
pub(super) const MATCHERS: &str = "__vas_matchers";

/// Renders a query for a series, with markers for what each request of the HPA fills in.
///
/// # Errors
/// When the template does more than name the known fields.
pub(super) fn render(template: &str, series: &str) -> Result<String, String> {
    let mut rendered = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((text, tail)) = rest.split_once("<<") {
        rendered.push_str(text);
        let (action, tail) = tail
            .split_once(">>")
            .ok_or_else(|| "metricsQuery has a << without >>".to_owned())?;
        let action: Vec<&str> = action.trim_matches('-').split_whitespace().collect();
        match action.as_slice() {
            [".Series"] => rendered.push_str(series),
            [".LabelMatchers"] => {
                rendered.push_str(MATCHERS);
                rendered.push_str("=\"\"");
            }
            [".GroupBy"] | ["index", ".GroupBySlice", "0"] => rendered.push_str(GROUP_BY),
            other => {
                return Err(format!(
                    "metricsQuery uses <<{}>>; only .Series, .LabelMatchers and .GroupBy are understood",
                    other.join(" ")
                ));
            }
        }
        rest = tail;
    }
    rendered.push_str(rest);
    Ok(rendered)
}
