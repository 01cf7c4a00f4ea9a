//! Writing a JSON object member by member, straight into its text: an answer is written for every
//! request, and most of what it takes to describe it to a serializer first is saved.

use serde::Serialize;

/// An object that is being written. It is whole once it is closed.
pub(crate) struct Members<'a> {
    text: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> Members<'a> {
    pub(crate) fn open(text: &'a mut Vec<u8>) -> Self {
        text.push(b'{');
        Self { text, first: true }
    }

    pub(crate) fn close(self) {
        self.text.push(b'}');
    }

    /// A member, of which the value is to be written next. No name here has to be escaped.
    pub(crate) fn name(&mut self, name: &'static str) -> &mut Vec<u8> {
        if !self.first {
            self.text.push(b',');
        }
        self.first = false;
        self.text.push(b'"');
        self.text.extend_from_slice(name.as_bytes());
        self.text.extend_from_slice(b"\":");
        self.text
    }

    pub(crate) fn text(&mut self, name: &'static str, value: &str) {
        let text = self.name(name);
        // All bytes are looked at, whatever the first ones are: so many can be looked at at once.
        let escaped = |byte: u8| (byte < b' ') | (byte == b'"') | (byte == b'\\');
        if value.bytes().fold(false, |any, byte| any | escaped(byte)) {
            return write(text, value);
        }
        text.push(b'"');
        text.extend_from_slice(value.as_bytes());
        text.push(b'"');
    }

    pub(crate) fn text_if_any(&mut self, name: &'static str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    pub(crate) fn value(&mut self, name: &'static str, value: impl Serialize) {
        write(self.name(name), value);
    }

    pub(crate) fn value_if_any(&mut self, name: &'static str, value: Option<impl Serialize>) {
        if let Some(value) = value {
            self.value(name, value);
        }
    }
}

fn write(text: &mut Vec<u8>, value: impl Serialize) {
    // Strings and numbers can always be written.
    let _ = serde_json::to_writer(text, &value);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_again(one: String, other: Option<String>, number: u64) {
            let mut text = Vec::new();
            let mut members = Members::open(&mut text);
            members.text("one", &one);
            members.text_if_any("other", other.as_deref());
            members.value("number", number);
            members.close();
            let read: serde_json::Value = serde_json::from_slice(&text).unwrap();
            prop_assert_eq!(&read["one"], &serde_json::json!(one));
            let other = other.map(|other| serde_json::json!(other));
            prop_assert_eq!(read.get("other"), other.as_ref());
            prop_assert_eq!(&read["number"], &serde_json::json!(number));
        }
    }
}
