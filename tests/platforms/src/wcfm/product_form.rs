//! The form through which creating and replacing a product go: what is not sent is reset, whatever the documentation says of
//! partial updates. Kept are images, featured, purchase note, catalogue visibility, slug and status.

use serde_json::{Value, json};

use super::generate;

/// Why the form did not take everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FormError {
    /// No name: nothing happens.
    NoName,
    /// A name that is a list: PHP dies.
    Crash,
    /// An image that is none; the rest is saved all the same.
    Image { code: &'static str, message: String },
}

/// The answer to a category that is none.
const UNCATEGORIZED: u64 = 15;

/// Writes the form's fields into a product.
pub(super) fn fill(product: &mut Value, form: &Value, categories: &[Value], now: i64) -> Result<(), FormError> {
    if form["name"].is_array() || form["name"].is_object() {
        return Err(FormError::Crash);
    }
    let name = without_tags(&text(&form["name"]));
    if name.is_empty() {
        return Err(FormError::NoName);
    }
    product["name"] = name.into();
    product["description"] = paragraphs(&text(&form["description"])).into();
    product["short_description"] = paragraphs(&text(&form["short_description"])).into();
    product["sku"] = text(&form["sku"]).into();
    let kind = text(&form["type"]);
    let kind = if ["variable", "grouped", "external"].contains(&kind.as_str()) { kind } else { "simple".to_owned() };
    set_prices(product, &price(&form["regular_price"]), &price(&form["sale_price"]));
    set_stock(product, form);
    product["categories"] = chosen(&form["categories"], categories);
    product["tags"] = tags(&text(&form["product_tags"]));
    product["external_url"] = text(&form["product_url"]).into();
    product["button_text"] = text(&form["button_text"]).into();
    product["tax_status"] = form["tax_status"].as_str().unwrap_or("taxable").into();
    product["tax_class"] = text(&form["tax_class"]).into();
    product["shipping_taxable"] = (product["tax_status"] == "taxable").into();
    product["shipping_required"] = true.into();
    product["virtual"] = false.into();
    // The key alone sets it, whatever its value.
    product["downloadable"] = form.get("downloadable").is_some().into();
    product["downloads"] = json!([]);
    product["download_limit"] = (-1).into();
    product["download_expiry"] = (-1).into();
    product["sold_individually"] = is_yes(&form["sold_individually"]).into();
    product["upsell_ids"] = if form["upsell_ids"].is_array() { form["upsell_ids"].clone() } else { json!([]) };
    set_measures(product, form);
    set_attributes(product, &form["attributes"], &kind);
    product["type"] = kind.into();
    product["related_ids"] = json!([]);
    generate::set_dates(product, "date_modified", now);
    set_images(product, form)
}

/// Text of a field; a number is text too, anything else is none.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

fn is_yes(value: &Value) -> bool {
    value == true || value == 1 || ["yes", "1", "true", "enable"].contains(&value.as_str().unwrap_or_default())
}

/// A name loses tags and backslashes.
fn without_tags(text: &str) -> String {
    let mut inside = false;
    let kept: String = text
        .chars()
        .filter(|character| {
            let was_inside = inside;
            inside = match character {
                '<' => true,
                '>' => false,
                _ => inside,
            };
            !was_inside && !inside && *character != '\\'
        })
        .collect();
    kept.trim().to_owned()
}

/// Text in the paragraphs that WordPress puts it in.
fn paragraphs(text: &str) -> String {
    let text = text.replace("<script>", "").replace("</script>", "").replace('\\', "");
    let parts = text.split("\n\n").map(str::trim).filter(|part| !part.is_empty());
    parts.flat_map(|part| ["<p>", part, "</p>\n"]).collect()
}

/// A slug as WordPress makes one, without its table of accents: lower case, dashes, the rest percent-encoded.
pub(super) fn slug(name: &str) -> String {
    let words: Vec<&str> =
        name.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    percent_encoding::utf8_percent_encode(&words.join("-").to_lowercase(), percent_encoding::CONTROLS)
        .to_string()
        .to_lowercase()
}

/// A price on a shop with a decimal point: a comma is dropped, so that `12,50` becomes 1250, and what is no number becomes nothing.
pub(super) fn price(value: &Value) -> String {
    let text = text(value).replace(',', "");
    if text.parse::<f64>().is_ok() { text } else { String::new() }
}

/// Sets both prices and all that follows from them. A sale price that is not below the regular one is dropped.
pub(super) fn set_prices(product: &mut Value, regular: &str, sale: &str) {
    let number = |price: &str| price.parse::<f64>().ok();
    let on_sale = number(sale).zip(number(regular)).is_some_and(|(sale, regular)| sale < regular);
    let sale = if on_sale { sale } else { "" };
    let price = if on_sale { sale } else { regular };
    product["regular_price"] = regular.into();
    product["sale_price"] = sale.into();
    product["price"] = price.into();
    product["on_sale"] = on_sale.into();
    product["purchasable"] = (!price.is_empty()).into();
    product["price_html"] = match (number(regular), number(sale)) {
        (Some(regular), Some(sale)) => {
            format!("<del aria-hidden=\"true\">{}</del> <ins>{}</ins>", amount_html(regular), amount_html(sale))
        }
        (Some(regular), None) => amount_html(regular),
        _ => String::new(),
    }
    .into();
}

fn amount_html(amount: f64) -> String {
    // The little more rounds a half up, as PHP does.
    let cents = format!("{:.2}", amount + 1e-9);
    let (whole, part) = cents.split_once('.').unwrap_or((&cents, "00"));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!(
        "<span class=\"woocommerce-Price-amount amount\"><bdi><span class=\"woocommerce-Price-currencySymbol\">&#8377;</span>{grouped}.{part}</bdi></span>"
    )
}

fn set_stock(product: &mut Value, form: &Value) {
    let counts = is_yes(&form["manage_stock"]);
    let quantity = text(&form["stock_quantity"]).parse().unwrap_or(0_i64);
    let backorders = match form["backorders"].as_str() {
        Some(wish @ ("notify" | "yes")) if counts => wish,
        _ => "no",
    };
    product["low_stock_amount"] = "".into();
    set_stock_level(product, counts, quantity, backorders);
    if !counts {
        product["in_stock"] = (form["stock_status"] != "outofstock").into();
    }
}

/// Sets the stock level and what follows from it.
pub(super) fn set_stock_level(product: &mut Value, counts: bool, quantity: i64, backorders: &str) {
    product["manage_stock"] = counts.into();
    product["stock_quantity"] = if counts { quantity.into() } else { Value::Null };
    product["backorders"] = backorders.into();
    product["backorders_allowed"] = (backorders != "no").into();
    product["backordered"] = (counts && quantity <= 0 && backorders != "no").into();
    if counts {
        product["in_stock"] = (quantity > 0 || backorders != "no").into();
    }
}

/// The categories chosen by number, also as text. Anything else falls to the shop's default; none chosen stays none.
fn chosen(wish: &Value, categories: &[Value]) -> Value {
    let short = |id: u64| {
        let category = categories.iter().find(|category| category["id"] == id)?;
        Some(json!({"id": id, "name": category["name"], "slug": category["slug"]}))
    };
    let wishes: Vec<&Value> = wish.as_array().into_iter().flatten().collect();
    let found: Vec<Value> = wishes.iter().filter_map(|wish| short(text(wish).parse().ok()?)).collect();
    if found.is_empty() && !wishes.is_empty() { short(UNCATEGORIZED).into_iter().collect() } else { found.into() }
}

fn tags(names: &str) -> Value {
    let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
    names.enumerate().map(|(place, name)| json!({"id": 900 + place, "name": name, "slug": slug(name)})).collect()
}

/// Weight and dimensions, flat in the form. Recorded is that one of them sent leaves the others as they were.
fn set_measures(product: &mut Value, form: &Value) {
    let sent = ["weight", "length", "width", "height"].iter().any(|name| form.get(name).is_some());
    let wanted = |name: &str, before: &Value| {
        if sent && form.get(name).is_none() { before.clone() } else { text(&form[name]).into() }
    };
    product["weight"] = wanted("weight", &product["weight"]);
    for name in ["length", "width", "height"] {
        product["dimensions"][name] = wanted(name, &product["dimensions"][name]);
    }
    let measured =
        ["length", "width", "height"].iter().any(|name| product["dimensions"][name] != "") || product["weight"] != "";
    product["showAdditionalInfoTab"] = measured.into();
}

/// Attributes in the form's own shape. Variations are made by routes of their own, so that a product is without after this.
fn set_attributes(product: &mut Value, wish: &Value, kind: &str) {
    let mut attributes = Vec::new();
    let mut variation_attributes = serde_json::Map::new();
    for (position, attribute) in
        wish.as_array().into_iter().flatten().filter(|wish| is_yes(&wish["is_active"])).enumerate()
    {
        let name = text(&attribute["name"]);
        let options: Vec<String> =
            text(&attribute["value"]).split('|').map(|option| option.trim().to_owned()).collect();
        let varies = kind == "variable" && is_yes(&attribute["is_variation"]);
        if varies {
            variation_attributes.insert(name.clone(), json!(options));
        }
        attributes.push(json!({
            "id": 0,
            "name": name,
            "position": position,
            "visible": is_yes(&attribute["is_visible"]),
            "variation": varies,
            "slug": slug(&name),
            "options": options,
        }));
    }
    if !attributes.is_empty() {
        product["showAdditionalInfoTab"] = true.into();
    }
    product["attributes"] = attributes.into();
    product["variation_attributes"] =
        if variation_attributes.is_empty() { json!([]) } else { variation_attributes.into() };
    without_variations(product);
    product["default_attributes_org"] = json!([]);
    if kind == "variable" {
        set_prices(product, "", "");
        product["in_stock"] = false.into();
    }
}

/// Takes away what only a variable product has.
pub(super) fn without_variations(product: &mut Value) {
    for name in ["variations", "default_attributes", "default_attributes_array"] {
        product[name] = json!([]);
    }
}

/// The featured image and the gallery, by address or by number. Addresses are believed and not fetched; one that ends in `.404` is
/// one that cannot be had.
fn set_images(product: &mut Value, form: &Value) -> Result<(), FormError> {
    let wishes: Vec<&Value> = [&form["featured_image"]]
        .into_iter()
        .chain(form["gallery_images"].as_array().into_iter().flatten())
        .filter(|image| image.is_object())
        .collect();
    let mut images = Vec::new();
    for (position, wish) in wishes.into_iter().enumerate() {
        let Some(source) = wish["src"].as_str().filter(|source| !source.is_empty()) else {
            let message = format!("#{} is an invalid image ID.", text(&wish["id"]));
            return Err(FormError::Image { code: "woocommerce_product_invalid_image_id", message });
        };
        if !source.starts_with("http") || source.ends_with(".404") {
            let message = format!("Error getting remote image {source}. Error: Not Found");
            return Err(FormError::Image { code: "woocommerce_product_image_upload_error", message });
        }
        let mut image = product["images"][0].clone();
        image["id"] = (9_000 + position).into();
        image["src"] = source.into();
        image["name"] = source.rsplit('/').next().unwrap_or_default().into();
        image["alt"] = "".into();
        image["position"] = position.into();
        images.push(image);
    }
    if !images.is_empty() {
        product["images"] = images.into();
    }
    Ok(())
}
