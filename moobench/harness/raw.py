"""Raw durations as MooBench writes them, for who wants to look at them with its tools: raw-LOOP-DEPTH-INDEX.csv, with
`thread;duration` of every invocation, warm-up included. One folder for each suite's place, in which INDEX is the configuration's."""
import os

INDEX = "index.txt"


def index_of(folder, name):
    """The number of a configuration in a folder; index.txt says which is which."""
    path = os.path.join(folder, INDEX)
    names = []
    if os.path.exists(path):
        with open(path) as text:
            names = [line.split(" ", 1)[1].rstrip("\n") for line in text]
    if name not in names:
        names.append(name)
        with open(path, "a") as out:
            out.write("%d %s\n" % (len(names) - 1, name))
    return names.index(name)


def write(run, cell, number, folder):
    """Of a run that alternates, the traced blocks are the loop."""
    place = os.path.join(folder, "%s-threads-%d" % (cell.version or cell.configuration.language, cell.parameters.threads))
    os.makedirs(place, exist_ok=True)
    name = "raw-%d-%d-%d.csv" % (number, cell.parameters.depth, index_of(place, cell.configuration.name))
    counted = any(block.traced for block in run.blocks)
    with open(os.path.join(place, name), "w") as out:
        for block in run.blocks:
            if block.traced == counted:
                durations = run.durations[block.thread][block.first:block.first + block.count]
                out.writelines("%d;%d\n" % (block.thread, duration) for duration in durations)
