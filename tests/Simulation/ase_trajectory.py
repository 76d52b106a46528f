"""ASE reads a trajectory of ours and writes what it understood, for AseTests.

ase_trajectory.py TRAJECTORY.extxyz OUT.json
"""
import json
import sys

from ase.io import read

frames = read(sys.argv[1], ":")
with open(sys.argv[2], "w") as file:
    json.dump([{
        "energy": f.get_potential_energy(),
        "forces": f.get_forces().ravel().tolist(),
        "kinetic": f.get_kinetic_energy(),
        "temperature": f.get_temperature(),
        "info": {key: float(f.info[key]) for key in ("step", "time_fs", "kinetic_energy", "temperature")},
        "cell": f.cell[:].ravel().tolist(),
        "pbc": f.pbc.tolist(),
        "masses": f.get_masses().tolist(),
    } for f in frames], file)
