"""Load 100,000 projects into SQLite and PostgreSQL, measure, print a table, write JSON into var/."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from tests.bench.start import seconds_to_answer

ROOT = Path(__file__).resolve().parents[2]
POSTGRES = "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"
DATABASE = "govproject_bench"
PASSWORD = "Bench-only-password-1"


def main() -> None:
    """Measure every database that answers."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--projects", type=int, default=100_000)
    chosen = options.parse_args()
    results: dict[str, Any] = {"start_seconds": seconds_to_answer()}
    print(f"a second `make run` answers after {results['start_seconds']} s", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, url in _databases(Path(folder)):
            print(f"{name}: loading {chosen.projects:,} projects …", flush=True)
            results[name] = _measure(url, Path(folder) / name, chosen.projects)
            _print({name: results[name]})
            # After each database: whoever stops the second half keeps the first.
            path = ROOT / "var" / "bench.json"
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
            print(f"\nwritten to {path.relative_to(ROOT)}", flush=True)


def _databases(folder: Path) -> list[tuple[str, str]]:
    found = [("SQLite", f"sqlite:///{folder / 'bench.db'}")]
    server = os.environ.get("TEST_POSTGRES_URL", POSTGRES)
    try:
        engine = create_engine(server, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 3})
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)"))
            connection.execute(text(f"CREATE DATABASE {DATABASE}"))
    except Exception as error:
        print(f"PostgreSQL left out: {type(error).__name__}")
    else:
        found.append(("PostgreSQL", server.rsplit("/", 1)[0] + f"/{DATABASE}"))
    return found


def _measure(url: str, folder: Path, projects: int) -> dict[str, Any]:
    environment = {
        **os.environ,
        "APP_PROFILE": "demo",
        "DATABASE_URL": url,
        "DATA_DIR": str(folder),
        "HUEY_URL": "memory://",
        "DEMO_PASSWORD": PASSWORD,
        "DEMO_PROJECTS": str(projects),
        "FLASK_APP": "run.py",
    }
    started = time.perf_counter()
    subprocess.run(["flask", "start"], env=environment, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    result: dict[str, Any] = {"load_seconds": round(time.perf_counter() - started, 1)}
    if url.startswith("postgresql"):
        with create_engine(url, isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("VACUUM ANALYZE"))
    # The duplicate check comes last: it gives the projects other titles.
    for part in ("ours", "export", "plain", "similar"):
        result[part] = _part(part, environment)
    return result


def _part(part: str, environment: dict[str, str]) -> dict[str, Any]:
    """One measurement in a process of its own, so that memory and caches are its own."""
    command = [sys.executable, "-m", f"tests.bench.{part}"]
    done = subprocess.run(command, env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _print(results: dict[str, dict[str, Any]]) -> None:
    print(f"\n{'':26}{'':28}{'statements':>11}{'ms':>9}{'KB':>7}")
    for database, result in results.items():
        for part in ("ours", "plain"):
            for page, figures in result[part].items():
                print(
                    f"{database:<26}{part + ' · ' + page:<28}"
                    f"{figures['statements']:>11}{figures['ms']:>9.1f}{figures['kb']:>7}"
                )
        similar = result["similar"]
        for label in ("typing", "typing_known", "submit", "submit_known"):
            times = similar[f"{label}_ms"]
            print(
                f"{database:<26}{'similar · ' + label:<28}{'median':>11}{times['median']:>9.1f}"
                f"  p95 {times['p95']:.1f}  most {times['most']:.1f}"
            )
        print(
            f"{database:<26}{'similar · index':<28}{similar['postings']:>11,} postings, "
            f"{sum(similar['index_mb'].values()):.0f} MB, {similar['write_ms']} ms a write, "
            f"rebuilt in {similar['rebuild_seconds']} s"
        )
        export = result["export"]
        for rows, figures in export.items():
            print(
                f"{database:<26}{'export · ' + rows + ' rows':<28}"
                f"{figures['rows_per_second']:>11,} rows/s, peak {figures['peak_mb']} MB"
            )
        for page in ("first", "filtered", "page 3000"):
            ratio = result["ours"][f"list, {page}"]["ms"] / result["plain"][f"list, {page}"]["ms"]
            result.setdefault("ratio", {})[page] = round(ratio, 3)
            print(f"{database:<26}{'ours / plain · ' + page:<28}{ratio:>20.2f}")


if __name__ == "__main__":
    main()
