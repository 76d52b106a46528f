namespace ChemScale.Engine.Studies.Cluster;

/// <summary>What a job asks Slurm for. Null: what the cluster gives by default.</summary>
public sealed record SlurmOptions
{
    public string? Partition { get; init; }

    public string? Account { get; init; }

    /// <summary>Limit of each task, as sbatch's --time takes it.</summary>
    public string? Time { get; init; }

    public int Cpus { get; init; } = 1;

    /// <summary>As sbatch's --gpus takes it, for each task.</summary>
    public string? Gpus { get; init; }

    /// <summary>As sbatch's --mem takes it.</summary>
    public string? Memory { get; init; }

    /// <summary>Tasks at a time; 0: as many as Slurm likes.</summary>
    public int Limit { get; init; }

    /// <summary>Seconds before the time limit at which a run is put aside. Slurm's clock is coarse: up to a minute late.</summary>
    public int Warning { get; init; } = 120;

    /// <summary>Further options of sbatch, word for word, such as --qos=long.</summary>
    public IReadOnlyList<string> More { get; init; } = [];

    /// <exception cref="InputException">A value that would not survive in a script.</exception>
    public void Check()
    {
        if (Cpus < 1) throw new InputException("slurm.cpus", $"{Cpus}", "1 or more");
        if (Limit < 0) throw new InputException("slurm.limit", $"{Limit}", "0 (none) or more");
        if (Warning < 1) throw new InputException("slurm.warning", $"{Warning}", "1 or more, in seconds");
        foreach ((string key, string? value) in ((string, string?)[])[("slurm.partition", Partition), ("slurm.account", Account), ("slurm.time", Time), ("slurm.gpus", Gpus), ("slurm.memory", Memory)])
            if (value is not null && (value.Length == 0 || value.Any(char.IsWhiteSpace))) throw new InputException(key, $"'{value}'", "one word");
        if (More.FirstOrDefault(m => !m.StartsWith('-') || m.Contains('\n')) is { } odd) throw new InputException("slurm.more", $"'{odd}'", "an option of sbatch, such as --qos=long");
    }
}
