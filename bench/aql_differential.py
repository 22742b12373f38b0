"""Plans against the slow evaluator: generated queries over generated records, by rows and by compositions.

    python -m bench.aql_differential                     5,000 pairs, another seed each time
    python -m bench.aql_differential --seed 7 --pairs 10 the pairs of a seed again

Exit status 1 at the first difference, with the seed and the query.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from random import Random, SystemRandom

from cdr.aql import collectors, parse, resolve
from cdr.aql.rows_decide import why_payload
from tests.cdr.aql.records import random_records
from tests.cdr.aql.test_differential import ACCESSES, QUERIES_A_SEED, check_equal, queries_of


def main() -> int:
    """Run the pairs and print what was compared."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=5000, help="queries to compare (default 5000)")
    parser.add_argument("--seed", type=int, help="the first seed (default: a random one)")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    first = SystemRandom().randrange(2**31) if arguments.seed is None else arguments.seed
    seeds = range(first, first + max(1, arguments.pairs // QUERIES_A_SEED))
    started = time.monotonic()
    by_rows = rows = done = 0
    with ProcessPoolExecutor(arguments.processes) as pool:
        for difference, counts in pool.map(_compare, seeds, chunksize=4):
            if difference:
                print(difference)
                pool.shutdown(cancel_futures=True)
                return 1
            done, by_rows, rows = (a + b for a, b in zip((done, by_rows, rows), counts, strict=True))
    seconds = time.monotonic() - started
    print(f"seeds {seeds[0]} to {seeds[-1]}: {done} queries, {by_rows} of them decided on rows too,")
    print(f"{rows} rows, no difference, {seconds:.0f} s")
    return 0


def _compare(seed: int) -> tuple[str, Sequence[int]]:
    """What differs for a seed; the queries, those that rows decide, and the rows."""
    collectors._CUT_EVERY = 1  # so few records are there that every chance to stop must be taken
    rng = Random(seed)
    records = random_records(rng)
    done = by_rows = rows = 0
    for query in queries_of(rng):
        access = rng.choice(ACCESSES)
        try:
            rows += check_equal(records, query, access)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong is what is looked for
            return f"seed {seed}: {type(error).__name__} with {access}\n{query.text}", (0, 0, 0)
        done += 1
        by_rows += why_payload(resolve(parse(query.text))) is None
    return "", (done, by_rows, rows)


if __name__ == "__main__":
    sys.exit(main())
