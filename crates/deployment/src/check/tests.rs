//! Every deployment's own template passes, and planted mistakes are found.

use super::*;
use crate::{
    ApiKind, Authorizer, OwnResources, Storage,
    examples::{self, deployment},
};

#[test]
fn generated_templates_have_no_findings() {
    for (name, deployment) in examples::variants() {
        let template = deployment
            .template()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(check(&template, &deployment), [""; 0], "{name}");
    }
}

/// What a change of the template of the usual example leads to.
fn findings(from: &str, to: &str) -> Vec<String> {
    let deployment = deployment();
    let template = deployment.template().unwrap();
    assert_eq!(template.matches(from).count(), 1, "{from}");
    check(&template.replace(from, to), &deployment)
}

#[test]
fn planted_mistakes_are_found() {
    for (from, to, expected) in [
        (
            "TENON_TABLE: !Ref Table",
            "TENON_TABLE: !Ref ItemsTable",
            "`Resources.Host` refers to `ItemsTable`, which is neither a parameter nor a resource",
        ),
        (
            "TENON_LOG_LEVEL: !Ref LogLevel",
            "TENON_LOG_LEVEL: info",
            "parameter `LogLevel` is used nowhere",
        ),
        (
            "ManagedPolicyArns: !If [HasOutgoingPolicy,",
            "ManagedPolicyArns: !If [HasPolicy,",
            "`Resources.HostRole` refers to condition `HasPolicy`, which does not exist",
        ),
        (
            "                  - dynamodb:BatchGetItem",
            "                  - dynamodb:*",
            "role `HostRole`, `Documents`: `dynamodb:*` allows more than one action",
        ),
        (
            "Resource: !GetAtt HostLogs.Arn",
            "Resource: \"*\"",
            "role `HostRole`, `WriteLogs`: it is allowed on every resource",
        ),
        (
            "Action: [logs:CreateLogStream, logs:PutLogEvents]",
            "Action: [sqs:SendMessage]",
            "role `HostRole` may not use `logs`, which the guest needs",
        ),
        (
            "Timeout: 14",
            "Timeout: 15",
            "the gateway waits 15000 ms: more than the function's 15000 and at most 29000 would do",
        ),
        (
            "Timeout: 14",
            "Timeout: 13",
            "parameter `RequestDurationMs` does not end below the function's timeout of 13000 ms",
        ),
        (
            "\"start\": \"-PT3H\",",
            "\"start\": \"-PT3H\"",
            "the body of dashboard `Dashboard` is no JSON",
        ),
    ] {
        let found = findings(from, to);
        assert!(
            found.iter().any(|finding| finding == expected),
            "{found:#?}"
        );
    }
}

#[test]
fn an_alarm_on_something_else_is_found() {
    let deployment = deployment();
    let template = deployment.template().unwrap();
    let wrong = template.replace(
        "{Name: TableName, Value: !Ref Table}",
        "{Name: TableName, Value: !Ref Host}",
    );
    let found = check(&wrong, &deployment);
    assert!(
        found.contains(&"alarm `TableThrottlesAlarm` watches `TableName` of what is no `AWS::DynamoDB::Table` of this template".to_owned()),
        "{found:#?}"
    );
}

#[test]
fn a_template_of_other_settings_is_found() {
    let with_table = deployment();
    let without = Deployment {
        storage: Storage::None,
        ..deployment()
    };
    let found = check(&with_table.template().unwrap(), &without);
    assert!(
        found.contains(
            &"role `HostRole` may use `dynamodb`, but the guest stores nothing".to_owned()
        ),
        "{found:#?}"
    );
    let url = Deployment {
        api: ApiKind::FunctionUrl,
        authorizer: Authorizer::Iam,
        open: [].into(),
        ..deployment()
    };
    let found = check(&url.template().unwrap(), &deployment());
    assert!(
        found.contains(&"`HostUrl` leads past the API".to_owned()),
        "{found:#?}"
    );
}

#[test]
fn roles_of_the_project_itself_are_its_own_affair() {
    let text = "Resources:\n  Worker:\n    Type: AWS::IAM::Role\n    Properties:\n      Policies: [{PolicyDocument: {Statement: [{Action: \"sqs:*\", Resource: \"*\"}]}}]\n";
    let deployment = Deployment {
        own: Some(OwnResources::read("own.yaml", text).unwrap()),
        ..deployment()
    };
    assert_eq!(check(&deployment.template().unwrap(), &deployment), [""; 0]);
}

/// A name in another section does not make a generated role the project's own.
#[test]
fn other_names_of_the_project_do_not_hide_roles() {
    let text = "Mappings:\n  HostRole:\n    A: {b: c}\n";
    let deployment = Deployment {
        own: Some(OwnResources::read("own.yaml", text).unwrap()),
        ..deployment()
    };
    let template = deployment.template().unwrap();
    let wrong = template.replace("- dynamodb:BatchGetItem", "- dynamodb:*");
    let found = check(&wrong, &deployment);
    assert!(
        found.iter().any(|finding| finding.contains("dynamodb:*")),
        "{found:#?}"
    );
}

#[test]
fn other_apis_and_alarms_are_the_projects_own() {
    let text = "Resources:\n  Hook:\n    Type: AWS::Serverless::HttpApi\n    Properties: {DefinitionBody: {paths: {/: {get: {x-amazon-apigateway-integration: {timeoutInMillis: 500}}}}}}\n  HookAlarm:\n    Type: AWS::CloudWatch::Alarm\n    Properties: {Dimensions: [{Name: FunctionName, Value: other}]}\n";
    let deployment = Deployment {
        own: Some(OwnResources::read("own.yaml", text).unwrap()),
        ..deployment()
    };
    assert_eq!(check(&deployment.template().unwrap(), &deployment), [""; 0]);
}
