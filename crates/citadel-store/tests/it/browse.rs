use citadel_domain::{LinkId, TaskId, TaskStatus, UserId};
use citadel_store::{
    Tenant, Value,
    browse::{self, LinkFilter, TaskFilter},
    consents, links,
    tasks::Kind,
};

use crate::harness::{Store, for_each_db};

async fn links_of(
    store: &Store,
    tenant: Tenant,
    filter: &LinkFilter,
    before: Option<LinkId>,
    limit: u32,
) -> Vec<LinkId> {
    let filter = filter.clone();
    let found =
        store.db.read(async move |tx| browse::links(tx, tenant, &filter, before, limit).await).await.unwrap();
    assert_eq!(found.back_to, None, "all was looked through");
    found.rows.iter().map(|link| link.id).collect()
}

async fn tasks_of(store: &Store, tenant: Tenant, filter: &TaskFilter, before: Option<TaskId>) -> Vec<TaskId> {
    let filter = filter.clone();
    let found =
        store.db.read(async move |tx| browse::tasks(tx, tenant, &filter, before, 9).await).await.unwrap();
    assert!(found.rows.iter().all(|one| one.provider_id.as_deref() == Some("paywell")));
    found.rows.iter().map(|one| one.task.id).collect()
}

#[tokio::test]
async fn lists_go_from_new_to_old_by_cursor_and_filter() {
    for_each_db("browse_lists", async |store| {
        let (token, first, task) = store.running_task().await;
        let tenant = token.tenant;
        let second = store.link(&token).await;
        let gone = store.link(&token).await;
        let gone_task = store.task(&token, &gone, store.now).await;
        let stamp = store.stamp();
        let now = store.now;
        let erase =
            async move |tx: &mut citadel_store::Tx<'_>| links::erase(tx, tenant, gone.id, now, stamp).await;
        assert!(store.db.write(erase).await.unwrap());
        let (foreign, ..) = store.running_task().await;

        let mut all = [first.id, second.id];
        all.sort();
        all.reverse();
        let none = LinkFilter::default();
        assert_eq!(links_of(&store, tenant, &none, None, 9).await, all);
        assert_eq!(links_of(&store, tenant, &none, None, 1).await, all[..1]);
        assert_eq!(links_of(&store, tenant, &none, Some(all[0]), 9).await, all[1..]);
        store.put_status(&task, TaskStatus::LoginError).await;
        let mark = [Value::from(first.id), Value::from(TaskStatus::LoginError)];
        let mark = async move |tx: &mut citadel_store::Tx<'_>| {
            tx.execute("update links set status = $2 where id = $1", &mark).await
        };
        assert_eq!(store.db.write(mark).await.unwrap(), 1);
        let failed = LinkFilter { status: Some(TaskStatus::LoginError), ..none.clone() };
        assert_eq!(links_of(&store, tenant, &failed, None, 9).await, [first.id]);
        let here = LinkFilter {
            status: Some(TaskStatus::New),
            provider_id: Some("paywell".to_owned()),
            product: Some(token.product),
            ..none.clone()
        };
        assert_eq!(links_of(&store, tenant, &here, None, 9).await, [second.id]);
        let elsewhere = LinkFilter { provider_id: Some("adp".to_owned()), ..none.clone() };
        assert_eq!(links_of(&store, tenant, &elsewhere, None, 9).await, []);
        let somebodys = LinkFilter { user_id: Some(UserId::from_bytes([1; 16])), ..none };
        assert_eq!(links_of(&store, tenant, &somebodys, None, 9).await, []);

        let none = TaskFilter::default();
        assert_eq!(tasks_of(&store, tenant, &none, None).await, [task.id], "without {}", gone_task.id);
        assert_eq!(tasks_of(&store, tenant, &none, Some(task.id)).await, []);
        let refreshes = TaskFilter { kind: Some(Kind::Refresh), ..none.clone() };
        assert_eq!(tasks_of(&store, tenant, &refreshes, None).await, []);
        let own = TaskFilter {
            kind: Some(Kind::Initial),
            status: Some(TaskStatus::LoginError),
            provider_id: Some("paywell".to_owned()),
        };
        assert_eq!(tasks_of(&store, tenant, &own, None).await, [task.id]);
        assert_eq!(tasks_of(&store, foreign.tenant, &own, None).await, []);
    })
    .await;
}

#[tokio::test]
async fn a_link_tells_its_tasks_and_their_steps() {
    for_each_db("browse_of_link", async |store| {
        let (token, link, task) = store.running_task().await;
        let tenant = token.tenant;
        let later = store.task(&token, &link, store.after(60)).await;
        store.event(&later).await;
        store.event(&task).await;
        store.event(&later).await;
        let of = async |tenant, limit| {
            store.db.read(async move |tx| browse::of_link(tx, tenant, link.id, limit).await).await.unwrap()
        };
        let (tasks, steps) = of(tenant, 9).await;
        assert_eq!(tasks.iter().map(|task| task.id).collect::<Vec<_>>(), [later.id, task.id]);
        assert_eq!(steps.len(), 3);
        let (tasks, steps) = of(tenant, 1).await;
        assert_eq!((tasks.len(), steps.len()), (1, 2));
        let other = store.tenant().await;
        let (tasks, steps) = of(other, 9).await;
        assert!(tasks.is_empty() && steps.is_empty());
    })
    .await;
}

#[tokio::test]
async fn p21_a_consent_is_taken_back_before_its_time() {
    for_each_db("browse_revoke", async |store| {
        let (token, link, task) = store.running_task().await;
        let (tenant, soon) = (token.tenant, store.after(60));
        let other = store.tenant().await;
        let revoke = async |tenant| {
            store.db.write(async move |tx| consents::revoke(tx, tenant, link.id, soon).await).await.unwrap()
        };
        assert!(!revoke(other).await, "another tenant's");
        assert!(revoke(tenant).await);
        assert!(!revoke(tenant).await, "it has ended");
        let link = store.find_link(&link).await.unwrap();
        assert_eq!((link.consent_expires_at, link.consent_ended_at), (soon, Some(soon)));
        assert_eq!(store.find_task(&task).await.status, TaskStatus::Error);
    })
    .await;
}
