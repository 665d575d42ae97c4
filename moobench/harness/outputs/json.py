"""results.json: everything, for programs."""
from harness import results as all_results


def write(results, folder):
    all_results.save(results, folder)
