//! Finds cycles among the modules of a folder, from the paths in their source.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{Source, children, is_word, sources, word};

/// Fails when the modules directly in `folder`, such as `src/join`, use each other in a cycle.
///
/// A folder in it counts as one module. The parent module is a node too: a child that uses an item
/// defined there is in a cycle, but a re-export counts as the module it comes from. Unit tests and
/// glob re-exports are not followed.
pub(super) fn modules_form_no_cycle(folder: &str) {
    let files: Vec<Source> = sources("src")
        .into_iter()
        .filter(|file| {
            file.path.starts_with(folder) || file.path == Path::new(folder).with_extension("rs")
        })
        .collect();
    assert!(files.len() > 1, "{folder} has no modules");
    let cycles = cycles(folder, &files);
    assert!(cycles.is_empty(), "{folder} has a cycle: {cycles:#?}");
}

/// The uses that are part of a cycle, as `from → to (file)`.
fn cycles(folder: &str, files: &[Source]) -> Vec<String> {
    let parent = module_path(&format!("{folder}.rs"));
    let modules: BTreeSet<String> = files
        .iter()
        .filter_map(|file| module_path(file.path.to_str()?).get(parent.len()).cloned())
        .collect();
    let re_exports = re_exports(&parent, files);
    // The parent's name among its children is the empty one.
    let node_of = |module: &[String]| -> Option<String> {
        let name = module.strip_prefix(parent.as_slice())?.first();
        let name = name.map_or("", String::as_str);
        if modules.contains(name) {
            return Some(name.to_owned());
        }
        Some(re_exports.get(name).cloned().unwrap_or_default())
    };
    let mut uses = Uses::new();
    for file in files {
        let own = module_path(file.path.to_str().expect("names are UTF-8"));
        let from = own.get(parent.len()).cloned().unwrap_or_default();
        for used in paths(&own, &modules, &without_tests(&file.code)) {
            if let Some(to) = node_of(&used).filter(|to| *to != from) {
                uses.insert((from.clone(), to), file);
            }
        }
    }
    uses.iter()
        .filter(|((from, to), _)| reaches(&uses, to, from))
        .map(|((from, to), file)| format!("{from} → {to} ({})", file.path.display()))
        .collect()
}

type Uses<'a> = BTreeMap<(String, String), &'a Source>;

/// Whether `start` uses `goal`, directly or through others.
fn reaches(uses: &Uses<'_>, start: &str, goal: &str) -> bool {
    let mut reached = BTreeSet::new();
    let mut open = vec![start];
    while let Some(at) = open.pop() {
        for (from, to) in uses.keys() {
            if from == at && reached.insert(to) {
                open.push(to);
            }
        }
    }
    reached.iter().any(|to| *to == goal)
}

/// `["join", "panic"]` for `src/join/panic.rs` and for `src/join/panic/mod.rs`, `["join"]` for
/// `src/join/lib.rs`.
fn module_path(file: &str) -> Vec<String> {
    let file = file.trim_start_matches("src/").trim_end_matches(".rs");
    let file = ["/mod", "/lib"]
        .iter()
        .find_map(|root| file.strip_suffix(root))
        .unwrap_or(file);
    file.split('/').map(str::to_owned).collect()
}

/// The items that the parent module re-exports, with the child that each comes from.
fn re_exports(parent: &[String], files: &[Source]) -> BTreeMap<String, String> {
    let mut from = BTreeMap::new();
    for file in files {
        if module_path(file.path.to_str().expect("names are UTF-8")) != parent {
            continue;
        }
        for (at, _) in file.code.match_indices("use ") {
            let before = file.code[..at].trim_end();
            let line = before.rsplit('\n').next().unwrap_or_default().trim_start();
            if !line.starts_with("pub") {
                continue;
            }
            for path in tree(&file.code[at + "use ".len()..]) {
                if let [child, .., item] = path.as_slice() {
                    from.insert(item.clone(), child.clone());
                }
            }
        }
    }
    from
}

/// The absolute paths that begin in the code with `crate`, `super` or a child of this module.
fn paths(own: &[String], children: &BTreeSet<String>, code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut add = |base: &[String], rest: &str| {
        for path in tree(rest) {
            found.push([base, &path].concat());
        }
    };
    for (at, _) in code.match_indices("::") {
        let first = code[..at]
            .rsplit(|c| !is_word(c))
            .next()
            .unwrap_or_default();
        let start = at - first.len();
        if !starts_a_path(code, start) {
            continue;
        }
        let mut rest = &code[at + 2..];
        match first {
            "crate" => add(crate_root(own), rest),
            "super" => {
                let mut up = 1;
                while let Some(further) = rest.strip_prefix("super::") {
                    rest = further;
                    up += 1;
                }
                add(&own[..own.len().saturating_sub(up)], rest);
            }
            "self" => add(own, rest),
            child if children.contains(child) => add(own, &code[start..]),
            _ => {}
        }
    }
    found
}

/// The module path of the root of the crate that a module belongs to. The library is a crate of its own.
fn crate_root(module: &[String]) -> &[String] {
    let is_library = module.first().is_some_and(|name| name == "join");
    &module[..usize::from(is_library)]
}

/// Whether a path begins here, and not in the middle of one or in `pub(in …)`.
fn starts_a_path(code: &str, at: usize) -> bool {
    let before = &code[..at];
    !before.ends_with("::") && !before.ends_with("(in ")
}

/// The paths of a use tree: `a::{b, c::d}` has `a::b` and `a::c::d`.
fn tree(text: &str) -> Vec<Vec<String>> {
    if text.starts_with('{') {
        return children(text).into_iter().flat_map(tree).collect();
    }
    let name = word(text);
    let rest = &text.trim_start()[name.len()..];
    match rest.strip_prefix("::") {
        None => vec![vec![name]],
        Some(rest) => tree(rest)
            .into_iter()
            .map(|path| [vec![name.clone()], path].concat())
            .collect(),
    }
}

/// The code before the unit tests, which come last in a file.
fn without_tests(code: &str) -> String {
    let is_test = |line: &str| line == "#[cfg(test)]" || line.starts_with("#[cfg(all(test, ");
    let is_module = |line: &str| line.starts_with("mod ") && line.ends_with('{');
    let lines: Vec<_> = code.lines().collect();
    let tests = lines
        .windows(2)
        .position(|pair| is_test(pair[0]) && is_module(pair[1]));
    lines[..tests.unwrap_or(lines.len())].join("\n")
}

#[test]
fn cycle_is_found_in_each_form_of_path() {
    let found = |files: &[(&str, &str)]| {
        let files: Vec<Source> = files
            .iter()
            .map(|(path, code)| Source {
                path: path.into(),
                code: (*code).to_owned(),
            })
            .collect();
        cycles("src/x", &files).len()
    };
    let parent = ("src/x/mod.rs", "mod a;\nmod b;\npub use b::{B, C};");
    let uses_a = ("src/x/b.rs", "use super::a::A;");
    assert_eq!(found(&[parent, uses_a, ("src/x/a.rs", "")]), 0);
    for code in [
        "use super::b::B;",
        "use super::{C, b::{self, B}};",
        "use crate::x::B;",
        "let b = crate::x::b::new();",
    ] {
        assert_eq!(found(&[parent, uses_a, ("src/x/a.rs", code)]), 2, "{code}");
    }
    let deep = ("src/x/a/deep.rs", "use super::super::b;");
    assert_eq!(found(&[parent, uses_a, deep]), 2);
    let parents_item = ("src/x/a.rs", "use super::Item;");
    assert_eq!(found(&[("src/x.rs", "mod a;\nuse a::A;"), parents_item]), 2);
    for condition in ["test", "all(test, unix)"] {
        let in_tests = format!("#[cfg({condition})]\nmod tests {{\n    use super::super::b;\n}}");
        assert_eq!(found(&[parent, uses_a, ("src/x/a.rs", &in_tests)]), 0);
    }
}
