use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use syn::punctuated::Punctuated;
use syn::{Attribute, Fields, Item, LitStr, Token, Type};

use super::Tally;
use super::facts::rows;
use super::specification::{Object, Specification};
use crate::error::{Context, Error, Result};
use crate::workspace;

/// The models of definitions that are called otherwise, or have several.
const NAMES: &str = include_str!("../../api/models.csv");

/// Checks that each property of each definition is a field of a model.
///
/// A definition's model is the type of its name, or those that the table names; that of an object inside another is the
/// type of the field that holds it. Where the table names a source instead, what writes the definition is no type of
/// serde's, and its words count.
pub(super) fn check(specification: &Path) -> Result<Tally> {
    let specification = Specification::read(specification)?;
    let root = workspace::root();
    let mut models = Models::read(&root.join("crates/longshore-models/src"))?;
    let names: BTreeMap<&str, &str> =
        rows::<2>(NAMES)?.into_iter().map(|[definition, types]| (definition, types)).collect();
    for file in names.values().flat_map(|types| types.split(' ')).filter(|name| name.ends_with(".rs")) {
        let text = fs::read_to_string(root.join(file)).context(|| format!("read {file}"))?;
        models.0.insert(file.to_owned(), Model::of_words(&text));
    }
    models.compare(&specification, &names)
}

/// The types of the models and what they have on the wire.
#[derive(Default)]
struct Models(BTreeMap<String, Model>);

#[derive(Default)]
struct Model {
    /// The names of its fields on the wire, with the names of the types that they are made of.
    fields: Vec<(String, Vec<String>)>,
    /// Types whose fields are its own on the wire as well.
    like: Vec<String>,
}

impl Models {
    /// Reads all sources of a folder.
    fn read(folder: &Path) -> Result<Self> {
        let mut models = Models::default();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).context(|| format!("list {}", folder.display()))? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let text = fs::read_to_string(&path).context(|| format!("read {}", path.display()))?;
                    models.parse(&text).context(|| format!("understand {}", path.display()))?;
                }
            }
        }
        Ok(models)
    }

    /// Adds the structs and enums of a source that go over the wire.
    fn parse(&mut self, source: &str) -> Result<()> {
        for item in syn::parse_file(source)?.items {
            let (name, attributes, model) = match &item {
                Item::Struct(item) => (&item.ident, &item.attrs, Model::of_struct(&item.attrs, &item.fields)?),
                Item::Enum(item) => {
                    let types = item.variants.iter().flat_map(|variant| &variant.fields);
                    let like = types.flat_map(|field| type_names(&field.ty)).collect();
                    (&item.ident, &item.attrs, Model { like, ..Model::default() })
                }
                _ => continue,
            };
            if is_derived(attributes) {
                self.0.insert(name.to_string(), model);
            }
        }
        Ok(())
    }

    fn compare(&self, specification: &Specification, names: &BTreeMap<&str, &str>) -> Result<Tally> {
        for (definition, types) in names {
            if let Some(name) = types.split(' ').find(|name| !self.0.contains_key(*name)) {
                return Err(Error::new(format!("there is no model {name}, which the table names for {definition}")));
            }
        }
        let mut tally = Tally { what: "properties", all: 0, missing: Vec::new() };
        for object in specification.objects() {
            let types: Vec<String> = match names.get(object.path.as_str()) {
                Some(types) => types.split(' ').map(str::to_owned).collect(),
                None => self.0.keys().filter(|name| name.eq_ignore_ascii_case(&object.path)).cloned().collect(),
            };
            self.compare_object(&object, &types, names, &mut tally);
        }
        Ok(tally)
    }

    fn compare_object(&self, object: &Object<'_>, types: &[String], names: &BTreeMap<&str, &str>, tally: &mut Tally) {
        let mut fields = BTreeMap::new();
        types.iter().for_each(|name| self.collect(name, &mut fields, &mut BTreeSet::new()));
        for property in &object.properties {
            tally.all += 1;
            let path = format!("{}.{}", object.path, property.name);
            let held = fields.get(property.name);
            if held.is_none() {
                let modelled = types.iter().any(|name| self.0.contains_key(name));
                tally.missing.push(format!("{path}{}", if modelled { "" } else { " (there is no model)" }));
            }
            if let Some(inside) = &property.object {
                let named = names.get(path.as_str()).map(|types| types.split(' ').map(str::to_owned).collect());
                let types = named.or_else(|| held.cloned()).unwrap_or_default();
                self.compare_object(inside, &types, names, tally);
            }
        }
    }

    /// Collects the fields of a type, with those that it takes from others.
    fn collect(&self, name: &str, fields: &mut BTreeMap<String, Vec<String>>, seen: &mut BTreeSet<String>) {
        let Some(model) = self.0.get(name).filter(|_| seen.insert(name.to_owned())) else { return };
        for (field, types) in &model.fields {
            fields.entry(field.clone()).or_default().extend(types.iter().cloned());
        }
        model.like.iter().for_each(|other| self.collect(other, fields, seen));
    }
}

impl Model {
    fn of_struct(attributes: &[Attribute], fields: &Fields) -> Result<Self> {
        let container = Serde::of(attributes)?;
        let mut model = Model { like: container.like, ..Model::default() };
        for field in fields {
            let serde = Serde::of(&field.attrs)?;
            let types = type_names(&field.ty);
            match &field.ident {
                _ if serde.flatten => model.like.extend(types),
                _ if serde.skip => {}
                Some(ident) => {
                    let written = match container.rename_all.as_deref() {
                        Some(rule) => renamed(&ident.to_string(), rule)?,
                        None => ident.to_string().trim_start_matches("r#").to_owned(),
                    };
                    let names = if serde.names.is_empty() { vec![written] } else { serde.names };
                    let aliases = names.into_iter().chain(serde.aliases);
                    model.fields.extend(aliases.map(|name| (name, types.clone())));
                }
                // A tuple struct is on the wire what it holds.
                None => model.like.extend(types),
            }
        }
        Ok(model)
    }

    /// The words in quotes of a source before its tests.
    fn of_words(source: &str) -> Self {
        let code = source.split("#[cfg(test)]").next().unwrap_or_default();
        let words = code.split('"').skip(1).step_by(2);
        Model { fields: words.map(|word| (word.to_owned(), Vec::new())).collect(), ..Model::default() }
    }
}

/// What the `serde` and `decode` attributes of a type or a field say about names.
#[derive(Default)]
struct Serde {
    rename_all: Option<String>,
    names: Vec<String>,
    aliases: Vec<String>,
    like: Vec<String>,
    flatten: bool,
    skip: bool,
}

impl Serde {
    fn of(attributes: &[Attribute]) -> Result<Self> {
        let mut serde = Serde::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("decode")) {
            attribute.parse_nested_meta(|meta| {
                serde.like.extend(type_names(&meta.value()?.parse::<Type>()?));
                Ok(())
            })?;
        }
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
            attribute.parse_nested_meta(|meta| {
                let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
                match name.as_str() {
                    "flatten" => serde.flatten = true,
                    "skip" => serde.skip = true,
                    _ => {}
                }
                if meta.input.peek(Token![=]) {
                    let value = meta.value()?.parse::<LitStr>()?;
                    match name.as_str() {
                        "rename_all" => serde.rename_all = Some(value.value()),
                        "rename" => serde.names.push(value.value()),
                        "alias" => serde.aliases.push(value.value()),
                        "from" | "into" | "try_from" => serde.like.extend(type_names(&value.parse::<Type>()?)),
                        _ => {}
                    }
                } else if meta.input.peek(syn::token::Paren) {
                    meta.parse_nested_meta(|direction| {
                        let value = direction.value()?.parse::<LitStr>()?;
                        if name == "rename" {
                            serde.names.push(value.value());
                        }
                        Ok(())
                    })?;
                }
                Ok(())
            })?;
        }
        Ok(serde)
    }
}

/// Whether it is derived how the type is read or written.
fn is_derived(attributes: &[Attribute]) -> bool {
    let derives = attributes.iter().filter(|attribute| attribute.path().is_ident("derive"));
    let paths = derives.flat_map(|derive| {
        derive.parse_args_with(Punctuated::<syn::Path, Token![,]>::parse_terminated).into_iter().flatten()
    });
    let mut names = paths.filter_map(|path| path.segments.last().map(|last| last.ident.to_string()));
    names.any(|name| matches!(name.as_str(), "Serialize" | "Deserialize" | "Decode"))
}

/// The names in a type: `Option<Vec<Port>>` is made of `Option`, `Vec` and `Port`.
fn type_names(kind: &Type) -> Vec<String> {
    match kind {
        Type::Path(path) => path
            .path
            .segments
            .iter()
            .flat_map(|segment| {
                let arguments = match &segment.arguments {
                    syn::PathArguments::AngleBracketed(arguments) => arguments.args.iter().collect(),
                    _ => Vec::new(),
                };
                let inside = arguments.into_iter().flat_map(|argument| match argument {
                    syn::GenericArgument::Type(inside) => type_names(inside),
                    _ => Vec::new(),
                });
                std::iter::once(segment.ident.to_string()).chain(inside)
            })
            .collect(),
        Type::Reference(reference) => type_names(&reference.elem),
        Type::Slice(slice) => type_names(&slice.elem),
        Type::Array(array) => type_names(&array.elem),
        Type::Tuple(tuple) => tuple.elems.iter().flat_map(type_names).collect(),
        _ => Vec::new(),
    }
}

/// A field's name by one of serde's rules.
fn renamed(field: &str, rule: &str) -> Result<String> {
    let capitalised = |word: &str| {
        let mut characters = word.chars();
        characters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(characters).collect::<String>()
    };
    let pascal: String = field.split('_').map(capitalised).collect();
    match rule {
        "PascalCase" => Ok(pascal),
        "camelCase" => Ok(pascal[..1].to_ascii_lowercase() + &pascal[1..]),
        "snake_case" | "lowercase" => Ok(field.to_owned()),
        "kebab-case" => Ok(field.replace('_', "-")),
        _ => Err(Error::new(format!("a rule for names that is not known here: {rule}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r#"
        #[derive(Debug, serde::Deserialize)]
        #[serde(default, rename_all = "PascalCase")]
        struct Whole {
            #[serde(flatten, deserialize_with = "lenient")]
            base: Base,
            #[serde(rename = "Base", skip_serializing_if = "is_default")]
            inner: Option<Base>,
            parts: Vec<Part>,
            kinds: BTreeMap<String, Value>,
        }
        #[derive(Deserialize)]
        struct Base {
            #[serde(rename(serialize = "ID", deserialize = "Id"), alias = "id")]
            id: String,
        }
        #[derive(Serialize, Decode)]
        #[decode(from = Wire)]
        struct Part { size: u64 }
        #[derive(Decode)]
        #[serde(rename_all = "camelCase")]
        struct Wire { in_bytes: u64, #[serde(rename = "Size")] size: u64, #[serde(skip)] not_sent: u64 }
        struct Other { word: String }
    "#;

    fn models() -> Models {
        let mut models = Models::default();
        models.parse(SOURCE).unwrap();
        models
    }

    #[test]
    fn fields_have_the_names_that_serde_gives_them() {
        let fields = |name: &str| {
            let mut fields = BTreeMap::new();
            models().collect(name, &mut fields, &mut BTreeSet::new());
            fields.into_keys().collect::<Vec<_>>()
        };
        assert_eq!(fields("Whole"), ["Base", "ID", "Id", "Kinds", "Parts", "id"]);
        assert_eq!(fields("Part"), ["Size", "inBytes", "size"]);
        assert_eq!(fields("Other"), [""; 0]);
        assert!(renamed("a_b", "UPPERCASE").is_err());
        let words = Model::of_words("[(\"a\", 1), (\"b\", 2)]\n#[cfg(test)]\n\"c\"");
        assert_eq!(words.fields.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn a_property_that_no_model_has_is_named() {
        let compare = |names: &[(&'static str, &'static str)]| {
            let names = names.iter().copied().collect();
            models().compare(&Specification::example(), &names).map(|tally| (tally.all, tally.missing))
        };
        assert_eq!(compare(&[]).unwrap(), (7, vec!["Whole.Kinds.Word (there is no model)".to_owned()]));
        let (_, missing) = compare(&[("Base", "Wire")]).unwrap();
        assert_eq!(missing, ["Base.Id", "Whole.Kinds.Word (there is no model)"]);
        assert!(compare(&[("Base", "Gone")]).is_err());
    }
}
