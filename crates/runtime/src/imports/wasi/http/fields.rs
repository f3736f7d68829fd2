//! Header fields.

use crate::imports::{
    RequestState,
    bindings::proxy::wasi::http::types::{HeaderError, HostFields},
    resources::http::{Field, Fields, bytes_of, is_forbidden},
};
use contract::{
    http::{field_value, is_field_value, is_token},
    outcome::Stop,
};
use std::sync::Arc;
use wasmtime::component::Resource;

/// The name as it is kept, if a guest may set it.
fn checked_name(mut name: String) -> Result<String, HeaderError> {
    if !is_token(&name) {
        return Err(HeaderError::InvalidSyntax);
    }
    name.make_ascii_lowercase();
    if is_forbidden(&name) {
        return Err(HeaderError::Forbidden);
    }
    Ok(name)
}

/// A field, if a guest may set it.
fn checked(name: &str, value: Vec<u8>) -> Result<Field, HeaderError> {
    if !is_field_value(&field_value(&value)) {
        return Err(HeaderError::InvalidSyntax);
    }
    Ok((name.to_owned(), value))
}

impl RequestState {
    /// Fields that are about to change.
    fn mutable_fields(
        &mut self,
        fields: &Resource<Fields>,
    ) -> wasmtime::Result<Result<&mut Vec<Field>, HeaderError>> {
        let fields = self.wasi.table.get_mut(fields)?;
        if !fields.is_mutable {
            return Ok(Err(HeaderError::Immutable));
        }
        if Arc::strong_count(&fields.fields) > 1 {
            self.meter.count_http_text(fields.bytes())?;
        }
        Ok(Ok(Arc::make_mut(&mut fields.fields)))
    }

    fn count_field(&mut self, (name, value): &Field) -> Result<(), Stop> {
        self.meter.count_http_text(bytes_of(name, value))
    }
}

impl HostFields for RequestState {
    fn new(&mut self) -> wasmtime::Result<Resource<Fields>> {
        self.meter.count_host_call()?;
        Ok(self.wasi.table.push(Fields {
            fields: Arc::default(),
            is_mutable: true,
        })?)
    }

    fn from_list(
        &mut self,
        entries: Vec<(String, Vec<u8>)>,
    ) -> wasmtime::Result<Result<Resource<Fields>, HeaderError>> {
        self.meter.count_host_call()?;
        let entries = entries
            .into_iter()
            .map(|(name, value)| checked(&checked_name(name)?, value));
        let fields = match entries.collect::<Result<Vec<_>, _>>() {
            Ok(fields) => fields,
            Err(error) => return Ok(Err(error)),
        };
        let fields = Fields {
            fields: Arc::new(fields),
            is_mutable: true,
        };
        self.meter.count_http_text(fields.bytes())?;
        Ok(Ok(self.wasi.table.push(fields)?))
    }

    fn get(&mut self, fields: Resource<Fields>, name: String) -> wasmtime::Result<Vec<Vec<u8>>> {
        self.meter.count_host_call()?;
        let fields = self.wasi.table.get(&fields)?;
        Ok(fields.values(&name).cloned().collect())
    }

    fn has(&mut self, fields: Resource<Fields>, name: String) -> wasmtime::Result<bool> {
        self.meter.count_host_call()?;
        let fields = self.wasi.table.get(&fields)?;
        Ok(fields.values(&name).next().is_some())
    }

    fn set(
        &mut self,
        fields: Resource<Fields>,
        name: String,
        values: Vec<Vec<u8>>,
    ) -> wasmtime::Result<Result<(), HeaderError>> {
        self.meter.count_host_call()?;
        let name = match checked_name(name) {
            Ok(name) => name,
            Err(error) => return Ok(Err(error)),
        };
        let new = values.into_iter().map(|value| checked(&name, value));
        let new = match new.collect::<Result<Vec<_>, _>>() {
            Ok(new) => new,
            Err(error) => return Ok(Err(error)),
        };
        for field in &new {
            self.count_field(field)?;
        }
        Ok(self.mutable_fields(&fields)?.map(|fields| {
            fields.retain(|(found, _)| *found != name);
            fields.extend(new);
        }))
    }

    fn delete(
        &mut self,
        fields: Resource<Fields>,
        name: String,
    ) -> wasmtime::Result<Result<(), HeaderError>> {
        self.meter.count_host_call()?;
        let name = match checked_name(name) {
            Ok(name) => name,
            Err(error) => return Ok(Err(error)),
        };
        let fields = self.mutable_fields(&fields)?;
        Ok(fields.map(|fields| fields.retain(|(found, _)| *found != name)))
    }

    fn append(
        &mut self,
        fields: Resource<Fields>,
        name: String,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), HeaderError>> {
        self.meter.count_host_call()?;
        let field = match checked_name(name).and_then(|name| checked(&name, value)) {
            Ok(field) => field,
            Err(error) => return Ok(Err(error)),
        };
        self.count_field(&field)?;
        Ok(self
            .mutable_fields(&fields)?
            .map(|fields| fields.push(field)))
    }

    fn entries(&mut self, fields: Resource<Fields>) -> wasmtime::Result<Vec<(String, Vec<u8>)>> {
        self.meter.count_host_call()?;
        Ok(self.wasi.table.get(&fields)?.fields.to_vec())
    }

    fn clone(&mut self, fields: Resource<Fields>) -> wasmtime::Result<Resource<Fields>> {
        self.meter.count_host_call()?;
        let fields = Fields {
            fields: self.wasi.table.get(&fields)?.fields.clone(),
            is_mutable: true,
        };
        Ok(self.wasi.table.push(fields)?)
    }

    fn drop(&mut self, fields: Resource<Fields>) -> wasmtime::Result<()> {
        self.wasi.table.delete(fields)?;
        Ok(())
    }
}
