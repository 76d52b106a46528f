"""Relaxes a cluster on ASE's Lennard-Jones surface by ASE's BFGS, and says its wavenumbers and thermodynamics.

Usage: ase_vibrations.py FRAME OUT.json
"""
import json
import os
import sys
import tempfile

import numpy as np
from ase.calculators.lj import LennardJones
from ase.io import read
from ase.optimize import BFGS
from ase.thermochemistry import IdealGasThermo
from ase.vibrations import Vibrations

frame, out = sys.argv[1:]
atoms = read(frame)
atoms.calc = LennardJones(sigma=3.4, epsilon=0.0104, rc=7.5)
optimizer = BFGS(atoms, logfile=None)
optimizer.run(fmax=1e-6, steps=2000)
with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    vibrations = Vibrations(atoms, delta=0.01)
    vibrations.run()
    wavenumbers = vibrations.get_frequencies()
    energies = vibrations.get_energies()
thermo = IdealGasThermo(vib_energies=np.real(sorted(energies, key=abs)[6:]), potentialenergy=atoms.get_potential_energy(), atoms=atoms,
                        geometry='nonlinear', symmetrynumber=12, spin=0)
signed = [float(w.real) if abs(w.imag) < 1e-12 else -float(w.imag) for w in wavenumbers]
with open(out, 'w') as file:
    json.dump({
        'steps': int(optimizer.get_number_of_steps()), 'energy': float(atoms.get_potential_energy()), 'positions': atoms.get_positions().ravel().tolist(),
        'wavenumbers': sorted(signed), 'enthalpy': float(thermo.get_enthalpy(120, verbose=False)),
        'entropy': float(thermo.get_entropy(120, 101325, verbose=False)), 'gibbs': float(thermo.get_gibbs_energy(120, 101325, verbose=False)),
    }, file)
