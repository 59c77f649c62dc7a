//! Where in a text a field stands.

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::value::RawValue;

/// The line, from 1, of the value of a field such as `payload.employments[0].income`. The nearest object or list around it where
/// the field is not there. `None` where the text is not JSON.
pub fn line_of(text: &str, field: &str) -> Option<usize> {
    let mut value: &RawValue = serde_json::from_str(text).ok()?;
    for step in steps(field) {
        let inner = match step {
            Step::Name(name) => serde_json::from_str::<BTreeMap<Cow<'_, str>, &RawValue>>(value.get())
                .ok()
                .and_then(|object| object.get(name).copied()),
            Step::Place(place) => serde_json::from_str::<Vec<&RawValue>>(value.get())
                .ok()
                .and_then(|list| list.get(place).copied()),
        };
        match inner {
            Some(inner) => value = inner,
            None => break,
        }
    }
    // The inner value is a part of the text.
    let offset = (value.get().as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    Some(text.get(..offset)?.matches('\n').count() + 1)
}

/// A part of a field such as `payload.employments[0].income`.
pub(super) enum Step<'a> {
    Name(&'a str),
    Place(usize),
}

pub(super) fn steps(field: &str) -> impl Iterator<Item = Step<'_>> {
    field.split(['.', '[']).filter(|part| !part.is_empty()).map(|part| {
        let place = part.strip_suffix(']').and_then(|digits| digits.parse().ok());
        place.map_or(Step::Name(part), Step::Place)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_by_its_line() {
        let text = "\n{\n  \"label\": \"a\",\n  \"payload\": {\n    \"employments\": [\n      {},\n      {\"income\": 1}\n    ]\n  }\n}";
        assert_eq!(line_of(text, ""), Some(2));
        assert_eq!(line_of(text, "label"), Some(3));
        assert_eq!(line_of(text, "payload.employments[1].income"), Some(7));
        assert_eq!(line_of(text, "payload.employments[0].income"), Some(6));
        assert_eq!(line_of(text, "payload.employments[7]"), Some(5));
        assert_eq!(line_of("{", "label"), None);
    }
}
