//! Deserializes a value of any type together with the places of all values inside it.

use std::{collections::BTreeMap, fmt};

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::Spanned;

use super::places::{Inside, Place, Places};

/// A value and the places of the values inside it. Its own place is known only to the reader of the value
/// around it.
pub(super) struct Node {
    value: Value,
    inside: Inside,
}

struct Reader;

impl Node {
    /// Splits the node into the value and its places. The value itself is at `start`.
    pub(super) fn at(self, start: Place) -> (Value, Places) {
        (self.value, Places::new(start, self.inside))
    }

    fn plain(value: impl Into<Value>) -> Self {
        Self {
            value: value.into(),
            inside: Inside::Nothing,
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

impl<'de> Visitor<'de> for Reader {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::plain(Value::Null))
    }

    fn visit_none<E: Error>(self) -> Result<Node, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::plain(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        Ok(Node::plain(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        Ok(Node::plain(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        // JSON has no NaN and no infinity. The reader refuses both before they come here.
        Ok(Node::plain(
            Number::from_f64(value).map_or(Value::Null, Value::Number),
        ))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Node, E> {
        Ok(Node::plain(value))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Node, E> {
        Ok(Node::plain(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut values = Vec::new();
        let mut places = Vec::new();
        while let Some(item) = items.next_element::<Spanned<Node>>()? {
            let (value, place) = item.value.at(Place::of(item.referenced));
            values.push(value);
            places.push(place);
        }
        Ok(Node {
            value: Value::Array(values),
            inside: Inside::Items(places),
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Node, A::Error> {
        let mut values = Map::new();
        let mut places = BTreeMap::new();
        while let Some(name) = fields.next_key::<Spanned<String>>()? {
            let node: Node = fields.next_value()?;
            let (value, place) = node.at(Place::of(name.referenced));
            places.insert(name.value.clone(), place);
            values.insert(name.value, value);
        }
        Ok(Node {
            value: Value::Object(values),
            inside: Inside::Fields(places),
        })
    }
}
