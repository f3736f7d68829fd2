//! X-Ray's trace header (AWS: "X-Ray concepts", tracing header): `Root=1-...;Parent=...;Sampled=1`.

/// Longer headers are ignored.
const HEADER_BYTES_MAX: usize = 512;

/// A trace that an invocation belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    header: String,
    root: String,
}

impl Trace {
    /// Reads a header; an invalid one gives no trace.
    pub fn parse(header: &str) -> Option<Self> {
        let is_plain = header.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_plain || header.len() > HEADER_BYTES_MAX {
            return None;
        }
        let root = header
            .split(';')
            .find_map(|part| part.strip_prefix("Root="))
            .filter(|root| !root.is_empty())?;
        Some(Self {
            root: root.to_owned(),
            header: header.to_owned(),
        })
    }

    /// The trace's id, as logs name it.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// The header as received, for calls that continue the trace.
    pub fn header(&self) -> &str {
        &self.header
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_known_by_its_root() {
        let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:0";
        let trace = Trace::parse(header).unwrap();
        assert_eq!(trace.root(), "1-5759e988-bd862e3fe1be46a994272793");
        assert_eq!(trace.header(), header);
    }

    #[test]
    fn what_is_not_a_trace_header_is_not_carried_on() {
        let long = format!("Root={}", "1".repeat(HEADER_BYTES_MAX));
        for header in ["", "Sampled=0", "Root=", "Root=1\r\nx: y", "Root=é", &long] {
            assert_eq!(Trace::parse(header), None, "{header}");
        }
    }
}
