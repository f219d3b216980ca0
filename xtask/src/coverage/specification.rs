use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::error::{Context, Error, Result};

/// The definitions of a specification.
pub(super) struct Specification {
    definitions: Value,
}

/// An object that a specification describes, by itself or inside another.
pub(super) struct Object<'a> {
    /// Where it stands, such as `Plugin.Config`.
    pub(super) path: String,
    pub(super) properties: Vec<Property<'a>>,
}

/// A property of an object.
pub(super) struct Property<'a> {
    pub(super) name: &'a str,
    /// The object that it holds, if that is described in place.
    pub(super) object: Option<Object<'a>>,
}

impl Specification {
    pub(super) fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file).context(|| format!("read {}", file.display()))?;
        Specification::parse(&text).context(|| format!("read {}", file.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let mut document: Value = serde_norway::from_str(text)?;
        match document["definitions"].take() {
            definitions @ Value::Object(_) => Ok(Specification { definitions }),
            _ => Err(Error::new("there are no definitions")),
        }
    }

    /// All definitions, those without properties as empty objects.
    pub(super) fn objects(&self) -> Vec<Object<'_>> {
        let definitions = self.definitions.as_object().into_iter().flatten();
        definitions.map(|(name, schema)| self.object(name.to_owned(), schema)).collect()
    }

    fn object<'a>(&'a self, path: String, schema: &'a Value) -> Object<'a> {
        let mut described = Vec::new();
        self.describe(schema, &mut described);
        let properties = described.into_iter().map(|(name, schema)| {
            let object = self.object(format!("{path}.{name}"), schema);
            Property { name, object: (!object.properties.is_empty()).then_some(object) }
        });
        Object { properties: properties.collect(), path }
    }

    /// Finds the properties of a schema, of what it is put together from, and of its items.
    ///
    /// What it refers to as a whole is a definition of its own.
    fn describe<'a>(&'a self, schema: &'a Value, found: &mut Vec<(&'a str, &'a Value)>) {
        let properties = schema["properties"].as_object().into_iter().flatten();
        found.extend(properties.map(|(name, property)| (name.as_str(), property)));
        for part in schema["allOf"].as_array().into_iter().flatten() {
            match part["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
                Some(name) => self.describe(&self.definitions[name], found),
                None => self.describe(part, found),
            }
        }
        for inside in ["items", "additionalProperties"].map(|inside| &schema[inside]) {
            if inside.is_object() {
                self.describe(inside, found);
            }
        }
    }
}

#[cfg(test)]
pub(super) const EXAMPLE: &str = "
definitions:
  Base:
    properties:
      Id: {type: string}
  Whole:
    allOf:
      - $ref: '#/definitions/Base'
      - properties:
          Parts:
            type: array
            items:
              properties:
                Size: {type: integer}
          Base: {$ref: '#/definitions/Base'}
          Kinds:
            additionalProperties: {properties: {Word: {type: string}}}
  Word: {type: string}
";

#[cfg(test)]
impl Specification {
    pub(super) fn example() -> Self {
        Specification::parse(EXAMPLE).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(object: &Object<'_>, all: &mut Vec<String>) {
        for property in &object.properties {
            all.push(format!("{}.{}", object.path, property.name));
            property.object.iter().for_each(|inside| paths(inside, all));
        }
    }

    #[test]
    fn properties_are_found_wherever_they_are_described() {
        let specification = Specification::example();
        let mut all = Vec::new();
        specification.objects().iter().for_each(|object| paths(object, &mut all));
        assert_eq!(
            all,
            ["Base.Id", "Whole.Id", "Whole.Base", "Whole.Kinds", "Whole.Kinds.Word", "Whole.Parts", "Whole.Parts.Size"]
        );
        assert!(Specification::parse("paths: {}").is_err());
    }
}
