using ChemScale.Engine.Atoms.Formats.Npz;

namespace ChemScale.Engine.Atoms.Preparation;

/// <summary>The sides that a split file puts frames on, by their index over all files.</summary>
internal sealed class SplitIndices
{
    private readonly string _path;
    private readonly Dictionary<long, bool> _validation = [];

    /// <exception cref="InputException">No such lists, or an index on both.</exception>
    public SplitIndices(string path)
    {
        _path = path;
        NpzArchive archive = NpzArchive.Open(path);
        foreach (long index in archive["train_idx"].Integers()) _validation[index] = false;
        foreach (long index in archive["val_idx"].Integers())
        {
            if (!_validation.TryAdd(index, true) && !_validation[index])
            {
                throw new InputException($"{path}: val_idx", $"frame {index}, which is in train_idx too", "each frame on one side");
            }
        }
    }

    /// <summary>Null where the frame is on neither side.</summary>
    public bool? IsValidation(long index) => _validation.TryGetValue(index, out bool validation) ? validation : null;

    /// <exception cref="InputException">An index beyond the frames there are.</exception>
    public void Check(long frames)
    {
        if (_validation.Keys.DefaultIfEmpty().Max() is var largest && largest >= frames)
        {
            throw new InputException(_path, $"frame {largest}", $"indices below {frames}, as many as there are");
        }
    }
}
