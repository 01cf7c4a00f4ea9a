//! What is printed, and how.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use super::OutputFormat;

/// Why a command failed, and what helps.
#[derive(Debug)]
pub(super) struct Failure {
    message: String,
    /// The command to try next.
    hint: Option<String>,
    /// The code of a gateway's answer.
    code: Option<String>,
    exit: u8,
}

/// What a program exits with that cannot use what it is configured with (`EX_CONFIG` of
/// sysexits.h): starting it again is of no use.
const EX_CONFIG: u8 = 78;

impl Failure {
    pub(super) fn new(message: impl Display) -> Self {
        Self { message: message.to_string(), hint: None, code: None, exit: 1 }
    }

    /// The same, and whoever starts the program need not try it again as it is.
    pub(super) fn for_good(mut self) -> Self {
        self.exit = EX_CONFIG;
        self
    }

    pub(super) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.exit)
    }

    /// The same with what to do next.
    pub(super) fn hint(mut self, hint: impl Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    /// The same with what to do next, if a gateway gave this code.
    pub(super) fn hint_if(self, code: &str, hint: impl Display) -> Self {
        if self.is(code) { self.hint(hint) } else { self }
    }

    /// The same with a code for programs.
    pub(super) fn code(mut self, code: impl Display) -> Self {
        self.code = Some(code.to_string());
        self
    }

    /// Whether a gateway gave this code.
    pub(super) fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    pub(super) fn print(&self, format: OutputFormat) {
        if format.json {
            let error = serde_json::json!({
                "error": {"code": self.code, "message": self.message, "hint": self.hint}
            });
            talk(&error.to_string());
            return;
        }
        talk(&format!("error: {}", self.message));
        if let Some(hint) = &self.hint {
            talk(&format!("  try: {hint}"));
        }
    }
}

/// Prints data. Whoever reads it may have read enough (`| head`), which is no error.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("cannot print: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints talk. There is nobody to tell if that fails.
pub(super) fn talk(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Prints data as JSON.
pub(super) fn print_json(data: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(data)
        .map_err(|error| Failure::new(format!("cannot print: {error}")))?;
    print(&text)
}

/// Prints rows under a heading.
pub(super) fn print_table(
    heading: &[&str],
    rows: impl IntoIterator<Item = Vec<String>>,
) -> Result<(), Failure> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(heading.iter().map(|title| title.to_uppercase()));
    for row in rows {
        table.add_row(row);
    }
    let text = table.to_string();
    let trim = |line: &'_ str| line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned();
    let trimmed: Vec<String> = text.lines().map(trim).collect();
    print(&trimmed.join("\n"))
}
