//! What the terminal shows when the page can be opened.

use crate::{Settings, mask::mask_secret};

/// The environment as the app sends it, in the frame that the first quickstart drew, and where to go next.
///
/// The first quickstart printed its secret here. A terminal is copied into tickets and kept by log collectors, so
/// this one prints enough to tell keys apart. The whole secret is shown when it was asked for, if it opens nothing
/// but invented data and if nothing but a terminal reads it.
pub fn banner(settings: &Settings, is_terminal: bool) -> String {
    let shows_secret = settings.show_secret && is_terminal && settings.is_sandbox();
    let secret =
        if shows_secret { settings.secret.expose().to_owned() } else { mask_secret(&settings.secret) };
    format!(
        r#"======================================== ENVIRONMENT ========================================
 {{
    "X-Access-Secret": "{secret}",
    "X-Access-Client-Id": "{client_id}",
    "Content-Type": "application/json;charset=UTF-8"
}}
 ==============================================================================================

Quickstart Loaded. Navigate to http://localhost:{port} to view Quickstart."#,
        client_id = settings.client_id,
        port = settings.port,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Variables;

    fn settings(secret: &str, show: &str) -> Settings {
        Settings::read(&Variables::from([
            ("API_CLIENT_ID", "48427a36d43c4d5aa6324bc06c692456"),
            ("API_SECRET", secret),
            ("API_PRODUCT_TYPE", "employment"),
            ("SHOW_SECRET", show),
        ]))
        .expect("good settings")
    }

    #[test]
    fn p58_the_banner_is_the_seeds_with_the_secret_masked() {
        let banner = banner(&settings("sandbox-0123456789abcdef0123456789abcdef01234567", ""), true);
        assert_eq!(
            banner,
            r#"======================================== ENVIRONMENT ========================================
 {
    "X-Access-Secret": "sandbox-…4567 (fingerprint 68c96e8b)",
    "X-Access-Client-Id": "48427a36d43c4d5aa6324bc06c692456",
    "Content-Type": "application/json;charset=UTF-8"
}
 ==============================================================================================

Quickstart Loaded. Navigate to http://localhost:5001 to view Quickstart."#
        );
    }

    #[test]
    fn p58_the_whole_secret_needs_a_wish_a_sandbox_key_and_a_terminal() {
        let sandbox = "sandbox-0123456789abcdef0123456789abcdef01234567";
        let prod = "prod-0123456789abcdef0123456789abcdef01234567";
        for (secret, show, is_terminal, expected) in [
            (sandbox, "1", true, true),
            (sandbox, "1", false, false),
            (sandbox, "", true, false),
            (sandbox, "0", true, false),
            (prod, "1", true, false),
        ] {
            let shown = banner(&settings(secret, show), is_terminal).contains(secret);
            assert_eq!(shown, expected, "{show} {is_terminal}");
        }
    }
}
