//! What a host uses with its own credentials, and signs for no guest.

use crate::service as aws_service;
use contract::origin::Origin;
use outgoing::AwsScope;

/// What a host uses with the same credentials, and signs for no guest: whatever its role may do there, a guest could do.
#[derive(Clone, Debug, Default)]
pub struct OwnServices {
    /// Names of services in signatures.
    pub services: &'static [&'static str],
    /// A bucket of S3. If there is one, requests to S3 have to name theirs in the host, where it cannot be written in two ways, and may not
    /// name a second one.
    pub bucket: Option<String>,
}

/// Where buckets are, after `BUCKET.s3` and before the region (AWS: Amazon S3 endpoints and quotas).
const S3_VARIANTS: [&str; 4] = [".s3", ".s3.dualstack", ".s3-fips", ".s3-fips.dualstack"];

/// Names that stand for a bucket and are none: aliases of access points, and of those that run a function (AWS: general purpose bucket naming
/// rules). The bucket behind one can be the host's.
const ALIASES: [&str; 4] = ["-s3alias", "--ol-s3", "--xa-s3", ".mrap"];

/// Lets S3 read from another bucket than the one in the host, with the same role: `x-amz-copy-source`, `x-amz-copy-source-range` and others.
const COPY_SOURCE: &str = "x-amz-copy-source";

impl OwnServices {
    /// Why a request with these headers is not signed.
    pub(crate) fn refusal(
        &self,
        scope: &AwsScope,
        origin: &Origin,
        headers: &[(String, String)],
    ) -> Option<String> {
        let service = &*scope.service;
        if self.services.contains(&service) {
            return Some(format!(
                "this host signs no requests to `{service}` for guests, because it uses that service itself"
            ));
        }
        let own = self.bucket.as_deref()?;
        if !service.starts_with("s3") {
            return None;
        }
        let host = origin.host.to_string();
        let region = &scope.region;
        let Some(bucket) = bucket(service, region, &host) else {
            return Some(format!(
                "this host uses S3 itself, and signs requests for guests only to buckets whose name is in the host, as in `BUCKET.s3.{region}.amazonaws.com`, not to `{host}`"
            ));
        };
        if bucket == own {
            return Some("this host signs no requests to its own bucket for guests".to_owned());
        }
        let names_source = headers.iter().any(|(name, _)| {
            let start = name.get(..COPY_SOURCE.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(COPY_SOURCE))
        });
        names_source.then(|| {
            format!(
                "this host uses S3 itself, and signs no requests with `{COPY_SOURCE}` for guests"
            )
        })
    }
}

/// The bucket that a host name begins with. Services beside S3 (`s3-object-lambda`, `s3-outposts`, `s3express`) have other hosts, and lead to
/// buckets that these do not name.
fn bucket<'h>(service: &str, region: &str, host: &'h str) -> Option<&'h str> {
    if service != "s3" {
        return None;
    }
    let domain = aws_service::domain(region);
    let mut suffixes = S3_VARIANTS
        .iter()
        .map(|variant| format!("{variant}.{region}.{domain}"));
    let bucket = suffixes.find_map(|suffix| host.strip_suffix(&*suffix))?;
    let is_alias = ALIASES.iter().any(|alias| bucket.ends_with(alias));
    (!bucket.is_empty() && !is_alias).then_some(bucket)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "own.s3.artifacts";

    fn refusal_of(service: &str, url: &str, header: Option<&str>) -> Option<String> {
        refusal_in("eu-central-1", service, url, header)
    }

    fn refusal_in(region: &str, service: &str, url: &str, header: Option<&str>) -> Option<String> {
        let own = OwnServices {
            services: &["dynamodb", "kms"],
            bucket: Some(OWN.to_owned()),
        };
        let scope = AwsScope {
            service: service.to_owned(),
            region: region.to_owned(),
        };
        let (origin, _) = Origin::split(url).unwrap();
        let headers = header.map(|name| (name.to_owned(), "/own/key".to_owned()));
        own.refusal(&scope, &origin, headers.as_slice())
    }

    #[test]
    fn buckets_of_others_are_named_in_the_host() {
        for host in [
            "guest.s3.eu-central-1.amazonaws.com",
            "a.b.s3.eu-central-1.amazonaws.com",
            "guest.s3.dualstack.eu-central-1.amazonaws.com",
            "guest.s3-fips.eu-central-1.amazonaws.com",
            "guest.s3-fips.dualstack.eu-central-1.amazonaws.com",
            "own.s3.eu-central-1.amazonaws.com",
            "x.own.s3.artifacts.s3.eu-central-1.amazonaws.com",
        ] {
            let url = format!("https://{host}/key");
            assert_eq!(refusal_of("s3", &url, None), None, "{host}");
            assert_eq!(refusal_of("s3", &url, Some("x-amz-meta-a")), None);
        }
        // Each partition has its domain.
        let chinese = "https://guest.s3.cn-north-1.amazonaws.com.cn/key";
        assert_eq!(refusal_in("cn-north-1", "s3", chinese, None), None);
        for (region, url) in [
            (
                "cn-north-1",
                "https://guest.s3.cn-north-1.amazonaws.com/key",
            ),
            (
                "eu-central-1",
                "https://guest.s3.eu-central-1.amazonaws.com.cn/key",
            ),
        ] {
            assert!(refusal_in(region, "s3", url, None).is_some(), "{url}");
        }
    }

    #[test]
    fn whatever_can_lead_to_the_own_bucket_is_refused() {
        for (service, url) in [
            // Its own name, which contains the name of the service.
            (
                "s3",
                "https://own.s3.artifacts.s3.eu-central-1.amazonaws.com/k",
            ),
            (
                "s3",
                "https://OWN.s3.artifacts.s3.eu-central-1.amazonaws.com/k",
            ),
            (
                "s3",
                "https://own.s3.artifacts.s3.dualstack.eu-central-1.amazonaws.com/k",
            ),
            (
                "s3",
                "https://own.s3.artifacts.s3-fips.eu-central-1.amazonaws.com/k",
            ),
            // In the path.
            (
                "s3",
                "https://s3.eu-central-1.amazonaws.com/own.s3.artifacts/k",
            ),
            (
                "s3",
                "https://s3.eu-central-1.amazonaws.com/%6fwn.s3.artifacts/k",
            ),
            (
                "s3",
                "https://s3.dualstack.eu-central-1.amazonaws.com/own.s3.artifacts/k",
            ),
            // Access points, and names that stand for them.
            (
                "s3",
                "https://ap-123456789012.s3-accesspoint.eu-central-1.amazonaws.com/k",
            ),
            (
                "s3",
                "https://ap-123456789012.s3-accesspoint.dualstack.eu-central-1.amazonaws.com/k",
            ),
            ("s3", "https://m.accesspoint.s3-global.amazonaws.com/k"),
            (
                "s3",
                "https://ap-abc123-s3alias.s3.eu-central-1.amazonaws.com/k",
            ),
            (
                "s3",
                "https://ap-abc123--ol-s3.s3.eu-central-1.amazonaws.com/k",
            ),
            (
                "s3-object-lambda",
                "https://ap-1.s3-object-lambda.eu-central-1.amazonaws.com/k",
            ),
            (
                "s3express",
                "https://b--x-s3.s3express-euc1-az1.eu-central-1.amazonaws.com/k",
            ),
            // Private endpoints.
            (
                "s3",
                "https://bucket.vpce-1a2b.s3.eu-central-1.vpce.amazonaws.com/own.s3.artifacts/k",
            ),
            (
                "s3",
                "https://own.s3.artifacts.bucket.vpce-1a2b.s3.eu-central-1.vpce.amazonaws.com/k",
            ),
            (
                "s3",
                "https://accesspoint.vpce-1a2b.s3.eu-central-1.vpce.amazonaws.com/k",
            ),
            // Another interface of S3, another region, none, and other servers.
            (
                "s3",
                "https://123456789012.s3-control.eu-central-1.amazonaws.com/k",
            ),
            ("s3", "https://guest.s3.eu-west-1.amazonaws.com/k"),
            ("s3", "https://guest.s3.amazonaws.com/k"),
            ("s3", "https://guest.s3-eu-central-1.amazonaws.com/k"),
            (
                "s3",
                "https://guest.s3.eu-central-1.amazonaws.com.example/k",
            ),
            ("s3", "http://127.0.0.1:4566/guest/k"),
        ] {
            assert!(refusal_of(service, url, None).is_some(), "{service} {url}");
        }
    }

    #[test]
    fn nothing_is_copied_out_of_another_bucket() {
        let url = "https://guest.s3.eu-central-1.amazonaws.com/k";
        for header in [
            "x-amz-copy-source",
            "X-Amz-Copy-Source",
            "x-amz-copy-source-range",
            "x-amz-copy-source-if-match",
        ] {
            let words = refusal_of("s3", url, Some(header)).unwrap();
            assert!(words.contains("x-amz-copy-source"), "{words}");
        }
    }

    #[test]
    fn messages_name_what_is_refused() {
        let words = refusal_of("kms", "https://kms.eu-central-1.amazonaws.com/", None);
        assert!(words.unwrap().contains("`kms`"));
        let words = refusal_of("s3", "https://s3.eu-central-1.amazonaws.com/planted", None);
        let words = words.unwrap();
        assert!(words.contains("`s3.eu-central-1.amazonaws.com`"), "{words}");
        assert!(!words.contains("planted"), "{words}");
        // No other service is concerned.
        let sqs = "https://sqs.eu-central-1.amazonaws.com/";
        assert_eq!(refusal_of("sqs", sqs, Some("x-amz-copy-source")), None);
    }

    #[test]
    fn without_an_own_bucket_all_of_s3_is_signed() {
        let scope = AwsScope {
            service: "s3".to_owned(),
            region: "eu-central-1".to_owned(),
        };
        let (origin, _) = Origin::split("https://s3.eu-central-1.amazonaws.com/b/k").unwrap();
        let header = [("x-amz-copy-source".to_owned(), "/a/k".to_owned())];
        assert_eq!(
            OwnServices::default().refusal(&scope, &origin, &header),
            None
        );
    }
}
