//! Derives `Decode` for the models: which field of a struct an object's key fills.
//!
//! serde's own derive makes code for every type that is compiled again for every decoder, most of which tells apart what
//! a type can be read from. The models tell only where a value goes; one decoder fills all of them.

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt as _;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, Data, DeriveInput, Error, Field, Fields, LitStr, Result, Type, parse_quote};

/// Derives `Decode` and `Deserialize` for a struct with named fields, by serde's attributes: `rename_all` of the struct,
/// `rename`, `alias` and `flatten` of a field. What serde would only need to encode is passed over. With
/// `#[decode(from = Type)]`, a value of another type is decoded instead of a struct or field, and converted.
///
/// Fields that an object lacks are as in the struct's `Default`.
#[proc_macro_derive(Decode, attributes(decode, serde))]
pub fn derive_decode(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = syn::parse_macro_input!(input as DeriveInput);
    expand(&input).unwrap_or_else(Error::into_compile_error).into()
}

fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let attributes = StructAttributes::parse(&input.attrs)?;
    let mut generics = input.generics.clone();
    for parameter in generics.type_params_mut() {
        parameter.bounds.push(parse_quote!(::longshore_models::decode::Decode));
        parameter.bounds.push(parse_quote!(Default));
    }
    let name = &input.ident;
    let (implemented, arguments, condition) = generics.split_for_impl();
    let place = match &attributes.from {
        Some(from) => quote! { ::longshore_models::decode::Place::through::<#from, Self>(self) },
        None => quote! { ::longshore_models::decode::Place::Object(self) },
    };
    let object = match attributes.from {
        Some(_) => TokenStream::new(),
        None => {
            let field = find_field(&input.data, attributes.case, name)?;
            quote! {
                impl #implemented ::longshore_models::decode::Object for #name #arguments #condition {
                    fn field(&mut self, key: &str) -> ::longshore_models::decode::Place<'_> {
                        #field
                    }
                }
            }
        }
    };
    let mut deserialized = generics.clone();
    deserialized.params.insert(0, parse_quote!('de));
    let (of_deserialize, _, _) = deserialized.split_for_impl();
    Ok(quote! {
        #object

        impl #implemented ::longshore_models::decode::Decode for #name #arguments #condition {
            fn place(&mut self) -> ::longshore_models::decode::Place<'_> {
                #place
            }
        }

        impl #of_deserialize ::serde::Deserialize<'de> for #name #arguments #condition {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::core::result::Result<Self, D::Error> {
                ::longshore_models::decode::deserialize(deserializer)
            }
        }
    })
}

/// Finds the place of a key: first by its length, since few fields have the same, then by its text.
fn find_field(data: &Data, case: Case, name: &syn::Ident) -> Result<TokenStream> {
    let fields = match data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => &fields.named,
            _ => return Err(Error::new_spanned(name, "only structs with named fields can be derived")),
        },
        _ => return Err(Error::new_spanned(name, "only structs can be derived")),
    };
    let mut by_length: BTreeMap<usize, Vec<TokenStream>> = BTreeMap::new();
    let mut elsewhere = quote! { ::longshore_models::decode::Place::Ignored };
    let mut has_flat = false;
    for field in fields {
        let attributes = FieldAttributes::parse(field, case)?;
        let ident = &field.ident;
        if attributes.is_flat {
            if std::mem::replace(&mut has_flat, true) {
                return Err(Error::new_spanned(ident, "only one field can be flat"));
            }
            elsewhere = quote! { ::longshore_models::decode::Object::field(&mut self.#ident, key) };
            continue;
        }
        let place = match attributes.from {
            Some(from) => quote! { ::longshore_models::decode::Place::through::<#from, _>(&mut self.#ident) },
            None => quote! { ::longshore_models::decode::Decode::place(&mut self.#ident) },
        };
        for key in attributes.keys {
            let arm = quote! { #key => #place };
            by_length.entry(key.len()).or_default().push(arm);
        }
    }
    let lengths = by_length.keys();
    let arms = by_length.values();
    Ok(quote! {
        match key.len() {
            #(#lengths => match key {
                #(#arms,)*
                _ => #elsewhere,
            },)*
            _ => #elsewhere,
        }
    })
}

/// How the names of fields become keys.
#[derive(Clone, Copy)]
enum Case {
    /// `oom_score` stays that.
    Snake,
    /// `OomScore`.
    Pascal,
    /// `oomScore`.
    Camel,
}

impl Case {
    fn parse(text: &LitStr) -> Result<Self> {
        match text.value().as_str() {
            "PascalCase" => Ok(Case::Pascal),
            "camelCase" => Ok(Case::Camel),
            _ => Err(Error::new_spanned(text, "only PascalCase and camelCase are known")),
        }
    }

    fn key(self, field: &str) -> String {
        let capital = |word: &str| match word.split_at_checked(1) {
            Some((first, rest)) => first.to_ascii_uppercase() + rest,
            None => String::new(),
        };
        match self {
            Case::Snake => field.to_owned(),
            Case::Pascal => field.split('_').map(capital).collect(),
            Case::Camel => {
                let mut words = field.split('_');
                let first = words.next().unwrap_or_default().to_owned();
                first + &words.map(capital).collect::<String>()
            }
        }
    }
}

struct StructAttributes {
    case: Case,
    /// The type that is decoded instead, and then converted.
    from: Option<Type>,
}

impl StructAttributes {
    fn parse(attributes: &[Attribute]) -> Result<Self> {
        let mut parsed = Self { case: Case::Snake, from: None };
        each("decode", attributes, |meta| {
            parsed.from = Some(from(&meta)?);
            Ok(())
        })?;
        each("serde", attributes, |meta| {
            if meta.path.is_ident("rename_all") {
                parsed.case = Case::parse(&meta.value()?.parse()?)?;
            } else {
                pass_over(&meta, &["into"])?;
            }
            Ok(())
        })?;
        Ok(parsed)
    }
}

struct FieldAttributes {
    /// The keys that fill it.
    keys: Vec<String>,
    /// Whether its own fields are among those of the struct.
    is_flat: bool,
    /// The type that is decoded instead, and then converted.
    from: Option<Type>,
}

impl FieldAttributes {
    fn parse(field: &Field, case: Case) -> Result<Self> {
        let ident = field.ident.as_ref().map(|ident| ident.unraw().to_string()).unwrap_or_default();
        let mut parsed = Self { keys: vec![case.key(&ident)], is_flat: false, from: None };
        each("decode", &field.attrs, |meta| {
            parsed.from = Some(from(&meta)?);
            Ok(())
        })?;
        each("serde", &field.attrs, |meta| {
            if meta.path.is_ident("rename") {
                parsed.keys[0] = meta.value()?.parse::<LitStr>()?.value();
            } else if meta.path.is_ident("alias") {
                parsed.keys.push(meta.value()?.parse::<LitStr>()?.value());
            } else if meta.path.is_ident("flatten") {
                parsed.is_flat = true;
            } else {
                pass_over(&meta, &["skip_serializing_if", "serialize_with"])?;
            }
            Ok(())
        })?;
        Ok(parsed)
    }
}

/// Goes through what stands in the attributes of a name.
fn each(name: &str, attributes: &[Attribute], mut visit: impl FnMut(ParseNestedMeta<'_>) -> Result<()>) -> Result<()> {
    let mut named = attributes.iter().filter(|attribute| attribute.path().is_ident(name));
    named.try_for_each(|attribute| attribute.parse_nested_meta(&mut visit))
}

/// Understands `from = Type`.
fn from(meta: &ParseNestedMeta<'_>) -> Result<Type> {
    match meta.path.is_ident("from") {
        true => meta.value()?.parse(),
        false => Err(meta.error("only `from` is known")),
    }
}

/// Passes over what only matters to encode, and refuses what would matter here.
fn pass_over(meta: &ParseNestedMeta<'_>, known: &[&str]) -> Result<()> {
    if !known.iter().any(|known| meta.path.is_ident(known)) {
        return Err(meta.error("this is not understood for decoding"));
    }
    if meta.input.peek(syn::Token![=]) {
        meta.value()?.parse::<LitStr>()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn derive(source: &str) -> Result<String> {
        let input: DeriveInput = syn::parse_str(source)?;
        Ok(expand(&input)?.to_string())
    }

    #[track_caller]
    fn check(source: &str, expected: &[&str]) {
        let code = derive(source).unwrap().replace(' ', "");
        for part in expected {
            assert!(code.contains(&part.replace(' ', "")), "no {part} in {code}");
        }
    }

    #[test]
    fn fields_have_the_keys_that_serde_gives_them() {
        check("struct A { oom_score: u8, r#type: u8 }", &[r#""oom_score" =>"#, r#""type" =>"#]);
        check(r#"#[serde(rename_all = "PascalCase")] struct A { oom_score: u8 }"#, &[r#""OomScore" =>"#]);
        check(r#"#[serde(rename_all = "camelCase")] struct A { oom_score: u8 }"#, &[r#""oomScore" =>"#]);
        let renamed = r#"struct A { #[serde(rename = "ID", alias = "Id", skip_serializing_if = "f")] id: u8 }"#;
        check(renamed, &[r#"2usize => match key { "ID" =>"#, r#""Id" =>"#]);
        check(
            "struct A { #[serde(flatten)] b: B }",
            &["_ => ::longshore_models::decode::Object::field(&mut self.b, key)"],
        );
    }

    #[test]
    fn another_type_may_be_decoded_instead() {
        check("#[decode(from = Vec<u8>)] struct A(u8);", &["through::<Vec<u8>, Self>(self)"]);
        check("struct A { #[decode(from = B)] b: u8 }", &["through::<B, _>(&mut self.b)"]);
        check("struct A<T> { b: T }", &["impl<T: ::longshore_models::decode::Decode + Default>"]);
    }

    #[test]
    fn what_would_be_decoded_wrongly_is_refused() {
        for source in [
            "enum A { B }",
            "struct A(u8);",
            r#"#[serde(rename_all = "UPPERCASE")] struct A { b: u8 }"#,
            "#[serde(deny_unknown_fields)] struct A { b: u8 }",
            "struct A { #[serde(default)] b: u8 }",
            r#"struct A { #[serde(deserialize_with = "f")] b: u8 }"#,
            "struct A { #[serde(skip)] b: u8 }",
            "struct A { #[serde(flatten)] b: B, #[serde(flatten)] c: C }",
            "struct A { #[decode(into = B)] b: u8 }",
        ] {
            assert!(derive(source).is_err(), "{source}");
        }
    }
}
