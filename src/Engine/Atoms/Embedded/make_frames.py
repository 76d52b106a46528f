#!/usr/bin/python3
"""Makes the embedded frames: ten small molecules at 500 K, labelled with GFN2-xTB.

Needs Debian's libxtb-dev (6.5.1 made what is here) and python3-numpy, nothing else. Run it in this folder:

    OMP_NUM_THREADS=1 /usr/bin/python3 make_frames.py            # all molecules, two processes, some ten minutes
    OMP_NUM_THREADS=1 /usr/bin/python3 make_frames.py ethanol    # one of them

Deterministic from SEED for one build of libxtb. For each molecule: a geometry from bond lengths and angles, relaxed with GFN2-xTB
(the lowest of several starts that keeps its bonds), 2 ps of Langevin dynamics to equilibrate, then a frame every 25 fs. The stored
positions are float32, and every label is computed anew, tightly converged, at exactly those positions. What does not hold up
(a bond broken or made, a temperature off 500 K, a force that is no gradient, a net force or torque) ends the script.
"""
import ctypes
import os
import sys
from ctypes import byref, c_bool, c_double, c_int, c_void_p
from multiprocessing import Pool

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np  # noqa: E402  (the variable has to be set before any OpenMP library loads)

SEED = 2023
TEMPERATURE, FRICTION, STEP = 500.0, 0.02, 0.5  # K, 1/fs, fs
EQUILIBRATION, SPACING, FRAMES = 4000, 50, 500  # steps, steps, frames
HARTREE, BOHR = 27.211386245988, 0.529177210903  # eV, Angstrom: CODATA 2018
BOLTZMANN = 1.380649e-23 / 1.602176634e-19  # eV/K
EV_PER_U_A = 1.602176634e-19 / 1.66053906660e-27 * 1e-10  # (eV/Angstrom)/u in Angstrom/fs^2

NUMBERS = {"H": 1, "C": 6, "N": 7, "O": 8}
MASSES = {1: 1.008, 6: 12.011, 7: 14.007, 8: 15.999}
RADII = {1: 0.31, 6: 0.76, 7: 0.71, 8: 0.66}  # covalent, Angstrom

# Heavy atoms with their hydrogens, and the bonds between heavy atoms.
MOLECULES = {
    "ethanol": ("CH3 CH2 OH", "0-1 1-2"),
    "acetic-acid": ("CH3 C O OH", "0-1 1-2 1-3"),
    "acetone": ("CH3 C O CH3", "0-1 1-2 1-3"),
    "acetamide": ("CH3 C O NH2", "0-1 1-2 1-3"),
    "acrolein": ("CH2 CH CH O", "0-1 1-2 2-3"),
    "benzene": ("CH CH CH CH CH CH", "0-1 1-2 2-3 3-4 4-5 5-0"),
    "toluene": ("CH3 C CH CH CH CH CH", "0-1 1-2 2-3 3-4 4-5 5-6 6-1"),
    "glycine": ("NH2 CH2 C O OH", "0-1 1-2 2-3 2-4"),
    "imidazole": ("NH CH N CH CH", "0-1 1-2 2-3 3-4 4-0"),
    "methylamine": ("CH3 NH2", "0-1"),
}


class Gfn2:
    """GFN2-xTB energies (eV) and forces (eV/Angstrom) of one neutral closed-shell molecule through libxtb's C interface."""

    def __init__(self, numbers, accuracy):
        self.xtb = xtb = ctypes.CDLL("libxtb.so.6")
        for name in ("xtb_newEnvironment", "xtb_newCalculator", "xtb_newResults", "xtb_newMolecule"):
            getattr(xtb, name).restype = c_void_p
        self.numbers = (c_int * len(numbers))(*numbers)
        self.accuracy = accuracy
        self.environment = c_void_p(xtb.xtb_newEnvironment())
        xtb.xtb_setVerbosity(self.environment, 0)
        self.molecule = None

    def __call__(self, positions, fresh=False):
        """With fresh, without the density of the call before: the label then depends on the geometry alone."""
        xtb, environment = self.xtb, self.environment
        bohr = np.ascontiguousarray(positions, dtype=np.float64) / BOHR
        coordinates = bohr.ctypes.data_as(ctypes.POINTER(c_double))
        if self.molecule is None:
            lattice, periodic = (c_double * 9)(), (c_bool * 3)()
            self.molecule = c_void_p(xtb.xtb_newMolecule(environment, byref(c_int(len(self.numbers))), self.numbers, coordinates,
                                                         byref(c_double(0)), byref(c_int(0)), lattice, periodic))
            self.calculator = c_void_p(xtb.xtb_newCalculator())
            xtb.xtb_loadGFN2xTB(environment, self.molecule, self.calculator, None)
            xtb.xtb_setAccuracy(environment, self.calculator, c_double(self.accuracy))
            self.results = c_void_p(xtb.xtb_newResults())
        else:
            xtb.xtb_updateMolecule(environment, self.molecule, coordinates, None)
            if fresh:
                xtb.xtb_delResults(byref(self.results))
                self.results = c_void_p(xtb.xtb_newResults())
        xtb.xtb_singlepoint(environment, self.molecule, self.calculator, self.results)
        energy, gradient = c_double(), np.empty_like(bohr)
        xtb.xtb_getEnergy(environment, self.results, byref(energy))
        xtb.xtb_getGradient(environment, self.results, gradient.ctypes.data_as(ctypes.POINTER(c_double)))
        if xtb.xtb_checkEnvironment(environment) != 0:
            raise RuntimeError("libxtb reports an error")
        return energy.value * HARTREE, -gradient * (HARTREE / BOHR)


def topology(heavy, bonds):
    """Atomic numbers and bonds with the hydrogens written out, heavy atoms first."""
    groups = heavy.split()
    numbers = [NUMBERS[group[0]] for group in groups]
    pairs = [tuple(map(int, bond.split("-"))) for bond in bonds.split()]
    for index, group in enumerate(groups):
        for _ in range(int(group[2:] or 1) if "H" in group else 0):
            pairs.append((index, len(numbers)))
            numbers.append(1)
    return np.array(numbers), {tuple(sorted(pair)) for pair in pairs}


def found_bonds(numbers, positions, reach):
    radii = np.array([RADII[z] for z in numbers])
    distances = np.linalg.norm(positions[:, None] - positions[None], axis=2)
    return {(i, j) for i, j in zip(*np.where(distances < reach * (radii[:, None] + radii[None]))) if i < j}


def keeps_bonds(numbers, bonds, positions):
    return bonds <= found_bonds(numbers, positions, 1.35) and found_bonds(numbers, positions, 1.2) <= bonds


def relax(forces_of, positions, tolerance, steps=2000):
    """FIRE (Bitzek et al., Phys. Rev. Lett. 97, 170201, 2006) with unit masses."""
    velocity, step, mixing, uphill = np.zeros_like(positions), 0.05, 0.1, 0
    for _ in range(steps):
        force = forces_of(positions)
        if np.abs(force).max() < tolerance:
            break
        if (force * velocity).sum() > 0:
            velocity = (1 - mixing) * velocity + mixing * np.linalg.norm(velocity) * force / np.linalg.norm(force)
            uphill += 1
            if uphill > 5:
                step, mixing = min(1.1 * step, 0.3), 0.99 * mixing
        else:
            velocity, step, mixing, uphill = np.zeros_like(positions), 0.5 * step, 0.1, 0
        velocity = velocity + step * force
        move = step * velocity
        positions = positions + move * min(1, 0.1 / max(np.abs(move).max(), 1e-12))
    return positions


def sketch(numbers, bonds, random):
    """A rough geometry: springs for bonds and angles, and everything else at least 2.4 Angstrom apart."""
    atoms = len(numbers)
    neighbors = [[j for j in range(atoms) if tuple(sorted((i, j))) in bonds] for i in range(atoms)]
    radii = np.array([RADII[z] for z in numbers])
    wanted, stiff = np.full((atoms, atoms), 2.4), np.zeros((atoms, atoms))
    for i, j in bonds:
        wanted[i, j] = wanted[j, i] = radii[i] + radii[j]
        stiff[i, j] = stiff[j, i] = 1
    for center in range(atoms):
        angle = np.radians(109.5 if len(neighbors[center]) == 4 else 120)
        for i in neighbors[center]:
            for j in neighbors[center]:
                if i != j and not stiff[i, j]:
                    a, b = wanted[center, i], wanted[center, j]
                    wanted[i, j] = np.sqrt(a * a + b * b - 2 * a * b * np.cos(angle))
                    stiff[i, j] = 0.3

    def forces(positions):
        vectors = positions[:, None] - positions[None]
        distances = np.linalg.norm(vectors, axis=2) + np.eye(atoms)
        short = np.where(stiff == 0, np.maximum(0.3 * (wanted - distances), 0), stiff * (wanted - distances))
        np.fill_diagonal(short, 0)
        return 10 * (short[:, :, None] * vectors / distances[:, :, None]).sum(1)

    return relax(forces, random.normal(scale=1.5, size=(atoms, 3)), 1e-3)


def start(name, numbers, bonds, random):
    best = None
    for _ in range(12):
        gfn2 = Gfn2(numbers, 1.0)
        try:
            positions = relax(lambda x: gfn2(x)[1], sketch(numbers, bonds, random), 0.01)
            energy = gfn2(positions)[0]
        except RuntimeError:
            continue
        if keeps_bonds(numbers, bonds, positions) and (best is None or energy < best[0]):
            best = energy, positions
    if best is None:
        sys.exit(f"{name}: no start keeps its bonds")
    return best


def dynamics(numbers, positions, random):
    """Langevin dynamics, BAOAB (Leimkuhler and Matthews, J. Chem. Phys. 138, 174102, 2013); frames about their centre of mass."""
    masses = np.array([MASSES[z] for z in numbers])[:, None]
    gfn2 = Gfn2(numbers, 1.0)
    spread = np.sqrt(BOLTZMANN * TEMPERATURE * EV_PER_U_A / masses)
    damping = np.exp(-FRICTION * STEP)
    velocity, force = random.normal(size=positions.shape) * spread, gfn2(positions)[1]
    frames, temperatures = [], []
    for step in range(EQUILIBRATION + SPACING * FRAMES):
        velocity = velocity + STEP / 2 * EV_PER_U_A * force / masses
        positions = positions + STEP / 2 * velocity
        velocity = damping * velocity + np.sqrt(1 - damping**2) * spread * random.normal(size=positions.shape)
        positions = positions + STEP / 2 * velocity
        force = gfn2(positions)[1]
        velocity = velocity + STEP / 2 * EV_PER_U_A * force / masses
        if step < EQUILIBRATION:
            continue
        temperatures.append((masses * velocity**2).sum() / EV_PER_U_A / (positions.size * BOLTZMANN))
        if (step - EQUILIBRATION + 1) % SPACING == 0:
            frames.append(positions - (masses * positions).sum(0) / masses.sum())
    return np.array(frames, dtype=np.float32), np.mean(temperatures)


def worst_difference(gfn2, positions):
    """Largest difference between forces and central differences of the energy, eV/Angstrom."""
    forces, numeric, h = gfn2(positions, fresh=True)[1], np.empty_like(positions), 1e-3
    for index in np.ndindex(positions.shape):
        ahead, behind = positions.copy(), positions.copy()
        ahead[index] += h
        behind[index] -= h
        numeric[index] = -(gfn2(ahead, fresh=True)[0] - gfn2(behind, fresh=True)[0]) / (2 * h)
    return np.abs(forces - numeric).max()


def make(name):
    random = np.random.default_rng([SEED, list(MOLECULES).index(name)])
    numbers, bonds = topology(*MOLECULES[name])
    lowest, positions = start(name, numbers, bonds, random)
    frames, temperature = dynamics(numbers, positions, random)
    gfn2 = Gfn2(numbers, 0.01)
    labels = [gfn2(frame, fresh=True) for frame in frames]
    energies, forces = np.array([label[0] for label in labels]), np.array([label[1] for label in labels], dtype=np.float32)
    net = np.abs(forces.sum(1)).max()
    torque = np.abs(np.cross(frames.astype(np.float64), forces.astype(np.float64)).sum(1)).max()
    difference = worst_difference(gfn2, frames[0].astype(np.float64))
    print(f"{name}: {len(numbers)} atoms, minimum {lowest / HARTREE:.6f} Eh, {temperature:.1f} K, mean energy above it "
          f"{energies.mean() - lowest:.3f} eV, spread {energies.std():.3f} eV, forces to {np.abs(forces).max():.1f} eV/A (rms "
          f"{np.sqrt((forces**2).mean()):.2f}); numeric forces within {difference:.1e}, net force {net:.1e}, torque {torque:.1e}",
          flush=True)
    if not all(keeps_bonds(numbers, bonds, frame) for frame in frames):
        sys.exit(f"{name}: a bond broke or formed")
    if abs(temperature - TEMPERATURE) > 15 or difference > 1e-3 or net > 1e-4 or torque > 1e-3 or energies.min() < lowest - 0.01:
        sys.exit(f"{name}: a check failed")
    np.savez_compressed(
        f"{name}.npz", nuclear_charges=numbers.astype(np.uint8), coords=frames, energies=energies, forces=forces, e_unit="eV",
        r_unit="Angstrom", config_type=name, method="GFN2-xTB (libxtb 6.5.1, accuracy 0.01), total energies",
        sampling=f"Langevin dynamics at {TEMPERATURE:.0f} K on GFN2-xTB, {STEP} fs steps, a frame every {SPACING * STEP:.0f} fs, seed {SEED}",
        constants="CODATA 2018: Hartree 27.211386245988 eV, Bohr 0.529177210903 Angstrom")


if __name__ == "__main__":
    with Pool(2) as pool:
        pool.map(make, sys.argv[1:] or MOLECULES, chunksize=1)
