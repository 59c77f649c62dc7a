//! Settings, from the environment and from `.env`. Every problem is reported at once, with its fix.

use std::{collections::HashMap, path::Path};

use axum::http::Uri;
use citadel_sdk::{Citadel, Polling, Redacted};

use crate::Product;

const API_URL: &str = "http://127.0.0.1:8700/v1/";
const FRESH_KEYS: &str = "leave API_CLIENT_ID and API_SECRET empty and run `make rust_local`, which fills both from a fresh sandbox client";

/// Everything that the quickstart needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Talks to the server with the client's key.
    pub citadel: Citadel,
    /// Who we are: not a secret.
    pub client_id: String,
    /// The access secret, for the banner.
    pub secret: Redacted,
    /// What is verified.
    pub product: Product,
    /// How often to look at work that takes a while. Tests look more often.
    pub polling: Polling,
    /// The address of the widget's script.
    pub bridge_url: String,
    /// Where that script lives, as a content security policy names it.
    pub bridge_origin: String,
    /// The port of the page.
    pub port: u16,
    /// Was the whole secret asked for?
    pub show_secret: bool,
}

/// Names and values, before anybody has looked at them.
pub struct Variables(HashMap<String, String>);

impl Variables {
    /// Reads `.env` of the current folder, if there is one, and the environment, which wins.
    pub fn load() -> Result<Self, Vec<String>> {
        let mut variables = read_env_file(Path::new(".env"))?;
        let environment = std::env::vars_os().filter_map(|(name, value)| {
            let value = value.into_string().ok().filter(|value| !value.is_empty())?;
            Some((name.into_string().ok()?, value))
        });
        variables.extend(environment);
        Ok(Self(variables))
    }

    /// The value of a setting; blank means absent.
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Variables {
    fn from(pairs: [(&str, &str); N]) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

fn read_env_file(path: &Path) -> Result<HashMap<String, String>, Vec<String>> {
    let lines = match dotenvy::from_path_iter(path) {
        Ok(lines) => lines,
        Err(error) if error.not_found() => return Ok(HashMap::new()),
        Err(_) => return Err(vec![".env cannot be read: make it a text file that you may read".to_owned()]),
    };
    // What the parser would say quotes the line, which may hold the secret.
    let lines = lines.collect::<Result<Vec<_>, _>>().map_err(|error| match error {
        dotenvy::Error::LineParse(line, _) => {
            let name: String =
                line.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').take(40).collect();
            vec![format!(".env cannot be read at the line that begins with `{name}`: write NAME=value")]
        }
        _ => vec![".env cannot be read: it must be UTF-8 text with lines of NAME=value".to_owned()],
    })?;
    // Of two lines for one name the first counts, as for every reader of such files.
    let mut variables = HashMap::new();
    for (name, value) in lines {
        variables.entry(name).or_insert(value);
    }
    Ok(variables)
}

impl Settings {
    /// Checks all settings. The error lists every problem, each naming the setting and the fix.
    pub fn read(variables: &Variables) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        let mut take = |name: &str, read: Result<String, String>| {
            read.map_err(|problem| problems.push(format!("{name} {problem}"))).unwrap_or_default()
        };

        let client_id = take("API_CLIENT_ID", parse_client_id(variables.get("API_CLIENT_ID")));
        let secret = Redacted::from(take("API_SECRET", parse_secret(variables.get("API_SECRET"))));
        let api_url = variables.get("API_URL").unwrap_or(API_URL);
        let api_origin = take("API_URL", origin(api_url));
        let bridge_url =
            variables.get("BRIDGE_URL").map_or_else(|| format!("{api_origin}/bridge.js"), str::to_owned);
        // A wrong API_URL alone would make the default of BRIDGE_URL wrong too: complain once.
        let bridge_origin = match variables.get("BRIDGE_URL") {
            Some(url) => take("BRIDGE_URL", origin(url)),
            None => api_origin,
        };

        let product = match variables.get("API_PRODUCT_TYPE") {
            Some(word) => Product::parse(word),
            None => Err(format!("is missing: {}", Product::choose())),
        }
        .map_err(|problem| problems.push(format!("API_PRODUCT_TYPE {problem}")));

        let (name, text) = ["FLASK_PORT", "PORT"]
            .into_iter()
            .find_map(|name| Some((name, variables.get(name)?)))
            .unwrap_or(("FLASK_PORT", "5001"));
        let port = text.parse().ok().filter(|port| *port != 0);
        if port.is_none() {
            problems.push(format!("{name} is not a port: set it to a number from 1 to 65535, such as 5001"));
        }

        let (Ok(product), Some(port), true) = (product, port, problems.is_empty()) else {
            return Err(problems);
        };
        let citadel = Citadel::builder(api_url, &client_id, &secret)
            .build()
            .map_err(|error| vec![format!("API_URL, API_CLIENT_ID or API_SECRET is wrong: {error}")])?;
        let show_secret =
            variables.get("SHOW_SECRET").is_some_and(|word| !matches!(word, "0" | "false" | "no"));
        let polling = Polling::default();
        Ok(Self {
            citadel,
            client_id,
            secret,
            product,
            polling,
            bridge_url,
            bridge_origin,
            port,
            show_secret,
        })
    }

    /// Does Citadel run on this machine, where it can reach this app?
    pub fn is_citadel_local(&self) -> bool {
        let uri: Option<Uri> = self.citadel.base_url().parse().ok();
        let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
        matches!(host, "localhost" | "127.0.0.1" | "[::1]")
    }

    /// Does the key open the sandbox, where every person is invented?
    pub fn is_sandbox(&self) -> bool {
        self.secret.expose().starts_with("sandbox-")
    }
}

fn parse_client_id(text: Option<&str>) -> Result<String, String> {
    let Some(text) = text.filter(|text| !is_placeholder(text)) else {
        return Err(format!("is missing: set it to your client id, or {FRESH_KEYS}"));
    };
    if has_environment(text) {
        return Err("holds an access secret: put that into API_SECRET, and your client id here".to_owned());
    }
    if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
        return Err(
            "is not a client id: copy its 32 hexadecimal characters without anything around them".to_owned()
        );
    }
    Ok(text.to_owned())
}

/// No complaint shows the value: it may be a real secret with a slip in it.
fn parse_secret(text: Option<&str>) -> Result<String, String> {
    let Some(text) = text.filter(|text| !is_placeholder(text)) else {
        return Err(format!("is missing: set it to your access secret, or {FRESH_KEYS}"));
    };
    if !has_environment(text) || !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(
            "is not an access secret: it begins with sandbox-, dev- or prod- and goes on with letters and \
                    digits; copy it without anything around it"
                .to_owned(),
        );
    }
    Ok(text.to_owned())
}

/// `<YOUR CLIENT_ID HERE>`, as the documentation writes it.
fn is_placeholder(text: &str) -> bool {
    text.starts_with('<') && text.ends_with('>')
}

fn has_environment(text: &str) -> bool {
    ["sandbox-", "dev-", "prod-"].iter().any(|environment| text.starts_with(environment))
}

/// The scheme, host and port of a URL: what a content security policy allows.
fn origin(url: &str) -> Result<String, String> {
    let wrong = || "is not a URL: set it to one like http://127.0.0.1:8700/v1/ or remove it".to_owned();
    let uri: Uri = url.parse().map_err(|_| wrong())?;
    match (uri.scheme_str(), uri.authority()) {
        (Some(scheme @ ("http" | "https")), Some(authority))
            if !authority.as_str().contains(['@', ';', ',', '*', '\'']) =>
        {
            Ok(format!("{scheme}://{authority}"))
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "48427a36d43c4d5aa6324bc06c692456";
    const SECRET: &str = "sandbox-0123456789abcdef0123456789abcdef01234567";

    fn good() -> Variables {
        Variables::from([("API_CLIENT_ID", ID), ("API_SECRET", SECRET), ("API_PRODUCT_TYPE", "income")])
    }

    fn with(name: &str, value: &str) -> Result<Settings, Vec<String>> {
        let mut variables = good();
        variables.0.insert(name.to_owned(), value.to_owned());
        Settings::read(&variables)
    }

    fn refuse(name: &str, value: &str, expected: &str) {
        let problems = with(name, value).expect_err("a wrong value");
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with(name), "{problems:?}");
        assert!(problems[0].contains(expected), "{problems:?}");
    }

    #[test]
    fn the_rest_has_defaults() {
        let settings = Settings::read(&good()).unwrap();
        assert_eq!(settings.citadel.base_url(), API_URL);
        assert_eq!(settings.bridge_url, "http://127.0.0.1:8700/bridge.js");
        assert_eq!((settings.port, settings.show_secret), (5001, false));
        assert_eq!(settings.product, Product::Income);
    }

    #[test]
    fn every_product_has_its_word() {
        for product in Product::ALL {
            assert_eq!(with("API_PRODUCT_TYPE", product.as_str()).unwrap().product, product);
        }
    }

    #[test]
    fn addresses_follow_the_api() {
        let settings = with("API_URL", "https://citadel.example.com/v1").unwrap();
        assert_eq!(settings.citadel.base_url(), "https://citadel.example.com/v1/");
        assert_eq!(settings.bridge_url, "https://citadel.example.com/bridge.js");
        let settings = with("BRIDGE_URL", "https://cdn.example.com/a/bridge.js").unwrap();
        assert_eq!(settings.bridge_origin, "https://cdn.example.com");
    }

    #[test]
    fn flask_port_wins_over_port() {
        let mut variables = good();
        variables.0.insert("PORT".into(), "6000".into());
        assert_eq!(Settings::read(&variables).unwrap().port, 6000);
        variables.0.insert("FLASK_PORT".into(), "6001".into());
        assert_eq!(Settings::read(&variables).unwrap().port, 6001);
    }

    #[test]
    fn every_problem_is_reported_at_once() {
        let problems = Settings::read(&Variables::from([("FLASK_PORT", "x"), ("API_URL", "x")])).unwrap_err();
        let names: Vec<&str> = problems.iter().filter_map(|problem| problem.split(' ').next()).collect();
        assert_eq!(names, ["API_CLIENT_ID", "API_SECRET", "API_URL", "API_PRODUCT_TYPE", "FLASK_PORT"]);
    }

    #[test]
    fn wrong_values_name_the_setting_and_the_fix() {
        refuse("API_CLIENT_ID", " ", "make rust_local");
        refuse("API_CLIENT_ID", "<YOUR CLIENT_ID HERE>", "make rust_local");
        refuse("API_CLIENT_ID", SECRET, "API_SECRET");
        refuse("API_CLIENT_ID", "a b", "32 hexadecimal");
        refuse("API_SECRET", "", "make rust_local");
        refuse("API_SECRET", ID, "begins with sandbox-");
        refuse("API_PRODUCT_TYPE", "", "deposit_switch, pll or fas");
        refuse("API_PRODUCT_TYPE", "payroll", "not a product: set it to employment, income");
        refuse("API_URL", "ftp://host/", "http://127.0.0.1:8700/v1/");
        refuse("BRIDGE_URL", "/bridge.js", "http://127.0.0.1:8700");
        refuse("BRIDGE_URL", "http://a;script-src*/", "http://127.0.0.1:8700");
        for port in ["0", "65536", "-1", "http"] {
            refuse("FLASK_PORT", port, "from 1 to 65535");
            refuse("PORT", port, "from 1 to 65535");
        }
    }

    #[test]
    fn p58_no_complaint_shows_a_secret() {
        let problems = with("API_SECRET", "canary with spaces").unwrap_err();
        assert!(!problems[0].contains("canary"), "{problems:?}");
        assert!(!format!("{:?}", Settings::read(&good())).contains(SECRET));
    }
}
