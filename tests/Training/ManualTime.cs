namespace ChemScale.Tests.Training;

/// <summary>A clock that moves when told to or waited for, and periodic timers that fire only when asked.</summary>
internal sealed class ManualTime : TimeProvider
{
    private readonly List<Timer> timers = [];
    private readonly Lock access = new();
    private DateTimeOffset now = DateTimeOffset.UtcNow;
    private long timestamp;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        lock (access) return now;
    }

    public override long GetTimestamp() => Interlocked.Read(ref timestamp);

    public void Advance(TimeSpan span)
    {
        SetClock(span);
        Interlocked.Add(ref timestamp, span.Ticks);
    }

    /// <summary>Puts the wall clock ahead, or back, as an administrator does: no time passes.</summary>
    public void SetClock(TimeSpan by)
    {
        lock (access) now += by;
    }

    public void FireTimers()
    {
        foreach (Timer timer in timers.Where(t => !t.Disposed).ToArray()) timer.Fire();
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(callback, state);
        if (period == Timeout.InfiniteTimeSpan)
        {
            // Somebody waits.
            Advance(dueTime);
            timer.Fire();
            return timer;
        }
        lock (access) timers.Add(timer);
        return timer;
    }

    private sealed class Timer(TimerCallback callback, object? state) : ITimer
    {
        public bool Disposed { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose() => Disposed = true;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
