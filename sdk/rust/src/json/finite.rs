//! Finds numbers that JSON cannot hold. serde_json writes them as `null`, which the type that they came from does not read.

use alloc::{
    format,
    string::{String, ToString},
};
use core::fmt;
use serde::ser::{self, Serialize, Serializer};

/// Fails on a number that is infinite or not a number.
pub(super) fn check<T: Serialize + ?Sized>(value: &T) -> Result<(), String> {
    value.serialize(Check).map_err(|error| error.0)
}

/// Writes nothing.
struct Check;

#[derive(Debug)]
struct NotFinite(String);

impl fmt::Display for NotFinite {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl core::error::Error for NotFinite {}

impl ser::Error for NotFinite {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

type Checked = Result<(), NotFinite>;

macro_rules! nothing_to_check {
    ($($method:ident($($type:ty),*))*) => {
        $(fn $method(self, $(_: $type),*) -> Checked {
            Ok(())
        })*
    };
}

macro_rules! opens {
    ($($method:ident($($type:ty),*))*) => {
        $(fn $method(self, $(_: $type),*) -> Result<Self, NotFinite> {
            Ok(self)
        })*
    };
}

impl Serializer for Check {
    type Ok = ();
    type Error = NotFinite;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    fn serialize_f32(self, value: f32) -> Checked {
        self.serialize_f64(f64::from(value))
    }

    fn serialize_f64(self, value: f64) -> Checked {
        if value.is_finite() {
            return Ok(());
        }
        Err(NotFinite(format!("JSON has no number for `{value}`")))
    }

    nothing_to_check! {
        serialize_bool(bool) serialize_i8(i8) serialize_i16(i16) serialize_i32(i32)
        serialize_i64(i64) serialize_i128(i128) serialize_u8(u8) serialize_u16(u16)
        serialize_u32(u32) serialize_u64(u64) serialize_u128(u128) serialize_char(char)
        serialize_str(&str) serialize_bytes(&[u8]) serialize_none() serialize_unit()
        serialize_unit_struct(&'static str)
        serialize_unit_variant(&'static str, u32, &'static str)
    }

    opens! {
        serialize_seq(Option<usize>)
        serialize_tuple(usize)
        serialize_tuple_struct(&'static str, usize)
        serialize_tuple_variant(&'static str, u32, &'static str, usize)
        serialize_map(Option<usize>)
        serialize_struct(&'static str, usize)
        serialize_struct_variant(&'static str, u32, &'static str, usize)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Checked {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Checked {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Checked {
        value.serialize(self)
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, _: &T) -> Checked {
        Ok(())
    }
}

macro_rules! parts {
    ($($part:ident::$method:ident($($argument:ident: $type:ty),*))*) => {
        $(impl ser::$part for Check {
            type Ok = ();
            type Error = NotFinite;

            fn $method<T: Serialize + ?Sized>(&mut self, $($argument: $type,)* value: &T) -> Checked {
                value.serialize(Check)
            }

            fn end(self) -> Checked {
                Ok(())
            }
        })*
    };
}

parts! {
    SerializeSeq::serialize_element()
    SerializeTuple::serialize_element()
    SerializeTupleStruct::serialize_field()
    SerializeTupleVariant::serialize_field()
    SerializeStruct::serialize_field(_name: &'static str)
    SerializeStructVariant::serialize_field(_name: &'static str)
}

impl ser::SerializeMap for Check {
    type Ok = ();
    type Error = NotFinite;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, _: &T) -> Checked {
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Checked {
        value.serialize(Check)
    }

    fn end(self) -> Checked {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{boxed::Box, collections::BTreeMap, vec, vec::Vec};
    use serde::Serialize;

    #[derive(Serialize)]
    enum Shape {
        Point,
        Circle(f64),
        Box(f32, f32),
        Text { size: f64, text: String },
    }

    #[derive(Serialize)]
    struct Page {
        shapes: Vec<Shape>,
        scale: Option<f64>,
        named: BTreeMap<String, (u8, f64)>,
        next: Option<Box<Page>>,
    }

    fn page(shape: Shape, scale: Option<f64>, named: f64) -> Page {
        Page {
            shapes: vec![Shape::Point, shape],
            scale,
            named: BTreeMap::from([(String::from("a"), (1, named))]),
            next: None,
        }
    }

    #[test]
    fn a_number_that_json_cannot_hold_is_found_wherever_it_is() {
        let text = |size| Shape::Text {
            size,
            text: String::from("NaN"),
        };
        let nested = Page {
            next: Some(Box::new(page(Shape::Point, Some(f64::NAN), 0.0))),
            ..page(Shape::Point, None, 0.0)
        };
        for (index, bad) in [
            page(Shape::Circle(f64::INFINITY), None, 0.0),
            page(Shape::Box(0.0, f32::NEG_INFINITY), None, 0.0),
            page(text(f64::NAN), None, 0.0),
            page(Shape::Point, Some(f64::NAN), 0.0),
            page(Shape::Point, None, f64::NAN),
            nested,
        ]
        .iter()
        .enumerate()
        {
            assert!(check(bad).is_err(), "{index}");
        }
        assert_eq!(check(&page(text(1.5), None, f64::MAX)), Ok(()));
    }
}
