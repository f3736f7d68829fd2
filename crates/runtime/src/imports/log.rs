//! `tenon:handler/log`.

use crate::{
    bindings::tenon::handler::log::{Attribute, Host, Level},
    runtime::State,
};
use contract::log::LogLevel;

impl Host for State {
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
