//! What the decoder accepts, what it refuses, and what it says about it.

use std::borrow::Cow;

use tradepost_sdk::json::{self, Amount, Decode, Id, Kind, Number, Raw, Reader, Text, WithRaw};
use tradepost_sdk::prelude::*;

json::record! {
    struct LineJson<'a> {
        sku: Option<Cow<'a, str>>,
        quantity: Number<'a>,
        price: Amount,
        "variant_data" => variants: Vec<LabelJson<'a>>,
        "a_key_that_is_longer_than_24_bytes" => long: Option<bool>,
    }

    struct LabelJson<'a> {
        label: Text<'a>,
        value: Text<'a>,
    }

    struct Owned {
        id: Id,
        "type" => kind: String,
    }
}

fn protocol(error: Error) -> UnexpectedAnswer {
    match error.kind {
        ErrorKind::Protocol(unexpected) => unexpected,
        other => panic!("not a protocol error: {other:?}"),
    }
}

fn line(text: &str) -> Result<LineJson<'_>, UnexpectedAnswer> {
    json::decode(text).map_err(protocol)
}

#[test]
fn a_record_takes_its_keys_and_passes_over_the_rest() {
    let text = r#"{"noise":{"a":[1,{"b":"}]\"{"}],"c":null},"sku":"A-1","quantity":1.50,"x":-1e9,"price":99.95,
        "variant_data":[{"label":"Size","value":"XL"},{"value":"","label":null}],"y":[],"z":{},"t":true,"f":false}"#;
    let line = line(text).unwrap();
    assert_eq!(line.sku, Some(Cow::Borrowed("A-1")));
    assert!(matches!(line.sku, Some(Cow::Borrowed(_))), "content without escapes is borrowed");
    assert_eq!(
        (line.quantity.text(), line.quantity.decimal().unwrap()),
        ("1.50", Decimal { coefficient: 150, scale: 2 })
    );
    assert_eq!(line.price.0, Decimal { coefficient: 9995, scale: 2 });
    assert_eq!((&*line.variants[0].label, &*line.variants[0].value), ("Size", "XL"));
    assert_eq!((&*line.variants[1].label, &*line.variants[1].value), ("", ""));
}

#[test]
fn absent_keys_are_what_their_type_says() {
    let found = line(r#"{"quantity":1,"price":"2"}"#).unwrap();
    assert_eq!((found.sku, found.variants.len(), found.long), (None, 0, None));
    let missing = line(r#"{"quantity":1}"#).unwrap_err();
    assert_eq!((missing.pointer.as_str(), missing.expected.as_str()), ("/price", "this key to be present"));
}

#[test]
fn of_a_key_that_occurs_twice_the_last_one_counts() {
    let found = line(r#"{"quantity":1,"price":2,"sku":"first","price":3,"sku":null}"#).unwrap();
    assert_eq!((found.price.coefficient, found.sku), (3, None));
}

#[test]
fn keys_are_told_apart_by_all_their_characters() {
    let text = r#"{"skuu":"no","sk":"no","sku\u0000":"no","s\u006bu":"yes","quantity":1,"price":1,
        "a_key_that_is_longer_than_24_bytez":7,"a_key_that_is_longer_than_24_byte":7,"a_key_that_is_longer_than_24_bytes":true}"#;
    let found = line(text).unwrap();
    assert_eq!((found.sku.as_deref(), found.long), (Some("yes"), Some(true)));
    let escaped = r#"{"quantity":1,"price":1,"a_key_that_is_longer_than_24_byte\u0073":true}"#;
    assert_eq!(line(escaped).unwrap().long, Some(true));
}

#[test]
fn errors_point_to_the_place_and_show_it() {
    for (text, pointer, expected) in [
        (r#"{"quantity":1,"price":"12,50"}"#, "/price", "a decimal number such as 99.95"),
        (r#"{"quantity":1,"price":null}"#, "/price", "a number"),
        (r#"{"quantity":"1","price":1}"#, "/quantity", "a number"),
        (
            r#"{"quantity":1,"price":1,"variant_data":[{"label":"a","value":"b"},{"label":{},"value":""}]}"#,
            "/variant_data/1/label",
            "text, null or false",
        ),
        (r#"{"quantity":1,"price":1,"a/b~c":[1,]}"#, "/a~1b~0c", "a value"),
        (r#"{"quantity":1,"price":1e99}"#, "/price", "a decimal number of at most 18 decimals and 64 bits"),
        (r#"{"quantity":1,"price":1,"sku":5}"#, "/sku", "a string"),
        ("[]", "", "an object"),
        ("", "", "an object"),
        ("<html>", "", "an object"),
        (r#"{"quantity":1,"price":1} x"#, "", "nothing behind the value"),
        (r#"{"quantity":1,"price":1"#, "", "`,` or `}`"),
        (r#"{"quantity":1,,"price":1}"#, "", "a key"),
        (r#"{"quantity" 1}"#, "", "`:`"),
    ] {
        let unexpected = line(text).unwrap_err();
        assert_eq!((unexpected.pointer.as_str(), unexpected.expected.as_str()), (pointer, expected), "{text}");
    }
    let unexpected = line(r#"{"quantity":1,"price":"12,50"}"#).unwrap_err();
    assert_eq!(unexpected.excerpt, "12,50");
    let unexpected = line("<html><body>Down</body>").unwrap_err();
    assert_eq!(unexpected.excerpt, "<html><body>Down</body>");
}

#[test]
fn ids_stay_what_they_are() {
    for (text, id) in [
        (r#"{"id":9007199254740993,"type":"a"}"#, "9007199254740993"),
        (r#"{"id":"00042","type":"a"}"#, "00042"),
        (r#"{"id":123456789012345678901234567890,"type":"a"}"#, "123456789012345678901234567890"),
        (r#"{"id":"a\/b","type":"a"}"#, "a/b"),
        (r#"{"id":-1,"type":"a"}"#, "-1"),
    ] {
        assert_eq!(json::decode::<Owned>(text).unwrap().id.as_str(), id, "{text}");
    }
    for text in
        [r#"{"id":1.5,"type":""}"#, r#"{"id":1e3,"type":""}"#, r#"{"id":null,"type":""}"#, r#"{"id":true,"type":""}"#]
    {
        assert_eq!(protocol(json::decode::<Owned>(text).unwrap_err()).pointer, "/id", "{text}");
    }
    assert_eq!(Id("0".into()).nonzero(), None);
    assert_eq!(Id("7".into()).nonzero().as_deref(), Some("7"));
}

#[test]
fn strings_are_unescaped_and_text_of_every_kind_survives() {
    for (text, content) in [
        (r#""plain""#, "plain"),
        (r#""""#, ""),
        (r#""a\"b\\c\/d\n\r\t\b\f""#, "a\"b\\c/d\n\r\t\u{8}\u{c}"),
        (r#""\u20b9 \u00e9""#, "₹ é"),
        (r#""\ud83d\ude00!""#, "😀!"),
        (r#""سلة 中文 é""#, "سلة 中文 é"),
        (r#""\u0000""#, "\0"),
        (r#""\ud83d""#, "\u{fffd}"),
        (r#""\ude00x""#, "\u{fffd}x"),
        (r#""\ud83d\u0041""#, "\u{fffd}A"),
        (
            r#""0123456789 0123456789 0123456789 0123456789 0123456789""#,
            "0123456789 0123456789 0123456789 0123456789 0123456789",
        ),
    ] {
        assert_eq!(json::decode::<Cow<'_, str>>(text).unwrap(), content, "{text}");
        assert_eq!(json::decode::<String>(text).unwrap(), content, "{text}");
        assert_eq!(json::decode::<Text<'_>>(text).unwrap().into_string(), content, "{text}");
    }
    for text in [r#""open"#, "\"line\nbreak\"", r#""\x""#, r#""\u12g4""#, r#""\u123"#, "\"\u{1}\"", r#""\"#] {
        assert!(json::decode::<String>(text).is_err(), "{text:?}");
        assert!(json::decode::<Raw<'_>>(text).is_err(), "{text:?}");
    }
}

#[test]
fn long_notes_are_read_whole() {
    let note = "Bitte klingeln – 2. Stock 🏠 ".repeat(400);
    let text = json::Object::new().text("id", "1").text("type", &note).finish();
    assert_eq!(json::decode::<Owned>(&text).unwrap().kind, note);
}

#[test]
fn a_list_is_streamed_with_the_text_of_each_element() {
    let mut seen = Vec::new();
    json::decode_array(
        " [ {\"id\":1,\"type\":\"a\"} , {\"id\":2,\"type\":\"b\",\"extra\":[1, 2]}\n]",
        |item: Owned, raw| {
            seen.push((item.id.0, raw.to_owned()));
            Ok(())
        },
    )
    .unwrap();
    assert_eq!(
        seen,
        [
            ("1".into(), r#"{"id":1,"type":"a"}"#.to_owned()),
            ("2".into(), r#"{"id":2,"type":"b","extra":[1, 2]}"#.into())
        ]
    );

    let error = json::decode_array(r#"[{"id":1,"type":"a"},{"id":2}]"#, |_: Owned, _| Ok(())).unwrap_err();
    assert_eq!(protocol(error).pointer, "/1/type");
    let own = json::decode_array(r#"[{"id":1,"type":"a"}]"#, |_: Owned, _| Err(error::conflict("stop"))).unwrap_err();
    assert_eq!(own.kind, ErrorKind::Conflict);
    let placed = json::decode_array("[1,2]", |_: Number<'_>, _| Err(error::protocol("/x", "y", "z"))).unwrap_err();
    assert_eq!(protocol(placed).pointer, "/0/x");
}

#[test]
fn a_list_in_an_envelope_is_streamed_wherever_it_stands() {
    for text in [r#"{"data":[{"id":1,"type":"a"}],"pages":3}"#, r#"{"pages":3,"data":[{"id":1,"type":"a"}]}"#] {
        let (mut ids, mut pages) = (Vec::new(), 0);
        json::decode_array_in(
            text,
            "data",
            |item: Owned, _| {
                ids.push(item.id.0);
                Ok(())
            },
            |key, reader| {
                if key == "pages" {
                    pages = u32::decode(reader)?;
                    return Ok(());
                }
                reader.skip()
            },
        )
        .unwrap();
        assert_eq!((ids, pages), (vec!["1".to_owned()], 3));
    }
    let absent = json::decode_array_in("{}", "data", |_: Owned, _| Ok(()), |_, reader| reader.skip()).unwrap_err();
    assert_eq!(protocol(absent).pointer, "/data");
}

#[test]
fn raw_text_can_be_kept_beside_the_value() {
    let items: Vec<WithRaw<'_, Owned>> = json::decode(r#"[{"id":1, "type":"a"} ]"#).unwrap();
    assert_eq!((items[0].value.kind.as_str(), items[0].raw), ("a", r#"{"id":1, "type":"a"}"#));
}

#[test]
fn nesting_is_limited_for_what_is_read_and_for_what_is_passed_over() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(json::decode::<Raw<'_>>(&nested(128)).is_ok());
    assert!(json::decode::<Raw<'_>>(&nested(129)).is_err());
    assert!(json::decode::<Raw<'_>>(&nested(1_000_000)).is_err());
    // One level is the record's own.
    let inside = |depth: usize| format!(r#"{{"id":1,"type":"a","x":{}}}"#, nested(depth));
    assert!(json::decode::<Owned>(&inside(127)).is_ok());
    let error = protocol(json::decode::<Owned>(&inside(128)).unwrap_err());
    assert_eq!((error.pointer.as_str(), error.expected.as_str()), ("/x", "values nested at most 128 deep"));
}

#[test]
fn a_byte_order_mark_and_white_space_are_passed_over() {
    assert_eq!(json::decode::<Owned>("\u{feff} \r\n\t{ \"id\" : 1 , \"type\" : \"a\" } \n").unwrap().kind, "a");
    assert!(json::decode::<Owned>("{\u{a0}\"id\":1,\"type\":\"a\"}").is_err());
}

#[test]
fn the_reader_shows_what_comes_next() {
    let mut reader = Reader::new(r#"[{}, [], "s", -1, true, null]"#);
    let mut kinds = Vec::new();
    reader
        .array(|reader| {
            kinds.push(reader.peek_kind()?);
            reader.skip()
        })
        .unwrap();
    assert_eq!(kinds, [Kind::Object, Kind::Array, Kind::String, Kind::Number, Kind::Bool, Kind::Null]);
    assert!(reader.finish().is_ok());
}

#[test]
fn integers_are_refused_where_they_do_not_fit() {
    assert_eq!(json::decode::<Vec<u8>>("[0,255]").unwrap(), [0, 255]);
    for text in ["[256]", "[-1]", "[1.0]"] {
        assert_eq!(
            protocol(json::decode::<Vec<u8>>(text).unwrap_err()).expected,
            "a whole number of 0 to 255",
            "{text}"
        );
    }
    assert_eq!(json::decode::<i64>("-9223372036854775808").unwrap(), i64::MIN);
}

#[test]
fn written_json_is_read_back_as_it_was() {
    let odd = "quote \" slash \\ / control \u{1} newline \n emoji 😀";
    let text = json::Object::new()
        .text("text", odd)
        .number("price", Decimal { coefficient: -5, scale: 2 })
        .integer("count", -3)
        .bool("yes", true)
        .text_if("absent", None)
        .raw("list", &json::Array::new().text(odd).raw("[]").finish())
        .finish();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["text"], odd);
    assert_eq!(value["price"].to_string(), "-0.05");
    assert_eq!((value["count"].as_i64(), value["yes"].as_bool(), value.get("absent")), (Some(-3), Some(true), None));
    assert_eq!(value["list"][0], odd);
    assert_eq!(json::Object::new().finish() + &json::Array::new().finish(), "{}[]");
}
