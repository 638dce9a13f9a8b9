#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What doc/*.md show is true: configurations are accepted, links lead somewhere, commands exist.

Blocks of the language `iprevd.conf` are given to `iprevd -t`, each by itself and each within the
file that is installed, the tables that they name lying beside them; warnings count as mistakes.
Every file is installed and named in README.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "tests" / "integration"))
import fenced  # noqa: E402
from daemon import program  # noqa: E402

FILES = sorted((TOP / "doc").glob("*.md"))
SAMPLE = TOP / "conf" / "iprevd.conf"
TABLES = {"cidr": "192.0.2.0/24 permit\n", "pcre": "/dsl/ REJECT\n", "regexp": "/dsl/ REJECT\n",
          "texthash": "mail.example.org OK\n"}
# Other languages that have tests of their own, and what is only for reading.
LANGUAGES = {"iprevd.conf", "main.cf", "master.cf", "sendmail.mc", "sh", "reply", "console",
             "console debian", ""}


def accepts(text, folder):
    """What `iprevd -t` has against it; nothing when it is good."""
    for kind, path in re.findall(r'"(cidr|pcre|regexp|texthash):(/[^"]+)"', text):
        table = folder / path.lstrip("/").replace("/", "-")
        table.write_text(TABLES[kind])
        text = text.replace(path, str(table))
    # Directories that a package makes.
    text = re.sub(r'"/var/(?:lib|log)/iprevd', f'"{folder}', text)
    (folder / "iprevd.conf").write_text(text)
    done = subprocess.run([program(), "-t", "-c", folder / "iprevd.conf"], capture_output=True,
                          text=True, check=False)
    # Groups and directories of programs that are not installed here.
    said = re.sub(r"^warning: .* (there is no group|/var/.*: No such file or directory:) .*\n", "", done.stderr,
                  flags=re.MULTILINE)
    return said if done.returncode or "warning" in said else ""


BLOCK = re.compile(r'^(\w+(?: "[^"]+")?) \{(.*?)^\}$|^(\w+(?: "[^"]+")?) \{ (.*) \}$',
                   re.DOTALL | re.MULTILINE)


def merged(sample, text):
    """The installed file with `text` in it, as people do it: everything where its like is."""
    for whole in BLOCK.finditer(text):
        head, body = whole[1] or whole[3], whole[2] or "    " + whole[4] + "\n"
        found = re.search(rf"^{re.escape(head)} \{{$.*?^(\}})$", sample, re.DOTALL | re.MULTILINE)
        if not found:
            sample += whole[0] + "\n"
            continue
        inside = sample[found.start():found.start(1)]
        for name in re.findall(r"^ +check ([\w-]+) *\{", body, re.MULTILINE):
            inside = re.sub(rf"^ +check {name} +\{{.*\}}\n", "", inside, flags=re.MULTILINE)
        sample = sample[:found.start()] + inside + body + sample[found.start(1):]
    for name, rest in re.findall(r"^([\w-]+)(\s*\+?=.*)$", BLOCK.sub("", text), re.MULTILINE):
        sample, count = re.subn(rf"^{name} *=.*$", name + rest, sample, flags=re.MULTILINE)
        sample = sample if count else f"{name}{rest}\n{sample}"
    return sample


def check_blocks(path, folder):
    wrong, shown = [], 0
    for block in fenced.blocks(path.read_text()):
        place = f"doc/{path.name}:{block.line}"
        if block.language not in LANGUAGES:
            wrong.append(f"{place}: nothing tests blocks of the language {block.language}")
        if block.language == "iprevd.conf":
            shown += 1
            whole = merged(SAMPLE.read_text(), block.text)
            complaint = accepts(block.text, folder) or accepts(whole, folder)
            if complaint:
                wrong.append(f"{place}: {complaint}")
    return wrong, shown


def check_links(path):
    text = path.read_text()
    wrong = [f"doc/{path.name}: there is no {target}"
             for target in re.findall(r"\]\(([^)#:]+)\)", text)
             if not (path.parent / target).exists()]
    wrong += [f"doc/{path.name}: there is no {name}" for name in re.findall(r"\bdoc/[\w.-]+", text)
              if not (TOP / name.rstrip(".")).exists()]
    return wrong


def check_commands(path, known):
    """Commands of iprevctl that are mentioned exist, and take the options that are shown."""
    wrong = []
    shown = re.findall(r"(?:`|^ +|\$ |\d # |\| )iprevctl ([a-z]+)([^\n`|]*)", path.read_text(), re.MULTILINE)
    for name, rest in shown:
        if name not in known:
            wrong.append(f"{path.name}: there is no command iprevctl {name}")
            continue
        wrong += [f"{path.name}: iprevctl {name} has no option --{option}"
                  for option in re.findall(r"(?<=\s)--([\w-]+)", rest)
                  if option not in known[name]]
    return wrong


def known_commands():
    """{command: its help}."""
    listed = subprocess.run([program("iprevctl"), "--help"], capture_output=True, text=True,
                            check=True).stdout
    names = re.findall(r"^  (\w+) {2,}", listed, re.MULTILINE)
    return {name: set(re.findall(r"--([\w-]+)", subprocess.run(
        [program("iprevctl"), name, "--help"], capture_output=True, text=True, check=True).stdout))
            for name in names}


def check_lists():
    readme, made = (TOP / "README").read_text(), (TOP / "doc" / "local.mk").read_text()
    return [f"{where} does not name doc/{path.name}" for path in FILES
            for where, text in (("README", readme), ("doc/local.mk", made))
            if f"doc/{path.name}" not in text]


# What a map need not name: these stand together in a directory or a family that it does name.
FAMILIES = ("src/base/", "src/ctl/logs/", "src/ctl/replay/", "src/ctl/report/", "src/site/tables/",
            "src/daemon/session", "src/daemon/libmilter")


def check_maps():
    """Each module of src has its place in the maps of architecture.md, and nothing else has."""
    text = (TOP / "doc" / "architecture.md").read_text()
    names = set(re.findall(r"`(?:\w+/)?(\w+)(?:\.[ch])?`", text))
    modules = {path for path in TOP.glob("src/**/*.c")}
    stems = {path.stem for path in TOP.glob("src/**/*.[ch]")}
    for path in sorted(modules):
        place = str(path.relative_to(TOP))
        subcommand = path.parent.name == "ctl" and "struct command command_" in path.read_text()
        if not place.startswith(FAMILIES) and path.stem not in names and not subcommand:
            yield f"architecture.md: no map names {place}"
    for name in set(re.findall(r"`(?:\w+/)?(\w+)\.[ch]`", text)) - stems:
        yield f"architecture.md: there is no {name}.c"


def main():
    wrong, shown, known = [*check_lists(), *check_maps()], 0, known_commands()
    for path in [*FILES, TOP / "README", TOP / "debian" / "iprevd.README.Debian",
                 SAMPLE]:
        wrong += check_commands(path, known)
    with tempfile.TemporaryDirectory(prefix="iprevd-documents-") as name:
        folder = pathlib.Path(name)
        if not accepts("mode = monitr\n", folder) or accepts("mode = monitor\n", folder):
            wrong.append("iprevd -t does not tell good from bad")
        for path in FILES:
            found, count = check_blocks(path, folder)
            wrong += found + check_links(path)
            shown += count
    print("\n".join(wrong) if wrong else f"{shown} configurations in {len(FILES)} files")
    return 1 if wrong or shown == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
