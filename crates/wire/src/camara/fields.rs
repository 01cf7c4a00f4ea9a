//! The members of a body, taken one by one. What is taken has its type; what is left at the end is
//! known to nobody. Whoever sent it learns which member is wrong, wherever it stands.

use greenwave_core::RuleSet;
use greenwave_core::rules::{NullMembers, UnknownMembers};
use serde_json::{Map, Value};

use crate::ErrorInfo;
use crate::json::{self, Document};

/// The members of one object.
#[derive(Debug)]
pub(crate) struct Fields {
    /// Where the object stands in the body; empty for the body itself.
    path: String,
    members: Map<String, Value>,
    rules: &'static RuleSet,
}

impl Fields {
    /// The members of a body.
    pub(crate) fn of_body(body: &[u8], rules: &'static RuleSet) -> Result<Self, ErrorInfo> {
        let Document(members) = json::read(body)?;
        Ok(Self::new(String::new(), members, rules))
    }

    fn new(path: String, mut members: Map<String, Value>, rules: &'static RuleSet) -> Self {
        if rules.null_members == NullMembers::Absent {
            members.retain(|_, value| !value.is_null());
        }
        Self { path, members, rules }
    }

    /// The rules that it is read by.
    pub(crate) fn rules(&self) -> &'static RuleSet {
        self.rules
    }

    /// Where the object stands in the body.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// What a member is called in messages.
    pub(crate) fn name(&self, member: &str) -> String {
        if self.path.is_empty() { member.to_owned() } else { format!("{}.{member}", self.path) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// A member that is an object.
    pub(crate) fn object(&mut self, member: &str) -> Result<Option<Self>, ErrorInfo> {
        match self.members.remove(member) {
            None => Ok(None),
            Some(value) => Ok(Some(item_object(self.name(member), value, self.rules)?)),
        }
    }

    /// A member that is a text.
    pub(crate) fn text(&mut self, member: &str) -> Result<Option<String>, ErrorInfo> {
        match self.members.remove(member) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(wrong_type(&self.name(member), "a string", &other)),
        }
    }

    /// A member that is a whole number, of any size.
    pub(crate) fn whole(&mut self, member: &str) -> Result<Option<i64>, ErrorInfo> {
        match self.members.remove(member) {
            None => Ok(None),
            Some(value) => Ok(Some(item_whole(&self.name(member), &value)?)),
        }
    }

    /// A member that is a list, of one item at least.
    pub(crate) fn list(&mut self, member: &str) -> Result<Option<Vec<Value>>, ErrorInfo> {
        match self.members.remove(member) {
            None => Ok(None),
            Some(Value::Array(items)) if items.is_empty() => {
                let wrong = "has no item: leave it out, or give at least one";
                Err(ErrorInfo::invalid_argument(&self.name(member), wrong))
            }
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(other) => Err(wrong_type(&self.name(member), "a list", &other)),
        }
    }

    /// What a member is, whatever it is.
    pub(crate) fn any(&mut self, member: &str) -> Option<Value> {
        self.members.remove(member)
    }

    /// A member that has to be there.
    pub(crate) fn required<T>(
        &self,
        member: &str,
        taken: Option<T>,
        wanted: &str,
    ) -> Result<T, ErrorInfo> {
        taken.ok_or_else(|| {
            let wrong = format!("Expected property is missing: give {wanted}");
            ErrorInfo::invalid_argument(&self.name(member), wrong)
        })
    }

    /// Nothing more is taken: what is left is refused where the rules say so.
    pub(crate) fn done(self) -> Result<(), ErrorInfo> {
        match (self.rules.unknown_members, self.members.keys().next()) {
            (UnknownMembers::Refused, Some(member)) => {
                let wrong = "is not a property that is known here: leave it out";
                Err(ErrorInfo::invalid_argument(&self.name(member), wrong))
            }
            _ => Ok(()),
        }
    }
}

/// An item of a list that is an object.
pub(crate) fn item_object(
    path: String,
    value: Value,
    rules: &'static RuleSet,
) -> Result<Fields, ErrorInfo> {
    match value {
        Value::Object(members) => Ok(Fields::new(path, members, rules)),
        other => Err(wrong_type(&path, "an object", &other)),
    }
}

/// An item of a list that is a text.
pub(crate) fn item_text(path: &str, value: Value) -> Result<String, ErrorInfo> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(wrong_type(path, "a string", &other)),
    }
}

/// An item of a list that is a whole number. `60.0` is one to JSON Schema. What is beyond `i64` is
/// as good as its ends.
pub(crate) fn item_whole(path: &str, value: &Value) -> Result<i64, ErrorInfo> {
    let Value::Number(number) = value else {
        return Err(wrong_type(path, "a whole number", value));
    };
    if let Some(whole) = number.as_i64() {
        return Ok(whole);
    }
    match number.as_f64() {
        // A cast from float to integer saturates.
        Some(float) if float.fract() == 0.0 => Ok(float as i64),
        _ => Err(wrong_type(path, "a whole number", value)),
    }
}

fn wrong_type(path: &str, wanted: &str, value: &Value) -> ErrorInfo {
    let given = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    ErrorInfo::invalid_argument(path, format!("is {given}, and has to be {wanted}"))
}

#[cfg(test)]
mod tests {
    use greenwave_core::RuleSetId;
    use proptest::prelude::*;

    use super::*;

    fn fields(body: &str, rules: RuleSetId) -> Fields {
        Fields::of_body(body.as_bytes(), rules.rules()).unwrap()
    }

    #[test]
    fn members_have_their_types_and_their_places() {
        let body = r#"{"a":{"text":1,"whole":60.0,"list":[]},"big":99999999999999999999}"#;
        let mut body = fields(body, RuleSetId::CamaraR32);
        assert_eq!(body.whole("big").unwrap(), Some(i64::MAX));
        assert_eq!(body.whole("none").unwrap(), None);
        let mut a = body.object("a").unwrap().unwrap();
        let error = a.text("text").unwrap_err();
        assert_eq!(error.message, "a.text: is a number, and has to be a string");
        assert_eq!(a.whole("whole").unwrap(), Some(60));
        assert!(a.list("list").unwrap_err().message.starts_with("a.list: has no item"));
    }

    #[test]
    fn unknown_members_are_refused_where_the_rules_say_so() {
        let error = fields(r#"{"x":1}"#, RuleSetId::CamaraR41).done().unwrap_err();
        assert!(error.message.starts_with("x: "), "{}", error.message);
        assert_eq!(fields(r#"{"x":1}"#, RuleSetId::CamaraR32).done(), Ok(()));
    }

    #[test]
    fn null_is_a_wrong_type_but_to_nokias_clients() {
        let body = r#"{"text":null}"#;
        assert!(fields(body, RuleSetId::CamaraR32).text("text").is_err());
        assert_eq!(fields(body, RuleSetId::NokiaV1).text("text").unwrap(), None);
    }

    #[test]
    fn a_member_may_be_there_once() {
        let twice = br#"{"a":1,"b":{"c":1,"c":2}}"#;
        let error = Fields::of_body(twice, RuleSetId::CamaraR32.rules()).unwrap_err();
        assert!(error.message.contains("duplicate"), "{}", error.message);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = Fields::of_body(&bytes, RuleSetId::CamaraR41.rules());
        }
    }
}
