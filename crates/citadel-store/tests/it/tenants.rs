//! P5: what belongs to one client and environment does not exist for any other.

use citadel_domain::{ClientId, Environment, TaskStatus};
use citadel_store::{
    Tenant, Tx, access_keys, bridge_tokens,
    links::{self, Link},
    logins, public_tokens, reports,
    tasks::{self, Task},
    webhook_events::{self, NewWebhookEvent},
};
use jiff::Timestamp;

use crate::{
    fixtures::{Done, append_event},
    harness::{Store, for_each_db},
};

/// Everything that a tenant can see of its own, as text.
async fn view(tx: &mut Tx<'_>, link: &Link, task: &Task, now: Timestamp) -> Done<String> {
    let tenant = link.tenant;
    Ok(format!(
        "{:?} {:?} {:?} {:?} {:?}",
        links::find(tx, tenant, link.id).await?,
        tasks::find(tx, tenant, task.id).await?,
        logins::find(tx, tenant, task.id, now).await?,
        reports::find(tx, tenant, link.id, "income").await?,
        webhook_events::list_for_task(tx, tenant, task.id).await?,
    ))
}

/// The same client's other world, another client, and a client that does not exist.
async fn foreign_tenants(store: &Store, own: Tenant) -> [Tenant; 4] {
    let other = store.tenant().await;
    [
        Tenant { environment: Environment::Dev, ..own },
        Tenant { environment: Environment::Prod, ..own },
        other,
        Tenant { client_id: ClientId::from_bytes([0; 16]), ..own },
    ]
}

#[tokio::test]
async fn p05_a_foreign_tenant_sees_and_changes_nothing() {
    for_each_db("p05", async |store| {
        let (token, link, task) = store.running_task().await;
        store.login(&task).await;
        let public = store.public_token(&task).await;
        let (access, stranger) = (store.hash(), store.hash());
        let event = NewWebhookEvent {
            id: citadel_domain::EventId::generate(store.now, &*store.random),
            tenant: task.tenant,
            link_id: Some(link.id),
            task_id: Some(task.id),
            order_id: None,
            event_type: "task-status-updated".to_owned(),
            body: "{}".to_owned(),
            created_at: store.now,
        };
        let (now, lapses, own) = (store.now, store.after(300), task.tenant);
        let foreign_tenants = foreign_tenants(&store, own).await;
        store
            .db
            .write(async move |tx| {
                assert!(links::set_access_token_if_absent(tx, own, link.id, &access, &[1]).await?);
                reports::put(tx, own, link.id, "income", &[1], now).await?;
                append_event(tx, &event).await?;
                tasks::set_step(tx, &task, "{}", lapses, now).await?;
                let before = view(tx, &link, &task, now).await?;

                for foreign in foreign_tenants {
                    let forged_token = bridge_tokens::BridgeToken { tenant: foreign, ..token.clone() };
                    let forged_task = Task { tenant: foreign, ..task.clone() };

                    assert!(links::find(tx, foreign, link.id).await?.is_none());
                    assert!(links::find_by_access_token(tx, foreign, &access).await?.is_none());
                    assert!(
                        links::find_unfinished(tx, &forged_token, &link.provider_id, link.company_mapping_id)
                            .await?
                            .is_none()
                    );
                    assert!(!links::set_access_token_if_absent(tx, foreign, link.id, &stranger, &[9]).await?);
                    assert!(!links::claim_person(tx, foreign, link.id, &stranger).await?);
                    assert!(!bridge_tokens::count_link(tx, &forged_token, 10).await?);
                    assert!(bridge_tokens::count_sign_in(tx, &forged_token, 10, now).await?.is_none());

                    assert!(tasks::find(tx, foreign, task.id).await?.is_none());
                    assert!(tasks::find_for_bridge_token(tx, foreign, token.id, task.id).await?.is_none());
                    assert!(tasks::latest_for_link(tx, foreign, link.id).await?.is_none());
                    assert!(!tasks::advance(tx, &forged_task, TaskStatus::Error, None, now).await?);
                    assert!(!tasks::take_step(tx, &forged_task, now, now).await?);
                    tasks::set_step(tx, &forged_task, "forged", lapses, now).await?;

                    assert!(logins::find(tx, foreign, task.id, now).await?.is_none());
                    logins::set_session(tx, foreign, task.id, &[9]).await?;
                    logins::set_answer(tx, foreign, task.id, &[9]).await?;
                    logins::set_grant(tx, foreign, task.id, &[9]).await?;
                    logins::delete(tx, foreign, task.id).await?;

                    let spend = public_tokens::spend(tx, foreign, &public, now).await?;
                    assert_eq!(spend, public_tokens::Spend::Unknown);
                    public_tokens::revoke_unspent(tx, foreign, task.id, now).await?;

                    assert!(reports::find(tx, foreign, link.id, "income").await?.is_none());
                    assert!(webhook_events::list_for_task(tx, foreign, task.id).await?.is_empty());

                    assert_eq!(view(tx, &link, &task, now).await?, before, "changed by {foreign:?}");
                }
                let spend = public_tokens::spend(tx, own, &public, now).await?;
                assert!(matches!(spend, public_tokens::Spend::Spent { .. }));
                Done::Ok(())
            })
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn p05_a_foreign_tenant_cannot_write_over_rows() {
    for_each_db("p05_put", async |store| {
        let (_, link, task) = store.running_task().await;
        store.login(&task).await;
        let (own, now) = (link.tenant, store.now);
        store
            .db
            .write(async move |tx| reports::put(tx, own, link.id, "income", &[1], now).await)
            .await
            .unwrap();
        for foreign in foreign_tenants(&store, own).await {
            // A transaction each: a client without such a link breaks a foreign key, which ends the transaction.
            let id = link.id;
            let _ = store
                .db
                .write(async move |tx| reports::put(tx, foreign, id, "income", &[9], now).await)
                .await;
            let forged = Task { tenant: foreign, ..task.clone() };
            let put = async move |tx: &mut Tx<'_>| {
                let new = logins::NewLogin {
                    task_id: forged.id,
                    tenant: forged.tenant,
                    key_wrapped: vec![9],
                    login_sealed: vec![9],
                    expires_at: now,
                };
                logins::put(tx, &new).await
            };
            let _ = store.db.write(put).await;
        }
        let (report, login) = store
            .db
            .read(async move |tx| {
                let report = reports::find(tx, own, link.id, "income").await?.unwrap();
                Done::Ok((report, logins::find(tx, own, task.id, now).await?.unwrap()))
            })
            .await
            .unwrap();
        assert_eq!((report.body_sealed, login.login_sealed), (vec![1], vec![8]));
    })
    .await;
}

#[tokio::test]
async fn p05_keys_of_another_client_do_not_exist() {
    for_each_db("p05_keys", async |store| {
        let (own, other) = (store.tenant().await, store.tenant().await);
        let key = store.access_key(own).await.unwrap();
        let stamp = store.stamp();
        store
            .db
            .write(async move |tx| {
                assert!(access_keys::find_active(tx, other.client_id, &key.secret_hash).await?.is_none());
                assert!(access_keys::list_active(tx, other.client_id).await?.is_empty());
                assert!(!access_keys::delete(tx, other.client_id, key.id, stamp).await?);
                assert!(access_keys::find_active(tx, own.client_id, &key.secret_hash).await?.is_some());
                Done::Ok(())
            })
            .await
            .unwrap();
    })
    .await;
}
