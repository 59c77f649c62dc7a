//! What the load was told. A fact is a question with the answer that it must have from now on.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use reqwest::Method;
use serde_json::Value;

/// A question to the server.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Option<Value>,
    /// A bridge token, in place of the access key.
    pub(super) bearer: Option<String>,
}

impl Question {
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), body: None, bearer: None }
    }

    pub(super) fn post(path: impl Into<String>, body: Value) -> Self {
        Self { method: Method::POST, path: path.into(), body: Some(body), bearer: None }
    }

    pub(super) fn delete(path: impl Into<String>) -> Self {
        Self { method: Method::DELETE, path: path.into(), body: None, bearer: None }
    }

    pub(super) fn key(&self) -> String {
        let body = self.body.as_ref().map(Value::to_string).unwrap_or_default();
        format!("{} {} {body} {}", self.method, self.path, self.bearer.as_deref().unwrap_or(""))
    }
}

/// The answer that is due: a status, and fields with their values.
#[derive(Clone, Debug)]
pub(super) struct Fact {
    pub(super) question: Question,
    pub(super) status: u16,
    pub(super) fields: Vec<(&'static str, Value)>,
}

#[derive(Default)]
pub(super) struct History {
    facts: Mutex<BTreeMap<String, Fact>>,
    new: Mutex<BTreeSet<String>>,
}

impl History {
    /// From now on this question has this answer.
    pub(super) fn know(&self, question: Question, status: u16, fields: Vec<(&'static str, Value)>) {
        let key = question.key();
        self.new.lock().unwrap().insert(key.clone());
        self.facts.lock().unwrap().insert(key, Fact { question, status, fields });
    }

    /// The answer may be changing: nothing is expected until somebody knows again.
    pub(super) fn doubt(&self, question: &Question) {
        self.facts.lock().unwrap().remove(&question.key());
    }

    pub(super) fn all(&self) -> Vec<Fact> {
        self.facts.lock().unwrap().values().cloned().collect()
    }

    /// Those that nobody has looked at yet.
    pub(super) fn take_new(&self) -> Vec<Fact> {
        let new = std::mem::take(&mut *self.new.lock().unwrap());
        let facts = self.facts.lock().unwrap();
        new.iter().filter_map(|key| facts.get(key)).cloned().collect()
    }
}
