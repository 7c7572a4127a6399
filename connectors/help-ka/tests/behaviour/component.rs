//! The component: it builds, and exports what the marketplace has.

use wit_component::{DecodedWasm, decode};

#[test]
fn the_component_exports_all_of_wcfm_but_the_restrictions() {
    let path = tradepost_components::build("help-ka", |line| eprintln!("{line}")).unwrap();
    let DecodedWasm::Component(resolve, world) = decode(&std::fs::read(path).unwrap()).unwrap() else {
        panic!("a component")
    };
    let names = resolve.worlds[world].exports.keys().map(|key| resolve.name_world_key(key));
    let contract = |name: String| Some(name.strip_prefix("tradepost:connector/")?.split('@').next()?.to_owned());
    let mut exports: Vec<String> = names.filter_map(contract).collect();
    exports.sort_unstable();
    assert_eq!(
        exports,
        [
            "categories",
            "connector",
            "notifications",
            "order-notes",
            "order-status",
            "orders",
            "product-writes",
            "products",
            "refunds",
            "sales-figures",
            "seller-settings",
            "sellers",
            "shipments",
            "stock",
            "stock-updates",
        ],
        "seller-restrictions is not documented for help-ka"
    );
}
