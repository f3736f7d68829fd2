//! Quotas of AWS that a template can break.

/// Resources of a REST API: segments of paths (AWS: API Gateway quotas, "Resources per API").
pub const REST_RESOURCES_MAX: usize = 300;
/// Routes of an HTTP API (AWS: API Gateway quotas, "Routes per API").
pub const HTTP_ROUTES_MAX: usize = 300;
/// Names and values of a function's variables together (AWS: Lambda quotas, "Environment variables").
pub const VARIABLES_BYTES_MAX: usize = 4096;
/// What the variables have that no project chooses: names, limits, keys and addresses.
pub const VARIABLES_BYTES_RESERVED: usize = 1400;
/// The body of a template that lies in S3 (AWS: CloudFormation quotas, "Template body size").
pub const TEMPLATE_BYTES_MAX: usize = 1 << 20;
/// Parameters of a template (AWS: CloudFormation quotas).
pub const PARAMETERS_MAX: usize = 200;
/// Resources of a template (AWS: CloudFormation quotas).
pub const RESOURCES_MAX: usize = 500;
/// Outputs of a template (AWS: CloudFormation quotas).
pub const OUTPUTS_MAX: usize = 200;
