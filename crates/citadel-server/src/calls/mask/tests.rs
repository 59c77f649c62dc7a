use serde_json::Value;

use super::*;

const ID: &str = "0192f0c0a1b27c3d8e4f5a6b7c8d9e0f";

fn masked(body: &str, side: Side, is_good: bool) -> (Option<String>, Named) {
    let mut named = Named::default();
    let text = mask(body.as_bytes(), side, is_good, &mut named);
    if let Some(text) = &text {
        serde_json::from_str::<Value>(text).unwrap_or_else(|problem| panic!("{problem}: {text}"));
    }
    (text, named)
}

fn check(body: &str, expected: &str) {
    assert_eq!(masked(body, Side::Response, true).0.as_deref(), Some(expected), "{body}");
}

#[test]
fn p57_only_what_is_named_keeps_its_value() {
    check(r#"{"status":"done","ssn":"123-45-6789"}"#, r#"{"status":"done","ssn":"•••"}"#);
    check(r#"{ "status" : "123-45-6789" , "count":3}"#, r#"{"status":"•••","count":3}"#);
    check(
        r#"{"gross_pay":1935.77,"is_active":true,"end":null}"#,
        r#"{"gross_pay":"••• number","is_active":"••• boolean","end":null}"#,
    );
    check(r#"{"count":-3,"sequence":"7"}"#, r#"{"count":"••• number","sequence":"•••"}"#);
    check(
        r#"{"created_at":"2026-11-18T15:00:00Z","hired":"2026-11-18"}"#,
        r#"{"created_at":"2026-11-18T15:00:00Z","hired":"•••"}"#,
    );
    check(
        r#"{"provider_id":"adp","id":"773199773","name":""}"#,
        r#"{"provider_id":"adp","id":"•••","name":""}"#,
    );
    // A name may be somebody's number, or be written so that nobody sees what it is.
    check(r#"{"773199773":1,"\u0073tatus":"done"}"#, r#"{"•••":"••• number","•••":"•••"}"#);
    // Nothing is kept of what providers and clients give names to.
    check(
        r#"{"login":{"status":"done","id":"adp"},"profile":{"id":["x"]}}"#,
        r#"{"login":{"status":"•••","id":"•••"},"profile":{"id":["•••"]}}"#,
    );
}

#[test]
fn p57_of_tokens_the_end_is_kept_and_of_others_nothing() {
    let secret = format!("sandbox-{ID}01234567");
    check(
        &format!(
            r#"{{"access_token":"{ID}","access_secret":"{secret}","secret":"whsec_AAAA","public_tokens":["{ID}"]}}"#
        ),
        r#"{"access_token":"•••9e0f","access_secret":"•••4567","secret":"•••","public_tokens":["•••9e0f"]}"#,
    );
    check(r#"{"access_token":"a password of somebody"}"#, r#"{"access_token":"•••"}"#);
    // In the place of an id: unless the call succeeded, it may be a token.
    let body = format!(r#"{{"link_id":"{ID}","provider_id":"hunter"}}"#);
    assert_eq!(masked(&body, Side::Request, true).0.unwrap(), body);
    assert_eq!(
        masked(&body, Side::Request, false).0.unwrap(),
        r#"{"link_id":"•••9e0f","provider_id":"•••"}"#
    );
    assert_eq!(
        mask_path("/v1/links/{link_id}/", &format!("/v1/links/{ID}/"), true),
        format!("/v1/links/{ID}/")
    );
    assert_eq!(mask_path("/v1/links/{link_id}/", &format!("/v1/links/{ID}/"), false), "/v1/links/•••9e0f/");
    assert_eq!(mask_path("/v1/users/{id}/", "/v1/users/773-19-9773/", true), "/v1/users/•••/");
}

#[test]
fn refusals_keep_their_words() {
    let refusal = r#"{"error":{"code":"incorrect_parameters","message":"Some parameters are incorrect."}}"#;
    assert_eq!(masked(refusal, Side::Response, false).0.unwrap(), refusal);
    let elsewhere = r#"{"error":{"code":"•••","message":"•••"}}"#;
    assert_eq!(masked(refusal, Side::Response, true).0.unwrap(), elsewhere);
    assert_eq!(masked(refusal, Side::Request, false).0.unwrap(), elsewhere);
    let number = r#"{"detail":"Nobody has 773199773."}"#;
    assert_eq!(masked(number, Side::Response, false).0.unwrap(), r#"{"detail":"•••"}"#);
}

#[test]
fn long_lists_and_long_bodies_are_cut() {
    check(
        r#"{"ids":[1,2,3],"id":["adp","adp","adp","adp","adp"]}"#,
        r#"{"ids":["••• number","••• number","••• number"],"id":["adp","adp","adp","…"]}"#,
    );
    let object = r#"{"status":"done"}"#;
    let many = format!("[{}]", [object; 2000].join(","));
    assert_eq!(masked(&many, Side::Response, true).0.unwrap(), format!("[{object},{object},{object},\"…\"]"));
    let wide = format!("{{{}\"end\":1}}", r#""status":"done","#.repeat(2000));
    let text = masked(&wide, Side::Response, true).0.unwrap();
    assert!(text.len() <= MOST && text.ends_with("}"), "{}", text.len());
    let deep = format!("{}{}", "[".repeat(3000), "]".repeat(3000));
    assert!(masked(&deep, Side::Response, true).0.unwrap().len() < 200);
}

#[test]
fn whatever_is_cut_off_is_closed() {
    let whole = format!(r#"{{"a":[{{"status":"done","n":12,"t":true}},"x\"y"],"link_id":"{ID}", "z":null}}"#);
    for end in 1..=whole.len() {
        assert!(masked(&whole[..end], Side::Response, true).0.is_some());
    }
    for other in ["", "  ", "a=b&ssn=773199773", "\"text\"", "7"] {
        assert_eq!(masked(other, Side::Request, true).0, None, "{other}");
    }
}

#[test]
fn a_body_says_what_it_is_about() {
    let body =
        format!(r#"{{"link_id":"{ID}","task_id":"x","bridge_token":"{ID}","more":{{"task_id":"{ID}"}}}}"#);
    let named = masked(&body, Side::Response, true).1;
    assert_eq!(named.link_id.unwrap().to_string(), ID);
    assert_eq!(named.bridge_token.unwrap().as_str(), ID);
    assert!(named.task_id.is_none() && named.access_token.is_none());
}
