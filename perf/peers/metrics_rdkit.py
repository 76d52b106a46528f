"""The figures of `chemscale metrics` by RDKit, as MOSES computes them: python metrics_rdkit.py GENERATED REFERENCE [GENERATED_COUNT]. One thread.

With a count, nearest neighbours and diversity are timed for so many generated molecules and scaled to all: both grow with them.
"""
import gzip
import sys
import time
from collections import Counter

import numpy as np
from rdkit import Chem, DataStructs, RDLogger
from rdkit.Chem import AllChem, Descriptors, rdMolDescriptors
from rdkit.Chem.Scaffolds import MurckoScaffold

RDLogger.DisableLog("rdApp.*")


def read(path):
    stream = gzip.open(path, "rt") if path.endswith(".gz") else open(path)
    with stream:
        return [m for m in (Chem.MolFromSmiles(line.split()[0]) for line in stream if line.strip()) if m is not None]


def scaffolds(molecules):
    found = Counter()
    for molecule in molecules:
        if molecule.GetRingInfo().NumRings() > 1:
            found[Chem.MolToSmiles(MurckoScaffold.GetScaffoldForMol(molecule))] += 1
    return found


def clock(name, work):
    start = time.process_time()
    result = work()
    seconds = time.process_time() - start
    print(f"{name}: {seconds:.1f} s")
    return result, seconds


def main():
    total = 0.0
    generated, seconds = clock("read generated", lambda: read(sys.argv[1]))
    total += seconds
    reference, seconds = clock("read reference", lambda: read(sys.argv[2]))
    total += seconds
    count = min(int(sys.argv[3]), len(generated)) if len(sys.argv) > 3 else len(generated)
    scale = len(generated) / count
    _, seconds = clock("unique", lambda: len({Chem.MolToSmiles(m) for m in generated}))
    total += seconds
    (one, other), seconds = clock("fingerprints", lambda: [[AllChem.GetMorganFingerprintAsBitVect(m, 2, 1024) for m in s] for s in (generated, reference)])
    total += seconds
    nearest, seconds = clock(f"nearest neighbours of {count}", lambda: np.mean([max(DataStructs.BulkTanimotoSimilarity(f, other)) for f in one[:count]]))
    total += seconds * scale
    diversity, seconds = clock(f"diversity, {count} rows", lambda: 1 - np.mean([np.mean(DataStructs.BulkTanimotoSimilarity(f, one)) for f in one[:count]]))
    total += seconds * scale
    (a, b), seconds = clock("scaffolds", lambda: [scaffolds(s) for s in (generated, reference)])
    total += seconds
    cosine = sum(v * b[k] for k, v in a.items()) / np.sqrt(sum(v * v for v in a.values())) / np.sqrt(sum(v * v for v in b.values()))
    _, seconds = clock("weight, rings, rotatable bonds", lambda: [
        [(Descriptors.MolWt(m), rdMolDescriptors.CalcNumRings(m), rdMolDescriptors.CalcNumRotatableBonds(m)) for m in s] for s in (generated, reference)])
    total += seconds
    print(f"SNN {nearest:.4f}, diversity {diversity:.4f}, scaffolds {cosine:.4f}; {len(generated)} against {len(reference)}: {total:.0f} s in all, one thread")


if __name__ == "__main__":
    main()
