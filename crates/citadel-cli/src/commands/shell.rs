//! `citadel completions` and `citadel man`: what packages put beside the program, made of the table of verbs.

use std::{fs, io, path::Path, process::ExitCode};

use anyhow::Context as _;
use clap::{Command, CommandFactory as _};
use clap_complete::Shell;

use crate::{args::Cli, output};

/// What a shell needs to complete verbs and options, on standard output.
pub(crate) fn completions(shell: Shell) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "citadel", &mut script);
    output::part(&script);
    ExitCode::SUCCESS
}

/// A man page for each verb.
pub(crate) fn man(folder: &Path) -> anyhow::Result<ExitCode> {
    let write = || -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut citadel = Cli::command();
        // Names of verbs become those of their pages: `citadel-client-create`.
        citadel.build();
        write_pages(&citadel, folder)
    };
    write().with_context(|| {
        format!("cannot write man pages to {}: name a folder that can be written", folder.display())
    })?;
    Ok(ExitCode::SUCCESS)
}

fn write_pages(command: &Command, folder: &Path) -> io::Result<()> {
    let page = clap_mangen::Man::new(command.clone().disable_help_subcommand(true));
    page.generate_to(folder)?;
    let verbs = command.get_subcommands().filter(|verb| verb.get_name() != "help" && !verb.is_hide_set());
    verbs.into_iter().try_for_each(|verb| write_pages(verb, folder))
}
