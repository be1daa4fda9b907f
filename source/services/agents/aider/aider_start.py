"""
Runs one Aider that takes nothing from the folder it works in but what its arguments name: no module, no
configuration, no environment file. Whoever wrote a repository must not run code by a file in its root.

Run by Aider's own interpreter, with / as the working folder, in place of the script that starts Aider:

    python aider_start.py SCRIPT FOLDER ARGUMENTS...

`fork_server.py` uses the same functions for the agents that it forks.
"""

import os
import sys

# What Aider would read from its working folder and from the root of the repository.
NAMES = (
    ".aider.conf.yml",
    ".env",
    ".aider.model.settings.yml",
    ".aider.model.metadata.json",
    ".aider.tags.cache.v4",
)


class ModulePath(list):
    """A `sys.path` to which no package can add the working folder, as some do when they are imported."""

    @staticmethod
    def allows(folder):
        folder = str(folder)
        return os.path.isabs(folder) and os.path.normpath(folder) != os.getcwd()

    def append(self, folder):
        if self.allows(folder):
            super().append(folder)

    def insert(self, index, folder):
        if self.allows(folder):
            super().insert(index, folder)

    def extend(self, folders):
        super().extend([folder for folder in folders if self.allows(folder)])

    def __iadd__(self, folders):
        self.extend(folders)
        return self


def use_path_of(script):
    """A started script has its own folder first; nothing relative, which would follow the working folder."""
    folders = [os.path.dirname(script), *sys.path[1:]]
    sys.path = ModulePath(folder for folder in folders if os.path.isabs(folder))


def isolate():
    """
    Leaves Aider the files of the user's home and those that its arguments name. Returns the functions of
    Aider's that are missing for that, in a version that this was not made for.
    """
    from pathlib import Path

    import aider.main as main

    get_parser = getattr(main, "get_parser", None)
    search = getattr(main, "generate_search_path_list", None)
    missing = [
        name
        for name, function in (("get_parser", get_parser), ("generate_search_path_list", search))
        if function is None
    ]
    if missing:
        return missing

    def own_parser(default_config_files, git_root):
        home = str(Path.home() / ".aider.conf.yml")
        parser = get_parser([file for file in default_config_files if file == home], git_root)
        # Where no argument names one, Aider takes the repository's own.
        parser.set_defaults(
            env_file=None, model_settings_file=None, model_metadata_file=None, aiderignore=None
        )
        return parser

    def own_search(default_file, git_root, command_line_file):
        files = [Path.home() / default_file]
        # A relative name, of the home's configuration, would mean a file of the repository.
        if command_line_file and os.path.isabs(command_line_file):
            files.append(Path(command_line_file))
        return list(dict.fromkeys(str(file) for file in files))

    main.get_parser = own_parser
    main.generate_search_path_list = own_search
    leave_cache_unread()
    return []


def leave_cache_unread():
    """The cache of the map of a repository is pickled, and lies in its root: to read it is to run it."""
    try:
        from aider.repomap import RepoMap
    except ImportError:
        return

    def load_tags_cache(self):
        self.TAGS_CACHE = {}

    RepoMap.load_tags_cache = load_tags_cache


def enter(folder, missing):
    """Goes into the working folder. Raises where Aider would obey what lies there."""
    os.chdir(folder)
    there = [name for name in NAMES if os.path.lexists(name)]
    if missing and there:
        raise RuntimeError(
            "this version of Aider cannot be kept from reading %s of the repository" % ", ".join(there)
        )


def run_aider(argv):
    """Runs Aider to its end. Returns the exit code of the script that starts it."""
    code = 1
    try:
        from aider.main import main

        sys.argv = argv
        code = main()
    except SystemExit as end:
        code = end.code
    if code is None:
        code = 0
    elif not isinstance(code, int):
        print(code, file=sys.stderr)
        code = 1
    return code & 0xFF


def start():
    script, folder = sys.argv[1], sys.argv[2]
    argv = [script, *sys.argv[3:]]
    use_path_of(script)
    missing = isolate()
    sys.orig_argv = [sys.executable, *argv]
    try:
        enter(folder, missing)
    except (OSError, RuntimeError) as error:
        print("aider cannot start: %s" % error, file=sys.stderr)
        return 1
    return run_aider(argv)


if __name__ == "__main__":
    sys.exit(start())
