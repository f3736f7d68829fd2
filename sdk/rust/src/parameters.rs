//! Reads texts by name, as paths and queries have them, into types that serde describes.

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
};
use core::{fmt, str::FromStr};
use serde::{
    de::{
        self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
        VariantAccess, Visitor, value::StrDeserializer,
    },
    forward_to_deserialize_any,
};

/// A parameter that does not fit its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ParameterError {
    /// Its name, once it is known.
    name: Option<String>,
    detail: String,
    /// Whether the names or the number of the parameters do not fit, whatever their values are.
    is_of_shape: bool,
}

impl ParameterError {
    fn of_shape(detail: impl fmt::Display) -> Self {
        Self {
            is_of_shape: true,
            ..<Self as de::Error>::custom(detail)
        }
    }

    /// Whether the names or the number of the parameters do not fit: in a path, which its pattern names, that is a mistake in the program.
    pub(crate) fn is_of_shape(&self) -> bool {
        self.is_of_shape
    }

    fn of(name: &str, error: Self) -> Self {
        Self {
            name: error.name.or_else(|| Some(name.to_owned())),
            ..error
        }
    }
}

impl fmt::Display for ParameterError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(formatter, "parameter `{name}`: {}", self.detail),
            None => formatter.write_str(&self.detail),
        }
    }
}

impl core::error::Error for ParameterError {}

impl de::Error for ParameterError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self {
            name: None,
            detail: message.to_string(),
            is_of_shape: false,
        }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::of_shape(format_args!("parameter `{field}` is missing"))
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        let known = known.join("`, `");
        Self::of_shape(format_args!(
            "there is no parameter `{field}`; there are `{known}`"
        ))
    }

    /// A value is a text, whatever it says.
    fn invalid_type(unexpected: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::of_shape(format_args!(
            "invalid type: {unexpected}, expected {expected}"
        ))
    }
}

/// Parameters in order. Those of one name are together.
pub(crate) struct Parameters<'a, S> {
    pairs: &'a [(S, String)],
    /// Names that are left out of a struct unless it has a field for them. A type that does not name its fields gets them all.
    optional_names: &'static [&'static str],
}

impl<'a, S: AsRef<str>> Parameters<'a, S> {
    pub(crate) fn new(pairs: &'a [(S, String)], optional_names: &'static [&'static str]) -> Self {
        Self {
            pairs,
            optional_names,
        }
    }

    fn members(self, fields: &'static [&'static str]) -> Members<'a, S> {
        Members {
            pairs: self.pairs,
            optional_names: self.optional_names,
            fields,
            current: None,
        }
    }

    /// The one parameter that there is.
    fn single(&self) -> Result<Value<'a, S>, ParameterError> {
        match self.pairs {
            [(_, _)] => Ok(Value { pairs: self.pairs }),
            pairs => {
                let detail = format!("there are {} parameters where one is read", pairs.len());
                Err(ParameterError::of_shape(detail))
            }
        }
    }
}

macro_rules! forward_to_single {
    ($($method:ident)*) => {
        $(
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
                let value = self.single()?;
                let name = self.pairs[0].0.as_ref();
                value.$method(visitor).map_err(|error| ParameterError::of(name, error))
            }
        )*
    };
}

impl<'de, S: AsRef<str>> Deserializer<'de> for Parameters<'_, S> {
    type Error = ParameterError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_map(Members {
            optional_names: &[],
            ..self.members(&[])
        })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_map(self.members(fields))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_seq(Elements { pairs: self.pairs })
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        if length != self.pairs.len() {
            let found = self.pairs.len();
            let detail = format!("there are {found} parameters where {length} are read");
            return Err(ParameterError::of_shape(detail));
        }
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.single()?.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        if self.pairs.is_empty() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_unit()
    }

    forward_to_single! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_i128 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_u128 deserialize_f32 deserialize_f64 deserialize_char deserialize_str
        deserialize_string deserialize_bytes deserialize_byte_buf deserialize_identifier
    }
}

/// The parameters as members of a map or struct.
struct Members<'a, S> {
    pairs: &'a [(S, String)],
    optional_names: &'static [&'static str],
    fields: &'static [&'static str],
    current: Option<&'a [(S, String)]>,
}

impl<'de, S: AsRef<str>> MapAccess<'de> for Members<'_, S> {
    type Error = ParameterError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Self::Error> {
        while let Some((name, _)) = self.pairs.first() {
            let name = name.as_ref();
            let count = self
                .pairs
                .iter()
                .take_while(|(other, _)| other.as_ref() == name);
            let (group, rest) = self.pairs.split_at(count.count());
            self.pairs = rest;
            if self.optional_names.contains(&name) && !self.fields.contains(&name) {
                continue;
            }
            self.current = Some(group);
            let key: StrDeserializer<'_, ParameterError> = name.into_deserializer();
            return seed.deserialize(key).map(Some);
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, Self::Error> {
        let pairs = self.current.take().unwrap_or(&[]);
        let name = pairs.first().map_or("", |(name, _)| name.as_ref());
        seed.deserialize(Value { pairs })
            .map_err(|error| ParameterError::of(name, error))
    }
}

/// Each parameter as an element of its own.
struct Elements<'a, S> {
    pairs: &'a [(S, String)],
}

impl<'de, S: AsRef<str>> SeqAccess<'de> for Elements<'_, S> {
    type Error = ParameterError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Self::Error> {
        let Some(((name, _), rest)) = self.pairs.split_first() else {
            return Ok(None);
        };
        let (pairs, _) = self.pairs.split_at(1);
        self.pairs = rest;
        let value = seed.deserialize(Value { pairs });
        value
            .map(Some)
            .map_err(|error| ParameterError::of(name.as_ref(), error))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.pairs.len())
    }
}

/// The values of one name: one, or several for a list.
struct Value<'a, S> {
    pairs: &'a [(S, String)],
}

impl<S: AsRef<str>> Value<'_, S> {
    fn text(&self) -> Result<&str, ParameterError> {
        match self.pairs {
            [(_, text)] => Ok(text),
            _ => Err(de::Error::custom("is given more than once")),
        }
    }

    /// A number with a fraction. JSON has none that is infinite or no number, which no comparison would find.
    fn parse_float<T: FromStr + Copy + Into<f64>>(&self) -> Result<T, ParameterError> {
        let expected = "a number";
        let value: T = self.parse(expected)?;
        if value.into().is_finite() {
            return Ok(value);
        }
        let text = self.text()?;
        Err(de::Error::custom(format!("`{text}` is not {expected}")))
    }

    fn parse<T: FromStr>(&self, expected: &str) -> Result<T, ParameterError> {
        let text = self.text()?;
        // Rust reads a sign before a number, where in a query it is a space that was not encoded.
        let parsed = text.strip_prefix('+').is_none().then(|| text.parse().ok());
        let unfit = || de::Error::custom(format!("`{text}` is not {expected}"));
        parsed.flatten().ok_or_else(unfit)
    }
}

macro_rules! parsed {
    ($($method:ident $visit:ident $expected:literal)*) => {
        $(
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
                visitor.$visit(self.parse($expected)?)
            }
        )*
    };
}

impl<'de, S: AsRef<str>> Deserializer<'de> for Value<'_, S> {
    type Error = ParameterError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_str(self.text()?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_seq(Elements { pairs: self.pairs })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_enum(Variant(self.text()?))
    }

    parsed! {
        deserialize_bool visit_bool "`true` or `false`"
        deserialize_i8 visit_i8 "a whole number from -128 to 127"
        deserialize_i16 visit_i16 "a whole number from -32768 to 32767"
        deserialize_i32 visit_i32 "a whole number that fits 32 bits"
        deserialize_i64 visit_i64 "a whole number that fits 64 bits"
        deserialize_i128 visit_i128 "a whole number that fits 128 bits"
        deserialize_u8 visit_u8 "a whole number from 0 to 255"
        deserialize_u16 visit_u16 "a whole number from 0 to 65535"
        deserialize_u32 visit_u32 "a whole number from 0 that fits 32 bits"
        deserialize_u64 visit_u64 "a whole number from 0 that fits 64 bits"
        deserialize_u128 visit_u128 "a whole number from 0 that fits 128 bits"
        deserialize_char visit_char "one character"
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_f32(self.parse_float()?)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_f64(self.parse_float()?)
    }

    forward_to_deserialize_any! {
        str string bytes byte_buf unit unit_struct tuple tuple_struct map struct identifier ignored_any
    }
}

/// A variant without content.
struct Variant<'a>(&'a str);

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = ParameterError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Self), Self::Error> {
        let name: StrDeserializer<'_, ParameterError> = self.0.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = ParameterError;

    fn unit_variant(self) -> Result<(), Self::Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, Self::Error> {
        Err(has_content())
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Self::Error> {
        Err(has_content())
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Self::Error> {
        Err(has_content())
    }
}

fn has_content() -> ParameterError {
    de::Error::custom("a parameter is a text, and this variant has content")
}
