//! Every refusal that `docs/camara.md` tells how to get, got that way.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::program::Process;

const DOCUMENT: &str = include_str!("../../../../docs/camara.md");

/// The lines of a shell under the headings that name what they get.
struct Promise {
    status: u64,
    code: String,
    line: String,
}

/// What stands in the blocks that begin like this, each with the heading above it.
fn blocks(begin: &str) -> Vec<(Option<&str>, Vec<&str>)> {
    let mut blocks = Vec::new();
    let mut heading = None;
    let mut lines = DOCUMENT.lines();
    while let Some(line) = lines.next() {
        if let Some(text) = line.strip_prefix("### ") {
            heading = Some(text);
        }
        if line == begin {
            blocks.push((heading, lines.by_ref().take_while(|line| *line != "```").collect()));
        }
    }
    blocks
}

fn promises() -> Vec<Promise> {
    let mut promises = Vec::new();
    for (heading, lines) in blocks("```sh") {
        let (status, code) = heading.unwrap().split_once(' ').unwrap();
        for line in lines {
            let (status, code) = (status.parse().unwrap(), code.to_owned());
            promises.push(Promise { status, code, line: line.to_owned() });
        }
    }
    promises
}

/// What is printed by these lines of a shell that knows the program by its name.
fn shell(script: &str, variables: &[(String, String)]) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_greenwave")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("sh");
    command.arg("-euc").arg(script).envs(variables.iter().cloned()).env("PATH", path);
    let output = command.output().unwrap();
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}\n{talk}");
    String::from_utf8(output.stdout).unwrap()
}

/// The variables that the reader has after the lines at the beginning.
fn variables(data: &Path) -> Vec<(String, String)> {
    let setup: Vec<_> = blocks("```sh setup").into_iter().flat_map(|(_, lines)| lines).collect();
    let script = format!("set -a\n{}\necho ---\nenv", setup.join("\n"));
    let given = [("GREENWAVE_DATA".to_owned(), data.to_str().unwrap().to_owned())];
    let printed = shell(&script, &given);
    let (_, variables) = printed.rsplit_once("---\n").unwrap();
    let split = |line: &str| line.split_once('=').map(|(name, value)| (name.into(), value.into()));
    variables.lines().filter_map(split).collect()
}

/// The last of the answers that were printed one after the other.
fn last_answer(printed: &str) -> Value {
    let answers = serde_json::Deserializer::from_str(printed).into_iter::<Value>();
    answers.last().unwrap_or_else(|| panic!("no answer: {printed}")).unwrap()
}

#[test]
fn every_refusal_is_got_as_the_document_says() {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("SKIPPED: there is no curl, which docs/camara.md uses");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let _process = Process::up(&data);
    let promises = promises();
    assert!(promises.len() > 45, "{} lines were found", promises.len());
    let variables = variables(&data);
    for Promise { status, code, line } in promises {
        let answer = last_answer(&shell(&line, &variables));
        let got = (&answer["status"], &answer["code"]);
        assert_eq!(got, (&json!(status), &json!(code)), "{line}\n{answer}");
    }
}
