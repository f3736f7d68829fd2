//! Handles of `cas`, which live as long as a request.

use crate::{
    bytes, shown,
    wasi::keyvalue0_2_0_draft2::{
        atomics::{Cas, CasError, swap},
        store::{self, Error},
    },
};

/// Handles in the order in which they were made.
#[derive(Default)]
pub struct Handles(Vec<Cas>);

impl Handles {
    /// `new KEY`, `current`, `swap VALUE` and `drop`, the last three on the handle made last; `many KEY COUNT` keeps so many.
    pub fn run(&mut self, arguments: &[&str]) -> String {
        self.perform(arguments).unwrap_or_else(|error| match error {
            Error::Other(text) => format!("error: {text}"),
            error => format!("{error:?}"),
        })
    }

    fn perform(&mut self, arguments: &[&str]) -> Result<String, Error> {
        let bucket = store::open("default")?;
        Ok(match arguments {
            ["new", key] => {
                self.0.push(Cas::new(&bucket, key)?);
                "a handle".to_owned()
            }
            ["many", key, count] => {
                for _ in 0..count.parse().unwrap() {
                    self.0.push(Cas::new(&bucket, key)?);
                }
                "handles".to_owned()
            }
            ["current"] => shown(self.0.last().unwrap().current()?),
            ["swap", value] => match swap(self.0.pop().unwrap(), &bytes(value)) {
                Ok(()) => "swapped".to_owned(),
                Err(CasError::StoreError(error)) => return Err(error),
                Err(CasError::CasFailed(newer)) => {
                    let text = format!("failed: {}", shown(newer.current()?));
                    self.0.push(newer);
                    text
                }
            },
            ["drop"] => {
                self.0.clear();
                "dropped".to_owned()
            }
            _ => "no operation".to_owned(),
        })
    }
}
