//! The commented default file, made from the table of settings so that the two cannot drift apart.

use super::settings;

/// A complete `citadel.toml` in which every line is a comment: saved as it is, it changes nothing.
pub fn default_text() -> String {
    let mut text = String::from(
        "# Citadel. Every setting, with its default. Remove the # in front of a line to change it.\n\
         # The environment variable in brackets wins over the file.\n",
    );
    for setting in settings::ALL.iter().copied() {
        text.push('\n');
        for line in setting.about.lines() {
            text.push_str("# ");
            text.push_str(line);
            text.push('\n');
        }
        let value = setting.default.unwrap_or_default();
        text.push_str(&format!("# [{}]\n#{} = {value:?}\n", setting.env, setting.name));
    }
    text
}
