//! A call as code to try it again. Secrets stand in the environment of whoever runs it.

use citadel_store::{Tenant, calls::Call};

use crate::app::App;

/// The headers by which a call proves who it is.
enum Proof {
    Key(String),
    BridgeToken,
}

impl Proof {
    fn of(tenant: Tenant, call: &Call) -> Self {
        if call.access_key_id.is_some() { Self::Key(tenant.client_id.to_string()) } else { Self::BridgeToken }
    }
}

/// For a shell.
pub(super) fn curl(app: &App, tenant: Tenant, call: &Call, body: Option<&str>) -> String {
    let mut text = format!("curl -X {} {}", call.method, quoted(&format!("{}{}", app.public_url, call.path)));
    match Proof::of(tenant, call) {
        Proof::Key(id) => {
            text.push_str(&format!(
                " \\\n  -H 'X-Access-Client-Id: {id}' \\\n  -H \"X-Access-Secret: $API_SECRET\""
            ));
        }
        Proof::BridgeToken => text.push_str(" \\\n  -H \"Authorization: Bearer $BRIDGE_TOKEN\""),
    }
    if let Some(body) = body {
        text.push_str(" \\\n  -H 'Content-Type: application/json' \\\n  -d ");
        text.push_str(&quoted(body));
    }
    text
}

/// For Rust, with `reqwest`.
pub(super) fn rust(app: &App, tenant: Tenant, call: &Call, body: Option<&str>) -> String {
    let url = raw(&format!("{}{}", app.public_url, call.path));
    let mut text = format!(
        "let answer = reqwest::Client::new()\n    .request(reqwest::Method::{}, {url})\n",
        call.method
    );
    match Proof::of(tenant, call) {
        Proof::Key(id) => text.push_str(&format!(
            "    .header(\"X-Access-Client-Id\", \"{id}\")\n    \
             .header(\"X-Access-Secret\", std::env::var(\"API_SECRET\")?)\n"
        )),
        Proof::BridgeToken => text.push_str("    .bearer_auth(std::env::var(\"BRIDGE_TOKEN\")?)\n"),
    }
    if let Some(body) = body {
        let body = raw(body);
        text.push_str(&format!("    .header(\"Content-Type\", \"application/json\")\n    .body({body})\n"));
    }
    text.push_str("    .send()\n    .await?;");
    text
}

/// What begins a flow.
pub(super) fn first(app: &App, tenant: Tenant) -> String {
    format!(
        "curl -X POST {}/v1/bridge-tokens/ \\\n  -H 'X-Access-Client-Id: {}' \\\n  -H \"X-Access-Secret: $API_SECRET\" \\\n  \
         -H 'Content-Type: application/json' \\\n  \
         -d '{{\"product_type\": \"employment\", \"client_name\": \"My app\", \"tracking_info\": \"first\"}}'",
        app.public_url, tenant.client_id
    )
}

/// One word of a shell, whatever is in it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A text of Rust that ends nowhere but at its end.
fn raw(text: &str) -> String {
    let mut signs = String::new();
    while text.contains(&format!("\"{signs}")) {
        signs.push('#');
    }
    if signs.is_empty() && !text.contains('\\') {
        format!("\"{text}\"")
    } else {
        format!("r{signs}\"{text}\"{signs}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_ends_it() {
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(raw("plain"), "\"plain\"");
        assert_eq!(raw(r"a\b"), r#"r"a\b""#);
        assert_eq!(raw(r#"{"a":"b"}"#), r###"r#"{"a":"b"}"#"###);
        assert_eq!(raw("a\"#b"), "r##\"a\"#b\"##");
    }
}
