//! Joins the widget's modules into the one script that browsers get.
//!
//! Many small files are good to read, and many requests before a person sees anything. Nothing is renamed or rewritten
//! here, so what is sent is still what was written: the modules in the order of their imports, without the lines that
//! are nothing but comment and less indented. That is enough because the modules keep to a form, which is checked: first lines like
//! `import { a, b } from './c.js';`, then declarations, some with `export` before them, and no name twice among those
//! of the outermost level.

use std::collections::BTreeMap;

/// The entry and all that it imports, as one text; or what in them cannot be joined.
pub(super) fn join(entry: &str, modules: &[(&str, &str)]) -> Result<String, String> {
    let mut script = Script { modules, text: String::new(), declared: BTreeMap::new() };
    script.add(entry, &mut Vec::new())?;
    Ok(script.text)
}

/// A script or a style sheet as it is sent: without the lines that are nothing but comment, and half as far indented.
pub(super) fn trimmed(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut is_inside = false;
    for line in text.lines() {
        let code = line.trim_start();
        if is_inside || code.starts_with("/*") {
            is_inside = !line.trim_end().ends_with("*/");
        } else if !code.starts_with("//") {
            kept.push_str(&line[(line.len() - code.len()).div_ceil(2)..]);
            kept.push('\n');
        }
    }
    kept
}

struct Script<'a> {
    modules: &'a [(&'a str, &'a str)],
    text: String,
    /// Names of the outermost level: the module of each, and whether that exports it.
    declared: BTreeMap<String, (String, bool)>,
}

impl Script<'_> {
    /// Adds a module after those that it imports. `path` is how it was reached.
    fn add(&mut self, module: &str, path: &mut Vec<String>) -> Result<(), String> {
        let (_, text) = self
            .modules
            .iter()
            .find(|(name, _)| *name == module)
            .ok_or_else(|| format!("{module} is not there"))?;
        if path.iter().any(|name| name == module) {
            return Err(format!("{module} imports itself, by way of {path:?}"));
        }
        let title = format!("\n// {module}\n");
        if self.text.contains(&title) {
            return Ok(());
        }
        path.push(module.to_owned());
        let mut body = String::new();
        for line in trimmed(text).lines() {
            if line.contains("import(") || line.contains("import.meta") || line.matches('`').count() % 2 == 1
            {
                return Err(format!("{module}: this cannot be joined: {line}"));
            } else if !line.starts_with("import ") {
                body.push_str(self.declare(module, line)?);
                body.push('\n');
            } else if body.trim().is_empty() {
                self.import(module, line, path)?;
            } else {
                return Err(format!("{module}: an import after the first line of code: {line}"));
            }
        }
        path.pop();
        self.text.push_str(&title);
        self.text.push_str(body.trim_start_matches('\n'));
        Ok(())
    }

    fn import(&mut self, importer: &str, line: &str, path: &mut Vec<String>) -> Result<(), String> {
        let (names, module) = line
            .strip_prefix("import { ")
            .and_then(|rest| rest.strip_suffix("';"))
            .and_then(|rest| rest.split_once(" } from './"))
            .ok_or_else(|| format!("{importer}: an import of another form: {line}"))?;
        self.add(module, path)?;
        let is_exported =
            |name: &str| self.declared.get(name).is_some_and(|(of, exported)| of == module && *exported);
        match names.split(", ").find(|name| !is_exported(name)) {
            Some(name) => Err(format!("{importer} imports {name}, which {module} does not export")),
            None => Ok(()),
        }
    }

    /// A line of code without its `export`. What it declares on the outermost level is written down.
    fn declare<'b>(&mut self, module: &str, line: &'b str) -> Result<&'b str, String> {
        let code = line.strip_prefix("export ").unwrap_or(line);
        let is_export = code.len() < line.len();
        let after = ["async function ", "function ", "class ", "const ", "let "]
            .iter()
            .find_map(|keyword| code.strip_prefix(keyword));
        let Some(after) = after else {
            return if is_export {
                Err(format!("{module}: an export of another form: {line}"))
            } else {
                Ok(code)
            };
        };
        let name: String =
            after.chars().take_while(|letter| letter.is_alphanumeric() || "_$".contains(*letter)).collect();
        if name.is_empty() {
            return Err(format!("{module}: a declaration of another form: {line}"));
        }
        match self.declared.insert(name.clone(), (module.to_owned(), is_export)) {
            Some((other, _)) => Err(format!("{name} is declared in {other} and in {module}")),
            None => Ok(code),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{join, trimmed};

    #[test]
    fn modules_come_after_what_they_import_and_once() {
        let modules = [
            ("a.js", "// About.\nimport { b } from './b.js';\nimport { c, d } from './c.js';\n\nb(c, d);\n"),
            (
                "b.js",
                "import { c } from './c.js';\n\n/** Says\n * it. */\nexport function b() {\n  // Why.\n  c();\n}\n",
            ),
            ("c.js", "export const c = 1; // one\nexport async function d() {}\nlet own = 2;\n"),
        ];
        let joined = "\n// c.js\nconst c = 1; // one\nasync function d() {}\nlet own = 2;\n\
                      \n// b.js\nfunction b() {\n c();\n}\n\
                      \n// a.js\nb(c, d);\n";
        assert_eq!(join("a.js", &modules).as_deref(), Ok(joined));
    }

    #[test]
    fn what_cannot_be_joined_is_said() {
        let refused = |text: &str, part: &str| {
            let modules = [
                ("a.js", text),
                ("b.js", "export const b = 1;\nconst own = 2;\n"),
                ("c.js", "import { x } from './a.js';\n"),
            ];
            let said = join("a.js", &modules).expect_err(text);
            assert!(said.contains(part), "{said}");
        };
        refused("import { b } from './b.js';\nconst own = 1;\n", "own is declared in b.js and in a.js");
        refused("import { own } from './b.js';\n", "imports own, which b.js does not export");
        refused("import { b } from './d.js';\n", "d.js is not there");
        refused("import { x } from './c.js';\nexport const x = 1;\n", "imports itself");
        refused("import { b as c } from './b.js';\n", "does not export");
        refused("import b from './b.js';\n", "an import of another form");
        refused("const a = 1;\nimport { b } from './b.js';\n", "an import after");
        refused("export default 1;\n", "an export of another form");
        refused("const { a } = {};\n", "a declaration of another form");
        refused("const a = import('./b.js');\n", "cannot be joined");
        refused("const a = `\n// no comment\n`;\n", "cannot be joined");
    }

    #[test]
    fn only_lines_that_are_nothing_but_comment_go() {
        let text = "/* One. */\na { b: c; } /* two */\n/* three\n   four */\n  // five\n'//';\n";
        assert_eq!(trimmed(text), "a { b: c; } /* two */\n'//';\n");
    }
}
