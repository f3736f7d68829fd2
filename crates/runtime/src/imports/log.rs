//! `tenon:handler/log`.

mod lines;

pub(super) use lines::Logs;

use super::{
    RequestState,
    bindings::tenon::handler::log::{Attribute, Host, Level},
};
use contract::log::LogLevel;

impl Host for RequestState {
    fn write(
        &mut self,
        level: Level,
        message: String,
        attributes: Vec<Attribute>,
    ) -> wasmtime::Result<()> {
        self.meter.count_host_call()?;
        let attributes = attributes
            .into_iter()
            .map(|attribute| (attribute.key, attribute.value));
        self.log(convert(level), message, attributes);
        Ok(())
    }
}

fn convert(level: Level) -> LogLevel {
    match level {
        Level::Debug => LogLevel::Debug,
        Level::Info => LogLevel::Info,
        Level::Warn => LogLevel::Warn,
        Level::Error => LogLevel::Error,
    }
}
