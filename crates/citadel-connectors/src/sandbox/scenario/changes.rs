//! What becomes different on a day: what is set is merged into the object that the change stands in.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde_json::{Map, Value};

use super::lines::{Step, steps};

/// Every day on which something becomes different, be it in what another change brings.
pub(super) fn days(json: &Value) -> BTreeSet<Date> {
    let inner: BTreeSet<Date> = match json {
        Value::Object(object) => object.values().flat_map(days).collect(),
        Value::Array(list) => list.iter().flat_map(days).collect(),
        _ => BTreeSet::new(),
    };
    changes(json).into_iter().map(|change| change.date).chain(inner).collect()
}

/// The JSON as it is on a day: what changed up to then is merged into the object that it stands in, the earliest first.
pub(super) fn on_day(mut json: Value, day: Date) -> Value {
    let due: Vec<_> = due(&json, day).into_iter().map(|change| change.set.clone()).collect();
    if let Value::Object(object) = &mut json {
        object.remove("changes");
    }
    json = due.into_iter().fold(json, merge);
    match &mut json {
        Value::Object(object) => object.values_mut().for_each(|value| *value = on_day(value.take(), day)),
        Value::Array(list) => list.iter_mut().for_each(|value| *value = on_day(value.take(), day)),
        _ => {}
    }
    json
}

/// A field of an object as it is on a day, where the field itself is no object.
pub(super) fn field_on<'a>(json: &'a Value, name: &str, day: Date) -> Option<&'a Value> {
    due(json, day).into_iter().rev().find_map(|change| change.set.get(name)).or_else(|| json.get(name))
}

/// Where something stands that is wrong from a day on: what a change of that day sets, or that change, where the field itself
/// is older and something else has made it wrong. The field is one of the JSON as it is on the day.
pub(super) fn set_at(json: &Value, field: &str, day: Date) -> String {
    // What the value is merged from, the last one on top.
    let mut layers = vec![Layer { value: json, at: String::new(), date: None }];
    let mut nearest = put_changes(&mut layers, day);
    for step in steps(field) {
        layers = layers.iter().filter_map(|layer| layer.inside(&step)).collect();
        // All but an object is there as a whole.
        let whole = layers.iter().rposition(|layer| !layer.value.is_object()).unwrap_or(0);
        layers.drain(..whole);
        nearest = put_changes(&mut layers, day).or(nearest);
    }
    let own = layers.pop().filter(|layer| layer.date == Some(day)).map(|layer| layer.at);
    own.or(nearest).or_else(|| change_of(json, day)).unwrap_or_else(|| field.to_owned())
}

/// The first change of a day, wherever it stands.
pub(super) fn change_of(json: &Value, day: Date) -> Option<String> {
    fn below(json: &Value, day: Date, at: &str) -> Option<String> {
        let own = changes(json).into_iter().find(|change| change.date == day);
        own.map(|change| inside(at, &format!("changes[{}]", change.place))).or_else(|| match json {
            Value::Object(object) => {
                object.iter().find_map(|(name, value)| below(value, day, &inside(at, name)))
            }
            Value::Array(list) => list
                .iter()
                .enumerate()
                .find_map(|(place, value)| below(value, day, &format!("{at}[{place}]"))),
            _ => None,
        })
    }
    below(json, day, "")
}

/// A change of an object.
struct Due<'a> {
    /// In the list of its object.
    place: usize,
    date: Date,
    set: &'a Map<String, Value>,
}

/// The changes of an object, in the order of the list.
fn changes(json: &Value) -> Vec<Due<'_>> {
    let list = json.get("changes").and_then(Value::as_array).into_iter().flatten().enumerate();
    list.filter_map(|(place, change)| {
        let date = change.get("date")?.as_str()?.parse().ok()?;
        Some(Due { place, date, set: change.get("set")?.as_object()? })
    })
    .collect()
}

/// Those up to a day, the earliest first.
fn due(json: &Value, day: Date) -> Vec<Due<'_>> {
    let mut due = changes(json);
    due.retain(|change| change.date <= day);
    due.sort_by_key(|change| change.date);
    due
}

/// RFC 7386.
fn merge(target: Value, patch: Map<String, Value>) -> Value {
    let Value::Object(mut target) = target else { return merge(Value::Object(Map::new()), patch) };
    for (name, value) in patch {
        match value {
            Value::Null => drop(target.remove(&name)),
            Value::Object(inner) => {
                let before = target.remove(&name).unwrap_or_default();
                target.insert(name, merge(before, inner));
            }
            value => drop(target.insert(name, value)),
        }
    }
    Value::Object(target)
}

/// A value that others are merged into, or that is merged into one.
struct Layer<'a> {
    value: &'a Value,
    at: String,
    /// The day of the change that brings it.
    date: Option<Date>,
}

impl Layer<'_> {
    fn inside(&self, step: &Step<'_>) -> Option<Self> {
        let (value, at) = match *step {
            Step::Name(name) => (self.value.get(name)?, inside(&self.at, name)),
            Step::Place(place) => (self.value.get(place)?, format!("{}[{place}]", self.at)),
        };
        Some(Self { value, at, date: self.date })
    }
}

/// Puts what an object's changes set on top of it. Where the last of its changes of the day stands.
fn put_changes(layers: &mut Vec<Layer<'_>>, day: Date) -> Option<String> {
    let (value, at) = layers
        .iter()
        .rev()
        .find(|layer| layer.value.get("changes").is_some())
        .map(|layer| (layer.value, layer.at.clone()))?;
    let mut last = None;
    for change in due(value, day) {
        let at = inside(&at, &format!("changes[{}]", change.place));
        let set = value.get("changes")?.get(change.place)?.get("set")?;
        layers.push(Layer { value: set, at: inside(&at, "set"), date: Some(change.date) });
        if change.date == day {
            last = Some(at);
        }
    }
    last
}

fn inside(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}
