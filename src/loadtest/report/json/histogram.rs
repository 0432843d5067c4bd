//! Encodes histograms as text without loss.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hdrhistogram::serialization::{Deserializer, Serializer as _, V2Serializer};
use serde::ser::Error as _;

use crate::model::latencies::Latencies;

/// Encodes a histogram in HdrHistogram's V2 format, as Base64.
pub(super) fn encode(latencies: &Latencies) -> Result<String, serde_json::Error> {
    let mut bytes = Vec::new();
    V2Serializer::new()
        .serialize(latencies.histogram(), &mut bytes)
        .map_err(|error| serde_json::Error::custom(format!("a histogram cannot be written: {error:?}")))?;
    Ok(STANDARD.encode(bytes))
}

/// Decodes a histogram. The error says what is wrong with the text.
pub(super) fn decode(text: &str) -> Result<Latencies, String> {
    let bytes = STANDARD.decode(text).map_err(|error| error.to_string())?;
    let histogram = Deserializer::new()
        .deserialize(&mut bytes.as_slice())
        .map_err(|error| format!("{error:?}"))?;
    Ok(Latencies::from_histogram(histogram))
}
