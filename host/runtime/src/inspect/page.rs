//! A connector as a page for people, made from the component alone: its manifest, its exports and the contract's words.
//!
//! All text of the manifest is a third party's and goes through `markdown`. The page holds nothing that changes while the
//! connector stays what it is (no digest, no size), so that it can stand in a tree and be compared.

use std::fmt::Write as _;

use super::CONTRACT_PACKAGE;
use super::capabilities::{interface_meaning, operations, value_meaning};
use super::credentials;
use super::markdown::{code, codes, link, table, text};
use super::settings::{SettingField, setting_fields};
use crate::connector::{Capability, Connector};
use crate::contract::http::Effect;
use crate::contract::manifest::Manifest;
use crate::template;

/// The connector in Markdown: what it can do, its settings, hosts, ways to authenticate, pace, streams, status words and
/// effects. The same for the same manifest and exports.
pub fn connector_page(connector: &Connector) -> String {
    let capabilities: Vec<Capability> = connector.capabilities().collect();
    page(connector.manifest(), &connector.inspection().contract, &capabilities)
}

/// `contract` is the version that the connector was built against.
fn page(manifest: &Manifest, contract: &str, capabilities: &[Capability]) -> String {
    let fields = setting_fields(manifest);
    let sections = [
        ("What it can do", abilities(manifest, capabilities)),
        ("Settings", settings(&fields)),
        ("Hosts", hosts(manifest, &fields)),
        ("Authentication", authentication(manifest, &fields)),
        ("Pace", pace(manifest)),
        ("Streams", streams(manifest, capabilities)),
        ("Status words", statuses(manifest)),
        ("Effects", effects(manifest, capabilities)),
        ("Extensions", extensions(manifest)),
    ];
    let mut page = introduction(manifest, contract);
    for (title, body) in sections.iter().filter(|(_, body)| !body.is_empty()) {
        let _ = write!(page, "\n## {title}\n\n{body}");
    }
    page.push_str(
        "\n---\n\nMade from the component alone by `tradepost docs FILE.wasm`. Change the connector, not this page.\n",
    );
    page
}

fn introduction(manifest: &Manifest, contract: &str) -> String {
    let name = text(&manifest.name);
    let platform = text(&manifest.platform);
    let mut page = format!("# {}\n\n", if name.is_empty() { text(&manifest.id) } else { name });
    let _ = write!(page, "Connector {} {}", code(&manifest.id), text(&manifest.version));
    if !platform.is_empty() {
        let _ = write!(page, " for {platform}");
    }
    let _ = writeln!(page, ". It is written against the contract {}.", code(&format!("{CONTRACT_PACKAGE}@{contract}")));
    if let Some(homepage) = manifest.homepage.as_deref().filter(|homepage| !homepage.trim().is_empty()) {
        let _ = writeln!(page, "\nThe platform's documentation or home page: {}", link(homepage));
    }
    page
}

fn abilities(manifest: &Manifest, capabilities: &[Capability]) -> String {
    if capabilities.is_empty() {
        return "Nothing but telling whose account it is connected to.\n".into();
    }
    let operations = operations(manifest, capabilities);
    let rows: Vec<Vec<String>> = capabilities
        .iter()
        .map(|capability| {
            let functions: Vec<String> = operations
                .iter()
                .filter(|operation| operation.interface == capability.name())
                .map(|operation| format!("{} ({})", code(&operation.function), effect_word(operation.effect)))
                .collect();
            vec![code(capability.name()), functions.join(", "), contract_text(&interface_meaning(capability.name()))]
        })
        .collect();
    table(&["interface", "operations", "meaning"], &rows)
}

fn settings(fields: &[SettingField]) -> String {
    if fields.is_empty() {
        return "None.\n".into();
    }
    let yes_no = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    let rows: Vec<Vec<String>> = fields
        .iter()
        .map(|field| {
            vec![
                code(&field.path),
                text(&field.kind),
                yes_no(field.required),
                field.default.as_ref().map(|default| code(&default.to_string())).unwrap_or_default(),
                yes_no(field.secret),
                text(&field.meaning),
            ]
        })
        .collect();
    let mut section = table(&["name", "type", "required", "default", "secret", "description"], &rows);
    section.push_str("\nSecrets stand under an account's `secrets`, everything else under its `settings`.");
    if fields.iter().any(|field| field.path.contains(['*', '[', '.'])) {
        section.push_str(" In a path, `*` is any name and `[]` each item of a list.");
    }
    section.push('\n');
    section
}

fn hosts(manifest: &Manifest, fields: &[SettingField]) -> String {
    if manifest.hosts.is_empty() {
        return "It names none, so the host lets no request out.\n".into();
    }
    let mut section = String::from("It asks for these and reaches none that the operator does not grant:\n\n");
    for host in &manifest.hosts {
        let _ = writeln!(section, "- {}{}", code(host), with_defaults(host, fields));
    }
    if !manifest.root_url.trim().is_empty() {
        let _ = writeln!(section, "\nIts requests go to addresses below {}.", code(&manifest.root_url));
    }
    if !manifest.request_headers.is_empty() {
        let headers = codes(manifest.request_headers.iter().map(String::as_str));
        let _ = writeln!(section, "\nThey carry headers beyond the usual ones: {headers}.");
    }
    section
}

/// What a template becomes where settings are left out, if that is enough to fill it.
fn with_defaults(host: &str, fields: &[SettingField]) -> String {
    let default = |name: &str| {
        let default = fields.iter().find(|field| field.path == name)?.default.as_ref()?;
        Some(default.as_str().map_or_else(|| default.to_string(), str::to_owned))
    };
    match template::fill(host, default) {
        Ok(filled) if filled != host => format!(" (unless set otherwise: {})", code(&filled)),
        _ => String::new(),
    }
}

fn authentication(manifest: &Manifest, fields: &[SettingField]) -> String {
    if manifest.auth.is_empty() {
        return "None: its requests carry no credential.\n".into();
    }
    let is_secret = |name: &str| fields.iter().any(|field| field.secret && field.path == name);
    let mut section =
        String::from("The host carries this out; neither the credential nor a token ever enters the connector.");
    if manifest.auth.len() > 1 {
        section.push_str(" An account's `auth` picks one by its name, the first unless it does.");
    }
    section.push_str("\n\n");
    for recipe in &manifest.auth {
        let _ = writeln!(section, "- {}: {}", code(&recipe.name), credentials::recipe(recipe, &is_secret));
    }
    section
}

fn pace(manifest: &Manifest) -> String {
    match manifest.pace {
        Some(pace) if pace.per_ms == 1000 => format!("At most {} requests a second.\n", pace.requests),
        Some(pace) => format!("At most {} requests in {} ms.\n", pace.requests, pace.per_ms),
        None => "The connector states none.\n".into(),
    }
}

/// Streams the manifest describes, and those it exports without a word.
fn streams(manifest: &Manifest, capabilities: &[Capability]) -> String {
    let mut rows: Vec<Vec<String>> = manifest
        .streams
        .iter()
        .map(|stream| {
            let paging = word(&stream.paging);
            let exported = capabilities.iter().any(|capability| capability.name() == stream.interface);
            let name = code(&stream.interface);
            vec![
                if exported { name } else { format!("{name} (not exported)") },
                contract_text(&value_meaning("manifest", "paging", &paging)),
                if stream.incremental { "what changed since the last walk" } else { "everything" }.into(),
                codes(stream.volatile_fields.iter().map(String::as_str)),
            ]
        })
        .collect();
    let is_described = |name: &str| manifest.streams.iter().any(|stream| stream.interface == name);
    for capability in capabilities.iter().filter(|capability| is_stream(**capability)) {
        if !is_described(capability.name()) {
            rows.push(vec![code(capability.name()), "not stated".into(), "not stated".into(), String::new()]);
        }
    }
    table(&["stream", "paging", "each walk reads", "fields that say nothing when they change"], &rows)
}

/// Interfaces whose `list` gives pages.
fn is_stream(capability: Capability) -> bool {
    use Capability::{Categories, Notifications, Orders, Products, Sellers, Stock};
    matches!(capability, Orders | Products | Categories | Stock | Notifications | Sellers)
}

fn statuses(manifest: &Manifest) -> String {
    fn axis<T: serde::Serialize>(state: Option<&T>) -> String {
        state.map_or_else(|| "-".into(), |state| code(&word(state)))
    }
    let rows: Vec<Vec<String>> = manifest
        .statuses
        .iter()
        .map(|mapping| {
            vec![
                code(&mapping.word),
                axis(mapping.order.as_ref()),
                axis(mapping.payment.as_ref()),
                axis(mapping.fulfilment.as_ref()),
            ]
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let mut section = table(&["the platform's word", "order", "payment", "fulfilment"], &rows);
    section.push_str("\nAny other word is `unknown`. `-`: the word says nothing about it.\n");
    section
}

fn effects(manifest: &Manifest, capabilities: &[Capability]) -> String {
    let operations = operations(manifest, capabilities);
    let mut section = String::new();
    for effect in [Some(Effect::Once), Some(Effect::Repeatable), None] {
        let rows: Vec<Vec<String>> = operations
            .iter()
            .filter(|operation| operation.effect == effect)
            .map(|operation| {
                let name = format!("{}.{}", operation.interface, operation.function);
                vec![code(&name), contract_text(&operation.meaning)]
            })
            .collect();
        if rows.is_empty() {
            continue;
        }
        if !section.is_empty() {
            section.push('\n');
        }
        let heading = match effect {
            Some(effect) => {
                let meaning = value_meaning("http", "effect", &word(&effect));
                format!("{}: {}", code(&word(&effect)), contract_text(&meaning))
            }
            None => "The manifest does not say what these do to the platform:".into(),
        };
        let _ = write!(section, "{heading}\n\n{}", table(&["operation", "meaning"], &rows));
    }
    let is_exported = |name: &str| {
        operations.iter().any(|operation| format!("{}.{}", operation.interface, operation.function) == name)
    };
    let strangers: Vec<&str> =
        manifest.effects.iter().map(|effect| effect.operation.as_str()).filter(|name| !is_exported(name)).collect();
    if !strangers.is_empty() {
        if !section.is_empty() {
            section.push('\n');
        }
        let _ = writeln!(
            section,
            "The manifest speaks of operations that the component does not export: {}.",
            codes(strangers)
        );
    }
    if section.is_empty() { "It only reads.\n".into() } else { section }
}

fn extensions(manifest: &Manifest) -> String {
    let rows: Vec<Vec<String>> =
        manifest.extensions.iter().map(|(name, value)| vec![code(name), text(value)]).collect();
    table(&["name", "value"], &rows)
}

fn effect_word(effect: Option<Effect>) -> String {
    effect.map_or_else(|| "not stated".into(), |effect| word(&effect))
}

/// The contract's own spelling of an enum value.
fn word<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// The contract's own words are Markdown and trusted; only a cell's bar must not end the cell.
fn contract_text(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::commerce::OrderState;
    use crate::contract::manifest::{
        AuthMethod, AuthRecipe, BasicCredential, HeaderPlacement, OperationEffect, Pace, Paging, Placement,
        StatusMapping, StreamDescription,
    };

    /// The contract that these connectors were built against.
    const CONTRACT: &str = "0.1.0";

    /// A manifest of which only what must be there is there.
    fn bare() -> Manifest {
        Manifest {
            id: "shop".into(),
            name: String::new(),
            version: "1.2.3".into(),
            platform: String::new(),
            homepage: None,
            settings_schema: r#"{"properties": {}}"#.into(),
            root_url: String::new(),
            hosts: Vec::new(),
            request_headers: Vec::new(),
            auth: Vec::new(),
            pace: None,
            statuses: Vec::new(),
            streams: Vec::new(),
            effects: Vec::new(),
            extensions: Vec::new(),
        }
    }

    /// A manifest with every part, all of whose texts are this one.
    fn with_every_text(t: &str) -> Manifest {
        let t = || t.to_owned();
        let schema = serde_json::json!({
            "required": ["user"],
            "properties": {
                "user": {"type": "string", "title": t(), "description": t(), "default": t(), "enum": [t()]},
                "password": {"type": "string", "writeOnly": true, "title": t()},
                "inner": {"type": "object", "properties": {"x": {"type": t(), "format": t()}}},
                (format!("f{}", t())): {"type": "string"},
            },
        });
        Manifest {
            id: "shop".into(),
            name: format!("n{}", t()),
            version: "1.2.3".into(),
            platform: format!("p{}", t()),
            homepage: Some(format!("h{}", t())),
            settings_schema: schema.to_string(),
            root_url: format!("r{}", t()),
            hosts: vec![format!("h{}", t())],
            request_headers: vec![format!("h{}", t())],
            auth: vec![AuthRecipe {
                name: format!("a{}", t()),
                method: AuthMethod::Basic(BasicCredential { username: "{user}".into(), password: "{password}".into() }),
                placement: Placement::Header(HeaderPlacement {
                    name: format!("h{}", t()),
                    prefix: format!("p{}", t()),
                }),
            }],
            pace: Some(Pace { requests: 3, per_ms: 1000 }),
            statuses: vec![StatusMapping {
                word: format!("w{}", t()),
                order: Some(OrderState::Open),
                payment: None,
                fulfilment: None,
            }],
            streams: vec![StreamDescription {
                interface: format!("s{}", t()),
                paging: Paging::Cursor,
                incremental: true,
                volatile_fields: vec![format!("v{}", t())],
            }],
            effects: vec![OperationEffect { operation: format!("o{}", t()), effect: Effect::Once }],
            extensions: vec![(format!("x{}", t()), format!("y{}", t()))],
        }
    }

    /// A page's skeleton: what each line is, and how many cells a table's row has.
    fn skeleton(page: &str) -> Vec<(String, usize)> {
        page.lines()
            .map(|line| {
                let mark: String = line.chars().take_while(|c| "#|->".contains(*c)).collect();
                (mark, line.matches('|').count())
            })
            .collect()
    }

    #[test]
    fn no_text_of_a_manifest_changes_the_page_s_structure() {
        let everything = Capability::ALL;
        let plain = page(&with_every_text("plain"), CONTRACT, everything);
        for hostile in [
            "a|b|c",
            r"a\|b\\|c",
            "line\n# heading\n\n| x |\n|---|\n- item",
            "```\ncode\n```",
            "<script>alert(1)</script><!--",
            "</code></td><img src=x onerror=alert(1)>",
            "[x](javascript:alert(1)) ![y](https://t.example/p.png)",
            "\r\n\u{0}\u{1b}[2J\u{85}\u{2028}\u{202e}",
            "` | `` | ```",
            "&#124; &lt;b&gt;",
        ] {
            let page = page(&with_every_text(hostile), CONTRACT, everything);
            assert_eq!(skeleton(&page), skeleton(&plain), "{hostile:?}:\n{page}");
            assert!(!page.contains(|c: char| (c.is_control() && c != '\n') || c == '\u{202e}'), "{hostile:?}:\n{page}");
            for markup in ["<script", "<img", "</td", "<!--", "](java", "![y]"] {
                // Within backticks everything is text, and an escaped bracket makes no link.
                let outside: String = page.split('`').step_by(2).collect();
                let outside = outside.replace("\\[", "").replace("\\]", "");
                assert!(!outside.contains(markup), "{hostile:?}, {markup}:\n{page}");
            }
        }
    }

    #[test]
    fn a_manifest_with_nothing_in_it_still_makes_a_page_that_says_so() {
        let page = page(&bare(), CONTRACT, &[]);
        for part in [
            "# shop\n",
            "Connector `shop` 1.2.3. It is written against the contract `tradepost:connector@0.1.0`.",
            "Nothing but telling whose account",
            "## Settings\n\nNone.\n",
            "lets no request out",
            "None: its requests carry no credential.",
            "The connector states none.",
            "It only reads.",
        ] {
            assert!(page.contains(part), "{part:?} is not in:\n{page}");
        }
        for absent in ["## Streams", "## Status words", "## Extensions", "home page"] {
            assert!(!page.contains(absent), "{absent:?} is in:\n{page}");
        }
    }

    #[test]
    fn what_the_manifest_leaves_out_is_not_made_better_than_it_is() {
        let mut manifest = bare();
        manifest.effects = vec![
            OperationEffect { operation: "product-writes.create".into(), effect: Effect::Once },
            OperationEffect { operation: "shipments.ship".into(), effect: Effect::Repeatable },
        ];
        let page = page(&manifest, CONTRACT, &[Capability::Orders, Capability::ProductWrites]);
        for part in [
            "| `orders` | `list` (read), `get` (read) | Reading orders. |",
            "| `product-writes` | `create` (once), `update` (not stated), `delete` (not stated) | Writing products. |",
            "| `orders` | not stated | not stated |  |",
            "`once`: Changes something each time it is sent.",
            "does not say what these do to the platform:\n\n| operation | meaning |\n|---|---|\n| `product-writes.update` |",
            "does not export: `shipments.ship`.",
        ] {
            assert!(page.contains(part), "{part:?} is not in:\n{page}");
        }
    }

    #[test]
    fn hosts_settings_and_statuses_say_what_holds_unless_set() {
        let mut manifest = with_every_text("t");
        manifest.settings_schema = r#"{"required": ["password"], "properties": {
            "root-url": {"type": "string", "default": "https://api.shop.example"},
            "password": {"type": "string", "writeOnly": true, "default": "hunter2", "description": "From the shop."},
            "table": {"type": "object", "additionalProperties": {"type": "object", "properties": {"order": {"type": "string"}}}}
        }}"#
        .into();
        manifest.hosts = vec!["{root-url}".into(), "https://files.shop.example".into()];
        manifest.homepage = Some("https://shop.example/docs".into());
        let page = page(&manifest, CONTRACT, &[Capability::Orders]);
        for part in [
            "- `{root-url}` (unless set otherwise: `https://api.shop.example`)\n- `https://files.shop.example`\n",
            "| `password` | string | yes |  | yes | From the shop. |",
            "| `root-url` | string | no | `\"https://api.shop.example\"` | no |  |",
            "| `table.*.order` | string | no |  | no |  |",
            "| `wt` | `open` | - | - |",
            "At most 3 requests a second.",
            "<https://shop.example/docs>",
            "secret `password`",
        ] {
            assert!(page.contains(part), "{part:?} is not in:\n{page}");
        }
        assert!(!page.contains("hunter2") && !page.contains("sha256:"), "{page}");
    }
}
