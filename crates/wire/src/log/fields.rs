//! Members of a record, typed.
//!
//! Enters: a JSON object. Leaves: values, `None` for what is absent, empty or of another kind.
//! Refuses: texts over `FIELD_BYTES_MAX` and lists over `LIST_ITEMS_MAX` (cut).
//! Source: `model::limit`.

use std::net::IpAddr;

use model::limit::{LIST_ITEMS_MAX, cut};
use model::{Mac, Millis, Sensitive, Text};
use serde_json::{Map, Value};

use super::time;

/// An object, or the absence of one.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(Option<&'a Map<String, Value>>);

impl<'a> Fields<'a> {
    /// Of an object.
    pub(super) const fn of(object: &'a Map<String, Value>) -> Self {
        Self(Some(object))
    }

    /// Of any value: an object, or nothing.
    pub(super) fn of_value(value: &'a Value) -> Self {
        Self(value.as_object())
    }

    /// A member.
    pub(super) fn value(self, key: &str) -> Option<&'a Value> {
        self.0?.get(key).filter(|value| !value.is_null())
    }

    /// True when there is such a member.
    pub(super) fn has(self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// An object inside.
    pub(super) fn inner(self, key: &str) -> Self {
        Self(self.value(key).and_then(Value::as_object))
    }

    /// A text that is not empty.
    pub(super) fn text(self, key: &str) -> Option<&'a str> {
        let text = self.value(key)?.as_str()?;
        (!text.is_empty()).then_some(text)
    }

    /// A text, or a number or truth value as text.
    pub(super) fn word(self, key: &str) -> Option<Text> {
        word(self.value(key)?)
    }

    /// A text in lower case.
    pub(super) fn lower(self, key: &str) -> Option<Text> {
        let text = cut(self.text(key)?).to_lowercase();
        Some(Text::Owned(text))
    }

    /// A whole number, written as number or as digits; a fraction is cut off.
    pub(super) fn number(self, key: &str) -> Option<u64> {
        match self.value(key)? {
            Value::Number(number) => number.as_u64(),
            Value::String(digits) => digits.parse().ok(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// A whole number of a narrower type.
    pub(super) fn narrow<T: TryFrom<u64>>(self, key: &str) -> Option<T> {
        T::try_from(self.number(key)?).ok()
    }

    /// A number with a fraction.
    pub(super) fn float(self, key: &str) -> Option<f64> {
        match self.value(key)? {
            Value::Number(number) => number.as_f64(),
            Value::String(digits) => digits.parse().ok().filter(|value: &f64| value.is_finite()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// A truth value.
    pub(super) fn flag(self, key: &str) -> Option<bool> {
        self.value(key)?.as_bool()
    }

    /// An address.
    pub(super) fn ip(self, key: &str) -> Option<IpAddr> {
        self.text(key)?.parse().ok()
    }

    /// A hardware address.
    pub(super) fn mac(self, key: &str) -> Option<Mac> {
        self.text(key)?.parse().ok()
    }

    /// A time: ISO text, or seconds since 1970.
    pub(super) fn time(self, key: &str) -> Option<Millis> {
        match self.value(key)? {
            Value::String(text) => time::iso(text),
            Value::Number(seconds) => time::seconds(seconds.as_f64()?),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// Items of a list, or the one value that stands in its place.
    pub(super) fn items(self, key: &str) -> &'a [Value] {
        match self.value(key) {
            None => &[],
            Some(Value::Array(items)) => items.get(..LIST_ITEMS_MAX).unwrap_or(items),
            Some(one) => std::slice::from_ref(one),
        }
    }

    /// How many items a list has, those beyond the limit included.
    pub(super) fn count(self, key: &str) -> usize {
        self.value(key)
            .and_then(Value::as_array)
            .map_or(0, Vec::len)
    }

    /// Texts of a list.
    pub(super) fn words(self, key: &str) -> Vec<Text> {
        self.items(key).iter().filter_map(word).collect()
    }

    /// Texts of a list as one, with `between`; for names of persons.
    pub(super) fn joined(self, key: &str, between: &str) -> Option<String> {
        let words: Vec<Text> = self.words(key);
        (!words.is_empty()).then(|| words.join(between))
    }

    /// Addresses of a list.
    pub(super) fn ips(self, key: &str) -> Vec<IpAddr> {
        let texts = self.items(key).iter().filter_map(Value::as_str);
        texts.filter_map(|text| text.parse().ok()).collect()
    }

    /// Text that may name a person.
    pub(super) fn person(self, key: &str) -> Option<Sensitive> {
        self.text(key).map(Sensitive::text)
    }

    /// A path or file name.
    pub(super) fn path(self, key: &str) -> Option<Sensitive> {
        self.text(key).map(Sensitive::path)
    }
}

/// A scalar as text; `None` when it is empty or no scalar.
pub(super) fn word(value: &Value) -> Option<Text> {
    match value {
        Value::String(text) => (!text.is_empty()).then(|| Text::Owned(cut(text).to_owned())),
        Value::Number(number) => Some(Text::Owned(number.to_string())),
        Value::Bool(flag) => Some(Text::Borrowed(if *flag { "true" } else { "false" })),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A text of the caller's own, cut.
pub(super) fn owned(text: &str) -> Text {
    Text::Owned(cut(text).to_owned())
}

/// Hexadecimal digits without what stands between them, in lower case.
pub(super) fn digits(text: &str) -> Text {
    let digits = cut(text).chars().filter(char::is_ascii_hexdigit);
    Text::Owned(digits.collect::<String>().to_ascii_lowercase())
}
