//! Records as text: the contract's JSON with the keys of every object in alphabetical order, so that equal records have equal texts,
//! whichever way they came. It is the text that [`serde_json::Value`] gives, without building one: that takes longer than everything
//! else that is done to a page.

use std::cell::RefCell;
use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// The text of a record.
pub(crate) fn text(record: &impl Serialize) -> serde_json::Result<String> {
    let text = RefCell::new(Vec::with_capacity(2048));
    let sorted = Sorted { text: &text, fields: Vec::new(), open: Vec::new(), spare: Vec::new() };
    record.serialize(&mut Serializer::with_formatter(Text(&text), sorted))?;
    String::from_utf8(text.into_inner()).map_err(serde::ser::Error::custom)
}

/// Where the text is written to; the formatter looks at it too.
struct Text<'a>(&'a RefCell<Vec<u8>>);

impl io::Write for Text<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes without blanks, and puts an object's fields in order when the object ends.
struct Sorted<'a> {
    text: &'a RefCell<Vec<u8>>,
    /// The fields of all open objects, inner ones behind outer ones.
    fields: Vec<Field>,
    /// Where each open object's fields begin in `fields`.
    open: Vec<usize>,
    spare: Vec<u8>,
}

/// Places in the text.
struct Field {
    start: usize,
    key_end: usize,
    end: usize,
}

impl Field {
    /// Without its quotes: `"a"` comes before `"a b"`.
    fn key<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        &text[self.start + 1..self.key_end - 1]
    }
}

impl Formatter for Sorted<'_> {
    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open.push(self.fields.len());
        writer.write_all(b"{")
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        let start = self.text.borrow().len();
        self.fields.push(Field { start, key_end: start, end: start });
        Ok(())
    }

    fn end_object_key<W: ?Sized + io::Write>(&mut self, _writer: &mut W) -> io::Result<()> {
        if let Some(field) = self.fields.last_mut() {
            field.key_end = self.text.borrow().len();
        }
        Ok(())
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, _writer: &mut W) -> io::Result<()> {
        if let Some(field) = self.fields.last_mut() {
            field.end = self.text.borrow().len();
        }
        Ok(())
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        let first = self.open.pop().unwrap_or_default();
        {
            let mut text = self.text.borrow_mut();
            let fields = &mut self.fields[first..];
            if !fields.is_sorted_by(|left, right| left.key(&text) <= right.key(&text)) {
                let begin = fields[0].start;
                fields.sort_by(|left, right| left.key(&text).cmp(right.key(&text)));
                self.spare.clear();
                for (place, field) in fields.iter().enumerate() {
                    if place > 0 {
                        self.spare.push(b',');
                    }
                    self.spare.extend_from_slice(&text[field.start..field.end]);
                }
                // The same pieces and as many commas: the same length.
                text[begin..].copy_from_slice(&self.spare);
            }
        }
        self.fields.truncate(first);
        writer.write_all(b"}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use tradepost_runtime::commerce::{FulfilmentState, OrderState, PaymentState, Shipment, Status};

    #[derive(Serialize)]
    struct Unsorted {
        z: Vec<Inner>,
        ab: Option<Box<Unsorted>>,
        a: &'static str,
        m: Value,
    }

    #[derive(Serialize)]
    struct Inner {
        y: u64,
        x: Option<f64>,
        nothing: (),
    }

    #[test]
    fn a_record_reads_as_its_json_value_does() {
        let inner = |y| Inner { y, x: Some(0.5), nothing: () };
        let leaf = Unsorted { z: Vec::new(), ab: None, a: "\"}{,\\ ü", m: json!({}) };
        let record = Unsorted {
            z: vec![inner(2), inner(1)],
            ab: Some(Box::new(leaf)),
            a: "\u{1f600}\n",
            m: json!({"b": {"d": [1, {"c": null}]}, "a b": {}, "a": [], "": true}),
        };
        let expected = serde_json::to_value(&record).unwrap().to_string();
        assert_eq!(text(&record).unwrap(), expected);
        assert!(expected.starts_with("{\"a\":") && expected.ends_with("}]}"), "{expected}");
    }

    #[test]
    fn the_contract_s_types_read_as_their_json_values_do() {
        let shipment = Shipment { carrier: Some("Sendle".into()), ..Shipment::default() };
        let status = Status {
            order: OrderState::InProgress,
            payment: PaymentState::NotReported,
            fulfilment: FulfilmentState::Shipped,
            raw: "PROCESSED".into(),
        };
        assert_eq!(text(&shipment).unwrap(), serde_json::to_value(&shipment).unwrap().to_string());
        assert_eq!(text(&status).unwrap(), serde_json::to_value(&status).unwrap().to_string());
    }
}
