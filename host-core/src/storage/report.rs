//! What a backend tells the operator about one request. Nothing of it reaches the guest.

/// Texts kept in [`StorageReport::faults`].
const FAULTS_MAX: usize = 8;

/// What the store did for one request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StorageReport {
    /// Capacity units that the table charged, reads and writes together (AWS: `ConsumedCapacity`); 0 for local stores.
    pub capacity_units: f64,
    /// Answers that asked to slow down, including those after which a retry got through.
    pub throttles: u32,
    /// Requests to the store that repeated an earlier one.
    pub retries: u32,
    /// Why calls failed, in the store's own words: may name tables and addresses, never contents or credentials.
    pub faults: Vec<String>,
}

impl StorageReport {
    /// Notes why a call failed. The first few are kept: a guest that tries again and again does not fill the log.
    pub fn add_fault(&mut self, fault: impl Into<String>) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault.into());
        }
    }
}
