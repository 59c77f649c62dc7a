//! The values of a server that keeps nothing (`citadel serve --ephemeral`).

use super::{
    file::Values,
    settings::{
        DASHBOARD_LISTEN, DASHBOARD_URL, DATA_DIR, DATABASE_CA, DATABASE_URL, LISTEN, METRICS_LISTEN,
        PROFILE, PUBLIC_URL, RATE_LIMIT, ROOT_KEY_FILE, STOP_WAIT, Setting,
    },
};

/// What would make such a server touch something that is kept, be one for real people, or wait for others.
const NOT_TAKEN: [&Setting; 6] =
    [&PROFILE, &DATA_DIR, &DATABASE_URL, &DATABASE_CA, &ROOT_KEY_FILE, &STOP_WAIT];

/// A port that nobody else has.
const FREE_PORT: &str = "127.0.0.1:0";

/// No file is read. Of the environment everything counts but [`NOT_TAKEN`]; the public address counts only beside
/// `CITADEL_LISTEN`, because nobody can know the address of a free port before it is taken.
pub(super) fn values(data_dir: &str, environment: impl IntoIterator<Item = (String, String)>) -> Values {
    let mut values = Values::default();
    let is_taken = |name: &str| !NOT_TAKEN.iter().any(|setting| setting.env == name);
    values.lay_environment_over(environment.into_iter().filter(|(name, _)| is_taken(name)));
    if values.given(&LISTEN).is_none() {
        values.remove(&PUBLIC_URL);
    }
    if values.given(&DASHBOARD_LISTEN).is_none() {
        values.remove(&DASHBOARD_URL);
    }
    for listener in [&LISTEN, &DASHBOARD_LISTEN, &METRICS_LISTEN] {
        if values.given(listener).is_none() {
            values.set(listener, FREE_PORT);
        }
    }
    // Tests call as often as they like.
    if values.given(&RATE_LIMIT).is_none() {
        values.set(&RATE_LIMIT, "0");
    }
    values.set(&DATA_DIR, data_dir);
    values
}
