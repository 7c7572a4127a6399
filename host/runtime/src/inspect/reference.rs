//! The contract as a page for people, made from the WIT's own doc comments.

use std::fmt::Write as _;

use wit_parser::{Docs, Interface, Resolve, Type, TypeDefKind, TypeId};

use super::compare::{signature, type_name};
use super::contract::CONTRACT;
use super::{CONTRACT_PACKAGE, CONTRACT_VERSION};

/// The contract in Markdown: every interface with its types and functions, in the order of the files.
pub fn contract_reference() -> String {
    let resolve = &CONTRACT.resolve;
    let interfaces: Vec<&Interface> =
        resolve.packages[CONTRACT.package].interfaces.values().map(|id| &resolve.interfaces[*id]).collect();
    let mut page = format!(
        "# The contract: {CONTRACT_PACKAGE}@{CONTRACT_VERSION}\n\n\
         Generated from the WIT files beside it by `tradepost contract`; change those, not this page. How the contract changes and \
         what each version added stands in [CHANGES.md](CHANGES.md); the versions before this one are in `released/`.\n\n\
         | interface | what it is |\n|---|---|\n"
    );
    for interface in &interfaces {
        let name = interface.name.as_deref().unwrap_or_default();
        line(&mut page, &format!("| [`{name}`](#{name}) | {} |", first_sentence(&interface.docs)));
    }
    for interface in interfaces {
        describe_interface(&mut page, resolve, interface);
    }
    page
}

fn describe_interface(page: &mut String, resolve: &Resolve, interface: &Interface) {
    line(page, &format!("\n## {}\n", interface.name.as_deref().unwrap_or_default()));
    line(page, &text(&interface.docs));
    for function in interface.functions.values() {
        line(page, &format!("\n### `{}`\n", function.name));
        line(page, &format!("```wit\n{}: {}\n```\n", function.name, signature(resolve, function)));
        line(page, &text(&function.docs));
    }
    for (name, id) in &interface.types {
        describe_type(page, resolve, name, *id);
    }
}

fn describe_type(page: &mut String, resolve: &Resolve, name: &str, id: TypeId) {
    let def = &resolve.types[id];
    let rows: Vec<(&str, String, &Docs)> = match &def.kind {
        TypeDefKind::Record(record) => record
            .fields
            .iter()
            .map(|field| (field.name.as_str(), type_name(resolve, &field.ty), &field.docs))
            .collect(),
        TypeDefKind::Variant(variant) => variant
            .cases
            .iter()
            .map(|case| (case.name.as_str(), payload(resolve, case.ty.as_ref()), &case.docs))
            .collect(),
        TypeDefKind::Enum(cases) => {
            cases.cases.iter().map(|case| (case.name.as_str(), String::new(), &case.docs)).collect()
        }
        // Types that an interface only uses are described where they are defined.
        _ => return,
    };
    line(page, &format!("\n### {} `{name}`\n", def.kind.as_str()));
    line(page, &text(&def.docs));
    let plain = matches!(def.kind, TypeDefKind::Enum(_));
    line(page, if plain { "\n| value | meaning |\n|---|---|" } else { "\n| name | type | meaning |\n|---|---|---|" });
    for (name, ty, docs) in rows {
        let meaning = text(docs).replace('\n', " ").replace('|', "\\|");
        if plain {
            line(page, &format!("| `{name}` | {meaning} |"));
        } else {
            let ty = if ty.is_empty() { ty } else { format!("`{ty}`") };
            line(page, &format!("| `{name}` | {ty} | {meaning} |"));
        }
    }
}

fn payload(resolve: &Resolve, ty: Option<&Type>) -> String {
    ty.map_or_else(String::new, |ty| type_name(resolve, ty))
}

fn text(docs: &Docs) -> String {
    docs.contents.as_deref().unwrap_or_default().trim().to_owned()
}

pub(super) fn first_sentence(docs: &Docs) -> String {
    let text = text(docs).replace('\n', " ");
    match text.find(". ") {
        Some(end) => text[..=end].to_owned(),
        None => text,
    }
}

fn line(page: &mut String, text: &str) {
    let _ = writeln!(page, "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_of_the_contract_is_documented() {
        let resolve = &CONTRACT.resolve;
        let mut silent = Vec::new();
        for id in resolve.packages[CONTRACT.package].interfaces.values() {
            let interface = &resolve.interfaces[*id];
            let name = interface.name.clone().unwrap_or_default();
            let mut check = |what: String, docs: &Docs| {
                if text(docs).is_empty() {
                    silent.push(what);
                }
            };
            check(name.clone(), &interface.docs);
            for function in interface.functions.values() {
                check(format!("{name}.{}", function.name), &function.docs);
            }
            for (type_name, id) in &interface.types {
                let def = &resolve.types[*id];
                match &def.kind {
                    TypeDefKind::Type(_) => continue,
                    TypeDefKind::Record(record) => {
                        record
                            .fields
                            .iter()
                            .for_each(|field| check(format!("{type_name}.{}", field.name), &field.docs));
                    }
                    TypeDefKind::Variant(variant) => {
                        variant.cases.iter().for_each(|case| check(format!("{type_name}.{}", case.name), &case.docs));
                    }
                    TypeDefKind::Enum(cases) => {
                        cases.cases.iter().for_each(|case| check(format!("{type_name}.{}", case.name), &case.docs));
                    }
                    _ => {}
                }
                check(format!("{name}.{type_name}"), &def.docs);
            }
        }
        assert_eq!(silent, Vec::<String>::new());
    }

    #[test]
    fn the_page_in_the_tree_is_the_one_generated() {
        let page = include_str!("../../../../wit/README.md");
        assert!(
            page == contract_reference(),
            "wit/README.md is out of date: `cargo run -p tradepost -- contract > wit/README.md`"
        );
    }
}
