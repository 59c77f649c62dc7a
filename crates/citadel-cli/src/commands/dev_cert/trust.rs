//! How a machine, or one program, comes to trust the authority. The commands are told and not run: most of them need a right
//! that `citadel` should never have.

use std::path::Path;

/// One way.
pub(super) struct Way {
    pub(super) id: &'static str,
    pub(super) label: &'static str,
    pub(super) command: String,
}

pub(super) fn commands(ca: &Path) -> [Way; 7] {
    let ca = quoted(&ca.display().to_string());
    let way = |id, label, command| Way { id, label, command };
    [
        way(
            "debian",
            "Debian, Ubuntu",
            format!(
                "sudo cp {ca} /usr/local/share/ca-certificates/citadel-dev.crt && sudo update-ca-certificates"
            ),
        ),
        way(
            "macos",
            "macOS",
            format!(
                "sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain {ca}"
            ),
        ),
        way("windows", "Windows, as administrator", format!("certutil -addstore -f Root {ca}")),
        way(
            "nss",
            "Chrome on Linux; for Firefox put its profile's directory after sql:",
            format!("certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n citadel-dev -i {ca}"),
        ),
        way("node", "Node", format!("export NODE_EXTRA_CA_CERTS={ca}")),
        way(
            "python",
            "Python with requests; trusts nobody else in that shell",
            format!("export REQUESTS_CA_BUNDLE={ca}"),
        ),
        way(
            "openssl",
            "Python without requests, Ruby, Go, citadel itself; trusts nobody else in that shell",
            format!("export SSL_CERT_FILE={ca}"),
        ),
    ]
}

/// As a shell takes it for one word.
pub(super) fn quoted(text: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "/._-+:@".contains(character);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_one_word() {
        assert_eq!(quoted("/srv/citadel/ca.pem"), "/srv/citadel/ca.pem");
        assert_eq!(quoted("/my data/it's"), r"'/my data/it'\''s'");
    }
}
