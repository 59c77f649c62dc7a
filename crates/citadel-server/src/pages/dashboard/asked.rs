//! What lists and forms are asked in: filters, times, cursors, boxes that are ticked.

use jiff::{Timestamp, civil::DateTime, tz::Offset};

use super::page::{PageError, PageResult};

/// Rows on a page.
pub(super) const ROWS: usize = 50;

/// What somebody filled in, without the spaces around it. `None`: nothing.
pub(super) fn filled(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// A value of a filter.
pub(super) fn value<T: std::str::FromStr>(name: &str, text: Option<&str>) -> PageResult<Option<T>> {
    let wrong = |_| PageError::wrong(format!("{name}: this is not one."));
    filled(text).map(|text| text.parse().map_err(wrong)).transpose()
}

/// A time, as the field of a form has it or as the API prints it. Without an offset it is UTC.
pub(super) fn time_of(name: &str, text: Option<&str>) -> PageResult<Option<Timestamp>> {
    let Some(text) = filled(text) else { return Ok(None) };
    let read = text.parse::<Timestamp>().ok().or_else(|| {
        let plain: DateTime = text.parse().ok()?;
        Offset::UTC.to_timestamp(plain).ok()
    });
    let wrong = || PageError::wrong(format!("{name}: write a time as in 2026-11-18T15:00, in UTC."));
    read.map(Some).ok_or_else(wrong)
}

/// The address of a list with some of its filters.
pub(super) fn query(path: &str, filters: &[(&str, Option<&str>)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in filters {
        if let Some(value) = filled(*value) {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// A sent form in which a name may come several times.
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(super) fn of(body: &str) -> Self {
        Self(form_urlencoded::parse(body.as_bytes()).into_owned().collect())
    }

    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim())
    }

    pub(super) fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
    }

    pub(super) fn is_ticked(&self, name: &str) -> bool {
        !self.get(name).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_forms_and_the_api_write_them() {
        for (text, expected) in [
            ("2026-11-18T15:00", Some("2026-11-18T15:00:00Z")),
            (" 2026-11-18T15:00:01 ", Some("2026-11-18T15:00:01Z")),
            ("2026-11-18T15:00:00+01:00", Some("2026-11-18T14:00:00Z")),
            ("", None),
        ] {
            let read = time_of("Since", Some(text)).ok().flatten();
            assert_eq!(read.map(|time| time.to_string()).as_deref(), expected, "{text}");
        }
        assert!(time_of("Since", Some("yesterday")).is_err());
    }

    #[test]
    fn a_query_has_what_is_filled_in() {
        assert_eq!(query("/a", &[("x", None), ("y", Some(" "))]), "/a");
        assert_eq!(query("/a", &[("x", Some("1&2")), ("y", Some("z"))]), "/a?x=1%262&y=z");
    }
}
