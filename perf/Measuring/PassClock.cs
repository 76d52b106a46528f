namespace ChemScale.Perf.Measuring;

/// <summary>Collects the times of a side's passes, repeat after repeat. While it warms up it forgets them.</summary>
internal sealed class PassClock(Stopclock clock)
{
    private readonly Dictionary<string, List<double>> times = [];

    public bool WarmingUp { get; set; } = true;

    /// <summary>Seconds of each pass, in the order in which they first came.</summary>
    public IReadOnlyDictionary<string, List<double>> Times => times;

    /// <summary>Of a side as a whole, besides times.</summary>
    public Dictionary<string, string> Missing { get; } = [];

    /// <summary>Told of each pass when it is done, in place of its time; null: passes are timed.</summary>
    public Action<string>? Counter { get; init; }

    public void Time(string pass, Action work)
    {
        double seconds = clock.Time(work);
        if (Counter is null) Add(pass, seconds);
        else Counter(pass);
    }

    /// <summary>A time that was taken elsewhere.</summary>
    public void Add(string pass, double seconds)
    {
        if (WarmingUp) return;
        if (!times.TryGetValue(pass, out List<double>? list)) times[pass] = list = [];
        list.Add(seconds);
    }
}
