use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    time::Duration,
};

use crate::harness::{Home, Server};

/// The listener lets requests just over the limits through, so that the answer comes in the contract's shape.
#[test]
fn p44_heads_over_the_limits_are_answered_in_contract_shape() {
    let home = Home::new();
    let server = home.serve();
    let fields = |count: usize| (0..count).map(|index| format!("X-Field-{index}: a\r\n")).collect::<String>();
    let request = |path: &str, headers: &str| {
        server.send(&format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}\r\n"))
    };
    let check = |answer: String, status: &str| {
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{status}: {answer}");
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(serde_json::from_str::<serde_json::Value>(body).is_ok(), "{answer}");
    };
    check(request("/v1/nothing/", &fields(98)), "404");
    check(request("/v1/nothing/", &fields(99)), "431");
    check(request("/v1/nothing/", &format!("X-Long: {}\r\n", "a".repeat(32 << 10))), "431");
    check(request(&format!("/v1/{}/", "a".repeat(8188)), ""), "414");
    // Far over them, the connection ends without ceremony.
    let refused = request("/v1/nothing/", &format!("X-Long: {}\r\n", "a".repeat(60 << 10)));
    assert!(refused.starts_with("HTTP/1.1 431"), "{refused}");
    assert_eq!(server.get("/v1/nothing/").0, 404);
}

#[test]
fn broken_heads_are_refused_and_the_server_lives() {
    let home = Home::new();
    let server = home.serve();
    for head in [
        "GET /v1/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST /v1/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked, x\r\n\r\n",
        "GET /v1/ HTTP/1.1\r\nHost: a\r\nX-Bad: a\0b\r\n\r\n",
        "G\u{e4}T /v1/ HTTP/1.1\r\n\r\n",
        "not http at all\r\n\r\n",
    ] {
        let answer = server.send(head);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{head:?}: {answer}");
    }
    assert_eq!(server.get("/v1/nothing/").0, 404);
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.api).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// Status of the next answer on a connection that stays open, whose body is read to its end.
fn next_status(stream: &mut BufReader<TcpStream>) -> u16 {
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    let status = line.split(' ').nth(1).unwrap_or_else(|| panic!("the connection ended")).parse().unwrap();
    let mut length = 0;
    loop {
        let mut header = String::new();
        stream.read_line(&mut header).unwrap();
        if header == "\r\n" {
            break;
        }
        if let Some(value) = header.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    status
}

/// Some published clients send a body where none is read (rule Q2), and use the connection again.
#[test]
fn a_connection_is_used_again_after_a_body_that_nobody_read() {
    let home = Home::new();
    let server = home.serve();
    let mut stream = BufReader::new(connect(&server));
    for _ in 0..20 {
        for (head, status) in
            [("GET /v1/nothing/", 404), ("DELETE /v1/links/x/", 401), ("POST /v1/orders/", 401)]
        {
            let body = "{\"a\": 1}";
            let length = body.len();
            write!(stream.get_mut(), "{head} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n")
                .unwrap();
            // The body comes on its own, when the answer has long been known.
            std::thread::sleep(Duration::from_millis(2));
            stream.get_mut().write_all(body.as_bytes()).unwrap();
            assert_eq!(next_status(&mut stream), status, "{head}");
        }
    }
}

/// R1: also who sends too much, or without a good key, learns so.
#[test]
fn an_answer_arrives_before_the_body_has_been_sent() {
    let home = Home::new();
    let server = home.serve();
    for (path, size, expected) in
        [("/v1/users/", 300 << 10, 401), ("/bridge/api/tasks", 3 << 20, 401), ("/v1/users/", 12 << 20, 401)]
    {
        for _ in 0..10 {
            let mut stream = connect(&server);
            let body = vec![b' '; size];
            write!(stream, "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n").unwrap();
            // Cut short by the server, perhaps.
            let _ = stream.write_all(&body);
            let mut answer = String::new();
            stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
            let _ = stream.read_to_string(&mut answer);
            assert!(answer.starts_with(&format!("HTTP/1.1 {expected}")), "{size}: {answer:?}");
            assert_eq!(answer.contains("connection: close"), size > 4 << 20, "{size}: {answer}");
            if size > 4 << 20 {
                break;
            }
        }
    }
}

#[test]
fn p45_a_body_that_trickles_is_cut() {
    let home = Home::new();
    let server = home.serve();
    let mut stream = connect(&server);
    write!(stream, "POST /v1/users/ HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n").unwrap();
    let mut sender = stream.try_clone().unwrap();
    let trickle = std::thread::spawn(move || {
        while sender.write_all(b" ").is_ok() {
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    // Without a key the body is nobody's; the connection ends all the same.
    assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("connection: close"), "{answer:?}");
    trickle.join().unwrap();
}

#[test]
fn p45_one_address_has_so_many_connections_and_the_next_one_gets_its_turn() {
    let home = Home::new();
    let server = home.serve();
    // Whoever is inside is answered.
    let inside = |stream: &mut TcpStream| {
        let _ = write!(stream, "GET /v1/nothing/ HTTP/1.1\r\nHost: a\r\n\r\n");
        let mut byte = [0];
        matches!(stream.read(&mut byte), Ok(1))
    };
    let mut streams: Vec<_> = (0..256).map(|_| connect(&server)).collect();
    assert!(streams.iter_mut().all(inside));
    assert!(!inside(&mut connect(&server)), "the 257th");
    streams.pop();
    let waited = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        inside(&mut connect(&server))
    });
    assert!(waited, "a place was given back");
    // Health is asked for on another listener.
    assert_eq!(crate::harness::get(server.metrics, "/healthz", "").0, 200);
}
