//! Compares alarms and dashboard with the existing metrics: a misspelt metric never raises an alarm and shows nothing.

use crate::infra::{
    requirements::Requirements,
    template::{Template, elements, plain, text},
};
use anyhow::Context;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A namespace, metrics in it, and the sets of dimensions of each.
type Published = (
    &'static str,
    &'static [&'static str],
    &'static [&'static [&'static str]],
);

/// What AWS publishes (AWS: CloudWatch metrics of API Gateway, of Lambda, of DynamoDB).
const PUBLISHED: [Published; 5] = [
    (
        "AWS/ApiGateway",
        &[
            "4XXError",
            "5XXError",
            "Count",
            "IntegrationLatency",
            "Latency",
        ],
        &[&["ApiName", "Stage"]],
    ),
    (
        "AWS/Lambda",
        &[
            "ConcurrentExecutions",
            "Duration",
            "Errors",
            "Invocations",
            "Throttles",
        ],
        &[&["FunctionName", "Resource"]],
    ),
    (
        "AWS/DynamoDB",
        &["ReadThrottleEvents", "WriteThrottleEvents"],
        &[&["TableName"], &["GlobalSecondaryIndexName", "TableName"]],
    ),
    (
        "AWS/DynamoDB",
        &["ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"],
        &[&["TableName"], &["GlobalSecondaryIndexName", "TableName"]],
    ),
    (
        "AWS/DynamoDB",
        &["SystemErrors"],
        &[&["Operation", "TableName"]],
    ),
];

/// One metric as an alarm or a widget names it.
struct Series {
    place: String,
    namespace: String,
    name: String,
    dimensions: BTreeMap<String, String>,
}

/// Checks that alarms watch existing metrics, and the table's errors of every operation that the host calls.
pub fn alarms(template: &Template, requirements: &Requirements) -> anyhow::Result<Vec<String>> {
    let watched = watched(template);
    let mut complaints = unknown(template, requirements, &watched)?;
    for (name, alarm) in template.resources("AWS::CloudWatch::Alarm") {
        complaints.extend(expression(&name, &alarm["Metrics"]));
    }
    let operations: BTreeSet<_> = watched
        .iter()
        .filter(|series| series.name == "SystemErrors")
        .filter_map(|series| series.dimensions.get("Operation").cloned())
        .collect();
    complaints.extend(super::unmatched(
        &operations,
        &requirements.texts("/operations")?,
        "is watched for system errors, but the host does not call it",
        "is called by the host, but not watched for system errors",
    ));
    Ok(complaints)
}

/// Checks that an alarm with an expression uses exactly its own series in it (AWS: metric math). Series summed by `METRICS()` need no
/// names.
fn expression(alarm: &str, metrics: &Value) -> Vec<String> {
    let mut complaints = Vec::new();
    let Some(expression) = elements(metrics).find_map(|metric| metric.get("Expression").map(text))
    else {
        return complaints;
    };
    let returned = elements(metrics).filter(|metric| is_true(&metric["ReturnData"]));
    if returned.count() != 1 {
        complaints.push(format!(
            "alarm `{alarm}` does not return exactly one series"
        ));
    }
    if expression.contains("METRICS()") {
        return complaints;
    }
    // One of one is 100 %: a rate over few requests is meaningless.
    if expression.contains('/') && !expression.starts_with("IF(requests >= ") {
        complaints.push(format!(
            "alarm `{alarm}` divides by requests without a least number of them"
        ));
    }
    let named: BTreeSet<String> = expression
        .split(|character: char| !character.is_ascii_alphanumeric() && character != '_')
        // Functions are upper-case; series begin with a lower-case letter.
        .filter(|word| word.starts_with(|first: char| first.is_ascii_lowercase()))
        .map(str::to_owned)
        .collect();
    let series = elements(metrics)
        .filter(|metric| metric.get("MetricStat").is_some())
        .map(|metric| plain(&metric["Id"]))
        .collect();
    complaints.extend(super::unmatched(
        &named,
        &series,
        &format!("is in the expression of alarm `{alarm}`, which has no such series"),
        &format!("is a series of alarm `{alarm}`, which its expression does not use"),
    ));
    complaints
}

fn is_true(value: &Value) -> bool {
    *value == Value::Bool(true) || *value == "true"
}

/// Checks that the dashboard is JSON, and shows existing metrics and logs.
pub fn dashboard(template: &Template, requirements: &Requirements) -> anyhow::Result<Vec<String>> {
    let drawn = drawn(template)?;
    let mut complaints = unknown(template, requirements, &drawn)?;
    let (_, dashboard) = template.resource("AWS::CloudWatch::Dashboard")?;
    let body: Value = serde_json::from_str(text(&dashboard["DashboardBody"]))?;
    let groups = template.resources("AWS::Logs::LogGroup");
    for widget in elements(&body["widgets"]) {
        let properties = &widget["properties"];
        let title = plain(&properties["title"]);
        match text(&widget["type"]) {
            "metric" => {
                for metric in elements(&properties["metrics"]) {
                    let own = elements(metric).last().map(|last| &last["stat"]);
                    if !properties["stat"].is_string() && !own.is_some_and(Value::is_string) {
                        complaints.push(format!(
                            "widget `{title}` draws a metric without a statistic"
                        ));
                    }
                }
            }
            "log" => {
                let source = text(&properties["query"])
                    .split('\'')
                    .nth(1)
                    .unwrap_or_default();
                if !groups.contains_key(source) {
                    complaints.push(format!(
                        "widget `{title}` reads `{source}`, which is no log group"
                    ));
                }
            }
            other => complaints.push(format!("widget `{title}` is of type `{other}`")),
        }
    }
    Ok(complaints)
}

/// Checks that every emitted metric, which costs money, is shown.
pub fn all_are_shown(
    template: &Template,
    requirements: &Requirements,
) -> anyhow::Result<Vec<String>> {
    let mut shown: BTreeSet<String> = drawn(template)?
        .into_iter()
        .map(|series| series.name)
        .collect();
    shown.extend(watched(template).into_iter().map(|series| series.name));
    Ok(requirements
        .texts("/metrics/names")?
        .difference(&shown)
        .map(|name| format!("metric `{name}` is in no alarm and not on the dashboard"))
        .collect())
}

/// The series that nobody publishes.
fn unknown(
    template: &Template,
    requirements: &Requirements,
    series: &[Series],
) -> anyhow::Result<Vec<String>> {
    let names = Names::of(template)?;
    let own = requirements.texts("/metrics/names")?;
    let own_dimension = requirements.text("/metrics/dimension")?;
    let mut complaints = Vec::new();
    for Series {
        place,
        namespace,
        name,
        dimensions,
    } in series
    {
        let found: Vec<&str> = dimensions.keys().map(String::as_str).collect();
        let is_published = if *namespace == names.own_namespace {
            own.contains(name) && found == [own_dimension]
        } else {
            PUBLISHED.iter().any(|(published, metrics, keys)| {
                published == namespace
                    && metrics.contains(&name.as_str())
                    && keys.contains(&found.as_slice())
            })
        };
        if !is_published {
            complaints.push(format!(
                "{place} names `{namespace}` `{name}` by {found:?}, which nobody publishes"
            ));
        }
        for (dimension, value) in dimensions {
            if !names.has(dimension, value, own_dimension) {
                complaints.push(format!(
                    "{place} names {dimension} `{value}`, which this stack does not have"
                ));
            }
        }
    }
    Ok(complaints)
}

/// What dimensions may refer to.
struct Names {
    api: String,
    stage: String,
    function: String,
    table: String,
    indexes: BTreeSet<String>,
    own_namespace: String,
}

impl Names {
    fn of(template: &Template) -> anyhow::Result<Self> {
        let (_, api) = template.resource("AWS::ApiGateway::RestApi")?;
        let (_, stage) = template.resource("AWS::ApiGateway::Stage")?;
        let (function, properties) = template.resource("AWS::Lambda::Function")?;
        let (table, schema) = template.resource("AWS::DynamoDB::Table")?;
        anyhow::ensure!(
            api["Name"] == api["Body"]["info"]["title"],
            "the API is named `{}`, its document `{}`: metrics go by one of them",
            plain(&api["Name"]),
            plain(&api["Body"]["info"]["title"])
        );
        Ok(Self {
            api: plain(&api["Name"]),
            stage: plain(&stage["StageName"]),
            function,
            table,
            indexes: elements(&schema["GlobalSecondaryIndexes"])
                .map(|index| plain(&index["IndexName"]))
                .collect(),
            own_namespace: plain(
                &properties["Environment"]["Variables"]["TENON_METRICS_NAMESPACE"],
            ),
        })
    }

    fn has(&self, dimension: &str, value: &str, own_dimension: &str) -> bool {
        match dimension {
            "ApiName" => value == self.api,
            "Stage" => value == self.stage,
            "FunctionName" => value == self.function,
            "Resource" => value == format!("{}:live", self.function),
            "TableName" => value == self.table,
            "GlobalSecondaryIndexName" => self.indexes.contains(value),
            "Operation" => true, // compared with the code by `alarms`
            other => other == own_dimension && value == self.function,
        }
    }
}

fn watched(template: &Template) -> Vec<Series> {
    let mut watched = Vec::new();
    for (name, alarm) in template.resources("AWS::CloudWatch::Alarm") {
        let single = alarm.get("MetricName").map(|_| &alarm);
        let several =
            elements(&alarm["Metrics"]).filter_map(|metric| metric["MetricStat"].get("Metric"));
        for metric in single.into_iter().chain(several) {
            watched.push(Series {
                place: format!("alarm `{name}`"),
                namespace: plain(&metric["Namespace"]),
                name: plain(&metric["MetricName"]),
                dimensions: elements(&metric["Dimensions"])
                    .map(|dimension| (plain(&dimension["Name"]), plain(&dimension["Value"])))
                    .collect(),
            });
        }
    }
    watched
}

/// A widget's metric is a list: namespace, name, dimensions in pairs, and options.
fn drawn(template: &Template) -> anyhow::Result<Vec<Series>> {
    let (_, dashboard) = template.resource("AWS::CloudWatch::Dashboard")?;
    let body: Value = serde_json::from_str(text(&dashboard["DashboardBody"]))
        .context("the dashboard is not JSON")?;
    let mut drawn = Vec::new();
    for widget in elements(&body["widgets"]) {
        for metric in elements(&widget["properties"]["metrics"]) {
            let words: Vec<_> = elements(metric)
                .filter(|word| word.is_string())
                .map(plain)
                .collect();
            let [namespace, name, dimensions @ ..] = words.as_slice() else {
                anyhow::bail!(
                    "widget `{}` draws a metric without a name",
                    plain(&widget["properties"]["title"])
                );
            };
            drawn.push(Series {
                place: format!("widget `{}`", plain(&widget["properties"]["title"])),
                namespace: namespace.clone(),
                name: name.clone(),
                dimensions: dimensions
                    .chunks(2)
                    .map(|pair| (pair[0].clone(), pair.get(1).cloned().unwrap_or_default()))
                    .collect(),
            });
        }
    }
    anyhow::ensure!(!drawn.is_empty(), "the dashboard draws nothing");
    Ok(drawn)
}
