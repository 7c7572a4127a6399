//! `record!`: a record and its decoder from one declaration.

/// Defines records and how they are read from JSON objects.
///
/// A field is read from the key of its name, or of the string in front of it. Keys that no field names are passed over;
/// of a key that occurs twice the last one counts; a key that is absent is [`Decode::missing`](crate::json::Decode::missing):
/// none for `Option`, empty for `Vec`, an error for most others. Only `Option` accepts `null` (and types that say so).
///
/// ```
/// use std::borrow::Cow;
/// use tradepost_sdk::json::{self, Amount, Id};
///
/// json::record! {
///     /// A line of an order.
///     pub struct Line<'a> {
///         pub id: Id,
///         pub sku: Option<Cow<'a, str>>,
///         pub price: Amount,
///         "type" => pub kind: String,
///     }
/// }
///
/// let line: Line = json::decode(r#"{"id": 9007199254740993, "price": "99.95", "type": "gift", "noise": [{}]}"#).unwrap();
/// assert_eq!(line.id.as_str(), "9007199254740993");
/// assert_eq!((line.price.coefficient, line.price.scale), (9995, 2));
/// assert_eq!((line.sku, line.kind.as_str()), (None, "gift"));
/// ```
#[macro_export]
macro_rules! json_record {
    ($($(#[$attribute:meta])* $visibility:vis struct $name:ident $(<$lifetime:lifetime>)? { $($fields:tt)* })*) => {
        $($crate::json_record_one! {
            [$(#[$attribute])*] [$visibility] $name [$($lifetime)?] { $($fields)* }
        })*
    };
}

/// One record of [`json_record!`].
#[doc(hidden)]
#[macro_export]
macro_rules! json_record_one {
    (
        [$($attribute:tt)*] [$visibility:vis] $name:ident [$($lifetime:lifetime)?] {
            $($(#[$field_attribute:meta])* $($key:literal =>)? $field_visibility:vis $field:ident : $type:ty),* $(,)?
        }
    ) => {
        $($attribute)*
        // The names are the source's.
        #[allow(clippy::struct_field_names)]
        #[derive(Debug, Clone, PartialEq)]
        $visibility struct $name $(<$lifetime>)? {
            $($(#[$field_attribute])* $field_visibility $field: $type),*
        }

        $crate::json_record_impl! { $name [$($lifetime)?] { $([$field: $type, $($key,)? stringify!($field)])* } }
    };
}

/// The decoder of one record of [`json_record!`].
#[doc(hidden)]
#[macro_export]
macro_rules! json_record_impl {
    ($name:ident [] $fields:tt) => {
        $crate::json_record_impl! { @decoder $name ['json] [$name] $fields }
    };
    ($name:ident [$lifetime:lifetime] $fields:tt) => {
        $crate::json_record_impl! { @decoder $name [$lifetime] [$name<$lifetime>] $fields }
    };
    (@decoder $name:ident [$lifetime:lifetime] [$self:ty] { $([$field:ident: $type:ty, $key:expr $(, $ignored:expr)?])* }) => {
        impl<$lifetime> $crate::json::Decode<$lifetime> for $self {
            fn decode(
                reader: &mut $crate::json::Reader<$lifetime>,
            ) -> ::core::result::Result<Self, $crate::json::DecodeError> {
                #[allow(non_camel_case_types)]
                #[derive(Clone, Copy)]
                enum Field { $($field),* }

                // Which field a key may belong to: one comparison tree over integers. Two keys with one tag are a
                // compile error, not a field that is never read.
                #[allow(non_upper_case_globals)]
                #[deny(unreachable_patterns)]
                #[inline(always)]
                fn candidate(tag: u64) -> ::core::option::Option<Field> {
                    $(const $field: u64 = $crate::json::key_tag($key);)*
                    match tag {
                        $($field => ::core::option::Option::Some(Field::$field),)*
                        _ => ::core::option::Option::None,
                    }
                }

                $(let mut $field: ::core::option::Option<$type> = ::core::option::Option::None;)*
                let mut more = reader.enter_object()?;
                while more {
                    let key = reader.key()?;
                    match candidate(key.tag()) {
                        $(::core::option::Option::Some(Field::$field)
                            if reader.key_is(&key, const { $crate::json::key_words($key) }, $key) =>
                        {
                            match <$type as $crate::json::Decode<$lifetime>>::decode(reader) {
                                ::core::result::Result::Ok(value) => $field = ::core::option::Option::Some(value),
                                ::core::result::Result::Err(fault) => {
                                    return ::core::result::Result::Err(fault.in_key($key));
                                }
                            }
                        })*
                        _ => {
                            if let ::core::result::Result::Err(fault) = reader.skip() {
                                return ::core::result::Result::Err(fault.in_key(&reader.key_text(&key)));
                            }
                        }
                    }
                    more = reader.next_member()?;
                }
                ::core::result::Result::Ok(Self {
                    $($field: match $field {
                        ::core::option::Option::Some(value) => value,
                        ::core::option::Option::None => {
                            match <$type as $crate::json::Decode<$lifetime>>::missing() {
                                ::core::option::Option::Some(value) => value,
                                ::core::option::Option::None => {
                                    return ::core::result::Result::Err($crate::json::DecodeError::missing(
                                        $key,
                                        reader.position(),
                                    ));
                                }
                            }
                        }
                    }),*
                })
            }
        }
    };
}
