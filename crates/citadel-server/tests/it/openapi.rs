use crate::support::TestApp;

/// A change to the contract is seen in review: accept it with `INSTA_UPDATE=always`.
#[tokio::test]
async fn the_document_is_as_reviewed() {
    let app = TestApp::on_sqlite().await;
    let reply = app.get("/openapi.json").await;
    assert_eq!(reply.header("content-type"), "application/json");
    let document = reply.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    insta::assert_json_snapshot!("openapi", document);
}
