"""ASE runs velocity Verlet over SocketIOCalculator and writes what it saw, for AseTests.

ase_socket.py FRAME OUT.json unix NAME | tcp PORT
"""
import json
import sys

from ase import units
from ase.calculators.socketio import SocketIOCalculator
from ase.io import read
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution, Stationary
from ase.md.verlet import VelocityVerlet
import numpy as np

frame, out, kind, name = sys.argv[1:]
atoms = read(frame)
where = {"unixsocket": name} if kind == "unix" else {"port": int(name)}
snapshots = []


def snapshot():
    snapshots.append({
        "positions": atoms.positions.ravel().tolist(),
        "energy": atoms.get_potential_energy(),
        "kinetic": atoms.get_kinetic_energy(),
        "forces": atoms.get_forces().ravel().tolist(),
        "stress": atoms.get_stress(voigt=False).ravel().tolist() if atoms.pbc.any() else None,
    })


with SocketIOCalculator(timeout=100, **where) as calculator:
    atoms.calc = calculator
    MaxwellBoltzmannDistribution(atoms, temperature_K=300, rng=np.random.RandomState(1))
    Stationary(atoms)
    dynamics = VelocityVerlet(atoms, timestep=1 * units.fs)
    dynamics.attach(snapshot, interval=10)
    dynamics.run(100)

with open(out, "w") as file:
    json.dump(snapshots, file)
