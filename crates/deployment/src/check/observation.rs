//! Alarms watch what exists: a dimension names a resource of the type that its metric is about.

use super::{Template, elements, own_resources};
use crate::settings::Deployment;
use serde_json::Value;

/// Dimensions whose value is the name of a resource, with the types that it may have (AWS: CloudWatch metrics of each service).
const DIMENSIONS: [(&str, &[&str]); 4] = [
    (
        "FunctionName",
        &["AWS::Serverless::Function", "AWS::Lambda::Function"],
    ),
    (
        "function",
        &["AWS::Serverless::Function", "AWS::Lambda::Function"],
    ),
    ("TableName", &["AWS::DynamoDB::Table"]),
    (
        "ApiId",
        &["AWS::Serverless::HttpApi", "AWS::ApiGatewayV2::Api"],
    ),
];

pub fn findings(template: &Template<'_>, deployment: &Deployment) -> Vec<String> {
    let mut findings = Vec::new();
    let own = own_resources(deployment);
    let generated = template
        .resources("AWS::CloudWatch::Alarm")
        .filter(|(name, _)| !own.contains(name));
    for (name, alarm) in generated {
        let properties = &alarm["Properties"];
        let several = elements(&properties["Metrics"]).iter();
        let metrics = several.filter_map(|metric| metric.pointer("/MetricStat/Metric"));
        let metrics: Vec<_> = metrics.chain([properties]).collect();
        for dimension in metrics
            .iter()
            .flat_map(|metric| elements(&metric["Dimensions"]))
        {
            findings.extend(of_dimension(template, name, dimension));
        }
        if properties["TreatMissingData"].is_null() {
            findings.push(format!("alarm `{name}` does not say what no data means"));
        }
    }
    for (name, dashboard) in template.resources("AWS::CloudWatch::Dashboard") {
        let body = &dashboard["Properties"]["DashboardBody"]["Fn::Sub"];
        // Names in `${}` stand within strings.
        let is_json = body
            .as_str()
            .is_none_or(|body| json::check(body.as_bytes()).is_ok());
        if !is_json {
            findings.push(format!("the body of dashboard `{name}` is no JSON"));
        }
    }
    findings
}

fn of_dimension(template: &Template<'_>, alarm: &str, dimension: &Value) -> Option<String> {
    let name = dimension["Name"].as_str()?;
    let (_, types) = DIMENSIONS.iter().find(|(known, _)| *known == name)?;
    let target = dimension["Value"]["Ref"].as_str();
    let is_parameter = target.is_some_and(|target| {
        template
            .section("Parameters")
            .any(|(name, _)| name == target)
    });
    let kind = target.and_then(|target| template.type_of(target));
    match is_parameter || kind.is_some_and(|kind| types.contains(&kind)) {
        true => None,
        false => Some(format!(
            "alarm `{alarm}` watches `{name}` of what is no `{}` of this template",
            types[0]
        )),
    }
}
