//! Pages of the dashboard over a store with very many rows.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use citadel_domain::ClientId;
use citadel_server::calls;
use citadel_store::{DbConfig, Dialect, Row, Tx, Value};
use serde_json::json;

use crate::{
    dashboard_links::owner_with_client,
    dashboard_support::Browser,
    soak,
    support::{TestApp, TestClient},
};

/// What is copied: each row of a link's flow, and what was called about it.
const TABLES: [&str; 5] = ["bridge_tokens", "links", "tasks", "calls", "deliveries"];
/// How often each page is asked for.
const TIMES: usize = 21;
const LIMIT: Duration = Duration::from_millis(50);

/// Every column of a table.
async fn columns(tx: &mut Tx<'_>, table: &str) -> Result<Vec<String>, citadel_store::Error> {
    let (sql, values) = match tx.dialect() {
        Dialect::Sqlite => ("select name from pragma_table_info($1)", [Value::from(table.to_owned())]),
        Dialect::Postgres => (
            "select cast(column_name as text) from information_schema.columns
              where table_schema = current_schema() and table_name = $1",
            [Value::from(table.to_owned())],
        ),
    };
    tx.fetch_all(sql, &values, |row: &Row<'_>| row.get(0)).await
}

/// Copies the newest row of each table so many times. Copies of one number belong together, and come before every real row.
async fn copy(app: &TestApp, client_id: ClientId, times: i64) {
    app.app
        .db
        .write(async move |tx| {
            let (numbers, id, hash) = match tx.dialect() {
                Dialect::Sqlite => (
                    "(with recursive n(i) as (select 1 union all select i + 1 from n where i < $1) select i from n) n",
                    "unhex(printf('%032x', n.i))",
                    "randomblob(32)",
                ),
                Dialect::Postgres => (
                    "generate_series(1, cast($1 as bigint)) n(i)",
                    "cast(lpad(to_hex(n.i), 32, '0') as uuid)",
                    "sha256(convert_to('copy' || n.i, 'UTF8'))",
                ),
            };
            for table in TABLES {
                let columns = columns(tx, table).await?;
                let of = |column: &String| match column.as_str() {
                    "id" | "bridge_token_id" | "link_id" | "task_id" => id.to_owned(),
                    column if column.ends_with("_hash") => hash.to_owned(),
                    column => format!("t.{column}"),
                };
                let values: Vec<_> = columns.iter().map(of).collect();
                let sql = format!(
                    "insert into {table} ({}) select {} from {numbers} cross join {table} t
                      where t.client_id = $2 and t.id = (select max(id) from {table} where client_id = $2)",
                    columns.join(", "),
                    values.join(", "),
                );
                // Postgres has no greatest uuid before its version 18.
                let sql = sql.replace("select max(id) from", "select id from").replace(
                    "where client_id = $2)",
                    "where client_id = $2 order by id desc limit 1)",
                );
                let sql: &'static str = sql.leak();
                tx.execute(sql, &[Value::from(times), Value::from(client_id)]).await?;
            }
            Ok::<_, citadel_store::Error>(())
        })
        .await
        .unwrap();
}

/// The median of each page's times.
async fn times(browser: &Browser<'_>, pages: &[String]) -> Vec<(String, Duration)> {
    let mut found = Vec::new();
    for path in pages {
        let mut times = Vec::new();
        for _ in 0..TIMES {
            let began = Instant::now();
            let page = browser.get(path).await;
            times.push(began.elapsed());
            assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text);
        }
        times.sort();
        found.push((path.clone(), times[TIMES / 2]));
    }
    found
}

/// A filter that nothing matches is looked through to the end, in so many pages.
async fn looks_to_the_end(browser: &Browser<'_>, first: &str, copies: usize) {
    let (mut url, mut looks) = (first.to_owned(), 0);
    loop {
        let page = browser.get(&url).await;
        assert!(page.text.contains("No link is like this"), "{}", page.text);
        let Some((before, _)) = page.text.split_once("Look further back") else { break };
        url = before.rsplit_once("href=\"").unwrap().1.split('"').next().unwrap().replace("&#38;", "&");
        looks += 1;
    }
    assert_eq!(looks, copies / 20_000);
}

async fn pages(client: &TestClient<'_>, link: &str, webhook: &str) -> Vec<String> {
    let home = format!("/c/{}/sandbox", client.id);
    let lists = ["", "keys", "links", "tasks", "flows", "webhooks", "logs", "sandbox", "usage", "audit"];
    let filtered = [
        "links?status=done&provider=adp&product=income",
        "links?provider=paychex",
        "links?status=login_error",
        "tasks?status=error",
        "tasks?provider=paychex",
        "logs?status=500",
        "logs?status=4xx",
        "logs?route=/v1/nothing/",
        "usage?range=30d",
    ];
    let mut pages: Vec<_> = lists.into_iter().chain(filtered).map(|page| format!("{home}/{page}")).collect();
    pages.push(format!("{home}/links/{link}"));
    pages.push(format!("{home}/webhooks/{webhook}"));
    pages
}

#[tokio::test]
async fn soak_pages_with_100_000_links() {
    let copies = soak::count("CITADEL_SOAK_PAGES_LINKS", 100_000);
    for app in [Some(TestApp::on_sqlite().await), TestApp::on_postgres().await].into_iter().flatten() {
        let database = if matches!(app.db_config, DbConfig::Sqlite { .. }) { "SQLite" } else { "Postgres" };
        let finding = soak::begin("pages", format!("{copies} links, {database}"), "50 ms a page");
        let (browser, client) = owner_with_client(&app).await;
        let (webhook, _) = client.webhook("https://acme.example/hook").await;
        let user = client.user("person-1").await;
        let (link, _) = client.link_of(&user, "income").await;
        client.post("/v1/bridge-tokens/", json!({"product_type": "income", "tracking_info": "1337"})).await;
        app.run_jobs().await;
        calls::flush(&app.app).await;
        copy(&app, client.id, i64::try_from(copies).unwrap()).await;
        looks_to_the_end(&browser, &format!("/c/{}/sandbox/links?provider=paychex", client.id), copies).await;
        let mut found = times(&browser, &pages(&client, &link, &webhook).await).await;
        found.sort_by_key(|(_, time)| *time);
        for (path, time) in &found {
            println!(
                "{:>8.1} ms  {}",
                time.as_secs_f64() * 1e3,
                path.split('/').skip(4).collect::<Vec<_>>().join("/")
            );
        }
        let (slowest, time) = found.last().unwrap();
        let slowest = slowest.split('/').skip(4).collect::<Vec<_>>().join("/");
        finding.end(format!("{:.1} ms, {slowest}", time.as_secs_f64() * 1e3), *time <= LIMIT);
    }
}
