//! Records: typed structs that also know their columns and their OCSF paths.
//!
//! Enters: one `record!` block per OCSF class or shared part. Leaves: the struct, its field table
//! and a walk over its values, from which JSON, Arrow columns, the link format and the field
//! reference are all made, so that none of them can forget a field.
//! Refuses: a field without a doc sentence. Source: `DESIGN.md` section 5.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::net::Mac;
use crate::sensitive::Sensitive;
use crate::time::Millis;

/// Text that is mostly borrowed from the program itself.
pub type Text = Cow<'static, str>;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// True or false.
    Bool,
    /// Unsigned, 16 bits.
    U16,
    /// Unsigned, 32 bits.
    U32,
    /// Unsigned, 64 bits.
    U64,
    /// Signed, 64 bits.
    I64,
    /// Text that names no person.
    Text,
    /// An IP address.
    Ip,
    /// A hardware address.
    Mac,
    /// Milliseconds since 1970.
    Time,
    /// Text that may name a person: masked and tokenised at every door.
    Sensitive,
    /// A list of [`Kind::Text`].
    TextList,
    /// A list of [`Kind::U64`].
    U64List,
    /// A list of [`Kind::Ip`].
    IpList,
}

/// One field of a record: a column in the store and a path in OCSF.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Column name in SQL and in the search language.
    pub column: &'static str,
    /// Dotted OCSF path; `a[].b` means: one object per list element.
    pub path: &'static str,
    /// What the column holds.
    pub kind: Kind,
    /// One sentence: meaning, unit, range, what its absence means.
    pub doc: &'static str,
}

/// A borrowed value of a record on its way out.
#[derive(Clone, Copy)]
pub enum Cell<'a> {
    /// Absent.
    Null,
    /// [`Kind::Bool`].
    Bool(bool),
    /// [`Kind::U16`], [`Kind::U32`] and [`Kind::U64`].
    U64(u64),
    /// [`Kind::I64`].
    I64(i64),
    /// [`Kind::Text`].
    Text(&'a str),
    /// [`Kind::Ip`].
    Ip(IpAddr),
    /// [`Kind::Mac`].
    Mac(Mac),
    /// [`Kind::Time`].
    Time(Millis),
    /// [`Kind::Sensitive`].
    Sensitive(&'a Sensitive),
    /// [`Kind::TextList`]; never empty.
    TextList(&'a [Text]),
    /// [`Kind::U64List`]; never empty.
    U64List(&'a [u64]),
    /// [`Kind::IpList`]; never empty.
    IpList(&'a [IpAddr]),
}

/// An owned value on its way into a record.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// [`Kind::Bool`].
    Bool(bool),
    /// [`Kind::U16`], [`Kind::U32`] and [`Kind::U64`].
    U64(u64),
    /// [`Kind::I64`].
    I64(i64),
    /// [`Kind::Text`].
    Text(Text),
    /// [`Kind::Ip`].
    Ip(IpAddr),
    /// [`Kind::Mac`].
    Mac(Mac),
    /// [`Kind::Time`].
    Time(Millis),
    /// [`Kind::Sensitive`].
    Sensitive(Sensitive),
    /// [`Kind::TextList`].
    TextList(Vec<Text>),
    /// [`Kind::U64List`].
    U64List(Vec<u64>),
    /// [`Kind::IpList`].
    IpList(Vec<IpAddr>),
}

/// A struct made by `record!`.
pub trait Record: Default {
    /// Its fields, in the order of the struct. Only ever added to, at the end of a path group.
    const FIELDS: &'static [Field];

    /// Calls `visit` with every field's index and value, in order, absent ones too.
    fn each<'a, V: FnMut(usize, Cell<'a>) + ?Sized>(&'a self, visit: &mut V);

    /// Sets field `index`. False when there is no such field or the value has another kind.
    fn set(&mut self, index: usize, value: Value) -> bool;

    /// Calls `change` with every sensitive value present, with its field's index.
    fn each_sensitive(&mut self, change: &mut dyn FnMut(usize, &mut Sensitive));
}

/// A Rust type that can stand in a record.
pub trait FieldType: Sized {
    /// Its kind.
    const KIND: Kind;

    /// The value on its way out.
    fn cell(&self) -> Cell<'_>;

    /// The value on its way in; `None` when it does not fit.
    fn take(value: Value) -> Option<Self>;

    /// The sensitive value inside, if this type has one and it is present.
    fn sensitive(&mut self) -> Option<&mut Sensitive> {
        None
    }
}

macro_rules! field_type {
    ($($rust:ty, $kind:ident, |$v:ident| $cell:expr, $pattern:pat => $take:expr;)+) => {$(
        impl FieldType for $rust {
            const KIND: Kind = Kind::$kind;
            #[inline]
            fn cell(&self) -> Cell<'_> {
                let $v = self;
                $cell
            }
            fn take(value: Value) -> Option<Self> {
                if let $pattern = value { $take } else { None }
            }
        }
    )+};
}

field_type! {
    bool, Bool, |v| Cell::Bool(*v), Value::Bool(v) => Some(v);
    u16, U16, |v| Cell::U64(u64::from(*v)), Value::U64(v) => Self::try_from(v).ok();
    u32, U32, |v| Cell::U64(u64::from(*v)), Value::U64(v) => Self::try_from(v).ok();
    u64, U64, |v| Cell::U64(*v), Value::U64(v) => Some(v);
    i64, I64, |v| Cell::I64(*v), Value::I64(v) => Some(v);
    Text, Text, |v| Cell::Text(v), Value::Text(v) => Some(v);
    IpAddr, Ip, |v| Cell::Ip(*v), Value::Ip(v) => Some(v);
    Mac, Mac, |v| Cell::Mac(*v), Value::Mac(v) => Some(v);
    Millis, Time, |v| Cell::Time(*v), Value::Time(v) => Some(v);
    Vec<Text>, TextList, |v| if v.is_empty() { Cell::Null } else { Cell::TextList(v) },
        Value::TextList(v) => Some(v);
    Vec<u64>, U64List, |v| if v.is_empty() { Cell::Null } else { Cell::U64List(v) },
        Value::U64List(v) => Some(v);
    Vec<IpAddr>, IpList, |v| if v.is_empty() { Cell::Null } else { Cell::IpList(v) },
        Value::IpList(v) => Some(v);
}

impl FieldType for Sensitive {
    const KIND: Kind = Kind::Sensitive;
    fn cell(&self) -> Cell<'_> {
        Cell::Sensitive(self)
    }
    fn take(value: Value) -> Option<Self> {
        if let Value::Sensitive(v) = value {
            Some(v)
        } else {
            None
        }
    }
    fn sensitive(&mut self) -> Option<&mut Sensitive> {
        Some(self)
    }
}

impl<T: FieldType> FieldType for Option<T> {
    const KIND: Kind = T::KIND;
    #[inline]
    fn cell(&self) -> Cell<'_> {
        self.as_ref().map_or(Cell::Null, T::cell)
    }
    fn take(value: Value) -> Option<Self> {
        T::take(value).map(Some)
    }
    fn sensitive(&mut self) -> Option<&mut Sensitive> {
        self.as_mut().and_then(T::sensitive)
    }
}

/// Defines a record: `field: type => "column", "ocsf.path";`, each with a doc sentence.
macro_rules! record {
    (
        $(#[doc = $sdoc:literal])+
        pub struct $name:ident {
            $( $(#[doc = $fdoc:literal])+ $field:ident : $ty:ty => $column:literal,
                $path:literal; )+
        }
    ) => {
        $(#[doc = $sdoc])+
        #[derive(Clone, Default, PartialEq)]
        pub struct $name {
            $( $(#[doc = $fdoc])+ pub $field: $ty, )+
        }

        impl $crate::record::Record for $name {
            const FIELDS: &'static [$crate::record::Field] = &[$(
                $crate::record::Field {
                    column: $column,
                    path: $path,
                    kind: <$ty as $crate::record::FieldType>::KIND,
                    doc: concat!($($fdoc),+),
                },
            )+];

            #[allow(unused_assignments, reason = "the last increment of the counter is not read")]
            #[inline]
            fn each<'a, V>(&'a self, visit: &mut V)
            where
                V: FnMut(usize, $crate::record::Cell<'a>) + ?Sized,
            {
                let mut index = 0;
                $( visit(index, $crate::record::FieldType::cell(&self.$field)); index += 1; )+
            }

            #[allow(unused_assignments, reason = "the last increment of the counter is not read")]
            fn set(&mut self, index: usize, value: $crate::record::Value) -> bool {
                let mut at = 0;
                $(
                    if at == index {
                        return match <$ty as $crate::record::FieldType>::take(value) {
                            Some(value) => { self.$field = value; true }
                            None => false,
                        };
                    }
                    at += 1;
                )+
                false
            }

            #[allow(unused_assignments, reason = "the last increment of the counter is not read")]
            fn each_sensitive(&mut self, change: &mut dyn FnMut(usize, &mut $crate::Sensitive)) {
                let mut index = 0;
                $(
                    if let Some(value) = $crate::record::FieldType::sensitive(&mut self.$field) {
                        change(index, value);
                    }
                    index += 1;
                )+
            }
        }
    };
}
pub(crate) use record;
