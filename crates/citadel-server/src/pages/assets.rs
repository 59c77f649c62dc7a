//! The loader and the widget: what browsers get, and beside it each file as it was written.

use std::sync::LazyLock;

use axum::{
    extract::{Path, RawQuery},
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};

use super::{
    joined::{join, trimmed},
    kept::{Kept, Life, PAGE, SCRIPT, STYLE},
};
use crate::error::{self, ApiResult};

macro_rules! files {
    ($($name:literal as $kind:ident),* $(,)?) => {
        /// Name and text.
        const TEXTS: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../assets/bridge/", $name)))),*];
        static WRITTEN: [(&str, LazyLock<Kept>); TEXTS.len()] = [$((
            $name,
            LazyLock::new(|| Kept::new($kind, include_str!(concat!("../../assets/bridge/", $name)))),
        )),*];
    };
}

files![
    "api.js" as SCRIPT,
    "attempt.js" as SCRIPT,
    "bridge.js" as SCRIPT,
    "deposit.js" as SCRIPT,
    "dom.js" as SCRIPT,
    "events.js" as SCRIPT,
    "field.js" as SCRIPT,
    "flow.js" as SCRIPT,
    "form.js" as SCRIPT,
    "host.js" as SCRIPT,
    "look.js" as SCRIPT,
    "navigation.js" as SCRIPT,
    "order.js" as SCRIPT,
    "screen-choice.js" as SCRIPT,
    "screen-code.js" as SCRIPT,
    "screen-deposit.js" as SCRIPT,
    "screen-end.js" as SCRIPT,
    "screen-login.js" as SCRIPT,
    "screen-organization.js" as SCRIPT,
    "screen-progress.js" as SCRIPT,
    "screen-providers.js" as SCRIPT,
    "screen-push.js" as SCRIPT,
    "screen-search.js" as SCRIPT,
    "shell.js" as SCRIPT,
    "sign-in.js" as SCRIPT,
    "task.js" as SCRIPT,
    "texts.js" as SCRIPT,
    "unsupported.js" as SCRIPT,
    "widget.css" as STYLE,
    "widget.js" as SCRIPT,
];

// What is sent says where to read it with its reasons.
static LOADER: LazyLock<Kept> = LazyLock::new(|| {
    // Not indented: every byte is waited for by somebody else's page. It has no text over several lines.
    let lines: String =
        trimmed(text("bridge.js")).lines().flat_map(|line| [line.trim_start(), "\n"]).collect();
    Kept::new(SCRIPT, format!("// As written, with comments: /bridge/assets/bridge.js\n{lines}"))
});
static WIDGET: LazyLock<Kept> = LazyLock::new(|| {
    let code = join("widget.js", TEXTS).expect("a test joins it");
    Kept::new(SCRIPT, format!("// As written, with comments: /bridge/assets/widget.js, and so on.\n{code}"))
});
static ORDER: LazyLock<Kept> = LazyLock::new(|| {
    let code = join("order.js", TEXTS).expect("a test joins it");
    Kept::new(SCRIPT, format!("// As written, with comments: /bridge/assets/order.js, and so on.\n{code}"))
});
static STYLES: LazyLock<Kept> = LazyLock::new(|| Kept::new(STYLE, trimmed(text("widget.css"))));

/// The page of the widget, its files named by their content.
pub(super) static WIDGET_PAGE: LazyLock<Kept> = LazyLock::new(|| {
    let page = include_str!("../../assets/bridge/widget.html").to_owned();
    let page = named(page, "/bridge/widget.css", &STYLES);
    Kept::new(PAGE, named(page, "/bridge/widget.js", &WIDGET))
});

/// The page of an order.
pub(super) static ORDER_PAGE: LazyLock<Kept> = LazyLock::new(|| {
    let page = include_str!("../../assets/bridge/order.html").to_owned();
    let page = named(page, "/bridge/widget.css", &STYLES);
    Kept::new(PAGE, named(page, "/bridge/order.js", &ORDER))
});

fn named(page: String, address: &str, kept: &Kept) -> String {
    page.replace(&format!("\"{address}\""), &format!("\"{address}?v={}\"", kept.tag()))
}

fn text(name: &str) -> &'static str {
    TEXTS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text).expect("the file is in the list")
}

/// The loader that host pages include.
pub(crate) async fn get_bridge_js(headers: HeaderMap) -> Response {
    let mut response = LOADER.answer(&headers, Life::Short);
    // Host pages may ask for it with `crossorigin`, to check its integrity.
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// The widget's modules as one script.
pub(crate) async fn get_widget_script(query: RawQuery, headers: HeaderMap) -> Response {
    WIDGET.answer(&headers, life(&WIDGET, &query))
}

/// The modules of an order's page as one script.
pub(crate) async fn get_order_script(query: RawQuery, headers: HeaderMap) -> Response {
    ORDER.answer(&headers, life(&ORDER, &query))
}

/// The widget's styles.
pub(crate) async fn get_widget_styles(query: RawQuery, headers: HeaderMap) -> Response {
    STYLES.answer(&headers, life(&STYLES, &query))
}

/// A page of another version of the server may ask for what is not here any more: it gets ours, and does not keep it.
fn life(kept: &Kept, RawQuery(query): &RawQuery) -> Life {
    let version = query.as_deref().and_then(|query| query.strip_prefix("v="));
    if version == Some(kept.tag()) { Life::Endless } else { Life::Short }
}

/// A file as it was written.
pub(crate) async fn get_asset(Path(name): Path<String>, headers: HeaderMap) -> ApiResult<Response> {
    let (_, kept) = WRITTEN.iter().find(|(known, _)| *known == name).ok_or_else(error::not_found)?;
    Ok(kept.answer(&headers, Life::Short))
}

/// Where a provider's own sign-in comes back to. Native hosts watch for this address.
pub(crate) async fn get_oauth_success(headers: HeaderMap) -> Response {
    const POLICY: &str = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
                          frame-ancestors 'none'";
    static KEPT: LazyLock<Kept> =
        LazyLock::new(|| Kept::new(PAGE, include_str!("../../assets/oauth-success.html")));
    let mut response = KEPT.answer(&headers, Life::Short);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

#[cfg(test)]
mod tests {
    use super::{LOADER, STYLES, TEXTS, WIDGET, WIDGET_PAGE};
    use crate::pages::joined::join;

    #[test]
    fn every_module_can_be_joined_and_is_in_the_script() {
        let script = join("widget.js", TEXTS).unwrap() + &join("order.js", TEXTS).unwrap();
        // `bridge.js` is the host page's, `unsupported.js` is for browsers that know no modules.
        let modules = TEXTS.iter().map(|(name, _)| *name).filter(|name| name.ends_with(".js"));
        for name in modules.filter(|name| !["bridge.js", "unsupported.js"].contains(name)) {
            assert!(script.contains(&format!("\n// {name}\n")), "{name} is imported by nobody");
        }
    }

    /// What is said in docs/performance.md, with room for a screen more.
    #[test]
    fn the_first_view_is_as_small_as_is_promised() {
        assert!(LOADER.sent() <= 4_000, "{}", LOADER.sent());
        let first_view = WIDGET_PAGE.sent() + STYLES.sent() + WIDGET.sent();
        assert!(first_view <= 29_000, "{first_view}");
    }
}
