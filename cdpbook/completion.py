"""``cdp completion``: a script that completes commands, options, presets and chapters."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from cdplib import parameters
from cdplib.experiments.datasets import DATASETS
from cdplib.experiments.table import EXPERIMENTS

SHELLS = ("bash", "zsh")
_ZSH = "autoload -U +X compinit bashcompinit && compinit && bashcompinit\n"
_SCRIPT = """\
# Completion for cdp in {shell}: eval "$(cdp completion {shell})". Files where nothing else fits.
_cdp() {{
    local words="" word="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}"
    case "$COMP_CWORD:${{COMP_WORDS[1]}}:$before" in
        1:*) words="{commands}" ;;
{cases}
    esac
    COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -o default -F _cdp cdp"""


def script(commands: dict[str, argparse.ArgumentParser], shell: str) -> str:
    """The script for ``shell``, bash or zsh, of subparsers by name; chapters as they are now."""
    cases = []
    for name, parser in commands.items():
        options: list[str] = []
        for action in parser._actions:
            if words := _words(action):
                if action.option_strings:
                    cases += [
                        f'        *:{name}:{o}) words="{words}" ;;' for o in action.option_strings
                    ]
                else:
                    options.append(words)
            elif action.option_strings and action.nargs != 0:  # a value of one's own, or a file
                cases += [f"        *:{name}:{o}) ;;" for o in action.option_strings]
            options += action.option_strings
        cases.append(f'        *:{name}:*) words="{_line(options)}" ;;')
    text = _SCRIPT.format(shell=shell, commands=_line(commands), cases="\n".join(cases))
    return (_ZSH if shell == "zsh" else "") + text


def _words(action: argparse.Action) -> str:
    """What may stand in the place of ``action``; empty where anything may."""
    if action.choices:
        return _line(map(str, action.choices))
    known = {"CHAPTER": parameters.chapters(), "EXP": EXPERIMENTS, "DATASET": DATASETS}
    return _line(known.get(str(action.metavar or action.dest).upper(), ()))


def _line(words: Iterable[str]) -> str:
    return " ".join(words)
