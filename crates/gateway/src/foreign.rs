//! Classifies events that are not HTTP requests from a gateway, by the members that their sender always writes, so that an error names the
//! service whose trigger must be removed. Used only for such events.

use serde_json::Value;
use std::fmt;

/// A sender of events that are not HTTP requests, or another kind of value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // described by the texts below
pub enum Foreign {
    Alexa,
    AppSync,
    AppSyncAuthorizer,
    AuthorizerPolicy,
    AuthorizerRequest,
    AuthorizerToken,
    BedrockAgent,
    CloudFormation,
    CloudFront,
    CloudWatchAlarm,
    CloudWatchLogs,
    CodeCommit,
    CodePipeline,
    CognitoSync,
    CognitoTrigger,
    Config,
    Connect,
    DocumentDb,
    DynamoDbStream,
    EventBridge,
    Firehose,
    IoT,
    Kafka,
    Kinesis,
    Lex,
    Mq,
    S3,
    S3Batch,
    S3ObjectLambda,
    SecretsManager,
    Ses,
    Sns,
    Sqs,
    TransferFamily,
    VpcLattice,
    Warmer,
    WebSocket,
    /// The response of a function instead of a request.
    Response,
    /// `{}`, which warm-up pings send.
    Empty,
    NotAnObject,
    Unknown,
}

/// How a kind is recognised: JSON pointers that must all exist, and texts that must be at some of them.
struct Mark {
    kind: Foreign,
    has: &'static [&'static str],
    is: &'static [(&'static str, &'static str)],
}

const fn has(kind: Foreign, has: &'static [&'static str]) -> Mark {
    Mark { kind, has, is: &[] }
}

const fn is(kind: Foreign, is: &'static [(&'static str, &'static str)]) -> Mark {
    Mark { kind, has: &[], is }
}

/// In the order in which they are tried: the first match counts.
const MARKS: &[Mark] = &[
    // An authorizer's events look most like an HTTP request.
    Mark {
        kind: Foreign::AuthorizerToken,
        has: &["/methodArn"],
        is: &[("/type", "TOKEN")],
    },
    has(Foreign::AuthorizerRequest, &["/methodArn"]),
    has(Foreign::AuthorizerRequest, &["/routeArn"]),
    has(Foreign::WebSocket, &["/requestContext/connectionId"]),
    has(Foreign::VpcLattice, &["/raw_path"]),
    has(Foreign::VpcLattice, &["/requestContext/serviceNetworkArn"]),
    has(Foreign::VpcLattice, &["/requestContext/serviceArn"]),
    // Batches whose records name their source.
    is(Foreign::Sqs, &[("/Records/0/eventSource", "aws:sqs")]),
    is(Foreign::Sns, &[("/Records/0/EventSource", "aws:sns")]),
    is(Foreign::Sns, &[("/Records/0/eventSource", "aws:sns")]),
    is(Foreign::S3, &[("/Records/0/eventSource", "aws:s3")]),
    is(
        Foreign::S3,
        &[("/Service", "Amazon S3"), ("/Event", "s3:TestEvent")],
    ),
    is(
        Foreign::DynamoDbStream,
        &[("/Records/0/eventSource", "aws:dynamodb")],
    ),
    is(
        Foreign::Kinesis,
        &[("/Records/0/eventSource", "aws:kinesis")],
    ),
    is(Foreign::Ses, &[("/Records/0/eventSource", "aws:ses")]),
    is(
        Foreign::CodeCommit,
        &[("/Records/0/eventSource", "aws:codecommit")],
    ),
    has(Foreign::CloudFront, &["/Records/0/cf"]),
    // Batches that name their source once.
    is(Foreign::Kafka, &[("/eventSource", "aws:kafka")]),
    is(Foreign::Kafka, &[("/eventSource", "SelfManagedKafka")]),
    is(Foreign::Mq, &[("/eventSource", "aws:mq")]),
    is(Foreign::Mq, &[("/eventSource", "aws:rmq")]),
    is(Foreign::DocumentDb, &[("/eventSource", "aws:docdb")]),
    has(Foreign::Firehose, &["/deliveryStreamArn", "/records"]),
    has(Foreign::CloudWatchLogs, &["/awslogs"]),
    // Rules, alarms and pipelines.
    has(Foreign::EventBridge, &["/detail-type", "/source"]),
    Mark {
        kind: Foreign::CloudWatchAlarm,
        has: &["/alarmArn"],
        is: &[("/source", "aws.cloudwatch")],
    },
    has(Foreign::CodePipeline, &["/CodePipeline.job"]),
    has(Foreign::Config, &["/configRuleName", "/resultToken"]),
    has(
        Foreign::CloudFormation,
        &["/RequestType", "/ResponseURL", "/StackId"],
    ),
    has(
        Foreign::SecretsManager,
        &["/SecretId", "/Step", "/ClientRequestToken"],
    ),
    // Storage.
    has(Foreign::S3Batch, &["/invocationSchemaVersion", "/tasks"]),
    has(Foreign::S3ObjectLambda, &["/getObjectContext"]),
    has(
        Foreign::S3ObjectLambda,
        &["/xAmzRequestId", "/userRequest", "/configuration"],
    ),
    has(
        Foreign::TransferFamily,
        &["/serverId", "/username", "/protocol"],
    ),
    has(
        Foreign::TransferFamily,
        &["/serviceMetadata/transferDetails"],
    ),
    // Identities.
    has(Foreign::CognitoTrigger, &["/triggerSource", "/userPoolId"]),
    has(Foreign::CognitoSync, &["/identityPoolId", "/datasetName"]),
    has(
        Foreign::AppSyncAuthorizer,
        &["/authorizationToken", "/requestContext/apiId"],
    ),
    // Resolvers, bots and assistants.
    has(Foreign::AppSync, &["/info/fieldName"]),
    has(Foreign::AppSync, &["/info/channelNamespace"]),
    has(Foreign::AppSync, &["/info/channel", "/info/operation"]),
    has(Foreign::BedrockAgent, &["/agent", "/actionGroup"]),
    has(Foreign::Lex, &["/bot", "/sessionState"]),
    has(Foreign::Lex, &["/bot", "/currentIntent"]),
    has(Foreign::Connect, &["/Details/ContactData"]),
    is(Foreign::Connect, &[("/Name", "ContactFlowEvent")]),
    has(Foreign::Alexa, &["/request/type", "/context/System"]),
    has(Foreign::Alexa, &["/request/type", "/session/application"]),
    has(Foreign::Alexa, &["/directive/header/namespace"]),
    // Things.
    has(Foreign::IoT, &["/clickType", "/serialNumber"]),
    has(Foreign::IoT, &["/deviceEvent", "/deviceInfo"]),
    has(Foreign::IoT, &["/protocolData", "/protocols"]),
    has(Foreign::IoT, &["/templateArn", "/claimCertificateId"]),
    has(Foreign::IoT, &["/templateArn", "/certificateId"]),
    // Plug-ins that keep functions warm.
    is(Foreign::Warmer, &[("/source", "serverless-plugin-warmup")]),
    has(Foreign::Warmer, &["/warmer"]),
    has(Foreign::Warmer, &["/warmup"]),
    // What functions answer with.
    has(Foreign::AuthorizerPolicy, &["/policyDocument"]),
    has(Foreign::Response, &["/statusCode"]),
];

/// Describes a value that is not an HTTP request.
pub fn of(event: &Value) -> Foreign {
    match event.as_object() {
        None => Foreign::NotAnObject,
        Some(members) if members.is_empty() => Foreign::Empty,
        Some(_) => MARKS
            .iter()
            .find(|mark| mark.fits(event))
            .map_or(Foreign::Unknown, |mark| mark.kind),
    }
}

impl Mark {
    fn fits(&self, event: &Value) -> bool {
        let has = |place: &&str| event.pointer(place).is_some();
        let is = |(place, text): &(&str, &str)| {
            event.pointer(place).and_then(Value::as_str) == Some(*text)
        };
        self.has.iter().all(has) && self.is.iter().all(is)
    }
}

impl Foreign {
    /// What to do about it.
    pub fn hint(self) -> &'static str {
        match self {
            Self::AuthorizerToken
            | Self::AuthorizerRequest
            | Self::AuthorizerPolicy
            | Self::AppSyncAuthorizer => "point the authorizer at a function of its own",
            Self::WebSocket => "this host serves request and response only, no WebSocket routes",
            Self::VpcLattice | Self::CloudFront => {
                "put a REST API, an HTTP API, a function URL or a load balancer in front"
            }
            Self::Sqs
            | Self::Sns
            | Self::S3
            | Self::DynamoDbStream
            | Self::Kinesis
            | Self::Kafka
            | Self::Mq
            | Self::DocumentDb
            | Self::CodeCommit => "remove the event source mapping or trigger",
            Self::EventBridge
            | Self::CloudWatchAlarm
            | Self::CloudWatchLogs
            | Self::CognitoSync
            | Self::CognitoTrigger
            | Self::Config
            | Self::IoT
            | Self::Ses => "remove the rule or trigger that sends it",
            Self::Alexa
            | Self::AppSync
            | Self::BedrockAgent
            | Self::CloudFormation
            | Self::CodePipeline
            | Self::Connect
            | Self::Firehose
            | Self::Lex
            | Self::S3Batch
            | Self::S3ObjectLambda
            | Self::SecretsManager
            | Self::TransferFamily => "let the service call a function of its own",
            Self::Warmer => "exclude the function from the plug-in, or warm it by an HTTP request",
            Self::Response => "pass the event that led to it",
            Self::Empty => "an HTTP event has at least a method, a path and `requestContext`",
            Self::NotAnObject => "an HTTP event is a JSON object",
            Self::Unknown => {
                "an HTTP event has `requestContext` with either `httpMethod` and `path` beside it, or `http` in it"
            }
        }
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Alexa => "an Alexa request",
            Self::AppSync => "an AppSync request",
            Self::AppSyncAuthorizer => "an AppSync authorizer call",
            Self::AuthorizerPolicy => "an authorizer's answer",
            Self::AuthorizerRequest => "a REQUEST authorizer call",
            Self::AuthorizerToken => "a TOKEN authorizer call",
            Self::BedrockAgent => "a call by a Bedrock agent",
            Self::CloudFormation => "a request for a CloudFormation custom resource",
            Self::CloudFront => "a CloudFront (Lambda@Edge) call",
            Self::CloudWatchAlarm => "a CloudWatch alarm",
            Self::CloudWatchLogs => "a CloudWatch Logs delivery",
            Self::CodeCommit => "a CodeCommit trigger",
            Self::CodePipeline => "a CodePipeline job",
            Self::CognitoSync => "a Cognito Sync trigger",
            Self::CognitoTrigger => "a Cognito trigger",
            Self::Config => "a call by an AWS Config rule",
            Self::Connect => "a call by an Amazon Connect flow",
            Self::DocumentDb => "a batch of a DocumentDB change stream",
            Self::DynamoDbStream => "a batch of a DynamoDB stream",
            Self::EventBridge => "an EventBridge event",
            Self::Firehose => "a batch of a Firehose stream",
            Self::IoT => "an AWS IoT call",
            Self::Kafka => "a batch of Kafka records",
            Self::Kinesis => "a batch of a Kinesis stream",
            Self::Lex => "a Lex request",
            Self::Mq => "a batch of Amazon MQ messages",
            Self::S3 => "an S3 notification",
            Self::S3Batch => "an S3 Batch Operations task",
            Self::S3ObjectLambda => "an S3 Object Lambda request",
            Self::SecretsManager => "a Secrets Manager rotation step",
            Self::Ses => "an SES message",
            Self::Sns => "an SNS notification",
            Self::Sqs => "a batch of SQS messages",
            Self::TransferFamily => "a Transfer Family request",
            Self::VpcLattice => "a VPC Lattice request",
            Self::Warmer => "a call by a warm-up plug-in",
            Self::WebSocket => "a WebSocket message",
            Self::Response => "a function's response",
            Self::Empty => "empty (a warm-up call)",
            Self::NotAnObject => "not a JSON object",
            Self::Unknown => "of an unknown kind",
        })
    }
}
