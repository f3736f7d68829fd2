//! What an API has where it is deployed, which is also what it has on this machine unless other values are named.

use contract::limits::{Limits, MIB};
use std::time::Duration;

/// The limits of a host that `infra/template.yaml` deploys, whose parameters are narrower than what a host allows.
pub fn limits() -> Limits {
    Limits {
        request_body_bytes_max: MIB,
        request_duration_max: Duration::from_secs(12),
        ..Limits::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::limits::LIMITS;

    /// The default of the parameter that the template passes as this variable.
    fn default<'a>(template: &'a str, variable: &str) -> &'a str {
        let parameter = template
            .lines()
            .find_map(|line| line.trim().strip_prefix(&format!("{variable}: !Ref ")))
            .unwrap();
        let (_, parameter) = template.split_once(&format!("\n  {parameter}:\n")).unwrap();
        parameter
            .lines()
            .find_map(|line| line.strip_prefix("    Default: "))
            .unwrap()
    }

    #[test]
    fn they_are_those_of_the_template() {
        let template = include_str!("../../infra/template.yaml");
        let set: Vec<_> = LIMITS
            .iter()
            .filter_map(|limit| Some((limit, limit.variable()?)))
            .collect();
        assert!(set.len() > 3);
        for (limit, variable) in set {
            let here = (limit.get)(&limits()).to_string();
            assert_eq!(here, default(template, &variable), "{variable}");
        }
        assert_eq!(default(template, "TENON_LOG_LEVEL"), "info");
    }
}
