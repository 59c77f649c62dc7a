//! A task's sealed sign-in: login, notes between two steps, answer, grant. Everything in it is class S1, sealed under a
//! key of its own that dies with the task.

use citadel_connectors::{Grant, Login};
use citadel_domain::{Secret, TaskId};
use citadel_store::{DataKey, Place, Tenant, logins::Login as StoredLogin, tasks::Task};
use zeroize::Zeroizing;

use crate::{
    app::App,
    error::{self, ApiResult},
};

/// Where a value of a sign-in is sealed.
fn place(tenant: Tenant, task: TaskId, column: &'static str) -> Place {
    Place::new(tenant, "logins", column, *task.as_bytes())
}

/// A login, sealed for a new task: the wrapped key and the sealed login.
pub(crate) fn seal_login(
    app: &App,
    tenant: Tenant,
    task: TaskId,
    login: &Login,
) -> ApiResult<(Vec<u8>, Vec<u8>)> {
    let (key, key_wrapped) = app.keyring.new_data_key(&place(tenant, task, "key_wrapped"))?;
    let json = serde_json::to_vec(login).map(Zeroizing::new).map_err(error::internal)?;
    Ok((key_wrapped, key.seal(&place(tenant, task, "login_sealed"), &json)?))
}

/// The sign-in of a running task, opened value by value.
pub(crate) struct Safe<'a> {
    task: &'a Task,
    stored: &'a StoredLogin,
    key: DataKey,
}

impl<'a> Safe<'a> {
    pub(crate) fn open(app: &App, task: &'a Task, stored: &'a StoredLogin) -> ApiResult<Self> {
        let key =
            app.keyring.unwrap_data_key(&place(task.tenant, task.id, "key_wrapped"), &stored.key_wrapped)?;
        Ok(Self { task, stored, key })
    }

    pub(crate) fn seal(&self, column: &'static str, text: &Secret) -> ApiResult<Vec<u8>> {
        Ok(self.key.seal(&place(self.task.tenant, self.task.id, column), text.expose().as_bytes())?)
    }

    fn open_text(&self, column: &'static str, sealed: Option<&Vec<u8>>) -> ApiResult<Option<Secret>> {
        let Some(sealed) = sealed else { return Ok(None) };
        let bytes = self.key.open(&place(self.task.tenant, self.task.id, column), sealed)?;
        let text =
            std::str::from_utf8(&bytes).map_err(|_| error::internal("a sealed sign-in is not text"))?;
        Ok(Some(Secret::new(text)))
    }

    pub(crate) fn login(&self) -> ApiResult<Login> {
        let bytes = self
            .key
            .open(&place(self.task.tenant, self.task.id, "login_sealed"), &self.stored.login_sealed)?;
        serde_json::from_slice(&bytes).map_err(|_| error::internal("a sealed login is not a login"))
    }

    pub(crate) fn session(&self) -> ApiResult<Option<Secret>> {
        self.open_text("session_sealed", self.stored.session_sealed.as_ref())
    }

    pub(crate) fn answer(&self) -> ApiResult<Option<Secret>> {
        self.open_text("answer_sealed", self.stored.answer_sealed.as_ref())
    }

    pub(crate) fn grant(&self) -> ApiResult<Option<Grant>> {
        self.open_text("grant_sealed", self.stored.grant_sealed.as_ref())
    }
}
