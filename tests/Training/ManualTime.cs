namespace ChemScale.Tests.Training;

/// <summary>A clock that moves when told to, and timers that fire only when asked.</summary>
internal sealed class ManualTime : TimeProvider
{
    private readonly List<Timer> timers = [];
    private DateTimeOffset now = DateTimeOffset.UtcNow;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => now;

    public override long GetTimestamp() => now.Ticks;

    public void Advance(TimeSpan span) => now += span;

    public void FireTimers()
    {
        foreach (Timer timer in timers.Where(t => !t.Disposed).ToArray()) timer.Fire();
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(callback, state);
        timers.Add(timer);
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
