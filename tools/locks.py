"""Makes the two lock files; `tools/lock` is the command."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence

from tools.environment import ROOT, Environment, Packages, say

OPTIONS = (
    "--universal",  # one file for every platform and every Python that pyproject.toml allows
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-header",  # it would carry the command line, with a path of this machine in it
    "--quiet",
)


def main(arguments: Sequence[str]) -> int:
    """Write both locks; returns the exit code."""
    if set(arguments) - {"--upgrade"}:
        say("usage: tools/lock [--upgrade]")
        return 2
    uv = shutil.which("uv", path=str(Environment().bin)) or shutil.which("uv")
    if uv is None:
        say("tools/lock needs uv: .venv/bin/pip install uv")
        return 2
    develop = ("--extra", "dev", "--constraint", Packages.RUN.value)
    for packages, extra in ((Packages.RUN, ()), (Packages.DEVELOP, develop)):
        command = [uv, "pip", "compile", *OPTIONS, *extra, *arguments]
        command += ["pyproject.toml", "--output-file", packages.value]
        if subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.DEVNULL).returncode:
            say(f"{packages.value} was not written: see above")
            return 1
        say(f"{packages.value} written")
    return 0
