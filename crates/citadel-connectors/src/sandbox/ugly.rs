//! The pack of people who break integrations: each is a scenario that comes with the sandbox, and teaches one thing.

use std::sync::LazyLock;

use serde_json::Value;

use super::scenario::{self, Kept};

/// What their user names begin with.
pub(super) const PREFIX: &str = "ugly.";
/// What they all sign in with.
pub const PASSWORD: &str = "goodpassword";

/// Somebody who breaks integrations.
#[derive(Clone, Debug)]
pub struct Ugly {
    /// `ugly.…`
    pub username: String,
    /// A sentence of what it teaches.
    pub teaches: String,
    scenario: Kept,
}

/// Everybody of the pack, in its order. They sign in with `goodpassword`.
pub fn pack() -> &'static [Ugly] {
    static PACK: LazyLock<Vec<Ugly>> = LazyLock::new(|| read(include_str!("ugly.json")));
    &PACK
}

pub(super) fn find(username: &str) -> Option<&'static Kept> {
    if !username.starts_with(PREFIX) {
        return None;
    }
    pack().iter().find(|ugly| ugly.username == username).map(|ugly| &ugly.scenario)
}

/// The file is a list of `{"name", "teaches", "employments", …}`: a scenario without what they all have in common.
fn read(text: &str) -> Vec<Ugly> {
    let list: Vec<Value> = serde_json::from_str(text).expect("the pack is JSON, which a test reads");
    list.into_iter()
        .map(|mut json| {
            let mut take = |name: &str| json.as_object_mut().and_then(|object| object.remove(name));
            let word = |value: Option<Value>| value.and_then(|value| value.as_str().map(str::to_owned));
            let (name, teaches) = (word(take("name")), word(take("teaches")));
            let employments = take("employments").unwrap_or_default();
            let name = name.expect("everybody of the pack has a name, which a test reads");
            json["data_source"] = "payroll".into();
            json["label"] = name.clone().into();
            // Read like anybody's, but for the user name, which is taken by them.
            json["username"] = name.clone().into();
            json["password"] = PASSWORD.into();
            json["payload"] = serde_json::json!({ "employments": employments });
            scenario::read(&json)
                .unwrap_or_else(|problems| panic!("{name}, which a test reads: {problems:?}"));
            Ugly {
                username: format!("{PREFIX}{name}"),
                teaches: teaches.unwrap_or_default(),
                scenario: Kept::new(json),
            }
        })
        .collect()
}
