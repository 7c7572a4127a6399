//! `#[derive(ContractJson)]`: serde for types generated from the contract.
//!
//! The generator of host bindings takes derives but no attributes, so serde's own derive would write enum values as
//! `OnHold`. This one reads the name that the contract gives (`#[component(name = "on-hold")]`) and lets serde's *remote*
//! derive do the work: fields in snake_case, enum values as the contract spells them, absent lists empty, unknown
//! fields refused so that a typing mistake in hand-written JSON is an error and not silence.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Attribute, Data, DeriveInput, Field, Fields, LitStr, Type, parse_macro_input};

/// Implements `serde::Serialize` and `serde::Deserialize` with the contract's names.
#[proc_macro_derive(ContractJson, attributes(component))]
pub fn contract_json(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand(&parse_macro_input!(input as DeriveInput)).unwrap_or_else(|error| error.to_compile_error()).into()
}

fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let name = &input.ident;
    let remote = LitStr::new(&name.to_string(), name.span());
    let mirror = format_ident!("{name}Json");
    let body = match &input.data {
        Data::Struct(data) => {
            let fields = data.fields.iter().map(struct_field);
            quote!(struct #mirror { #(#fields)* })
        }
        Data::Enum(data) => {
            let variants = data
                .variants
                .iter()
                .map(|variant| {
                    let (ident, payload) = (&variant.ident, &variant.fields);
                    let spelled = contract_name(&variant.attrs)?;
                    let payload = match payload {
                        Fields::Unit => quote!(),
                        Fields::Unnamed(fields) => quote!(#fields),
                        Fields::Named(_) => {
                            return Err(syn::Error::new_spanned(
                                variant,
                                "contract variants carry at most one unnamed value",
                            ));
                        }
                    };
                    Ok(quote!(#[serde(rename = #spelled)] #ident #payload,))
                })
                .collect::<syn::Result<Vec<_>>>()?;
            quote!(enum #mirror { #(#variants)* })
        }
        Data::Union(_) => {
            return Err(syn::Error::new_spanned(input, "the contract has no unions"));
        }
    };
    Ok(quote! {
        const _: () = {
            #[derive(::serde::Serialize, ::serde::Deserialize)]
            #[serde(remote = #remote, deny_unknown_fields)]
            #body
            impl ::serde::Serialize for #name {
                fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    #mirror::serialize(self, serializer)
                }
            }
            impl<'de> ::serde::Deserialize<'de> for #name {
                fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    #mirror::deserialize(deserializer)
                }
            }
        };
    })
}

fn struct_field(field: &Field) -> TokenStream {
    let (ident, ty) = (&field.ident, &field.ty);
    let default = if is_list(ty) { quote!(#[serde(default)]) } else { quote!() };
    quote!(#default #ident: #ty,)
}

fn is_list(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|segment| segment.ident == "Vec"))
}

/// The name in `#[component(name = "...")]`.
fn contract_name(attributes: &[Attribute]) -> syn::Result<String> {
    let mut name = None;
    for attribute in attributes {
        if attribute.path().is_ident("component") {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("name") {
                    name = Some(meta.value()?.parse::<LitStr>()?.value());
                }
                Ok(())
            })?;
        }
    }
    name.ok_or_else(|| {
        syn::Error::new(
            proc_macro2::Span::call_site(),
            "ContractJson needs `#[component(name = \"...\")]` on every variant",
        )
    })
}
