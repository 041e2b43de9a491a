"""``python -m console``: the command line, for processes that start others of their kind."""

from console.cli.main import main

if __name__ == "__main__":
    main(prog_name="cobranza")
