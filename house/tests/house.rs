//! Which crate may know which, and how large a room may be.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};
use greenwave_crashpoint::Point;
use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::Visit;

/// Who may depend on whom, tests aside. Anything else is a mistake.
const ARROWS: &[(&str, &[&str])] = &[
    ("greenwave-crashpoint", &[]),
    ("greenwave-core", &[]),
    ("greenwave-wire", &["greenwave-core"]),
    ("greenwave-sdk", &["greenwave-wire"]),
    ("greenwave-python", &["greenwave-sdk"]),
    ("greenwave-ledger", &["greenwave-core", "greenwave-crashpoint"]),
    ("greenwave-network", &["greenwave-core", "greenwave-crashpoint"]),
    (
        "greenwave",
        &[
            "greenwave-core",
            "greenwave-crashpoint",
            "greenwave-wire",
            "greenwave-ledger",
            "greenwave-network",
        ],
    ),
    (
        "greenwave-bench",
        &[
            "greenwave",
            "greenwave-core",
            "greenwave-faultdisk",
            "greenwave-ledger",
            "greenwave-network",
            "greenwave-wire",
        ],
    ),
    ("greenwave-faultdisk", &[]),
    ("greenwave-house", &[]),
];

/// All that core may use of the world.
const CORE_MAY_USE: &[&str] = &["ipnet", "jiff", "thiserror", "uuid"];

const LONGEST_FILE: usize = 500;
const LONGEST_FUNCTION: usize = 70;
const WIDEST_LINE: usize = 100;

/// Names that say nothing of what is in a room.
const EMPTY_NAMES: &[&str] = &["mod", "util", "utils", "common", "helper", "helpers", "manager"];

/// Marks of what is unfinished, in two halves so that this file has none of them.
const UNFINISHED: &[(&str, &str)] =
    &[("todo", "!("), ("unimple", "mented!("), ("FIX", "ME"), ("XX", "X"), ("#[ig", "nore")];

fn metadata() -> Metadata {
    MetadataCommand::new().manifest_path("../Cargo.toml").no_deps().exec().unwrap()
}

#[test]
fn every_arrow_is_allowed() {
    let packages = metadata().packages;
    let own: BTreeSet<String> = packages.iter().map(|package| package.name.to_string()).collect();
    let known: BTreeSet<String> = ARROWS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(own, known, "a crate that is new has to be given its arrows here");
    for package in &packages {
        let (_, allowed) = ARROWS.iter().find(|(name, _)| *name == package.name.as_str()).unwrap();
        for dependency in &package.dependencies {
            let name = dependency.name.as_str();
            let is_own = own.contains(name) && dependency.kind == DependencyKind::Normal;
            assert!(!is_own || allowed.contains(&name), "{} must not know {name}", package.name);
        }
    }
}

#[test]
fn no_sdk_describes_the_gateway() {
    for package in metadata().packages.iter().filter(|package| package.name != "greenwave") {
        let wire = package.dependencies.iter().find(|other| other.name == "greenwave-wire");
        let features = wire.map(|wire| wire.features.clone()).unwrap_or_default();
        assert!(features.is_empty(), "{}: the schemas are the gateway's", package.name);
    }
}

#[test]
fn every_crash_point_is_in_the_sources_once() {
    let sources: Vec<String> = rust_files()
        .iter()
        .filter(|path| path.components().any(|part| part.as_os_str() == "src"))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    for point in Point::ALL {
        let call = format!("reached(Point::{point:?});");
        let times: usize = sources.iter().map(|text| text.matches(&call).count()).sum();
        assert_eq!(times, 1, "{call}");
    }
    let names: BTreeSet<&str> = Point::ALL.iter().map(|point| point.name()).collect();
    assert_eq!(names.len(), Point::ALL.len(), "two points have one name");
}

#[test]
fn core_uses_little_of_the_world() {
    let packages = metadata().packages;
    let core = packages.iter().find(|package| package.name.as_str() == "greenwave-core").unwrap();
    for dependency in &core.dependencies {
        let name = dependency.name.as_str();
        let fine = dependency.kind != DependencyKind::Normal || CORE_MAY_USE.contains(&name);
        assert!(fine, "core must not use {name}");
    }
}

fn rust_files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["../crates", "../bench", "../house", "../python/src"] {
        collect(Path::new(folder), &mut found);
    }
    assert!(found.len() > 50, "where have the files gone?");
    found
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// How many lines a file has, up to the tests at its end.
fn lines_without_tests(text: &str) -> usize {
    let end = text.find("\n#[cfg(test)]\nmod tests").unwrap_or(text.len());
    text[..end].lines().count()
}

#[test]
fn no_room_is_too_large() {
    for path in rust_files() {
        let text = std::fs::read_to_string(&path).unwrap();
        let lines = lines_without_tests(&text);
        assert!(lines <= LONGEST_FILE, "{} has {lines} lines", path.display());
        for (number, line) in text.lines().enumerate() {
            let wide = line.chars().count();
            // A link or a text for people may be wider.
            let fine = wide <= WIDEST_LINE || line.contains('"') || line.contains("http");
            assert!(fine, "{}:{} is {wide} wide", path.display(), number + 1);
        }
    }
}

#[test]
fn no_function_is_too_long() {
    for path in rust_files() {
        let file = syn::parse_file(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let mut functions = Functions(Vec::new());
        functions.visit_file(&file);
        for (name, lines) in functions.0 {
            let long = format!("{} in {} has {lines} lines", name, path.display());
            assert!(lines <= LONGEST_FUNCTION, "{long}");
        }
    }
}

/// The functions of a file, with how many lines their bodies have.
struct Functions(Vec<(String, usize)>);

impl Functions {
    fn add(&mut self, name: &syn::Ident, body: Span) {
        let lines = body.end().line - body.start().line + 1;
        self.0.push((name.to_string(), lines));
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.add(&function.sig.ident, function.block.span());
        syn::visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.add(&function.sig.ident, function.block.span());
        syn::visit::visit_impl_item_fn(self, function);
    }
}

#[test]
fn every_room_has_a_name_and_a_purpose() {
    for path in rust_files() {
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(!EMPTY_NAMES.contains(&name), "{} says nothing", path.display());
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//! "), "{} does not say what it is", path.display());
    }
}

#[test]
fn nothing_is_left_unfinished() {
    for path in rust_files() {
        let text = std::fs::read_to_string(&path).unwrap();
        for (first, second) in UNFINISHED {
            let mark = format!("{first}{second}");
            assert!(!text.contains(&mark), "{} has {mark}", path.display());
        }
    }
}
