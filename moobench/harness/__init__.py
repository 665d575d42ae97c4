"""MooBench: what monitoring costs, measured side by side. `moobench/run --help` says how."""
