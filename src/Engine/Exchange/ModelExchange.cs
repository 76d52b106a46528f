using ChemScale.Engine.Chemistry.Selfies;

namespace ChemScale.Engine.Exchange;

/// <summary>Models out of run directories into folders of other programs, and the reverse.</summary>
public static class ModelExchange
{
    /// <param name="run">Run directory.</param>
    /// <param name="format">Whose folder.</param>
    /// <param name="folder">To make; it must not be there.</param>
    /// <param name="warn">Gets a line where the newest checkpoint is damaged and the one before is used.</param>
    /// <exception cref="InputException">No run, a run of a model that the format does not have, or a folder that is there.</exception>
    public static ExchangeReport Export(string run, ExchangeFormat format, string folder, Action<string> warn)
    {
        if (Path.Exists(folder)) throw new InputException(folder, "is there already", "the name of a new folder", "nothing is written over");
        using var files = new NewFolder(folder);
        ExchangeReport report = format == ExchangeFormat.HuggingFace ? HuggingFaceFolder.Write(run, files, warn) : SchNetPackFolder.Write(run, files, warn);
        files.Complete();
        return report with { Path = Path.GetFullPath(folder) };
    }

    /// <exception cref="InputException">No such model in the folder, a damaged file, or a run directory that is taken.</exception>
    public static ExchangeReport Import(ImportRequest request, Action<string> warn, CancellationToken stop = default)
    {
        if (!Directory.Exists(request.Folder)) throw new InputException(request.Folder, "no such folder", "one of config.json and weights");
        string path = Path.Combine(request.Folder, SchNetPackFolder.ConfigFile);
        bool isSchNetPack = File.Exists(path) && SchNetPackFolder.Is(path);
        if (isSchNetPack && request.Grammar is not null) throw new InputException("grammar", request.Grammar.Value.Name(), "nothing for a force field");
        if (!isSchNetPack && request.Units is not null) throw new InputException("units", request.Units.Name, "nothing for a language model");
        return isSchNetPack ? SchNetPackFolder.Read(request, warn, stop) : HuggingFaceFolder.Read(request, warn, stop);
    }
}
