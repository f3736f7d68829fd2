use super::*;
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};

fn service(endpoint: &str) -> JsonService {
    let credentials = Credentials::new("AKID", "secret", None, None, "test");
    let credentials = SharedCredentialsProvider::new(credentials);
    let service = AwsService::new("logs", "eu-central-1", Some(endpoint), &credentials);
    JsonService::new(service, "Logs_20140328")
}

/// Answers one connection after the other with these bytes, and returns what it read.
async fn server(answers: Vec<String>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let read = tokio::spawn(async move {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"{}") {
                let mut piece = [0; 4096];
                let length = stream.read(&mut piece).await.unwrap();
                assert_ne!(length, 0, "the request is incomplete");
                request.extend_from_slice(&piece[..length]);
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            requests.push(String::from_utf8(request).unwrap());
        }
        requests
    });
    (address, read)
}

fn answer(status: u16, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
}

#[tokio::test]
async fn a_call_names_its_operation_and_is_repeated_while_the_service_is_busy() {
    let (address, read) = server(vec![
        answer(400, r#"{"__type":"ThrottlingException"}"#),
        answer(503, "busy"),
        answer(200, r#"{"events":[]}"#),
    ])
    .await;
    let result = service(&address).call("FilterLogEvents", b"{}", 100).await;
    assert_eq!(result.unwrap(), br#"{"events":[]}"#);
    let requests = read.await.unwrap();
    assert_eq!(requests.len(), 3);
    for request in requests {
        let request = request.to_ascii_lowercase();
        assert!(request.starts_with("post / http/1.1\r\n"), "{request}");
        assert!(request.contains("x-amz-target: logs_20140328.filterlogevents\r\n"));
        assert!(request.contains("content-type: application/x-amz-json-1.1\r\n"));
        assert!(request.contains("content-length: 2\r\n"), "{request}");
    }
}

#[tokio::test]
async fn an_error_is_told_by_its_name_and_not_repeated() {
    let errors = [
        (
            r#"{"__type":"com.amazonaws.logs#AccessDeniedException","Message":"no"}"#,
            "AccessDeniedException: no",
        ),
        (
            r#"{"__type":"ResourceNotFoundException"}"#,
            "ResourceNotFoundException",
        ),
        ("<html>", "status 400"),
    ];
    for (body, words) in errors {
        let (address, _read) = server(vec![answer(400, body)]).await;
        let error = service(&address).call("FilterLogEvents", b"{}", 100).await;
        assert_eq!(error.unwrap_err().to_string(), words);
    }
}

#[tokio::test]
async fn a_response_over_its_bound_is_not_kept() {
    let (address, _read) = server(vec![answer(200, &"x".repeat(101))]).await;
    let error = service(&address).call("FilterLogEvents", b"{}", 100).await;
    assert_eq!(
        error.unwrap_err().to_string(),
        "the response has more than 100 bytes"
    );
}

#[tokio::test]
async fn a_cut_response_is_asked_for_again() {
    let cut = "HTTP/1.1 200 x\r\ncontent-length: 100\r\n\r\n{".to_owned();
    let (address, read) = server(vec![cut, answer(200, "{}")]).await;
    let result = service(&address).call("FilterLogEvents", b"{}", 100).await;
    assert_eq!(result.unwrap(), b"{}");
    assert_eq!(read.await.unwrap().len(), 2);
}

#[tokio::test]
async fn where_nothing_listens_one_attempt_is_enough() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = service(&address).call("FilterLogEvents", b"{}", 100).await;
    assert!(matches!(error, Err(CallError::Refused(_))), "{error:?}");
}

#[tokio::test]
async fn a_caller_may_set_fewer_attempts() {
    let busy = || {
        answer(
            400,
            r#"{"__type":"ThrottlingException","message":"slow down"}"#,
        )
    };
    let (address, read) = server(vec![busy(), busy()]).await;
    let service = service(&address).bounded(2, Duration::from_secs(5));
    let error = service
        .call("FilterLogEvents", b"{}", 100)
        .await
        .unwrap_err();
    assert!(error.is_throttled());
    assert_eq!(error.to_string(), "ThrottlingException: slow down");
    assert_eq!(read.await.unwrap().len(), 2);
}
