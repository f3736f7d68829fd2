//! Events that are not run: those that are not HTTP requests are refused by name; invalid HTTP requests get an error response.

use super::{alb, http_api, parse_bytes, parse_with, refusal, rest};
use contract::limits::Limits;
use gateway::{EventError, EventKind, Foreign, Origin, respond};
use serde_json::{Value, json};

#[track_caller]
fn assert_foreign(event: Value, foreign: Foreign) {
    assert_eq!(
        parse_bytes(event.to_string().as_bytes()),
        Err(EventError::NotHttp(foreign)),
        "{event}"
    );
}

#[test]
fn events_that_are_not_http_are_refused_by_name() {
    let records =
        |source: &str| json!({"Records": [{"eventSource": source, "EventSource": source}]});
    assert_foreign(
        json!({"type": "TOKEN", "methodArn": "arn", "authorizationToken": "t"}),
        Foreign::AuthorizerToken,
    );
    assert_foreign(
        rest::event(json!({"type": "REQUEST", "methodArn": "arn"})),
        Foreign::AuthorizerRequest,
    );
    assert_foreign(
        http_api::event(json!({"type": "REQUEST", "routeArn": "arn"})),
        Foreign::AuthorizerRequest,
    );
    assert_foreign(
        rest::event(json!({"requestContext": {"connectionId": "c"}})),
        Foreign::WebSocket,
    );
    assert_foreign(records("aws:sqs"), Foreign::Sqs);
    assert_foreign(records("aws:sns"), Foreign::Sns);
    assert_foreign(records("aws:s3"), Foreign::S3);
    assert_foreign(records("aws:dynamodb"), Foreign::DynamoDbStream);
    assert_foreign(records("aws:kinesis"), Foreign::Kinesis);
    assert_foreign(json!({"Records": [{"cf": {}}]}), Foreign::CloudFront);
    assert_foreign(
        json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}),
        Foreign::EventBridge,
    );
    assert_foreign(json!({"awslogs": {"data": ""}}), Foreign::CloudWatchLogs);
    assert_foreign(
        json!({"triggerSource": "PreSignUp", "userPoolId": "p"}),
        Foreign::CognitoTrigger,
    );
    assert_foreign(
        json!({"raw_path": "/", "method": "GET"}),
        Foreign::VpcLattice,
    );
    let lattice = json!({"serviceNetworkArn": "arn"});
    assert_foreign(
        json!({"version": "2.0", "path": "/", "method": "GET", "requestContext": lattice}),
        Foreign::VpcLattice,
    );
    assert_foreign(json!({"statusCode": 200, "body": ""}), Foreign::Response);
    assert_foreign(
        json!({"principalId": "p", "policyDocument": {}}),
        Foreign::AuthorizerPolicy,
    );
    assert_foreign(json!({}), Foreign::Empty);
    assert_foreign(json!({"hello": "world"}), Foreign::Unknown);
    assert_foreign(json!({"Records": []}), Foreign::Unknown);
    for value in [json!(null), json!([]), json!(["2.0"]), json!("x"), json!(1)] {
        assert_foreign(value, Foreign::NotAnObject);
    }
}

/// The members by which each service's events are recognised, in the forms that AWS documents, with the text of the refusal.
fn services() -> Vec<(Value, &'static str)> {
    let records = |source: &str| json!({"Records": [{"eventSource": source}]});
    vec![
        (
            json!({"deliveryStreamArn": "arn", "invocationId": "i", "records": []}),
            "Firehose",
        ),
        (
            json!({"RequestType": "Create", "ResponseURL": "https://s3", "StackId": "arn", "LogicalResourceId": "r"}),
            "CloudFormation",
        ),
        (json!({"eventSource": "aws:kafka", "records": {}}), "Kafka"),
        (
            json!({"eventSource": "SelfManagedKafka", "records": {}}),
            "Kafka",
        ),
        (
            json!({"arguments": {}, "info": {"fieldName": "f", "parentTypeName": "Query"}}),
            "AppSync",
        ),
        (
            json!({"events": [], "info": {"channel": {"path": "/a"}, "operation": "PUBLISH"}}),
            "AppSync",
        ),
        (
            json!({"authorizationToken": "t", "requestContext": {"apiId": "a", "queryString": "{}"}}),
            "AppSync authorizer",
        ),
        (
            json!({"bot": {"name": "b"}, "sessionState": {}, "invocationSource": "DialogCodeHook"}),
            "Lex",
        ),
        (json!({"bot": {"name": "b"}, "currentIntent": {}}), "Lex"),
        (
            json!({"messageVersion": "1.0", "agent": {}, "actionGroup": "g", "apiPath": "/a", "httpMethod": "GET"}),
            "Bedrock agent",
        ),
        (records("aws:ses"), "SES"),
        (
            json!({"configRuleName": "r", "invokingEvent": "{}", "resultToken": "t", "version": "1.0"}),
            "Config",
        ),
        (
            json!({"eventSource": "aws:docdb", "events": []}),
            "DocumentDB",
        ),
        (
            json!({"Name": "ContactFlowEvent", "Details": {"ContactData": {}}}),
            "Connect",
        ),
        (
            json!({"invocationSchemaVersion": "1.0", "job": {}, "tasks": []}),
            "S3 Batch",
        ),
        (
            json!({"xAmzRequestId": "i", "getObjectContext": {}, "userRequest": {}}),
            "S3 Object Lambda",
        ),
        (
            json!({"version": "1.0", "session": {"application": {}}, "request": {"type": "LaunchRequest"}}),
            "Alexa",
        ),
        (
            json!({"directive": {"header": {"namespace": "Alexa.Discovery"}}}),
            "Alexa",
        ),
        (records("aws:codecommit"), "CodeCommit"),
        (json!({"eventSource": "aws:mq", "messages": []}), "MQ"),
        (
            json!({"eventSource": "aws:rmq", "rmqMessagesByQueue": {}}),
            "MQ",
        ),
        (json!({"CodePipeline.job": {"id": "i"}}), "CodePipeline"),
        (
            json!({"SecretId": "arn", "Step": "createSecret", "ClientRequestToken": "t"}),
            "Secrets Manager",
        ),
        (
            json!({"source": "aws.cloudwatch", "alarmArn": "arn", "alarmData": {}}),
            "CloudWatch alarm",
        ),
        (
            json!({"serialNumber": "n", "clickType": "SINGLE", "batteryVoltage": "1mV"}),
            "IoT",
        ),
        (
            json!({"protocolData": {}, "protocols": ["mqtt"], "signatureVerified": false}),
            "IoT",
        ),
        (
            json!({"identityPoolId": "p", "datasetName": "d", "eventType": "SyncTrigger"}),
            "Cognito Sync",
        ),
        (
            json!({"username": "u", "serverId": "s", "protocol": "SFTP"}),
            "Transfer Family",
        ),
        (
            json!({"token": "t", "serviceMetadata": {"transferDetails": {}}}),
            "Transfer Family",
        ),
        (json!({"source": "serverless-plugin-warmup"}), "warm-up"),
        (json!({"warmer": true, "concurrency": 3}), "warm-up"),
        (
            json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}),
            "S3 notification",
        ),
    ]
}

#[test]
fn each_service_is_refused_by_its_name() {
    for (event, name) in services() {
        let message = parse_bytes(event.to_string().as_bytes())
            .unwrap_err()
            .to_string();
        assert!(message.contains(name), "{event}: {message}");
    }
}

#[test]
fn what_is_http_is_not_taken_for_a_service_whose_members_it_has() {
    for (members, _) in services() {
        for http in [
            rest::event(json!({})),
            http_api::event(json!({})),
            alb::event(json!({})),
        ] {
            let mut event = http.clone();
            for (name, value) in members.as_object().unwrap() {
                event
                    .as_object_mut()
                    .unwrap()
                    .entry(name)
                    .or_insert_with(|| value.clone());
            }
            assert!(parse_bytes(event.to_string().as_bytes()).is_ok(), "{event}");
        }
    }
}

#[test]
fn text_that_json_allows_and_unicode_does_not_is_answered_with_400_naming_the_field() {
    for (field, at) in [
        ("body", "body"),
        ("rawPath", "rawPath"),
        ("headers", "headers"),
    ] {
        let value = if field == "headers" {
            r#"{"a":"\ud800"}"#
        } else {
            r#""\ud800""#
        };
        let event = http_api::event(json!({field: "PLACE"}))
            .to_string()
            .replace("\"PLACE\"", value);
        let Err(EventError::Http(refusal)) = parse_bytes(event.as_bytes()) else {
            panic!("{event}");
        };
        assert_eq!(refusal.status, 400);
        assert_eq!(refusal.origin.kind, EventKind::HttpApi);
        let expected =
            format!("event field `{at}` has an escape of half a surrogate pair at line 1 column ");
        assert!(refusal.detail.starts_with(&expected), "{}", refusal.detail);
    }
}

#[test]
fn bytes_that_are_no_text_and_a_byte_order_mark_are_named_with_their_position() {
    let event = http_api::event(json!({"unread": "PLACE"})).to_string();
    let place = event.find("PLACE").unwrap();
    let mut bytes = event.clone().into_bytes();
    bytes[place] = 0xff;
    let message = parse_bytes(&bytes).unwrap_err().to_string();
    let expected = format!(
        "event is not JSON: invalid UTF-8 at line 1 column {}; ",
        place + 1
    );
    assert!(message.starts_with(&expected), "{message}");
    let message = parse_bytes(format!("\u{feff}{event}").as_bytes())
        .unwrap_err()
        .to_string();
    assert!(message.contains("byte order mark"), "{message}");
}

#[test]
fn a_refusal_by_name_says_what_to_do() {
    let message = parse_bytes(b"{}").unwrap_err().to_string();
    assert_eq!(
        message,
        "event is empty (a warm-up call), not an HTTP request; \
         an HTTP event has at least a method, a path and `requestContext`"
    );
}

#[test]
fn what_is_not_json_is_refused_with_its_position() {
    let message = parse_bytes(b"{\n  \"a\": ]").unwrap_err().to_string();
    assert_eq!(
        message,
        "event is not JSON: expected a JSON value at line 2 column 8; pass the event exactly as the gateway sent it"
    );
    for broken in [
        &b""[..],
        b"   ",
        b"\xff\xfe",
        b"{\"headers\": {\"a\": \"\xff\"}}",
        b"{} {}",
    ] {
        assert!(
            matches!(parse_bytes(broken), Err(EventError::NotJson { .. })),
            "{broken:?}"
        );
    }
}

#[test]
fn wrong_types_in_an_http_event_are_answered_with_400_naming_the_field() {
    let cases = [
        (
            rest::event(json!({"httpMethod": 1})),
            "event field `httpMethod` must be a string, not a number",
        ),
        (
            rest::event(json!({"path": ["/"]})),
            "event field `path` must be a string, not a list",
        ),
        (
            rest::event(json!({"body": {}})),
            "event field `body` must be a string, not an object",
        ),
        (
            rest::event(json!({"isBase64Encoded": "true"})),
            "event field `isBase64Encoded` must be true or false, not a string",
        ),
        (
            rest::event(json!({"headers": {"X-A": 1}})),
            "event field `headers.X-A` must be a string or a list of strings, not a number",
        ),
        (
            rest::event(json!({"multiValueHeaders": {"X-A": ["a", null]}})),
            "event field `multiValueHeaders.X-A[1]` must be a string, not null",
        ),
        (
            rest::event(json!({"requestContext": {"identity": {"sourceIp": 1}}})),
            "event field `requestContext.identity.sourceIp` must be a string, not a number",
        ),
        (
            http_api::event(json!({"cookies": ["a", 1]})),
            "event field `cookies[1]` must be a string, not a number",
        ),
        (
            http_api::event(json!({"cookies": "a"})),
            "event field `cookies` must be a list of strings, not a string",
        ),
        (
            http_api::event(json!({"rawQueryString": 0})),
            "event field `rawQueryString` must be a string, not a number",
        ),
        (
            http_api::event(json!({"requestContext": {"http": "GET"}})),
            "event field `requestContext.http` must be an object, not a string",
        ),
        (
            alb::event(json!({"multiValueHeaders": []})),
            "event field `multiValueHeaders` must be an object, not a list",
        ),
    ];
    for (event, detail) in cases {
        let refusal = refusal(&event);
        assert_eq!((refusal.status, refusal.detail.as_str()), (400, detail));
    }
}

#[test]
fn missing_and_impossible_members_are_answered_with_400() {
    let cases = [
        (
            rest::event(json!({"httpMethod": ""})),
            "event field `httpMethod` is missing",
        ),
        (
            rest::event(json!({"httpMethod": "G ET"})),
            "event field `httpMethod` is not an HTTP method",
        ),
        (
            rest::event(json!({"path": null})),
            "event field `path` is missing",
        ),
        (
            alb::event(json!({"path": "items"})),
            "event field `path` does not begin with `/`",
        ),
        (
            http_api::event(json!({"rawPath": null})),
            "event field `rawPath` is missing",
        ),
        (
            http_api::event(json!({"requestContext": {"http": {"method": null}}})),
            "event field `requestContext.http.method` is missing",
        ),
        (
            rest::event(json!({"headers": {"a b": "c"}})),
            "header name `a b` is not a valid HTTP token",
        ),
        (
            rest::event(json!({"headers": {"X-A": "b\nc: d"}})),
            "value of header `x-a` has a control character",
        ),
        (
            http_api::event(json!({"cookies": ["a\r\nb: c"]})),
            "value of header `cookie` has a control character",
        ),
    ];
    for (event, detail) in cases {
        let refusal = refusal(&event);
        assert_eq!((refusal.status, refusal.detail.as_str()), (400, detail));
    }
}

#[test]
fn repeated_members_are_refused() {
    let event = rest::event(json!({})).to_string();
    let twice = event.replacen('{', r#"{"path":"/other","#, 1);
    let Err(EventError::Http(refusal)) = parse_bytes(twice.as_bytes()) else {
        panic!("taken")
    };
    assert!(
        refusal
            .detail
            .starts_with("duplicate field `path` at line 1 column"),
        "{}",
        refusal.detail
    );
}

#[test]
fn limits_are_answered_with_413_414_and_431() {
    let limits = Limits {
        request_body_bytes_max: 10,
        request_target_bytes_max: 20,
        request_headers_bytes_max: 30,
        ..Limits::default()
    };
    let status = |event: Value| match parse_with(event.to_string().as_bytes(), None, &limits) {
        Ok(_) => 200,
        Err(EventError::Http(refusal)) => refusal.status,
        Err(other) => panic!("{other}"),
    };
    let bodies = [
        ("a".repeat(10), false, 200),
        ("a".repeat(11), false, 413),
        ("YWJj".repeat(4), true, 413),
    ];
    for (body, is_base64, expected) in bodies {
        assert_eq!(
            status(rest::event(
                json!({"body": body, "isBase64Encoded": is_base64})
            )),
            expected
        );
    }
    // 10 bytes in base64 are 16 characters.
    assert_eq!(
        status(rest::event(
            json!({"body": "YWFhYWFhYWFhYQ==", "isBase64Encoded": true})
        )),
        200
    );
    assert_eq!(
        status(rest::event(json!({"path": format!("/{}", "a".repeat(19))}))),
        200
    );
    assert_eq!(
        status(rest::event(json!({"path": format!("/{}", "a".repeat(20))}))),
        414
    );
    assert_eq!(
        status(rest::event(json!({"path": format!("/{}", "é".repeat(9))}))),
        414,
        "counted encoded"
    );
    assert_eq!(
        status(rest::event(
            json!({"multiValueQueryStringParameters": {"a": ["bcdef", "ghijk"]}})
        )),
        414
    );
    assert_eq!(
        status(http_api::event(
            json!({"headers": null, "rawQueryString": "a".repeat(14)})
        )),
        200
    );
    assert_eq!(
        status(http_api::event(
            json!({"headers": null, "rawQueryString": "a".repeat(15)})
        )),
        414
    );
    assert_eq!(
        status(rest::event(json!({"headers": {"abcde": "f".repeat(25)}}))),
        200
    );
    assert_eq!(
        status(rest::event(json!({"headers": {"abcde": "f".repeat(26)}}))),
        431
    );
    assert_eq!(
        status(rest::event(
            json!({"multiValueHeaders": {"abcdefghij": ["", "", "", ""]}})
        )),
        431
    );
    assert_eq!(
        status(http_api::event(
            json!({"headers": null, "cookies": ["a".repeat(30)]})
        )),
        431
    );
}

#[test]
fn one_long_name_with_many_values_costs_no_memory_beyond_the_limit() {
    let name = "n\\u0061".repeat(100_000);
    let values = vec!["\"\""; 100_000].join(",");
    let event = rest::event(json!({})).to_string();
    let event = event.replacen(
        "\"multiValueHeaders\":null",
        &format!("\"multiValueHeaders\":{{\"{name}\":[{values}]}}"),
        1,
    );
    let Err(EventError::Http(refusal)) = parse_bytes(event.as_bytes()) else {
        panic!("taken")
    };
    assert_eq!(refusal.status, 431);
}

#[test]
fn deep_nesting_ends_in_a_value_or_a_rejection() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(matches!(
        parse_bytes(deep.as_bytes()),
        Err(EventError::NotJson { .. })
    ));
    let event = rest::event(json!({})).to_string();
    // Skipped members are skipped without recursion.
    let ignored = event.replacen('{', &format!("{{\"other\":{deep},"), 1);
    assert!(parse_bytes(ignored.as_bytes()).is_ok());
    let read = event.replacen("\"body\":null", &format!("\"body\":{deep}"), 1);
    assert!(matches!(
        parse_bytes(read.as_bytes()),
        Err(EventError::NotJson { .. })
    ));
}

#[test]
fn a_refused_request_is_answered_in_the_shape_of_its_kind() {
    let refusal = refusal(&alb::event(json!({"path": "x", "multiValueHeaders": {}})));
    assert_eq!(
        refusal.origin,
        Origin {
            kind: EventKind::Alb,
            multi_value: true
        }
    );
    let answer: Value =
        serde_json::from_slice(&respond(&refusal.origin, refusal.response()).unwrap()).unwrap();
    assert_eq!(answer["statusDescription"], "400 Bad Request");
    assert_eq!(
        answer["multiValueHeaders"]["content-type"],
        json!(["application/problem+json"])
    );
    let problem: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert_eq!(
        problem["detail"],
        "event field `path` does not begin with `/`"
    );
    assert_eq!(problem["request_id"].as_str().unwrap().len(), 32);
}
