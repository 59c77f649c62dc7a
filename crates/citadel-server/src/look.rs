//! The part of a template that the widget applies. Everything else in one is kept for its owner, and not looked at.

use serde::Serialize;
use serde_json::{Map, Value};

/// The longest texts, in characters.
const MAX_HEADER: usize = 80;
const MAX_BUTTON: usize = 40;
const MAX_COMPANY: usize = 128;
/// The longest picture, in characters of its address.
const MAX_LOGO: usize = 48 << 10;

/// How the widget looks for one client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Look {
    /// Over the search for an employer.
    search_header: Option<String>,
    /// On the last button of a success.
    success_cta: Option<String>,
    /// Who asks, in place of the token's `client_name`.
    pub(crate) company_name: Option<String>,
    /// `#rrggbb`; the widget chooses a text that can be read on it.
    accent_color: Option<String>,
    background_color: Option<String>,
    /// A picture that is whole in its address: the widget's page loads none from elsewhere.
    logo: Option<String>,
    /// Whether the foot of the card does without our name.
    hide_mark: bool,
}

impl Look {
    /// Reads it off a template; what cannot be applied is named by its field.
    pub(crate) fn read(template: &Map<String, Value>) -> Result<Self, Vec<(String, String)>> {
        let mut fields = Fields { template, problems: Vec::new() };
        let look = Self {
            search_header: fields.text("bridge.texts.search_header", MAX_HEADER),
            success_cta: fields.text("bridge.texts.success_cta", MAX_BUTTON),
            company_name: fields.text("branding.company_name", MAX_COMPANY),
            accent_color: fields.color("branding.accent_color"),
            background_color: fields.color("branding.background_color"),
            logo: fields.picture("branding.logo"),
            hide_mark: fields.switch("hide_truv_logo") | fields.switch("bridge.hide_truv_logo"),
        };
        if fields.problems.is_empty() { Ok(look) } else { Err(fields.problems) }
    }
}

struct Fields<'a> {
    template: &'a Map<String, Value>,
    problems: Vec<(String, String)>,
}

impl<'a> Fields<'a> {
    /// The value at a path of names with points between them. `null` and `""` are absent.
    fn find(&self, path: &str) -> Option<&'a Value> {
        let mut names = path.split('.');
        let mut value = self.template.get(names.next()?)?;
        for name in names {
            value = value.get(name)?;
        }
        Some(value).filter(|value| !value.is_null() && value.as_str() != Some(""))
    }

    fn refuse(&mut self, path: &str, message: impl Into<String>) {
        self.problems.push((path.to_owned(), message.into()));
    }

    fn text(&mut self, path: &str, most: usize) -> Option<String> {
        let text = self.find(path)?.as_str();
        let is_good = |text: &&str| {
            !text.trim().is_empty() && text.chars().count() <= most && !text.chars().any(char::is_control)
        };
        let good = text.filter(is_good);
        if good.is_none() {
            self.refuse(path, format!("Send at most {most} characters on one line."));
        }
        good.map(str::to_owned)
    }

    fn color(&mut self, path: &str) -> Option<String> {
        let color = self.find(path)?.as_str().and_then(six_digits);
        if color.is_none() {
            self.refuse(path, "Send a colour as #0f5c56.");
        }
        color
    }

    fn switch(&mut self, path: &str) -> bool {
        match self.find(path).map(Value::as_bool) {
            None => false,
            Some(Some(is_on)) => is_on,
            Some(None) => {
                self.refuse(path, "Send true or false.");
                false
            }
        }
    }

    /// An address of a picture elsewhere is kept and not shown: who loads it would tell its owner who is here.
    fn picture(&mut self, path: &str) -> Option<String> {
        let address = self.find(path)?.as_str()?;
        let encoded = ["png", "jpeg", "webp"].iter().find_map(|kind| {
            address.strip_prefix("data:image/")?.strip_prefix(kind)?.strip_prefix(";base64,")
        })?;
        let is_base64 = encoded.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
        if !is_base64 || address.len() > MAX_LOGO {
            self.refuse(path, format!("Send a PNG, JPEG or WebP in Base64, at most {MAX_LOGO} characters."));
            return None;
        }
        Some(address.to_owned())
    }
}

/// `#rgb` and `#rrggbb`, as the latter.
fn six_digits(text: &str) -> Option<String> {
    let digits = text.strip_prefix('#')?.to_ascii_lowercase();
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    match digits.len() {
        3 => Some(format!("#{}", digits.chars().flat_map(|digit| [digit, digit]).collect::<String>())),
        6 => Some(format!("#{digits}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(template: Value) -> Result<Look, Vec<String>> {
        let Value::Object(template) = template else { panic!("an object") };
        Look::read(&template).map_err(|problems| problems.into_iter().map(|(field, _)| field).collect())
    }

    #[test]
    fn what_is_applied_is_read_and_the_rest_is_not_looked_at() {
        let look = read(json!({
            "name": "Main", "hide_truv_logo": true, "landing": {"anything": [1, 2]},
            "bridge": {"texts": {"search_header": "Where do you work?", "other": 7}},
            "branding": {"accent_color": "#ABC", "background_color": "", "logo": "https://example.com/a.png"},
        }));
        let expected = Look {
            search_header: Some("Where do you work?".to_owned()),
            accent_color: Some("#aabbcc".to_owned()),
            hide_mark: true,
            ..Look::default()
        };
        assert_eq!(look, Ok(expected));
        assert_eq!(read(json!({"bridge": "x", "branding": null})), Ok(Look::default()));
    }

    #[test]
    fn what_cannot_be_applied_is_named() {
        for (template, field) in [
            (json!({"branding": {"accent_color": "red"}}), "branding.accent_color"),
            (json!({"branding": {"background_color": "#12345g"}}), "branding.background_color"),
            (json!({"branding": {"background_color": "#fff; x"}}), "branding.background_color"),
            (json!({"branding": {"accent_color": 7}}), "branding.accent_color"),
            (json!({"branding": {"company_name": "a\nb"}}), "branding.company_name"),
            (json!({"branding": {"logo": "data:image/png;base64,<svg>"}}), "branding.logo"),
            (json!({"bridge": {"texts": {"success_cta": "x".repeat(41)}}}), "bridge.texts.success_cta"),
            (json!({"bridge": {"texts": {"search_header": ["x"]}}}), "bridge.texts.search_header"),
            (json!({"hide_truv_logo": "yes"}), "hide_truv_logo"),
        ] {
            assert_eq!(read(template.clone()), Err(vec![field.to_owned()]), "{template}");
        }
    }
}
