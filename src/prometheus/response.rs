//! Parses the JSON answer to an instant query, strictly.
//!
//! Source: the section "Instant queries" of Prometheus' HTTP API. Prometheus' annotations of level info
//! (`infos`) are about the query, and are passed on. `warnings` mean that the result may be incomplete, so an
//! answer with warnings is an error. So is one with `isPartial`, by which VictoriaMetrics reports that some
//! of its storage did not answer.

use serde::{Deserialize, de::IgnoredAny};

use vas_core::{
    metrics::promql::{ByName, Item, Track, Vector},
    wording::words,
};

/// The `errorType` of a query that took too long.
const TIMEOUT: &str = "timeout";
/// Prefix of an annotation of level info.
const PROMQL_INFO: &str = "PromQL info";
/// Prefix of a warning that is about the query and its series, and not about storage.
const PROMQL_WARNING: &str = "PromQL warning";

/// Most annotations that are passed on.
const MAX_ANNOTATIONS: usize = 3;

/// Why an answer was not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResponseError {
    /// Prometheus refused the query or failed, in its own words.
    #[error("{kind}: {words}")]
    Refused {
        /// Prometheus' `errorType`, for example `bad_data` or `timeout`.
        kind: String,
        /// Prometheus' `error`: its message for people.
        words: String,
    },
    /// The result may be incomplete, in Prometheus' own words.
    #[error("warned: {0}")]
    Warned(String),
    /// The answer is not the JSON of the API. The text names the kind of damage, but no position: it would
    /// differ each time, and the message would never be the same twice.
    #[error("{0}")]
    Malformed(&'static str),
}

impl ResponseError {
    /// Whether the series of one namespace may have caused the error. Otherwise the cause is Prometheus or
    /// its storage.
    #[must_use]
    pub fn may_be_of_some_series(&self) -> bool {
        match self {
            Self::Refused { kind, .. } => matches!(kind.as_str(), "execution" | TIMEOUT),
            Self::Warned(words) => words.starts_with(PROMQL_WARNING),
            Self::Malformed(_) => false,
        }
    }

    /// Whether Prometheus reported that its own time limit ended the query.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Refused { kind, .. } if kind == TIMEOUT)
    }
}

/// A complete answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InstantAnswer {
    /// The series with numbers.
    pub vector: Vector,
    /// The labels of series that hold native histograms instead of numbers.
    pub histograms: Vec<ByName<Box<str>>>,
    /// Prometheus' info annotations of the query, without the position in its text.
    pub annotations: Vec<String>,
}

impl InstantAnswer {
    /// The answer, if it holds only numbers.
    ///
    /// # Errors
    /// When some series hold histograms.
    pub fn numbers(self) -> Result<Self, ResponseError> {
        if self.histograms.is_empty() {
            Ok(self)
        } else {
            Err(ResponseError::Malformed(
                "the result holds histograms; ask for a number, such as histogram_count(...)",
            ))
        }
    }
}

#[derive(Deserialize)]
struct Envelope {
    status: Status,
    data: Option<Data>,
    #[serde(rename = "errorType")]
    error_type: Option<String>,
    error: Option<String>,
    warnings: Option<Vec<String>>,
    infos: Option<Vec<String>>,
    #[serde(rename = "isPartial")]
    is_partial: Option<bool>,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Status {
    Success,
    Error,
}

#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum Data {
    Vector(Vec<Series>),
    Scalar((f64, String)),
    Matrix(Vec<Tracked>),
    String(IgnoredAny),
}

#[derive(Deserialize)]
struct Series {
    metric: ByName<Box<str>>,
    value: Option<(f64, String)>,
}

#[derive(Deserialize)]
struct Tracked {
    metric: ByName<Box<str>>,
    #[serde(default)]
    values: Vec<(f64, String)>,
}

/// Parses the answer to an instant query.
///
/// # Errors
/// See [`ResponseError`].
pub fn parse(body: &[u8]) -> Result<InstantAnswer, ResponseError> {
    let (data, annotations) = complete(body)?;
    let mut histograms = Vec::new();
    let vector = match data {
        Data::Vector(series) => {
            let mut vector = Vec::with_capacity(series.len());
            for Series { metric, value } in series {
                match value {
                    Some(sample) => vector.push(sampled(metric, &sample)?),
                    // Prometheus sends a native histogram as `histogram` in place of `value`.
                    None => histograms.push(metric),
                }
            }
            vector
        }
        Data::Scalar(sample) => vec![sampled(ByName::default(), &sample)?],
        Data::Matrix(_) | Data::String(_) => {
            return Err(ResponseError::Malformed(
                "the result is neither a vector nor a scalar",
            ));
        }
    };
    Ok(InstantAnswer {
        vector,
        histograms,
        annotations,
    })
}

/// Parses the answer to an instant query whose result has several points in time for each series: a subquery.
///
/// # Errors
/// See [`ResponseError`].
pub fn parse_tracks(body: &[u8]) -> Result<Vec<Track>, ResponseError> {
    let (Data::Matrix(tracks), _) = complete(body)? else {
        return Err(ResponseError::Malformed("the result is no matrix"));
    };
    let track = |Tracked { metric, values }| {
        let points = values.iter().map(|(time, text)| Ok((*time, number(text)?)));
        Ok(Track {
            labels: metric,
            points: points.collect::<Result<_, ResponseError>>()?,
        })
    };
    tracks.into_iter().map(track).collect()
}

/// The data of a complete answer, and Prometheus' annotations.
fn complete(body: &[u8]) -> Result<(Data, Vec<String>), ResponseError> {
    let envelope: Envelope = serde_json::from_slice(body).map_err(|error| {
        ResponseError::Malformed(match error.classify() {
            serde_json::error::Category::Eof => "the answer is cut off",
            serde_json::error::Category::Data => "the answer does not have the form of the query API",
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => "the answer is not JSON",
        })
    })?;
    if envelope.status == Status::Error {
        return Err(ResponseError::Refused {
            kind: words(&envelope.error_type.unwrap_or_else(|| "error".to_owned())),
            words: words(&envelope.error.unwrap_or_default()),
        });
    }
    // From here on Prometheus says that it succeeded. Two fields may still say that series are missing, and a
    // sum of fewer series would look like a lower load. Prometheus before 2.53 sends info annotations among
    // the warnings; these are no reason to refuse the answer.
    let (annotations, warnings): (Vec<String>, Vec<String>) = envelope
        .warnings
        .unwrap_or_default()
        .into_iter()
        .partition(|warning| warning.starts_with(PROMQL_INFO));
    if let Some(first) = warnings.first() {
        return Err(ResponseError::Warned(words(first)));
    }
    if envelope.is_partial == Some(true) {
        return Err(ResponseError::Warned("the answer is partial".to_owned()));
    }
    let data = envelope
        .data
        .ok_or(ResponseError::Malformed("the answer holds no data"))?;
    // Annotations go into the status of resources, so there are few of them and they are short.
    let infos = envelope.infos.unwrap_or_default();
    let annotations = annotations.iter().chain(&infos).take(MAX_ANNOTATIONS);
    Ok((
        data,
        annotations
            .map(|annotation| words(placeless(annotation)))
            .collect(),
    ))
}

/// An annotation without the `(line:column)` at its end, which means nothing to a reader who does not see the
/// query.
fn placeless(annotation: &str) -> &str {
    match annotation.rsplit_once(" (") {
        Some((text, place))
            if place.strip_suffix(')').is_some_and(|place| {
                place.contains(':') && place.chars().all(|char| char.is_ascii_digit() || char == ':')
            }) =>
        {
            text
        }
        _ => annotation,
    }
}

fn sampled(labels: ByName<Box<str>>, (time, text): &(f64, String)) -> Result<Item, ResponseError> {
    Ok(Item {
        labels,
        time: *time,
        value: number(text)?,
    })
}

fn number(text: &str) -> Result<f64, ResponseError> {
    // Prometheus writes `NaN`, `+Inf` and `-Inf`, which Rust parses as such.
    text.parse()
        .map_err(|_| ResponseError::Malformed("a value in the answer is not a number"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn malformed(body: &str) -> &'static str {
        match parse(body.as_bytes()) {
            Err(ResponseError::Malformed(words)) => words,
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn a_vector_is_read_with_its_labels_and_special_values() {
        let body = r#"{"status":"success","data":{"resultType":"vector","result":[
            {"metric":{"namespace":"a","pod":"p"},"value":[1700000000.123,"12.5"]},
            {"metric":{},"value":[1700000000,"NaN"]},{"metric":{},"value":[1700000000,"+Inf"]}]},
            "infos":["PromQL info: metric might not be a counter: \"a\" (1:26)","b (see c)"]}"#;
        let InstantAnswer {
            vector: items,
            annotations,
            ..
        } = parse(body.as_bytes()).unwrap();
        assert_eq!(
            annotations,
            ["PromQL info: metric might not be a counter: \"a\"", "b (see c)"]
        );
        assert_eq!(items[0].labels.get("pod").map(|pod| &**pod), Some("p"));
        assert_eq!(
            format!("{} {}", items[0].time, items[0].value),
            "1700000000.123 12.5"
        );
        assert!(items[1].value.is_nan());
        assert!(items[2].value.is_infinite());
    }

    #[test]
    fn a_matrix_is_read_as_tracks_and_nothing_else_is() {
        let body = r#"{"status":"success","data":{"resultType":"matrix","result":[
            {"metric":{"pod":"p"},"values":[[1700000000.5,"12.5"],[1700000002.5,"NaN"]]}]}}"#;
        let tracks = parse_tracks(body.as_bytes()).unwrap();
        assert_eq!(tracks[0].labels.get("pod").map(|pod| &**pod), Some("p"));
        assert_eq!(
            format!("{:?}", tracks[0].points),
            "[(1700000000.5, 12.5), (1700000002.5, NaN)]"
        );
        assert_eq!(
            malformed(body),
            "the result is neither a vector nor a scalar",
            "where one moment was asked for"
        );
        for (body, words) in [
            (
                r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#,
                "the result is no matrix",
            ),
            (
                r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"x"]]}]}}"#,
                "a value in the answer is not a number",
            ),
        ] {
            assert_eq!(
                parse_tracks(body.as_bytes()),
                Err(ResponseError::Malformed(words))
            );
        }
        let warned =
            r#"{"status":"success","data":{"resultType":"matrix","result":[]},"warnings":["store down"]}"#;
        assert_eq!(
            parse_tracks(warned.as_bytes()),
            Err(ResponseError::Warned("store down".to_owned()))
        );
    }

    #[test]
    fn a_scalar_is_one_item_without_labels() {
        let body = r#"{"status":"success","data":{"resultType":"scalar","result":[1.5,"3"]}}"#;
        assert_eq!(
            parse(body.as_bytes()).unwrap().vector,
            [Item {
                labels: ByName::default(),
                time: 1.5,
                value: 3.0
            }]
        );
    }

    #[test]
    fn no_series_is_an_empty_vector() {
        let body = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
        assert_eq!(parse(body.as_bytes()), Ok(InstantAnswer::default()));
    }

    #[test]
    fn a_warned_answer_is_no_answer_even_with_data() {
        let body = r#"{"status":"success","data":{"resultType":"vector","result":[]},"warnings":["store down","b"]}"#;
        assert_eq!(
            parse(body.as_bytes()),
            Err(ResponseError::Warned("store down".to_owned()))
        );
    }

    #[test]
    fn a_remark_among_the_warnings_is_a_remark() {
        let body = r#"{"status":"success","data":{"resultType":"vector","result":[]},
            "warnings":["PromQL info: metric might not be a counter: \"a\" (1:26)"]}"#;
        assert_eq!(
            parse(body.as_bytes()).unwrap().annotations,
            ["PromQL info: metric might not be a counter: \"a\""]
        );
    }

    #[test]
    fn a_histogram_is_told_apart_from_the_numbers_beside_it() {
        let body = r#"{"status":"success","data":{"resultType":"vector","result":[
            {"metric":{"pod":"a"},"histogram":[1,{}]},{"metric":{"pod":"b"},"value":[1,"2"]}]}}"#;
        let answer = parse(body.as_bytes()).unwrap();
        assert_eq!(answer.histograms, [ByName::from([("pod", "a".into())])]);
        assert_eq!(answer.vector.len(), 1);
        assert!(answer.numbers().unwrap_err().to_string().contains("histograms"));
    }

    #[test]
    fn only_what_the_series_of_a_query_can_cause_may_be_of_some_of_them() {
        let refused = |kind: &str| ResponseError::Refused {
            kind: kind.to_owned(),
            words: String::new(),
        };
        let may: Vec<bool> = [
            "execution",
            "timeout",
            "bad_data",
            "internal",
            "unavailable",
            "canceled",
        ]
        .map(|kind| refused(kind).may_be_of_some_series())
        .to_vec();
        assert_eq!(may, [true, true, false, false, false, false]);
        let mix = "PromQL warning: encountered a mix of histograms and floats for metric name \"a\"";
        assert!(ResponseError::Warned(mix.to_owned()).may_be_of_some_series());
        assert!(!ResponseError::Warned("store down".to_owned()).may_be_of_some_series());
    }

    #[test]
    fn a_partial_answer_is_no_answer() {
        let body = |partial: bool| {
            format!(
                r#"{{"status":"success","isPartial":{partial},"data":{{"resultType":"vector","result":[]}}}}"#
            )
        };
        assert_eq!(
            parse(body(true).as_bytes()).unwrap_err().to_string(),
            "warned: the answer is partial"
        );
        assert_eq!(parse(body(false).as_bytes()), Ok(InstantAnswer::default()));
    }

    #[test]
    fn a_refusal_keeps_the_words_of_prometheus() {
        let body = r#"{"status":"error","errorType":"execution","error":"many-to-many\nmatching"}"#;
        assert_eq!(
            parse(body.as_bytes()).unwrap_err().to_string(),
            "execution: many-to-many matching"
        );
    }

    #[test]
    fn damage_is_named_by_kind() {
        let whole = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
        assert_eq!(malformed(&whole[..40]), "the answer is cut off");
        assert_eq!(malformed(""), "the answer is cut off");
        assert_eq!(malformed("<html>"), "the answer is not JSON");
        assert_eq!(malformed(r#"{"status":"success"}"#), "the answer holds no data");
        let form = "the answer does not have the form of the query API";
        for body in [
            r#"{"status":"maybe"}"#,
            r#"{"status":"success","data":{"resultType":"vector","result":{}}}"#,
            r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,2]}]}}"#,
            r#"{"status":"success","data":{"resultType":"tensor","result":[]}}"#,
            r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":1},"value":[1,"2"]}]}}"#,
            "[]",
        ] {
            assert_eq!(malformed(body), form, "{body}");
        }
        let text = r#"{"status":"success","data":{"resultType":"scalar","result":[1,"many"]}}"#;
        assert_eq!(malformed(text), "a value in the answer is not a number");
        let matrix = r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;
        assert!(malformed(matrix).contains("neither"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(parse(&bytes).is_err());
        }
    }
}
