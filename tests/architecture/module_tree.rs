//! The modules of a crate, what each declares and imports, and where a path leads.
//!
//! It knows `use` trees, re-exports, globs, inline modules and paths in code. It does not know
//! names that only macros produce, nor methods: `self.method()` names no file.

use std::collections::{BTreeMap, BTreeSet};

use super::lexer;

/// A module by the names from the root of the crate; the root itself is empty.
pub(crate) type ModulePath = Vec<String>;

#[derive(Debug, Default)]
pub(crate) struct ModuleTree {
    modules: BTreeMap<ModulePath, Module>,
}

#[derive(Debug, Default)]
pub(crate) struct Module {
    pub(crate) file: String,
    items: BTreeSet<String>,
    pub(crate) imports: Vec<Import>,
    /// Paths with at least two segments outside `use`.
    pub(crate) paths: Vec<Vec<String>>,
    /// All words outside `use`.
    words: BTreeSet<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Import {
    pub(crate) path: Vec<String>,
    /// The name in this module; `*` for a glob.
    name: String,
    is_public: bool,
}

/// What a path names.
#[derive(Debug, PartialEq)]
enum Target {
    Module(ModulePath),
    Item { file: String },
}

/// Two files of the crate, of which the first uses the second.
pub(crate) type Edge = (String, String);

impl ModuleTree {
    /// From the files of a crate, by their path below its `src`.
    pub(crate) fn parse(files: &BTreeMap<String, String>) -> Self {
        let mut tree = Self::default();
        for (file, text) in files {
            let code = lexer::library_code(text);
            Parser::new(&mut tree, file).run(&lexer::tokens(&code));
        }
        tree
    }

    pub(crate) fn modules(&self) -> impl Iterator<Item = (&ModulePath, &Module)> {
        self.modules.iter()
    }

    /// The path from the root, if it begins with `crate`, `super` or `self`.
    pub(crate) fn absolute(module: &ModulePath, path: &[String]) -> Option<ModulePath> {
        let mut base = match path[0].as_str() {
            "crate" => ModulePath::new(),
            "self" | "super" => module.clone(),
            _ => return None,
        };
        let is_relative = |part: &&String| matches!(part.as_str(), "crate" | "self" | "super");
        for part in path.iter().take_while(is_relative) {
            if part == "super" {
                base.pop();
            }
        }
        base.extend(path.iter().skip_while(is_relative).cloned());
        Some(base)
    }

    /// Which file uses which, with one of the names as evidence.
    ///
    /// A file and those in its folder are one module with a public face: a child uses its
    /// ancestors by nature, and those edges are left out.
    pub(crate) fn edges(&self) -> BTreeMap<Edge, String> {
        let mut edges = BTreeMap::new();
        for (path, module) in &self.modules {
            let is_ancestor = |file: &str| {
                let ancestors = (0..=path.len()).filter_map(|end| self.modules.get(&path[..end]));
                ancestors.into_iter().any(|ancestor| ancestor.file == file)
            };
            for name in self.used_names(path, module) {
                match self.resolve(path, &name, 0) {
                    Some(Target::Item { file }) if !is_ancestor(&file) => {
                        edges.insert((module.file.clone(), file), name.join("::"));
                    }
                    _ => {}
                }
            }
        }
        edges
    }

    /// Paths that this module's own code depends on. A re-export counts only if the module also
    /// uses the name itself, and a glob for the names that occur in the code.
    fn used_names(&self, path: &ModulePath, module: &Module) -> Vec<Vec<String>> {
        let mut names = module.paths.clone();
        for import in &module.imports {
            if import.name == "*" {
                names.extend(self.names_by_glob(path, module, import));
            } else if !import.is_public || module.words.contains(&import.name) {
                names.push(import.path.clone());
            }
        }
        names
    }

    fn names_by_glob(&self, path: &ModulePath, module: &Module, glob: &Import) -> Vec<Vec<String>> {
        match self.resolve(path, &glob.path, 0) {
            Some(Target::Module(target)) => {
                let Some(target) = self.modules.get(&target) else {
                    return Vec::new();
                };
                let imported = target.imports.iter().map(|import| &import.name);
                let names = target.items.iter().chain(imported);
                let used = names.filter(|name| module.words.contains(*name));
                used.map(|name| [&glob.path[..], std::slice::from_ref(name)].concat())
                    .collect()
            }
            _ => vec![glob.path.clone()],
        }
    }

    /// None for what is outside of the crate. Re-exports lead to the file that defines the item.
    fn resolve(&self, module: &ModulePath, path: &[String], depth: usize) -> Option<Target> {
        // Imports of each other's names would never end.
        if depth > 16 {
            return None;
        }
        if let Some(absolute) = Self::absolute(module, path) {
            return self.descend(ModulePath::new(), &absolute, depth);
        }
        let child = [&module[..], &path[..1]].concat();
        let imports = &self.modules.get(module)?.imports;
        let is_first = |import: &&Import| import.name == path[0] && import.path != path;
        if self.modules.contains_key(&child) {
            self.descend(child, &path[1..], depth)
        } else if let Some(import) = imports.iter().find(is_first) {
            let expanded = [&import.path[..], &path[1..]].concat();
            self.resolve(module, &expanded, depth + 1)
        } else {
            None
        }
    }

    fn descend(&self, mut base: ModulePath, path: &[String], depth: usize) -> Option<Target> {
        for (index, part) in path.iter().enumerate() {
            let child = [&base[..], std::slice::from_ref(part)].concat();
            if self.modules.contains_key(&child) {
                base = child;
                continue;
            }
            return self.find_in(&base, part, &path[index + 1..], depth);
        }
        Some(Target::Module(base))
    }

    /// The item or import `name` of a module, followed by the rest of the path.
    fn find_in(
        &self,
        base: &ModulePath,
        name: &str,
        rest: &[String],
        depth: usize,
    ) -> Option<Target> {
        let module = self.modules.get(base)?;
        let own = || Target::Item {
            file: module.file.clone(),
        };
        if module.items.contains(name) {
            return Some(own());
        }
        if let Some(import) = module.imports.iter().find(|import| import.name == name) {
            let expanded = [&import.path[..], rest].concat();
            return self.resolve(base, &expanded, depth + 1);
        }
        let globs = module.imports.iter().filter(|import| import.name == "*");
        for glob in globs {
            let Some(Target::Module(target)) = self.resolve(base, &glob.path, depth + 1) else {
                continue;
            };
            let declares = |module: &Module| {
                let imported = module.imports.iter().any(|import| import.name == name);
                imported || module.items.contains(name)
            };
            if self.modules.get(&target).is_some_and(declares) {
                return self.find_in(&target, name, rest, depth + 1);
            }
        }
        // Produced by a macro.
        Some(own())
    }
}

/// Reads the tokens of one file into the tree.
struct Parser<'t> {
    tree: &'t mut ModuleTree,
    file: String,
    module: ModulePath,
    /// For each open brace, whether it is that of an inline module.
    braces: Vec<bool>,
}

impl<'t> Parser<'t> {
    fn new(tree: &'t mut ModuleTree, file: &str) -> Self {
        let stem = file.trim_end_matches(".rs");
        let parts = stem
            .split('/')
            .filter(|part| !matches!(*part, "mod" | "lib"));
        Self {
            tree,
            file: file.to_owned(),
            module: parts.map(str::to_owned).collect(),
            braces: Vec::new(),
        }
    }

    fn current(&mut self) -> &mut Module {
        let module = self.tree.modules.entry(self.module.clone()).or_default();
        module.file.clone_from(&self.file);
        module
    }

    fn run(&mut self, tokens: &[&str]) {
        self.current();
        let mut at = 0;
        while at < tokens.len() {
            at += self.step(tokens, at);
        }
    }

    /// Reads what begins at `at`; returns how many tokens that is.
    fn step(&mut self, tokens: &[&str], at: usize) -> usize {
        let next = tokens.get(at + 1).copied().unwrap_or_default();
        match tokens[at] {
            // `impl Trait + use<'a>` is no import.
            "use" if next != "<" => {
                let length = tokens[at..]
                    .iter()
                    .take_while(|token| **token != ";")
                    .count();
                let is_public = at > 0 && matches!(tokens[at - 1], "pub" | ")");
                self.import(&mut &tokens[at + 1..at + length], &[], is_public);
                return length;
            }
            "mod" if tokens.get(at + 2) == Some(&"{") => {
                self.module.push(next.to_owned());
                self.braces.push(true);
                self.current();
                return 3;
            }
            "{" => self.braces.push(false),
            "}" if self.braces.pop() == Some(true) => {
                self.module.pop();
            }
            "macro_rules" => self.declare(tokens.get(at + 2).copied().unwrap_or_default()),
            "fn" | "struct" | "enum" | "trait" | "type" | "const" | "static" | "union" => {
                self.declare(next);
            }
            word if word.starts_with(lexer::is_word) => return self.path(tokens, at),
            _ => {}
        }
        1
    }

    /// Only items of the module itself, not those in functions and implementations.
    fn declare(&mut self, name: &str) {
        if name.starts_with(lexer::is_word) && self.braces.iter().all(|is_module| *is_module) {
            self.current().items.insert(name.to_owned());
        }
    }

    /// A path, or a word by itself.
    fn path(&mut self, tokens: &[&str], at: usize) -> usize {
        let mut path = vec![tokens[at].to_owned()];
        let mut end = at + 1;
        while tokens.get(end) == Some(&"::") {
            let Some(part) = tokens
                .get(end + 1)
                .filter(|part| part.starts_with(lexer::is_word))
            else {
                break;
            };
            path.push((*part).to_owned());
            end += 2;
        }
        let module = self.current();
        module.words.insert(path[0].clone());
        // `$crate::x` and `a::<B>::c` have no beginning here.
        if path.len() > 1 && (at == 0 || tokens[at - 1] != "::") {
            module.paths.push(path);
        }
        end - at
    }

    /// A tree of imports up to its comma, closing brace or end.
    fn import(&mut self, tokens: &mut &[&str], prefix: &[String], is_public: bool) {
        // `use ::name` is another crate even if a module has this name.
        let is_external = prefix.is_empty() && tokens.first() == Some(&"::");
        let mut path = prefix.to_vec();
        let mut name = None;
        while let Some((token, rest)) = tokens.split_first() {
            match *token {
                "," | "}" => break,
                "{" if !is_external => {
                    *tokens = rest;
                    self.import_group(tokens, &path, is_public);
                    return;
                }
                "::" | "{" => {}
                "as" => {
                    name = rest.first().map(|name| (*name).to_owned());
                    *tokens = &rest[1..];
                    continue;
                }
                "*" => name = Some("*".to_owned()),
                // `use a::{self, B}` imports `a`.
                "self" if !path.is_empty() => {}
                part => path.push(part.to_owned()),
            }
            *tokens = rest;
        }
        let last = path.last().cloned().filter(|_| !is_external);
        if let Some(last) = last {
            self.current().imports.push(Import {
                name: name.unwrap_or(last),
                path,
                is_public,
            });
        }
    }

    fn import_group(&mut self, tokens: &mut &[&str], prefix: &[String], is_public: bool) {
        while let Some((token, rest)) = tokens.split_first() {
            match *token {
                "}" => {
                    *tokens = rest;
                    return;
                }
                "," => *tokens = rest,
                _ => self.import(tokens, prefix, is_public),
            }
        }
    }
}
