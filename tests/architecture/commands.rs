//! The commands in documents and comments name targets that exist.

use std::collections::BTreeMap;

use super::files;
use super::packages::{self, Package};

type Packages = BTreeMap<String, Package>;

/// Options that name a target, with the kind of the target.
const TARGET_OPTIONS: [(&str, &str); 4] = [
    ("--bin", "bin"),
    ("--test", "test"),
    ("--bench", "bench"),
    ("--example", "example"),
];

#[test]
fn documented_commands_name_existing_targets() {
    let packages = packages::all();
    let pages = [
        "README.md",
        "CONTRIBUTING.md",
        "docs",
        "examples",
        "crates",
        "fuzz",
    ];
    let mut texts = files::texts(&pages, "md");
    texts.extend(files::texts(
        &["src", "tests", "examples", "crates", "fuzz"],
        "rs",
    ));
    let mut wrong = Vec::new();
    let mut count = 0;
    for (file, text) in &texts {
        let own = packages::owner(&packages, &files::root().join(file)).unwrap();
        for command in commands(file, text) {
            count += 1;
            let faults = faults(&packages, own, &command).into_iter();
            wrong.extend(faults.map(|fault| format!("{file}: cargo {command}: {fault}")));
        }
    }
    assert!(count > 20, "the commands were not found");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The commands of a page, or of the comments of a source, without `cargo`.
fn commands(file: &str, text: &str) -> Vec<String> {
    let is_source = file.ends_with(".rs");
    let joined = text.replace("\\\n", " ");
    let lines = joined.lines().map(str::trim_start);
    let lines = lines.filter(|line| !is_source || line.starts_with("//"));
    let mut commands = Vec::new();
    for line in lines {
        for (_, rest) in line
            .match_indices("cargo ")
            .map(|(at, found)| line.split_at(at + found.len()))
        {
            let end = rest.find(['`', '|', ';']).unwrap_or(rest.len());
            let command = rest[..end].split(" #").next().unwrap();
            commands.push(command.trim().to_owned());
        }
    }
    commands
}

/// What a command names and does not exist. Without `-p` it is for the package `own`, which holds
/// the page.
fn faults(packages: &Packages, own: &str, command: &str) -> Vec<String> {
    let mut words = command
        .split_whitespace()
        .skip_while(|word| word.starts_with('+'));
    let subcommand = words.next().unwrap_or_default();
    let words: Vec<_> = words.take_while(|word| *word != "--").collect();
    let package = package_of(packages, own, &words);
    match subcommand {
        "run" | "test" | "bench" | "build" | "check" | "clippy" => {
            target_faults(package.clone(), &words)
        }
        "fuzz" => fuzz_faults(packages, &words),
        _ => Vec::new(),
    }
    .into_iter()
    .chain(run_faults(package, subcommand, &words))
    .collect()
}

fn value_of<'w>(words: &[&'w str], option: &str) -> Option<&'w str> {
    let at = words.iter().position(|word| *word == option)?;
    words.get(at + 1).copied()
}

/// The package of a command, or the name that no package has.
fn package_of<'p>(
    packages: &'p Packages,
    own: &str,
    words: &[&str],
) -> Result<&'p Package, String> {
    let named = value_of(words, "-p").or_else(|| value_of(words, "--package"));
    let name = named.unwrap_or(own);
    packages
        .get(name)
        .ok_or_else(|| format!("no package {name}"))
}

fn target_faults(package: Result<&Package, String>, words: &[&str]) -> Vec<String> {
    let package = match package {
        Ok(package) => package,
        Err(fault) => return vec![fault],
    };
    let mut faults = Vec::new();
    for (option, kind) in TARGET_OPTIONS {
        // In capitals it stands for any name.
        let is_name = |name: &&str| name.chars().any(char::is_lowercase);
        let name = value_of(words, option).filter(is_name);
        if let Some(name) = name.filter(|name| !package.targets[kind].contains(*name)) {
            faults.push(format!("no {kind} {name}"));
        }
    }
    let features = value_of(words, "--features").into_iter();
    for feature in features.flat_map(|features| features.split(',')) {
        if !package.features.contains(feature) {
            faults.push(format!("no feature {feature}"));
        }
    }
    faults.extend(filter_fault(package, words));
    faults
}

/// The filter after `--test NAME`: some module or function of the target must match the filter.
fn filter_fault(package: &Package, words: &[&str]) -> Option<String> {
    let at = words.iter().position(|word| *word == "--test")?;
    let (name, filter) = (words.get(at + 1)?, words.get(at + 2)?);
    let tests = package.folder.join("tests");
    let tests = tests.strip_prefix(files::root()).unwrap().to_str().unwrap();
    let paths = [format!("{tests}/{name}.rs"), format!("{tests}/{name}")];
    let sources = files::texts(&paths.each_ref().map(String::as_str), "rs");
    let (modules, function) = filter.rsplit_once("::").unwrap_or(("", filter));
    let matches = |(file, text): (&String, &String)| {
        let is_module = file.contains(function) && file.contains(&modules.replace("::", "/"));
        is_module
            || text
                .lines()
                .any(|line| line.contains("fn ") && line.contains(function))
    };
    let is_option = filter.starts_with('-');
    let is_matched = is_option || sources.iter().any(matches);
    (!is_matched).then(|| format!("no test {filter} in {name}"))
}

/// Without a target `run` needs a package with a binary.
fn run_faults(
    package: Result<&Package, String>,
    subcommand: &str,
    words: &[&str],
) -> Option<String> {
    let names_target = words
        .iter()
        .any(|word| matches!(*word, "--example" | "--bin"));
    if subcommand != "run" || names_target {
        return None;
    }
    let has_binary = package.ok()?.targets["bin"].len() == 1;
    (!has_binary).then(|| "no binary to run".to_owned())
}

fn fuzz_faults(packages: &Packages, words: &[&str]) -> Vec<String> {
    let targets = &packages["object_store_failover-fuzz"].targets["bin"];
    match words {
        ["run" | "tmin" | "cmin", target, ..] if !targets.contains(*target) => {
            vec![format!("no fuzz target {target}")]
        }
        _ => Vec::new(),
    }
}

#[test]
fn commands_are_found_in_pages_and_comments() {
    let page =
        "| `cargo test` | `cargo +nightly fuzz run a b` |\n    cargo run \\\n  --example x # 1 s";
    let found = commands("page.md", page);
    assert_eq!(
        found,
        ["test", "+nightly fuzz run a b", "run    --example x"]
    );
    let source = "//! `cargo bench --bench y`\nlet z = \"cargo test --test z\";";
    assert_eq!(commands("source.rs", source), ["bench --bench y"]);
}

#[test]
fn unknown_names_are_faults() {
    let packages = packages::all();
    for (command, expected) in [
        ("test --test architecture commands", None),
        ("test --test architecture unknown_names_are_faults", None),
        ("run --example quickstart -- --test nothing", None),
        ("test --test nothing", Some("no test nothing")),
        (
            "test --test architecture no_such",
            Some("no test no_such in architecture"),
        ),
        (
            "bench -p failover-bench --bench nothing",
            Some("no bench nothing"),
        ),
        ("run --release -p nothing", Some("no package nothing")),
        (
            "run --features nothing --example quickstart",
            Some("no feature nothing"),
        ),
        ("run --release", Some("no binary to run")),
        ("+nightly fuzz run nothing", Some("no fuzz target nothing")),
    ] {
        let found = faults(&packages, "object_store_failover", command);
        assert_eq!(found.first().map(String::as_str), expected, "{command}");
    }
}
